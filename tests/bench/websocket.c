/* SPDX-License-Identifier: MIT */
/*
 * websocket.c - benchmark: frames decoded and encoded, by servers and clients, beside memcpy, a limit, and
 * Debian's libraries.
 *
 * To decode is to receive a stream of messages, check what text is, and deliver each message. The floor is
 * the copy out of the kernel that everybody pays. To encode is to write header and payload into an output;
 * the floor is memcpy of the payload. `limit` does its duty and no more (limit_codec.c).
 */
#include "websocket.h"

#include <stdio.h>
#include <stdlib.h>

static const codec *const codecs[] = {
    &weir_codec,        &limit_codec,
#ifdef BENCH_WSLAY
    &wslay_codec,       &wslay_frame_codec,
#endif
#ifdef BENCH_BEAST
    &beast_codec,
#endif
#ifdef BENCH_WEBSOCKETPP
    &websocketpp_codec,
#endif
};

enum { CODECS = sizeof codecs / sizeof *codecs, RECEIVE_ROOM = 65536 };

static void names_set(bench_group *group, const char *floor)
{
    group->columns = 1 + CODECS;
    group->names[0] = floor;
    for (size_t i = 0; i < CODECS; i++)
        group->names[1 + i] = codecs[i]->name;
}

/* ---- Decoding ------------------------------------------------------------------------------------ */

/* How reads cut the stream: not at all, at most 1,460 bytes, one frame, one byte. */
typedef enum cut { CUT_NONE, CUT_1460, CUT_ONE, CUT_1 } cut;

static const char *const cut_names[] = {"", " @1460", " @one", " @1"};

typedef struct decoding {
    const codec *codec;
    void *connection;
    const wire *wire;
    size_t most;
    uint8_t *buf;
} decoding;

static bench_source source_of(const decoding *d)
{
    return (bench_source){d->wire->bytes, d->wire->bytes + d->wire->len, d->most};
}

static double run_copy(void *user, size_t times)
{
    const decoding *d = user;
    while (times-- > 0) {
        bench_source source = source_of(d);
        while (bench_receive(&source, d->buf, RECEIVE_ROOM) != 0)
            bench_keep(d->buf);
    }
    return 0;
}

static double run_decode(void *user, size_t times)
{
    const decoding *d = user;
    bench_sink sink = {0};
    while (times-- > 0) {
        bench_source source = source_of(d);
        d->codec->decode(d->connection, &source, &sink);
    }
    return 0;
}

/* Nobody is measured who delivers anything else than the messages. Twice: the first may spoil a state. */
static void rehearse(const decoding *d)
{
    for (int i = 0; i < 2; i++) {
        bench_source source = source_of(d);
        bench_sink sink = {.rehearsal = true};
        d->codec->decode(d->connection, &source, &sink);
        if (sink.whole != d->wire->messages || sink.bytes != d->wire->payload ||
            sink.digest != d->wire->digest)
            bench_fail(d->codec->name);
    }
}

static void decode_row(bench_group *group, bool client, const sample *m, cut how)
{
    char row[64];
    bench_case cases[1 + CODECS] = {{NULL, NULL, 0}};
    decoding runs[1 + CODECS];
    snprintf(row, sizeof row, "%s%s", m->name, cut_names[how]);
    if (!bench_wanted(group, row))
        return;
    wire w = wire_new(m, !client, how == CUT_1 ? WIRE_ROOM / 32 : WIRE_ROOM);
    const size_t most[] = {SIZE_MAX, 1460, w.frame, 1};
    runs[0] = (decoding){NULL, NULL, &w, most[how], bench_alloc(RECEIVE_ROOM)};
    cases[0] = (bench_case){run_copy, &runs[0], 0};
    for (size_t i = 0; i < CODECS; i++) {
        void *connection = codecs[i]->open(client);
        runs[1 + i] = (decoding){codecs[i], connection, &w, most[how], NULL};
        if (connection == NULL)
            continue; /* does not play this role */
        cases[1 + i] = (bench_case){run_decode, &runs[1 + i], 0};
        rehearse(&runs[1 + i]);
    }
    bench_row(group, row, cases, (double)w.messages, (double)w.payload);
    for (size_t i = 0; i < CODECS; i++)
        if (runs[1 + i].connection != NULL)
            codecs[i]->close(runs[1 + i].connection);
    free(runs[0].buf);
    free(w.bytes);
}

