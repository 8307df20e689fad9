/* SPDX-License-Identifier: MIT */
/*
 * weir/base.h - what every other header builds on: version, slices, cursors, errors, UTF-8.
 *
 *     uint8_t buf[64];
 *     weir_out out = {buf, sizeof buf};
 *     if (weir_out_put(&out, weir_cstr("hello")) == 0)
 *         write(fd, buf, sizeof buf - out.len);
 *
 * The rules that hold for all of weir stand in weir/weir.h, "Conventions".
 */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of these headers. WEIR_VERSION_NUM may be used in #if. */
#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0
#define WEIR_VERSION "0.1.0"
#define WEIR_VERSION_NUM (WEIR_VERSION_MAJOR * 10000 + WEIR_VERSION_MINOR * 100 + WEIR_VERSION_PATCH)

/* What init functions are told of the headers a program was built with: their major and minor version, and
 * the size of the struct there. Macros hold no cast: C++ compilers can be told to warn of them. */
#define WEIR_LAYOUT_OF(object) ((WEIR_VERSION_MAJOR * 256UL + WEIR_VERSION_MINOR) << 16 | sizeof(object))

/* Marks what the shared library exports. */
#if defined(__GNUC__) && !defined(_WIN32)
#define WEIR_API __attribute__((visibility("default")))
#else
#define WEIR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that somebody else owns: `len` bytes at `ptr`, never NUL-terminated. With len 0, ptr may be
 * anything; where a function tells "absent" from "empty", absent is ptr == NULL. How long a slice
 * stays valid is said by the function that gives it. */
typedef struct weir_str {
    const uint8_t *ptr;
    size_t len;
} weir_str;

/* Bytes that arrived and are not yet taken. A call that takes bytes moves ptr forward and len down;
 * it keeps no pointer into them. Calls that say so rewrite the bytes in place (unmasking). */
typedef struct weir_in {
    uint8_t *ptr;
    size_t len;
} weir_in;

/* Room to write into. A call that writes moves ptr forward and len down by what it wrote; a call
 * that has no room for all it must write returns WEIR_ERR_SPACE and writes nothing, unless it says that it
 * writes what is whole and fits. */
typedef struct weir_out {
    uint8_t *ptr;
    size_t len;
} weir_out;

/*
 * The error list: X(name, value, text, standard's section, WebSocket close code, HTTP status).
 *
 * Values -1..-99 are local: the program asked for something that is not possible; nothing has
 * changed and the object goes on working. All others are the peer's violation of a standard or of a
 * configured limit: they are sticky, the object that returned one returns it until it is
 * initialised again. The close code is what weir sends on a WebSocket for it, the status what
 * weir_http_error_reply answers; 0 where the error cannot arise there.
 */
