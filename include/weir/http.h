/* SPDX-License-Identifier: MIT */
/*
 * weir/http.h - HTTP/1.1 heads and bodies: parse, look up fields, reply, chunked coding.
 *
 * One parser serves the WebSocket opening handshake, event streams and any plain route beside them:
 *
 *     weir_http http;                                     one for each connection
 *     uint8_t storage[8192];                              for heads that arrive in pieces
 *     weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL);
 *
 *     ssize_t n = read(fd, buf, sizeof buf);
 *     if (n <= 0)
 *         return;                                         the peer ended, or is lost: close
 *     weir_in in = {buf, (size_t)n};
 *     weir_http_head head;
 *     int rv = weir_http_next(&http, &in, &head);
 *     if (rv > 0)
 *         route(c, &head, &in);                           `in` holds what came behind the head
 *     else if (rv < 0)
 *         weir_http_error_reply(&out, rv, NULL);          send it, and end
 *
 * Strict as RFC 9112 lets a server be: every line ends with CR LF, no folded lines, no space before
 * a colon, no control bytes, exactly one well-formed Host, no contradiction about the body.
 */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include "weir/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Fields ------------------------------------------------------------------------------------- */

/* One field line (RFC 9110 5): `value` has no white space at its ends. */
typedef struct weir_http_field {
    weir_str name;
    weir_str value;
} weir_http_field;

/* A walk over fields, to be copied before it is walked. It comes from a parsed head, or is made from
 * the fields of any other HTTP implementation: {{NULL, 0}, list, count}. */
typedef struct weir_http_fields {
    weir_str text;               /* field lines of a head that weir_http_next has checked and found no room to
                                    list; mostly empty */
    const weir_http_field *list; /* after these, `count` fields of an array */
    size_t count;
} weir_http_fields;

/*
 * weir_http_fields_next - take the next field from a walk.
 *
 *     weir_http_fields walk = head.fields;
 *     weir_http_field field;
 *     while (weir_http_fields_next(&walk, &field))
 *         show(field.name, field.value);
 *
 * walk     moved past the field.                                                          [in,out]
 * field    filled when the result is true; its slices live as long as what the walk is over. [out]
 *
 * Returns  true, or false at the end. Fields come in their order on the wire.
 */
WEIR_API bool weir_http_fields_next(weir_http_fields *walk, weir_http_field *field);

/*
 * weir_http_fields_find - take the next field of one name from a walk.
 *
 * To find the first, walk a copy of head.fields; call again for the next of the same name.
 *
 * walk     moved past the field found, or to the end.                                     [in,out]
 * name     without case; NUL-terminated.
 * value    its value when the result is true; empty and absent differ by the result.         [out]
 *
 * Returns  true if found. Cost O(what is walked).
 */
WEIR_API bool weir_http_fields_find(weir_http_fields *walk, const char *name, weir_str *value);

/*
 * weir_http_list_next - take the next member of a comma-separated list (RFC 9110 5.6.1).
 *
 * White space around members and empty members are passed over. A comma inside a quoted string does
 * not end a member.
 *
 * list     a field's value; moved past the member.                                        [in,out]
 * member   the member, not empty, when the result is true.                                   [out]
 *
 * Returns  true, or false at the end.
 */
WEIR_API bool weir_http_list_next(weir_str *list, weir_str *member);

/*
 * weir_http_fields_has - does any field of this name list this token?
 *
 * fields   a walk, not moved (passed by value).
 * name     field name, without case.
 * token    compared without case to each member of each such field.
 *
 * Returns  true if so, as with ("connection", "upgrade") for `Connection: keep-alive, Upgrade`.
 */
WEIR_API bool weir_http_fields_has(weir_http_fields fields, const char *name, const char *token);

/* ---- Heads -------------------------------------------------------------------------------------- */

typedef enum weir_http_kind { WEIR_HTTP_REQUEST = 1, WEIR_HTTP_RESPONSE = 2 } weir_http_kind;

/* How the end of the body is found (RFC 9112 6.3). */
typedef enum weir_http_framing {
    WEIR_HTTP_NO_BODY = 0, /* nothing follows */
    WEIR_HTTP_SIZED,       /* body_len bytes follow */
    WEIR_HTTP_CHUNKED,     /* chunked coding follows */
    WEIR_HTTP_UNTIL_CLOSE  /* all that follows until the connection ends (responses only) */
} weir_http_framing;

