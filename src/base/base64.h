/* SPDX-License-Identifier: MIT */
/* base64.h - floor 1: base64 (RFC 4648 4), for the opening handshake. */
#ifndef WEIRI_BASE64_H
#define WEIRI_BASE64_H

#include "weir/base.h"

/* Writes (len + 2) / 3 * 4 characters to dst, no NUL. src/backends/mbedtls.c offers the same function. */
void weiri_base64_encode(char *dst, const uint8_t *src, size_t len);

#endif
