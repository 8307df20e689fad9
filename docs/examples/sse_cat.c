/* SPDX-License-Identifier: MIT */
/*
 * sse_cat.c - prints each event of an event stream as one line of JSON.
 *
 *     sse_cat 'http://127.0.0.1:8080/chat/stream?prompt=hello'
 *     some-program | sse_cat -
 *
 * The last line for stdin is {"end":true,"lastEventId":"...","retry":null}: what a client would come back
 * with, the wait in milliseconds if the stream set one.
 *
 * A reader of event streams in its two forms. `-` needs a parser and nothing else: bytes in, events out
 * (weir_sse_next). A URL needs a client, which connects, judges the response and comes back when the stream
 * has ended (weir_sse_source, on the loop by common/sse_client.c).
 *
 * A slow reader of stdout. While more than HIGH_WATER bytes wait for it, nothing is read, neither from stdin
 * nor from the server, and no connection is made.
 *
 * Memory. One event of at most EVENT_MAX bytes, of which the system only provides what is used, and the lines
 * that wait. An event over it ends the program with an error.
 */
#include "adapters/poll.h"
#include "common/options.h"
#include "common/sse_client.h"
#include "demo/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVENT_MAX = 64 * 1024 * 1024,
    NAME_MAX_LEN = 64 * 1024, /* of an event's ID and of its type */
    HIGH_WATER = 64 * 1024,
    FIELDS_MAX = 32,
    BODY_MAX = 300 /* bytes of a refusal's body that are shown */
};

static struct {
    const char *url;
    const char *last_id;
    const char *headers[FIELDS_MAX];
    uint64_t header_count;
    const char *body;
    uint64_t chunk;
    uint64_t once;
} settings = {.chunk = 65536};

typedef struct cat {
    conn *out; /* stdout */
    bool over;
    int status;
    conn *in; /* stdin, if it is read; with three more for it */
    weir_sse_parser parser;
    void *storage;
    char retry[24];    /* in milliseconds, or "null" */
    sse_client client; /* else; and what it needs */
    weir_http_field fields[FIELDS_MAX];
    size_t field_count;
    uint8_t refusal[BODY_MAX]; /* the body of a refused response */
    size_t refusal_len;
} cat;

/* ---- The ends ----------------------------------------------------------------------------------- */

