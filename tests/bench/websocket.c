/* SPDX-License-Identifier: MIT */
/*
 * websocket.c - benchmark: frames decoded and encoded, by servers and clients, beside memcpy and libwslay.
 *
 * To decode is to receive a stream of messages, check what text is, and deliver each message. The floor is
 * the copy out of the kernel that everybody pays. To encode is to write header and payload into an output;
 * the floor is memcpy of the payload.
 */
#include "websocket.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef BENCH_WSLAY
static const codec *const codecs[] = {&weir_codec, &wslay_codec, &wslay_frame_codec};
#else
static const codec *const codecs[] = {&weir_codec};
#endif

enum { CODECS = sizeof codecs / sizeof *codecs, STREAM = 512 * 1024, RECEIVE_ROOM = 65536 };

typedef enum content { TEXT, CHINESE, BINARY } content;

static const char *const content_names[] = {"text", "chinese", "binary"};

static const struct {
    const char *name;
    size_t len;
} sizes[] = {{"16", 16}, {"64", 64}, {"125", 125}, {"1000", 1000}, {"16Ki", 16 << 10}, {"1Mi", 1 << 20}};

enum { SIZES = sizeof sizes / sizeof *sizes };

static void content_fill(content kind, uint8_t *dst, size_t len)
{
    if (kind == TEXT)
        bench_text(dst, len);
    else if (kind == CHINESE)
        bench_chinese(dst, len);
    else
        bench_fill(dst, len);
}

/* ---- Decoding ------------------------------------------------------------------------------------ */

/* A stream of messages of one kind. */
typedef struct stream {
    uint8_t *bytes;
    size_t len;
    size_t messages;
    size_t payload;
    uint64_t digest;
} stream;

/* Written by hand, so that no contestant reads what it wrote itself. */
static size_t frame_put(uint8_t *dst, bool client, bool text, const uint8_t *payload, size_t len)
{
    size_t at = 0;
    uint8_t mask_bit = client ? 0x80 : 0;
    dst[at++] = text ? 0x81 : 0x82;
    if (len < 126) {
        dst[at++] = (uint8_t)(mask_bit | len);
    } else {
        size_t width = len <= UINT16_MAX ? 2 : 8;
        dst[at++] = (uint8_t)(mask_bit | (width == 2 ? 126 : 127));
        for (size_t i = width; i-- > 0;)
            dst[at++] = (uint8_t)((uint64_t)len >> (8 * i));
    }
    uint8_t key[4] = {0};
    if (client) {
        bench_fill(key, 4);
        memcpy(dst + at, key, 4);
        at += 4;
    }
    for (size_t i = 0; i < len; i++)
        dst[at++] = (uint8_t)(payload[i] ^ key[i % 4]);
    return at;
}

static stream stream_new(bool by_client, content kind, size_t len, bool short_one)
{
    stream s = {0};
    bench_sink sink = {.rehearsal = true};
    s.messages = (short_one ? STREAM / 32 : STREAM) / (len + 8);
    s.messages = s.messages == 0 ? 1 : s.messages > 8192 ? 8192 : s.messages;
    s.payload = s.messages * len;
    s.bytes = bench_alloc(s.messages * (len + 14));
    uint8_t *message = bench_alloc(len);
    for (size_t i = 0; i < s.messages; i++) {
        content_fill(kind, message, len);
        s.len += frame_put(s.bytes + s.len, by_client, kind != BINARY, message, len);
        bench_deliver(&sink, message, len);
        bench_deliver_end(&sink);
    }
    s.digest = sink.digest;
    free(message);
    return s;
}

typedef struct decoding {
    const codec *codec;
    void *connection;
    const stream *stream;
    size_t most;
    uint8_t *buf;
} decoding;

static double run_copy(void *user, size_t times)
{
    const decoding *d = user;
    while (times-- > 0) {
        bench_source source = {d->stream->bytes, d->stream->bytes + d->stream->len, d->most};
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
        bench_source source = {d->stream->bytes, d->stream->bytes + d->stream->len, d->most};
        d->codec->decode(d->connection, &source, &sink);
    }
    return 0;
}

/* Nobody is measured who delivers anything else than the messages. Twice: the first may spoil a state. */
static void rehearse(const decoding *d)
{
    for (int i = 0; i < 2; i++) {
        bench_source source = {d->stream->bytes, d->stream->bytes + d->stream->len, d->most};
        bench_sink sink = {.rehearsal = true};
        d->codec->decode(d->connection, &source, &sink);
        if (sink.whole != d->stream->messages || sink.bytes != d->stream->payload ||
            sink.digest != d->stream->digest)
            bench_fail(d->codec->name);
    }
}

