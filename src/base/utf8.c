/* SPDX-License-Identifier: MIT */
/*
 * utf8.c - floor 1: validation of UTF-8 (RFC 3629) in pieces.
 *
 * Between pieces the state says what must come next: how many continuation bytes are missing (bits
 * 0..7) and the range in which the next of them must lie (low end in bits 8..15, high end in 16..23).
 * The range is narrower than 80..BF only behind E0, ED, F0 and F4; that is what rules out overlong
 * forms, surrogates and values above U+10FFFF at the first byte that makes them certain.
 *
 * The bulk goes faster: ASCII eight bytes a step, whole characters in one look. Whatever is not a
 * whole valid character falls back to the state, byte by byte, which finds the exact spot.
 */
#include "utf8.h"

#include "bytes.h"
#include "simd.h"
#include "weir/base.h"

#include <string.h>

#define NEXT(missing, low, high) ((uint32_t)(missing) | (uint32_t)(low) << 8 | (uint32_t)(high) << 16)
#define NO_CHARACTER UINT32_MAX

/* The state behind a character's first byte. */
static uint32_t utf8_begin(uint8_t byte)
{
    if (byte < 0x80)
        return 0;
    if (byte < 0xC2 || byte > 0xF4)
        return NO_CHARACTER;
    if (byte < 0xE0)
        return NEXT(1, 0x80, 0xBF);
    if (byte < 0xF0)
        return NEXT(2, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF);
    return NEXT(3, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF);
}

/* The state behind a continuation byte. */
static uint32_t utf8_continue(uint32_t state, uint8_t byte)
{
    if (byte < (state >> 8 & 0xFF) || byte > state >> 16)
        return NO_CHARACTER;
    uint32_t missing = (state & 0xFF) - 1;
    return missing ? NEXT(missing, 0x80, 0xBF) : 0;
}

static size_t utf8_ascii_run(const uint8_t *p, size_t len)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t i = 0;
    while (len - i >= 32 &&
           ((weiri_word(p + i) | weiri_word(p + i + 8) | weiri_word(p + i + 16) | weiri_word(p + i + 24)) &
            high_bits) == 0)
        i += 32;
    while (len - i >= 8 && (weiri_word(p + i) & high_bits) == 0)
        i += 8;
    while (i < len && p[i] < 0x80)
        i++;
    return i;
}

/* Bytes of whole, valid characters of more than one byte at the front. */
static size_t utf8_wide_run(const uint8_t *p, size_t len)
{
    size_t i = 0;
    while (len - i >= 4) {
        uint32_t w = weiri_load32(p + i);
        if ((w & 0xF0C0C000) == 0xE0808000) {
            uint32_t scalar = (w >> 12 & 0xF000) | (w >> 10 & 0xFC0) | (w >> 8 & 0x3F);
            if (scalar < 0x800 || (scalar & 0xF800) == 0xD800)
                break;
            i += 3;
        } else if ((w & 0xE0C00000) == 0xC0800000) {
            if (w < 0xC2000000)
                break;
            i += 2;
        } else if ((w & 0xF8C0C0C0) == 0xF0808080) {
            if (w < 0xF0900000 || w >= 0xF4900000)
                break;
            i += 4;
        } else {
            break;
        }
    }
    return i;
}

/* Where the character that ends unfinished before `end` begins; `end` if none does. */
static size_t utf8_unfinished(const uint8_t *text, size_t begin, size_t end)
{
    for (size_t at = end; at > begin && end - at < 3;) {
        uint8_t byte = text[--at];
        if (byte >= 0xC2) {
            size_t whole = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
            return end - at < whole ? at : end;
        }
        if (byte < 0x80)
            break;
    }
    return end;
}

/* A long text at once: returns how much of it is certainly whole, valid characters, or 0 if that is for
 * the steps below to find out. */
static size_t utf8_bulk(const uint8_t *text, size_t len)
{
#if defined(WEIRI_AVX2)
    if (len >= 64 && weiri_has_avx2()) {
        size_t whole = utf8_unfinished(text, 0, len);
        return weiri_utf8_valid_avx2(text, whole) ? whole : 0;
    }
#endif
    (void)text;
    (void)len;
    return 0;
}

size_t weiri_utf8_check(uint32_t *state, const uint8_t *bytes, size_t len)
{
    uint32_t s = *state;
    size_t i = 0;
    bool bulky = true;
    while (i < len) {
        if (s == 0) {
            i += utf8_ascii_run(bytes + i, len - i);
            if (bulky)
                i += utf8_bulk(bytes + i, len - i);
            bulky = false; /* once, or work would not be linear */
            i += utf8_wide_run(bytes + i, len - i);
            if (i == len)
                break;
            s = utf8_begin(bytes[i]);
        } else {
            s = utf8_continue(s, bytes[i]);
        }
        if (s == NO_CHARACTER)
            return i;
        i++;
    }
    *state = s;
    return len;
}

size_t weiri_utf8_repair(uint8_t *dst, const uint8_t *src, size_t len)
{
    static const uint8_t replacement[] = {0xEF, 0xBF, 0xBD};
    size_t written = 0;
    for (size_t at = 0; at < len;) {
        uint32_t state = 0;
        size_t bad = at + weiri_utf8_check(&state, src + at, len - at);
        bool whole = bad == len && state == 0;
        size_t good = whole ? len : utf8_unfinished(src, at, bad);
        if (dst != NULL)
            memmove(dst + written, src + at, good - at);
        written += good - at;
        /* Either an unfinished character ends before `bad`, or the byte there is itself the bad part. */
        at = good < bad || whole ? bad : bad + 1;
        if (whole)
            break;
        if (dst != NULL)
            memcpy(dst + written, replacement, sizeof replacement);
        written += sizeof replacement;
    }
    return written;
}

bool weir_utf8_valid(weir_str bytes)
{
    uint32_t state = 0;
    return weiri_utf8_check(&state, bytes.ptr, bytes.len) == bytes.len && state == 0;
}
