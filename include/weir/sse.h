/* SPDX-License-Identifier: MIT */
/*
 * weir/sse.h - Server-Sent Events (WHATWG HTML 9.2): writer, parser, replay log, event source.
 *
 * The server's side, for each listener and for each event:
 *
 *     weir_sse_request req;
 *     int rv = weir_sse_request_read(&head, 0, &req);     head: from weir_http_next
 *     if (rv < 0)
 *         weir_http_error_reply(&out, rv, NULL);          400, 405, 406: send it, and end
 *     else
 *         weir_sse_reply_write(&out, &req, NULL);         200 text/event-stream, once
 *
 *     weir_sse_event ev = {0};
 *     ev.data = weir_cstr("hello");
 *     uint8_t bytes[256];
 *     weir_out event = {bytes, sizeof bytes};
 *     weir_sse_event_write(&event, &ev);                  the same bytes for every listener
 *     weir_sse_frame(&out, &req, (weir_str){bytes, sizeof bytes - event.len});
 *
 * The receiver's side, over the body of a response:
 *
 *     weir_sse_item item;
 *     while ((rv = weir_sse_next(&parser, &in, &item)) > 0)
 *         if (item.kind == WEIR_SSE_EVENT)
 *             show(item.type, item.data);
 *
 * weir_sse_source, the last part, is the whole client: request, redirects, reconnection.
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
    bool close;             /* the connection ends with the stream, and the reply says so: on HTTP/1.0, and
                               where the client asked for it. Set it if you end it in any case */
} weir_sse_request;

/*
 * weir_sse_request_read - check a request for an event stream.
 *
 * head     a request's head, from weir_http_next; or made from what another HTTP implementation parsed:
 *          method, minor, keep_alive and fields {{NULL, 0}, list, count} are read.
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
 * would hold events back); X-Accel-Buffering: no (nginx would too); Transfer-Encoding: chunked if
 * req->chunked; Connection: close if req->close, or if it is not chunked. Send a comment right behind it,
 * so that clients see the stream open.
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
 * weir_sse_end - write the end of the body: the last chunk, or nothing. Then close the connection
 * with req->close, or without chunks; else the next request may follow on it.
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
 * To relay what a parser or a source reports, be it WEIR_SSE_EVENT, WEIR_SSE_ID or WEIR_SSE_RETRY:
 *
 *     weir_sse_event ev = {item.type, item.data, item.id, item.kind == WEIR_SSE_RETRY, item.retry_ms};
 *
 * The receiver gets exactly this event: lines of `data` are split at CR LF, CR and LF (which all
 * arrive as LF: the format cannot tell them apart), a leading space, empty data and a trailing line
 * end survive, no field can be smuggled in. The bytes depend on nothing but the event: write once,
 * send to any number of listeners.
 *
 * out      where to.                                                                      [in,out]
 * event    what; its slices must not overlap the room of `out`.
 *
 * Returns  0, or with `out` not moved (what it points to may have been written to)
 *          WEIR_ERR_SPACE       weir_sse_event_size gives the room it needs
 *          WEIR_ERR_SSE_TYPE    CR or LF in type
 *          WEIR_ERR_SSE_ID      CR, LF or NUL in id
 *          WEIR_ERR_SSE_UTF8    type, data or id is not UTF-8. Text that was cut inside a character
 *                               (a token of a language model may be) must be joined first
 *          An event without any field writes nothing.
 *
 * Cost     O(bytes): one pass over plain ASCII in one line, else one more, and one to check UTF-8 over data
 *          that is not ASCII.
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
 * Returns  0, or with `out` not moved (what it points to may have been written to) WEIR_ERR_SPACE or
 *          WEIR_ERR_SSE_UTF8. It needs at most 3 * text.len + 4 bytes.
 */
WEIR_API int weir_sse_comment_write(weir_out *out, weir_str text);

/* ---- The parser --------------------------------------------------------------------------------- */

