/* SPDX-License-Identifier: MIT */
/*
 * weir/ws.h - WebSocket (RFC 6455): opening handshake and connection, of servers and clients.
 *
 *     weir_ws_request req;                                      head: from weir_http_next
 *     int rv = weir_ws_request_read(&head, &req);
 *     if (rv < 0)
 *         weir_http_error_reply(&out, rv, NULL);                400, 405, 426: send it, and end
 *     else
 *         weir_ws_accept_write(&out, &req, NULL);               101, and from here on frames
 *
 *     weir_ws_cfg cfg;
 *     weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
 *     weir_ws_init(&c->ws, &cfg);
 *
 *     ssize_t n = read(fd, buf, sizeof buf);                    an echo
 *     if (n <= 0)
 *         return;                                               ended, or lost: see weir_ws_eof
 *     weir_in in = {buf, (size_t)n};
 *     weir_ws_event ev;
 *     while ((rv = weir_ws_next(&c->ws, &in, &ev)) > 0) {
 *         if (rv == WEIR_WS_DATA && weir_ws_send(&c->ws, &out, ev.flags, ev.data) != 0)
 *             drop(c);                                          no room in `out`
 *         weir_ws_out_put(&c->ws, &out);                        pongs and the answer to a Close
 *     }
 *     weir_ws_out_put(&c->ws, &out);                            after an error: the Close for it
 *
 * Then write `out` to the socket, and do what weir_ws_transport says. A piece of a long message becomes a
 * frame with a header of its own: a server's echo of n bytes that were read needs room for up to n + 10, and
 * for WEIR_WS_OUT_MAX.
 */
#ifndef WEIR_WS_H
#define WEIR_WS_H

#include "weir/base.h"
#include "weir/deflate.h"
#include "weir/http.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The opening handshake of a server ---------------------------------------------------------- */

/* A checked request to open a WebSocket. The slices lie where the head lies. */
typedef struct weir_ws_request {
    weir_str target;         /* request target; weir_http_target_split takes it apart */
    weir_str host;           /* as weir_http_head.host */
    weir_str origin;         /* Origin, the first of several; absent (ptr NULL) if not sent. See
                                weir_http_origin_check, which refuses several */
    weir_http_fields fields; /* all fields, to be walked: cookies, authorization */
    char accept[29];         /* value for Sec-WebSocket-Accept, NUL-terminated; empty if refused */
} weir_ws_request;

/*
 * weir_ws_request_read - check a request's head for a WebSocket opening handshake (RFC 6455 4.2.1).
 *
 * head     a request's head, from weir_http_next; or made from what another HTTP implementation parsed:
 *          method, minor, target, host, fields {{NULL, 0}, list, count}, framing and body_len are read.
 * req      filled when the result is 0.                                                      [out]
 *
 * Returns  0, or the first fault in this order; each is answered by weir_http_error_reply:
 *          WEIR_ERR_WS_METHOD         not GET                                               405
 *          WEIR_ERR_WS_HTTP           HTTP/1.0                                              505
 *          WEIR_ERR_HTTP_TARGET       neither origin-form nor absolute-form                 400
 *          WEIR_ERR_WS_UPGRADE        no Upgrade field lists `websocket`                    426
 *          WEIR_ERR_WS_CONNECTION     no Connection field lists `upgrade`                   400
 *          WEIR_ERR_WS_VERSION_FORM   version repeated or not a number                      400
 *          WEIR_ERR_WS_VERSION        version absent or not 13                              426
 *          WEIR_ERR_WS_KEY            not exactly one key of 16 bytes in base64             400
 *          WEIR_ERR_WS_BODY           Content-Length above 0, or Transfer-Encoding          400
 *          WEIR_ERR_WS_EXTENSION_FORM malformed list of extensions                          400
 *          WEIR_ERR_WS_PROTOCOL       subprotocols are not a list of 1 to 32 distinct tokens 400
 *
 * A key whose last character has stray low bits is accepted: no byte depends on them. The origin is
 * not judged here. To serve plain pages on the same port, look for the field first:
 * weir_http_fields_has(head.fields, "upgrade", "websocket").
 */
WEIR_API int weir_ws_request_read(const weir_http_head *head, weir_ws_request *req);

/*
 * weir_ws_request_protocol - choose a subprotocol (RFC 6455 4.2.2).
 *
 * req        a checked request.
 * supported  `count` names, NUL-terminated; compared with case.
 *
 * Returns    the index in `supported` of the first one in the client's order, which is its order of
 *            preference; -1 if it offers none of them.
 */
WEIR_API int weir_ws_request_protocol(const weir_ws_request *req, const char *const *supported, size_t count);

