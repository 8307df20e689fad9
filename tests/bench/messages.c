/* SPDX-License-Identifier: MIT */
/* messages.c - messages, streams of them, and the request that opens a connection. */
#include "messages.h"

#include <stdlib.h>

const sample samples[] = {
    {"bin-16", BINARY, 16},          {"bin-64", BINARY, 64},      {"bin-125", BINARY, 125},
    {"bin-1000", BINARY, 1000},      {"bin-16K", BINARY, 16384},  {"bin-1M", BINARY, 1 << 20},
    {"ascii-64", ASCII, 64},         {"ascii-1000", ASCII, 1000}, {"ascii-1M", ASCII, 1 << 20},
    {"chinese-1000", CHINESE, 1000}, {"emoji-1000", EMOJI, 1000},
};
const size_t sample_count = sizeof samples / sizeof *samples;

const sample *sample_named(const char *name)
{
    for (size_t i = 0; i < sample_count; i++)
        if (strcmp(samples[i].name, name) == 0)
            return &samples[i];
    bench_fail(name);
}

void sample_fill(const sample *m, uint8_t *dst)
{
    switch (m->kind) {
    case BINARY:
        bench_fill(dst, m->len);
        break;
    case ASCII:
        bench_text(dst, m->len);
        break;
    case CHINESE:
        bench_chinese(dst, m->len);
        break;
    case EMOJI:
        bench_emoji(dst, m->len);
        break;
    }
}

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

wire wire_new(const sample *m, bool by_client, size_t size)
{
    wire w = {0};
    bench_sink sink = {0};
    sink.rehearsal = true;
    w.messages = size / (m->len + 8);
    w.messages = w.messages == 0 ? 1 : w.messages > 8192 ? 8192 : w.messages;
    w.payload = w.messages * m->len;
    w.bytes = bench_alloc(w.messages * (m->len + 14));
    uint8_t *payload = bench_alloc(m->len);
    for (size_t i = 0; i < w.messages; i++) {
        sample_fill(m, payload);
        w.frame = frame_put(w.bytes + w.len, by_client, m->kind != BINARY, payload, m->len);
        w.len += w.frame;
        bench_deliver(&sink, payload, m->len);
        bench_deliver_end(&sink);
    }
    w.digest = sink.digest;
    free(payload);
    return w;
}

const char browser_key[] = "dGhlIHNhbXBsZSBub25jZQ==";
const char browser_accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const char browser_request[] =
    "GET /chat?room=42 HTTP/1.1\r\n"
    "Host: chat.example.org\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 "
    "Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: https://chat.example.org\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "\r\n";