static void say(const char *format, ...)
{
    va_list args;
    fputs("sse_cat: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* What was printed still goes out, for as long as its reader takes. */
static void end(cat *k, int status)
{
    if (k->over)
        return;
    k->over = true;
    k->status = status;
    sse_client_stop(&k->client);
    if (k->in != NULL)
        conn_abort(k->in);
    conn_finish(k->out);
}

/* Whoever read our output has left, as `head` does; or it could not be written. */
static void out_gone(conn *c)
{
    cat *k = c->user;
    end(k, 0);
    if (conn_error(c) == 0 || conn_error(c) == EPIPE)
        return;
    say("cannot write: %s", conn_fault(c));
    k->status = 1;
}

/* ---- Events ------------------------------------------------------------------------------------- */

static void put_json(weir_out *out, weir_str text)
{
    size_t size = json_string((char *)out->ptr, out->len, (const char *)text.ptr, text.len);
    if (size <= out->len) {
        out->ptr += size;
        out->len -= size;
    }
}

static void print_event(cat *k, const weir_sse_item *item)
{
    const struct {
        const char *before;
        weir_str text;
    } parts[] = {
        {"{\"type\":", item->type},
        {",\"data\":", item->data},
        {",\"lastEventId\":", item->id},
    };
    size_t size = 2;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        size += strlen(parts[i].before) +
                json_string(NULL, 0, (const char *)parts[i].text.ptr, parts[i].text.len);
    weir_out out = conn_room(k->out, size);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        weir_out_put(&out, weir_cstr(parts[i].before));
        put_json(&out, parts[i].text);
    }
    weir_out_put(&out, weir_cstr("}\n"));
    conn_wrote(k->out, out);
}

/* ---- stdin -------------------------------------------------------------------------------------- */

static void stdin_item(cat *k, const weir_sse_item *item)
{
    if (item->kind == WEIR_SSE_EVENT)
        print_event(k, item);
    else if (item->kind == WEIR_SSE_RETRY)
        snprintf(k->retry, sizeof k->retry, "%" PRIu64, item->retry_ms);
}

/* Parses `in`, at most --chunk bytes at a time. What stdout has no room for comes again, later. */
static void stdin_readable(conn *c, weir_in *in)
{
    cat *k = c->user;
    weir_sse_item item;
    int rv = 0;
    do {
        size_t len = in->len < settings.chunk ? in->len : (size_t)settings.chunk;
        weir_in piece = {in->ptr, len};
        while (!conn_is_full(k->out) && (rv = weir_sse_next(&k->parser, &piece, &item)) > 0)
            stdin_item(k, &item);
        in->ptr += len - piece.len;
        in->len -= len - piece.len;
    } while (!conn_is_full(k->out) && rv == 0 && in->len > 0);
    if (rv < 0) {
        say("%s", weir_strerror(rv));
        end(k, 1);
    } else if (conn_is_full(k->out)) {
        conn_pause(c, true);
        conn_later(c);
    }
}

static void stdin_ended(conn *c)
{
    cat *k = c->user;
    weir_sse_item item;
    while (weir_sse_eof(&k->parser, &item) > 0)
        stdin_item(k, &item);
    weir_str id = weir_sse_last_id(&k->parser);
    weir_out out = conn_room(k->out, 6 * id.len + 80);
    weir_out_put(&out, weir_cstr("{\"end\":true,\"lastEventId\":"));
    put_json(&out, id);
    weir_out_put(&out, weir_cstr(",\"retry\":"));
    weir_out_put(&out, weir_cstr(k->retry));
    weir_out_put(&out, weir_cstr("}\n"));
    conn_wrote(k->out, out);
    end(k, 0);
}

static void stdin_gone(conn *c)
{
    cat *k = c->user;
    k->in = NULL;
    if (conn_fault(c) != NULL && !k->over) {
        say("cannot read: %s", conn_fault(c));
        end(k, 1);
    }
}

static const conn_handler stdin_handler = {
    .readable = stdin_readable,
    .ended = stdin_ended,
    .stopping = conn_abort,
    .gone = stdin_gone,
};

/* ---- A server ----------------------------------------------------------------------------------- */

static void client_item(sse_client *s, const weir_sse_item *item)
{
    cat *k = s->user;
    bool why = item->kind == WEIR_SSE_BODY && weir_sse_source_error(&s->source) == WEIR_ERR_SSE_STATUS;
    if (item->kind == WEIR_SSE_EVENT)
        print_event(k, item);
    for (size_t i = 0; why && i < item->data.len && k->refusal_len < BODY_MAX; i++)
        k->refusal[k->refusal_len++] = item->data.ptr[i];
    if (conn_is_full(k->out))
        sse_client_pause(s, true);
}

/* That a stream ends and goes on is how event streams are; that there is none is worth a line. */
static void client_waiting(sse_client *s, uint64_t ms)
{
    if (!s->opened)
        say("%s; trying again in %.1f s", s->fault, (double)ms / 1000);
}

static void client_over(sse_client *s)
{
    cat *k = s->user;
    char text[6 * BODY_MAX + 2];
    size_t size = json_string(text, sizeof text, (const char *)k->refusal, k->refusal_len);
    if (s->fault[0] != '\0' && k->refusal_len > 0)
        say("%s: %.*s", s->fault, (int)size, text);
    else if (s->fault[0] != '\0')
        say("%s", s->fault);
    end(k, s->fault[0] != '\0');
}

static const sse_client_handler client_handler = {
    .item = client_item,
    .waiting = client_waiting,
    .over = client_over,
};

/* ---- Set-up ------------------------------------------------------------------------------------- */

/* stdout has taken most of what waited. */
static void drained(conn *c)
{
    cat *k = c->user;
    if (k->in != NULL)
        conn_pause(k->in, false);
    sse_client_pause(&k->client, false);
}

static const conn_handler out_handler = {.high = HIGH_WATER, .drained = drained, .gone = out_gone};

static const char bad_id[] = "--last-event-id is longer than 65536 bytes, or has a line end";

/* Makes a field of 'Name: value'; false if there is no name, or one that the request is built with. */
static bool read_header(cat *k, const char *header)
{
    static const char *const own[] = {"host", "content-length", "transfer-encoding", "connection",
                                      "last-event-id"};
    size_t len = strcspn(header, ":");
    weir_str name = {(const uint8_t *)header, len};
    const char *value = header + len + (header[len] == ':');
    value += strspn(value, " \t");
    weir_str text = weir_cstr(value);
    while (text.len > 0 && (value[text.len - 1] == ' ' || value[text.len - 1] == '\t'))
        text.len--;
    if (header[len] != ':' || len == 0)
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (weir_str_is_nocase(name, own[i]))
            return false;
    k->fields[k->field_count++] = (weir_http_field){name, text};
    return true;
}

/* Both return the exit status, 0 to go on. */
static int start_client(cat *k, loop *l, const weir_sse_parser_cfg *parser)
{
    weir_sse_source_cfg cfg;
    weir_http_uri uri;
    weir_sse_source_cfg_init(&cfg);
    for (uint64_t i = 0; i < settings.header_count; i++) {
        if (!read_header(k, settings.headers[i])) {
            say("--header takes 'Name: value', and no name that sse_cat sends itself: '%s'",
                settings.headers[i]);
            return 2;
        }
    }
    cfg.flags = WEIR_SSE_REFUSAL_BODY | (settings.once != 0 ? WEIR_SSE_ONCE : 0);
    cfg.url = weir_cstr(settings.url);
    cfg.fields = k->fields;
    cfg.field_count = k->field_count;
    cfg.body = weir_cstr(settings.body);
    cfg.parser = *parser;
    if (weir_http_uri_parse(cfg.url, &uri) == 0 && uri.userinfo.ptr != NULL) {
        say("the user in a URL is not sent; give --header 'Authorization: ...'");
        return 2;
    }
    k->client = (sse_client){.on = &client_handler, .user = k, .chunk = (size_t)settings.chunk};
    int rv = sse_client_start(&k->client, l, &cfg, EVENT_MAX);
    if (rv == WEIR_ERR_URI)
        say("%s: '%s'", weir_strerror(rv), settings.url);
    else if (rv != 0)
        say("%s", rv == WEIR_ERR_ARG ? bad_id : rv == WEIR_ERR_SPACE ? "out of memory" : weir_strerror(rv));
    return rv == 0 ? 0 : rv == WEIR_ERR_SPACE ? 1 : 2;
}

static int start_stdin(cat *k, loop *l, const weir_sse_parser_cfg *parser)
{
    const size_t size = EVENT_MAX + 4 * (size_t)NAME_MAX_LEN;
    k->storage = malloc(size);
    int rv = k->storage != NULL ? weir_sse_parser_init(&k->parser, k->storage, size, parser) : WEIR_ERR_SPACE;
    if (rv == 0 && (k->in = loop_source(l, 0, &stdin_handler, k)) == NULL)
        rv = WEIR_ERR_SPACE;
    if (rv != 0)
        say("%s", rv == WEIR_ERR_ARG ? bad_id : "out of memory");
    return rv == 0 ? 0 : rv == WEIR_ERR_ARG ? 2 : 1;
}

static const option options[] = {
    {"--chunk", "N", "hand over N bytes at a time", OPTION_NUMBER, NULL, &settings.chunk, 1, 1 << 30},
    {"--last-event-id", "ID", "go on behind this event", OPTION_TEXT, &settings.last_id, NULL, 0, 0},
    {"--no-reconnect", NULL, "end where the stream ends", OPTION_FLAG, NULL, &settings.once, 0, 0},
    {"--header", "'N: V'", "send this field; may be repeated", OPTION_MANY, settings.headers,
     &settings.header_count, 0, FIELDS_MAX},
    {"--data", "BODY", "POST this, at each connection", OPTION_TEXT, &settings.body, NULL, 0, 0},
    {NULL, "URL|-", "an http URL, or - for stdin; {\"end\":true,...} is then the last line", OPTION_TEXT,
     &settings.url, NULL, 0, 0},
};

int main(int argc, char **argv)
{
    static cat k = {.retry = "null"};
    options_read("sse_cat", "Prints each event of an event stream as one line of JSON.", options,
                 sizeof options / sizeof *options, argc, argv);
    const weir_sse_parser_cfg cfg = {
        .flags = WEIR_SSE_REPAIR,
        .max_id = NAME_MAX_LEN,
        .max_type = NAME_MAX_LEN,
        .max_event = EVENT_MAX,
        .last_event_id = weir_cstr(settings.last_id),
    };
    loop *l = loop_new();
    k.out = l != NULL ? loop_sink(l, 1, &out_handler, &k) : NULL;
    if (k.out == NULL) {
        say("out of memory");
        loop_free(l);
        return 1;
    }
    bool piped = weir_str_is(weir_cstr(settings.url), "-");
    int status = piped ? start_stdin(&k, l, &cfg) : start_client(&k, l, &cfg);
    if (status == 0 && loop_run(l) != 0) {
        perror("sse_cat: waiting");
        status = 1;
    }
    k.over = true; /* what is left goes without a word */
    loop_free(l);
    free(k.storage);
    return status != 0 ? status : k.status;
}
