/* SPDX-License-Identifier: MIT */
/* ascii.c - floor 1: the byte classes of HTTP, and ASCII without locale. */
#include "ascii.h"

#include <string.h>

/* clang-format off */
const uint8_t weiri_ascii[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     2, 15,  6,  3, 15,  7, 15, 15, 14, 14, 15, 15, 14, 15, 15,  6,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6, 14,  6, 14,  6,  6,
     6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  6,  7, 15,
     7, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  7,  6, 15,  0,
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

bool weiri_all(weir_str str, unsigned classes)
{
    for (size_t i = 0; i < str.len; i++)
        if (!weiri_is(str.ptr[i], classes))
            return false;
    return str.len != 0;
}

weir_str weiri_trim(weir_str str)
{
    while (str.len && weiri_is_blank(*str.ptr))
        str.ptr++, str.len--;
    while (str.len && weiri_is_blank(str.ptr[str.len - 1]))
        str.len--;
    return str;
}

bool weiri_equal(weir_str a, weir_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool weiri_equal_nocase(weir_str a, weir_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (weiri_lower(a.ptr[i]) != weiri_lower(b.ptr[i]))
            return false;
    return true;
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
