/* SPDX-License-Identifier: MIT */
/* sse_script.h - an event source with a clock and a server that follow a script. */
#ifndef WEIR_TEST_SSE_SCRIPT_H
#define WEIR_TEST_SSE_SCRIPT_H

#include "harness.h"
#include "weir/sse.h"

/*
 * The stream is what the server sends, one connection after the other, with four bytes of stage direction:
 * \x1C    the connection ends, if it is open; then the clock goes to the deadline, and what follows is sent
 * on
 *             the next connection. Bytes for a connection that the source has left are lost
 *     \x1D    the clock goes to the deadline
 *     \x1E    the clock goes on by `tick` milliseconds
 *     \x1F    the program calls weir_sse_source_close
 * The log, beside what sse_log_item writes:
 * at 3000 connect h 80 GET "/" Last-Event-ID "7"    milliseconds since the start; host, port, ` tls`; fields
 * of
 *                                                       the request but Host, `Accept: text/event-stream` and
 * `Cache-Control: no-cache`, which must be there; the body
 *     open 200
 *     refused WEIR_ERR_SSE_STATUS 404
 *     body "..."
 *     ended WEIR_ERR_SSE_LOST                           after the connection's end
 *     disconnect WEIR_ERR_SSE_SILENT
 *     finished WEIR_ERR_SSE_STATUS
 *     last "7", retry 3000, deadline 3000               at the end, with `show: last retry deadline`
 * Lines that begin with `but` say what the source did wrong.
 */
typedef struct sse_script {
    weir_sse_source_cfg cfg;
    uint64_t tick;
    const char *show;
    weir_http_field fields[4];
    weir_entropy entropy;
    uint8_t entropy_byte;
    bool entropy_fails;
    unsigned char texts[3][4096];

    weir_sse_source source;
    size_t storage_len;
    uint8_t *storage[2]; /* guarded behind, before; used in turn */
    uint8_t *request;    /* room for requests, guarded behind */
    unsigned turn;
    uint64_t now;
    bool begun;
    bool connected;
    bool fresh; /* connected, but what follows is still from the connection before */
    bool finished;
} sse_script;

/* Sets up from a vector's keys. Of the configuration: url (else http://h/), field, field2, field3 (`name:
 * value`), body, body_type, last_id (with escapes), retry, retry_min, retry_max, backoff, stable, response,
 * idle, attempts, redirects, max_url, max_event (else 4096), flags (once busy refusal keep, and those of the
 * parser); entropy (a byte, or `fails`); tick; show. With v NULL takes the defaults. To be released with
 * sse_script_free. */
machine sse_script_new(sse_script *self, const vector *v);
void sse_script_free(sse_script *self);

/* Runs every vector of a file; fails the cmocka test when one differs. Returns how many there were. */
size_t sse_script_vectors(const char *file);

/* One stream under all cuts, with the defaults but for what `change` does to the configuration, if not NULL.
 * */
void sse_script_check(const char *title, void (*change)(weir_sse_source_cfg *cfg), const char *stream,
                      const char *expected);

#endif