/* What weir_sse_next reports. Which members are set stands behind each kind; others are absent or 0. */
typedef enum weir_sse_kind {
    WEIR_SSE_EVENT = 1, /* an event: type, data, id, flags */
    WEIR_SSE_PART,      /* some of the data of an event over max_event: data, flags. With WEIR_SSE_PARTS */
    WEIR_SSE_SKIPPED,   /* a block over a limit ended and was left out, parts of it are void: err, id. With
                           WEIR_SSE_SKIP */
    WEIR_SSE_ABORTED,   /* the stream ended inside an event, which is dropped; see weir_sse_eof */
    WEIR_SSE_COMMENT,   /* a comment, without one leading space: data, flags. With WEIR_SSE_COMMENTS */
    WEIR_SSE_RETRY,     /* a new reconnection time, in force at once: retry_ms */
    WEIR_SSE_ID,        /* a block without data set the last event ID: id */
    /* of a weir_sse_source only: */
    WEIR_SSE_OPEN,    /* the response is good, the stream begins: id; weir_sse_source_head */
    WEIR_SSE_REFUSED, /* the response is not: err, weir_sse_source_head */
    WEIR_SSE_BODY     /* some of the body of a refused response: data. With WEIR_SSE_REFUSAL_BODY */
} weir_sse_kind;

/* Bits of weir_sse_item.flags. */
#define WEIR_SSE_UTF8 0x1u     /* EVENT: type, data (all parts of it) and id are valid UTF-8 */
#define WEIR_SSE_FIRST 0x2u    /* PART: the first of its event */
#define WEIR_SSE_IN_PARTS 0x4u /* EVENT: the data went ahead in parts, and ends with this event's */

/* One thing found in the stream. Its slices lie in the input given to weir_sse_next, in the parser's
 * storage, or are static; they are valid until either is changed or the parser is called again. */
typedef struct weir_sse_item {
    weir_sse_kind kind;
    uint32_t flags;
    weir_str type;     /* "message" if the stream names none */
    weir_str data;     /* lines joined by LF; may be empty, and may hold NUL */
    weir_str id;       /* the last event ID, which lasts over events; empty if there is none */
    uint64_t retry_ms; /* at most UINT64_MAX, whatever the digits say: clamp it before use */
    int err;           /* a weir_err */
} weir_sse_item;

/* Bits of weir_sse_parser_cfg.flags. With WEIR_SSE_FLUSH weir_sse_eof ends an unfinished event instead of
 * dropping it, for peers that omit the last blank line: a cut connection then delivers half an event as a
 * whole one. */
#define WEIR_SSE_REPAIR 0x1u   /* replace what is not UTF-8 by U+FFFD as browsers do (Encoding Standard) */
#define WEIR_SSE_SKIP 0x2u     /* leave out an event that is over a limit, instead of failing */
#define WEIR_SSE_PARTS 0x4u    /* report the data of an event over max_event in parts; not with REPAIR */
#define WEIR_SSE_COMMENTS 0x8u /* report comments */
#define WEIR_SSE_FLUSH 0x10u   /* see above */

/* Limits in bytes; 0 stands for the default. */
typedef struct weir_sse_parser_cfg {
    uint32_t flags;
    uint32_t max_id;        /* event ID, default WEIR_SSE_LAST_ID_MAX */
    uint32_t max_type;      /* event type, default 256 */
    uint32_t max_comment;   /* longer comments are not reported, default 1024; with WEIR_SSE_COMMENTS */
    size_t max_event;       /* data of an event; default all the storage that is left, and never more */
    size_t max_line;        /* any line, also of comments; 2 at least; default none: most take no memory */
    weir_str last_event_id; /* the last event ID to begin with, copied; at most max_id */
} weir_sse_parser_cfg;

/* Storage for events of up to `max_event` bytes with the default limits. */
#define WEIR_SSE_STORAGE(max_event) ((max_event) + sizeof(char[3 * WEIR_SSE_LAST_ID_MAX + 256]))

