/* SPDX-License-Identifier: MIT */
/* prepared.c - weir_ws_prepare and weir_ws_prepare_packed, each when it is first needed. */
#include "prepared.h"

#include "deflate.h"

#include <stdlib.h>

static struct {
    void *mem;
    size_t len;
} compressor;

static bool write_plain(prepared *p)
{
    size_t size = p->data.len + WEIR_WS_HEADER_MAX;
    weir_out out = {buffer_room(&p->plain, size), size};
    if (out.ptr == NULL || weir_ws_prepare(&out, p->flags, p->data) != 0)
        return false;
    buffer_added(p->plain, size - out.len);
    return true;
}

/* Without memory the plain form serves everybody. */
static void write_packed(prepared *p, unsigned bits)
{
    size_t need = deflate_backend->deflate_size(bits, 8);
    size_t size = p->data.len + p->data.len / 4 + 64; /* what cannot be compressed grows */
    if (compressor.len < need) {
        prepared_rest();
        compressor.mem = malloc(need);
        compressor.len = compressor.mem != NULL ? need : 0;
    }
    weir_out out = {compressor.mem != NULL ? buffer_room(&p->packed[bits], size) : NULL, size};
    if (out.ptr != NULL && weir_ws_prepare_packed(&out, p->flags, p->data, deflate_backend, compressor.mem,
                                                  compressor.len, bits) == 0)
        buffer_added(p->packed[bits], size - out.len);
    else
        buffer_free(&p->packed[bits]);
}

bool prepared_for(prepared *p, weir_ws *ws, unsigned bits, weir_str *bytes)
{
    weir_ws_prepared forms = {0};
    bool packs = bits >= 9 && bits <= 15; /* windows that a compressor has */
    if (p->plain == NULL && !write_plain(p))
        return false;
    if (packs && p->packed[bits] == NULL)
        write_packed(p, bits);
    forms.plain = (weir_str){buffer_bytes(p->plain), buffer_size(p->plain)};
    if (packs && p->packed[bits] != NULL) {
        forms.packed = (weir_str){buffer_bytes(p->packed[bits]), buffer_size(p->packed[bits])};
        forms.packed_bits = (uint8_t)bits;
    }
    return weir_ws_send_prepared(ws, &forms, bytes) == 0;
}

void prepared_free(prepared *p)
{
    buffer_free(&p->plain);
    for (size_t i = 0; i < sizeof p->packed / sizeof *p->packed; i++)
        buffer_free(&p->packed[i]);
}

void prepared_rest(void)
{
    free(compressor.mem);
    compressor.mem = NULL;
    compressor.len = 0;
}
