/* SPDX-License-Identifier: MIT */
/*
 * control.c - floor 3: control frames on their way out (RFC 6455 5.5).
 *
 * out_ is a short queue of encoded control frames; out_[out_pos_..out_end_) is still to be written,
 * and out_cut_ bytes of that belong to a frame whose beginning is written already. What weir has to
 * say by itself and finds no room waits beside it: `wait_` is its opcode, a Pong's payload is in ctl_,
 * a Close is made again from close_sent_ and, if it is for an error (FAILED), err_. It enters the queue as
 * soon as it fits, so frames leave in the order in which they were due; only a waiting Pong can lose its
 * place, to a newer Ping or to a Close.
 *
 * ctl_ is also where a control frame that arrives in pieces is collected, and after the peer's Close
 * it keeps the reason. receive.c says who yields to whom.
 */
#include "ws.h"

#include "base/bytes.h"
#include "base/mask.h"
#include "base/utf8.h"

size_t weiri_ws_header(uint8_t *header, uint8_t first, uint64_t len, const uint8_t *key)
{
    size_t size = 2;
    header[0] = first;
    if (len < 126) {
        header[1] = (uint8_t)len;
    } else if (len <= UINT16_MAX) {
        header[1] = 126;
        header[2] = (uint8_t)(len >> 8);
        header[3] = (uint8_t)len;
        size = 4;
    } else {
        header[1] = 127;
        weiri_store64(header + 2, len);
        size = 10;
    }
    if (key != NULL) {
        header[1] |= 0x80;
        memcpy(header + size, key, 4);
        size += 4;
    }
    return size;
}

int weiri_ws_queue(weir_ws *ws, uint8_t opcode, weir_str payload)
{
    bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    size_t pending = (size_t)(ws->out_end_ - ws->out_pos_);
    uint8_t key[4] = {0, 0, 0, 0};
    if (pending + (client ? 6 : 2) + payload.len > sizeof ws->out_)
        return WEIR_ERR_SPACE;
    if (client && weiri_entropy_key(ws->entropy_, key) != 0)
        return WEIR_ERR_ENTROPY;

    memmove(ws->out_, ws->out_ + ws->out_pos_, pending);
    uint8_t *frame = ws->out_ + pending;
    size_t size = weiri_ws_header(frame, (uint8_t)(0x80 | opcode), payload.len, client ? key : NULL);
    if (payload.len != 0)
        (void)weiri_mask(frame + size, payload.ptr, payload.len, weiri_mask_word(key, 0));
    ws->out_pos_ = 0;
    ws->out_end_ = (uint8_t)(pending + size + payload.len);
    return 0;
}

/* A Close of weir's own: the code, and for an error its text as the reason. */
static int control_queue_close(weir_ws *ws)
{
    uint8_t payload[125];
    weir_str bytes = {payload, 0};
    if (ws->close_sent_ != 1005) {
        weir_str reason = weir_cstr(weiri_ws_has(ws, WEIRI_WS_FAILED) ? weir_strerror(ws->err_) : NULL);
        payload[0] = (uint8_t)(ws->close_sent_ >> 8);
        payload[1] = (uint8_t)ws->close_sent_;
        bytes.len = 2;
        if (reason.len != 0) { /* all texts fit */
            memcpy(payload + 2, reason.ptr, reason.len);
            bytes.len += reason.len;
        }
    }
    return weiri_ws_queue(ws, WEIRI_OP_CLOSE, bytes);
}

void weiri_ws_settle(weir_ws *ws)
{
    int rv = 0;
    if (ws->wait_ == WEIRI_OP_CLOSE)
        rv = control_queue_close(ws);
    else if (ws->wait_ == WEIRI_OP_PONG)
        rv = weiri_ws_queue(ws, WEIRI_OP_PONG, (weir_str){ws->ctl_, ws->ctl_len_});
    if (rv == 0)
        ws->wait_ = 0;
}

void weiri_ws_reply_pong(weir_ws *ws, weir_str payload)
{
    if (ws->wait_ == WEIRI_OP_CLOSE)
        return; /* two frames are ahead of it and the connection is ending: this one is let go */
    if (ws->wait_ == 0 && weiri_ws_queue(ws, WEIRI_OP_PONG, payload) == 0)
        return;
    if (payload.len != 0)
        memmove(ws->ctl_, payload.ptr, payload.len);
    ws->ctl_len_ = (uint8_t)payload.len;
    ws->wait_ = WEIRI_OP_PONG;
}

