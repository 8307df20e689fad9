/* SPDX-License-Identifier: MIT */
/* text.h - the test harness's escapes: \r \n \t \0 \" \\ and \xHH. */
#ifndef WEIR_TEST_TEXT_H
#define WEIR_TEST_TEXT_H

#include <stddef.h>

/* Decodes escapes into dst, which has room for len bytes. Returns the bytes written, or (size_t)-1
 * when an escape is malformed. */
size_t text_decode(unsigned char *dst, const char *text, size_t len);

/* The text with every escape and every byte outside 0x20..0x7E (but LF) in the form that log_bytes
 * writes. To be freed; aborts the program on a malformed escape. */
char *text_canonical(const char *text);

#endif
