/* SPDX-License-Identifier: MIT */
/* http_machine.h - a machine over a stream of HTTP messages: heads and bodies in turn. */
#ifndef WEIR_TEST_HTTP_MACHINE_H
#define WEIR_TEST_HTTP_MACHINE_H

#include "harness.h"
#include "weir/http.h"

/*
 * The log of a stream:
 *     request "GET" "/" HTTP/1.1 host "a" fields 1 no-body keep
 *     response 200 "OK" HTTP/1.1 fields 1 sized 5 keep
 *     field "Host" "a"                     with show_fields, for each
 *     body "hello"                         joined over pieces
 *     end                                  of a body
 *     behind "bytes"                       with raw_behind, all that follows the first head
 *     error WEIR_ERR_HTTP_FOLD at 37
 *     more                                 the stream ended inside a head
 *     cut                                  the stream ended inside a body
 */
typedef struct http_machine {
    weir_http_kind kind;
    size_t storage_len;
    weir_http_cfg cfg;
    bool show_fields;
    bool raw_behind;

    weir_http http;
    weir_http_body body;
    uint8_t *storage; /* guarded */
    bool in_body;
    bool behind;
    bool inside; /* a head is under way */
    int err;
} http_machine;

/* Sets up from a vector's keys: kind (request, response), storage, max_target, max_fields,
 * show: fields, after: raw; with v NULL takes the defaults. To be released with http_machine_free. */
machine http_machine_new(http_machine *self, const vector *v);
void http_machine_free(http_machine *self);

/* Runs every vector of a file; fails the cmocka test when one differs. */
void http_vectors_check(const char *file);

#endif
