/* SPDX-License-Identifier: MIT */
/*
 * json.h - the little JSON (RFC 8259) that the demo needs: read one string, write one string.
 *
 *     if (json_member(text, len, "say", said, sizeof said, &said_len)) ...
 */
#ifndef DEMO_JSON_H
#define DEMO_JSON_H

#include <stdbool.h>
#include <stddef.h>

/*
 * json_member - the string that a JSON object has under a key.
 *
 * The whole text is checked: one object, well-formed to its last byte, valid UTF-8, values nested
 * at most 32 deep. Escapes are decoded, in keys too. Where a key stands twice, the last one counts.
 *
 * text     `len` bytes, from anybody.
 * key      NUL-terminated UTF-8, at most 32 bytes.
 * dst      `cap` bytes for the string and a NUL after it. Undefined content if the result is false.
 * out_len  the string's length without that NUL; \u0000 in the text is a NUL inside it.       [out]
 *
 * Returns  true; false if the text is malformed, has no such key, has another type of value under
 *          it, or the string and its NUL do not fit.
 * Cost     O(len), no recursion.
 */
bool json_member(const char *text, size_t len, const char *key, char *dst, size_t cap, size_t *out_len);

/*
 * json_string - write bytes as a JSON string, with its quotes.
 *
 * UTF-8 stays as it is. Escaped are the quote, the backslash, control bytes, and U+2028 and U+2029,
 * which JavaScript took for line ends before 2019. Each byte that is not UTF-8 becomes U+FFFD.
 *
 * dst      `cap` bytes; may be NULL if cap is 0. No NUL is added.
 * text     `len` bytes; must not overlap dst.
 *
 * Returns  the bytes needed, at most 6 * len + 2; written only if that is not over cap.
 */
size_t json_string(char *dst, size_t cap, const char *text, size_t len);

#endif
