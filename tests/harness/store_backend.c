/* SPDX-License-Identifier: MIT */
/*
 * store_backend.c - a deflate backend that does not compress.
 *
 * It copies what it should compress and puts the sync flush's four bytes behind; when it is fed those
 * alone, as weir does at each message's end, it takes them for that end.
 */
#include "store_backend.h"

#include <string.h>

static size_t store_deflate_size(unsigned bits, unsigned level)
{
    return bits + level;
}

static size_t store_inflate_size(unsigned bits)
{
    return bits;
}

static int store_deflate_init(void *mem, size_t len, unsigned bits, unsigned mem_level, int level)
{
    (void)mem, (void)level;
    return len < store_deflate_size(bits, mem_level) ? -1 : 0;
}

static int store_inflate_init(void *mem, size_t len, unsigned bits)
{
    (void)mem;
    return len < bits ? -1 : 0;
}

static size_t store_bound(void *mem, size_t len)
{
    (void)mem;
    return len + 4;
}

static const uint8_t flush[4] = {0, 0, 0xFF, 0xFF};

static int store_deflate(void *mem, weir_str data, weir_out *out)
{
    (void)mem;
    return weir_out_put(out, data) != 0 || weir_out_put(out, (weir_str){flush, 4}) != 0 ? -1 : 0;
}

static int store_inflate(void *mem, weir_str *packed, weir_out *out)
{
    (void)mem;
    size_t len = packed->len < out->len ? packed->len : out->len;
    if (packed->len == 4 && memcmp(packed->ptr, flush, 4) == 0)
        packed->len = len = 0;
    if (weir_out_put(out, (weir_str){packed->ptr, len}) != 0)
        return -1;
    *packed = (weir_str){packed->ptr + len, packed->len - len};
    return 0;
}

static int store_end(void *mem)
{
    (void)mem;
    return 0;
}

static void store_reset(void *mem)
{
    (void)mem;
}

const weir_deflate_backend store_backend = {
    store_deflate_size, store_inflate_size, store_deflate_init, store_inflate_init, store_bound,
    store_deflate,      store_inflate,      store_end,          store_reset,        store_reset,
};