/* A whole, checked head. The slices lie in the bytes given to weir_http_next if the head arrived in
 * one piece, else in the parser's storage, where the list of fields is too; they are valid until either is
 * changed or the parser is called again. */
typedef struct weir_http_head {
    weir_http_kind kind;
    unsigned minor;          /* of HTTP/1.minor */
    weir_str method;         /* requests: as sent, case matters; responses: empty */
    weir_str target;         /* requests: as sent, 0x21..0x7E without '#'; responses: empty */
    unsigned status;         /* responses: 100..999; requests: 0 */
    weir_str reason;         /* responses: may be empty, also where the space before it is missing */
    weir_str host;           /* what the request is for, with the port if it names one: the authority of a
                                target in absolute-form (http, https, ws, wss), the target of CONNECT, else
                                Host (RFC 9112 3.2.2, 3.3); absent (ptr NULL) only in HTTP/1.0, responses */
    weir_http_fields fields; /* all fields, to be walked */
    size_t field_count;
    weir_http_framing framing; /* for a response assumes that the request was neither HEAD nor CONNECT */
    uint64_t body_len;         /* with WEIR_HTTP_SIZED */
    bool keep_alive;           /* the connection may carry another message after this one; on HTTP/1.0 only
                                  if the client asked, and then it expects the field echoed */
} weir_http_head;

/* Limits; 0 stands for the default. The third limit is the size of the storage: no head may be
 * larger than it, also when it arrives in one piece. */
typedef struct weir_http_cfg {
    size_t max_target; /* bytes of the request target, default 8000 (RFC 9112 3 recommends as much) */
    size_t max_fields; /* field lines in a head, default 100 */
} weir_http_cfg;

/* Private; visible for its size. */
typedef struct weir_http {
    uint8_t *storage_;
    size_t cap_;
    size_t max_target_;
    size_t max_fields_;
    size_t len_;  /* bytes of this head seen so far */
    size_t mark_; /* where the version began; once a reason phrase is read, where that ends */
    size_t method_len_;
    size_t target_at_;
    size_t target_len_;
    size_t reason_at_;
    size_t fields_at_;
    size_t field_count_;
    uint64_t offset_; /* stream bytes before this head; the error's offset after an error */
    int err_;
    uint16_t status_;
    uint8_t minor_;
    uint8_t kind_;
    uint8_t state_;
    uint8_t reserved_[7];
} weir_http;

/*
 * weir_http_init - set up a parser for one connection's requests or responses.
 *
 * http         the parser; former contents do not matter.                                    [out]
 * kind         which heads to expect.
 * storage      where a head that arrives in pieces is put together, and the fields are listed; the caller's,
 *              apart from the input, of any alignment, must outlive the parser's use and that of its heads,
 *              is not read before it is written. May be shared by connections whose heads are not under
 *              way, or in use, at the same time.
 * storage_len  its size in bytes and the limit for a head, 16 at least. 8192 suits browsers. The list takes
 *              sizeof(weir_http_field) a field, behind a head in pieces; a head's fields for which there
 *              is no room are found all the same, more slowly.
 * cfg          limits, copied; NULL for the defaults.
 *
 * Returns  0, or
 *          WEIR_ERR_ARG       kind unknown, storage NULL or too small
 *          WEIR_ERR_LAYOUT    the program was built with another weir_http or minor version
 */
#define weir_http_init(http, kind, storage, storage_len, cfg) \
    weir_http_init_((http), WEIR_LAYOUT_OF(*(http)), (kind), (storage), (storage_len), (cfg))
WEIR_API int weir_http_init_(weir_http *http, uint32_t layout, weir_http_kind kind, void *storage,
                             size_t storage_len, const weir_http_cfg *cfg);

