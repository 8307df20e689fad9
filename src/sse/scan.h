/* SPDX-License-Identifier: MIT */
/*
 * scan.h - floor 3: finds the ends of lines, and on the way whether a text is all ASCII.
 *
 * weiri_line_len decides by length between three that do the same: words of eight bytes in portable C, 16
 * bytes a load (SSE2), 32 a load (AVX2, out of line). The last step of each is moved back so that it ends
 * with the text. What it then looks at once more has no line end, else the scan would be over.
 */
#ifndef WEIRI_SSE_SCAN_H
#define WEIRI_SSE_SCAN_H

#include "base/bytes.h"
#include "base/simd.h"

#include <stddef.h>

static inline bool weiri_is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

/* weiri_word_either for line ends. */
static inline uint64_t weiri_word_ends(uint64_t word)
{
    return weiri_word_either(word, '\n', '\r');
}

/* Length of the line end at `at`. */
static inline size_t weiri_line_end_len(const uint8_t *text, size_t len, size_t at)
{
    return text[at] == '\r' && len - at > 1 && text[at + 1] == '\n' ? 2 : 1;
}

static inline uint64_t weiri_word_wide(uint64_t word)
{
    return word & UINT64_C(0x8080808080808080);
}

/* What only vectors need: elsewhere it would be unused in the library as one file. */
#if defined(WEIRI_SSE2)
static inline void weiri_store16(uint8_t *at, __m128i bytes)
{
    _mm_storeu_si128((__m128i *)(void *)at, bytes);
}

/* Bit i is the high bit of byte i. */
static inline unsigned weiri_mask16(__m128i bytes)
{
    return (unsigned)_mm_movemask_epi8(bytes);
}

/* Bit i says that byte i is CR or LF. */
static inline unsigned weiri_ends16(__m128i bytes)
{
    __m128i lf = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'));
    __m128i cr = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'));
    return weiri_mask16(_mm_or_si128(lf, cr));
}

/* Is the byte at `at`, which is not the first, the LF of CR LF? */
static inline bool weiri_ends_pair(const uint8_t *text, size_t at)
{
    return text[at] == '\n' && text[at - 1] == '\r';
}

/* The bits below the lowest one, and for zero all. Higher ones that were set stay set: as those of line ends,
 * they are never those of bytes above 0x7F, which callers look for. */
static inline uint64_t weiri_below(uint64_t bits)
{
    return bits - 1;
}
#endif

/* Bytes before the first CR or LF, or all `len`. *wide becomes true if one of them is above 0x7F, and stays
 * as it is else. No byte outside is read. The second takes 32 bytes at least, the third 64. */
size_t weiri_line_len_words(const uint8_t *bytes, size_t len, bool *wide);
size_t weiri_line_len_sse2(const uint8_t *bytes, size_t len, bool *wide);
size_t weiri_line_len_avx2(const uint8_t *bytes, size_t len, bool *wide);

static inline size_t weiri_line_len(const uint8_t *bytes, size_t len, bool *wide)
{
#if defined(WEIRI_SSE2)
    if (len >= 16) {
        __m128i first = weiri_load16(bytes);
        unsigned ends = weiri_ends16(first);
        if (ends != 0) {
            *wide |= (weiri_mask16(first) & weiri_below(ends)) != 0;
            return (unsigned)__builtin_ctz(ends);
        }
#if defined(WEIRI_AVX2)
        if (len >= 64 && weiri_has_avx2())
            return weiri_line_len_avx2(bytes, len, wide);
#endif
        if (len >= 32)
            return weiri_line_len_sse2(bytes, len, wide);
    }
#endif
    return weiri_line_len_words(bytes, len, wide);
}

/* Copies a text that is plain: ASCII, and no byte below 14, so in one line. Returns false, with some of it
 * copied, if it is not. The second takes 16 bytes at least, the third 64. */
static inline bool weiri_plain_copy_words(uint8_t *to, const uint8_t *text, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    size_t at = 0;
    while (len >= 8 && at < len) {
        at = len - at < 8 ? len - 8 : at;
        uint64_t word = weiri_word(text + at);
        if (((word | (word - ones * ('\r' + 1))) & highs) != 0) /* a borrow comes only from such a byte */
            return false;
        memcpy(to + at, &word, sizeof word);
        at += 8;
    }
    for (; at < len; at++) {
        if (text[at] <= '\r' || text[at] > 0x7F)
            return false;
        to[at] = text[at];
    }
    return true;
}

bool weiri_plain_copy_sse2(uint8_t *to, const uint8_t *text, size_t len);
bool weiri_plain_copy_avx2(uint8_t *to, const uint8_t *text, size_t len);

static inline bool weiri_plain_copy(uint8_t *to, const uint8_t *text, size_t len)
{
#if defined(WEIRI_SSE2)
    if (len >= 16) {
#if defined(WEIRI_AVX2)
        if (len >= 64 && weiri_has_avx2())
            return weiri_plain_copy_avx2(to, text, len);
#endif
        return weiri_plain_copy_sse2(to, text, len);
    }
#endif
    return weiri_plain_copy_words(to, text, len);
}

/* What stands between two lines of a field: LF and the field's name. Of it 3 or 7 bytes are written, and one
 * more that is written over. */
typedef struct weiri_mark {
    uint8_t bytes[8];
    size_t len;
} weiri_mark;

static inline void weiri_mark_put(uint8_t *to, const weiri_mark *mark)
{
    memcpy(to, mark->bytes, 4);
    if (mark->len > 4)
        memcpy(to + 4, mark->bytes + 4, 4);
}

/*
 * Copies a text, with a mark for each line end. Returns by how much it grew, or WEIRI_NO_ROOM if that were
 * more than `spare`. *wide becomes true if something is above 0x7F, and stays as it is else. There is room
 * for two bytes more, those of the blank line that follows.
 *
 * Byte i of the text goes to to[i + grown], where `grown` is what the line ends before it have become longer.
 * It never becomes shorter: so as many bytes as can be read of the text can also be written there, even where
 * a later step writes something else over them.
 */
#define WEIRI_NO_ROOM SIZE_MAX
size_t weiri_lines_words(uint8_t *to, const uint8_t *text, size_t len, size_t spare, const weiri_mark *mark,
                         bool *wide);
size_t weiri_lines_sse2(uint8_t *to, const uint8_t *text, size_t len, size_t spare, const weiri_mark *mark,
                        bool *wide);

static inline size_t weiri_lines_copy(uint8_t *to, const uint8_t *text, size_t len, size_t spare,
                                      const weiri_mark *mark, bool *wide)
{
#if defined(WEIRI_SSE2)
    if (len >= 32)
        return weiri_lines_sse2(to, text, len, spare, mark, wide);
#endif
    return weiri_lines_words(to, text, len, spare, mark, wide);
}

#endif
