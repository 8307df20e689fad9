/* SPDX-License-Identifier: MIT */
/* bytes.h - floor 1: big-endian numbers and unaligned words. */
#ifndef WEIRI_BYTES_H
#define WEIRI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A function that stays apart from its caller, which then keeps little in registers and needs no stack frame;
 * and one that must be merged into it, unless size matters more. */
#if defined(__GNUC__)
#define WEIRI_APART __attribute__((noinline))
#else
#define WEIRI_APART
#endif
#if defined(__GNUC__) && !defined(__OPTIMIZE_SIZE__)
#define WEIRI_FAST inline __attribute__((always_inline))
#else
#define WEIRI_FAST inline
#endif

static inline uint32_t weiri_load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void weiri_store32(uint8_t *p, uint32_t n)
{
    p[0] = (uint8_t)(n >> 24);
    p[1] = (uint8_t)(n >> 16);
    p[2] = (uint8_t)(n >> 8);
    p[3] = (uint8_t)n;
}

static inline uint64_t weiri_load64(const uint8_t *p)
{
    return (uint64_t)weiri_load32(p) << 32 | weiri_load32(p + 4);
}

static inline void weiri_store64(uint8_t *p, uint64_t n)
{
    weiri_store32(p, (uint32_t)(n >> 32));
    weiri_store32(p + 4, (uint32_t)n);
}

/* Eight bytes in memory order, at any alignment: for work that does not care which byte is which. */
static inline uint64_t weiri_word(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* Four of them. */
static inline uint32_t weiri_half(const uint8_t *p)
{
    uint32_t half;
    memcpy(&half, p, sizeof half);
    return half;
}

/* All of 4 to 8 bytes: the first four and the last four. */
static inline uint64_t weiri_ends(const uint8_t *p, size_t len)
{
    return (uint64_t)weiri_half(p) << 32 | weiri_half(p + len - 4);
}

/* The highest bits of eight bytes. */
#define WEIRI_HIGHS UINT64_C(0x8080808080808080)

/* Which byte of a word is the first in memory order that is not zero, when only highest bits are set, one at
 * least. By an instruction, where there surely is one: compilers call a function of theirs elsewhere. */
static inline size_t weiri_first_high(uint64_t highs)
{
#if defined(__GNUC__) && (defined(__x86_64__) || (defined(__aarch64__) && !defined(__AARCH64EB__)))
    return (size_t)__builtin_ctzll(highs) / 8;
#else
    uint8_t bytes[8];
    size_t at = 0;
    memcpy(bytes, &highs, sizeof bytes);
    while (bytes[at] == 0)
        at++;
    return at;
#endif
}

/* The highest bit of each byte is set where the word has `a` or `b`; the bytes behind (in memory, or before)
 * the first such one may have it by mistake: a byte is zero if subtracting one borrows into its empty highest
 * bit, and a borrow goes on. */
static inline uint64_t weiri_word_either(uint64_t word, uint8_t a, uint8_t b)
{
    const uint64_t ones = WEIRI_HIGHS >> 7;
    uint64_t like_a = word ^ ones * a, like_b = word ^ ones * b;
    return (((like_a - ones) & ~like_a) | ((like_b - ones) & ~like_b)) & WEIRI_HIGHS;
}

/* Are these `len` bytes, from 8 to 16, the same? */
static inline bool weiri_word_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    return weiri_word(a) == weiri_word(b) && weiri_word(a + len - 8) == weiri_word(b + len - 8);
}

/* A word in memory order that begins `bytes` bytes later in a pattern that repeats every four. */
static inline uint32_t weiri_turn(uint32_t word, unsigned bytes)
{
    unsigned bits = bytes % 4 * 8;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return word << bits | word >> ((32 - bits) & 31);
#elif defined(__BYTE_ORDER__) || defined(_M_X64) || defined(_M_IX86) || defined(_M_ARM64)
    return word >> bits | word << ((32 - bits) & 31);
#else
    uint8_t pattern[8];
    memcpy(pattern, &word, 4);
    memcpy(pattern + 4, &word, 4);
    memcpy(&word, pattern + bits / 8, 4);
    return word;
#endif
}

#endif
