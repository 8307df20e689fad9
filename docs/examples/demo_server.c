/* SPDX-License-Identifier: MIT */
/*
 * demo_server.c - a page, a chat and a live room on one port.
 *
 *     /             the page
 *     /chat/stream  an answer as an event stream: GET ?prompt=..., or POST {"prompt":"..."} (demo/chat.c);
 *                   with --upstream from a language model (demo/upstream.c), else from a generator. The key
 *                   for the model's API is UPSTREAM_API_KEY in the environment
 *     /room         a live room over WebSocket (demo/room.c)
 *
 * A connection speaks HTTP first, and this file is its HTTP server: requests one after another on a
 * connection, with pipelining as long as not too many replies wait, bodies of a known size and chunked
 * ones, and an answer for whatever is wrong. When a request asks for the chat or the room, the connection
 * changes hands: another conn_handler takes over, and what was needed for HTTP is freed.
 *
 * Slices of a request's head are read while the head is there, which is until this function returns or
 * the parser is called again; what is needed later is copied (chat_ask).
 */
#include "adapters/poll.h"
#include "common/buffer.h"
#include "common/options.h"
#include "demo/chat.h"
#include "demo/json.h"
#include "demo/page.h"
#include "demo/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_ROOM = 16 * 1024,
    BODY_MAX = CHAT_PROMPT_MAX,
    QUERY_PROMPT_MAX = 4096,
    PIPELINE_MAX = 1024 * 1024, /* with more than this unread, the reply is the connection's last */
    FIRST_MS = 10000,           /* for the first request, from its connection to its last byte */
    NEXT_MS = 30000             /* for each later one, the wait before it included */
};

static const char *host = "127.0.0.1";
static uint64_t port = 8080;
static const char *upstream_url;
static upstream_api api = {.model = "default", .timeout_ms = 60000};

typedef struct visitor {
    weir_pulse pulse;
    weir_http http;
    weir_http_body body;
    bool in_body; /* of a POST to the chat */
    chat_ask ask;
    buffer *text; /* the body so far */
    uint8_t storage[HEAD_ROOM];
} visitor;

static const conn_handler http_handler;

/* ---- Replies ------------------------------------------------------------------------------------ */

static void put_reply(conn *c, const weir_http_reply *reply)
{
    weir_out out = conn_room(c, weir_http_reply_size(reply));
    weir_http_reply_write(&out, reply);
    conn_wrote(c, out);
    if ((reply->flags & WEIR_HTTP_CLOSE) != 0)
        conn_finish(c);
}

/* A line of text, and the end: what else the client may be sending is not looked at. */
static void refuse(conn *c, uint32_t flags, unsigned status, const char *text)
{
    const weir_http_field fields[] = {
        {weir_cstr("Content-Type"), weir_cstr("text/plain; charset=utf-8")},
    };
    weir_http_reply reply = {status, flags | WEIR_HTTP_CLOSE, fields, 1, weir_cstr(text)};
    put_reply(c, &reply);
}

/* What weir found wrong, with the methods that would be right. */
static void refuse_error(conn *c, uint32_t flags, int err, const char *allow)
{
    const weir_http_field fields[] = {{weir_cstr("Allow"), weir_cstr(allow)}};
    weir_http_reply more = {0, flags, fields, weir_err_lookup(err)->status == 405 ? 1 : 0, {NULL, 0}};
    weir_out out = conn_room(c, WEIR_HTTP_ERROR_REPLY_MAX + 64);
    weir_http_error_reply(&out, err, &more);
    conn_wrote(c, out);
    conn_finish(c);
}

/* ---- The page ----------------------------------------------------------------------------------- */

