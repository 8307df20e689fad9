/* SPDX-License-Identifier: MIT */
/* base64.h - floor 1: base64 (RFC 4648 4), for the opening handshake. */
#ifndef WEIRI_BASE64_H
#define WEIRI_BASE64_H

#include "weir/base.h"

/* Writes (len + 2) / 3 * 4 characters to dst, no NUL. */
void weiri_base64_encode(char *dst, const uint8_t *src, size_t len);

/* Decodes text to at most cap bytes. False if it has bytes outside the alphabet, white space, wrong
 * padding, or does not fit. Stray low bits of the last character are let pass, as RFC 4648 3.5 allows.
 * src/backends/mbedtls.c offers the same functions. */
bool weiri_base64_decode(uint8_t *dst, size_t cap, weir_str text, size_t *len);

#endif
