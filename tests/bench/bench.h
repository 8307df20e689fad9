/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the benchmarks share: rounds that take turns, medians, tables, and a stand-in for a socket.
 *
 * Speed is only ever compared inside one run. All contestants of a row do the same work in turn, a few
 * milliseconds each, round after round, each round begun by another one; a row shows the medians over the
 * rounds of thread CPU time. What the machine does beside, and how its clock wanders, then meets all alike.
 *
 * Environment: BENCH_ROUNDS, BENCH_MS (CPU milliseconds of a contestant in a round), BENCH_ONLY (only rows
 * whose group or name has this in it), BENCH_TSV (a file for lines of `group TAB row TAB column TAB value`).
 */
#ifndef WEIR_BENCH_H
#define WEIR_BENCH_H

#include "weir/base.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Measuring ----------------------------------------------------------------------------------- */

enum { BENCH_COLUMNS = 8, BENCH_ROUNDS_MAX = 101 };

/* A contestant in a row. `run` does the row's work `times` times over. It returns 0, or the CPU time in
 * nanoseconds when it was not spent by this thread. */
typedef struct bench_case {
    double (*run)(void *user, size_t times);
    void *user;    /* NULL: takes no part in this row */
    double median; /* nanoseconds for the work once */
} bench_case;

typedef enum bench_unit { BENCH_NS, BENCH_RATE } bench_unit;

/* A table: the first column is what the others are compared with. */
typedef struct bench_group {
    const char *title;
    bench_unit unit;
    size_t columns;
    const char *names[BENCH_COLUMNS];
    bool begun;
} bench_group;

bool bench_wanted(const bench_group *group, const char *row);
/* units, bytes: how many things (messages, events) and how many bytes the work consists of. Prints the
 * table's head before its first row. */
void bench_row(bench_group *group, const char *row, bench_case *cases, double units, double bytes);
size_t bench_env(const char *name, size_t fallback);
double bench_median(double *values, size_t count);
double bench_cpu(void); /* CPU nanoseconds of this thread */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void bench_fail(const char *what);
void *bench_alloc(size_t size);

/* The compiler must believe that somebody looks at these bytes. */
static inline void bench_keep(const void *bytes)
{
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

/* ---- Data ---------------------------------------------------------------------------------------- */

uint32_t bench_random(void); /* the same sequence in every run */
void bench_fill(uint8_t *dst, size_t len);
void bench_text(uint8_t *dst, size_t len);    /* ASCII, as JSON */
void bench_chinese(uint8_t *dst, size_t len); /* three bytes a character */
void bench_emoji(uint8_t *dst, size_t len);   /* four, and some ASCII */

/* ---- A stand-in for a socket ---------------------------------------------------------------------- */

/* A stream to be received, at most `most` bytes a read. */
typedef struct bench_source {
    const uint8_t *at;
    const uint8_t *end;
    size_t most;
} bench_source;

/* The one copy that read() would make; whoever decodes pays it, and may then work in place. */
static inline size_t bench_receive(bench_source *source, uint8_t *dst, size_t cap)
{
    size_t n = (size_t)(source->end - source->at);
    n = n < cap ? n : cap;
    n = n < source->most ? n : source->most;
    memcpy(dst, source->at, n);
    source->at += n;
    return n;
}

/* What a decoder delivered: a digest in the rehearsal, only counts when it is measured. */
typedef struct bench_sink {
    uint64_t whole; /* messages or events */
    uint64_t bytes;
    uint64_t digest;
    bool rehearsal;
} bench_sink;

static inline void bench_deliver(bench_sink *sink, const uint8_t *bytes, size_t len)
{
    sink->bytes += len;
    bench_keep(bytes);
    for (size_t i = 0; sink->rehearsal && i < len; i++)
        sink->digest = (sink->digest ^ bytes[i]) * UINT64_C(1099511628211);
}

static inline void bench_deliver_end(bench_sink *sink)
{
    sink->whole++;
    if (sink->rehearsal)
        sink->digest = (sink->digest ^ 0x100) * UINT64_C(1099511628211);
}

#ifdef __cplusplus
}
#endif

#endif
