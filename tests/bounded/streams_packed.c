/* SPDX-License-Identifier: MIT */
/* streams_packed.c - what hostile peers compress, or pretend to have compressed. */
#include "bounded.h"

#ifdef BOUNDED_ZLIB
#include "weir/zlib.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_PACKED = 0xC2, FIRST_PACKED_PART = 0x42, CONT = 0x00, CONT_LAST = 0x80 };

static void *deflater_new(void)
{
    size_t len = weir_zlib.deflate_size(15, 8);
    void *mem = malloc(len);
    if (mem == NULL || weir_zlib.deflate_init(mem, len, 15, 8, 9) != 0)
        bounded_fail("deflate_init");
    return mem;
}

/* `len` zeros, or noise, compressed; without the last four bytes (RFC 7692 7.2.1). */
static size_t compress(void *mem, bool noise, size_t len, uint8_t *dst, size_t cap)
{
    uint8_t *plain = calloc(1, len);
    weir_out out = {dst, cap};
    if (plain == NULL)
        bounded_fail("out of memory");
    if (noise)
        bounded_entropy(NULL, plain, len);
    if (weir_zlib.deflate(mem, (weir_str){plain, len}, &out) != 0 || cap - out.len < 4)
        bounded_fail("deflate");
    free(plain);
    return cap - out.len - 4;
}

static size_t frame(uint8_t *dst, bool masked, uint8_t first, const uint8_t *payload, size_t len)
{
    size_t header = frame_header(dst, masked, first, len);
    if (len != 0)
        memcpy(dst + header, payload, len);
    return header + len;
}

/* A bomb of 1 MiB and one byte more, in frames of `piece` bytes. */
static size_t bomb_put(uint8_t *dst, bool masked, size_t piece)
{
    static uint8_t packed[65536];
    void *mem = deflater_new();
    size_t len = compress(mem, false, ((size_t)1 << 20) + 1, packed, sizeof packed);
    size_t at = 0;
    for (size_t done = 0; done < len; done += piece) {
        bool last = len - done <= piece;
        uint8_t first = (uint8_t)(done != 0 ? (last ? CONT_LAST : CONT)
                                  : last    ? FIRST_PACKED
                                            : FIRST_PACKED_PART);
        at += frame(dst + at, masked, first, packed + done, last ? len - done : piece);
    }
    free(mem);
    return at;
}

/* Messages that each inflate to `plain` bytes and take up the window of those before. */
static size_t messages_put(uint8_t *dst, bool masked, size_t size, size_t plain, bool noise)
{
    static uint8_t packed[131072];
    void *mem = deflater_new();
    size_t at = 0;
    while (at < size) {
        size_t len = compress(mem, noise, plain, packed, sizeof packed);
        at += frame(dst + at, masked, FIRST_PACKED, packed, len);
    }
    free(mem);
    return at;
}

/* One message of blocks that hold nothing, and `end`, behind which 00 00 FF FF closes the last one. */
static size_t blocks_put(uint8_t *dst, bool masked, size_t size, weir_str block, weir_str end)
{
    size_t count = size / block.len;
    size_t at = frame_header(dst, masked, FIRST_PACKED, count * block.len + end.len);
    for (size_t i = 0; i < count; i++, at += block.len)
        memcpy(dst + at, block.ptr, block.len);
    memcpy(dst + at, end.ptr, end.len);
    return at + end.len;
}

static size_t noise_put(uint8_t *dst, bool masked, size_t size)
{
    size_t at = 0;
    while (at < size) {
        size_t len = bounded_random() % 300;
        at += frame_header(dst + at, masked, FIRST_PACKED, len);
        bounded_entropy(NULL, dst + at, len);
        at += len;
    }
    return at;
}

typedef struct recipe {
    const char *name;
    size_t (*make)(uint8_t *dst, bool masked, size_t size);
    unsigned times;
} recipe;

static size_t bomb_whole(uint8_t *dst, bool masked, size_t size)
{
    (void)size;
    return bomb_put(dst, masked, SIZE_MAX);
}

static size_t bomb_100(uint8_t *dst, bool masked, size_t size)
{
    (void)size;
    return bomb_put(dst, masked, 100);
}

static size_t bomb_1(uint8_t *dst, bool masked, size_t size)
{
    (void)size;
    return bomb_put(dst, masked, 1);
}

static size_t zeros_100k(uint8_t *dst, bool masked, size_t size)
{
    return messages_put(dst, masked, size / 8, 100 << 10, false);
}

static size_t messages_of_noise(uint8_t *dst, bool masked, size_t size)
{
    return messages_put(dst, masked, size, 3000, true);
}

static size_t messages_of_one(uint8_t *dst, bool masked, size_t size)
{
    return messages_put(dst, masked, size, 1, false);
}

static size_t blocks_stored(uint8_t *dst, bool masked, size_t size)
{
    static const uint8_t block[] = {0x00, 0x00, 0x00, 0xFF, 0xFF};
    return blocks_put(dst, masked, size, (weir_str){block, sizeof block}, (weir_str){block, 1});
}

static size_t blocks_fixed(uint8_t *dst, bool masked, size_t size)
{
    static const uint8_t block[] = {0x02, 0x00, 0x00, 0x00, 0xFF, 0xFF}; /* and a stored one */
    return blocks_put(dst, masked, size, (weir_str){block, sizeof block}, (weir_str){block, 2});
}

static size_t blocks_final(uint8_t *dst, bool masked, size_t size)
{
    static const uint8_t block[] = {0x03, 0x00}; /* RFC 7692 7.2.3.4 */
    return blocks_put(dst, masked, size, (weir_str){block, sizeof block}, (weir_str){block + 1, 1});
}

static const recipe recipes[] = {
    {"a bomb", bomb_whole, 1},
    {"a bomb in frames of 100 bytes", bomb_100, 1},
    {"a bomb in frames of one byte", bomb_1, 1},
    {"messages of 100 KiB of zeros", zeros_100k, 1},
    {"messages of noise, compressed", messages_of_noise, 1},
    {"messages of one byte, compressed", messages_of_one, 1},
    {"empty stored blocks", blocks_stored, 1},
    {"empty fixed blocks", blocks_fixed, 1},
    {"final blocks", blocks_final, 1},
    {"noise that claims to be compressed", noise_put, 8},
};

size_t streams_packed_each(bool client, const char *only, size_t size, stream_taker take, void *user)
{
    uint8_t *bytes = malloc(2 * size + 400000);
    size_t count = 0;
    if (bytes == NULL)
        bounded_fail("out of memory");
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        if (only != NULL && strcmp(only, recipes[i].name) != 0)
            continue;
        for (unsigned k = 0; k < recipes[i].times; k++, count++)
            take(user, recipes[i].name, bytes, recipes[i].make(bytes, !client, size));
    }
    free(bytes);
    return count;
}

#else

size_t streams_packed_each(bool client, const char *only, size_t size, stream_taker take, void *user)
{
    (void)client, (void)only, (void)size, (void)take, (void)user;
    return 0;
}

#endif
