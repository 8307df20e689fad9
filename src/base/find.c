/* SPDX-License-Identifier: MIT */
/*
 * find.c - floor 1: short scans, 16 bytes a step where the compiler's target has them.
 *
 * What is scanned are names and values of fields, most of them shorter than 30 bytes. The loops over bytes at
 * the ends do all that is left, whatever that is: what stands in front of them only saves time.
 */
#include "find.h"

#if defined(WEIRI_SSE2)
/* Which bytes are `first` to `last`: turned so that these are the least of signed bytes. */
static inline __m128i find_between(__m128i bytes, char first, char last)
{
    const __m128i turn = _mm_set1_epi8((char)(0x80 - first));
    const __m128i end = _mm_set1_epi8((char)(last - first + 1 - 0x80));
    return _mm_cmplt_epi8(_mm_add_epi8(bytes, turn), end);
}

/* Which are letters, digits, or one of two others. */
static inline unsigned find_plain(__m128i bytes, char a, char b)
{
    __m128i letters = find_between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'z');
    __m128i digits = find_between(bytes, '0', '9');
    __m128i others =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(a)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b)));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(letters, digits), others));
}
#endif

size_t weiri_class_len(const uint8_t *bytes, size_t len, unsigned one)
{
    size_t at = 0;
#if defined(WEIRI_SSE2)
    const char a = one == WEIRI_BASE64 ? '+' : '-';
    const char b = one == WEIRI_BASE64 ? '/' : one == WEIRI_HOST ? '.' : '_';
    unsigned plain = 0xFFFF; /* with zeros behind it, of which the first ends a good step */
    for (; plain == 0xFFFF && len - at >= 16; at += (unsigned)__builtin_ctz(~plain))
        plain = find_plain(weiri_load16(bytes + at), a, b);
#endif
    return at + weiri_run(bytes + at, len - at, one);
}

size_t weiri_find_either(const uint8_t *bytes, size_t len, uint8_t a, uint8_t b)
{
    size_t at = 0;
#if defined(WEIRI_SSE2)
    const __m128i all_a = _mm_set1_epi8((char)a), all_b = _mm_set1_epi8((char)b);
    for (; len - at >= 16; at += 16) {
        __m128i some = weiri_load16(bytes + at);
        unsigned found = (unsigned)_mm_movemask_epi8(
            _mm_or_si128(_mm_cmpeq_epi8(some, all_a), _mm_cmpeq_epi8(some, all_b)));
        if (found != 0)
            return at + (unsigned)__builtin_ctz(found);
    }
#endif
    while (len - at >= 8 && weiri_word_either(weiri_word(bytes + at), a, b) == 0)
        at += 8;
    if (len - at >= 4 && len - at <= 8 && weiri_word_either(weiri_ends(bytes + at, len - at), a, b) == 0)
        return len;
    while (at < len && bytes[at] != a && bytes[at] != b)
        at++;
    return at;
}