/* clang-format off */
#define WEIR_ERR_LIST(X) \
  /* local: misuse and missing resources */ \
  X(ARG,                 -1, "argument outside its documented range",             "",                    1011, 500) \
  X(STATE,               -2, "not allowed in this state",                         "",                    1011, 500) \
  X(SPACE,               -3, "no room in the output",                             "",                    1011, 500) \
  X(LAYOUT,              -4, "program and library disagree on a struct's layout", "",                    1011, 500) \
  X(ENTROPY,             -5, "the entropy source failed",                         "RFC 6455 10.3",       1011, 500) \
  X(FIELD,               -6, "a field name or value that must not be written",    "RFC 9110 5.5",        1011, 500) \
  X(CLOSE_CODE,          -7, "a status code that must not be sent",               "RFC 6455 7.4",        1011, 500) \
  X(CLOSE_REASON,        -8, "a close reason over 123 bytes or not UTF-8",        "RFC 6455 5.5.1",      1011, 500) \
  X(SSE_TYPE,            -9, "CR or LF in an event type",                         "WHATWG HTML 9.2.6",   1011, 500) \
  X(SSE_ID,             -10, "CR, LF or NUL in an event ID",                      "WHATWG HTML 9.2.6",   1011, 500) \
  X(SSE_UTF8,           -11, "an event stream must be UTF-8",                     "WHATWG HTML 9.2.4",   1011, 500) \
  X(URI,                -12, "malformed URI, or not http, https, ws, wss",        "RFC 3986 3",          1011, 500) \
  /* HTTP/1.1 heads and bodies */ \
  X(HTTP_METHOD,       -100, "method is not a token",                             "RFC 9110 9.1",           0, 400) \
  X(HTTP_TARGET,       -101, "malformed request target",                          "RFC 9112 3.2",           0, 400) \
  X(HTTP_TARGET_SIZE,  -102, "request target too long",                           "RFC 9110 15.5.15",       0, 414) \
  X(HTTP_VERSION,      -103, "malformed HTTP version",                            "RFC 9112 2.3",           0, 400) \
  X(HTTP_MAJOR,        -104, "HTTP major version is not 1",                       "RFC 9110 15.6.6",        0, 505) \
  X(HTTP_STATUS,       -105, "malformed status line",                             "RFC 9112 4",             0, 502) \
  X(HTTP_LINE_END,     -106, "a line does not end with CR LF",                    "RFC 9112 2.2",           0, 400) \
  X(HTTP_FOLD,         -107, "obsolete line folding",                             "RFC 9112 5.2",           0, 400) \
  X(HTTP_NAME,         -108, "field name is not a token",                         "RFC 9112 5.1",           0, 400) \
  X(HTTP_VALUE,        -109, "control byte in a field value",                     "RFC 9110 5.5",           0, 400) \
  X(HTTP_HEAD_SIZE,    -110, "head too large",                                    "RFC 6585 5",             0, 431) \
  X(HTTP_FIELD_COUNT,  -111, "too many fields",                                   "RFC 6585 5",             0, 431) \
  X(HTTP_HOST,         -112, "Host missing, repeated or malformed",               "RFC 9112 3.2",           0, 400) \
  X(HTTP_LENGTH,       -113, "Content-Length malformed or contradictory",         "RFC 9112 6.3",           0, 400) \
  X(HTTP_FRAMING,      -114, "Transfer-Encoding contradicts the message",         "RFC 9112 6.1",           0, 400) \
  X(HTTP_CODING,       -115, "unknown transfer coding",                           "RFC 9112 6.1",           0, 501) \
  X(HTTP_CHUNK,        -116, "malformed chunked coding",                          "RFC 9112 7.1",           0, 400) \
  X(HTTP_BODY_CUT,     -117, "connection ended inside a message",                 "RFC 9112 8",             0, 400) \
  /* WebSocket opening handshake */ \
  X(WS_METHOD,         -200, "opening handshake is not a GET",                    "RFC 6455 4.2.1",         0, 405) \
  X(WS_HTTP,           -201, "opening handshake needs HTTP/1.1",                  "RFC 6455 4.2.1",         0, 505) \
  X(WS_UPGRADE,        -202, "Upgrade does not name websocket",                   "RFC 6455 4.2.1",         0, 426) \
  X(WS_CONNECTION,     -203, "Connection does not name Upgrade",                  "RFC 6455 4.2.1",         0, 400) \
  X(WS_KEY,            -204, "Sec-WebSocket-Key missing, repeated or malformed",  "RFC 6455 4.2.1",         0, 400) \
  X(WS_VERSION,        -205, "Sec-WebSocket-Version is not 13",                   "RFC 6455 4.4",           0, 426) \
  X(WS_VERSION_FORM,   -206, "Sec-WebSocket-Version repeated or malformed",       "RFC 6455 4.2.1",         0, 400) \
  X(WS_BODY,           -207, "opening handshake has a body",                      "RFC 9110 9.3.1",         0, 400) \
  X(WS_PROTOCOL,       -208, "malformed Sec-WebSocket-Protocol",                  "RFC 6455 4.1",           0, 400) \
  X(WS_ORIGIN,         -209, "origin not allowed",                                "RFC 6455 10.2",          0, 403) \
  X(WS_STATUS,         -210, "the server answered with another status than 101",  "RFC 6455 4.1",           0,   0) \
  X(WS_ACCEPT,         -211, "Sec-WebSocket-Accept missing, repeated or wrong",   "RFC 6455 4.1",           0,   0) \
  X(WS_CHOICE,         -212, "the server chose no subprotocol that was offered",  "RFC 6455 4.1",           0,   0) \
  X(WS_EXTENSION,      -213, "the server chose an extension that was not offered","RFC 6455 4.1",           0,   0) \
  X(WS_EXTENSION_FORM, -214, "malformed Sec-WebSocket-Extensions",                "RFC 6455 9.1",           0, 400) \
  X(WS_TUNNEL,         -215, "extended CONNECT for another protocol",             "RFC 9220 3",             0, 501) \
  /* WebSocket frames, messages, closing */ \
  X(WS_RSV,            -220, "reserved bit set",                                  "RFC 6455 5.2",        1002,   0) \
  X(WS_OPCODE,         -221, "reserved opcode",                                   "RFC 6455 5.2",        1002,   0) \
  X(WS_CONTROL_FIN,    -222, "fragmented control frame",                          "RFC 6455 5.5",        1002,   0) \
  X(WS_CONTROL_SIZE,   -223, "control frame over 125 bytes",                      "RFC 6455 5.5",        1002,   0) \
  X(WS_MASKING,        -224, "masking does not fit the sender's role",            "RFC 6455 5.1",        1002,   0) \
  X(WS_LENGTH,         -225, "payload length not in its shortest form",           "RFC 6455 5.2",        1002,   0) \
  X(WS_LENGTH_BIT,     -226, "payload length above 2^63-1",                       "RFC 6455 5.2",        1002,   0) \
  X(WS_CONTINUATION,   -227, "continuation frame without a message",              "RFC 6455 5.4",        1002,   0) \
  X(WS_INTERLEAVED,    -228, "new message inside a fragmented one",               "RFC 6455 5.4",        1002,   0) \
  X(WS_UTF8,           -229, "text is not UTF-8",                                 "RFC 6455 8.1",        1007,   0) \
  X(WS_CLOSE_SIZE,     -230, "Close payload of one byte",                         "RFC 6455 5.5.1",      1002,   0) \
  X(WS_CLOSE_CODE,     -231, "status code not allowed in a Close",                "RFC 6455 7.4",        1002,   0) \
  X(WS_CLOSE_UTF8,     -232, "close reason is not UTF-8",                         "RFC 6455 8.1",        1007,   0) \
  X(WS_DEFLATE,        -233, "compressed message is corrupt or cut short",        "RFC 7692 7.2.2",      1007,   0) \
  X(WS_FRAME_SIZE,     -240, "frame over the limit",                              "RFC 6455 10.4",       1009,   0) \
  X(WS_MESSAGE_SIZE,   -241, "message over the limit",                            "RFC 6455 10.4",       1009,   0) \
  X(WS_FRAGMENTS,      -242, "too many fragments in a message",                   "RFC 6455 10.4",       1008,   0) \
  X(WS_CONTROLS,       -243, "too many control frames without data",              "RFC 6455 10.4",       1008,   0) \
  X(WS_RATIO,          -244, "message inflates beyond the ratio limit",           "RFC 6455 10.4",       1009,   0) \
  /* Server-Sent Events requests */ \
  X(SSE_METHOD,        -300, "method not allowed for an event stream",            "RFC 9110 15.5.6",        0, 405) \
  X(SSE_ACCEPT,        -301, "Accept excludes text/event-stream",                 "RFC 9110 15.5.7",        0, 406) \
  X(SSE_LAST_ID,       -302, "Last-Event-ID repeated, too long or not UTF-8",     "WHATWG HTML 9.2.4",      0, 400) \
  /* Server-Sent Events, received */ \
  X(SSE_LINE_SIZE,     -310, "line of an event stream over the limit",            "WHATWG HTML 9.2.6",      0, 502) \
  X(SSE_EVENT_SIZE,    -311, "event over the limit",                              "WHATWG HTML 9.2.6",      0, 502) \
  X(SSE_ID_SIZE,       -312, "event ID over the limit",                           "WHATWG HTML 9.2.6",      0, 502) \
  X(SSE_TYPE_SIZE,     -313, "event type over the limit",                         "WHATWG HTML 9.2.6",      0, 502) \
  X(SSE_STATUS,        -320, "the server answered with another status than 200",  "WHATWG HTML 9.2.3",      0, 502) \
  X(SSE_STOPPED,       -321, "the server asked for no more connections (204)",    "WHATWG HTML 9.2.3",      0, 502) \
  X(SSE_MEDIA_TYPE,    -322, "the response is not text/event-stream",             "WHATWG HTML 9.2.3",      0, 502) \
  X(SSE_REDIRECT,      -323, "redirect without a usable Location, or one too many", "RFC 9110 15.4",        0, 502) \
  X(SSE_LOST,          -324, "the connection could not be made, or ended",        "WHATWG HTML 9.2.3",      0, 502) \
  X(SSE_SILENT,        -325, "the server did not answer, or was silent, too long", "WHATWG HTML 9.2.3",     0, 504)