/* Private; visible for its size. */
typedef struct weir_sse_parser {
    uint8_t *storage_;
    size_t max_event_;
    size_t max_line_;
    size_t data_len_;
    size_t line_len_;
    uint64_t retry_;
    uint64_t offset_;
    uint32_t max_id_;
    uint32_t max_type_;
    uint32_t max_comment_;
    uint32_t scratch_; /* size of that area */
    uint32_t id_len_[2];
    uint32_t type_len_;
    uint32_t scratch_len_;
    uint32_t utf8_;
    int32_t err_;
    uint16_t state_;
    uint8_t flags_;
    uint8_t line_;
    uint8_t field_;
    uint8_t name_len_;
    uint8_t name_[6];
    int32_t skip_err_;
    uint32_t reserved_;
} weir_sse_parser;

/*
 * weir_sse_parser_init - set up a parser for one event stream.
 *
 * parser       the object; former contents do not matter.                                    [out]
 * storage      where events that arrive in pieces are put together, and the last event ID is kept; the
 *              caller's, must outlive the parser's use, is not read before it is written.
 * storage_len  its size: WEIR_SSE_STORAGE(max_event) with the default limits; else
 *              2 * max_id + max_type + the largest of max_id, max_type and max_comment + max_event.
 * cfg          flags and limits, copied; NULL for the defaults.
 *
 * Returns  0, or
 *          WEIR_ERR_ARG       unknown flag, PARTS with REPAIR, or last_event_id over max_id or with CR, LF
 *                             or NUL in it
 *          WEIR_ERR_SPACE     the storage does not hold the limits and a byte of data
 *          WEIR_ERR_LAYOUT    the program was built with another weir_sse_parser or minor version
 *
 * Threads  one at a time for each object; nothing is shared.
 */
#define weir_sse_parser_init(parser, storage, storage_len, cfg) \
    weir_sse_parser_init_((parser), WEIR_LAYOUT_OF(*(parser)), (storage), (storage_len), (cfg))
WEIR_API int weir_sse_parser_init_(weir_sse_parser *parser, uint32_t layout, void *storage,
                                   size_t storage_len, const weir_sse_parser_cfg *cfg);

/*
 * weir_sse_restart - begin with the next stream of the same source, after a reconnection.
 *
 * Everything unfinished and any error is forgotten; the last event ID stays (9.2.6: send it as
 * Last-Event-ID). For a stream of somebody else use weir_sse_parser_init.
 */
WEIR_API void weir_sse_restart(weir_sse_parser *parser);

/*
 * weir_sse_next - take bytes and report the next item (9.2.6).
 *
 * in->ptr and in->len are moved past the bytes taken: what stands behind the item stays. Stop whenever
 * you like: bytes not taken are not looked at.
 *
 * parser   initialised.                                                                   [in,out]
 * in       the decoded body (no chunk sizes) as it comes. Lines of data may be joined in place: the
 *          bytes taken are rewritten.                                                     [in,out]
 * item     what was found, when the result is above 0.                                       [out]
 *
 * Returns  > 0  item->kind. Pass over kinds you do not know.
 *          0    all input taken; read more.
 *          < 0  sticky, without WEIR_SSE_SKIP:
 *               WEIR_ERR_SSE_EVENT_SIZE    data over max_event (and not WEIR_SSE_PARTS)
 *               WEIR_ERR_SSE_LINE_SIZE, _ID_SIZE, _TYPE_SIZE    over max_line, max_id, max_type
 *          Nothing else is an error: the standard gives every sequence of bytes a meaning.
 *
 * An event is reported as soon as its blank line ends, which is at CR even when LF follows later. Bytes
 * are handed out as they came, WEIR_SSE_UTF8 says whether they are text; see WEIR_SSE_REPAIR. An event
 * in one input is not copied: its data is a slice of the input (its lines joined in place when there
 * are several). What has been skipped is counted as read: its id becomes the last event ID, so that a
 * reconnection does not ask for it again.
 *
 * Splitting  any cut of the input gives the same items, errors and offsets; only the borders of
 *            parts vary.
 * Cost       O(bytes) whatever the cut; each byte is looked at once, and copied once if its event is cut.
 */
