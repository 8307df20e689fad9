/* SPDX-License-Identifier: MIT */
/*
 * chat.c - streams answers, token by token, as fast as they are made and the reader takes them.
 *
 *   generator or upstream --> record (a log of events) --> one connection, or several
 *
 * An answer is made once and lies in a record (record.h). A visitor's connection reads the record; when it
 * breaks, the visitor's next one says Last-Event-ID and reads on behind that. Four things hold it in check:
 *
 *   A slow reader.  While the connection is full, nothing is taken from the record; while more than
 *                   BEHIND_MAX bytes wait in there, no token is made, none read from the upstream. Where two
 *                   connections read one answer, the newer sets the pace: the older one is that of a network
 *                   that is gone, most likely. If the record overtakes it, its stream ends; whoever is there
 *                   after all comes back, and is told.
 *   A dead reader.  A stream only writes, so the sign of life is that writes do not get stuck. One
 *                   weir_pulse counts the silence: a comment after HEARTBEAT_MS without an event, the end
 *                   when the reader has taken nothing for STUCK_MS more.
 *   A reader that   has nothing more to say: the end of its input is the end of the stream. Without readers
 *   leaves.         no token is made, and the connection to an upstream is closed at once.
 *   A long token.   It goes out in pieces of PIECE_MAX bytes, so that none is larger than the record.
 */
#include "chat.h"

#include "answers.h"
#include "json.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_MS = 33, /* built-in tokens are due one every so often; time missed is not made up for, */
    BURST = 5,     /* but for so many of them */
    RETRY_MS = 1000,
    QUEUE_MAX = 64 * 1024,
    BEHIND_MAX = 64 * 1024,
    PIECE_MAX = 2048,
    HEARTBEAT_MS = 15000,
    STUCK_MS = 45000
};

typedef struct answer answer;

typedef struct visitor {
    weir_sse_request request;
    weir_pulse pulse;
    weir_sse_reader reader;
    conn *c;
    answer *answer;
    struct visitor *next; /* who came before */
} visitor;

struct answer {
    record *record;
    visitor *visitors;  /* the newest first */
    demo_answer text;   /* without an upstream: the tokens, */
    unsigned token;     /* the next one, */
    uint64_t next_at;   /* and when it is due */
    bool remote;        /* with an upstream: */
    upstream *upstream; /* until it is over */
    buffer *rest;       /* what came from there and has no room yet */
    buffer *fault;      /* how it ended, if not well */
};

static const upstream_api *api;

void chat_upstream(const upstream_api *which)
{
    api = which;
}

/* ---- The question ------------------------------------------------------------------------------- */

int chat_ask_read(chat_ask *ask, const weir_http_head *head)
{
    weir_http_fields walk = head->fields;
    weir_str language;
    memset(ask, 0, sizeof *ask);
    int rv = weir_sse_request_read(head, WEIR_SSE_ALLOW_POST, &ask->request);
    if (rv < 0)
        return rv;
    ask->request.close = true;
    weir_str id = ask->request.last_event_id;
    ask->request.last_event_id = (weir_str){NULL, 0};
    ask->resumes = id.ptr != NULL;
    if (ask->resumes && id.len <= sizeof ask->last_id) {
        memcpy(ask->last_id, id.ptr, id.len);
        ask->last_id_len = id.len;
    }
    if (weir_http_fields_find(&walk, "accept-language", &language) && language.len < sizeof ask->language)
        memcpy(ask->language, language.ptr, language.len);
    return 0;
}

/* ---- From the record to the visitors ------------------------------------------------------------ */

/* Writes whole events or comments as one chunk. What goes straight to the socket, or finds an empty queue,
 * shows that the reader takes what it is sent. */
static void put(visitor *v, weir_str bytes)
{
    if (conn_queued(v->c) == 0)
        weir_pulse_alive(&v->pulse, loop_now(v->c->loop));
    weir_out out = conn_room(v->c, bytes.len + WEIR_HTTP_CHUNK_OVERHEAD);
    weir_sse_frame(&out, &v->request, bytes);
    conn_wrote(v->c, out);
}

/* Without [DONE] or an error before it, the reader knows that there is more, and asks again. */
static void end_stream(conn *c, const weir_sse_request *request)
{
    weir_out out = conn_room(c, WEIR_HTTP_CHUNK_OVERHEAD);
    weir_sse_end(&out, request);
    conn_wrote(c, out);
    conn_finish(c);
}

static void feed(visitor *v)
{
    record *r = v->answer->record;
    weir_str bytes;
    int rv = WEIR_SSE_LOG_EVENT;
    while (conn_is_open(v->c) && !conn_is_full(v->c) &&
           (rv = weir_sse_log_next(&r->log, &v->reader, &bytes)) == WEIR_SSE_LOG_EVENT)
        put(v, bytes);
    if (rv == WEIR_SSE_LOG_GAP || (rv == 0 && r->over))
        end_stream(v->c, &v->request);
}