/* What to add to the 101; zero-initialise it first. */
typedef struct weir_ws_accept {
    const char *protocol;          /* the subprotocol chosen, NULL for none */
    const weir_http_field *fields; /* field_count further fields, as Set-Cookie; may be NULL if 0 */
    size_t field_count;
    const weir_deflate_params *deflate; /* what weir_deflate_negotiate agreed on, NULL for nothing */
} weir_ws_accept;

/* Room that weir_ws_accept_write needs at most, beside the protocol's name and the caller's fields. */
#define WEIR_WS_ACCEPT_MAX 384

/*
 * weir_ws_accept_write - accept: write the 101 reply. From here on both sides speak frames.
 *
 * To refuse instead, write any other reply: weir_http_error_reply or weir_http_reply_write with 401,
 * 403, 404, 503.
 *
 * out      where to.                                                                      [in,out]
 * req      a request that weir_ws_request_read found good.
 * accept   additions, NULL for none.
 *
 * Returns  0, or with nothing written
 *          WEIR_ERR_ARG      the request is another: a refused one, or one of weir_ws_extended_read, which a
 *                            200 accepts
 *          WEIR_ERR_SPACE    no room
 *          WEIR_ERR_FIELD    a field that must not be written, or `protocol` was not offered
 */
WEIR_API int weir_ws_accept_write(weir_out *out, const weir_ws_request *req, const weir_ws_accept *accept);

/* ---- The opening handshake of a client ---------------------------------------------------------- */

/* What a client offers; zero-initialise it first. All of it must stay until the answer was read. */
typedef struct weir_ws_offer {
    const char *const *protocols; /* subprotocols in order of preference, protocol_count of them */
    size_t protocol_count;
    bool protocol_optional;        /* a server that chooses none of them is accepted; browsers refuse it */
    const weir_http_field *fields; /* field_count further fields, as Origin, Authorization, Cookie */
    size_t field_count;
    const weir_deflate_policy *deflate; /* offer permessage-deflate, NULL: do not */
} weir_ws_offer;

/* What the server chose. */
typedef struct weir_ws_choice {
    int protocol;                /* index of the subprotocol, -1 for none */
    bool deflated;               /* permessage-deflate was agreed on: set it up with `deflate` */
    weir_deflate_params deflate; /* the parameters, if so */
} weir_ws_choice;

/* An opening handshake under way. */
typedef struct weir_ws_opening {
    const weir_ws_offer *offer_;
    uint32_t interim_;
    char key_[25];
    char accept_[29];
} weir_ws_opening;

/*
 * weir_ws_opening_write - write the request that opens a WebSocket (RFC 6455 4.1).
 *
 * opening  the handshake to be; draws a fresh key. One for each attempt.                     [out]
 * out      where to.                                                                      [in,out]
 * uri      where from; ws, wss, or http and https as WHATWG allows.
 * offer    NULL for nothing. Kept as a pointer.
 * entropy  source of the key.
 *
 * Returns  0, or with nothing written
 *          WEIR_ERR_SPACE      no room; 384 bytes beside the URI, protocols and fields suffice
 *          WEIR_ERR_FIELD      a field that must not be written, or subprotocols that are not distinct
 *                              tokens
 *          WEIR_ERR_ENTROPY    no key to be had
 */
WEIR_API int weir_ws_opening_write(weir_ws_opening *opening, weir_out *out, const weir_http_uri *uri,
                                   const weir_ws_offer *offer, weir_entropy *entropy);

/*
 * weir_ws_opening_read - check the server's answer (RFC 6455 4.1).
 *
 * opening  the handshake under way.                                                       [in,out]
 * head     a response's head from weir_http_next, or made from another HTTP implementation's response:
 *          status, minor and fields {{NULL, 0}, list, count} are read. What is left of the input behind a
 *          good one are frames: they go to weir_ws_next.
 * choice   filled when the result is 1.                                                      [out]
 *
 * Returns  1    the WebSocket is open.
 *          0    an interim answer (1xx, 16 at most): read the next head.
 *          < 0  the handshake failed; close the transport.
 *               WEIR_ERR_WS_STATUS      not 101: head->status and fields (Location, Retry-After,
 *                                       WWW-Authenticate) say why; a body may follow, head->framing
 *               WEIR_ERR_WS_HTTP        HTTP/1.0
 *               WEIR_ERR_WS_UPGRADE     not exactly `Upgrade: websocket`
 *               WEIR_ERR_WS_CONNECTION  Connection does not list `upgrade`
 *               WEIR_ERR_WS_ACCEPT      not exactly one, or not the one for our key
 *               WEIR_ERR_WS_CHOICE      a subprotocol that was not offered, more than one, or none
 *               WEIR_ERR_WS_EXTENSION   an extension or a parameter that was not offered
 */
WEIR_API int weir_ws_opening_read(weir_ws_opening *opening, const weir_http_head *head,
                                  weir_ws_choice *choice);