static void decode_row(bench_group *group, bool client, content kind, size_t size, size_t most)
{
    static const char *const cuts[] = {"", " in 1460", " byte by byte"};
    char row[64];
    bench_case cases[1 + CODECS];
    decoding runs[1 + CODECS];
    snprintf(row, sizeof row, "%s %s%s", content_names[kind], sizes[size].name,
             cuts[most == 1 ? 2 : most != SIZE_MAX]);
    if (!bench_wanted(group, row))
        return;
    stream s = stream_new(!client, kind, sizes[size].len, most == 1);
    runs[0] = (decoding){NULL, NULL, &s, most, bench_alloc(RECEIVE_ROOM)};
    cases[0] = (bench_case){run_copy, &runs[0], 0};
    for (size_t i = 0; i < CODECS; i++) {
        runs[1 + i] = (decoding){codecs[i], codecs[i]->open(client), &s, most, NULL};
        cases[1 + i] = (bench_case){run_decode, &runs[1 + i], 0};
        rehearse(&runs[1 + i]);
    }
    bench_row(group, row, cases, (double)s.messages, (double)s.payload);
    for (size_t i = 0; i < CODECS; i++)
        codecs[i]->close(runs[1 + i].connection);
    free(runs[0].buf);
    free(s.bytes);
}

static void decode_all(bool client)
{
    bench_group group = {
        .title = client ? "decode as a client, ns a message (times the copy alone)"
                        : "decode as a server, ns a message (times the copy alone)",
        .columns = 1 + CODECS,
        .names = {"copy"},
    };
    for (size_t i = 0; i < CODECS; i++)
        group.names[1 + i] = codecs[i]->name;
    for (content kind = TEXT; kind <= BINARY; kind++) {
        for (size_t size = 0; size < SIZES; size++) {
            if (kind == CHINESE && sizes[size].len != 1000)
                continue;
            decode_row(&group, client, kind, size, SIZE_MAX);
            decode_row(&group, client, kind, size, 1460);
            if (sizes[size].len <= 1000)
                decode_row(&group, client, kind, size, 1);
        }
    }
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

static void encode_row(bench_group *group, bool client, content kind, size_t size)
{
    char row[64];
    bench_case cases[2 + CODECS] = {{NULL, NULL, 0}};
    encoding runs[2 + CODECS];
    snprintf(row, sizeof row, "%s %s", content_names[kind], sizes[size].name);
    if (!bench_wanted(group, row))
        return;
    size_t len = sizes[size].len;
    size_t cap = len + 32 > OUTPUT ? len + 32 : OUTPUT;
    encoding base = {NULL, NULL, bench_alloc(len), len, kind != BINARY, bench_alloc(cap), cap};
    content_fill(kind, base.payload, len);
    for (size_t i = 0; i < group->columns; i++) {
        runs[i] = base;
        cases[i] = (bench_case){i == 0 ? run_memcpy : run_encode, &runs[i], 0};
        if (i == 0)
            continue;
        runs[i].codec = i <= CODECS ? codecs[i - 1] : &weir_header_codec;
        runs[i].connection = runs[i].codec->open(client);
        rehearse_encode(&runs[i], client);
    }
    bench_row(group, row, cases, ENCODINGS, (double)(ENCODINGS * len));
    for (size_t i = 1; i < group->columns; i++)
        runs[i].codec->close(runs[i].connection);
    free(base.payload);
    free(base.output);
}

static void encode_all(bool client)
{
    bench_group group = {
        .title = client ? "encode as a client (masked), ns a frame (times memcpy)"
                        : "encode as a server, ns a frame (times memcpy)",
        .columns = client ? 1 + CODECS : 2 + CODECS,
        .names = {"memcpy"},
    };
    for (size_t i = 0; i < CODECS; i++)
        group.names[1 + i] = codecs[i]->name;
    group.names[1 + CODECS] = weir_header_codec.name;
    for (size_t size = 0; size < SIZES; size++)
        encode_row(&group, client, TEXT, size);
    for (size_t size = 0; size < SIZES; size++)
        encode_row(&group, client, BINARY, size);
}

int main(void)
{
#ifndef BENCH_WSLAY
    printf("libwslay is not there (Debian: libwslay-dev): its columns are left out\n");
#endif
    decode_all(false);
    decode_all(true);
    encode_all(false);
    encode_all(true);
    return 0;
}
