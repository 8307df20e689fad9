/* SPDX-License-Identifier: MIT */
/* utf8_avx512.c - floor 1: unmasking and validation of UTF-8, 64 bytes a step; utf8_faults.h says how. */
#include "utf8.h"

#include "mask.h"
#include "utf8_faults.h"

#if defined(WEIRI_AVX512)
#include <immintrin.h>

/* The constants of a step, kept in registers. */
typedef struct utf8_tables_avx512 {
    __m512i first_high, first_low, second_high, nibble, below_three, below_four, top;
} utf8_tables_avx512;

static inline WEIRI_TARGET_AVX512 __m512i utf8_table_avx512(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)table));
}

static inline WEIRI_TARGET_AVX512 utf8_tables_avx512 utf8_tables_load_avx512(void)
{
    return (utf8_tables_avx512){utf8_table_avx512(utf8_first_high),
                                utf8_table_avx512(utf8_first_low),
                                utf8_table_avx512(utf8_second_high),
                                _mm512_set1_epi8(0x0F),
                                _mm512_set1_epi8((char)UTF8_BELOW_THREE),
                                _mm512_set1_epi8((char)UTF8_BELOW_FOUR),
                                _mm512_set1_epi8((char)0x80)};
}

/* The faults in 64 bytes behind the 64 of `before`, each at the byte that shows it. */
static inline WEIRI_TARGET_AVX512 __m512i utf8_faults_avx512(const utf8_tables_avx512 *t, __m512i bytes,
                                                             __m512i before)
{
    /* The same 64 bytes, begun one, two and three bytes earlier. */
    __m512i joint = _mm512_alignr_epi64(bytes, before, 6);
    __m512i back1 = _mm512_alignr_epi8(bytes, joint, 15);
    __m512i back2 = _mm512_alignr_epi8(bytes, joint, 14);
    __m512i back3 = _mm512_alignr_epi8(bytes, joint, 13);

    __m512i high1 = _mm512_and_si512(_mm512_srli_epi16(back1, 4), t->nibble);
    __m512i low1 = _mm512_and_si512(back1, t->nibble);
    __m512i high2 = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), t->nibble);
    __m512i pair = _mm512_and_si512(
        _mm512_and_si512(_mm512_shuffle_epi8(t->first_high, high1), _mm512_shuffle_epi8(t->first_low, low1)),
        _mm512_shuffle_epi8(t->second_high, high2));
    __m512i third = _mm512_subs_epu8(back2, t->below_three);
    __m512i fourth = _mm512_subs_epu8(back3, t->below_four);
    return _mm512_xor_si512(pair, _mm512_and_si512(_mm512_or_si512(third, fourth), t->top));
}

static inline WEIRI_TARGET_AVX512 bool utf8_ascii_avx512(__m512i bytes)
{
    return _mm512_movepi8_mask(bytes) == 0;
}

/* May a text go on with 64 bytes behind the 64 of `before`? ASCII behind ASCII needs no tables. `taken` says
 * which of the bytes count; the others are zero. */
static inline WEIRI_TARGET_AVX512 bool utf8_good_avx512(const utf8_tables_avx512 *t, __m512i bytes,
                                                        __m512i before, __mmask64 taken)
{
    __m512i faults;
    if (utf8_ascii_avx512(_mm512_or_si512(bytes, before)))
        return true;
    faults = utf8_faults_avx512(t, bytes, before);
    return _mm512_mask_test_epi8_mask(taken, faults, faults) == 0;
}

static inline WEIRI_TARGET_AVX512 __m512i utf8_load_four_avx512(const uint8_t *from)
{
    return _mm512_or_si512(_mm512_or_si512(_mm512_loadu_si512(from), _mm512_loadu_si512(from + 64)),
                           _mm512_or_si512(_mm512_loadu_si512(from + 128), _mm512_loadu_si512(from + 192)));
}

/* For 64 bytes and more (utf8.h). The steps between the first and the last lie at borders of 64 bytes; those
 * two look at bytes again. The bytes before `i` are known to be ASCII. */
WEIRI_TARGET_AVX512 size_t weiri_utf8_plain_avx512(const uint8_t *bytes, size_t len)
{
    size_t i = 64 - ((uintptr_t)bytes & 63);
    __m512i seen = _mm512_loadu_si512(bytes + len - 64);
    if (!utf8_ascii_avx512(_mm512_loadu_si512(bytes)))
        return 0;
    for (; len - i >= 256; i += 256)
        if (!utf8_ascii_avx512(utf8_load_four_avx512(bytes + i)))
            return i;
    for (size_t at = i; len - at > 64; at += 64)
        seen = _mm512_or_si512(seen, _mm512_loadu_si512(bytes + at));
    return utf8_ascii_avx512(seen) ? len : i;
}

WEIRI_TARGET_AVX512 size_t weiri_utf8_bulk_avx512(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    const utf8_tables_avx512 t = utf8_tables_load_avx512();
    const __m512i key = _mm512_set1_epi32((int)word);
    __m512i before = _mm512_setzero_si512();
    __m512i last = before;
    size_t i = 0;
    if (len >= 64) /* now, since the steps before it may write over a part of it */
        last = _mm512_xor_si512(_mm512_loadu_si512(src + len - 64),
                                _mm512_set1_epi32((int)weiri_turn(word, (unsigned)len)));
    for (; len - i >= 256; i += 256) {
        __m512i a = _mm512_xor_si512(_mm512_loadu_si512(src + i), key);
        __m512i b = _mm512_xor_si512(_mm512_loadu_si512(src + i + 64), key);
        __m512i c = _mm512_xor_si512(_mm512_loadu_si512(src + i + 128), key);
        __m512i d = _mm512_xor_si512(_mm512_loadu_si512(src + i + 192), key);
        __m512i all = _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d));
        if (!utf8_ascii_avx512(_mm512_or_si512(all, before))) {
            __m512i faults = _mm512_or_si512(utf8_faults_avx512(&t, a, before), utf8_faults_avx512(&t, b, a));
            faults = _mm512_or_si512(faults, utf8_faults_avx512(&t, c, b));
            faults = _mm512_or_si512(faults, utf8_faults_avx512(&t, d, c));
            if (_mm512_test_epi8_mask(faults, faults) != 0)
                return i;
        }
        if (dst != NULL) {
            _mm512_storeu_si512(dst + i, a);
            _mm512_storeu_si512(dst + i + 64, b);
            _mm512_storeu_si512(dst + i + 128, c);
            _mm512_storeu_si512(dst + i + 192, d);
        }
        before = d;
    }
    for (; len - i >= 64; i += 64) {
        __m512i now = _mm512_xor_si512(_mm512_loadu_si512(src + i), key);
        if (!utf8_good_avx512(&t, now, before, UINT64_MAX))
            return i;
        if (dst != NULL)
            _mm512_storeu_si512(dst + i, now);
        before = now;
    }
    if (len >= 64 && utf8_ascii_avx512(_mm512_or_si512(last, before))) {
        if (dst != NULL)
            _mm512_storeu_si512(dst + len - 64, last);
        return len;
    }
    const __mmask64 rest = (UINT64_C(1) << (len - i)) - 1;
    __m512i now = _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, src + i), _mm512_maskz_mov_epi8(rest, key));
    if (!utf8_good_avx512(&t, now, before, rest))
        return i;
    if (dst != NULL && len >= 64)
        _mm512_storeu_si512(dst + len - 64, last);
    else if (dst != NULL)
        (void)weiri_mask_short(dst, src, len, word);
    return len;
}
#else
typedef int utf8_avx512_is_empty; /* ISO C wants something in each file */
#endif
