/* SPDX-License-Identifier: MIT */
/* str.c - floor 1: the public helpers over slices and cursors. */
#include "weir/base.h"

#include "ascii.h"

#include <string.h>

weir_str weir_cstr(const char *text)
{
    weir_str str = {NULL, 0};
    if (text != NULL) {
        str.ptr = (const uint8_t *)text;
        while (text[str.len] != '\0')
            str.len++;
    }
    return str;
}

bool weir_str_is(weir_str str, const char *text)
{
    return weiri_equal(str, weir_cstr(text));
}

bool weir_str_is_nocase(weir_str str, const char *text)
{
    return weiri_equal_nocase(str, weir_cstr(text));
}

int weir_out_put(weir_out *out, weir_str bytes)
{
    if (bytes.len > out->len)
        return WEIR_ERR_SPACE;
    if (bytes.len == 0)
        return 0;
    memcpy(out->ptr, bytes.ptr, bytes.len);
    out->ptr += bytes.len;
    out->len -= bytes.len;
    return 0;
}

uint32_t weir_version(void)
{
    return WEIR_VERSION_NUM;
}