void weiri_ws_reply_close(weir_ws *ws, uint16_t code)
{
    ws->close_sent_ = code != 0 ? code : 1005;
    weiri_ws_set(ws, WEIRI_WS_SENT);
    ws->wait_ = WEIRI_OP_CLOSE;
    weiri_ws_settle(ws);
}

weir_str weir_ws_out(const weir_ws *ws)
{
    weir_str out = {ws->out_ + ws->out_pos_, 0};
    if (ws->tx_left_ == 0)
        out.len = (size_t)(ws->out_end_ - ws->out_pos_);
    return out;
}

/* What is left of the frame in front, if there is one. */
static uint8_t control_front(const weir_ws *ws)
{
    const uint8_t *frame = ws->out_ + ws->out_pos_;
    if (ws->out_cut_ != 0)
        return ws->out_cut_;
    return (uint8_t)((frame[1] & 0x80 ? 6 : 2) + (frame[1] & 0x7F));
}

void weir_ws_out_ack(weir_ws *ws, size_t n)
{
    size_t offered = weir_ws_out(ws).len;
    n = n < offered ? n : offered;
    while (n != 0) {
        uint8_t front = control_front(ws);
        size_t step = n < front ? n : front;
        ws->out_cut_ = (uint8_t)(front - step);
        ws->out_pos_ = (uint8_t)(ws->out_pos_ + step);
        n -= step;
    }
    weiri_ws_settle(ws);
}

int weir_ws_out_put(weir_ws *ws, weir_out *out)
{
    if (ws->wait_ != 0)
        weiri_ws_settle(ws); /* there may be keys again */
    for (;;) {
        weir_str bytes = weir_ws_out(ws);
        if (bytes.len == 0)
            return 0;
        bytes.len = control_front(ws);
        if (weir_out_put(out, bytes) != 0)
            return WEIR_ERR_SPACE;
        weir_ws_out_ack(ws, bytes.len);
    }
}

/* Nothing overtakes what waits: that has found no room or, if the queue is empty, no key. */
static int control_send(weir_ws *ws, uint8_t opcode, weir_str data, bool over)
{
    if (data.len > 125)
        return WEIR_ERR_ARG;
    if (over || weiri_ws_has(ws, WEIRI_WS_EOF))
        return WEIR_ERR_STATE;
    weiri_ws_settle(ws);
    if (ws->wait_ != 0)
        return ws->out_pos_ == ws->out_end_ ? WEIR_ERR_ENTROPY : WEIR_ERR_SPACE;
    return weiri_ws_queue(ws, opcode, data);
}

int weir_ws_ping(weir_ws *ws, weir_str data)
{
    return control_send(ws, WEIRI_OP_PING, data, weiri_ws_has(ws, WEIRI_WS_SENT));
}

/* Pings are answered until the peer's Close (RFC 6455 5.5.2), also behind our own. */
int weir_ws_pong(weir_ws *ws, weir_str data)
{
    return control_send(ws, WEIRI_OP_PONG, data, ws->err_ != 0 || weiri_ws_has(ws, WEIRI_WS_RECEIVED));
}

int weir_ws_close(weir_ws *ws, uint16_t code, weir_str reason)
{
    uint8_t payload[125];
    if (code != 0 && !weiri_ws_code_valid(code))
        return WEIR_ERR_CLOSE_CODE;
    if (reason.len > 123 || (code == 0 && reason.len != 0) || !weir_utf8_valid(reason))
        return WEIR_ERR_CLOSE_REASON;
    if (weiri_ws_has(ws, WEIRI_WS_SENT)) /* after an error too */
        return 0;
    payload[0] = (uint8_t)(code >> 8);
    payload[1] = (uint8_t)code;
    if (reason.len != 0)
        memcpy(payload + 2, reason.ptr, reason.len);
    int rv = weiri_ws_queue(ws, WEIRI_OP_CLOSE, (weir_str){payload, code != 0 ? 2 + reason.len : 0});
    if (rv == WEIR_ERR_ENTROPY || (rv == WEIR_ERR_SPACE && reason.len != 0))
        return rv;
    ws->close_sent_ = code != 0 ? code : 1005;
    ws->wait_ = rv == 0 ? 0 : WEIRI_OP_CLOSE;
    weiri_ws_set(ws, WEIRI_WS_SENT);
    return 0;
}
