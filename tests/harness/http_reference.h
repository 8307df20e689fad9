/* SPDX-License-Identifier: MIT */
/* http_reference.h - a slow reader of HTTP/1.1 that is easy to believe, to compare weir's with. */
#ifndef WEIR_TEST_HTTP_REFERENCE_H
#define WEIR_TEST_HTTP_REFERENCE_H

#include "weir/http.h"

enum { HTTP_REFERENCE_FIELDS = 256 };

/* A head; slices lie in the stream. `fields` are the first HTTP_REFERENCE_FIELDS. */
typedef struct http_reference_head {
    weir_http_head head; /* its walk over fields is empty */
    weir_http_field fields[HTTP_REFERENCE_FIELDS];
} http_reference_head;

/* Reads the head in front of a stream, under the limits of weir_http_init. Returns 1 and in *at the bytes it
 * takes, 0 if the stream ends first, or the weir_err and in *at where. */
int http_reference_head_read(weir_http_kind kind, size_t storage, const weir_http_cfg *cfg, weir_str stream,
                             http_reference_head *head, size_t *at);

/* Reads a body in front of a stream. Writes it to dst, which has room for stream.len bytes, *len of them.
 * Returns WEIR_HTTP_BODY_END and in *at the bytes it takes, 0 if the stream ends first, or
 * WEIR_ERR_HTTP_CHUNK and in *at where. */
int http_reference_body_read(weir_http_framing framing, uint64_t size, weir_str stream, uint8_t *dst,
                             size_t *len, size_t *at);

/* Takes a list of comma-separated members apart, as RFC 9110 5.6.1 says. Returns how many there are, the
 * first `most` of them in members. */
size_t http_reference_list(weir_str list, weir_str *members, size_t most);

/* Is this a uri-host with an optional port? */
bool http_reference_host(weir_str host);

#endif