WEIR_API int weir_sse_next(weir_sse_parser *parser, weir_in *in, weir_sse_item *item);

/*
 * weir_sse_eof - the stream has ended; call until it returns 0 or less.
 *
 * Returns  WEIR_SSE_ABORTED    something was unfinished: a line without its end, an event without its
 *                              blank line; it is dropped (9.2.6), parts of it that were reported are void
 *          0                   nothing (more) to report
 *          < 0                 the error that weir_sse_next returned
 *          With WEIR_SSE_FLUSH the unfinished line and event are ended instead: WEIR_SSE_RETRY, _COMMENT,
 *          _EVENT and so on, as from weir_sse_next.
 *
 * After it only weir_sse_restart or init bring the parser back; weir_sse_next takes nothing.
 */
WEIR_API int weir_sse_eof(weir_sse_parser *parser, weir_sse_item *item);

/*
 * weir_sse_last_id - the last event ID: of the latest block that ended, or the one given to init.
 *
 * Returns  a slice of the storage, empty if there is none; valid until the parser is called again.
 */
WEIR_API weir_str weir_sse_last_id(const weir_sse_parser *parser);

/*
 * weir_sse_error - the sticky error.
 *
 * offset   if not NULL: position in the stream of the byte that was one too many; without an error the
 *          bytes taken so far.                                                               [out]
 *
 * Returns  the weir_err, or 0 if there is none.
 */
WEIR_API int weir_sse_error(const weir_sse_parser *parser, uint64_t *offset);

/* ---- The replay log ----------------------------------------------------------------------------- */

/*
 * A server keeps what it sent, so that a listener whose connection broke goes on where it stopped, and
 * so that slow listeners have one queue together instead of one each:
 *
 *     weir_sse_log_put(&log, ev.id, bytes, now);          each event once, as written
 *
 *     weir_sse_reader reader;                             each listener
 *     if (req.last_event_id.ptr == NULL)
 *         weir_sse_log_end(&log, &reader);                only what comes from now on
 *     else if (weir_sse_log_seek(&log, req.last_event_id, now, &reader) == WEIR_SSE_LOG_GAP)
 *         tell(c);                                        it has missed events
 *     while (room(c) && (rv = weir_sse_log_next(&log, &reader, &bytes)) > 0)
 *         if (rv == WEIR_SSE_LOG_GAP)
 *             tell(c);                                    events are missing here
 *         else
 *             weir_sse_frame(&out, &req, bytes);
 *
 * The log overwrites its oldest events. A listener that is too slow for that gets WEIR_SSE_LOG_GAP, once,
 * and then the oldest event there is; to drop it earlier, look at weir_sse_log_behind.
 */

/* Bounds; 0 stands for none. The third bound is the memory. */
typedef struct weir_sse_log_cfg {
    uint64_t max_events;
    uint64_t max_age_ms; /* older events are not replayed */
} weir_sse_log_cfg;

/* Private; visible for its size. */
typedef struct weir_sse_log {
    uint8_t *memory_;
    size_t size_;
    size_t head_;    /* where the oldest event lies */
    size_t tail_;    /* where the next one goes */
    size_t wrap_;    /* end of what lies before the wrap */
    uint64_t first_; /* number of the oldest event */
    uint64_t next_;  /* number of the next one */
    uint64_t bytes_; /* of all events ever put */
    weir_sse_log_cfg cfg_;
} weir_sse_log;

/* A listener's place in a log; may be copied. */
typedef struct weir_sse_reader {
    uint64_t number_;
    size_t at_;
} weir_sse_reader;

/* Results of the log's functions above 0. */
enum {
    WEIR_SSE_LOG_EVENT = 1, /* an event */
    WEIR_SSE_LOG_GAP = 2    /* events that this listener has not had are gone */
};

/* What an event takes in the log at most, beside its bytes and its ID. */
#define WEIR_SSE_LOG_OVERHEAD 32

