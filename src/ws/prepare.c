/* SPDX-License-Identifier: MIT */
/* prepare.c - floor 3: messages encoded once for many connections of a server (RFC 7692 7.2.1). */
#include "ws.h"

#include <string.h>

/* A frame of a server whose payload is at out + 10; moves the two together. */
static void prepare_frame(weir_out *out, unsigned first, size_t payload_len)
{
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len = weiri_ws_header(header, (uint8_t)first, payload_len, NULL);
    memmove(out->ptr + header_len, out->ptr + 10, payload_len);
    memcpy(out->ptr, header, header_len);
    out->ptr += header_len + payload_len;
    out->len -= header_len + payload_len;
}

static unsigned prepare_first(uint32_t flags)
{
    return 0x80u | ((flags & WEIR_WS_TEXT) != 0 ? WEIRI_OP_TEXT : WEIRI_OP_BINARY);
}

int weir_ws_prepare(weir_out *out, uint32_t flags, weir_str data)
{
    uint8_t header[WEIR_WS_HEADER_MAX];
    if ((flags & ~WEIR_WS_TEXT) != 0)
        return WEIR_ERR_ARG;
    size_t header_len = weiri_ws_header(header, (uint8_t)prepare_first(flags), data.len, NULL);
    if (out->len < header_len || out->len - header_len < data.len)
        return WEIR_ERR_SPACE;
    (void)weir_out_put(out, (weir_str){header, header_len});
    return weir_out_put(out, data);
}

int weir_ws_prepare_packed(weir_out *out, uint32_t flags, weir_str data, const weir_deflate_backend *backend,
                           void *mem, size_t mem_len, unsigned bits)
{
    if ((flags & ~WEIR_WS_TEXT) != 0 || bits < 9 || bits > 15)
        return WEIR_ERR_ARG;
    if (backend->deflate_init(mem, mem_len, bits, 8, 6) != 0)
        return WEIR_ERR_SPACE;
    size_t bound = backend->deflate_bound(mem, data.len);
    if (out->len < 10 || out->len - 10 < bound)
        return WEIR_ERR_SPACE;
    weir_out room = {out->ptr + 10, bound};
    if (weiri_packed_put(backend, mem, data, true, &room) != 0)
        return WEIR_ERR_SPACE;
    prepare_frame(out, prepare_first(flags) | 0x40u, bound - room.len);
    return 0;
}

int weir_ws_send_prepared(weir_ws *ws, const weir_ws_prepared *prepared, weir_str *bytes)
{
    weir_deflate *deflate = ws->deflate_;
    *bytes = (weir_str){NULL, 0};
    int rv =
        weiri_ws_has(ws, WEIRI_WS_IS_CLIENT) ? WEIR_ERR_STATE : weiri_ws_send_check(ws, WEIR_WS_WHOLE, 0);
    if (rv != 0)
        return rv;
    *bytes = prepared->plain;
    if (deflate == NULL || prepared->packed.ptr == NULL || deflate->tx_bits_ < prepared->packed_bits)
        return 0;
    *bytes = prepared->packed;
    weiri_ws_packed_forget(deflate);
    return 0;
}