/* ---- Over HTTP/2 and HTTP/3 ----------------------------------------------------------------------- */

/*
 * weir_ws_extended_read - check an extended CONNECT for a WebSocket (RFC 8441 5, RFC 9220 3).
 *
 * The same rules as weir_ws_request_read, without what HTTP/2 has no use for: Upgrade, Connection, the key.
 * The frames then go through the stream as they would through a TCP connection, masked by the client.
 *
 * head       made by you from the stream: method from :method, target from :path, host from :authority,
 *            fields {{NULL, 0}, list, count}; the rest is not looked at.
 * protocol   :protocol.
 * req        filled when the result is 0; accept is empty.                                   [out]
 *
 * Returns  0, or
 *          WEIR_ERR_WS_METHOD                        not CONNECT                            405
 *          WEIR_ERR_WS_TUNNEL                        :protocol is not `websocket`           501
 *          WEIR_ERR_HTTP_TARGET                      :path does not begin with '/'          400
 *          WEIR_ERR_WS_VERSION, _VERSION_FORM        answer 400: 426 has no meaning there
 *          WEIR_ERR_WS_EXTENSION_FORM, _PROTOCOL                                            400
 */
WEIR_API int weir_ws_extended_read(const weir_http_head *head, weir_str protocol, weir_ws_request *req);

/* Most fields that the two functions below give. */
#define WEIR_WS_EXTENDED_FIELDS 3

/*
 * weir_ws_extended_accept - the fields of the answer beside `:status: 200`.
 *
 * req      a checked request.
 * accept   subprotocol and compression, or NULL for neither; its other fields are yours to send.
 * scratch  where values are written; WEIR_DEFLATE_VALUE_MAX bytes suffice.                [in,out]
 * fields   the fields, names in lower case; values in scratch or in accept.                  [out]
 *
 * Returns  how many fields; or WEIR_ERR_SPACE, or WEIR_ERR_FIELD if the subprotocol was not offered.
 */
WEIR_API int weir_ws_extended_accept(const weir_ws_request *req, const weir_ws_accept *accept,
                                     weir_out *scratch, weir_http_field fields[WEIR_WS_EXTENDED_FIELDS]);

/*
 * weir_ws_extended_offer - the fields of a client's request beside the pseudo-header fields, which are
 * `:method: CONNECT`, `:protocol: websocket`, `:scheme`, `:path` and `:authority`.
 *
 * offer    NULL for nothing; its other fields are yours to send (they are checked all the same).
 * scratch  where values are written; the lengths of the subprotocols, two bytes for each, and
 *          WEIR_DEFLATE_VALUE_MAX bytes suffice.                                           [in,out]
 * fields   the fields.                                                                       [out]
 *
 * Returns  how many fields; or WEIR_ERR_SPACE, or WEIR_ERR_FIELD as weir_ws_opening_write.
 */
WEIR_API int weir_ws_extended_offer(const weir_ws_offer *offer, weir_out *scratch,
                                    weir_http_field fields[WEIR_WS_EXTENDED_FIELDS]);

/*
 * weir_ws_extended_check - read the server's answer.
 *
 * offer    what was offered.
 * status   :status.
 * fields   the answer's fields.
 * choice   filled when the result is 1.                                                      [out]
 *
 * Returns  1, or WEIR_ERR_WS_STATUS (not 2xx), _CHOICE or _EXTENSION as weir_ws_opening_read.
 */
WEIR_API int weir_ws_extended_check(const weir_ws_offer *offer, unsigned status, weir_http_fields fields,
                                    weir_ws_choice *choice);

/* ---- The connection: set-up --------------------------------------------------------------------- */

typedef enum weir_ws_role { WEIR_WS_SERVER = 1, WEIR_WS_CLIENT = 2 } weir_ws_role;

/* Bits of weir_ws_cfg.flags. MANUAL_PONG: Pings are not answered by weir, you must, with weir_ws_pong.
 * NO_UTF8: text is not checked. Whoever reads it as UTF-8 can be attacked with overlong or cut sequences;
 * only for relays that do not look inside. */
#define WEIR_WS_MANUAL_PONG 0x1u
#define WEIR_WS_NO_UTF8 0x2u

/* Limits and options of a connection. Fill it with weir_ws_cfg_init, then change what you want; a limit
 * of 0 is a limit of 0, but for max_controls. */
