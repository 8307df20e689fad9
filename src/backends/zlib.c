/* SPDX-License-Identifier: MIT */
/*
 * zlib.c - backend: permessage-deflate over zlib, working only in memory that it is given.
 *
 * zlib allocates at set-up alone, a handful of blocks. They are cut from the memory one after the other,
 * behind a header with zlib's own z_stream; nothing is ever given back.
 */
#include "weir/zlib.h"

#define ZLIB_CONST /* zlib only reads its input, and then says so */
#include <string.h>
#include <zlib.h>

#define ALIGNMENT 16u

typedef struct zlib_memory {
    z_stream stream;
    uint8_t *at; /* where the next block begins */
    size_t left;
    bool final; /* the last bytes taken ended a block with BFINAL set */
} zlib_memory;

static voidpf zlib_alloc(voidpf opaque, uInt items, uInt size)
{
    zlib_memory *memory = opaque;
    size_t len = ((size_t)items * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (len > memory->left)
        return Z_NULL;
    voidpf block = memory->at;
    memory->at += len;
    memory->left -= len;
    return block;
}

static void zlib_free(voidpf opaque, voidpf block)
{
    (void)opaque;
    (void)block;
}

static size_t zlib_header(void)
{
    return (sizeof(zlib_memory) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* zlib-ng can stand in for zlib, under the same interface, and takes more: what is linked at run time
 * counts. */
static bool zlib_is_ng(void)
{
    return strstr(zlibVersion(), "zlib-ng") != NULL;
}

/* Window and chains of matches; where chains begin, for which zlib-ng has a table of one size; literals and
 * output, as the versions with the most have them; the state. Set-up says so if a version needs more. */
static size_t zlib_deflate_size(unsigned bits, unsigned mem_level)
{
    const bool ng = zlib_is_ng();
    return zlib_header() + ((size_t)4 << bits) + ((size_t)2 << (ng ? 16 : mem_level + 7)) +
           ((size_t)5 << (mem_level + 6)) + (ng ? 6656 : 6400);
}

/* The window, which is a full one in newer versions of zlib-ng whatever the bits, and the state. */
static size_t zlib_inflate_size(unsigned bits)
{
    return zlib_header() + (zlib_is_ng() ? ((size_t)1 << 15) + 9600 : ((size_t)1 << bits) + 7424);
}

static zlib_memory *zlib_begin(void *mem, size_t len)
{
    zlib_memory *memory = mem;
    if (len < zlib_header())
        return NULL;
    memset(memory, 0, sizeof *memory);
    memory->at = (uint8_t *)mem + zlib_header();
    memory->left = len - zlib_header();
    memory->stream.zalloc = zlib_alloc;
    memory->stream.zfree = zlib_free;
    memory->stream.opaque = memory;
    return memory;
}

/* zlib would silently take 9 bits for 8; zlib-ng before 2.2 does not look whether it got its blocks. */
static int zlib_deflate_init(void *mem, size_t len, unsigned bits, unsigned mem_level, int level)
{
    zlib_memory *memory = zlib_begin(mem, len);
    if (memory == NULL || bits < 9 || (zlib_is_ng() && len < zlib_deflate_size(bits, mem_level)))
        return -1;
    int rv = deflateInit2(&memory->stream, level, Z_DEFLATED, -(int)bits, (int)mem_level, Z_DEFAULT_STRATEGY);
    return rv == Z_OK ? 0 : -1;
}

/* zlib allocates the window when it first needs one, as for a dictionary, an empty one too. Done here, a lack
 * of memory does not show up as corrupt data later. */
static int zlib_inflate_init(void *mem, size_t len, unsigned bits)
{
    static const uint8_t nothing[1] = {0};
    zlib_memory *memory = zlib_begin(mem, len);
    if (memory == NULL || inflateInit2(&memory->stream, -(int)bits) != Z_OK)
        return -1;
    return inflateSetDictionary(&memory->stream, nothing, 0) == Z_OK ? 0 : -1;
}

/* deflateBound covers one flush at the end of a stream; a sync flush adds an empty block of 5 bytes. */
static size_t zlib_deflate_bound(void *mem, size_t len)
{
    zlib_memory *memory = mem;
    return deflateBound(&memory->stream, (uLong)len) + 16;
}

static uInt zlib_step(size_t len)
{
    return len < (uInt)-1 ? (uInt)len : (uInt)-1;
}

/* Moves the cursors past what zlib took and gave. */
static void zlib_advance(weir_str *in, weir_out *out, const z_stream *stream, uInt in_step, uInt out_step)
{
    size_t taken = in_step - stream->avail_in;
    if (taken != 0)
        *in = (weir_str){in->ptr + taken, in->len - taken};
    out->ptr += out_step - stream->avail_out;
    out->len -= out_step - stream->avail_out;
}

/* A flush that used up the room of a step may not be whole (zlib.h): it is asked for again, as long as there
 * is more room than zlib can count. With none left, asking again could go on for ever. */
static int zlib_deflate(void *mem, weir_str data, weir_out *out)
{
    z_stream *stream = &((zlib_memory *)mem)->stream;
    do {
        uInt in_step = zlib_step(data.len);
        uInt out_step = zlib_step(out->len);
        stream->next_in = data.ptr;
        stream->avail_in = in_step;
        stream->next_out = out->ptr;
        stream->avail_out = out_step;
        int rv = deflate(stream, in_step == data.len ? Z_SYNC_FLUSH : Z_NO_FLUSH);
        if (rv != Z_OK && rv != Z_BUF_ERROR)
            return -1;
        zlib_advance(&data, out, stream, in_step, out_step);
        if (out->len == 0)
            return -1;
    } while (data.len != 0 || stream->avail_out == 0);
    return 0;
}

/* A block with BFINAL set ends zlib's stream but not the message: the rest is decoded with the same
 * window (RFC 7692 7.2.3.4). */
static int zlib_inflate(void *mem, weir_str *packed, weir_out *out)
{
    zlib_memory *memory = mem;
    z_stream *stream = &memory->stream;
    for (;;) {
        uInt in_step = zlib_step(packed->len);
        uInt out_step = zlib_step(out->len);
        stream->next_in = packed->ptr;
        stream->avail_in = in_step;
        stream->next_out = out->ptr;
        stream->avail_out = out_step;
        int rv = inflate(stream, Z_SYNC_FLUSH);
        zlib_advance(packed, out, stream, in_step, out_step);
        if (stream->avail_in != in_step || rv == Z_STREAM_END) /* whose bits may have been taken before */
            memory->final = rv == Z_STREAM_END;
        if (rv == Z_STREAM_END)
            rv = inflateResetKeep(stream);
        if (rv == Z_BUF_ERROR)
            return 0;
        if (rv != Z_OK)
            return -1;
        if (packed->len == 0 || out->len == 0)
            return 0;
    }
}

/* Every message that ends at a block's border stops, without its 00 00 FF FF, right before the length of
 * an empty stored block; that is what zlib calls a sync point. Some senders end one with a BFINAL block
 * and nothing behind it, which stands at a block's beginning and is let pass. */
static int zlib_inflate_end(void *mem)
{
    static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF};
    zlib_memory *memory = mem;
    uint8_t nothing[1];
    weir_str rest = {tail, sizeof tail};
    weir_out out = {nothing, sizeof nothing};
    bool final = memory->final;
    memory->final = false;
    if (inflateSyncPoint(&memory->stream) != 1)
        return final ? 0 : -1;
    int rv = zlib_inflate(mem, &rest, &out);
    memory->final = false; /* if the tail ended one, that is over */
    return rv;
}

static void zlib_deflate_reset(void *mem)
{
    (void)deflateReset(&((zlib_memory *)mem)->stream);
}

static void zlib_inflate_reset(void *mem)
{
    (void)inflateReset(&((zlib_memory *)mem)->stream);
}

const weir_deflate_backend weir_zlib = {
    zlib_deflate_size, zlib_inflate_size, zlib_deflate_init, zlib_inflate_init,  zlib_deflate_bound,
    zlib_deflate,      zlib_inflate,      zlib_inflate_end,  zlib_deflate_reset, zlib_inflate_reset,
};