static void get_page(conn *c, visitor *v, const weir_http_head *head, uint32_t flags)
{
    const weir_http_field fields[] = {
        {weir_cstr("Content-Type"), weir_cstr("text/html; charset=utf-8")},
        {weir_cstr("Cache-Control"), weir_cstr("no-cache")},
        {weir_cstr("X-Content-Type-Options"), weir_cstr("nosniff")},
    };
    if (flags == 0 && !weir_str_is(head->method, "GET")) {
        refuse_error(c, flags, WEIR_ERR_SSE_METHOD, "GET, HEAD");
        return;
    }
    bool last = !head->keep_alive || head->minor == 0 || head->framing != WEIR_HTTP_NO_BODY ||
                conn_queued(c) > PIPELINE_MAX;
    weir_http_reply reply = {200, flags, fields, 3, {demo_page, demo_page_len}};
    reply.flags |= last ? WEIR_HTTP_CLOSE : 0;
    put_reply(c, &reply);
    weir_pulse_cfg cfg = {.open_ms = NEXT_MS};
    weir_pulse_init(&v->pulse, &cfg, loop_now(c->loop));
    conn_deadline(c, weir_pulse_deadline(&v->pulse));
}

/* ---- The room ----------------------------------------------------------------------------------- */

/* Browsers let any page open a WebSocket to here, and send our cookies along if there were any. Only
 * our own page may: its origin is this host, as http or, behind a proxy with TLS, as https. Programs
 * that are no browsers send no origin, and could send any. */
static bool origin_is_ours(const weir_http_head *head)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t expected[300];
        weir_out out = {expected, sizeof expected};
        if (weir_out_put(&out, weir_cstr(schemes[i])) != 0 || weir_out_put(&out, head->host) != 0)
            return false;
        weir_str origin = {expected, sizeof expected - out.len};
        weir_http_origin verdict = weir_http_origin_check(head->fields, origin);
        if (verdict == WEIR_HTTP_ORIGIN_SAME || verdict == WEIR_HTTP_ORIGIN_ABSENT)
            return true;
    }
    return false;
}

static void get_room(conn *c, const weir_http_head *head, uint32_t flags)
{
    weir_ws_request request;
    int rv = weir_ws_request_read(head, &request);
    if (rv == 0 && !origin_is_ours(head))
        rv = WEIR_ERR_WS_ORIGIN;
    if (rv == 0)
        rv = room_enter(c, &request);
    if (rv < 0)
        refuse_error(c, flags, rv, "GET");
}

/* ---- The chat ----------------------------------------------------------------------------------- */

static int hex(uint8_t digit)
{
    const char *digits = "0123456789abcdef";
    const char *at = memchr(digits, digit >= 'A' && digit <= 'F' ? digit + 32 : digit, 16);
    return at != NULL ? (int)(at - digits) : -1;
}

/* Undoes the encoding of a form: %XX and + for a space. False if malformed or longer than cap. */
static bool form_decode(weir_str from, char *to, size_t cap, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < from.len; i++) {
        int byte = from.ptr[i] == '+' ? ' ' : from.ptr[i];
        if (byte == '%') {
            if (from.len - i < 3 || hex(from.ptr[i + 1]) < 0 || hex(from.ptr[i + 2]) < 0)
                return false;
            byte = hex(from.ptr[i + 1]) * 16 + hex(from.ptr[i + 2]);
            i += 2;
        }
        if (*len == cap)
            return false;
        to[(*len)++] = (char)(unsigned char)byte;
    }
    return true;
}

/* The value of `prompt` in a query, still encoded; empty if it is not there. */
static weir_str query_prompt(weir_str query)
{
    while (query.len > 0) {
        const uint8_t *end = memchr(query.ptr, '&', query.len);
        size_t len = end != NULL ? (size_t)(end - query.ptr) : query.len;
        if (len >= 7 && memcmp(query.ptr, "prompt=", 7) == 0)
            return (weir_str){query.ptr + 7, len - 7};
        query.ptr += len;
        query.len -= len;
        if (query.len > 0) {
            query.ptr++;
            query.len--;
        }
    }
    return (weir_str){NULL, 0};
}