typedef struct weir_ws_cfg {
    uint32_t size;          /* set by weir_ws_cfg_init */
    uint32_t role;          /* a weir_ws_role */
    uint32_t flags;         /* WEIR_WS_ bits; default 0 */
    uint32_t max_fragments; /* frames in a message; default 100,000; over it 1008 */
    uint64_t max_frame;     /* payload bytes of a data frame; default 16 MiB; over it 1009. Compressed a
                               quarter more: what cannot be compressed gets longer */
    uint64_t max_message;   /* bytes of a message, after inflation; default 16 MiB; over it 1009 */
    uint32_t max_controls;  /* Pings and Pongs between two data frames; default 0: no limit; over it
                               1008. They cost no memory, so this guards only against waste */
    uint32_t reserved;
    weir_entropy *entropy; /* clients: required, kept as a pointer; servers: ignored */
    weir_deflate *deflate; /* if permessage-deflate was agreed on: its state, kept as a pointer; else NULL */
} weir_ws_cfg;

/*
 * weir_ws_cfg_init - fill in the defaults.
 *
 * cfg      the configuration.                                                                [out]
 * role     which side we are.
 */
#define weir_ws_cfg_init(cfg, role) weir_ws_cfg_init_((cfg), sizeof *(cfg), (role))
WEIR_API void weir_ws_cfg_init_(weir_ws_cfg *cfg, size_t size, weir_ws_role role);

/* One connection. Private; visible for its size (docs/sizes.md). Needs no release, holds no pointer
 * but cfg.entropy and cfg.deflate; may be copied or moved in memory between calls. */
typedef struct weir_ws {
    weir_entropy *entropy_;
    weir_deflate *deflate_;
    uint64_t max_frame_;
    uint64_t max_message_;
    uint64_t offset_;     /* stream bytes taken; the error's offset after an error */
    uint64_t rx_left_;    /* payload bytes still to come in the frame being received */
    uint64_t rx_message_; /* payload bytes of the message so far, this frame included */
    uint64_t tx_left_;    /* payload bytes still to be sent in the frame begun */
    uint32_t max_fragments_;
    uint32_t max_controls_;
    uint32_t rx_fragments_;
    uint32_t rx_controls_;
    uint32_t rx_utf8_;
    uint16_t state_;
    uint16_t cfg_flags_;
    uint16_t whole_end_; /* a message of its own that is shorter than this is within the limits */
    uint16_t close_sent_;
    uint16_t close_received_;
    int16_t err_;       /* the sticky error, or 0 */
    int16_t err_due_;   /* the one that the next call reports, behind what was good before it */
    uint8_t rx_key_[4]; /* keys, turned to the next payload byte; 0 for what a client receives */
    uint8_t tx_key_[4];
    uint8_t rx_opcode_;
    uint8_t head_len_;
    uint8_t head_need_; /* bytes of the header that it takes to read on in it */
    uint8_t head_[14];
    uint8_t ctl_len_; /* bytes in ctl_ */
    uint8_t wait_;    /* opcode of the frame that waits for room in out_ (a Pong's payload in ctl_), or 0 */
    uint8_t out_pos_; /* out_[out_pos_..out_end_) is to be written */
    uint8_t out_end_;
    uint8_t out_cut_;  /* bytes left of the frame that is partly written, 0 at a frame border */
    uint8_t ctl_[125]; /* control payload being received, a waiting reply's, or the peer's reason */
    uint8_t out_[131]; /* encoded control frames */
} weir_ws;

/*
 * weir_ws_init - set up a connection whose opening handshake is done.
 *
 * ws       the connection; former contents do not matter.                                    [out]
 * cfg      copied, except for what cfg->entropy and cfg->deflate point to.
 *
 * Returns  0, or
 *          WEIR_ERR_ARG       unknown role or flag, or a client without entropy
 *          WEIR_ERR_LAYOUT    the program was built with another weir_ws, weir_ws_cfg or minor version
 */
#define weir_ws_init(ws, cfg) weir_ws_init_((ws), WEIR_LAYOUT_OF(*(ws)), (cfg))
WEIR_API int weir_ws_init_(weir_ws *ws, uint32_t layout, const weir_ws_cfg *cfg);

/* ---- Receiving ---------------------------------------------------------------------------------- */

/* What weir_ws_next and weir_ws_eof report. */
typedef enum weir_ws_kind {
    WEIR_WS_NONE = 0,
    WEIR_WS_DATA,  /* a piece of a message: flags, data */
    WEIR_WS_PING,  /* data: its payload. The Pong is in weir_ws_out, or gets there as soon as there is room
                      and a key; with WEIR_WS_MANUAL_PONG you owe it */
    WEIR_WS_PONG,  /* data: its payload (empty if it came in pieces while two of our own replies were
                      backed up: there is no room for it then, and the replies matter more) */
    WEIR_WS_CLOSE, /* code: the peer's, 1005 if it sent none; data: its reason. Nothing follows */
    WEIR_WS_END    /* the transport ended; code: the peer's, or 1006 if no Close came */
} weir_ws_kind;

/* Bits of flags, the same for receiving and sending. DEFLATE says that the message is compressed on the
 * wire; in sending it is a wish, not followed when compression was not agreed on or the message is short. */
