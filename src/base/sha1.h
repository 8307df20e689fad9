/* SPDX-License-Identifier: MIT */
/* sha1.h - floor 1: SHA-1 (RFC 3174), for Sec-WebSocket-Accept only. */
#ifndef WEIRI_SHA1_H
#define WEIRI_SHA1_H

#include <stddef.h>
#include <stdint.h>

/* The digest of `len` bytes. SHA-1 is broken for signatures; here it only shows that the server read
 * the handshake (RFC 6455 10.8). src/backends/mbedtls.c offers the same function. */
void weiri_sha1(const uint8_t *data, size_t len, uint8_t digest[20]);

/* Blocks of it, of 64 bytes each, on processors that have instructions for it. */
void weiri_sha1_blocks_x86(uint32_t h[5], const uint8_t *data, size_t count);

#endif
