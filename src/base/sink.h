/* SPDX-License-Identifier: MIT */
/*
 * sink.h - floor 1: write something twice, first to measure it, then for good.
 *
 * A writer is one function over a sink. Run with `at` NULL it only counts; the caller compares the
 * count with the room (weiri_sink_claim) and runs it again. So sizes are exact and a refusal leaves no
 * traces.
 */
#ifndef WEIRI_SINK_H
#define WEIRI_SINK_H

#include "ascii.h"

#include <string.h>

typedef struct weiri_sink {
    uint8_t *at; /* where the next byte goes, NULL while measuring */
    size_t len;  /* bytes so far */
} weiri_sink;

static inline void weiri_sink_put(weiri_sink *sink, weir_str bytes)
{
    if (sink->at != NULL && bytes.len != 0) {
        memcpy(sink->at, bytes.ptr, bytes.len);
        sink->at += bytes.len;
    }
    sink->len += bytes.len;
}

static inline void weiri_sink_text(weiri_sink *sink, const char *text)
{
    weiri_sink_put(sink, weir_cstr(text));
}

/* Takes `need` bytes of room for a sink. Returns 0, or WEIR_ERR_SPACE with nothing changed. */
int weiri_sink_claim(weir_out *out, size_t need, weiri_sink *sink);

/* A number in base 10 or 16, without leading zeros. */
void weiri_sink_number(weiri_sink *sink, uint64_t number, unsigned base);

#endif