#define WEIR_WS_FIRST 0x1u   /* first piece of a message */
#define WEIR_WS_LAST 0x2u    /* last piece of a message */
#define WEIR_WS_TEXT 0x4u    /* the message is text, else binary; on every piece */
#define WEIR_WS_DEFLATE 0x8u /* the message is compressed; on every piece */
#define WEIR_WS_WHOLE (WEIR_WS_FIRST | WEIR_WS_LAST)

/* What happened. `data` lies in the caller's buffer, or with compressed DATA in the scratch, or with PING,
 * PONG, CLOSE and END perhaps in ws; it is valid until that buffer is changed or the next call on ws. */
typedef struct weir_ws_event {
    weir_ws_kind kind;
    uint32_t flags; /* with DATA: WEIR_WS_ bits */
    weir_str data;
    uint16_t code; /* with CLOSE and END: status code (RFC 6455 7.4) */
} weir_ws_event;

/*
 * weir_ws_next - take bytes from the peer and report at most one event.
 *
 * Call it until it returns 0 or less. Payload is unmasked in place, in the bytes that `in` points to; what
 * an event leaves in `in` must come first, as it is, in the next call (part of it may be unmasked already).
 * Messages are not collected: each call reports what has arrived of the payload, so a message of any
 * length needs no memory. Borders of frames do not show. weir_ws_join collects small messages.
 *
 * ws       the connection.                                                                [in,out]
 * in       bytes received and not yet taken; moved past those taken. ptr may be NULL if len is 0.
 *                                                                                         [in,out]
 * ev       filled when the result is above 0, else of kind WEIR_WS_NONE.                      [out]
 *
 * Returns  > 0  ev->kind. DATA is never empty but for the last piece of a message. What TEXT messages
 *               deliver is always the beginning of valid UTF-8 (a piece may end inside a character);
 *               with LAST it is whole.
 *            0  all input taken; read more.
 *          < 0  the peer broke the protocol or a limit. Sticky. All that came before has been
 *               reported; a Close with the error's code, and its text as the reason, waits in
 *               weir_ws_out.
 *               WEIR_ERR_WS_RSV             reserved bit set                             1002
 *               WEIR_ERR_WS_OPCODE          opcode 3-7 or 11-15                          1002
 *               WEIR_ERR_WS_CONTROL_FIN, _CONTROL_SIZE                                   1002
 *               WEIR_ERR_WS_MASKING         client frame unmasked, server frame masked   1002
 *               WEIR_ERR_WS_LENGTH, _LENGTH_BIT                                          1002
 *               WEIR_ERR_WS_CONTINUATION, _INTERLEAVED                                   1002
 *               WEIR_ERR_WS_CLOSE_SIZE, _CLOSE_CODE                                      1002
 *               WEIR_ERR_WS_UTF8, _CLOSE_UTF8, _DEFLATE                                  1007
 *               WEIR_ERR_WS_FRAME_SIZE, _MESSAGE_SIZE    from the frame's header, or as soon as
 *                                                        that much is inflated; _RATIO   1009
 *               WEIR_ERR_WS_FRAGMENTS, _CONTROLS                                         1008
 *
 * After a CLOSE event all further input is taken and dropped.
 *
 * Splitting  any cut of the stream gives the same events, errors, offsets and replies; only the
 *            borders of DATA pieces follow the cuts (and see WEIR_WS_PONG for a reply backlog). With
 *            compression there is one more exception, of a peer that breaks RFC 7692: whether a distance
 *            that leaves the agreed window, but not its message, is refused depends on the cut.
 * Cost       O(bytes taken).
 * Not done   a Pong's payload is not compared with any Ping's.
 */
WEIR_API int weir_ws_next(weir_ws *ws, weir_in *in, weir_ws_event *ev);

/*
 * weir_ws_eof - the peer will send no more: read() returned 0, or the transport failed.
 *
 * ws       the connection.                                                                [in,out]
 * ev       filled when the result is above 0.                                                [out]
 *
 * Returns  WEIR_WS_END the first time: code and data are those of the peer's Close, or 1006 and empty
 *          if none came (RFC 6455 7.1.5). 0 at later calls.
 */
WEIR_API int weir_ws_eof(weir_ws *ws, weir_ws_event *ev);

/*
 * weir_ws_error - the sticky error.
 *
 * offset   if not NULL: stream position, counted from init, of the byte that made the input
 *          impossible; without an error the bytes taken so far, or where the error is that the next call
 *          will report. A faulty length counts at its last byte, a text cut inside a character at its
 *          message's last, a fault of compressed data at the first payload byte of its frame. [out]
 *
 * Returns  the weir_err, or 0 if there is none.
 */
WEIR_API int weir_ws_error(const weir_ws *ws, uint64_t *offset);