/* clang-format on */

/* Return values below zero. WEIR_ERR_ARG is -1 and so on, as the list above says. */
typedef enum weir_err {
#define WEIR_ERR_ENUM_(name, value, text, section, code, status) WEIR_ERR_##name = value,
    WEIR_ERR_LIST(WEIR_ERR_ENUM_)
#undef WEIR_ERR_ENUM_
        WEIR_OK = 0
} weir_err;

/* One row of the error list. */
typedef struct weir_err_info {
    int err;             /* the value */
    const char *name;    /* "WEIR_ERR_WS_RSV" */
    const char *text;    /* "reserved bit set" */
    const char *section; /* "RFC 6455 5.2", or "" for local errors */
    uint16_t close_code; /* the WebSocket close code it is answered with, 0 if none */
    uint16_t status;     /* the HTTP status it is answered with, 0 if none */
} weir_err_info;

/*
 * weir_err_lookup - everything known about an error.
 *
 * err      any int, a weir_err or not.
 *
 * Returns  the error's row. For 0 a row named "WEIR_OK", for a number that is no error a row named
 *          "WEIR_ERR_UNKNOWN"; never NULL. Constant, static storage.
 * Cost     one walk over the list (about 60 rows).
 * Threads  any number at once.
 */
WEIR_API const weir_err_info *weir_err_lookup(int err);

