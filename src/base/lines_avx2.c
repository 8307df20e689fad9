/* SPDX-License-Identifier: MIT */
/*
 * lines_avx2.c - floor 1: field lines, 32 bytes a step.
 *
 * One table is indexed by a byte's low half, one by its high half. What both entries have in common says
 * what the byte is: one of five bits for rows of tokens (0x60..0x6F is what rows 0x40 and 0x50 allow
 * together), one of three for what may not stand in a value. Bytes from 0x80 on have none: they are no token,
 * and may.
 *
 * A line's first step looks at its name and at what follows the colon; further steps at the value alone, the
 * last of them also at bytes that were looked at before. No step reads behind the input: a line that begins
 * in its last 32 bytes is left to lines.c.
 */
#include "lines.h"

#include "simd.h"

#if defined(WEIRI_AVX2)
#include <immintrin.h>

enum {
    ROW_2 = 1 << 0,
    ROW_3 = 1 << 1,
    ROW_4 = 1 << 2,
    ROW_5 = 1 << 3,
    ROW_7 = 1 << 4,
    TOKEN = ROW_2 | ROW_3 | ROW_4 | ROW_5 | ROW_7,
    CONTROL_0 = 1 << 5, /* 0x00..0x0F but HTAB */
    CONTROL_1 = 1 << 6, /* 0x10..0x1F */
    DELETE = 1 << 7,    /* 0x7F */
    CONTROL = CONTROL_0 | CONTROL_1,
    BAD = CONTROL | DELETE
};

#define TABLE(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) \
    _mm256_setr_epi8((char)(a), (char)(b), (char)(c), (char)(d), (char)(e), (char)(f), (char)(g), (char)(h), \
                     (char)(i), (char)(j), (char)(k), (char)(l), (char)(m), (char)(n), (char)(o), (char)(p), \
                     (char)(a), (char)(b), (char)(c), (char)(d), (char)(e), (char)(f), (char)(g), (char)(h), \
                     (char)(i), (char)(j), (char)(k), (char)(l), (char)(m), (char)(n), (char)(o), (char)(p))

/* What each of 32 bytes is. A low half of a byte from 0x80 on gives nothing, as the shuffle has it. */
static inline WEIRI_TARGET_AVX2 __m256i field_classes(const uint8_t *bytes)
{
    const __m256i low = TABLE(
        /* 0 */ ROW_3 | ROW_5 | ROW_7 | CONTROL, ROW_2 | ROW_3 | ROW_4 | ROW_5 | ROW_7 | CONTROL,
        /* 2 */ ROW_3 | ROW_4 | ROW_5 | ROW_7 | CONTROL, ROW_2 | ROW_3 | ROW_4 | ROW_5 | ROW_7 | CONTROL,
        /* 4 */ TOKEN | CONTROL, TOKEN | CONTROL, TOKEN | CONTROL, TOKEN | CONTROL,
        /* 8 */ ROW_3 | ROW_4 | ROW_5 | ROW_7 | CONTROL, ROW_3 | ROW_4 | ROW_5 | ROW_7 | CONTROL_1,
        /* A */ ROW_2 | ROW_4 | ROW_5 | ROW_7 | CONTROL, ROW_2 | ROW_4 | CONTROL,
        /* C */ ROW_4 | ROW_7 | CONTROL, ROW_2 | ROW_4 | CONTROL,
        /* E */ ROW_2 | ROW_4 | ROW_5 | ROW_7 | CONTROL, ROW_4 | ROW_5 | CONTROL | DELETE);
    const __m256i high = TABLE(CONTROL_0, CONTROL_1, ROW_2, ROW_3, ROW_4, ROW_5, ROW_4 | ROW_5,
                               ROW_7 | DELETE, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i some = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    __m256i half = _mm256_and_si256(_mm256_srli_epi16(some, 4), _mm256_set1_epi8(0x0F));
    return _mm256_and_si256(_mm256_shuffle_epi8(low, some), _mm256_shuffle_epi8(high, half));
}

/* A bit for each byte whose class has none of `wanted`. */
static inline WEIRI_TARGET_AVX2 uint32_t classes_without(__m256i classes_, int wanted)
{
    __m256i some = _mm256_and_si256(classes_, _mm256_set1_epi8((char)wanted));
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(some, _mm256_setzero_si256()));
}

WEIRI_TARGET_AVX2 size_t weiri_lines_avx2(const uint8_t *bytes, size_t len, size_t at, weiri_line *lines,
                                          size_t cap)
{
    const size_t last = len - 33; /* where a step may begin at most: LF follows what it looks at */
    size_t count = 0;
    for (; count < cap && len - at >= 33; count++) {
        __m256i some = field_classes(bytes + at);
        uint32_t no_token = classes_without(some, TOKEN);
        if (no_token == 0)
            break;
        unsigned name_len = (unsigned)__builtin_ctz(no_token);
        /* Tokens and the colon are nothing that a value may not have, so these bits are the value's. */
        uint32_t bad = ~classes_without(some, BAD);
        size_t end = at;
        while (bad == 0 && end != last) {
            end = last - end < 32 ? last : end + 32;
            bad = ~classes_without(field_classes(bytes + end), BAD);
        }
        if (bad == 0)
            break;
        end += (unsigned)__builtin_ctz(bad);
        if (name_len == 0 || bytes[at + name_len] != ':' || bytes[end] != '\r' || bytes[end + 1] != '\n')
            break;
        lines[count] = (weiri_line){at, at + name_len, end};
        at = end + 2;
    }
    return count;
}
#else
typedef int lines_avx2_is_empty; /* ISO C wants something in each file */
#endif