/*
 * weir_sse_log_init - set up an empty log.
 *
 * log      the object.                                                                       [out]
 * memory   size bytes, the caller's, must outlive the log's use.
 * cfg      bounds, copied; NULL for none but the memory.
 *
 * Returns  0, or
 *          WEIR_ERR_ARG       memory is NULL or holds not even an empty event
 *          WEIR_ERR_LAYOUT    the program was built with another weir_sse_log or minor version
 */
#define weir_sse_log_init(log, memory, size, cfg) \
    weir_sse_log_init_((log), WEIR_LAYOUT_OF(*(log)), (memory), (size), (cfg))
WEIR_API int weir_sse_log_init_(weir_sse_log *log, uint32_t layout, void *memory, size_t size,
                                const weir_sse_log_cfg *cfg);

/*
 * weir_sse_log_put - append an event, and drop old ones as the bounds ask.
 *
 * id       its ID, copied; absent or empty for an event that cannot be resumed after.
 * bytes    the event as weir_sse_event_write wrote it, copied.
 * now      milliseconds on a clock that does not go backwards.
 *
 * Returns  0, or WEIR_ERR_SPACE if it is larger than the whole memory; the log is as before.
 *
 * Slices from weir_sse_log_next are void after it.
 * Cost     O(bytes), and O(1) for each event dropped.
 */
WEIR_API int weir_sse_log_put(weir_sse_log *log, weir_str id, weir_str bytes, uint64_t now);

/*
 * weir_sse_log_begin - a reader at the oldest event there is.
 * weir_sse_log_end - a reader behind the newest: it gets what is put from now on.
 */
WEIR_API void weir_sse_log_begin(const weir_sse_log *log, weir_sse_reader *reader);
WEIR_API void weir_sse_log_end(const weir_sse_log *log, weir_sse_reader *reader);

/*
 * weir_sse_log_seek - a reader strictly behind the event that a client had last.
 *
 * id       the client's Last-Event-ID, hostile; the newest event of this ID counts.
 * now      milliseconds; events over max_age_ms are dropped first.
 * reader   the place.                                                                        [out]
 *
 * Returns  0, or WEIR_SSE_LOG_GAP: no such event (any more). The reader then stands at the oldest event;
 *          tell the client before you replay, or it takes what follows for all.
 *
 * Cost     O(events): limit how often one client may ask, as for anything that costs more than it.
 */
WEIR_API int weir_sse_log_seek(weir_sse_log *log, weir_str id, uint64_t now, weir_sse_reader *reader);

/*
 * weir_sse_log_next - the next event for a reader.
 *
 * bytes    the event, a slice of the log's memory, valid until the next weir_sse_log_put.    [out]
 *
 * Returns  WEIR_SSE_LOG_EVENT    an event; the reader moved behind it
 *          WEIR_SSE_LOG_GAP      the reader was overtaken, and stands at the oldest event now
 *          0                     nothing new
 */
WEIR_API int weir_sse_log_next(const weir_sse_log *log, weir_sse_reader *reader, weir_str *bytes);

/*
 * weir_sse_log_behind - how far is a reader behind the newest event?
 *
 * bytes    if not NULL: of the events it has not had and that are still there.               [out]
 *
 * Returns  the number of events it has not had, those that are gone included.
 */
WEIR_API uint64_t weir_sse_log_behind(const weir_sse_log *log, const weir_sse_reader *reader,
                                      uint64_t *bytes);

/* ---- The event source --------------------------------------------------------------------------- */

