/* SPDX-License-Identifier: MIT */
/* http.h - floor 2: what the files of HTTP, and the protocols above it, share. */
#ifndef WEIRI_HTTP_H
#define WEIRI_HTTP_H

#include "weir/http.h"

#include "base/sink.h"

/* The straight path: takes a whole head at the front of the input, and keeps its positions; returns its
 * length. Returns 0 if there is anything unusual about it: then the machine must begin with it. */
size_t weiri_http_straight(weir_http *http, const uint8_t *bytes, size_t len, weir_http_fields *fields);

/* Lists fields in the storage, behind its first `from` bytes: those whose lines stand at the front of a text,
 * as long as they are valid and there is room. Returns where their lines end. */
size_t weiri_http_list(const weir_http *http, size_t from, weir_str text, weir_http_fields *fields);

/* The field in front of the lines of a checked head; returns the lines behind it. */
weir_str weiri_http_line(weir_str text, weir_http_field *field);

/* weir_http_fields_next without a copy of what is listed: the field is in the list, or in `room`. NULL behind
 * the last. */
static inline const weir_http_field *weiri_http_field_next(weir_http_fields *walk, weir_http_field *room)
{
    if (walk->text.len != 0) {
        walk->text = weiri_http_line(walk->text, room);
        return room;
    }
    if (walk->count == 0)
        return NULL;
    walk->count--;
    return walk->list++;
}

/* Judges a head whose lines are well formed: Host, framing, persistence. `head` has its start line
 * and fields; the rest is filled. Returns 0 or a weir_err. */
int weiri_http_head_check(weir_http_head *head);

/* uri-host [ ":" port ] (RFC 9110 7.2), not empty. In brackets only an IPv6 address: no IPvFuture, of which
 * there is none, and no zone, which means something on its sender's machine alone (RFC 6874 4). */
bool weiri_http_host_valid(weir_str host);

/* How many bytes at the front may stand in a name: unreserved, sub-delims and whole percent-encodings. */
size_t weiri_http_name_len(weir_str text);

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
