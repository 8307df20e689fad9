/* SPDX-License-Identifier: MIT */
/*
 * next.c - floor 3: the straight paths of receiving.
 *
 * Four cases are most of all traffic: a frame that is a message of its own, a fragment, a piece of a data
 * frame's payload, and no input at all, which ends each read. They are taken here in one go, with every check
 * that the machine in receive.c makes; whatever else the input is, and whatever is wrong with it, is left to
 * that machine. A payload that turned out not to be UTF-8 is masked again first, as it came: the machine
 * finds the byte. So these paths are only ever faster, and can be left out.
 *
 * Every hand-over to another function is a tail call, and a whole message is reported before its payload is
 * unmasked: so the usual case, a short frame, keeps little in registers and saves none of the caller's.
 */
#include "ws.h"

#include "base/mask.h"
#include "base/utf8.h"

/* Nothing is to be reported: all of the input is taken. */
static inline int next_none(weir_ws_event *ev)
{
    ev->kind = WEIR_WS_NONE;
    return 0;
}

/* Reports `len` payload bytes, the last of the `taken` bytes of the input. */
static inline int next_data(weir_ws *ws, weir_in *in, weir_ws_event *ev, weir_in input, size_t taken,
                            size_t len, uint32_t flags)
{
    in->ptr = input.ptr + taken;
    in->len = input.len - taken;
    ev->kind = WEIR_WS_DATA;
    ev->flags = flags;
    ev->data.ptr = input.ptr + (taken - len);
    ev->data.len = len;
    ev->code = 0;
    ws->offset_ += taken;
    return WEIR_WS_DATA;
}

/* ---- Pieces -------------------------------------------------------------------------------------- */

/* Reports a piece of a data frame, which may be the frame's or the message's last. */
static inline int next_part(weir_ws *ws, weir_in *in, weir_ws_event *ev, weir_in input, size_t len,
                            uint32_t kind)
{
    uint32_t flags = kind | (weiri_ws_has(ws, WEIRI_WS_RX_FIRST) ? WEIR_WS_FIRST : 0);
    weiri_ws_clear(ws, WEIRI_WS_RX_FIRST);
    weiri_ws_turn_key(ws->rx_key_, len);
    ws->rx_left_ -= len;
    if (ws->rx_left_ == 0) {
        weiri_ws_clear(ws, WEIRI_WS_RX_FRAME);
        if (weiri_ws_has(ws, WEIRI_WS_RX_FIN)) {
            flags |= WEIR_WS_LAST;
            weiri_ws_message_end(ws);
        }
    }
    return next_data(ws, in, ev, input, len, len, flags);
}

/* A piece of a text: what is to be reported shows when it is checked. */
static WEIRI_APART int next_text_piece(weir_ws *ws, weir_in *in, weir_ws_event *ev, size_t len)
{
    const weir_in input = *in;
    uint32_t word = weiri_mask_word(ws->rx_key_, 0);
    uint32_t utf8 = ws->rx_utf8_;
    bool last = len == ws->rx_left_ && weiri_ws_has(ws, WEIRI_WS_RX_FIN);
    if ((ws->cfg_flags_ & WEIR_WS_NO_UTF8) != 0) {
        (void)weiri_mask(input.ptr, input.ptr, len, word);
    } else if (weiri_utf8_unmask(&utf8, input.ptr, len, word) != len || (last && utf8 != 0)) {
        (void)weiri_mask(input.ptr, input.ptr, len, word);
        return weiri_ws_receive(ws, in, ev);
    }
    ws->rx_utf8_ = utf8;
    return next_part(ws, in, ev, input, len, WEIR_WS_TEXT);
}

/* Inside a data frame that is not compressed: takes what the input holds of it. */
static WEIRI_APART int next_piece(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    const weir_in input = *in;
    size_t len = input.len < ws->rx_left_ ? input.len : (size_t)ws->rx_left_;
    if ((ws->rx_opcode_ & 0x08) != 0 || weiri_ws_has(ws, WEIRI_WS_RX_PACKED))
        return weiri_ws_receive(ws, in, ev);
    if (weiri_ws_has(ws, WEIRI_WS_RX_TEXT))
        return next_text_piece(ws, in, ev, len);
    uint32_t word = weiri_mask_word(ws->rx_key_, 0);
    next_part(ws, in, ev, input, len, 0);
    if (word != 0)
        (void)weiri_mask_here(input.ptr, input.ptr, len, word);
    return WEIR_WS_DATA;
}