/*
 * weir_http_next - take bytes and report a head when it is whole.
 *
 * in->ptr and in->len are moved past the bytes taken. Bytes behind the head stay in `in`: they are
 * its body, or belong to the next protocol. One empty line before a request is passed over (RFC 9112
 * 2.2). After a head was reported the next call begins with the next head: consume the body first.
 *
 * http     initialised parser.                                                            [in,out]
 * in       bytes received; not rewritten. ptr may be NULL if len is 0.                    [in,out]
 * head     filled when the result is 1, else zeroed.                                         [out]
 *
 * Returns  1    a head.
 *          0    all input taken; read more.
 *          < 0  sticky; weir_err_lookup(err)->status is the answer it asks for:
 *               WEIR_ERR_HTTP_METHOD, _TARGET, _VERSION       malformed request line       400
 *                   (also a target in absolute-form without a valid host, one of CONNECT without a port)
 *               WEIR_ERR_HTTP_TARGET_SIZE                     over max_target or storage   414
 *               WEIR_ERR_HTTP_MAJOR                           HTTP/2.0 and the like        505
 *               WEIR_ERR_HTTP_STATUS                          malformed status line        502
 *               WEIR_ERR_HTTP_LINE_END, _FOLD, _NAME, _VALUE  malformed field line         400
 *               WEIR_ERR_HTTP_HEAD_SIZE, _FIELD_COUNT         over a limit                 431
 *               WEIR_ERR_HTTP_HOST                            not one well-formed Host     400
 *               WEIR_ERR_HTTP_LENGTH, _FRAMING                request smuggling            400
 *               WEIR_ERR_HTTP_CODING                          not `chunked`                501
 *
 * Splitting  any cut of the input gives the same heads, errors and offsets.
 * Cost       O(bytes), each byte looked at once and copied only when the head is cut, plus one walk
 *            over the fields of a whole head.
 */
WEIR_API int weir_http_next(weir_http *http, weir_in *in, weir_http_head *head);

/*
 * weir_http_error - the sticky error.
 *
 * offset   if not NULL: position, in the bytes that this parser took since init (bodies are not among
 *          them), of the byte that made the input impossible; for errors about a whole head of its last
 *          byte; without an error the bytes taken so far.                                    [out]
 *
 * Returns  the weir_err, or 0 if there is none.
 */
WEIR_API int weir_http_error(const weir_http *http, uint64_t *offset);

/*
 * weir_http_target_split - a request target's path and query (RFC 9112 3.2).
 *
 * target   origin-form (`/a/b?q`) or absolute-form (`http://host/a/b?q`, also https, ws, wss).
 * path     begins with '/', percent-encoding kept.                                           [out]
 * query    what stands behind the first '?'; absent (ptr NULL) without one.                  [out]
 *
 * Returns  0, or WEIR_ERR_HTTP_TARGET for `*`, the authority-form and anything else.
 */
WEIR_API int weir_http_target_split(weir_str target, weir_str *path, weir_str *query);

/* ---- URIs and requests -------------------------------------------------------------------------- */

/* A URI taken apart; its slices lie in the text (or are static). */
typedef struct weir_http_uri {
    bool secure;        /* https or wss: use TLS */
    bool websocket;     /* ws or wss */
    uint16_t port;      /* the one given, else 80 or 443 */
    weir_str userinfo;  /* absent (ptr NULL) if there is none; for an Authorization field */
    weir_str host;      /* name or address to connect to, an IPv6 address without its brackets */
    weir_str authority; /* for the Host field: with brackets, and with the port unless it is the default */
    weir_str path;      /* begins with '/' */
    weir_str query;     /* absent without '?' */
} weir_http_uri;

/*
 * weir_http_uri_parse - take an http, https, ws or wss URI apart (RFC 9110 4.2, RFC 6455 3).
 *
 * text     the URI, all of it.
 * uri      filled when the result is 0, else empty; lives as long as the text.               [out]
 *
 * User information and host, which say as whom and where to, are checked as RFC 3986 3.2 has them: in
 * brackets an IPv6 address, without a zone; a percent sign in front of two hexadecimal digits. Path and query
 * may have any byte of a request target, and are sent as they are: a percent sign by itself too, as by
 * browsers.
 *
 * Returns  0, or WEIR_ERR_URI: another scheme, no or a malformed host, malformed user information, a port
 *          above 65535 or 0, a byte outside 0x21..0x7E (percent-encode it first), or a fragment in a ws or
 *          wss URI. A fragment of an http or https URI is dropped: it is never sent.
 */
WEIR_API int weir_http_uri_parse(weir_str text, weir_http_uri *uri);

/* A request to be written; zero-initialise it first. */
typedef struct weir_http_request {
    const char *method;            /* NUL-terminated token, as "GET" */
    const weir_http_uri *uri;      /* target and Host */
    const weir_http_field *fields; /* field_count fields, may be NULL if 0 */
    size_t field_count;
    weir_str body; /* if not absent, Content-Length is sent too */
} weir_http_request;

