/* SPDX-License-Identifier: MIT */
/* lines.h - floor 1: field lines (RFC 9112 5) that lie whole in memory. */
#ifndef WEIRI_LINES_H
#define WEIRI_LINES_H

#include <stddef.h>
#include <stdint.h>

/* A line's bytes are name ":" value CR LF; each position is counted from where the search began. */
typedef struct weiri_line {
    size_t name;  /* where the name begins, */
    size_t colon; /* and ends */
    size_t end;   /* where the value ends, with the white space around it: at CR */
} weiri_line;

/* Finds the lines at the front that are whole and valid, up to `cap`: a token that is not empty, a colon,
 * bytes that may stand in a value, CR LF. Stops in front of any other line, which is empty, cut or wrong.
 * Returns how many were found. */
size_t weiri_lines(const uint8_t *bytes, size_t len, weiri_line *lines, size_t cap);

/* The same on processors that have it, but stops also in front of lines that are not for it: those that
 * reach into the last bytes, or have a long name. `at` is where it begins. */
size_t weiri_lines_avx2(const uint8_t *bytes, size_t len, size_t at, weiri_line *lines, size_t cap);

#endif
