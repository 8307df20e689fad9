/* SPDX-License-Identifier: MIT */
/* lines.h - floor 1: field lines (RFC 9112 5) that lie whole in memory. */
#ifndef WEIRI_LINES_H
#define WEIRI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line's bytes are name ":" value CR LF; each position is counted from where the walk began. */
typedef struct weiri_line {
    size_t name;  /* where the name begins, */
    size_t colon; /* and ends */
    size_t end;   /* where the value ends, with the white space around it: at CR */
} weiri_line;

/* A walk over lines. */
typedef struct weiri_lines {
    const uint8_t *bytes;
    size_t len;
    uint64_t lengths; /* bit n: lines whose names have n bytes, modulo 64, are wanted */
    size_t at;        /* behind the lines that were taken, */
    size_t count;     /* which are so many */
} weiri_lines;

/* Is a name of this length wanted? */
static inline bool weiri_lines_want(const weiri_lines *walk, size_t name_len)
{
    return (walk->lengths >> name_len % 64 & 1) != 0;
}

/* Takes lines that are whole and valid: a token that is not empty, a colon, bytes that may stand in a value,
 * CR LF. Stops in front of any other line, which is empty, cut or wrong: then *more becomes false; or when
 * there might not be room for a wanted line. `lines` gets those that are wanted: up to `cap`, one at least.
 * Returns how many these are. */
size_t weiri_lines_take(weiri_lines *walk, weiri_line *lines, size_t cap, bool *more);

/* The same on processors that have it, behind `kept` lines; needs room for WEIRI_LINES_STEP of them. Stops
 * also in front of lines that are not for it: AVX2's does nothing if there are fewer than 64 bytes. Returns
 * how many lines are kept now. */
enum { WEIRI_LINES_STEP = 17 }; /* 64 bytes have 16 lines, and then there is room for one more */
size_t weiri_lines_avx2(weiri_lines *walk, weiri_line *lines, size_t kept, size_t cap);
size_t weiri_lines_avx512(weiri_lines *walk, weiri_line *lines, size_t kept, size_t cap);

/* Behind the first line of valid ones: where a line begins that may have a name of this length, since there
 * is a colon behind it; or `len`. */
size_t weiri_lines_find(const uint8_t *bytes, size_t len, size_t name_len);

/* The same on processors that have it: looks for LF and, `colon` bytes behind it, a colon. LF is one of the
 * first `last` bytes, which are 32 at least, or 64. Returns where it stands, or `last`. */
size_t weiri_lines_find_avx2(const uint8_t *bytes, size_t last, size_t colon);
size_t weiri_lines_find_avx512(const uint8_t *bytes, size_t last, size_t colon);

#endif
