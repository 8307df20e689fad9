/* SPDX-License-Identifier: MIT */
/*
 * limit_codec.c - what the machine allows: a codec that does its duty on good input and nothing more.
 *
 * It unmasks, and checks text for being ASCII before it looks closer; it knows no limits, no closing, no
 * control frames, and trusts lengths. It is built for this very processor (PEER_CFLAGS). For other scripts
 * than Latin it is no limit: its check goes byte by byte.
 */
#include "websocket.h"

#include <stdlib.h>

enum { READ_ROOM = 65536, HEADER_MAX = 14 };

typedef struct connection {
    uint64_t left; /* payload bytes to come */
    unsigned phase;
    unsigned missing; /* continuation bytes of a character */
    bool inside, text, client;
    uint8_t key[4];
    size_t head_len;
    uint8_t head[HEADER_MAX];
    size_t keys_left;
    uint8_t keys[256];
    uint8_t buf[READ_ROOM];
} connection;

static void *limit_open(bool client)
{
    connection *c = bench_alloc(sizeof *c);
    c->client = client;
    return c;
}

/* As wide as it gets: the compiler splits it into what the processor has. */
typedef uint64_t block __attribute__((vector_size(64)));

static uint64_t load(const uint8_t *src)
{
    uint64_t word;
    memcpy(&word, src, sizeof word);
    return word;
}

/* The key from its byte `phase` on, again and again. On a little-endian machine. */
static uint64_t key_turned(uint64_t key, size_t phase)
{
    unsigned bits = (unsigned)(phase % 4) * 8;
    return bits == 0 ? key : key >> bits | key << (64 - bits);
}

static void mask(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4], unsigned phase)
{
    uint32_t narrow;
    size_t i = 0;
    memcpy(&narrow, key, sizeof narrow);
    uint64_t wide = key_turned((uint64_t)narrow << 32 | narrow, phase);
    if (len < 8) {
        for (; i < len; i++)
            dst[i] = (uint8_t)(src[i] ^ wide >> 8 * i);
        return;
    }
    /* The last eight bytes are read before, and written after, those that they share with others. */
    uint64_t last = load(src + len - 8) ^ key_turned(wide, len);
    for (; len - i > 64; i += 64) {
        block b;
        memcpy(&b, src + i, sizeof b);
        b ^= wide;
        memcpy(dst + i, &b, sizeof b);
    }
    for (; len - i > 8; i += 8) {
        uint64_t word = load(src + i) ^ wide;
        memcpy(dst + i, &word, sizeof word);
    }
    memcpy(dst + len - 8, &last, sizeof last);
}

static bool is_ascii(const uint8_t *bytes, size_t len)
{
    block many = {0};
    uint64_t all = 0;
    size_t i = 0;
    for (; len - i >= 64; i += 64) {
        block b;
        memcpy(&b, bytes + i, sizeof b);
        many |= b;
    }
    for (size_t k = 0; k < 8; k++)
        all |= many[k];
    for (; len - i >= 8; i += 8)
        all |= load(bytes + i);
    for (; i < len; i++)
        all |= bytes[i];
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

/* Lengths of characters only. */
static void text_check(connection *c, const uint8_t *bytes, size_t len)
{
    if (c->missing == 0 && is_ascii(bytes, len))
        return;
    for (size_t i = 0; i < len; i++) {
        bool continuation = (bytes[i] & 0xC0) == 0x80;
        if (continuation != (c->missing != 0))
            bench_fail("limit: text");
        if (continuation)
            c->missing--;
        else if (bytes[i] >= 0xC0)
            c->missing = bytes[i] < 0xE0 ? 1 : bytes[i] < 0xF0 ? 2 : 3;
    }
}

static size_t header_size(const uint8_t *head)
{
    unsigned len = head[1] & 0x7F;
    return 2u + (len == 127 ? 8u : len == 126 ? 2u : 0u) + ((head[1] & 0x80) != 0 ? 4u : 0u);
}

static void header_read(connection *c, const uint8_t *head)
{
    unsigned len = head[1] & 0x7F, width = len == 127 ? 8 : len == 126 ? 2 : 0;
    c->left = width != 0 ? 0 : len;
    for (unsigned i = 0; i < width; i++)
        c->left = c->left << 8 | head[2 + i];
    if ((head[1] & 0x80) != 0)
        memcpy(c->key, head + 2 + width, 4);
    c->text = (head[0] & 0x0F) == 1;
    c->inside = true;
    c->phase = 0;
}

/* Takes a header, or the bytes of it that there are. */
static size_t header_take(connection *c, const uint8_t *at, size_t len)
{
    if (c->head_len == 0 && len >= HEADER_MAX) {
        header_read(c, at);
        return header_size(at);
    }
    size_t taken = 0;
    while (taken < len && !c->inside) {
        c->head[c->head_len++] = at[taken++];
        if (c->head_len >= 2 && c->head_len == header_size(c->head)) {
            header_read(c, c->head);
            c->head_len = 0;
        }
    }
    return taken;
}

static void limit_decode(void *connection_, bench_source *source, bench_sink *sink)
{
    connection *c = connection_;
    size_t n;
    while ((n = bench_receive(source, c->buf, sizeof c->buf)) != 0) {
        uint8_t *at = c->buf, *end = at + n;
        while (at < end) {
            if (!c->inside)
                at += header_take(c, at, (size_t)(end - at));
            if (!c->inside)
                break;
            size_t len = (size_t)(end - at) < c->left ? (size_t)(end - at) : (size_t)c->left;
            if (!c->client)
                mask(at, at, len, c->key, c->phase);
            if (c->text)
                text_check(c, at, len);
            bench_deliver(sink, at, len);
            c->phase = (unsigned)(c->phase + len) % 4;
            c->left -= len;
            at += len;
            if (c->left == 0) {
                c->inside = false;
                bench_deliver_end(sink);
            }
        }
    }
}

static size_t limit_encode(void *connection_, uint8_t *dst, size_t cap, bool text, weir_str payload)
{
    connection *c = connection_;
    size_t at = 2;
    (void)cap;
    dst[0] = text ? 0x81 : 0x82;
    dst[1] = (uint8_t)(payload.len < 126 ? payload.len : payload.len <= UINT16_MAX ? 126 : 127);
    for (unsigned width = payload.len < 126 ? 0 : payload.len <= UINT16_MAX ? 2 : 8; width-- > 0;)
        dst[at++] = (uint8_t)((uint64_t)payload.len >> (8 * width));
    if (!c->client) {
        memcpy(dst + at, payload.ptr, payload.len);
        return at + payload.len;
    }
    if (c->keys_left == 0) {
        if (bench_entropy(NULL, c->keys, sizeof c->keys) != 0)
            bench_fail("entropy");
        c->keys_left = sizeof c->keys;
    }
    c->keys_left -= 4;
    dst[1] |= 0x80;
    memcpy(dst + at, c->keys + c->keys_left, 4);
    mask(dst + at + 4, payload.ptr, payload.len, c->keys + c->keys_left, 0);
    return at + 4 + payload.len;
}

const codec limit_codec = {"limit", limit_open, limit_decode, limit_encode, free};
