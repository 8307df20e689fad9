/* SPDX-License-Identifier: MIT */
/*
 * next.c - floor 3: the straight paths of receiving.
 *
 * Two cases are most of all traffic: a frame that lies whole in the input and is a message of its own, and a
 * piece from the middle of a frame's payload. They are taken here in one go, with every check that the
 * machine in receive.c makes; whatever else the input is, and whatever is wrong with it, is left to that
 * machine. A payload that turned out not to be UTF-8 is masked again first, as it came: the machine finds the
 * byte. So these paths are only ever faster, and can be left out.
 */
#include "ws.h"

#include "base/mask.h"
#include "base/utf8.h"

/* Unmasks a payload in place; for text goes on from *utf8. Returns false, with all as it was, if that is not
 * UTF-8. */
static inline bool unmask(const weir_ws *ws, uint8_t *bytes, size_t len, uint32_t word, bool text,
                          uint32_t *utf8)
{
    bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    bool ascii = false;
    if (!client)
        ascii = !weiri_mask(bytes, bytes, len, word);
    if (!text || (ascii && *utf8 == 0) || (ws->cfg_flags_ & WEIR_WS_NO_UTF8) != 0)
        return true;
    uint32_t state = *utf8;
    if (weiri_utf8_check(&state, bytes, len) == len) {
        *utf8 = state;
        return true;
    }
    if (!client)
        (void)weiri_mask(bytes, bytes, len, word);
    return false;
}

/* Nothing is under way: takes a whole message in one frame, not compressed and within the limits. */
static bool next_message(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    uint8_t *p = in->ptr;
    bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    size_t size = client ? 2 : 6;
    if (in->len < size || (p[0] != 0x81 && p[0] != 0x82) || (p[1] >> 7 != 0) == client)
        return false;
    size_t len = p[1] & 0x7F;
    if (len >= 126) {
        size += 2;
        if (len == 127 || in->len < size)
            return false;
        len = (size_t)p[2] << 8 | p[3];
        if (len < 126)
            return false;
    }
    if (in->len - size < len || len > ws->max_frame_ || len > ws->max_message_ || ws->max_fragments_ == 0)
        return false;

    bool text = p[0] == 0x81;
    uint32_t utf8 = 0;
    uint32_t word = client ? 0 : weiri_mask_word(p + size - 4, 0);
    p += size;
    if (!unmask(ws, p, len, word, text, &utf8))
        return false;
    if (utf8 != 0) { /* cut inside a character */
        if (!client)
            (void)weiri_mask(p, p, len, word);
        return false;
    }
    ws->rx_controls_ = 0;
    weiri_ws_advance(ws, in, size + len);
    ev->kind = WEIR_WS_DATA;
    ev->flags = WEIR_WS_WHOLE | (text ? WEIR_WS_TEXT : 0);
    ev->data = (weir_str){p, len};
    ev->code = 0;
    return true;
}

/* Inside a data frame that is not compressed: takes the input if the frame does not end in it. */
static bool next_piece(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    size_t len = in->len;
    bool text = weiri_ws_has(ws, WEIRI_WS_RX_TEXT);
    if (len == 0 || len >= ws->rx_left_ || (ws->rx_opcode_ & 0x08) != 0 ||
        weiri_ws_has(ws, WEIRI_WS_RX_PACKED) ||
        !unmask(ws, in->ptr, len, weiri_mask_word(ws->rx_key_, ws->rx_phase_), text, &ws->rx_utf8_))
        return false;
    ev->kind = WEIR_WS_DATA;
    ev->flags = (weiri_ws_has(ws, WEIRI_WS_RX_FIRST) ? WEIR_WS_FIRST : 0) | (text ? WEIR_WS_TEXT : 0);
    ev->data.ptr = in->ptr;
    ev->data.len = len;
    ev->code = 0;
    weiri_ws_clear(ws, WEIRI_WS_RX_FIRST);
    ws->rx_phase_ = (uint8_t)((ws->rx_phase_ + len) & 3);
    ws->rx_left_ -= len;
    weiri_ws_advance(ws, in, len);
    return true;
}

int weir_ws_next(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    if (ws->err_ == 0 && ws->err_due_ == 0 && ws->wait_ == 0 && !weiri_ws_has(ws, WEIRI_WS_RECEIVED)) {
        if (weiri_ws_has(ws, WEIRI_WS_RX_FRAME)) {
            if (next_piece(ws, in, ev))
                return WEIR_WS_DATA;
        } else if (ws->head_len_ == 0 && !weiri_ws_has(ws, WEIRI_WS_RX_MESSAGE) && next_message(ws, in, ev)) {
            return WEIR_WS_DATA;
        }
    }
    return weiri_ws_receive(ws, in, ev);
}
