/* SPDX-License-Identifier: MIT */
/* fuzz.h - what the fuzz targets share: choices from the input, and a digest of what was reported. */
#ifndef WEIR_FUZZ_H
#define WEIR_FUZZ_H

#include "weir/weir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise ends the run with a message. */
#define FUZZ_REQUIRE(condition) \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort()))

/* FNV-1a over everything that must not depend on the cuts. */
typedef struct fuzz_digest {
    uint64_t hash;
} fuzz_digest;

static inline void fuzz_bytes(fuzz_digest *digest, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++)
        digest->hash = (digest->hash ^ p[i]) * UINT64_C(0x100000001B3);
}

static inline void fuzz_number(fuzz_digest *digest, uint64_t number)
{
    fuzz_bytes(digest, &number, sizeof number);
}

/* Feeds a copy of the stream in pieces, each in an allocation of its exact size: the cuts come from
 * `seed`, 0 means whole. `feed` returns false to stop. */
static inline void fuzz_feed(const uint8_t *data, size_t size, uint32_t seed,
                             bool (*feed)(void *self, uint8_t *bytes, size_t len), void *self)
{
    size_t at = 0;
    bool more = true;
    while (at < size && more) {
        size_t len = size - at;
        if (seed != 0) {
            seed = seed * 1664525u + 1013904223u;
            size_t piece = (seed >> 16) % 24;
            len = piece < len ? piece : len;
        }
        uint8_t *bytes = malloc(len != 0 ? len : 1);
        FUZZ_REQUIRE(bytes != NULL);
        memcpy(bytes, data + at, len);
        more = feed(self, bytes, len);
        free(bytes);
        at += len;
    }
}

#endif