/* Collects the pieces of a message in a buffer of the caller's. Set buf and cap, zero the rest. */
typedef struct weir_ws_joiner {
    uint8_t *buf;
    size_t cap;
    size_t len_;
} weir_ws_joiner;

/*
 * weir_ws_join - add a DATA event, get the message when it is whole.
 *
 * joiner   one for each connection with messages under way.                               [in,out]
 * ev       any event; others than DATA are ignored.
 * message  the whole message when the result is 1. A message that came in one piece is not copied:
 *          the slice is ev->data; else it lies in joiner->buf, valid until the next call.      [out]
 *
 * Returns  1    message whole; ev->flags & WEIR_WS_TEXT tells its kind.
 *          0    more to come.
 *          WEIR_ERR_WS_MESSAGE_SIZE    it is longer than cap, however it came; again for each piece that is
 *                                      left of it. Call weir_ws_close with 1009. Does not arise when
 *                                      cap >= cfg.max_message
 */
WEIR_API int weir_ws_join(weir_ws_joiner *joiner, const weir_ws_event *ev, weir_str *message);

/* ---- What weir has to say by itself -------------------------------------------------------------- */

/*
 * weir_ws_out - control frames that wait to be written: Pongs, Pings, Close.
 *
 * Write them to the transport in order with everything else, then say how many bytes were taken with
 * weir_ws_out_ack. Nothing is offered inside a data frame begun with weir_ws_begin. While you empty
 * it after every event, every Ping is answered, in order. When it is full, the newest Ping is answered
 * instead of those that found no room (RFC 6455 5.5.3), and a Close instead of any of them.
 *
 * Returns  the bytes, in ws, valid until the next call on ws; empty (len 0) if nothing waits.
 */
WEIR_API weir_str weir_ws_out(const weir_ws *ws);

/*
 * weir_ws_out_ack - n bytes of weir_ws_out have been written (or copied to an output that will be).
 *
 * n        at most the length weir_ws_out returned; more is taken as that length.
 */
WEIR_API void weir_ws_out_ack(weir_ws *ws, size_t n);

/*
 * weir_ws_out_put - move what waits into `out` and acknowledge it: the usual way to use the two above.
 *
 * out      where to, in whole frames of 131 bytes at most; WEIR_WS_OUT_MAX bytes of room suffice for all.
 *                                                                                         [in,out]
 *
 * Returns  0 if weir_ws_out has no more to offer, or WEIR_ERR_SPACE if a frame that it offers found no room;
 *          what is in front of it was moved.
 */
WEIR_API int weir_ws_out_put(weir_ws *ws, weir_out *out);
#define WEIR_WS_OUT_MAX 262

/* ---- Sending ------------------------------------------------------------------------------------- */

/* Longest frame header in bytes. */
#define WEIR_WS_HEADER_MAX 14

/*
 * weir_ws_send - write one data frame: header and payload.
 *
 * A message is one call with WEIR_WS_WHOLE, or several: FIRST, any number with neither, LAST. The
 * flags of a received DATA event fit as they are.
 *
 * ws       the connection.                                                                [in,out]
 * out      where to; needs weir_ws_send_size(ws, data.len) bytes at most.                 [in,out]
 * flags    WEIR_WS_FIRST, LAST, TEXT, DEFLATE. Without FIRST, TEXT and DEFLATE are ignored: the message
 *          goes on as it began.
 * data     payload, any length; not changed. Text is not checked here: see weir_utf8_valid. Must not
 *          overlap the room of `out`.
 *
 * Returns  0, or with nothing written and nothing changed
 *          WEIR_ERR_SPACE      no room
 *          WEIR_ERR_STATE      Close was sent or received or the connection failed; or a frame begun
 *                              with weir_ws_begin is not finished; or weir_ws_out is partly written; or
 *                              FIRST inside a message or its absence outside of one
 *          WEIR_ERR_ENTROPY    client: no masking key to be had
 *          WEIR_ERR_ARG        unknown flag
 */
WEIR_API int weir_ws_send(weir_ws *ws, weir_out *out, uint32_t flags, weir_str data);

/*
 * weir_ws_send_part - write as much of a message as fits and may go into one frame; call again for more.
 *
 * For messages that are larger than the output should ever be, and so that control frames get through
 * between the parts of a huge one (RFC 6455 5.4). Between two calls only control frames may be sent.
 *
 *     uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_TEXT;
 *     while ((rv = weir_ws_send_part(&ws, &out, &flags, &data, 65536)) > 0)
 *         wait_for_room(c, &out);                               write `out`, weir_ws_out_put
 *
 * ws       the connection.                                                                [in,out]
 * out      where to.                                                                      [in,out]
 * flags    as for weir_ws_send; FIRST is removed when the message has begun.              [in,out]
 * data     what is left of the message; moved past what was written.                      [in,out]
 * most     bytes of `data` in a frame at most, 1 or more. Compressed they can become more, a quarter and 64
 *          bytes at worst.
 *
 * Returns  0    all of `data` is written.
 *          1    a part is written; call again with what is left.
 *          < 0  as weir_ws_send, with nothing written: WEIR_ERR_SPACE when there is not even room for a
 *               frame of one byte (64 bytes suffice), WEIR_ERR_ARG also for `most` 0.
 */
