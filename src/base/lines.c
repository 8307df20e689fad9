/* SPDX-License-Identifier: MIT */
/* lines.c - floor 1: field lines (RFC 9112 5) that lie whole in memory. */
#include "lines.h"

#include "find.h"

/* The line in front; false if it is none. */
static bool lines_one(weiri_lines *walk, weiri_line *lines, size_t *kept)
{
    const uint8_t *bytes = walk->bytes;
    size_t colon = walk->at + weiri_run(bytes + walk->at, walk->len - walk->at, WEIRI_TOKEN);
    if (colon == walk->at || colon == walk->len || bytes[colon] != ':')
        return false;
    size_t end = colon + 1 + weiri_value_len(bytes + colon + 1, walk->len - colon - 1);
    if (walk->len - end < 2 || bytes[end] != '\r' || bytes[end + 1] != '\n')
        return false;
    if (weiri_lines_want(walk, colon - walk->at))
        lines[(*kept)++] = (weiri_line){walk->at, colon, end};
    walk->at = end + 2;
    walk->count++;
    return true;
}

/* As many as the processor's vectors take. */
static size_t lines_many(weiri_lines *walk, weiri_line *lines, size_t kept, size_t cap)
{
#if defined(WEIRI_AVX512)
    if (weiri_has_avx512())
        return weiri_lines_avx512(walk, lines, kept, cap);
#endif
#if defined(WEIRI_AVX2)
    if (weiri_has_avx2())
        return weiri_lines_avx2(walk, lines, kept, cap);
#endif
    (void)walk, (void)lines, (void)cap;
    return kept;
}

size_t weiri_lines_take(weiri_lines *walk, weiri_line *lines, size_t cap, bool *more)
{
    size_t kept = 0;
    *more = true;
    while (*more && kept < cap) {
        if (cap - kept >= WEIRI_LINES_STEP)
            kept = lines_many(walk, lines, kept, cap);
        *more = lines_one(walk, lines, &kept);
    }
    return kept;
}

/* As weiri_lines_find_avx2, for any `last`. */
static size_t lines_find_any(const uint8_t *bytes, size_t last, size_t colon)
{
    size_t at = 0;
#if defined(WEIRI_SSE2)
    const __m128i lf = _mm_set1_epi8('\n'), mark = _mm_set1_epi8(':');
    for (; last - at >= 16; at += 16) {
        __m128i ends = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        __m128i colons = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at + colon));
        __m128i found = _mm_and_si128(_mm_cmpeq_epi8(ends, lf), _mm_cmpeq_epi8(colons, mark));
        unsigned bits = (unsigned)_mm_movemask_epi8(found);
        if (bits != 0)
            return at + (unsigned)__builtin_ctz(bits);
    }
#endif
    while (at < last && (bytes[at] != '\n' || bytes[at + colon] != ':'))
        at++;
    return at;
}

static size_t lines_find_lf(const uint8_t *bytes, size_t last, size_t colon)
{
#if defined(WEIRI_AVX512)
    if (last >= 64 && weiri_has_avx512())
        return weiri_lines_find_avx512(bytes, last, colon);
#endif
#if defined(WEIRI_AVX2)
    if (last >= 32 && weiri_has_avx2())
        return weiri_lines_find_avx2(bytes, last, colon);
#endif
    return lines_find_any(bytes, last, colon);
}

size_t weiri_lines_find(const uint8_t *bytes, size_t len, size_t name_len)
{
    if (len <= name_len + 1)
        return len;
    size_t last = len - name_len - 1;
    size_t lf = lines_find_lf(bytes, last, name_len + 1);
    return lf != last ? lf + 1 : len;
}