static void answer(conn *c, const chat_ask *ask, const char *prompt, size_t len)
{
    uint32_t flags = ask->request.head_only ? WEIR_HTTP_HEAD_ONLY : 0;
    if (!weir_utf8_valid((weir_str){(const uint8_t *)prompt, len}))
        refuse(c, flags, 400, "The prompt is not UTF-8.\n");
    else
        chat_answer(c, ask, prompt, len);
}

static void read_body(conn *c, visitor *v, weir_in *in)
{
    weir_str piece;
    int rv;
    while ((rv = weir_http_body_next(&v->body, in, &piece)) == WEIR_HTTP_BODY_DATA) {
        if (piece.len > BODY_MAX - buffer_size(v->text)) {
            refuse(c, 0, 413, "The body is longer than 65536 bytes.\n");
            return;
        }
        if (!buffer_put(&v->text, piece.ptr, piece.len)) {
            conn_abort(c);
            return;
        }
    }
    if (rv < 0)
        refuse_error(c, 0, rv, "");
    if (rv != WEIR_HTTP_BODY_END)
        return;
    size_t size = buffer_size(v->text);
    size_t len;
    char *prompt = malloc(size + 1);
    if (prompt == NULL)
        conn_abort(c);
    else if (!json_member((const char *)buffer_bytes(v->text), size, "prompt", prompt, size + 1, &len) ||
             len == 0)
        refuse(c, 0, 400, "Expected a JSON object with a string under \"prompt\".\n");
    else
        answer(c, &v->ask, prompt, len);
    free(prompt);
}

static void post_chat(conn *c, visitor *v, const weir_http_head *head, weir_in *in)
{
    if (head->framing == WEIR_HTTP_SIZED && head->body_len > BODY_MAX) {
        refuse(c, 0, 413, "The body is longer than 65536 bytes.\n");
        return;
    }
    /* A client of HTTP/1.0 knows no 100: its Expect is ignored (RFC 9110 10.1.1). */
    if (head->minor > 0 && weir_http_fields_has(head->fields, "expect", "100-continue")) {
        weir_http_reply go_on = {.status = 100};
        put_reply(c, &go_on);
    }
    weir_http_body_init(&v->body, head->framing, head->body_len);
    v->in_body = true;
    read_body(c, v, in);
}

static void chat(conn *c, visitor *v, const weir_http_head *head, weir_str query, uint32_t flags, weir_in *in)
{
    char prompt[QUERY_PROMPT_MAX];
    size_t len;
    int rv = chat_ask_read(&v->ask, head);
    if (rv < 0) {
        refuse_error(c, flags, rv, "GET, HEAD, POST");
        return;
    }
    if (weir_str_is(head->method, "POST")) {
        post_chat(c, v, head, in);
        return;
    }
    weir_str encoded = query_prompt(query);
    if (encoded.len == 0)
        refuse(c, flags, 400, "Ask something: /chat/stream?prompt=hello\n");
    else if (!form_decode(encoded, prompt, sizeof prompt, &len))
        refuse(c, flags, 400, "The prompt is not percent-encoded, or longer than 4096 bytes.\n");
    else
        answer(c, &v->ask, prompt, len);
}

/* ---- HTTP --------------------------------------------------------------------------------------- */

static void route(conn *c, visitor *v, const weir_http_head *head, weir_in *in)
{
    uint32_t flags = weir_str_is(head->method, "HEAD") ? WEIR_HTTP_HEAD_ONLY : 0;
    weir_str path, query;
    int rv = weir_http_target_split(head->target, &path, &query);
    if (rv < 0)
        refuse_error(c, flags, rv, "");
    else if (weir_str_is(path, "/"))
        get_page(c, v, head, flags);
    else if (weir_str_is(path, "/room"))
        get_room(c, head, flags);
    else if (weir_str_is(path, "/chat/stream"))
        chat(c, v, head, query, flags, in);
    else
        refuse(c, flags, 404, "There are /, /room and /chat/stream.\n");
}