WEIR_API int weir_ws_send_part(weir_ws *ws, weir_out *out, uint32_t *flags, weir_str *data, size_t most);

/*
 * weir_ws_send_size - room that weir_ws_send needs at most for `len` bytes of payload, compressed or not.
 *
 * Returns  a size; SIZE_MAX if there is none that large.
 */
WEIR_API size_t weir_ws_send_size(const weir_ws *ws, size_t len);

/*
 * weir_ws_begin - write only the header of a data frame; the payload follows through
 * weir_ws_payload. For payload that is not copied (writev) or not all at hand yet.
 *
 * flags    as for weir_ws_send, without DEFLATE: such payload is sent as it is.
 * header   WEIR_WS_HEADER_MAX bytes; the first *header_len of them are to be sent.           [out]
 * len      payload bytes of this frame, at most 2^63-1; they must all follow.
 *
 * Returns  0, or WEIR_ERR_STATE, _ENTROPY or _ARG as weir_ws_send does.
 */
WEIR_API int weir_ws_begin(weir_ws *ws, uint32_t flags, uint64_t len, uint8_t header[WEIR_WS_HEADER_MAX],
                           size_t *header_len);

/*
 * weir_ws_payload - make the next payload bytes of the frame begun, or count them.
 *
 * dst      where they go; may be src.data itself (in place) but not overlap it otherwise. NULL on a
 *          server: the bytes are sent as they are, only counted.                             [out]
 * src      the next payload bytes.
 *
 * Returns  0, or WEIR_ERR_ARG, nothing changed: more bytes than announced, or no dst on a client.
 */
WEIR_API int weir_ws_payload(weir_ws *ws, uint8_t *dst, weir_str src);

/* ---- Encode once, send to many ------------------------------------------------------------------- */

/* A message as frames of a server, ready for any number of connections. The bytes are the caller's. */
typedef struct weir_ws_prepared {
    weir_str plain;      /* from weir_ws_prepare */
    weir_str packed;     /* from weir_ws_prepare_packed; absent (ptr NULL) if there is none */
    uint8_t packed_bits; /* the window it was compressed with */
} weir_ws_prepared;

/*
 * weir_ws_prepare - write a whole message as one frame of a server, for any connection.
 *
 * out      where to; needs data.len + 10 bytes at most.                                   [in,out]
 * flags    WEIR_WS_TEXT or 0.
 *
 * Returns  0, WEIR_ERR_SPACE or WEIR_ERR_ARG, the latter two with nothing written.
 */
WEIR_API int weir_ws_prepare(weir_out *out, uint32_t flags, weir_str data);

/*
 * weir_ws_prepare_packed - the same, compressed, for every connection whose window is at least as large.
 *
 * out          where to; the size is not known beforehand, data.len + data.len / 4 + 64 bytes suffice.
 *                                                                                         [in,out]
 * flags        WEIR_WS_TEXT or 0.
 * backend      as &weir_zlib.
 * mem          working memory, backend->deflate_size(bits, 8) bytes, free again after the call.
 * bits         window, 9..15: smaller ones fit more connections. A connection takes it if its
 *              weir_deflate_params.server_bits are not less.
 *
 * Returns  0, or with nothing written WEIR_ERR_ARG or WEIR_ERR_SPACE (out or mem too small).
 */
WEIR_API int weir_ws_prepare_packed(weir_out *out, uint32_t flags, weir_str data,
                                    const weir_deflate_backend *backend, void *mem, size_t mem_len,
                                    unsigned bits);

/*
 * weir_ws_send_prepared - choose the form of a prepared message for a server's connection.
 *
 * ws       the connection; it counts the message as sent. Its own compression forgets its window, since
 *          the peer's now holds text that it does not know.                               [in,out]
 * prepared the message.
 * bytes    what to send, all of it, before anything else: a slice of `prepared`.              [out]
 *
 * Returns  0, or WEIR_ERR_STATE as weir_ws_send does, or for a client, whose frames cannot be shared.
 */
WEIR_API int weir_ws_send_prepared(weir_ws *ws, const weir_ws_prepared *prepared, weir_str *bytes);

/* ---- Sending control frames ---------------------------------------------------------------------- */

