/* SPDX-License-Identifier: MIT */
/*
 * send.c - floor 3: data frames on their way out (RFC 6455 5 and 6.1).
 *
 * A frame is begun with its header and then owes tx_left_ payload bytes. While it owes any, nothing
 * else may be sent: control frames wait (weir_ws_out is empty), a second frame is refused. TX_MESSAGE
 * is set between a message's FIRST and its LAST frame.
 */
#include "ws.h"

#include "base/mask.h"

#include <string.h>

#define ALL_FLAGS (WEIR_WS_WHOLE | WEIR_WS_TEXT)

/* May a data frame with these flags begin now? */
static int send_check(const weir_ws *ws, uint32_t flags, uint64_t len)
{
    bool first = (flags & WEIR_WS_FIRST) != 0;
    if ((flags & ~ALL_FLAGS) != 0 || len >> 63 != 0)
        return WEIR_ERR_ARG;
    if (weiri_ws_has(ws, WEIRI_WS_SENT | WEIRI_WS_RECEIVED | WEIRI_WS_EOF) || ws->err_ != 0)
        return WEIR_ERR_STATE;
    if (ws->tx_left_ != 0 || ws->out_cut_ != 0 || first == weiri_ws_has(ws, WEIRI_WS_TX_MESSAGE))
        return WEIR_ERR_STATE;
    return 0;
}

int weir_ws_begin(weir_ws *ws, uint32_t flags, uint64_t len, uint8_t header[WEIR_WS_HEADER_MAX],
                  size_t *header_len)
{
    bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    *header_len = 0;
    int rv = send_check(ws, flags, len);
    if (rv == 0 && client)
        rv = weiri_entropy_key(ws->entropy_, ws->tx_key_);
    if (rv != 0)
        return rv;

    unsigned opcode = WEIRI_WS_CONT;
    if ((flags & WEIR_WS_FIRST) != 0)
        opcode = (flags & WEIR_WS_TEXT) != 0 ? WEIRI_WS_TEXT : WEIRI_WS_BINARY;
    unsigned fin = (flags & WEIR_WS_LAST) != 0 ? 0x80u : 0;
    *header_len = weiri_ws_header(header, (uint8_t)(fin | opcode), len, client ? ws->tx_key_ : NULL);
    ws->tx_left_ = len;
    ws->tx_phase_ = 0;
    weiri_ws_set(ws, WEIRI_WS_TX_MESSAGE);
    if ((flags & WEIR_WS_LAST) != 0)
        weiri_ws_clear(ws, WEIRI_WS_TX_MESSAGE);
    return 0;
}

int weir_ws_payload(weir_ws *ws, uint8_t *dst, weir_str src)
{
    bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    if (src.len > ws->tx_left_ || (client && dst == NULL && src.len != 0))
        return WEIR_ERR_ARG;
    if (src.len == 0)
        return 0;
    if (client) {
        weiri_mask(dst, src.ptr, src.len, ws->tx_key_, ws->tx_phase_);
        ws->tx_phase_ = (uint8_t)((ws->tx_phase_ + src.len) & 3);
    } else if (dst != NULL && dst != src.ptr) {
        memcpy(dst, src.ptr, src.len);
    }
    ws->tx_left_ -= src.len;
    return 0;
}

int weir_ws_send(weir_ws *ws, weir_out *out, uint32_t flags, weir_str data)
{
    size_t size = (data.len < 126 ? 2u : data.len <= UINT16_MAX ? 4u : 10u) +
                  (weiri_ws_has(ws, WEIRI_WS_IS_CLIENT) ? 4u : 0u);
    int rv = send_check(ws, flags, data.len);
    if (rv != 0)
        return rv;
    if (out->len < size || out->len - size < data.len)
        return WEIR_ERR_SPACE;
    uint8_t header[WEIR_WS_HEADER_MAX];
    rv = weir_ws_begin(ws, flags, data.len, header, &size);
    if (rv != 0)
        return rv;
    memcpy(out->ptr, header, size);
    (void)weir_ws_payload(ws, out->ptr + size, data);
    out->ptr += size + data.len;
    out->len -= size + data.len;
    return 0;
}