/*
 * weir_http_request_write - write a request in origin-form.
 *
 * out      where to.                                                                      [in,out]
 * request  what. Host comes from the URI, do not give it as a field. userinfo is not sent.
 *
 * Returns  0, or with nothing written
 *          WEIR_ERR_SPACE    weir_http_request_size gives the room it needs
 *          WEIR_ERR_FIELD    the method or a field must not be written so (see weir_http_reply_write)
 */
WEIR_API int weir_http_request_write(weir_out *out, const weir_http_request *request);

/*
 * weir_http_request_size - the exact number of bytes weir_http_request_write will write.
 */
WEIR_API size_t weir_http_request_size(const weir_http_request *request);

/* ---- Bodies ------------------------------------------------------------------------------------- */

/* Private; visible for its size. */
typedef struct weir_http_body {
    uint64_t left_;
    int err_;
    uint8_t state_;
    uint8_t digits_;
    uint16_t line_;
    uint32_t trailer_;
    uint32_t reserved_;
} weir_http_body;

/* Results of weir_http_body_next above 0. */
enum {
    WEIR_HTTP_BODY_DATA = 1, /* some bytes of the body */
    WEIR_HTTP_BODY_END = 2   /* the body is complete; what is left in `in` is the next message */
};

/*
 * weir_http_body_init - read a body framed in one of the four ways.
 *
 * body     the reader; former contents do not matter.                                        [out]
 * framing  from the head; WEIR_HTTP_NO_BODY for the response to a HEAD request.
 * len      from the head's body_len, used with WEIR_HTTP_SIZED.
 */
WEIR_API void weir_http_body_init(weir_http_body *body, weir_http_framing framing, uint64_t len);

/*
 * weir_http_body_next - take bytes and report the next piece of the body.
 *
 * Pieces are slices of the input; chunk sizes and trailers are checked and dropped, chunk extensions are
 * passed over. A limit for the whole body is the caller's to keep: check head.body_len first, then count.
 * Who sent `Expect: 100-continue` waits with it for a reply of status 100 or a final one (RFC 9110 10.1.1).
 *
 * body     initialised reader.                                                            [in,out]
 * in       bytes received, moved past those taken; not rewritten.                         [in,out]
 * data     a piece, not empty, with WEIR_HTTP_BODY_DATA; else empty.                         [out]
 *
 * Returns  WEIR_HTTP_BODY_DATA, or WEIR_HTTP_BODY_END (at every call from then on), or 0: read more
 *          input; or, sticky,
 *          WEIR_ERR_HTTP_CHUNK    malformed, a chunk-size line over 256 bytes, or trailers over 8 KiB
 *
 * Splitting  any cut gives the same bytes; the borders of pieces follow the cuts.
 */
WEIR_API int weir_http_body_next(weir_http_body *body, weir_in *in, weir_str *data);

/*
 * weir_http_body_eof - the connection has ended: was the body whole?
 *
 * Returns  WEIR_HTTP_BODY_END, or WEIR_ERR_HTTP_BODY_CUT when more was announced.
 */
WEIR_API int weir_http_body_eof(weir_http_body *body);

/* Bytes that weir_http_chunk_put adds to its data at most. */
#define WEIR_HTTP_CHUNK_OVERHEAD 20

/*
 * weir_http_chunk_put - write one chunk of the chunked coding (RFC 9112 7.1).
 * weir_http_chunk_end - write the last chunk, without trailers: the body is complete.
 *
 * out      where to.                                                                      [in,out]
 * data     the chunk's bytes; must not overlap the room of `out`.
 *
 * Returns  0, or
 *          WEIR_ERR_SPACE    nothing written; data.len + WEIR_HTTP_CHUNK_OVERHEAD is always enough
 *          WEIR_ERR_ARG      data is empty: a chunk of size 0 would end the body
 */
WEIR_API int weir_http_chunk_put(weir_out *out, weir_str data);
WEIR_API int weir_http_chunk_end(weir_out *out);

/* ---- Replies ------------------------------------------------------------------------------------ */

/* Bits of weir_http_reply.flags. */
#define WEIR_HTTP_CLOSE 0x1u     /* adds `Connection: close` */
#define WEIR_HTTP_HEAD_ONLY 0x2u /* the answer to a HEAD request: Content-Length, but no body */
#define WEIR_HTTP_NO_LENGTH 0x4u /* no Content-Length: `fields` says how the body is framed */

