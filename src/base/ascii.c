/* SPDX-License-Identifier: MIT */
/* ascii.c - floor 1: the byte classes of HTTP, and ASCII without locale. */
#include "ascii.h"

#include <string.h>

/* clang-format off */
const uint8_t weiri_ascii[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     2, 15,  6,  3, 15,  7, 15, 15, 14, 14, 15, 31, 14, 15, 15, 22,
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31,  6, 14,  6, 14,  6,  6,
     6, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31,
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31,  6,  6,  6,  7, 15,
     7, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31,
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31,  6,  7,  6, 15,  0,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
};
/* clang-format on */

int weiri_hex(uint8_t byte)
{
    if (weiri_is_digit(byte))
        return byte - '0';
    uint8_t letter = (uint8_t)(weiri_lower(byte) - 'a');
    return letter < 6 ? letter + 10 : -1;
}

bool weiri_equal(weir_str a, weir_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Eight bytes, or fewer and zeros. They may differ in bit 0x20, and there only where they are letters: the
 * sums have a byte's highest bit where it is `a` or more, or more than `z`, and no carry leaves a byte. */
static inline bool words_equal_nocase(uint64_t a, uint64_t b)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t differ = a ^ b;
    if (differ == 0)
        return true;
    uint64_t small = (a & ones * 0x7F) | ones * 0x20;
    uint64_t letters = (small + ones * (0x80 - 'a')) & ~(small + ones * (0x7F - 'z')) & ~a;
    return (differ & ~(ones * 0x20)) == 0 && (differ << 2 & ~letters) == 0;
}

/* Up to three bytes one by one; else words, of which the last may overlap the one before it. */
bool weiri_equal_nocase(weir_str a, weir_str b)
{
    size_t i = 0;
    if (a.len != b.len)
        return false;
    if (a.len >= 8) {
        for (; a.len - i > 8; i += 8)
            if (!words_equal_nocase(weiri_word(a.ptr + i), weiri_word(b.ptr + i)))
                return false;
        return words_equal_nocase(weiri_word(a.ptr + a.len - 8), weiri_word(b.ptr + a.len - 8));
    }
    if (a.len >= 4)
        return words_equal_nocase(weiri_half(a.ptr), weiri_half(b.ptr)) &&
               words_equal_nocase(weiri_half(a.ptr + a.len - 4), weiri_half(b.ptr + a.len - 4));
    while (i < a.len && weiri_lower(a.ptr[i]) == weiri_lower(b.ptr[i]))
        i++;
    return i == a.len;
}

bool weiri_decimal(weir_str str, uint64_t *number)
{
    uint64_t value = 0;
    for (size_t i = 0; i < str.len; i++) {
        uint64_t digit = (uint64_t)(uint8_t)(str.ptr[i] - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return str.len != 0;
}
