/* SPDX-License-Identifier: MIT */
/* close.c - floor 3: how a connection ends (RFC 6455 7). */
#include "ws.h"

/* RFC 6455 7.4 and IANA's registry of 2026: 1004 to 1006 and 1015 never stand in a Close, 1012 to 1014
 * were registered after the RFC. 3000 to 3999 are registered by libraries, 4000 to 4999 private. */
bool weiri_ws_code_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

int weir_ws_eof(weir_ws *ws, weir_ws_event *ev)
{
    *ev = (weir_ws_event){WEIR_WS_NONE, 0, {NULL, 0}, 0};
    if (weiri_ws_has(ws, WEIRI_WS_EOF))
        return 0;
    weiri_ws_set(ws, WEIRI_WS_EOF);
    ev->kind = WEIR_WS_END;
    ev->code = 1006;
    if (weiri_ws_has(ws, WEIRI_WS_RECEIVED)) {
        ev->code = ws->close_received_;
        ev->data = (weir_str){ws->ctl_, ws->ctl_len_};
    } else {
        ws->close_received_ = 1006;
    }
    return WEIR_WS_END;
}

int weir_ws_error(const weir_ws *ws, uint64_t *offset)
{
    if (offset != NULL)
        *offset = ws->offset_;
    return ws->err_;
}

weir_ws_todo weir_ws_transport(const weir_ws *ws)
{
    if (ws->out_pos_ != ws->out_end_)
        return WEIR_WS_CARRY_ON;
    if (weiri_ws_has(ws, WEIRI_WS_EOF))
        return WEIR_WS_CLOSE_NOW;
    if (!weiri_ws_has(ws, WEIRI_WS_SENT) || ws->wait_ != 0)
        return WEIR_WS_CARRY_ON;
    if (ws->err_ != 0)
        return WEIR_WS_SHUTDOWN_WRITE;
    if (weiri_ws_has(ws, WEIRI_WS_RECEIVED) && !weiri_ws_has(ws, WEIRI_WS_IS_CLIENT))
        return WEIR_WS_SHUTDOWN_WRITE;
    return WEIR_WS_WAIT_PEER;
}

void weir_ws_closing_read(const weir_ws *ws, weir_ws_closing *closing)
{
    bool sent = weiri_ws_has(ws, WEIRI_WS_SENT);
    bool received = weiri_ws_has(ws, WEIRI_WS_RECEIVED);
    *closing = (weir_ws_closing){ws->close_sent_, ws->close_received_, {NULL, 0}, WEIR_WS_NOBODY, false};
    if (received)
        closing->received_reason = (weir_str){ws->ctl_, ws->ctl_len_};
    if (weiri_ws_has(ws, WEIRI_WS_PEER_FIRST))
        closing->first = WEIR_WS_PEER;
    else if (sent)
        closing->first = WEIR_WS_LOCAL;
    closing->clean = received; /* then ours is sent, or waits for room; nothing is judged behind the peer's */
}

bool weir_ws_at_rest(const weir_ws *ws)
{
    const unsigned busy =
        WEIRI_WS_RX_FRAME | WEIRI_WS_RX_MESSAGE | WEIRI_WS_TX_MESSAGE | WEIRI_WS_SENT | WEIRI_WS_EOF;
    /* After an error SENT is set, and one that is due leaves its message under way. */
    return !weiri_ws_has(ws, busy) && ws->head_len_ == 0 && ws->tx_left_ == 0 &&
           ws->out_pos_ == ws->out_end_ && ws->wait_ == 0;
}
