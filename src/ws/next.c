/* SPDX-License-Identifier: MIT */
/*
 * next.c - floor 3: the straight paths of receiving.
 *
 * Three cases are most of all traffic: a frame that lies whole in the input and is a message of its own, a
 * piece from the middle of a frame's payload, and no input at all, which ends each read. They are taken here
 * in one go, with every check that the machine in receive.c makes; whatever else the input is, and whatever
 * is wrong with it, is left to that machine. A payload that turned out not to be UTF-8 is masked again first,
 * as it came: the machine finds the byte. So these paths are only ever faster, and can be left out.
 *
 * What is left to another function is its last act, so that the usual case, a short frame, saves no register.
 */
#include "ws.h"

#include "base/mask.h"
#include "base/utf8.h"

/* Reports `len` payload bytes, the last of the `taken` bytes of input. */
static inline int next_data(weir_ws *ws, weir_in *in, weir_ws_event *ev, size_t taken, size_t len,
                            uint32_t flags)
{
    ev->kind = WEIR_WS_DATA;
    ev->flags = flags;
    ev->data.ptr = in->ptr + (taken - len);
    ev->data.len = len;
    ev->code = 0;
    weiri_ws_advance(ws, in, taken);
    return WEIR_WS_DATA;
}

static inline int next_whole(weir_ws *ws, weir_in *in, weir_ws_event *ev, size_t size, size_t len)
{
    ws->rx_controls_ = 0;
    return next_data(ws, in, ev, size + len, len,
                     WEIR_WS_WHOLE | (in->ptr[0] == 0x81 ? (uint32_t)WEIR_WS_TEXT : 0));
}

/* The payload of a whole message that is long, or text whose bytes have to be looked at. It is masked with
 * `word`, or unmasked already if that is 0. */
static WEIRI_SLOW int next_long(weir_ws *ws, weir_in *in, weir_ws_event *ev, size_t size, size_t len,
                                uint32_t word)
{
    uint8_t *payload = in->ptr + size;
    uint32_t utf8 = 0;
    if (in->ptr[0] == 0x82 || (ws->cfg_flags_ & WEIR_WS_NO_UTF8) != 0) {
        if (word != 0)
            (void)weiri_mask(payload, payload, len, word);
    } else if (weiri_utf8_unmask(&utf8, payload, len, word) != len || utf8 != 0) {
        if (!weiri_ws_has(ws, WEIRI_WS_IS_CLIENT))
            (void)weiri_mask(payload, payload, len, weiri_mask_word(payload - 4, 0));
        return weiri_ws_receive(ws, in, ev);
    }
    return next_whole(ws, in, ev, size, len);
}

/* Nothing is under way: takes a whole message in one frame, not compressed and within the limits. */
static inline int next_message(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    uint8_t *p = in->ptr;
    bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    size_t size = client ? 2 : 6;
    if (in->len < size || (uint8_t)(p[0] - 0x81) > 1)
        return weiri_ws_receive(ws, in, ev);
    size_t len = p[1] ^ (client ? 0u : 0x80u); /* above 127 if the masking bit is not as it must be */
    if (len >= 126) {
        size += 2;
        if (len != 126 || in->len < size)
            return weiri_ws_receive(ws, in, ev);
        len = (size_t)p[2] << 8 | p[3];
        if (len < 126)
            return weiri_ws_receive(ws, in, ev);
    }
    if (in->len - size < len || len > ws->max_frame_ || len > ws->max_message_ || ws->max_fragments_ == 0)
        return weiri_ws_receive(ws, in, ev);

    uint32_t word = client ? 0 : weiri_mask_word(p + size - 4, 0);
    bool text = p[0] == 0x81;
    if (client && !text)
        return next_whole(ws, in, ev, size, len);
    if (len > WEIRI_MASK_SHORT)
        return next_long(ws, in, ev, size, len, word);
    if (weiri_mask_short(p + size, p + size, len, word) && text)
        return next_long(ws, in, ev, size, len, 0);
    return next_whole(ws, in, ev, size, len);
}

static inline int next_part(weir_ws *ws, weir_in *in, weir_ws_event *ev, size_t len)
{
    uint32_t flags = (weiri_ws_has(ws, WEIRI_WS_RX_FIRST) ? WEIR_WS_FIRST : 0) |
                     (weiri_ws_has(ws, WEIRI_WS_RX_TEXT) ? WEIR_WS_TEXT : 0);
    weiri_ws_clear(ws, WEIRI_WS_RX_FIRST);
    ws->rx_phase_ = (uint8_t)((ws->rx_phase_ + len) & 3);
    ws->rx_left_ -= len;
    return next_data(ws, in, ev, len, len, flags);
}

static WEIRI_SLOW int next_long_part(weir_ws *ws, weir_in *in, weir_ws_event *ev, size_t len, uint32_t word)
{
    uint8_t *payload = in->ptr;
    if (!weiri_ws_has(ws, WEIRI_WS_RX_TEXT) || (ws->cfg_flags_ & WEIR_WS_NO_UTF8) != 0) {
        if (word != 0)
            (void)weiri_mask(payload, payload, len, word);
        return next_part(ws, in, ev, len);
    }
    uint32_t utf8 = ws->rx_utf8_;
    if (weiri_utf8_unmask(&utf8, payload, len, word) == len) {
        ws->rx_utf8_ = utf8;
        return next_part(ws, in, ev, len);
    }
    (void)weiri_mask(payload, payload, len, word);
    return weiri_ws_receive(ws, in, ev);
}

/* Inside a data frame that is not compressed: takes the input if the frame does not end in it. */
static WEIRI_SLOW int next_piece(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    size_t len = in->len;
    if (len >= ws->rx_left_ || (ws->rx_opcode_ & 0x08) != 0 || weiri_ws_has(ws, WEIRI_WS_RX_PACKED))
        return weiri_ws_receive(ws, in, ev);
    if (weiri_ws_has(ws, WEIRI_WS_IS_CLIENT) && !weiri_ws_has(ws, WEIRI_WS_RX_TEXT))
        return next_part(ws, in, ev, len);
    uint32_t word = weiri_mask_word(ws->rx_key_, ws->rx_phase_);
    if (len > WEIRI_MASK_SHORT || weiri_ws_has(ws, WEIRI_WS_RX_TEXT))
        return next_long_part(ws, in, ev, len, word);
    (void)weiri_mask_short(in->ptr, in->ptr, len, word);
    return next_part(ws, in, ev, len);
}

int weir_ws_next(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    if ((ws->err_ | ws->err_due_ | ws->wait_) != 0 || weiri_ws_has(ws, WEIRI_WS_RECEIVED))
        return weiri_ws_receive(ws, in, ev);
    if (in->len == 0 && !weiri_ws_has(ws, WEIRI_WS_RX_PACKED)) {
        *ev = (weir_ws_event){WEIR_WS_NONE, 0, {NULL, 0}, 0};
        return 0;
    }
    if (weiri_ws_has(ws, WEIRI_WS_RX_FRAME))
        return next_piece(ws, in, ev);
    if (ws->head_len_ != 0 || weiri_ws_has(ws, WEIRI_WS_RX_MESSAGE))
        return weiri_ws_receive(ws, in, ev);
    return next_message(ws, in, ev);
}