/* May a token be made? */
static bool has_room(const answer *a)
{
    const visitor *v = a->visitors;
    uint64_t behind = 0;
    if (v == NULL || !conn_is_open(v->c) || conn_is_full(v->c))
        return false;
    weir_sse_log_behind(&a->record->log, &v->reader, &behind);
    return behind <= BEHIND_MAX;
}

/* ---- From where tokens are made to the record --------------------------------------------------- */

static void put_text(answer *a, const char *type, const char *text, size_t len, uint64_t now)
{
    char json[6 * PIECE_MAX + 2];
    size_t size = json_string(json, sizeof json, text, len);
    record_put(a->record, type, (weir_str){(const uint8_t *)json, size}, now);
}

static void put_last(answer *a, uint64_t now)
{
    if (a->fault != NULL)
        put_text(a, "error", (const char *)buffer_bytes(a->fault), buffer_size(a->fault), now);
    else
        record_put(a->record, NULL, weir_cstr("[DONE]"), now);
    a->record->over = true;
}

/* Those of the generator that are due. */
static void make_tokens(answer *a, uint64_t now)
{
    const char *token;
    size_t len;
    if (a->next_at + BURST * TOKEN_MS < now)
        a->next_at = now - BURST * TOKEN_MS;
    for (; a->next_at <= now && !a->record->over && has_room(a); a->next_at += TOKEN_MS) {
        if (demo_answer_token(&a->text, a->token++, &token, &len))
            put_text(a, NULL, token, len, now);
        else
            put_last(a, now);
    }
}

