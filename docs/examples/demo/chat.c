/* SPDX-License-Identifier: MIT */
/*
 * chat.c - streams an answer, token by token, as fast as it is made and the reader takes it.
 *
 * Tokens are due one every TOKEN_MS. The stream asks the loop to be called when the next one is due, so
 * every token is an event, a chunk and a write of its own. Three things hold it in check:
 *
 *   A slow reader.  While more than QUEUE_MAX bytes wait, no token is made; `progress` goes on. Time
 *                   that was missed so is not made up for, but for BURST tokens.
 *   A dead reader.  A stream only writes, so the sign of life is that writes do not get stuck. One
 *                   weir_pulse counts the silence: a comment after HEARTBEAT_MS without an event, the
 *                   end when the reader has taken nothing for STUCK_MS more.
 *   A reader that   has nothing more to say: the end of its input is the end of the stream.
 *   leaves
 */
#include "chat.h"

#include "answers.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_MS = 33,
    BURST = 5,
    QUEUE_MAX = 64 * 1024,
    HEARTBEAT_MS = 15000,
    STUCK_MS = 45000,
    ID_MAX = 1000000
};

typedef struct stream {
    weir_sse_request request;
    demo_answer answer;
    unsigned sent; /* tokens the reader has or will have: the next one's index, the last one's id */
    uint64_t next_at;
    weir_pulse pulse;
} stream;

/* ---- The question ------------------------------------------------------------------------------- */

/* An id of ours is a plain number; anything else, from whomever, is as good as none. */
static unsigned id_read(weir_str id)
{
    unsigned value = 0;
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] < '0' || id.ptr[i] > '9' || value > ID_MAX)
            return 0;
        value = value * 10 + (unsigned)(id.ptr[i] - '0');
    }
    return value;
}

int chat_ask_read(chat_ask *ask, const weir_http_head *head)
{
    weir_http_fields walk = head->fields;
    weir_str language;
    memset(ask, 0, sizeof *ask);
    int rv = weir_sse_request_read(head, WEIR_SSE_ALLOW_POST, &ask->request);
    if (rv < 0)
        return rv;
    ask->last_id = id_read(ask->request.last_event_id);
    ask->request.last_event_id = (weir_str){NULL, 0};
    if (weir_http_fields_find(&walk, "accept-language", &language) && language.len < sizeof ask->language)
        memcpy(ask->language, language.ptr, language.len);
    return 0;
}

/* ---- The answer --------------------------------------------------------------------------------- */

/* Writes whole events or comments as one chunk. What goes straight to the socket, or finds an empty
 * queue, shows that the reader takes what it is sent. */
static void put(conn *c, stream *s, weir_str bytes)
{
    if (conn_queued(c) == 0)
        weir_pulse_alive(&s->pulse, loop_now(c->loop));
    weir_out out = conn_room(c, bytes.len + WEIR_HTTP_CHUNK_OVERHEAD);
    weir_sse_frame(&out, &s->request, bytes);
    conn_wrote(c, out);
}

static void put_event(conn *c, stream *s, weir_str data)
{
    char id[16] = {0};
    size_t at = sizeof id - 1;
    for (unsigned rest = s->sent + 1; rest > 0; rest /= 10)
        id[--at] = (char)('0' + rest % 10);
    uint8_t bytes[4096];
    weir_out out = {bytes, sizeof bytes};
    weir_sse_event event = {.data = data, .id = weir_cstr(id + at)};
    if (weir_sse_event_write(&out, &event) == 0)
        put(c, s, (weir_str){bytes, sizeof bytes - out.len});
}

static void put_next(conn *c, stream *s)
{
    const char *token;
    size_t len;
    char text[2048];
    if (demo_answer_token(&s->answer, s->sent, &token, &len)) {
        size_t size = json_string(text, sizeof text, token, len);
        if (size > sizeof text)
            conn_abort(c); /* no token of the generator is that long */
        else
            put_event(c, s, (weir_str){(const uint8_t *)text, size});
        s->sent++;
        return;
    }
    put_event(c, s, weir_cstr("[DONE]"));
    weir_out out = conn_room(c, WEIR_HTTP_CHUNK_OVERHEAD);
    weir_sse_end(&out, &s->request);
    conn_wrote(c, out);
    conn_finish(c);
}