/*
 * weir_ws_ping - queue a Ping in weir_ws_out.
 * weir_ws_pong - queue a Pong that no Ping asked for, or with WEIR_WS_MANUAL_PONG the answer to one.
 *
 * data     payload, at most 125 bytes; copied.
 *
 * Returns  0, or with nothing changed
 *          WEIR_ERR_ARG        over 125 bytes
 *          WEIR_ERR_SPACE      weir_ws_out is full: write it first
 *          WEIR_ERR_STATE      Close was received, the connection failed or the transport ended; for a Ping
 *                              also: Close was sent. A Pong may follow our own Close (RFC 6455 5.5.2)
 *          WEIR_ERR_ENTROPY    client: no masking key to be had, for this or what has waited for one
 */
WEIR_API int weir_ws_ping(weir_ws *ws, weir_str data);
WEIR_API int weir_ws_pong(weir_ws *ws, weir_str data);

/*
 * weir_ws_close - queue a Close in weir_ws_out: the start of the closing handshake (RFC 6455 7.1.2).
 *
 * Afterwards no data can be sent. Go on reading: the peer's messages still arrive, then its Close. A
 * message under way may be left unfinished, a frame may not: Close waits for its end.
 *
 * code     1000-1003, 1007-1014, 3000-4999; or 0 for a Close without code and reason.
 * reason   UTF-8, at most 123 bytes; copied.
 *
 * Returns  0; also when Close was sent already: the first stands. Or with nothing changed
 *          WEIR_ERR_CLOSE_CODE      a code that must not be sent
 *          WEIR_ERR_CLOSE_REASON    too long, not UTF-8, or given with code 0
 *          WEIR_ERR_SPACE           what waits in weir_ws_out leaves no room for the reason: write it
 *                                   first. Does not arise without a reason
 *          WEIR_ERR_ENTROPY         client: no masking key to be had
 */
WEIR_API int weir_ws_close(weir_ws *ws, uint16_t code, weir_str reason);

/* ---- How it ended -------------------------------------------------------------------------------- */

/* What to do with the transport. */
typedef enum weir_ws_todo {
    WEIR_WS_CARRY_ON = 0,   /* read, write what waits */
    WEIR_WS_WAIT_PEER,      /* all is written: read until the peer ends, under a deadline */
    WEIR_WS_SHUTDOWN_WRITE, /* shut down writing (and TLS), then read until the peer ends, under a
                               deadline. Closing at once could destroy the Close on its way */
    WEIR_WS_CLOSE_NOW       /* the peer has ended: close */
} weir_ws_todo;

/*
 * weir_ws_transport - what to do with the transport, once everything before is written.
 *
 * Returns  CARRY_ON while the connection is open or control frames wait to be written (to a peer that has
 *          only shut down its own writing they still get through; after a failed transport just close).
 *          WAIT_PEER when our Close is out and the peer's is not in; for a client also when both are:
 *          the server ends TCP first (RFC 6455 7.1.1).
 *          SHUTDOWN_WRITE for a server when both are, and for both roles after an error.
 *          CLOSE_NOW after weir_ws_eof, once nothing waits.
 *
 * Call weir_pulse_closing at the first answer that is not CARRY_ON, even while output is queued: from then
 * on close_ms bounds everything. A program that queues more than a slow peer takes in close_ms calls it
 * when the queue is empty instead, and bounds the time in which a peer takes nothing.
 */
WEIR_API weir_ws_todo weir_ws_transport(const weir_ws *ws);

/*
 * weir_ws_at_rest - is nothing under way, in neither direction?
 *
 * Returns  true if between two messages all that came is used up and all that was said is written, and
 *          nothing of the end has begun. The context then holds no more than its configuration, the count of
 *          bytes that an error's offset is taken from, and that of control frames for max_controls. A
 *          server of very many silent connections gives its memory back and, when bytes come or there is
 *          something to say, makes it anew with weir_ws_init: both then count from 0. With a weir_deflate
 *          keep the two together.
 */
WEIR_API bool weir_ws_at_rest(const weir_ws *ws);

/* Who began the closing handshake. */
typedef enum weir_ws_side { WEIR_WS_NOBODY = 0, WEIR_WS_LOCAL, WEIR_WS_PEER } weir_ws_side;

/* The record of the closing. */
typedef struct weir_ws_closing {
    uint16_t sent;            /* code in our Close, 1005 if it has none, 0 while no Close is queued */
    uint16_t received;        /* code in the peer's, 1005 if it has none, 1006 after an END without
                                 one (also after an error, behind which nothing is read), 0 before */
    weir_str received_reason; /* in ws, valid until the next call on ws */
    weir_ws_side first;       /* who began */
    bool clean;               /* both sent Close and nobody broke the protocol */
} weir_ws_closing;

/*
 * weir_ws_closing_read - the record of the closing so far.
 */
WEIR_API void weir_ws_closing_read(const weir_ws *ws, weir_ws_closing *closing);

#ifdef __cplusplus
}
#endif
#endif
