/* SPDX-License-Identifier: MIT */
/* h2.h - two HTTP/2 sessions of nghttp2, connected in memory, with a WebSocket on one of their streams. */
#ifndef WEIR_TEST_H2_H
#define WEIR_TEST_H2_H

#include "weir/ws.h"

#include <nghttp2/nghttp2.h>

/* ---- One end of a connection ------------------------------------------------------------------------ */

enum { H2_FIELDS = 24, H2_TEXT = 4096, H2_QUEUE = 1 << 19 };

/* Fields as nghttp2's callbacks gave them, copied. */
typedef struct h2_fields {
    weir_http_field list[H2_FIELDS];
    size_t count;
    uint8_t text[H2_TEXT];
    size_t text_len;
} h2_fields;

/* One end; it has one stream at a time. */
typedef struct h2_end {
    nghttp2_session *session;
    bool client;
    int32_t stream;
    size_t most; /* payload bytes of a DATA frame at most */

    h2_fields pseudo; /* of the head heard last: `:status` and the like */
    h2_fields fields; /* the others */
    bool head;        /* a head was heard and is not looked at yet */

    uint8_t *in; /* DATA heard and not yet taken */
    size_t in_from, in_to;
    size_t frames; /* DATA frames heard */
    uint8_t *out;  /* bytes to be sent as DATA */
    size_t out_from, out_to;
    bool out_end; /* and then END_STREAM */

    bool ended;  /* END_STREAM was heard */
    bool closed; /* the stream is over, with this code */
    uint32_t code;
} h2_end;

/* A connection: a client's end, a server's, and how what they say is cut on its way. */
typedef struct h2_pair {
    h2_end client, server;
    uint32_t cuts;
} h2_pair;

/* The server announces extended CONNECT unless `plain`. Streams have windows of `window` bytes, DATA frames
 * at most `most`. Nothing is exchanged yet. */
void h2_init(h2_pair *p, bool plain, uint32_t window, size_t most);
void h2_free(h2_pair *p);

/* Lets each end hear what the other says, in pieces, until both are silent. */
void h2_exchange(h2_pair *p);

/* Opens a stream with these fields, pseudo-header fields first; `body`: DATA will follow. */
void h2_request(h2_pair *p, const weir_http_field *fields, size_t count, bool body);
/* Answers the server's stream; without `body` that is the end of it. */
void h2_respond(h2_pair *p, unsigned status, const weir_http_field *fields, size_t count, bool body);

/* Room for bytes to be sent, and: they are there, or nothing will follow them. */
weir_out h2_room(h2_end *e);
void h2_say(h2_end *e, weir_out after, bool end);

/* Bytes of DATA were taken: the peer may send as many more. */
void h2_took(h2_end *e, size_t n);

/* RST_STREAM. */
void h2_reset(h2_end *e, uint32_t code);

/* The value of a pseudo-header field; absent if it was not heard. */
weir_str h2_pseudo(const h2_end *e, const char *name);

/* What weir makes of fields that came by nghttp2. */
weir_http_fields h2_walk(const h2_fields *fields);
void h2_fields_add(h2_fields *fields, weir_str name, weir_str value);

/* ---- A WebSocket on it ------------------------------------------------------------------------------- */

/* A head for weir_ws_extended_read made of the request that the server has heard. */
weir_http_head h2_head(const h2_end *e);

/* The status of a refusal over HTTP/2, where 426 has no meaning. */
unsigned h2_refusal(int err);

/* Sends the request of a client: the pseudo-header fields and what weir offers. */
void h2_offer(h2_pair *p, const weir_ws_offer *offer);

/* Lets the server judge what it has heard, and answer: 200 with the first subprotocol of `spoken`, and with
 * compression if `packed` is not NULL, or the refusal. Returns what weir_ws_extended_read said. *packed is
 * filled when compression was agreed on. */
int h2_judge(h2_pair *p, const char *spoken, weir_deflate_params *packed, bool *agreed);

#endif
