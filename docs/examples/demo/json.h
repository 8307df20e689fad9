/* SPDX-License-Identifier: MIT */
/*
 * json.h - the little JSON (RFC 8259) that the examples need: look into a text, write one string.
 *
 *     if (json_member(text, len, "say", said, sizeof said, &said_len)) ...
 *
 *     json_value all, error, message;
 *     if (json_read(text, len, &all) && json_get(all, "error", &error) &&
 *         json_get(error, "message", &message))
 *         n = json_text(message, bytes);
 */
#ifndef DEMO_JSON_H
#define DEMO_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Longest key that can be asked for. */
#define JSON_KEY_MAX 32

/* A value, as it is spelt: a slice of a text that json_read has checked, without white space around it. */
typedef struct json_value {
    const char *text;
    size_t len;
} json_value;

/*
 * json_read - check a text: one value, well-formed to its last byte, valid UTF-8, nested at most 32 deep.
 *
 * Half of a surrogate pair is let through, since servers that cut text where they please send such: json_text
 * makes U+FFFD of it.
 *
 * value    the value, valid as long as the text, when the result is true.                    [out]
 *
 * Returns  true; false if the text is anything else. Cost O(len), no recursion.
 */
bool json_read(const char *text, size_t len, json_value *value);

/*
 * json_get - the value that an object has under a key; the last one where the key stands twice.
 *
 * object   any value.
 * key      NUL-terminated UTF-8, at most JSON_KEY_MAX bytes.
 *
 * Returns  true; false if there is none, or `object` is no object. Cost O(object.len).
 */
bool json_get(json_value object, const char *key, json_value *value);

/*
 * json_next - take the next element of an array.
 *
 * walk     at first the array itself; moved past the element, and only good for this from then on. [in,out]
 *
 * Returns  true; false behind the last one, or if it was no array.
 */
bool json_next(json_value *walk, json_value *item);

/* Is a value spelt like this, as `null`? */
bool json_is(json_value value, const char *spelt);

/*
 * json_text - what a string says.
 *
 * dst      value.len bytes, which always suffice. No NUL is added. NULL to ask whether it is a string.
 * len      the bytes written; \u0000 in the text is a NUL among them.                         [out]
 *
 * Returns  true, or false if the value is no string.
 */
bool json_text(json_value value, char *dst, size_t *len);

/*
 * json_member - the string that a JSON object has under a key, in one step, and strictly: half of a surrogate
 * pair anywhere is malformed.
 *
 * text     `len` bytes, from anybody.
 * key      as for json_get.
 * dst      `cap` bytes for the string and a NUL after it. Undefined content if the result is false.
 * out_len  the string's length without that NUL.                                             [out]
 *
 * Returns  true; false if the text is malformed or no object, has no such key, has another type of value
 *          under it, or the string and its NUL do not fit.
 */
bool json_member(const char *text, size_t len, const char *key, char *dst, size_t cap, size_t *out_len);

/*
 * json_string - write bytes as a JSON string, with its quotes.
 *
 * UTF-8 stays as it is. Escaped are the quote, the backslash, control characters (which could act on a
 * terminal), and U+2028 and U+2029, which JavaScript took for line ends before 2019. Each byte that is not
 * UTF-8 becomes U+FFFD.
 *
 * dst      `cap` bytes; may be NULL if cap is 0. No NUL is added.
 * text     `len` bytes; must not overlap dst.
 *
 * Returns  the bytes needed, at most 6 * len + 2. If that is over cap, dst is not to be used.
 */
size_t json_string(char *dst, size_t cap, const char *text, size_t len);

#endif