/* Makes the tokens that are due and says when the next one is. */
static void go_on(conn *c, stream *s)
{
    uint64_t now = loop_now(c->loop);
    if (s->next_at + BURST * TOKEN_MS < now)
        s->next_at = now - BURST * TOKEN_MS;
    while (conn_is_open(c) && s->next_at <= now && conn_queued(c) <= QUEUE_MAX) {
        put_next(c, s);
        s->next_at += TOKEN_MS;
    }
    uint64_t next = weir_pulse_deadline(&s->pulse);
    if (conn_queued(c) <= QUEUE_MAX && s->next_at < next)
        next = s->next_at;
    conn_deadline(c, next);
}

static void due(conn *c)
{
    stream *s = c->user;
    switch (weir_pulse_poll(&s->pulse, loop_now(c->loop))) {
    case WEIR_PULSE_BEAT:
        if (conn_queued(c) == 0)
            put(c, s, weir_cstr(WEIR_SSE_HEARTBEAT));
        break;
    case WEIR_PULSE_NONE:
        break;
    case WEIR_PULSE_UNOPENED:
    case WEIR_PULSE_LOST:
    case WEIR_PULSE_UNCLOSED:
        conn_abort(c);
        return;
    }
    go_on(c, s);
}

static void progress(conn *c)
{
    stream *s = c->user;
    weir_pulse_alive(&s->pulse, loop_now(c->loop));
    go_on(c, s);
}

/* An orderly end of the body, without [DONE]: the reader knows that there is more, and asks again. */
static void stopping(conn *c)
{
    stream *s = c->user;
    weir_out out = conn_room(c, WEIR_HTTP_CHUNK_OVERHEAD);
    weir_sse_end(&out, &s->request);
    conn_wrote(c, out);
    conn_finish(c);
}

static void gone(conn *c)
{
    free(c->user);
}

/* Without `readable`: whatever the reader says during the stream is dropped, its end is not. */
static const conn_handler streaming = {
    .ended = conn_abort,
    .progress = progress,
    .due = due,
    .stopping = stopping,
    .gone = gone,
};

/* Every token is with the reader, and [DONE] too: 204 is how a server tells an EventSource to stop. */
static void answer_nothing(conn *c)
{
    weir_http_reply reply = {.status = 204, .flags = WEIR_HTTP_CLOSE};
    weir_out out = conn_room(c, weir_http_reply_size(&reply));
    weir_http_reply_write(&out, &reply);
    conn_wrote(c, out);
    conn_finish(c);
}

/* Where to go on behind the last id; past the end of this answer it was another one's. */
static unsigned resume_at(const stream *s, unsigned last_id)
{
    const char *token;
    size_t len;
    return last_id > 0 && demo_answer_token(&s->answer, last_id - 1, &token, &len) ? last_id : 0;
}

static bool is_done_id(const stream *s, unsigned last_id)
{
    return last_id > 1 && resume_at(s, last_id) == 0 && resume_at(s, last_id - 1) != 0;
}

void chat_answer(conn *c, const chat_ask *ask, const char *prompt, size_t len)
{
    static const weir_http_field fields[] = {
        {{(const uint8_t *)"Connection", 10}, {(const uint8_t *)"close", 5}}};
    static const weir_pulse_cfg cfg = {.beat_ms = HEARTBEAT_MS, .grace_ms = STUCK_MS};
    uint64_t now = loop_now(c->loop);
    stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        conn_abort(c);
        return;
    }
    c->on = &streaming;
    c->user = s;
    s->request = ask->request;
    demo_answer_init(&s->answer, prompt, len, ask->language[0] != '\0' ? ask->language : NULL);
    if (is_done_id(s, ask->last_id)) {
        answer_nothing(c);
        return;
    }
    s->sent = resume_at(s, ask->last_id);
    s->next_at = now + TOKEN_MS;
    weir_pulse_init(&s->pulse, &cfg, now);
    weir_pulse_opened(&s->pulse, now);
    /* On HTTP/1.0 weir writes `Connection: close` by itself. */
    weir_sse_reply reply = {.fields = fields, .field_count = s->request.chunked ? 1 : 0};
    weir_out out = conn_room(c, WEIR_SSE_REPLY_MAX + 64);
    weir_sse_reply_write(&out, &s->request, &reply);
    conn_wrote(c, out);
    if (s->request.head_only) {
        conn_finish(c);
        return;
    }
    put(c, s, weir_cstr(WEIR_SSE_HEARTBEAT)); /* readers see the stream open before the first token */
    go_on(c, s);
}
