/* SPDX-License-Identifier: MIT */
/* http.h - floor 2: what the files of HTTP, and the protocols above it, share. */
#ifndef WEIRI_HTTP_H
#define WEIRI_HTTP_H

#include "weir/http.h"

#include "base/lines.h"
#include "base/sink.h"

/* What the fields of a head say that matters for every head. */
typedef struct weiri_http_facts {
    unsigned hosts;
    unsigned lengths;
    unsigned encodings; /* Transfer-Encoding fields */
    unsigned chunkeds;  /* members `chunked` in them */
    unsigned unknowns;  /* other members */
    weir_str host;
    weir_str length;
    bool close;
    bool keep_alive;
} weiri_http_facts;

/* The facts depend only on fields whose names have these lengths: bit n stands for n bytes. */
#define WEIRI_HTTP_FACTS_LENGTHS \
    (UINT64_C(1) << 4 | UINT64_C(1) << 10 | UINT64_C(1) << 14 | UINT64_C(1) << 17)

/* Adds what one field says, if it matters. */
void weiri_http_facts_add(weiri_http_facts *facts, const weir_http_field *field);

weiri_http_facts weiri_http_facts_gather(weir_http_fields fields);

/* A walk over those fields whose names' lengths are in a set: bit n stands for n bytes, modulo 64. Finds them
 * some at a time, with no look at the others. */
typedef struct weiri_http_some {
    weir_http_fields rest;
    weiri_lines lines;
    weiri_line found[24];
    size_t next, count; /* of those found */
    bool more;
} weiri_http_some;

static inline void weiri_http_some_init(weiri_http_some *some, weir_http_fields fields, uint64_t lengths)
{
    some->rest = fields;
    some->lines = (weiri_lines){fields.text.ptr, fields.text.len, lengths, 0, 0};
    some->next = some->count = 0;
    some->more = fields.text.len != 0;
}

/* Finds more lines; false if there are none. */
bool weiri_http_some_lines(weiri_http_some *some);

/* The next of them; false at the end. `value` has no white space at its ends. */
static inline bool weiri_http_some_next(weiri_http_some *some, weir_http_field *field)
{
    if (some->next != some->count || weiri_http_some_lines(some)) {
        const weiri_line *line = &some->found[some->next++];
        const uint8_t *bytes = some->lines.bytes;
        field->name = (weir_str){bytes + line->name, line->colon - line->name};
        field->value = weiri_trim((weir_str){bytes + line->colon + 1, line->end - line->colon - 1});
        return true;
    }
    while (some->rest.count != 0) {
        some->rest.count--;
        *field = *some->rest.list++;
        if (weiri_lines_want(&some->lines, field->name.len))
            return true;
    }
    return false;
}

/* The straight path: takes a whole head at the front of the input, keeps its positions, and adds what its
 * fields say. *used is its length. Returns false if there is anything unusual about it; then the machine must
 * begin with it, and `facts` may hold a part. */
bool weiri_http_straight(weir_http *http, const uint8_t *bytes, size_t len, size_t *used,
                         weiri_http_facts *facts);

/* Judges a head whose lines are well formed: Host, framing, persistence. `head` has its start line
 * and fields; the rest is filled. Returns 0 or a weir_err. */
int weiri_http_head_check(weir_http_head *head, const weiri_http_facts *facts);

/* uri-host [ ":" port ] (RFC 9110 7.2), not empty. */
bool weiri_http_host_valid(weir_str host);

/* May these be written as a field line? */
bool weiri_http_field_valid(const weir_http_field *field);

/* "name: value CR LF" */
void weiri_http_field_put(weiri_sink *sink, const weir_http_field *field);

/* Finds the only field of a name; false if there is none or more than one. */
bool weiri_http_field_only(weir_http_fields fields, const char *name, weir_str *value);

bool weiri_http_fields_valid(const weir_http_field *fields, size_t count);

/* The request line and Host. */
void weiri_http_request_line_put(weiri_sink *sink, const char *method, const weir_http_uri *uri);

/* What weir itself adds to a reply, in front of the caller's fields. */
typedef struct weiri_http_extra {
    const char *lines;     /* whole field lines */
    weir_str allow_origin; /* for Access-Control-Allow-Origin, absent for none */
} weiri_http_extra;

/* weir_http_reply_write with more fields, and without its rules about bodies. */
int weiri_http_reply_write(weir_out *out, const weir_http_reply *reply, const weiri_http_extra *extra);

/* As weir_http_body_next, but leaves the piece, `len` bytes at in->ptr, to be taken: all of it or less. */
int weiri_http_body_peek(weir_http_body *body, weir_in *in, size_t *len);
void weiri_http_body_take(weir_http_body *body, weir_in *in, size_t len);

/* Writes the URI that a reference (RFC 3986 4.1) means in a response for `base`, without fragment; of http
 * and https only. Returns its length, or 0 if it is malformed, empty or longer than `cap`. */
size_t weiri_http_uri_resolve(const weir_http_uri *base, weir_str reference, uint8_t *dst, size_t cap);

/* Cuts scheme "://" authority off the front of an absolute URI; true if the scheme is http, https, ws
 * or wss. `default_port` is 80 or 443, `rest` begins behind the authority, which is not judged. */
bool weiri_http_authority(weir_str uri, unsigned *default_port, weir_str *authority, weir_str *rest);

/* Cuts ":" port off the end of a valid authority; returns the port, or the default if none is given. */
unsigned weiri_http_port_cut(weir_str *authority, unsigned default_port);

#endif
