/* SPDX-License-Identifier: MIT */
/* ws.h - floor 3: what the files of the WebSocket connection share. */
#ifndef WEIRI_WS_H
#define WEIRI_WS_H

#include "weir/ws.h"

#include "base/entropy.h"
#include "base/mask.h"

/* Opcodes (RFC 6455 5.2). */
enum {
    WEIRI_OP_CONT = 0x0,
    WEIRI_OP_TEXT = 0x1,
    WEIRI_OP_BINARY = 0x2,
    WEIRI_OP_CLOSE = 0x8,
    WEIRI_OP_PING = 0x9,
    WEIRI_OP_PONG = 0xA
};

/* Bits of weir_ws.state_. */
#define WEIRI_WS_IS_CLIENT 0x0001u
#define WEIRI_WS_RX_FRAME 0x0002u   /* inside a frame: its header is taken, its payload is not */
#define WEIRI_WS_RX_FIN 0x0004u     /* the data frame being received is its message's last */
#define WEIRI_WS_RX_MESSAGE 0x0008u /* inside a message, whose first frame has begun */
#define WEIRI_WS_RX_TEXT 0x0010u    /* that message is text */
#define WEIRI_WS_RX_FIRST 0x0020u   /* no piece of it has been reported yet */
#define WEIRI_WS_RX_CUT 0x0040u     /* a control payload comes in pieces and is collected in ctl_ */
#define WEIRI_WS_RX_SKIP 0x0080u    /* ... but ctl_ holds a reply that waits, so it is dropped */
#define WEIRI_WS_TX_MESSAGE 0x0100u /* FIRST was sent, LAST was not */
#define WEIRI_WS_SENT 0x0200u       /* our Close is queued or sent */
#define WEIRI_WS_RECEIVED 0x0400u   /* the peer's Close was received: SENT is set then too */
#define WEIRI_WS_PEER_FIRST 0x0800u /* the peer's came first */
#define WEIRI_WS_EOF 0x1000u        /* the transport has ended */
#define WEIRI_WS_RX_PACKED 0x2000u  /* the message being received is compressed */
#define WEIRI_WS_TX_PACKED 0x4000u  /* the message being sent is compressed */
#define WEIRI_WS_FAILED 0x8000u     /* our Close is the one for an error: SENT is set too */

static inline bool weiri_ws_has(const weir_ws *ws, unsigned bits)
{
    return (ws->state_ & bits) != 0;
}

static inline void weiri_ws_set(weir_ws *ws, unsigned bits)
{
    ws->state_ = (uint16_t)(ws->state_ | bits);
}

static inline void weiri_ws_clear(weir_ws *ws, unsigned bits)
{
    ws->state_ = (uint16_t)(ws->state_ & ~bits);
}

/* Takes n bytes of the input. */
static inline void weiri_ws_advance(weir_ws *ws, weir_in *in, size_t n)
{
    if (n == 0)
        return; /* in->ptr may be NULL */
    in->ptr += n;
    in->len -= n;
    ws->offset_ += n;
}

/* Lets a key begin behind the n payload bytes that it was used for. */
static inline void weiri_ws_turn_key(uint8_t key[4], size_t n)
{
    uint32_t word = weiri_mask_word(key, (unsigned)n);
    memcpy(key, &word, sizeof word);
}

/* The message being received is over. */
static inline void weiri_ws_message_end(weir_ws *ws)
{
    weiri_ws_clear(ws, WEIRI_WS_RX_MESSAGE | WEIRI_WS_RX_TEXT | WEIRI_WS_RX_PACKED | WEIRI_WS_RX_FIN |
                           WEIRI_WS_RX_FIRST);
    ws->rx_message_ = 0;
    ws->rx_fragments_ = 0;
    ws->rx_utf8_ = 0;
}

/* weir_ws_next, in any state and for any input. */
int weiri_ws_receive(weir_ws *ws, weir_in *in, weir_ws_event *ev);

/* A header is whole and good: its frame begins. */
void weiri_ws_frame_begin(weir_ws *ws, uint8_t first, uint64_t len, const uint8_t *key);

/* Queues a control frame in out_. Returns 0, WEIR_ERR_SPACE or WEIR_ERR_ENTROPY; then nothing has
 * changed. */
int weiri_ws_queue(weir_ws *ws, uint8_t opcode, weir_str payload);

/* Lets a reply that waits move into out_ if there is room now. */
void weiri_ws_settle(weir_ws *ws);

/* Queues the answer to a Ping; what finds no room waits in ctl_, the newest instead of older ones. */
void weiri_ws_reply_pong(weir_ws *ws, weir_str payload);

/* Queues the Close that weir sends by itself: the echo of the peer's, or the one for an error. */
void weiri_ws_reply_close(weir_ws *ws, uint16_t code);

/* May this code stand in a Close (RFC 6455 7.4, IANA's registry)? */
bool weiri_ws_code_valid(unsigned code);

/* May a data frame with these flags and length begin now? 0, WEIR_ERR_ARG or WEIR_ERR_STATE. */
int weiri_ws_send_check(const weir_ws *ws, uint32_t flags, uint64_t len);

/* A frame of a compressed message begins; `first` is its message's first. */
void weiri_ws_packed_begin(weir_ws *ws, uint64_t frame_len, bool first);

/* Takes input and gives what it inflates to, in the scratch. *over: the frame is done. A fault is kept in
 * err_due_; what is returned was good before it. */
weir_str weiri_ws_packed_take(weir_ws *ws, weir_in *in, bool *over);

/* A fault in a compressed message, kept in err_due_ with its frame's position. */
void weiri_ws_packed_fault(weir_ws *ws, int err);

/* The compressed message is over; false if it was cut inside a block. */
bool weiri_ws_packed_end(weir_ws *ws);

/* Is a frame with these flags to be compressed? */
bool weiri_ws_packed_wanted(const weir_ws *ws, uint32_t flags, size_t len);

/* Room that weiri_ws_packed_put needs at most. */
size_t weiri_ws_packed_bound(const weir_ws *ws, size_t len);

/* Compresses a frame's payload. Returns 0, or WEIR_ERR_STATE if the backend failed. */
int weiri_ws_packed_put(weir_ws *ws, weir_str data, bool last, weir_out *out);

/* Lets the compressor forget its window, which is work only if it holds something. */
void weiri_ws_packed_forget(weir_deflate *deflate);

/* weiri_ws_packed_put over any compressor, without forgetting its window. */
int weiri_packed_put(const weir_deflate_backend *backend, void *mem, weir_str data, bool last, weir_out *out);

/* Sec-WebSocket-Accept for a key of 24 characters, NUL-terminated (RFC 6455 4.2.2). */
void weiri_ws_accept_value(char accept[29], weir_str key);

/* Subprotocols that are distinct tokens, and fields that may be written. */
bool weiri_ws_offer_valid(const weir_ws_offer *offer);
extern const weir_ws_offer weiri_ws_offer_nothing;

/* What the server chose of an offer. Returns 1, WEIR_ERR_WS_CHOICE or WEIR_ERR_WS_EXTENSION. */
int weiri_ws_choice_read(const weir_ws_offer *offer, weir_http_fields fields, weir_ws_choice *choice);

/* Writes a frame header; key NULL: unmasked. Returns its length, 2 to 14. */
size_t weiri_ws_header(uint8_t *header, uint8_t first, uint64_t len, const uint8_t *key);

#endif