/* Where the piece at the front ends: between characters. */
static size_t piece_len(const char *text, size_t len)
{
    size_t n = len < PIECE_MAX ? len : PIECE_MAX;
    while (n < len && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return n;
}

/* What the upstream has sent; and its end, if there is nothing else. */
static void pass_on(answer *a, uint64_t now)
{
    while (a->rest != NULL && has_room(a)) {
        const char *text = (const char *)buffer_bytes(a->rest);
        size_t len = piece_len(text, buffer_size(a->rest));
        put_text(a, NULL, text, len, now);
        buffer_take(&a->rest, len);
    }
    if (a->rest == NULL && a->upstream == NULL && !a->record->over)
        put_last(a, now);
}

/* Takes an answer as far as it goes now, and says when to go on. */
static void go_on(answer *a, loop *l)
{
    uint64_t now = loop_now(l);
    do {
        if (a->remote)
            pass_on(a, now);
        else
            make_tokens(a, now);
        for (visitor *v = a->visitors; v != NULL; v = v->next)
            feed(v);
    } while (a->rest != NULL && has_room(a));
    bool room = has_room(a);
    if (a->upstream != NULL)
        upstream_pause(a->upstream, a->rest != NULL || !room);
    for (visitor *v = a->visitors; v != NULL; v = v->next) {
        uint64_t next = weir_pulse_deadline(&v->pulse);
        bool makes = v == a->visitors && room && !a->remote && !a->record->over;
        conn_deadline(v->c, makes && a->next_at < next ? a->next_at : next);
    }
}

/* There is a visitor while there is an upstream: else it would have been left. */
static void upstream_token(void *user, const char *text, size_t len)
{
    answer *a = user;
    if (!buffer_put(&a->rest, text, len))
        conn_abort(a->visitors->c);
    go_on(a, a->visitors->c->loop);
}

static void upstream_over(void *user, const char *fault)
{
    answer *a = user;
    a->upstream = NULL;
    if (fault != NULL)
        buffer_put(&a->fault, fault, strlen(fault));
    go_on(a, a->visitors->c->loop);
}

/* ---- Answers ------------------------------------------------------------------------------------ */

static void answer_gone(record *r)
{
    answer *a = r->user;
    if (a->upstream != NULL)
        upstream_leave(a->upstream);
    buffer_free(&a->rest);
    buffer_free(&a->fault);
    free(a);
}

static answer *answer_new(loop *l, const chat_ask *ask, const char *prompt, size_t len)
{
    static const upstream_handler passing = {.token = upstream_token, .over = upstream_over};
    answer *a = calloc(1, sizeof *a);
    if (a == NULL || (a->record = record_new()) == NULL) {
        free(a);
        return NULL;
    }
    a->record->user = a;
    a->record->gone = answer_gone;
    a->remote = api != NULL;
    if (a->remote) {
        a->upstream = upstream_ask(l, api, prompt, len, &passing, a);
    } else {
        demo_answer_init(&a->text, prompt, len, ask->language[0] != '\0' ? ask->language : NULL);
        a->next_at = loop_now(l) + TOKEN_MS;
    }
    if (a->remote && a->upstream == NULL) {
        record_free(a->record);
        return NULL;
    }
    return a;
}

/* Keeps an answer that nobody reads, or does not. */
static void let_go(answer *a, loop *l)
{
    if (a->visitors != NULL)
        return;
    if (a->upstream != NULL || a->rest != NULL)
        record_free(a->record);
    else
        record_keep(a->record, l);
}

/* ---- Visitors ----------------------------------------------------------------------------------- */

static void due(conn *c)
{
    visitor *v = c->user;
    switch (weir_pulse_poll(&v->pulse, loop_now(c->loop))) {
    case WEIR_PULSE_BEAT:
        if (conn_queued(c) == 0)
            put(v, weir_cstr(WEIR_SSE_HEARTBEAT));
        break;
    case WEIR_PULSE_NONE:
        break;
    case WEIR_PULSE_UNOPENED:
    case WEIR_PULSE_LOST:
    case WEIR_PULSE_UNCLOSED:
        conn_abort(c);
        return;
    }
    go_on(v->answer, c->loop);
}

static void progress(conn *c)
{
    visitor *v = c->user;
    weir_pulse_alive(&v->pulse, loop_now(c->loop));
    go_on(v->answer, c->loop);
}

static void drained(conn *c)
{
    visitor *v = c->user;
    go_on(v->answer, c->loop);
}

static void stopping(conn *c)
{
    visitor *v = c->user;
    end_stream(c, &v->request);
}

static void gone(conn *c)
{
    visitor *v = c->user;
    answer *a = v->answer;
    for (visitor **at = &a->visitors; *at != NULL; at = &(*at)->next) {
        if (*at == v) {
            *at = v->next;
            break;
        }
    }
    free(v);
    if (a->visitors != NULL)
        go_on(a, c->loop); /* at the pace of who is the newest now */
    else
        let_go(a, c->loop);
}

/* Without `readable`: whatever the reader says during the stream is dropped, its end is not. */
static const conn_handler streaming = {
    .high = QUEUE_MAX,
    .duplex = true,
    .ended = conn_abort,
    .progress = progress,
    .drained = drained,
    .due = due,
    .stopping = stopping,
    .gone = gone,
};

/* The connection is nobody's any more: it only ends. */
static const conn_handler ending = {0};

static void put_head(conn *c, const weir_sse_request *request)
{
    weir_out out = conn_room(c, WEIR_SSE_REPLY_MAX);
    weir_sse_reply_write(&out, request, NULL);
    conn_wrote(c, out);
}

/* All of it is with the reader, to the last event: 204 is how a server tells an EventSource to stop. */
static void answer_nothing(conn *c)
{
    weir_http_reply reply = {.status = 204, .flags = WEIR_HTTP_CLOSE};
    weir_out out = conn_room(c, weir_http_reply_size(&reply));
    weir_http_reply_write(&out, &reply);
    conn_wrote(c, out);
    conn_finish(c);
}

/* The answer that is asked for by an ID, with the place to go on; NULL if it is not there any more. */
static answer *find(const chat_ask *ask, weir_sse_reader *reader, loop *l)
{
    weir_str id = {(const uint8_t *)ask->last_id, ask->last_id_len};
    record *r = record_find(id);
    if (r == NULL)
        return NULL;
    answer *a = r->user;
    if (weir_sse_log_seek(&r->log, id, loop_now(l), reader) == 0)
        return a;
    let_go(a, l);
    return NULL;
}

/* The first bytes: with them a reader's stream is open, before there is any token. */
static void greet(visitor *v, bool gap)
{
    uint8_t bytes[128];
    weir_out out = {bytes, sizeof bytes};
    weir_sse_event retry = {.has_retry = true, .retry_ms = RETRY_MS};
    weir_sse_event told = {.type = weir_cstr("gap"), .data = weir_cstr("\"\"")};
    weir_sse_event_write(&out, &retry);
    if (gap)
        weir_sse_event_write(&out, &told);
    put(v, (weir_str){bytes, sizeof bytes - out.len});
}

void chat_answer(conn *c, const chat_ask *ask, const char *prompt, size_t len)
{
    static const weir_pulse_cfg cfg = {.beat_ms = HEARTBEAT_MS, .grace_ms = STUCK_MS};
    uint64_t now = loop_now(c->loop);
    weir_sse_reader reader = {0};
    c->on = &ending;
    if (ask->request.head_only) {
        put_head(c, &ask->request);
        conn_finish(c);
        return;
    }
    answer *a = ask->resumes ? find(ask, &reader, c->loop) : NULL;
    bool gap = ask->resumes && a == NULL;
    if (a != NULL && a->record->over && weir_sse_log_behind(&a->record->log, &reader, NULL) == 0) {
        let_go(a, c->loop);
        answer_nothing(c);
        return;
    }
    visitor *v = calloc(1, sizeof *v);
    if (a == NULL && (a = answer_new(c->loop, ask, prompt, len)) != NULL)
        weir_sse_log_begin(&a->record->log, &reader);
    if (v == NULL || a == NULL) {
        if (a != NULL)
            let_go(a, c->loop);
        free(v);
        conn_abort(c);
        return;
    }
    *v = (visitor){.request = ask->request, .reader = reader, .c = c, .answer = a, .next = a->visitors};
    a->visitors = v;
    c->on = &streaming;
    c->user = v;
    weir_pulse_init(&v->pulse, &cfg, now);
    weir_pulse_opened(&v->pulse, now);
    put_head(c, &v->request);
    greet(v, gap);
    go_on(a, c->loop);
}