/*
 * The whole client of 9.2.3 without its sockets: it says when to connect where, what to send, reads the
 * response, and says when to come back. One for each stream.
 *
 *     switch (weir_sse_source_poll(&source, now)) {       at first, after the loops below, and at
 *     case WEIR_SSE_CONNECT:                              weir_sse_source_deadline
 *         drop(c);                                        the old connection, if there is one
 *         c = dial(weir_sse_source_uri(&source));         and when that is connected:
 *         weir_sse_source_request(&source, &out);
 *         break;
 *     case WEIR_SSE_DISCONNECT:                           a new one comes at the deadline
 *     case WEIR_SSE_FINISHED:                             for good: weir_sse_source_error
 *         drop(c);
 *         break;
 *     case WEIR_SSE_CARRY_ON:
 *         break;
 *     }
 *
 *     while (weir_sse_source_next(&source, &in, now, &item) > 0)    bytes arrived
 *         show(item.type, item.data);
 *     while (weir_sse_source_eof(&source, now, &item) > 0)          it ended, or could not be made
 *         show(item.type, item.data);
 *
 * Each attempt begins at the URL given to init. Redirects (301, 302, 303, 307, 308) are followed, but from
 * https to http none is. On another origin the caller's fields are not sent, since they may be credentials
 * (Last-Event-ID is, as by browsers; a user in a URL never). With 301, 302 and 303 a POST becomes a GET: the
 * body is left out, and so are the fields that describe it, Content-Type, -Encoding, -Language and -Location.
 * With 307 and 308 the body and these fields go along, to another origin too: a key in the body is then known
 * there (max_redirects 0 follows none). Status 204 and every other refusal are final, as in browsers.
 *
 * The wait before an attempt: the reconnection time, clamped; doubled for each failure in a row after the
 * first, up to backoff_max_ms; and up to a quarter more at random, so that a server that comes back is
 * not met by all its clients at once. A stream that delivered an event, or lasted stable_ms, ends the row.
 */

/* Bits of weir_sse_source_cfg.flags. With RETRY_BUSY status 429, 500, 502, 503 or 504 is a failure to come
 * back from (the last of ONCE or of max_attempts is seen by weir_sse_source_error only); browsers take it as
 * final. A Retry-After in seconds lengthens the wait, up to retry_max_ms; one that is a date is ignored. With
 * KEEP_FIELDS a server that redirects chooses who sees the caller's fields: never with credentials. */
#define WEIR_SSE_ONCE 0x1u         /* do not connect again: the end of the stream is the end */
#define WEIR_SSE_RETRY_BUSY 0x2u   /* come back to a server that is busy */
#define WEIR_SSE_REFUSAL_BODY 0x4u /* report the body of a refused response: it often says why */
#define WEIR_SSE_KEEP_FIELDS 0x8u  /* send the caller's fields to other origins too */

/* What a source is to do; begin with weir_sse_source_cfg_init. Spans are in milliseconds. */
typedef struct weir_sse_source_cfg {
    uint32_t size;  /* set by weir_sse_source_cfg_init */
    uint32_t flags; /* default 0 */
    weir_str url;   /* http or https; must outlive the source, as the next four */
    /* field_count further request fields. Accept, Cache-Control and Content-Type replace weir's own; Host,
     * Last-Event-ID, Content-Length and Transfer-Encoding are refused */
    const weir_http_field *fields;
    size_t field_count;
    weir_str body;              /* not absent: POST with this body, which is sent again at each attempt */
    const char *body_type;      /* its Content-Type, default "application/json" */
    weir_entropy *entropy;      /* for the random part of the wait; NULL: none */
    uint64_t retry_ms;          /* reconnection time until the server sets one, default 3000 */
    uint64_t retry_min_ms;      /* what the server may set: default 100 .. */
    uint64_t retry_max_ms;      /* .. 300000 */
    uint64_t backoff_max_ms;    /* no doubling beyond this, default 30000 */
    uint64_t stable_ms;         /* default 10000 */
    uint64_t response_ms;       /* from CONNECT to the response's head, default 30000; 0: no deadline */
    uint64_t idle_ms;           /* silence of the stream that counts as its end, default 0: none */
    uint32_t max_attempts;      /* failures in a row before it is FINISHED, default 0: no end */
    uint32_t max_redirects;     /* in a row, default 20 */
    uint32_t max_url;           /* longest URL after a redirect, before its dots go, default 2048 */
    weir_sse_parser_cfg parser; /* flags, limits, and the last event ID to begin with */
} weir_sse_source_cfg;

/* Storage for events of up to `max_event` bytes with the default limits. The response's head has to fit
 * in max_event too: 8192 at least suits the servers there are. */