/* ---- Whole messages ------------------------------------------------------------------------------ */

/* May a frame with this first byte and length be a whole message, that is not compressed? Then the byte is
 * 0x81 or 0x82: FIN, no reserved bit, text or binary. */
static inline bool next_is_whole(const weir_ws *ws, uint8_t first, size_t len)
{
    return (uint8_t)(first - 0x81) <= 1 && len < ws->whole_end_;
}

/* Reports such a frame, whose payload is made what it has to be afterwards. */
static inline int next_whole(weir_ws *ws, weir_in *in, weir_ws_event *ev, weir_in input, size_t size,
                             size_t len)
{
    uint32_t kind = (input.ptr[0] & WEIRI_OP_TEXT) != 0 ? WEIR_WS_TEXT : 0; /* the other opcode is 2 */
    ws->rx_controls_ = 0;
    return next_data(ws, in, ev, input, size + len, len, WEIR_WS_WHOLE | kind);
}

/* A frame with a payload begins. */
static WEIRI_APART int next_begin(weir_ws *ws, weir_in *in, weir_ws_event *ev, size_t size, size_t len,
                                  const uint8_t *key)
{
    weiri_ws_frame_begin(ws, in->ptr[0], len, key);
    weiri_ws_advance(ws, in, size);
    return in->len == 0 ? next_none(ev) : next_piece(ws, in, ev);
}

/* Takes a report back, because of a payload that is not UTF-8, and leaves the frame to the machine. Its
 * length has the shortest form, which here is never that of 64 bits. */
static WEIRI_APART int next_undo(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    size_t len = ev->data.len;
    size_t taken = len + (len < 126 ? 2 : 4);
    if (!weiri_ws_has(ws, WEIRI_WS_IS_CLIENT)) {
        uint8_t *payload = in->ptr - len;
        (void)weiri_mask(payload, payload, len, weiri_mask_word(payload - 4, 0));
        taken += 4;
    }
    in->ptr -= taken;
    in->len += taken;
    ws->offset_ -= taken;
    return weiri_ws_receive(ws, in, ev);
}

/* The payload that was reported is text, whose bytes have to be looked at. It is masked with `word`, or
 * unmasked already if that is 0. */
static WEIRI_APART int next_text(weir_ws *ws, weir_in *in, weir_ws_event *ev, uint32_t word)
{
    size_t len = ev->data.len;
    uint8_t *payload = in->ptr - len;
    uint32_t utf8 = 0;
    if ((ws->cfg_flags_ & WEIR_WS_NO_UTF8) == 0) {
        if (weiri_utf8_unmask(&utf8, payload, len, word) != len || utf8 != 0)
            return next_undo(ws, in, ev);
    } else if (word != 0) {
        (void)weiri_mask(payload, payload, len, word);
    }
    return WEIR_WS_DATA;
}

/* A frame that is no message of its own: begins it if it is a fragment, in its place and not compressed. One
 * without payload is for the machine, since it is over with its header. */
static WEIRI_APART int next_fragment(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    const bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    const uint8_t *p = in->ptr;
    size_t size = client ? 2 : 6;
    if (in->len < size + 2)
        return weiri_ws_receive(ws, in, ev);
    size_t len = p[1] ^ (client ? 0 : 0x80u), most = 125;
    if (len == 126) {
        len = (size_t)p[2] << 8 | p[3];
        size += 2;
        most = len < 126 ? 0 : UINT16_MAX;
    }
    bool placed = weiri_ws_has(ws, WEIRI_WS_RX_MESSAGE) ? (p[0] & 0x7F) == WEIRI_OP_CONT
                                                        : p[0] == WEIRI_OP_TEXT || p[0] == WEIRI_OP_BINARY;
    if (!placed || weiri_ws_has(ws, WEIRI_WS_RX_PACKED) || len == 0 || len > most || len > ws->max_frame_ ||
        len > ws->max_message_ - ws->rx_message_ || ws->rx_fragments_ >= ws->max_fragments_)
        return weiri_ws_receive(ws, in, ev);
    return next_begin(ws, in, ev, size, len, client ? NULL : p + size - 4);
}

