/* SPDX-License-Identifier: MIT */
/* scan.c - floor 3: the scans of scan.h that need nothing but what the compiler's target has. */
#include "scan.h"

size_t weiri_line_len_words(const uint8_t *bytes, size_t len, bool *wide)
{
    uint64_t all = 0;
    size_t at = 0;
    while (at < len && len >= 8) {
        size_t step = len - at < 8 ? len - 8 : at;
        uint64_t word = weiri_word(bytes + step);
        if (weiri_word_ends(word) != 0)
            break;
        all |= word;
        at = step + 8;
    }
    for (; at < len && !weiri_is_line_end(bytes[at]); at++)
        all |= bytes[at];
    *wide |= weiri_word_wide(all) != 0;
    return at;
}

#if defined(WEIRI_SSE2)
/* Not zero if a byte of either is below 14 or above 0x7F: of text only line ends, tabs and what is not ASCII.
 * As signed numbers these are all below 14. */
static inline unsigned odd(__m128i a, __m128i b)
{
    const __m128i limit = _mm_set1_epi8('\r' + 1);
    return weiri_mask16(_mm_or_si128(_mm_cmplt_epi8(a, limit), _mm_cmplt_epi8(b, limit)));
}

size_t weiri_line_len_sse2(const uint8_t *bytes, size_t len, bool *wide)
{
    size_t at = 0;
    while (at < len) {
        while (len - at >= 32 && odd(weiri_load16(bytes + at), weiri_load16(bytes + at + 16)) == 0)
            at += 32;
        if (at == len)
            break;
        at = len - at < 32 ? len - 32 : at;
        __m128i a = weiri_load16(bytes + at), b = weiri_load16(bytes + at + 16);
        unsigned ends = weiri_ends16(a) | weiri_ends16(b) << 16;
        unsigned high = weiri_mask16(a) | weiri_mask16(b) << 16;
        *wide |= (high & weiri_below(ends)) != 0;
        if (ends != 0)
            return at + (unsigned)__builtin_ctz(ends);
        at += 32;
    }
    return len;
}

bool weiri_plain_copy_sse2(uint8_t *to, const uint8_t *text, size_t len)
{
    size_t at = 0;
    for (; len - at >= 32; at += 32) {
        __m128i a = weiri_load16(text + at), b = weiri_load16(text + at + 16);
        if (odd(a, b) != 0)
            return false;
        weiri_store16(to + at, a);
        weiri_store16(to + at + 16, b);
    }
    while (at < len) {
        at = len - at < 16 ? len - 16 : at;
        __m128i a = weiri_load16(text + at);
        if (odd(a, a) != 0)
            return false;
        weiri_store16(to + at, a);
        at += 16;
    }
    return true;
}

/*
 * A block is copied as if there were no line end in it. Behind each that there is, the bytes to come are
 * copied once more, to their new place: which reaches into the next block, and that is copied then. Of CR LF
 * the CR becomes the mark, and LF nothing. Where in the text all this happens hangs on no other line, so that
 * the processor works on several at once.
 */
size_t weiri_lines_sse2(uint8_t *to, const uint8_t *text, size_t len, size_t spare, const weiri_mark *mark,
                        bool *wide)
{
    size_t at = 0, grown = 0;
    __m128i all = _mm_setzero_si128();
    for (; len - at >= 32; at += 16) {
        __m128i block = weiri_load16(text + at);
        all = _mm_or_si128(all, block);
        weiri_store16(to + at + grown, block);
        for (unsigned ends = weiri_ends16(block); ends != 0; ends &= ends - 1) {
            size_t end = at + (unsigned)__builtin_ctz(ends);
            if (end != 0 && weiri_ends_pair(text, end)) {
                grown--;
            } else {
                weiri_mark_put(to + end + grown, mark);
                grown += mark->len - 1;
                if (grown > spare + 1) /* one less if it is CR LF */
                    return WEIRI_NO_ROOM;
            }
            weiri_store16(to + end + 1 + grown, weiri_load16(text + end + 1));
        }
    }
    *wide |= weiri_mask16(all) != 0;
    if (weiri_ends_pair(text, at)) {
        at++;
        grown--;
    }
    if (grown > spare)
        return WEIRI_NO_ROOM;
    size_t rest = weiri_lines_words(to + at + grown, text + at, len - at, spare - grown, mark, wide);
    return rest == WEIRI_NO_ROOM ? rest : grown + rest;
}
#endif

/* The last word is moved back so that it ends with the text. What it reaches there is of the same line, or
 * has the line end before that, and then the word is not taken. */
size_t weiri_lines_words(uint8_t *to, const uint8_t *text, size_t len, size_t spare, const weiri_mark *mark,
                         bool *wide)
{
    size_t at = 0, grown = 0;
    uint64_t all = 0;
    for (;;) {
        while (at < len && len >= 8) {
            size_t from = len - at < 8 ? len - 8 : at;
            uint64_t word = weiri_word(text + from);
            if (weiri_word_ends(word) != 0)
                break;
            all |= word;
            memcpy(to + from + grown, &word, sizeof word);
            at = from + 8;
        }
        for (; at < len && !weiri_is_line_end(text[at]); at++) {
            to[at + grown] = text[at];
            all |= text[at];
        }
        if (at == len)
            break;
        size_t end_len = weiri_line_end_len(text, len, at);
        if (mark->len - end_len > spare - grown)
            return WEIRI_NO_ROOM;
        weiri_mark_put(to + at + grown, mark);
        grown += mark->len - end_len;
        at += end_len;
    }
    *wide |= weiri_word_wide(all) != 0;
    return grown;
}
