/* SPDX-License-Identifier: MIT */
/*
 * weir/sse.h - Server-Sent Events (WHATWG HTML 9.2), the server's side: request, reply, writer.
 *
 *     weir_sse_request req;
 *     int rv = weir_sse_request_read(&head, 0, &req);     head: from weir_http_next
 *     if (rv < 0) { weir_http_error_reply(&out, rv, NULL); ... }
 *     weir_sse_reply reply = {0};
 *     weir_sse_reply_write(&out, &req, &reply);           200 text/event-stream, once
 *
 *     weir_sse_event ev = {0};                            then, for each event
 *     ev.data = weir_cstr("hello");
 *     uint8_t bytes[256];
 *     weir_out event = {bytes, sizeof bytes};
 *     weir_sse_event_write(&event, &ev);                  the same bytes for every listener
 *     weir_sse_frame(&out, &req, (weir_str){bytes, sizeof bytes - event.len});
 */
#ifndef WEIR_SSE_H
#define WEIR_SSE_H

#include "weir/base.h"
#include "weir/http.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The request -------------------------------------------------------------------------------- */

/* Bits for weir_sse_request_read. */
#define WEIR_SSE_ALLOW_POST 0x1u /* POST is answered too, as chat completion APIs do */

/* Longest Last-Event-ID accepted, in bytes. */
#define WEIR_SSE_LAST_ID_MAX 1024

/* A checked request for an event stream. last_event_id lies where the head lies. */
typedef struct weir_sse_request {
    weir_str last_event_id; /* absent (ptr NULL) on a first connection. Chosen by the client: hostile */
    bool head_only;         /* method HEAD: write the reply head and nothing more */
    bool chunked;           /* HTTP/1.1: events go out in chunks; HTTP/1.0: raw, closed at the end */
} weir_sse_request;

/*
 * weir_sse_request_read - check a request for an event stream.
 *
 * head     a request's head.
 * flags    0 or WEIR_SSE_ALLOW_POST. The body of a POST is the caller's to read.
 * req      filled when the result is 0.                                                      [out]
 *
 * Returns  0, or
 *          WEIR_ERR_SSE_METHOD    neither GET nor HEAD (nor POST if allowed)                405
 *          WEIR_ERR_SSE_ACCEPT    there is an Accept, not empty, without text/event-stream  406
 *          WEIR_ERR_SSE_LAST_ID   Last-Event-ID twice, over 1024 bytes, or not UTF-8        400
 *          With POST allowed give weir_http_error_reply an Allow of your own: weir's names GET and HEAD.
 *          Copy last_event_id before you read a body: it lies where the head lies.
 *          An empty Last-Event-ID counts as absent. Control bytes cannot occur: the head parser
 *          refuses them.
 */
WEIR_API int weir_sse_request_read(const weir_http_head *head, uint32_t flags, weir_sse_request *req);

/* ---- The reply ---------------------------------------------------------------------------------- */

/* What to add to the reply; zero-initialise it first. */
typedef struct weir_sse_reply {
    weir_str allow_origin;         /* for Access-Control-Allow-Origin: an origin or "*"; absent: none.
                                      An origin also adds `Vary: Origin` */
    const weir_http_field *fields; /* field_count further fields, may be NULL if 0 */
    size_t field_count;
} weir_sse_reply;

/* Room that weir_sse_reply_write needs at most, beside the caller's own fields and origin. */
#define WEIR_SSE_REPLY_MAX 320

/*
 * weir_sse_reply_write - write the head of the answer, status 200.
 *
 * Content-Type: text/event-stream; Cache-Control: no-cache, no-transform (a compressing middlebox
 * would hold events back); X-Accel-Buffering: no (nginx would too); then Transfer-Encoding: chunked
 * on HTTP/1.1, Connection: close on HTTP/1.0. Send a comment right behind it, so that clients see
 * the stream open.
 *
 * out      where to.                                                                      [in,out]
 * req      from weir_sse_request_read.
 * reply    additions; may be NULL for none.
 *
 * Returns  0, or WEIR_ERR_SPACE or WEIR_ERR_FIELD with nothing written.
 */