static void decode_all(bool client)
{
    bench_group group = {.title = client ? "decode as a client, ns a message (times the copy alone)"
                                         : "decode as a server, ns a message (times the copy alone)"};
    names_set(&group, "copy");
    for (size_t i = 0; i < sample_count; i++)
        decode_row(&group, client, &samples[i], CUT_NONE);
    for (cut how = CUT_1460; how <= CUT_1; how++)
        decode_row(&group, client, sample_named("bin-64"), how);
    decode_row(&group, client, sample_named("ascii-1000"), CUT_1460);
}

/* ---- Encoding ------------------------------------------------------------------------------------ */

enum { OUTPUT = 256 * 1024, ENCODINGS = 16 };

typedef struct encoding {
    const codec *codec;
    void *connection;
    uint8_t *payload;
    size_t len;
    bool text;
    uint8_t *output;
    size_t cap;
} encoding;

/* Frames follow each other through the output, as in a queue: none waits for the stores of the one before. */
static double run_encode(void *user, size_t times)
{
    const encoding *e = user;
    size_t at = 0;
    for (size_t i = 0; i < times * ENCODINGS; i++) {
        if (e->cap - at < e->len + 32)
            at = 0;
        at += e->codec->encode(e->connection, e->output + at, e->cap - at, e->text,
                               (weir_str){e->payload, e->len});
        bench_keep(e->output);
    }
    return 0;
}

static double run_memcpy(void *user, size_t times)
{
    const encoding *e = user;
    size_t at = 0;
    for (size_t i = 0; i < times * ENCODINGS; i++) {
        if (e->cap - at < e->len + 32)
            at = 0;
        memcpy(e->output + at, e->payload, e->len);
        at += e->len;
        bench_keep(e->output);
    }
    return 0;
}

static void rehearse_encode(const encoding *e, bool client)
{
    size_t header = (e->len < 126 ? 2u : e->len <= UINT16_MAX ? 4u : 10u) + (client ? 4u : 0u);
    size_t len = e->codec->encode(e->connection, e->output, e->cap, e->text, (weir_str){e->payload, e->len});
    if (e->codec == &weir_header_codec && len == header)
        return;
    bool good = len == header + e->len && e->output[0] == (e->text ? 0x81 : 0x82) &&
                (e->output[1] & 0x80) == (client ? 0x80 : 0);
    for (size_t i = 0; good && i < e->len; i++)
        good = e->payload[i] == (e->output[header + i] ^ (client ? e->output[header - 4 + i % 4] : 0));
    if (!good)
        bench_fail(e->codec->name);
}

static void encode_row(bench_group *group, bool client, const sample *m)
{
    bench_case cases[2 + CODECS] = {{NULL, NULL, 0}};
    encoding runs[2 + CODECS];
    if (!bench_wanted(group, m->name))
        return;
    size_t cap = m->len + 32 > OUTPUT ? m->len + 32 : OUTPUT;
    encoding base = {NULL, NULL, bench_alloc(m->len), m->len, m->kind != BINARY, bench_alloc(cap), cap};
    sample_fill(m, base.payload);
    runs[0] = base;
    cases[0] = (bench_case){run_memcpy, &runs[0], 0};
    for (size_t i = 1; i < group->columns; i++) {
        runs[i] = base;
        runs[i].codec = i <= CODECS ? codecs[i - 1] : &weir_header_codec;
        runs[i].connection = runs[i].codec->open(client);
        if (runs[i].connection == NULL)
            continue;
        cases[i] = (bench_case){run_encode, &runs[i], 0};
        rehearse_encode(&runs[i], client);
    }
    bench_row(group, m->name, cases, ENCODINGS, (double)(ENCODINGS * m->len));
    for (size_t i = 1; i < group->columns; i++)
        if (runs[i].connection != NULL)
            runs[i].codec->close(runs[i].connection);
    free(base.payload);
    free(base.output);
}

static void encode_all(bool client)
{
    static const char *const rows[] = {"bin-16",  "bin-64", "bin-125",   "bin-1000",
                                       "bin-16K", "bin-1M", "ascii-1000"};
    bench_group group = {.title = client ? "encode as a client (masked), ns a frame (times memcpy)"
                                         : "encode as a server, ns a frame (times memcpy)"};
    names_set(&group, "memcpy");
    if (!client)
        group.names[group.columns++] = weir_header_codec.name;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        encode_row(&group, client, sample_named(rows[i]));
}

int main(void)
{
    decode_all(false);
    decode_all(true);
    encode_all(false);
    encode_all(true);
    return 0;
}
