/* SPDX-License-Identifier: MIT */
/*
 * instructions.c - small tasks of weir, each a fixed number of times, for valgrind to count instructions.
 *
 * Counted is what runs between count_begin and count_end. Prints `avx2 TAB 0 or 1` (what valgrind's processor
 * has), and for each task `name TAB times`. instructions.sh runs it and knows what to expect.
 */
#include "handshake.h"
#include "streams.h"
#include "websocket.h"

#include "weir/sse.h"

#include <stdio.h>
#include <stdlib.h>

/* For valgrind, by name. */
void count_begin(void);
void count_end(void);

__attribute__((noinline)) void count_begin(void)
{
    __asm__ volatile("");
}

__attribute__((noinline)) void count_end(void)
{
    __asm__ volatile("");
}

/* Runs a task, so that all it needs is there, and once more, counted. */
static void count(const char *name, const char *what, void (*task)(void *user), void *user, size_t times)
{
    task(user);
    count_begin();
    task(user);
    count_end();
    printf("%s %s\t%zu\n", name, what, times);
    fflush(stdout);
}

/* ---- Frames -------------------------------------------------------------------------------------- */

enum { WIRE = 64 << 10, TIMES = 256 };

typedef struct decoding {
    void *connection;
    wire w;
    size_t most;
} decoding;

static void decode_task(void *user)
{
    decoding *d = user;
    bench_sink sink = {0};
    bench_source source = {d->w.bytes, d->w.bytes + d->w.len, d->most};
    weir_codec.decode(d->connection, &source, &sink);
}

/* most 0: a frame a read. */
static void decode(bool client, const char *name, size_t most, const char *cut)
{
    char what[64];
    decoding d = {weir_codec.open(client), wire_new(sample_named(name), !client, WIRE), most};
    d.most = most != 0 ? most : d.w.frame;
    snprintf(what, sizeof what, "%s%s", name, cut);
    count(client ? "decode-client" : "decode-server", what, decode_task, &d, d.w.messages);
    weir_codec.close(d.connection);
    free(d.w.bytes);
}

typedef struct encoding {
    void *connection;
    const sample *m;
    uint8_t *payload, *output;
} encoding;

static void encode_task(void *user)
{
    encoding *e = user;
    for (size_t i = 0; i < TIMES; i++)
        weir_codec.encode(e->connection, e->output, e->m->len + 32, e->m->kind != BINARY,
                          (weir_str){e->payload, e->m->len});
}

static void encode(bool client, const char *name)
{
    encoding e = {weir_codec.open(client), sample_named(name), NULL, NULL};
    e.payload = bench_alloc(e.m->len);
    e.output = bench_alloc(e.m->len + 32);
    sample_fill(e.m, e.payload);
    count(client ? "encode-client" : "encode-server", name, encode_task, &e, TIMES);
    weir_codec.close(e.connection);
    free(e.payload);
    free(e.output);
}

/* ---- Handshakes ---------------------------------------------------------------------------------- */

enum { SHAKES = 16 };

static void accept_task(void *user)
{
    char accept[HANDSHAKE_ACCEPT];
    (void)user;
    for (size_t i = 0; i < SHAKES; i++)
        weir_handshaker.accept_key(browser_key, accept);
}

static void parse_task(void *user)
{
    char key[HANDSHAKE_KEY];
    for (size_t i = 0; i < SHAKES; i++)
        if (!weir_handshaker.parse(user, strlen(browser_request), key))
            bench_fail("parse");
}

static void whole_task(void *user)
{
    char answer[512];
    for (size_t i = 0; i < SHAKES; i++)
        if (weir_handshaker.whole(user, strlen(browser_request), answer, sizeof answer) == 0)
            bench_fail("whole");
}

/* ---- Event streams ------------------------------------------------------------------------------- */

typedef struct reading {
    stream s;
    weir_sse_parser parser;
    uint8_t storage[32768], buf[65536];
} reading;

static void read_task(void *user)
{
    reading *r = user;
    bench_source source = {r->s.bytes, r->s.bytes + r->s.len, r->s.most};
    weir_sse_item item;
    size_t n;
    while ((n = bench_receive(&source, r->buf, sizeof r->buf)) != 0) {
        weir_in in = {r->buf, n};
        while (weir_sse_next(&r->parser, &in, &item) > 0)
            bench_keep(item.data.ptr);
    }
}

static void read_events(content kind, size_t most, const char *what)
{
    reading *r = bench_alloc(sizeof *r);
    r->s = stream_new(kind, most, WIRE);
    if (weir_sse_parser_init(&r->parser, r->storage, sizeof r->storage, NULL) != 0)
        bench_fail("weir_sse_parser_init");
    count("read-event", what, read_task, r, r->s.events);
    free(r->s.bytes);
    free(r);
}

typedef struct writing {
    weir_sse_event event;
    uint8_t data[16384], output[32768];
} writing;

static void write_task(void *user)
{
    writing *w = user;
    for (size_t i = 0; i < TIMES; i++) {
        weir_out out = {w->output, sizeof w->output};
        if (weir_sse_event_write(&out, &w->event) != 0)
            bench_fail("weir_sse_event_write");
    }
}

static void write_events(content kind, const char *what)
{
    static writing w;
    w.event.data = (weir_str){w.data, data_put(kind, 1, w.data)};
    w.event.type = kind == NAMED ? weir_cstr("content_block_delta") : (weir_str){NULL, 0};
    w.event.id = kind == NAMED ? weir_cstr("12345") : (weir_str){NULL, 0};
    count("write-event", what, write_task, &w, TIMES);
}

static int has_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") != 0;
#else
    return 0;
#endif
}

int main(void)
{
    static char request[1024];
    static const char *const decoded[] = {"bin-16",   "bin-64",     "bin-125",      "bin-1000",  "bin-16K",
                                          "ascii-64", "ascii-1000", "chinese-1000", "emoji-1000"};
    printf("avx2\t%d\n", has_avx2());
    memcpy(request, browser_request, strlen(browser_request));
    for (size_t i = 0; i < sizeof decoded / sizeof *decoded; i++)
        decode(false, decoded[i], SIZE_MAX, "");
    decode(false, "bin-64", 1460, " @1460");
    decode(false, "bin-64", 0, " @one");
    decode(false, "bin-64", 1, " @1");
    decode(false, "ascii-1000", 1460, " @1460");
    decode(true, "bin-64", SIZE_MAX, "");
    decode(true, "ascii-1000", SIZE_MAX, "");
    encode(false, "bin-64");
    encode(false, "bin-1000");
    encode(true, "bin-64");
    encode(true, "bin-1000");
    count("handshake", "accept key", accept_task, request, SHAKES);
    count("handshake", "parse", parse_task, request, SHAKES);
    count("handshake", "whole", whole_task, request, SHAKES);
    read_events(DELTAS, SIZE_MAX, "openai");
    read_events(DELTAS, 1460, "openai @1460");
    read_events(DELTAS, 1, "openai @1");
    read_events(NAMED, SIZE_MAX, "openai with type and id");
    read_events(TINY, SIZE_MAX, "tiny");
    read_events(LARGE, SIZE_MAX, "4K");
    read_events(LINES, SIZE_MAX, "4K in 81 lines");
    write_events(DELTAS, "openai");
    write_events(NAMED, "openai with type and id");
    write_events(TINY, "tiny");
    write_events(LARGE, "4K");
    write_events(LINES, "4K in 81 lines");
    return 0;
}
