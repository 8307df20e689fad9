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

#define ALL_FLAGS (WEIR_WS_WHOLE | WEIR_WS_TEXT | WEIR_WS_DEFLATE)

int weiri_ws_send_check(const weir_ws *ws, uint32_t flags, uint64_t len)
{
    bool first = (flags & WEIR_WS_FIRST) != 0;
    if ((flags & ~ALL_FLAGS) != 0 || len >> 63 != 0)
        return WEIR_ERR_ARG;
    if (weiri_ws_has(ws, WEIRI_WS_SENT | WEIRI_WS_EOF)) /* an error, and the peer's Close, set SENT */
        return WEIR_ERR_STATE;
    if (ws->tx_left_ != 0 || ws->out_cut_ != 0 || first == weiri_ws_has(ws, WEIRI_WS_TX_MESSAGE))
        return WEIR_ERR_STATE;
    return 0;
}

/* Begins a frame: writes its header, sets up the state. */
static int send_begin(weir_ws *ws, uint32_t flags, uint64_t len, uint8_t *header, size_t *header_len)
{
    bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    if (client && weiri_entropy_key(ws->entropy_, ws->tx_key_) != 0)
        return WEIR_ERR_ENTROPY;
    unsigned first = WEIRI_OP_CONT;
    if ((flags & WEIR_WS_FIRST) != 0) {
        first = (flags & WEIR_WS_TEXT) != 0 ? WEIRI_OP_TEXT : WEIRI_OP_BINARY;
        first |= weiri_ws_has(ws, WEIRI_WS_TX_PACKED) ? 0x40u : 0;
    }
    first |= (flags & WEIR_WS_LAST) != 0 ? 0x80u : 0;
    *header_len = weiri_ws_header(header, (uint8_t)first, len, client ? ws->tx_key_ : NULL);
    ws->tx_left_ = len;
    weiri_ws_set(ws, WEIRI_WS_TX_MESSAGE);
    if ((flags & WEIR_WS_LAST) != 0)
        weiri_ws_clear(ws, WEIRI_WS_TX_MESSAGE | WEIRI_WS_TX_PACKED);
    return 0;
}

int weir_ws_begin(weir_ws *ws, uint32_t flags, uint64_t len, uint8_t header[WEIR_WS_HEADER_MAX],
                  size_t *header_len)
{
    *header_len = 0;
    int rv = weiri_ws_send_check(ws, flags, len);
    if (rv == 0 && weiri_ws_has(ws, WEIRI_WS_TX_PACKED))
        rv = WEIR_ERR_STATE;
    return rv != 0 ? rv : send_begin(ws, flags, len, header, header_len);
}

int weir_ws_payload(weir_ws *ws, uint8_t *dst, weir_str src)
{
    bool client = weiri_ws_has(ws, WEIRI_WS_IS_CLIENT);
    if (src.len > ws->tx_left_ || (client && dst == NULL && src.len != 0))
        return WEIR_ERR_ARG;
    if (src.len == 0)
        return 0;
    if (client) {
        (void)weiri_mask(dst, src.ptr, src.len, weiri_mask_word(ws->tx_key_, 0));
        weiri_ws_turn_key(ws->tx_key_, src.len);
    } else if (dst != NULL && dst != src.ptr) {
        memcpy(dst, src.ptr, src.len);
    }
    ws->tx_left_ -= src.len;
    return 0;
}

static size_t send_header_len(const weir_ws *ws, size_t len)
{
    return (len < 126 ? 2u : len <= UINT16_MAX ? 4u : 10u) + (weiri_ws_has(ws, WEIRI_WS_IS_CLIENT) ? 4u : 0u);
}

size_t weir_ws_send_size(const weir_ws *ws, size_t len)
{
    size_t size = len;
    if (ws->deflate_ != NULL && ws->deflate_->deflater_ != NULL)
        size = weiri_ws_packed_bound(ws, len);
    return size >= len && size <= SIZE_MAX - WEIR_WS_HEADER_MAX ? size + WEIR_WS_HEADER_MAX : SIZE_MAX;
}

/* Compresses behind room for the longest header, then moves header and payload together. The key is
 * fetched first: behind the compressor there is no way back. */
