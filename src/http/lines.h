/* SPDX-License-Identifier: MIT */
/* lines.h - floor 2: field lines (RFC 9112 5) that lie whole in memory, as a list of fields. */
#ifndef WEIRI_LINES_H
#define WEIRI_LINES_H

#include "base/ascii.h"
#include "weir/http.h"

/* A walk over lines. */
typedef struct weiri_lines {
    const uint8_t *bytes;
    size_t len;
    size_t at;             /* behind the lines that were taken, */
    weir_http_field *list; /* which are here: */
    size_t count;          /* so many, */
    size_t cap;            /* of so many at most */
} weiri_lines;

/* Takes lines that are whole and valid: a token that is not empty, a colon, bytes that may stand in a value,
 * CR LF. Stops in front of any other line, which is empty, cut or wrong, or when the list is full. */
void weiri_lines_take(weiri_lines *walk);

/* The same on processors that have it; needs room for WEIRI_LINES_STEP lines. Stops also in front of lines
 * that are not for it: AVX2's does nothing if there are fewer than 64 bytes. */
enum { WEIRI_LINES_STEP = 17 }; /* 64 bytes have 16 lines, and may have the end of one more */
void weiri_lines_avx2(weiri_lines *walk);
void weiri_lines_avx512(weiri_lines *walk);

/* Takes the line in front, if it is one: the bytes up to `colon` may stand in a name, those up to `end` in a
 * value. */
static inline bool weiri_lines_put(weiri_lines *walk, size_t colon, size_t end)
{
    const uint8_t *bytes = walk->bytes;
    if (walk->len - end < 2 || memcmp(bytes + end, "\r\n", 2) != 0 || colon == walk->at ||
        bytes[colon] != ':')
        return false;
    weir_http_field *field = &walk->list[walk->count++];
    field->name = (weir_str){bytes + walk->at, colon - walk->at};
    /* One space in front of the value is what nearly all send. */
    if (bytes[colon + 1] == ' ' && bytes[colon + 2] > ' ' && bytes[end - 1] > ' ')
        field->value = (weir_str){bytes + colon + 2, end - colon - 2};
    else
        field->value = weiri_trim((weir_str){bytes + colon + 1, end - colon - 1});
    walk->at = end + 2;
    return true;
}

#endif