/* A frame whose second byte does not give its length: it may have the 16-bit form. */
static WEIRI_APART int next_extended(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    const weir_in input = *in;
    bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    size_t size = client ? 4 : 8;
    uint8_t *p = input.ptr;
    if (input.len < size || p[1] != (client ? 126 : 0x80 | 126))
        return weiri_ws_receive(ws, in, ev);
    size_t len = (size_t)p[2] << 8 | p[3];
    if (len < 126 || !next_is_whole(ws, p[0], len))
        return next_fragment(ws, in, ev);
    if (input.len - size < len)
        return next_begin(ws, in, ev, size, len, client ? NULL : p + 4);
    next_whole(ws, in, ev, input, size, len);
    uint32_t word = client ? 0 : weiri_mask_word(p + 4, 0);
    if (p[0] == 0x81)
        return next_text(ws, in, ev, word);
    if (word != 0)
        (void)weiri_mask_here(p + size, p + size, len, word);
    return WEIR_WS_DATA;
}

/* Nothing is under way, and there are six bytes: takes a whole message of up to 125 bytes. */
static inline int next_masked(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    const weir_in input = *in;
    uint8_t *p = input.ptr;
    size_t len = p[1] ^ 0x80u; /* above 127 without the masking bit */
    if (len > 125)
        return next_extended(ws, in, ev);
    if (!next_is_whole(ws, p[0], len))
        return next_fragment(ws, in, ev);
    if (input.len - 6 < len)
        return next_begin(ws, in, ev, 6, len, p + 2);
    next_whole(ws, in, ev, input, 6, len);
    bool non_ascii = weiri_mask_short(p + 6, p + 6, len, weiri_mask_word(p + 2, 0));
    return non_ascii && p[0] == 0x81 ? next_text(ws, in, ev, 0) : WEIR_WS_DATA;
}

/* The same for a client. */
static WEIRI_APART int next_unmasked(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    const weir_in input = *in;
    uint8_t *p = input.ptr;
    if (input.len < 2)
        return weiri_ws_receive(ws, in, ev);
    size_t len = p[1];
    if (len > 125)
        return next_extended(ws, in, ev);
    if (!next_is_whole(ws, p[0], len))
        return next_fragment(ws, in, ev);
    if (input.len - 2 < len)
        return next_begin(ws, in, ev, 2, len, NULL);
    next_whole(ws, in, ev, input, 2, len);
    bool text = p[0] == 0x81;
    return text && !weiri_ascii_short(p + 2, len) ? next_text(ws, in, ev, 0) : WEIR_WS_DATA;
}

/* A client, or something is under way. An error that is known already, and a reply of ours that waits for
 * room (wait_), are for the machine. */
static inline int next_other(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    if ((ws->err_due_ | ws->wait_) != 0 || weiri_ws_has(ws, WEIRI_WS_SENT))
        return weiri_ws_receive(ws, in, ev);
    if (in->len == 0 && !weiri_ws_has(ws, WEIRI_WS_RX_PACKED))
        return next_none(ev);
    if (weiri_ws_has(ws, WEIRI_WS_RX_FRAME))
        return next_piece(ws, in, ev);
    if (ws->head_len_ == 0 && weiri_ws_has(ws, WEIRI_WS_RX_MESSAGE))
        return next_fragment(ws, in, ev);
    if (ws->head_len_ == 0 && weiri_ws_has(ws, WEIRI_WS_IS_CLIENT))
        return next_unmasked(ws, in, ev);
    return weiri_ws_receive(ws, in, ev);
}

/* The errors need no look: one that was reported has set SENT, one that is due has left RX_MESSAGE set. */
int weir_ws_next(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    const unsigned other = WEIRI_WS_IS_CLIENT | WEIRI_WS_RX_FRAME | WEIRI_WS_RX_MESSAGE | WEIRI_WS_SENT;
    if (!weiri_ws_has(ws, other) && (ws->head_len_ | ws->wait_) == 0) {
        if (in->len >= 6)
            return next_masked(ws, in, ev);
        if (in->len == 0)
            return next_none(ev);
    }
    return next_other(ws, in, ev);
}
