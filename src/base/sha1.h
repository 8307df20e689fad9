/* SPDX-License-Identifier: MIT */
/* sha1.h - floor 1: SHA-1 (RFC 3174), for Sec-WebSocket-Accept only. */
#ifndef WEIRI_SHA1_H
#define WEIRI_SHA1_H

#include <stddef.h>
#include <stdint.h>

/* The digest of the first 60 bytes; those behind them are room to work in. SHA-1 is broken for signatures;
 * here it only shows that the server read the handshake (RFC 6455 10.8). src/backends/mbedtls.c offers the
 * same function. */
void weiri_sha1(uint8_t text[64], uint8_t digest[20]);

/* Both blocks of it on processors that have instructions for it: the words of the last are these. */
void weiri_sha1_x86(uint32_t h[5], const uint8_t *block);
extern const uint32_t weiri_sha1_last[80];

#endif
