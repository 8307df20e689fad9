/* SPDX-License-Identifier: MIT */
/* events.c - the event streams that are written and read. */
#include "streams.h"

#include <stdio.h>
#include <stdlib.h>

static void put(uint8_t **dst, const char *text)
{
    size_t len = strlen(text);
    memcpy(*dst, text, len);
    *dst += len;
}

size_t data_put(content kind, size_t i, uint8_t *dst)
{
    static const size_t lengths[] = {0, 0, 1, 4 << 10, 4 << 10, 8 << 20, 16 << 20};
    char text[256];
    uint8_t word[10];
    if (kind == DELTAS || kind == NAMED) {
        bench_text(word, sizeof word - 1);
        for (size_t k = 0; k < sizeof word; k++)
            word[k] = (uint8_t)('a' + word[k] % 26);
        int len =
            snprintf(text, sizeof text,
                     "{\"id\":\"chatcmpl-%08zx\",\"object\":\"chat.completion.chunk\",\"created\":%zu,"
                     "\"model\":\"m-4\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" %.*s\"},"
                     "\"finish_reason\":null}]}",
                     i * 2654435761u & 0xFFFFFFFF, 1760000000 + i / 30, (int)(2 + i % 8), (const char *)word);
        memcpy(dst, text, (size_t)len);
        return (size_t)len;
    }
    if (kind == TINY)
        dst[0] = 'x';
    else
        bench_text(dst, lengths[kind]);
    for (size_t k = 50; kind == LINES && k < lengths[kind]; k += 51)
        dst[k] = '\n';
    return lengths[kind];
}

stream stream_new(content kind, size_t most, size_t bytes)
{
    static const size_t sizes[] = {1 << 20, 1 << 20, 256 << 10, 1 << 20, 1 << 20, 1, 1};
    stream s = {.most = most};
    bench_sink sink = {.rehearsal = true};
    size_t size = bytes != 0 ? bytes : sizes[kind];
    uint8_t *data = bench_alloc(LARGEST);
    s.bytes = bench_alloc(LARGEST + 65536);
    uint8_t *at = s.bytes;
    while ((size_t)(at - s.bytes) < size) {
        size_t len = data_put(kind, s.events++, data);
        bench_deliver(&sink, data, len);
        bench_deliver_end(&sink);
        if (kind == NAMED) {
            char names[64];
            snprintf(names, sizeof names, "event: content_block_delta\nid: %zu\n", s.events);
            put(&at, names);
        }
        put(&at, kind == TINY ? "data:" : "data: ");
        for (size_t i = 0; i < len; i++) {
            *at++ = data[i];
            if (data[i] == '\n')
                put(&at, "data: ");
        }
        put(&at, "\n\n");
    }
    s.len = (size_t)(at - s.bytes);
    s.data = (size_t)sink.bytes;
    s.digest = sink.digest;
    free(data);
    return s;
}
