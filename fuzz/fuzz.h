/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets share: choices from the input, cuts, and a digest of what was reported.
 *
 * An input begins with the bytes that choose configuration and cuts, a fixed number of them; the rest is the
 * stream, in one piece. Zeros choose the defaults. A target that calls functions in an order of the input's
 * reads all of it through the choices.
 */
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

/* ---- Choices ------------------------------------------------------------------------------------- */

/* The input, taken from its front. One that is used up gives zeros. */
typedef struct fuzz_input {
    const uint8_t *at;
    size_t left;
} fuzz_input;

static inline uint8_t fuzz_byte(fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

/* Any limit: what is small exactly, what is large as a power of two. 0 stands for `otherwise`. */
static inline uint64_t fuzz_limit(fuzz_input *input, uint64_t otherwise)
{
    uint8_t byte = fuzz_byte(input);
    return byte == 0 ? otherwise : byte < 192 ? byte : UINT64_C(1) << (byte - 192);
}

/* Two bytes of the input say how a stream is cut; 0 leaves it whole. */
static inline uint32_t fuzz_cuts(fuzz_input *input)
{
    uint32_t high = fuzz_byte(input);
    return high << 8 | fuzz_byte(input);
}

/* The next `len` bytes at most. */
static inline weir_str fuzz_take(fuzz_input *input, size_t len)
{
    weir_str taken = {input->at, len < input->left ? len : input->left};
    input->at += taken.len;
    input->left -= taken.len;
    return taken;
}

/* ---- Memory -------------------------------------------------------------------------------------- */

/* Memory of exactly this size, so that a checker sees the first byte outside. */
static inline void *fuzz_memory(size_t size)
{
    void *memory = malloc(size != 0 ? size : 1);
    FUZZ_REQUIRE(memory != NULL);
    return memory;
}

static inline uint8_t *fuzz_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = fuzz_memory(len);
    if (len != 0)
        memcpy(copy, bytes, len);
    return copy;
}

static inline bool fuzz_same(weir_str a, weir_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ---- Digest -------------------------------------------------------------------------------------- */

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
    for (unsigned i = 0; i < 64; i += 8) {
        uint8_t byte = (uint8_t)(number >> i);
        fuzz_bytes(digest, &byte, 1);
    }
}

static inline void fuzz_error(fuzz_digest *digest, int err)
{
    fuzz_number(digest, (uint64_t)(int64_t)err);
}

static inline void fuzz_str(fuzz_digest *digest, weir_str str)
{
    fuzz_number(digest, str.len);
    fuzz_bytes(digest, str.ptr, str.len);
}

/* ---- Cuts ---------------------------------------------------------------------------------------- */

static inline uint32_t fuzz_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* The next piece's length, of `left` bytes. `cuts` chooses a scale: a byte at a time, pieces of up to 2, 7,
 * 24, 200 or 3000 bytes with empty ones among them; or a single cut, at a place that it names. */
static inline size_t fuzz_piece(uint32_t cuts, uint32_t *state, size_t left)
{
    static const uint32_t scales[] = {2, 3, 8, 25, 201, 3001};
    size_t piece = left;
    if (*state == 0)
        *state = cuts;
    else if ((cuts & 7) >= 6)
        return left;
    if ((cuts & 7) >= 6)
        piece = cuts >> 3;
    else if (cuts != 0)
        piece = fuzz_random(state) % scales[cuts & 7];
    return piece < left ? piece : left;
}

/* Feeds a copy of the stream in pieces, each in an allocation of its exact size. `feed` returns false to
 * stop. */
static inline void fuzz_feed(const uint8_t *data, size_t size, uint32_t cuts,
                             bool (*feed)(void *self, uint8_t *bytes, size_t len), void *self)
{
    uint32_t state = 0;
    size_t at = 0;
    bool more = true;
    while (at < size && more) {
        size_t len = fuzz_piece(cuts, &state, size - at);
        uint8_t *bytes = fuzz_copy(data + at, len);
        more = feed(self, bytes, len);
        free(bytes);
        at += len;
    }
}

/* Random bytes that are the same in every run, or what is sent could not be compared. `user` is a uint32_t;
 * UINT32_MAX makes it fail. */
static inline int fuzz_fill(void *user, uint8_t *dst, size_t len)
{
    uint32_t *state = user;
    if (*state == UINT32_MAX)
        return -1;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)fuzz_random(state);
    return 0;
}

#endif