/*
 * weir_strerror - an error's text, for people.
 *
 * err      any int.
 *
 * Returns  weir_err_lookup(err)->text; never NULL, static storage, no need to free.
 */
WEIR_API const char *weir_strerror(int err);

/*
 * weir_version - the version of the library that is linked.
 *
 * Returns  its WEIR_VERSION_NUM, to be compared with the WEIR_VERSION_NUM the program was built
 *          with. The init functions compare the layout by themselves.
 */
WEIR_API uint32_t weir_version(void);

/*
 * weir_cstr - a slice over a C string.
 *
 * text     NUL-terminated, or NULL for the absent slice {NULL, 0}. Stays the caller's; the slice is
 *          valid as long as it is.
 *
 * Returns  the slice, without the NUL.
 */
WEIR_API weir_str weir_cstr(const char *text);

/*
 * weir_str_is - does a slice equal a text, byte by byte?
 * weir_str_is_nocase - the same, with A-Z equal to a-z (ASCII only, as HTTP field names are).
 *
 * str      any slice.
 * text     NUL-terminated, not NULL.
 *
 * Returns  true if equal. Not constant-time: not for secrets.
 */
WEIR_API bool weir_str_is(weir_str str, const char *text);
WEIR_API bool weir_str_is_nocase(weir_str str, const char *text);

/*
 * weir_out_put - write bytes.
 *
 * out      where to; moved past the bytes.                                                [in,out]
 * bytes    what; must not overlap the room of `out`.
 *
 * Returns  0                 written.
 *          WEIR_ERR_SPACE    out->len is less than bytes.len; nothing written.
 */
WEIR_API int weir_out_put(weir_out *out, weir_str bytes);

/*
 * weir_utf8_valid - are these bytes whole, valid UTF-8 (RFC 3629)?
 *
 * Surrogates, overlong forms, values above U+10FFFF and a character cut at the end are invalid.
 * NUL and U+FEFF are characters like others.
 *
 * bytes    any slice; empty is valid.
 *
 * Cost     O(bytes); ASCII eight bytes a step.
 */
WEIR_API bool weir_utf8_valid(weir_str bytes);

/* ---- Entropy ------------------------------------------------------------------------------------ */

/* Where a client's masking keys come from (RFC 6455 10.3: unpredictable, fresh for each frame), and the
 * jitter of an event source. The bytes are fetched 1024 at a time into a pool, so one call of the source
 * makes 256 keys; each is wiped from the pool as it is taken. One object serves all connections of a thread,
 * outlives them and is not moved; a copy would repeat its keys. Two threads need two, and so does a child
 * process after fork. */
typedef struct weir_entropy {
    int (*fill_)(void *user, uint8_t *dst, size_t len);
    void *user_;
    uint32_t left_;
    uint32_t reserved_;
    uint8_t pool_[1024];
} weir_entropy;

/*
 * weir_entropy_init - set up a source of random bytes.
 *
 * entropy  the object; its pool starts empty.                                                [out]
 * fill     writes `len` bytes from a cryptographic source (getrandom, a TLS library's) to dst and
 *          returns 0; anything else is a failure, after which the call that needed a key returns
 *          WEIR_ERR_ENTROPY; a Pong or Close that weir owes by itself is kept and tried again at the
 *          next call. It must not call weir. rand() opens proxies to cache poisoning.
 * user     handed to fill.
 *
 * Returns  0, or
 *          WEIR_ERR_ARG       fill is NULL
 *          WEIR_ERR_LAYOUT    the program was built with another weir_entropy or minor version
 */
#define weir_entropy_init(entropy, fill, user) \
    weir_entropy_init_((entropy), WEIR_LAYOUT_OF(*(entropy)), (fill), (user))
WEIR_API int weir_entropy_init_(weir_entropy *entropy, uint32_t layout,
                                int (*fill)(void *user, uint8_t *dst, size_t len), void *user);

#ifdef __cplusplus
}
#endif
#endif