static int send_packed(weir_ws *ws, weir_out *out, uint32_t flags, weir_str data)
{
    uint8_t header[WEIR_WS_HEADER_MAX] = {0};
    size_t header_len = 0;
    size_t most = weir_ws_send_size(ws, data.len);
    if (out->len < most)
        return WEIR_ERR_SPACE;
    size_t bound = most - WEIR_WS_HEADER_MAX;
    if (weiri_ws_has(ws, WEIRI_WS_IS_CLIENT)) {
        int rv = weiri_entropy_ready(ws->entropy_);
        if (rv != 0)
            return rv;
    }
    weir_out room = {out->ptr + WEIR_WS_HEADER_MAX, bound};
    if ((flags & WEIR_WS_FIRST) != 0)
        weiri_ws_set(ws, WEIRI_WS_TX_PACKED);
    int rv = weiri_ws_packed_put(ws, data, (flags & WEIR_WS_LAST) != 0, &room);
    if (rv != 0) {
        if ((flags & WEIR_WS_FIRST) != 0)
            weiri_ws_clear(ws, WEIRI_WS_TX_PACKED);
        return rv;
    }
    weir_str packed = {out->ptr + WEIR_WS_HEADER_MAX, bound - room.len};
    (void)send_begin(ws, flags, packed.len, header, &header_len);
    memcpy(out->ptr, header, header_len);
    memmove(out->ptr + header_len, packed.ptr, packed.len);
    packed.ptr = out->ptr + header_len;
    (void)weir_ws_payload(ws, out->ptr + header_len, packed);
    out->ptr += header_len + packed.len;
    out->len -= header_len + packed.len;
    return 0;
}

/* Any frame; see weir_ws_send. */
static WEIRI_APART int send_any(weir_ws *ws, weir_out *out, uint32_t flags, weir_str data)
{
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t size = send_header_len(ws, data.len);
    int rv = weiri_ws_send_check(ws, flags, data.len);
    if (rv != 0)
        return rv;
    if (weiri_ws_packed_wanted(ws, flags, data.len))
        return send_packed(ws, out, flags, data);
    if (out->len < size || out->len - size < data.len)
        return WEIR_ERR_SPACE;
    rv = send_begin(ws, flags, data.len, header, &size);
    if (rv != 0)
        return rv;
    memcpy(out->ptr, header, size);
    (void)weir_ws_payload(ws, out->ptr + size, data);
    out->ptr += size + data.len;
    out->len -= size + data.len;
    return 0;
}

/* ---- The straight path --------------------------------------------------------------------------
 *
 * Most of what is sent is a message of its own in one frame, not compressed, while nothing is under way. The
 * functions below only know that; anything else, and anything wrong, they leave to send_any as it came. */

static inline bool send_is_straight(const weir_ws *ws, uint32_t flags)
{
    const unsigned busy = WEIRI_WS_SENT | WEIRI_WS_EOF | WEIRI_WS_TX_MESSAGE;
    return ((ws->state_ & busy) | ws->out_cut_ | ws->tx_left_) == 0 &&
           (flags | WEIR_WS_TEXT) == (WEIR_WS_WHOLE | WEIR_WS_TEXT);
}

/* Writes the header of such a message, of up to UINT16_MAX bytes, but the key. Returns where that ends. */
static inline uint8_t *send_header(uint8_t *at, uint32_t flags, size_t len, unsigned masked)
{
    at[0] = (uint8_t)(0x80u | ((flags & WEIR_WS_TEXT) != 0 ? WEIRI_OP_TEXT : WEIRI_OP_BINARY));
    if (len < 126) {
        at[1] = (uint8_t)(masked | len);
        return at + 2;
    }
    at[1] = (uint8_t)(masked | 126);
    at[2] = (uint8_t)(len >> 8);
    at[3] = (uint8_t)len;
    return at + 4;
}

static WEIRI_APART int send_masked(weir_ws *ws, weir_out *out, uint32_t flags, weir_str data)
{
    weir_entropy *entropy = ws->entropy_;
    size_t room = out->len;
    size_t size = (data.len < 126 ? 6 : 8) + data.len;
    if (data.len > UINT16_MAX || room < size || entropy->left_ == 0)
        return send_any(ws, out, flags, data);
    uint8_t key[4];
    weiri_entropy_take(entropy, key);
    uint8_t *at = send_header(out->ptr, flags, data.len, 0x80);
    memcpy(at, key, 4);
    *out = (weir_out){at + 4 + data.len, room - size};
    (void)weiri_mask_here(at + 4, data.ptr, data.len, weiri_mask_word(key, 0));
    return 0;
}

static WEIRI_APART int send_long(weir_ws *ws, weir_out *out, uint32_t flags, weir_str data)
{
    size_t room = out->len;
    if (data.len > UINT16_MAX || room < 4 + data.len)
        return send_any(ws, out, flags, data);
    uint8_t *at = send_header(out->ptr, flags, data.len, 0);
    *out = (weir_out){at + data.len, room - 4 - data.len};
    memcpy(at, data.ptr, data.len);
    return 0;
}

int weir_ws_send(weir_ws *ws, weir_out *out, uint32_t flags, weir_str data)
{
    size_t room = out->len;
    if (!send_is_straight(ws, flags))
        return send_any(ws, out, flags, data);
    if (weiri_ws_has(ws, WEIRI_WS_IS_CLIENT))
        return send_masked(ws, out, flags, data);
    if (data.len > 125)
        return send_long(ws, out, flags, data);
    if (room < 2 + data.len)
        return WEIR_ERR_SPACE;
    uint8_t *at = send_header(out->ptr, flags, data.len, 0);
    *out = (weir_out){at + data.len, room - 2 - data.len};
    (void)weiri_mask_short(at, data.ptr, data.len, 0);
    return 0;
}
