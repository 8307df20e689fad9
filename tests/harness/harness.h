/* SPDX-License-Identifier: MIT */
/* tests/harness/harness.h - feed a machine the same stream under many cuts and compare what it says. */
#ifndef WEIR_TEST_HARNESS_H
#define WEIR_TEST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Log: what a machine said, as text ---------------------------------------------------------- */

/* A growing text. Bytes of one stream that arrive in pieces are joined: log_bytes under the label of
 * the last entry extends it, so that borders of pieces do not show. */
typedef struct log log;

/* One finished line, printf-like, without line end. */
void log_line(log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes under a label: `label "printable text with \xHH"`; consecutive calls with the same label join. */
void log_bytes(log *log, const char *label, const void *bytes, size_t len);
const char *log_text(log *log);

/* ---- Machine: anything that takes a stream ------------------------------------------------------- */

typedef struct machine {
    void (*start)(void *self);                                      /* (re)initialise */
    void (*feed)(void *self, uint8_t *bytes, size_t len, log *log); /* one piece, may be rewritten */
    void (*finish)(void *self, log *log);                           /* end of stream; may be NULL */
    void *self;
} machine;

/* Runs the stream whole, byte by byte, at every 1-cut and, for streams of at most 64 bytes, at every
 * 2-cut; each piece lies flush against a PROT_NONE page (at its end, and once more at its start).
 * Fails the cmocka test with `title` and the cut when a log differs from `expected` (or, with
 * expected NULL, from the log of the whole run). Long streams (over 4 KiB) take sampled 1-cuts. */
void machine_check(const machine *m, const char *title, const void *stream, size_t len, const char *expected);

/* ---- Guarded memory ------------------------------------------------------------------------------ */

/* A copy of `len` bytes whose end (or, with at_start, whose start) touches an unmapped page. */
uint8_t *guard_copy(const void *bytes, size_t len, bool at_start);
void guard_free(uint8_t *copy);

/* ---- Vector files -------------------------------------------------------------------------------- */

/* tests/vectors/(name): blocks separated by blank lines; `#` lines are comments.
 *     = title, with the RFC section
 *     key: value                 (any number; e.g. role: server)
 *     > stream bytes as text with \r \n \t \0 \\ \xHH; several lines are joined without line ends
 *     >* N text                  the text N times
 *     < expected log line        (any number, in order) */
typedef struct vector {
    const char *title;
    int line; /* in the file, for messages */
    uint8_t *stream;
    size_t len;
    char *expected; /* lines joined by LF, each ended by LF */
} vector;

const char *vector_get(const vector *v, const char *key); /* value or NULL */
/* Calls `each` for every block of the file; returns how many there were, fails the test if none. The
 * folder is the macro WEIR_VECTORS given by the Makefile. */
size_t vectors_each(const char *file, void (*each)(const vector *v));

#endif
