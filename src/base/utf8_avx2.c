/* SPDX-License-Identifier: MIT */
/* utf8_avx2.c - floor 1: unmasking and validation of UTF-8, 32 bytes a step; utf8_faults.h says how. */
#include "utf8.h"

#include "bytes.h"
#include "utf8_faults.h"

#if defined(WEIRI_AVX2)
#include <immintrin.h>

static inline WEIRI_TARGET_AVX2 __m256i utf8_load(const uint8_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

static inline WEIRI_TARGET_AVX2 void utf8_store(uint8_t *to, __m256i bytes)
{
    _mm256_storeu_si256((__m256i *)(void *)to, bytes);
}

static inline WEIRI_TARGET_AVX2 __m256i utf8_look_avx2(const uint8_t table[16], __m256i halves)
{
    __m128i row = _mm_loadu_si128((const __m128i *)(const void *)table);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(row), halves);
}

/* Which of 32 bytes behind the 32 of `before` show a fault? */
static inline WEIRI_TARGET_AVX2 uint32_t utf8_faults_avx2(__m256i bytes, __m256i before)
{
    const __m256i low = _mm256_set1_epi8(0x0F);
    /* The same 32 bytes, begun one, two and three bytes earlier. */
    __m256i joint = _mm256_permute2x128_si256(before, bytes, 0x21);
    __m256i back1 = _mm256_alignr_epi8(bytes, joint, 15);
    __m256i back2 = _mm256_alignr_epi8(bytes, joint, 14);
    __m256i back3 = _mm256_alignr_epi8(bytes, joint, 13);

    __m256i first_high = utf8_look_avx2(utf8_first_high, _mm256_and_si256(_mm256_srli_epi16(back1, 4), low));
    __m256i first_low = utf8_look_avx2(utf8_first_low, _mm256_and_si256(back1, low));
    __m256i second_high =
        utf8_look_avx2(utf8_second_high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low));
    __m256i pair = _mm256_and_si256(_mm256_and_si256(first_high, first_low), second_high);
    __m256i third = _mm256_subs_epu8(back2, _mm256_set1_epi8((char)UTF8_BELOW_THREE));
    __m256i fourth = _mm256_subs_epu8(back3, _mm256_set1_epi8((char)UTF8_BELOW_FOUR));
    __m256i wanted = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(pair, wanted));
}

WEIRI_TARGET_AVX2 size_t weiri_utf8_bulk_avx2(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    const __m256i key = _mm256_set1_epi32((int)word);
    const __m256i last =
        _mm256_xor_si256(utf8_load(src + len - 32), _mm256_set1_epi32((int)weiri_turn(word, (unsigned)len)));
    __m256i before = _mm256_setzero_si256();
    size_t i = 0;
    for (; len - i >= 32; i += 32) {
        __m256i now = _mm256_xor_si256(utf8_load(src + i), key);
        /* Two steps of ASCII in a row need no tables. */
        if (_mm256_movemask_epi8(_mm256_or_si256(now, before)) != 0 && utf8_faults_avx2(now, before) != 0)
            return i;
        if (dst != NULL)
            utf8_store(dst + i, now);
        before = now;
    }
    /* The bytes from i on are the end of `last`; what follows them does not matter. */
    uint8_t around[64] = {0};
    utf8_store(around + (len - i), last);
    uint32_t rest = (UINT32_C(1) << (len - i)) - 1;
    if ((utf8_faults_avx2(utf8_load(around + 32), before) & rest) != 0)
        return i;
    if (dst != NULL)
        utf8_store(dst + len - 32, last);
    return len;
}
#else
typedef int utf8_avx2_is_empty; /* ISO C wants something in each file */
#endif