#define WEIR_SSE_SOURCE_STORAGE(max_event) (WEIR_SSE_STORAGE(max_event) + 2 * 2048)

/* What the program is to do next. */
typedef enum weir_sse_step {
    WEIR_SSE_CARRY_ON = 0, /* nothing new */
    WEIR_SSE_CONNECT,      /* make a new connection, closing the old one first; returned once */
    WEIR_SSE_DISCONNECT,   /* close the connection; returned once */
    WEIR_SSE_FINISHED      /* the same, for good; returned at every call */
} weir_sse_step;

/* Private; visible for its size. */
typedef struct weir_sse_source {
    weir_sse_parser parser_;
    weir_http head_;
    weir_http_body body_;
    weir_http_head response_;
    weir_http_uri uri_;
    weir_sse_source_cfg cfg_;
    uint8_t *urls_;
    uint64_t retry_;
    uint64_t now_;
    uint64_t at_;
    uint64_t opened_;
    uint32_t failures_;
    uint32_t redirects_;
    int32_t err_;
    uint8_t state_;
    uint8_t interims_;
    bool leave_;
    bool redirected_;
    bool foreign_;
    bool get_;
    bool fruitful_;
    uint8_t reserved_[5];
} weir_sse_source;

/*
 * weir_sse_source_cfg_init - set the defaults named at weir_sse_source_cfg.
 */
#define weir_sse_source_cfg_init(cfg) weir_sse_source_cfg_init_((cfg), sizeof *(cfg))
WEIR_API void weir_sse_source_cfg_init_(weir_sse_source_cfg *cfg, size_t size);

/*
 * weir_sse_source_init - set up an event source; its first attempt is due at once.
 *
 * source       the object; former contents do not matter.                                    [out]
 * storage      the caller's, must outlive the source.
 * storage_len  WEIR_SSE_SOURCE_STORAGE(max_event); with other limits what weir_sse_parser_init needs, and
 *              twice max_url.
 * cfg          copied, but not what it points to.
 *
 * Returns  0, or
 *          WEIR_ERR_URI                    the URL is malformed, or its scheme is not http or https
 *          WEIR_ERR_FIELD                  a field must not be written so (see weir_http_reply_write)
 *          WEIR_ERR_ARG, WEIR_ERR_SPACE    as from weir_sse_parser_init; an unknown flag, no body_type, a
 *                                          retry_min_ms above retry_max_ms; less than 256 bytes for events
 *          WEIR_ERR_LAYOUT                 the program was built with another weir_sse_source, cfg or minor
 *                                          version
 */
#define weir_sse_source_init(source, storage, storage_len, cfg) \
    weir_sse_source_init_((source), WEIR_LAYOUT_OF(*(source)), (storage), (storage_len), (cfg))
WEIR_API int weir_sse_source_init_(weir_sse_source *source, uint32_t layout, void *storage,
                                   size_t storage_len, const weir_sse_source_cfg *cfg);

/*
 * weir_sse_source_poll - what is to be done now?
 *
 * now      milliseconds on a clock that does not go backwards.
 *
 * Returns  a weir_sse_step. Ask after every call that took or ended input, and at the deadline. Parts of an
 *          event that were reported before DISCONNECT, CONNECT or FINISHED are void.
 */
WEIR_API weir_sse_step weir_sse_source_poll(weir_sse_source *source, uint64_t now);

/*
 * weir_sse_source_deadline - when to ask weir_sse_source_poll again.
 *
 * Returns  absolute milliseconds, 0 for at once, UINT64_MAX for no time. It changes with every other call.
 */
WEIR_API uint64_t weir_sse_source_deadline(const weir_sse_source *source);

/*
 * weir_sse_source_uri - where to connect: host, port, and `secure` for TLS.
 *
 * Returns  the URI of this attempt, valid until the source is called again.
 */
WEIR_API const weir_http_uri *weir_sse_source_uri(const weir_sse_source *source);

