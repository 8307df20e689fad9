/* SPDX-License-Identifier: MIT */
/* sse_machine.h - a machine over an event stream. */
#ifndef WEIR_TEST_SSE_MACHINE_H
#define WEIR_TEST_SSE_MACHINE_H

#include "harness.h"
#include "weir/sse.h"

/*
 * The log of a stream:
 *     event "type" "data"                  at its end ` id "x"` if there is one, ` not-utf8` if so
 *     data "bytes"                         data that goes in parts, joined, or is over 1000 bytes; then
 *     event "type" parts, or long          instead of the data
 *     comment "text"
 *     retry 3000
 *     id "x"                               of a block without data
 *     skipped WEIR_ERR_SSE_LINE_SIZE       at its end ` id "x"` if there is one
 *     error WEIR_ERR_SSE_LINE_SIZE at 37
 *     aborted
 *     last "x"                             the last event ID at the end, with `show: last`
 * Lines that begin with `but` say what the parser did wrong.
 */
void sse_log_item(log *log, const weir_sse_item *item);
void sse_log_error(log *log, int err, uint64_t offset);

/* Are the members that an item of this kind does not set absent or 0? */
bool sse_item_clean(const weir_sse_item *item);

typedef struct sse_machine {
    weir_sse_parser_cfg cfg; /* with all limits set but max_event, which may be 0 */
    size_t room;             /* storage for data */
    bool show_last;

    weir_sse_parser parser;
    size_t storage_len;
    uint8_t *storage[2]; /* guarded behind, before; used in turn */
    unsigned turn;
    uint64_t taken;
    bool in_parts;
    uint8_t *parts; /* data of the event under way that went in parts */
    size_t parts_len, parts_cap;
    uint8_t *copy; /* of the input */
    size_t copy_cap;
    int err;
} sse_machine;

/* Sets up from a vector's keys: max_event, max_id, max_type, max_line, max_comment, last_id (with escapes),
 * flags (repair skip parts comments flush), room (storage for data; else max_event, or 4096), show: last;
 * with v NULL takes the defaults. The storage has exactly the size that is needed. To be released with
 * sse_machine_free. */
machine sse_machine_new(sse_machine *self, const vector *v);
/* The same from a configuration; limits that are 0 get their defaults. */
machine sse_machine_from(sse_machine *self, const weir_sse_parser_cfg *cfg, size_t room);
void sse_machine_free(sse_machine *self);

/* Runs every vector of a file, and the reference over it too; fails the cmocka test when one differs.
 * Returns how many there were. */
size_t sse_vectors_check(const char *file);

/* What the reference says of a stream. */
void sse_reference_log(log *log, const sse_machine *self, const uint8_t *stream, size_t len);

/* Storage that these limits, none of them 0, need beside that for data. */
size_t sse_storage_beside(const weir_sse_parser_cfg *cfg);

#endif
