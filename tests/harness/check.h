/* SPDX-License-Identifier: MIT */
/* check.h - cmocka with its own includes, and assertions about slices. */
#ifndef WEIR_TEST_CHECK_H
#define WEIR_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weir/base.h"

/* A slice equals a text; absent (ptr NULL) equals no text. */
#define assert_str(str, text) check_str((str), (text), __FILE__, __LINE__)
#define assert_absent(str) assert_true((str).ptr == NULL && (str).len == 0)

static inline void check_str(weir_str str, const char *text, const char *file, int line)
{
    if (str.ptr != NULL && str.len == strlen(text) && memcmp(str.ptr, text, str.len) == 0)
        return;
    print_error("%s:%d: \"%.*s\" (%zu bytes) is not \"%s\"\n", file, line, (int)str.len,
                str.ptr == NULL ? "" : (const char *)str.ptr, str.len, text);
    fail();
}

/* A slice over an array of characters with NUL bytes inside. */
#define STR_OF(literal) ((weir_str){(const uint8_t *)("" literal), sizeof(literal) - 1})

#endif
