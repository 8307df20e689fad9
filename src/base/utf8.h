/* SPDX-License-Identifier: MIT */
/* utf8.h - floor 1: validation of UTF-8 (RFC 3629) in pieces. */
#ifndef WEIRI_UTF8_H
#define WEIRI_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Checks the next piece of a text. *state is 0 before the first piece and whenever the text so far
 * ends at a character border. Returns len if the text may go on so, else the index of the first byte
 * with which no valid text begins; *state is then of no use. */
size_t weiri_utf8_check(uint32_t *state, const uint8_t *bytes, size_t len);

/* The same for bytes that are masked, which it unmasks in place: all of them, whatever it returns. `word` is
 * the key as weiri_mask takes it; 0 leaves them as they are. */
size_t weiri_utf8_unmask(uint32_t *state, uint8_t *bytes, size_t len, uint32_t word);

/* From a character's border on: unmasks src to dst, which may be src, and checks it, on processors that have
 * the instructions; with dst NULL and word 0 only checks. Returns how many bytes are done, with which a valid
 * text may begin. What is not done is not written. */
size_t weiri_utf8_bulk_avx2(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word);   /* len >= 32 */
size_t weiri_utf8_bulk_avx512(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word); /* any len */
size_t weiri_utf8_bulk_neon(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word);   /* len >= 16 */

/* How many bytes at the front are known to be ASCII: all, or those before the step that has another. */
size_t weiri_utf8_plain_avx512(const uint8_t *bytes, size_t len); /* len >= 64 */

/* Copies a text with U+FFFD for each maximal part of a character that is not valid (Encoding Standard,
 * "UTF-8 decode"; the byte order mark is not looked for). Returns the bytes that takes; with dst NULL
 * only counts. Never shorter than len. dst may be before src in the same memory if the rest of the room
 * between them is what the text grows by. */
size_t weiri_utf8_repair(uint8_t *dst, const uint8_t *src, size_t len);

#endif
