/* SPDX-License-Identifier: MIT */
/* bytes.h - floor 1: big-endian numbers and unaligned words. */
#ifndef WEIRI_BYTES_H
#define WEIRI_BYTES_H

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

/* The highest bits of eight bytes. */
#define WEIRI_HIGHS UINT64_C(0x8080808080808080)

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
