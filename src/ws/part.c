/* SPDX-License-Identifier: MIT */
/* part.c - floor 3: long messages in as many frames as the room makes of them (RFC 6455 5.4). */
#include "weir/ws.h"

/* The longest payload whose frame is sure to fit into `room`. The bound of a compressor grows with the
 * length a little faster than it, so the first guess may be too large; halving ends the search. */
static size_t send_part_len(const weir_ws *ws, size_t room, size_t len)
{
    size_t fixed = weir_ws_send_size(ws, 0);
    size_t most = room > fixed ? room - fixed : 0;
    size_t n = len < most ? len : most;
    while (n != 0 && weir_ws_send_size(ws, n) > room)
        n /= 2;
    return n;
}

int weir_ws_send_part(weir_ws *ws, weir_out *out, uint32_t *flags, weir_str *data, size_t most)
{
    if (most == 0)
        return WEIR_ERR_ARG;
    size_t n = send_part_len(ws, out->len, data->len < most ? data->len : most);
    if (n == 0 && data->len != 0)
        return WEIR_ERR_SPACE;
    bool rest = n < data->len;
    int rv = weir_ws_send(ws, out, rest ? *flags & ~WEIR_WS_LAST : *flags, (weir_str){data->ptr, n});
    if (rv != 0)
        return rv;
    *flags &= ~WEIR_WS_FIRST;
    if (n != 0)
        *data = (weir_str){data->ptr + n, data->len - n};
    return rest;
}