/* A reply to be written; zero-initialise it first. */
typedef struct weir_http_reply {
    unsigned status;               /* 100..999 */
    uint32_t flags;                /* WEIR_HTTP_ bits */
    const weir_http_field *fields; /* field_count fields, may be NULL if 0 */
    size_t field_count;
    weir_str body; /* with WEIR_HTTP_NO_LENGTH its beginning */
} weir_http_reply;

/*
 * weir_http_reply_write - write a reply.
 *
 * Content-Length is added unless WEIR_HTTP_NO_LENGTH is given or the status is 1xx, 204 or 304, which
 * have no body (RFC 9110 8.6). Nor has 205, whose length is 0 (15.3.6).
 *
 * out      where to.                                                                      [in,out]
 * reply    what. The names and values are checked, so a visitor's text cannot add fields.
 *
 * Returns  0, or with nothing written
 *          WEIR_ERR_SPACE    weir_http_reply_size gives the room it needs
 *          WEIR_ERR_FIELD    a name that is not a token, or a value with CR, LF, NUL, another control
 *                            byte, or white space at its ends
 *          WEIR_ERR_ARG      status out of range, or a body with a status that has none
 */
WEIR_API int weir_http_reply_write(weir_out *out, const weir_http_reply *reply);

/*
 * weir_http_reply_size - the bytes that weir_http_reply_write needs at most.
 */
WEIR_API size_t weir_http_reply_size(const weir_http_reply *reply);

/* Room that weir_http_error_reply needs at most for an error of weir's, without extra fields. */
#define WEIR_HTTP_ERROR_REPLY_MAX 512

/*
 * weir_http_error_reply - answer a refused request.
 *
 * Writes the error's status, the fields that this status demands (405: Allow, 426: Upgrade and
 * Sec-WebSocket-Version), `Connection: close`, and the error's text as a plain body. Send it, shut
 * down writing, and read on for a moment before closing: a close with unread input makes TCP discard
 * the reply on its way.
 *
 * out      where to.                                                                      [in,out]
 * err      what a weir function returned; with status 0 or unknown it is answered with 500.
 * more     NULL, or: flags, of which WEIR_HTTP_HEAD_ONLY leaves the body away, as the answer to a HEAD
 *          request must; and further fields, as Access-Control-Allow-Origin or an Allow that replaces
 *          weir's own. Its status, body and other flags are not looked at.
 *
 * Returns  0, or WEIR_ERR_SPACE or WEIR_ERR_FIELD with nothing written.
 */
WEIR_API int weir_http_error_reply(weir_out *out, int err, const weir_http_reply *more);

/*
 * weir_http_reason - the reason phrase of a status (RFC 9110 15, RFC 6585).
 *
 * Returns  static text, "Unknown" for a status weir does not know.
 */
WEIR_API const char *weir_http_reason(unsigned status);

/* ---- Origins ------------------------------------------------------------------------------------ */

/* What a request's Origin says about where the page came from (RFC 6454, RFC 6455 10.2). */
typedef enum weir_http_origin {
    WEIR_HTTP_ORIGIN_ABSENT = 0, /* no Origin: not a browser, or a same-origin GET */
    WEIR_HTTP_ORIGIN_SAME,       /* scheme, host and port equal */
    WEIR_HTTP_ORIGIN_OTHER,      /* a well-formed origin that differs in one of them */
    WEIR_HTTP_ORIGIN_OPAQUE,     /* `null`: a sandboxed page, a file, some redirects */
    WEIR_HTTP_ORIGIN_MALFORMED   /* no origin at all, or more than one */
} weir_http_origin;

/*
 * weir_http_origin_check - compare a request's Origin with an origin you expect.
 *
 * A WebSocket is not bound by the browser's same-origin policy: a server that trusts cookies must
 * accept only ORIGIN_SAME (and its own list of others), else any page can act as the visitor.
 *
 * fields   the request's fields, not moved.
 * expected as `https://example.org` or `http://[::1]:8080`: scheme, "://", host, optional port. For
 *          "same origin" build it from the scheme your listener speaks and head.host.
 *
 * Returns  a verdict. Scheme and host are compared without case, a trailing dot of the host is
 *          dropped, the port of http and ws is 80, of https and wss 443, when not given; http and ws,
 *          https and wss count as the same scheme; other schemes (apps, browser extensions) only equal
 *          themselves. IPv6 literals are compared as text.
 */
WEIR_API weir_http_origin weir_http_origin_check(weir_http_fields fields, weir_str expected);

#ifdef __cplusplus
}
#endif
#endif
