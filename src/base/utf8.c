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
#include "mask.h"
#include "vec.h"
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

/* Bytes of ASCII at the front. In most scripts that use it there are but a few before the next letter. */
static size_t utf8_ascii_run(const uint8_t *p, size_t len)
{
    const size_t steps = len - len % (4 * WEIRI_VEC);
    size_t i = 0;
    uint64_t high = len >= 8 ? weiri_word(p) & WEIRI_HIGHS : 0;
    while (high == 0 && i < steps && weiri_vec_ascii_4(p + i))
        i += 4 * WEIRI_VEC;
    for (; len - i >= 8; i += 8) {
        high = weiri_word(p + i) & WEIRI_HIGHS;
        if (high != 0)
            return i + weiri_first_high(high);
    }
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
static inline size_t utf8_unfinished(const uint8_t *text, size_t begin, size_t end)
{
    for (size_t at = end; at > begin && end - at < 3;) {
        uint8_t byte = text[--at];
        if (byte >= 0xC0) {
            size_t whole = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
            return end - at < whole ? at : end;
        }
        if (byte < 0x80)
            break;
    }
    return end;
}

/* As weiri_utf8_bulk_avx2; 0 if there are no such instructions, or it is not worth the call. */
static WEIRI_FAST size_t utf8_bulk(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
#if defined(WEIRI_AVX512)
    if (len >= 16 && weiri_has_avx512())
        return weiri_utf8_bulk_avx512(dst, src, len, word);
#endif
#if defined(WEIRI_AVX2)
    if (len >= 64 && weiri_has_avx2())
        return weiri_utf8_bulk_avx2(dst, src, len, word);
#elif defined(WEIRI_NEON)
    if (len >= 64)
        return weiri_utf8_bulk_neon(dst, src, len, word);
#endif
    (void)dst;
    (void)src;
    (void)len;
    (void)word;
    return 0;
}

/* weiri_utf8_check from `i` on. */
static WEIRI_APART size_t utf8_steps(uint32_t *state, const uint8_t *bytes, size_t i, size_t len)
{
    uint32_t s = *state;
    while (i < len) {
        if (s == 0) {
            i += utf8_ascii_run(bytes + i, len - i);
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

/* weiri_utf8_check from a character's border on, when `done` bytes are known to be good: only a character
 * that they end in is looked at again. */
static inline size_t utf8_go_on(uint32_t *state, const uint8_t *bytes, size_t done, size_t len)
{
    size_t from = utf8_unfinished(bytes, 0, done);
    return from == len ? len : utf8_steps(state, bytes, from, len);
}

/* ASCII bytes at the front of a long text: not always all of them, and 0 if it does not begin with ASCII. */
static inline size_t utf8_plain(const uint8_t *bytes, size_t len)
{
    if (len < 64 || (weiri_word(bytes) & WEIRI_HIGHS) != 0)
        return 0;
#if defined(WEIRI_AVX512)
    if (weiri_has_avx512())
        return weiri_utf8_plain_avx512(bytes, len);
#endif
    return utf8_ascii_run(bytes, len);
}

/* weiri_utf8_check for a piece that begins at a character's border. */
static inline size_t utf8_whole(uint32_t *state, const uint8_t *bytes, size_t len)
{
    size_t plain = utf8_plain(bytes, len);
    if (plain == len)
        return len;
    return utf8_go_on(state, bytes, plain + utf8_bulk(NULL, bytes + plain, len - plain, 0), len);
}

/* weiri_utf8_check for a piece that begins inside a character. */
static WEIRI_APART size_t utf8_resume(uint32_t *state, const uint8_t *bytes, size_t len)
{
    size_t missing = *state & 0xFF;
    size_t end = missing < len ? missing : len;
    size_t begun = utf8_steps(state, bytes, 0, end);
    if (begun < end || *state != 0)
        return begun;
    return begun + utf8_whole(state, bytes + begun, len - begun);
}

size_t weiri_utf8_check(uint32_t *state, const uint8_t *bytes, size_t len)
{
    if (*state != 0)
        return utf8_resume(state, bytes, len);
    return utf8_whole(state, bytes, len);
}

/* Does a text masked with `word` begin with eight bytes of ASCII? */
static inline bool utf8_begins_plain(const uint8_t *masked, size_t len, uint32_t word)
{
    uint64_t key = (uint64_t)word << 32 | word;
    return len >= 8 && ((weiri_word(masked) ^ key) & WEIRI_HIGHS) == 0;
}

/* A text that begins with ASCII mostly goes on so, and unmasking alone is faster and tells. Any other is
 * unmasked and checked in one pass, up to the step with a fault. */
size_t weiri_utf8_unmask(uint32_t *state, uint8_t *bytes, size_t len, uint32_t word)
{
    size_t done = 0;
    if (word == 0)
        return weiri_utf8_check(state, bytes, len);
    if (*state == 0 && !utf8_begins_plain(bytes, len, word))
        done = utf8_bulk(bytes, bytes, len, word);
    if (done == len)
        return utf8_go_on(state, bytes, done, len);
    bool high = weiri_mask(bytes + done, bytes + done, len - done, weiri_turn(word, (unsigned)done));
    if (done != 0)
        return utf8_go_on(state, bytes, done, len);
    return high || *state != 0 ? weiri_utf8_check(state, bytes, len) : len;
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