WEIR_API int weir_sse_reply_write(weir_out *out, const weir_sse_request *req, const weir_sse_reply *reply);

/*
 * weir_sse_frame - write finished stream bytes for this listener: as one chunk, or as they are.
 * weir_sse_end - write the end of the body: the last chunk, or nothing (then close the connection).
 *
 * out      where to.                                                                      [in,out]
 * req      from weir_sse_request_read; with head_only nothing is written.
 * bytes    one or more whole events or comments. With none nothing is written.
 *
 * Returns  0, or WEIR_ERR_SPACE with nothing written; bytes.len + WEIR_HTTP_CHUNK_OVERHEAD suffices.
 *
 * A browser's EventSource connects again after the end. To stop it, the client closes it (as at a
 * last event agreed upon), or the server answers its next request with 204.
 */
WEIR_API int weir_sse_frame(weir_out *out, const weir_sse_request *req, weir_str bytes);
WEIR_API int weir_sse_end(weir_out *out, const weir_sse_request *req);

/* ---- The writer --------------------------------------------------------------------------------- */

/* An event; zero-initialise it first. A slice with ptr NULL is a field that is not sent. */
typedef struct weir_sse_event {
    weir_str type;     /* event type; absent or empty means "message" to the receiver */
    weir_str data;     /* any UTF-8 text. Absent: the block has no data and no event is dispatched */
    weir_str id;       /* becomes the receiver's last event ID; empty (ptr not NULL) resets it */
    bool has_retry;    /* retry_ms is sent */
    uint64_t retry_ms; /* reconnection time in milliseconds */
} weir_sse_event;

/* A comment that keeps proxies and the connection awake; nobody sees it. Write it through
 * weir_sse_frame as any other bytes. */
#define WEIR_SSE_HEARTBEAT ":\n\n"

/*
 * weir_sse_event_write - write one event.
 *
 * The receiver gets exactly this event: lines of `data` are split at CR LF, CR and LF (which all
 * arrive as LF: the format cannot tell them apart), a leading space, empty data and a trailing line
 * end survive, no field can be smuggled in. The bytes depend on nothing but the event: write once,
 * send to any number of listeners.
 *
 * out      where to.                                                                      [in,out]
 * event    what; its slices must not overlap the room of `out`.
 *
 * Returns  0, or with nothing written
 *          WEIR_ERR_SPACE       weir_sse_event_size gives the room it needs
 *          WEIR_ERR_SSE_TYPE    CR or LF in type
 *          WEIR_ERR_SSE_ID      CR, LF or NUL in id
 *          WEIR_ERR_SSE_UTF8    type, data or id is not UTF-8. Text that was cut inside a character
 *                               (a token of a language model may be) must be joined first
 *          An event without any field writes nothing.
 *
 * Cost     O(bytes), two passes.
 */
WEIR_API int weir_sse_event_write(weir_out *out, const weir_sse_event *event);

/*
 * weir_sse_event_size - the exact number of bytes weir_sse_event_write will write.
 *
 * size     the number, when the result is 0.                                                 [out]
 *
 * Returns  0, or the refusal that weir_sse_event_write would return, or WEIR_ERR_ARG if the number
 *          would exceed SIZE_MAX.
 */
WEIR_API int weir_sse_event_size(const weir_sse_event *event, size_t *size);

/*
 * weir_sse_comment_write - write a comment: bytes that receivers ignore.
 *
 * out      where to.                                                                      [in,out]
 * text     UTF-8; each of its lines (split as data is) becomes a comment line; may be empty.
 *
 * Returns  0, WEIR_ERR_SPACE or WEIR_ERR_SSE_UTF8, the latter two with nothing written. It needs at
 *          most 3 * text.len + 4 bytes.
 */
WEIR_API int weir_sse_comment_write(weir_out *out, weir_str text);

#ifdef __cplusplus
}
#endif
#endif
