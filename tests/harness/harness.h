/* SPDX-License-Identifier: MIT */
/* tests/harness/harness.h - feed a machine the same stream under many cuts and compare what it says. */
#ifndef WEIR_TEST_HARNESS_H
#define WEIR_TEST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Log: what a machine said, as text ---------------------------------------------------------- */

/* A growing text. Bytes of one stream that arrive in pieces are joined: log_bytes under the label of
 * the last entry extends it, so that borders of pieces do not show. machine_check makes its own. */
typedef struct log log;

log *log_new(void);
void log_free(log *log);
void log_clear(log *log);

/* One finished line, printf-like, without line end. */
void log_line(log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes under a label: `label "printable text with \xHH"`; consecutive calls with the same label join.
 * `"`, `\` and all outside 0x20..0x7E become \xHH with upper-case digits. */
void log_bytes(log *log, const char *label, const void *bytes, size_t len);
/* The same quoted text, for use in a log_line; valid until the fourth call after this one, cut to
 * 1000 bytes. NULL becomes `absent`. */
const char *log_quote(const void *bytes, size_t len);
/* All lines, each ended by LF; valid until the next call on the log. */
const char *log_text(log *log);

/* ---- Machine: anything that takes a stream ------------------------------------------------------- */

typedef struct machine {
    void (*start)(void *self);                                      /* (re)initialise */
    void (*feed)(void *self, uint8_t *bytes, size_t len, log *log); /* one piece, may be rewritten */
    void (*finish)(void *self, log *log);                           /* end of stream; may be NULL */
    void *self;
} machine;

/* Runs the stream whole, byte by byte (once with empty pieces in between), at every 1-cut, at some
 * pseudo-random cuts and, for streams of at most 64 bytes, at every 2-cut; each piece lies flush
 * against a PROT_NONE page (at its end, and once more at its start) and is overwritten after the
 * machine had it. Fails the cmocka test with `title` and the cut when a log differs from `expected`
 * (or, with expected NULL, from the log of the whole run). Long streams (over 4 KiB) take sampled
 * 1-cuts. In `expected`, any escape of a vector file may stand for a byte. */
void machine_check(const machine *m, const char *title, const void *stream, size_t len, const char *expected);

/* The same, but prints the first difference and returns false instead of failing the test: for
 * vector files, so that one run shows every vector that fails. */
bool machine_agrees(const machine *m, const char *title, const void *stream, size_t len,
                    const char *expected);

/* Silences what machine_agrees prints, for the test of the harness itself. */
extern bool machine_quiet;

/* ---- Repetitions --------------------------------------------------------------------------------- */

/* How often to repeat what is random, or how much to send of what has no end: `full`, or with
 * WEIR_TEST_ROUNDS=N in the environment N percent of it, at least 1. For emulators and checkers, which
 * are 10 to 50 times slower; vectors, tables and cuts are never fewer. */
size_t test_rounds(size_t full);

/* ---- Guarded memory ------------------------------------------------------------------------------ */

/* A copy of `len` bytes whose end (or, with at_start, whose start) touches an unmapped page. `bytes`
 * may be NULL: the memory is then zeroed. */
uint8_t *guard_copy(const void *bytes, size_t len, bool at_start);
void guard_free(uint8_t *copy);

/* ---- Vector files -------------------------------------------------------------------------------- */

/* tests/vectors/(name): blocks separated by blank lines; `#` lines are comments.
 *     = title, with the RFC section
 *     key: value                 (any number; e.g. role: server)
 *     > stream bytes as text with \r \n \t \0 \" \\ \xHH; several lines are joined without line ends
 *     >* N text                  the text N times
 *     < expected log line        (any number, in order; the same escapes, none at all: silence) */
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