static void visitor_free(visitor *v)
{
    if (v != NULL)
        buffer_free(&v->text);
    free(v);
}

static void readable(conn *c, weir_in *in)
{
    visitor *v = c->user;
    weir_http_head head;
    while (in->len > 0 && c->on == &http_handler && conn_is_open(c)) {
        if (v->in_body) {
            read_body(c, v, in);
            continue;
        }
        int rv = weir_http_next(&v->http, in, &head);
        if (rv > 0)
            route(c, v, &head, in);
        else if (rv < 0)
            refuse_error(c, 0, rv, "");
    }
    if (c->on == &http_handler)
        return;
    visitor_free(v);
    if (in->len > 0 && conn_is_open(c) && c->on->readable != NULL)
        c->on->readable(c, in);
}

static void opened(conn *c)
{
    visitor *v = c->user = calloc(1, sizeof *v);
    if (v == NULL || weir_http_init(&v->http, WEIR_HTTP_REQUEST, v->storage, sizeof v->storage, NULL) != 0) {
        conn_abort(c);
        return;
    }
    weir_pulse_cfg cfg = {.open_ms = FIRST_MS};
    weir_pulse_init(&v->pulse, &cfg, loop_now(c->loop));
    conn_deadline(c, weir_pulse_deadline(&v->pulse));
}

static void due(conn *c)
{
    visitor *v = c->user;
    if (weir_pulse_poll(&v->pulse, loop_now(c->loop)) != WEIR_PULSE_NONE)
        conn_finish(c);
    conn_deadline(c, weir_pulse_deadline(&v->pulse));
}

static void gone(conn *c)
{
    visitor_free(c->user);
}

static const conn_handler http_handler = {
    .high = PIPELINE_MAX,
    .opened = opened,
    .readable = readable,
    .ended = conn_finish,
    .due = due,
    .stopping = conn_finish,
    .gone = gone,
};

static const option options[] = {
    {"--host", "H", "address or name to listen on", OPTION_TEXT, &host, NULL, 0, 0},
    {"--port", "P", "port, 0 picks a free one", OPTION_NUMBER, NULL, &port, 0, 65535},
    {"--upstream", "URL", "answers from this API, as http://host/v1", OPTION_TEXT, &upstream_url, NULL, 0, 0},
    {"--model", "NAME", "the model to ask there for", OPTION_TEXT, &api.model, NULL, 0, 0},
    {"--upstream-timeout", "MS", "longest silence of it", OPTION_NUMBER, NULL, &api.timeout_ms, 100, 3600000},
};

int main(int argc, char **argv)
{
    char where[300];
    options_read("demo_server", "A page with a chat over Server-Sent Events and a live room over WebSocket.",
                 options, sizeof options / sizeof *options, argc, argv);
    buffer_return_large();
    const char *fault =
        upstream_url != NULL ? upstream_api_init(&api, upstream_url, getenv("UPSTREAM_API_KEY")) : NULL;
    if (fault != NULL) {
        fprintf(stderr, "demo_server: --upstream %s: %s\n", upstream_url, fault);
        return 2;
    }
    chat_upstream(upstream_url != NULL ? &api : NULL);
    loop *l = loop_new();
    if (l == NULL) {
        fputs("demo_server: out of memory\n", stderr);
        return 1;
    }
    fault = loop_listen(l, host, (unsigned)port, &http_handler, where, sizeof where);
    if (fault != NULL) {
        fprintf(stderr, "demo_server: cannot listen on %s: %s\n", where, fault);
        loop_free(l);
        return 1;
    }
    printf("listening on %s\nopen http://%s/\n", where, where);
    fflush(stdout);
    int rv = loop_run(l);
    if (rv != 0)
        perror("demo_server: waiting");
    loop_free(l);
    return rv == 0 ? 0 : 1;
}