/*
 * weir_sse_source_request - write the request of this attempt, its body included.
 * weir_sse_source_request_size - the exact number of bytes that takes.
 *
 * Last-Event-ID is sent when there is one, unless a field value cannot carry it (a control byte, space at
 * an end) or it is not UTF-8: then the server starts as for a new client. With WEIR_SSE_REPAIR an ID of the
 * stream is made UTF-8, and sent so, as by browsers.
 *
 * Returns  0, or WEIR_ERR_SPACE with nothing written, WEIR_ERR_STATE without an attempt under way.
 */
WEIR_API int weir_sse_source_request(weir_sse_source *source, weir_out *out);
WEIR_API size_t weir_sse_source_request_size(const weir_sse_source *source);

/*
 * weir_sse_source_next - take bytes of the connection and report the next item.
 *
 * in       bytes received; those taken may be rewritten.                                  [in,out]
 * now      milliseconds.
 * item     what was found, when the result is above 0.                                       [out]
 *
 * Returns  > 0  item->kind: WEIR_SSE_OPEN, then what weir_sse_next reports; or WEIR_SSE_REFUSED and
 *               perhaps WEIR_SSE_BODY. Responses of redirects, and failures that a later attempt may
 *               mend, are not reported: weir_sse_source_error tells of the latest.
 *          0    all input taken: ask weir_sse_source_poll. Bytes behind the end of a response are dropped.
 *               Call until then, also with no input left: the end of a stream may bring items more, and
 *               until they are taken nothing else is due.
 */
WEIR_API int weir_sse_source_next(weir_sse_source *source, weir_in *in, uint64_t now, weir_sse_item *item);

/*
 * weir_sse_source_eof - the connection has ended or failed, or could not be made; call until it returns 0.
 *
 * Returns  > 0  item->kind, as WEIR_SSE_ABORTED and what WEIR_SSE_FLUSH brings
 *          0    no more: ask weir_sse_source_poll. Nothing happens if no attempt is under way.
 */
WEIR_API int weir_sse_source_eof(weir_sse_source *source, uint64_t now, weir_sse_item *item);

/*
 * weir_sse_source_alive - the silence up to `now` was not the server's: this program did not read.
 *
 * Call it when you take up reading again, before weir_sse_source_poll: response_ms and idle_ms begin anew.
 */
WEIR_API void weir_sse_source_alive(weir_sse_source *source, uint64_t now);

/*
 * weir_sse_source_close - no more: weir_sse_source_poll says WEIR_SSE_FINISHED from now on.
 */
WEIR_API void weir_sse_source_close(weir_sse_source *source);

/*
 * weir_sse_source_head - the head of this attempt's response, for WEIR_SSE_OPEN and WEIR_SSE_REFUSED.
 *
 * Returns  the head, valid until the source is called again, or input that held it is changed: a head that
 *          came in one piece lies there. With status 0 and no fields while there is none.
 */
WEIR_API const weir_http_head *weir_sse_source_head(const weir_sse_source *source);

/*
 * weir_sse_source_error - why the latest attempt ended.
 *
 * Returns  0 while all is well, after weir_sse_source_close, and after the end of a stream with
 *          WEIR_SSE_ONCE. Else
 *          WEIR_ERR_SSE_STOPPED, _STATUS, _MEDIA_TYPE, _REDIRECT    final; _MEDIA_TYPE also for two
 *                                                Content-Type fields, and a Content-Encoding
 *          WEIR_ERR_SSE_EVENT_SIZE and the like, of the parser      final
 *          WEIR_ERR_SSE_LOST, _SILENT, WEIR_ERR_HTTP_...            to be tried again; or, with max_attempts,
 *                                                the last: _LOST also for a stream that ended without an
 *                                                event
 */
WEIR_API int weir_sse_source_error(const weir_sse_source *source);

/*
 * weir_sse_source_last_id - the last event ID, as weir_sse_last_id.
 * weir_sse_source_retry - the reconnection time in force, in milliseconds, clamped.
 */
WEIR_API weir_str weir_sse_source_last_id(const weir_sse_source *source);
WEIR_API uint64_t weir_sse_source_retry(const weir_sse_source *source);

#ifdef __cplusplus
}
#endif
#endif
