/* SPDX-License-Identifier: MIT */
/* test_zlib_backend.c - the zlib backend by itself, held to what weir/deflate.h says of a backend: memory,
 * results, windows. Built when zlib is there. */
#include "check.h"
#include "weir/zlib.h"

#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

enum { SLACK = 768 };

static void *begun(bool inflater, size_t more)
{
    size_t len = inflater ? weir_zlib.inflate_size(15) : weir_zlib.deflate_size(15, 8);
    void *mem = malloc(len + more);
    assert_non_null(mem);
    assert_int_equal(inflater ? weir_zlib.inflate_init(mem, len + more, 15)
                              : weir_zlib.deflate_init(mem, len + more, 15, 8, 6),
                     0);
    return mem;
}

static size_t packed(void *mem, weir_str data, uint8_t *dst, size_t room)
{
    weir_out out = {dst, room};
    assert_int_equal(weir_zlib.deflate(mem, data, &out), 0);
    assert_ptr_equal(out.ptr, dst + (room - out.len));
    return room - out.len;
}

/* ---- Memory ------------------------------------------------------------------------------------------- */

static size_t taken;

static voidpf take(voidpf opaque, uInt items, uInt size)
{
    (void)opaque;
    taken += ((size_t)items * size + 15) / 16 * 16;
    return calloc(items, size);
}

static void give_back(voidpf opaque, voidpf block)
{
    (void)opaque;
    free(block);
}

static z_stream *fresh(z_stream *stream)
{
    memset(stream, 0, sizeof *stream);
    stream->zalloc = take;
    stream->zfree = give_back;
    taken = 0;
    return stream;
}

/* The sizes are what the zlib at hand takes, the header, and not much more: literals may take a quarter more
 * in another version, and older versions of zlib-ng allocate a window of the bits that they are told, and
 * 2 KiB less for the state. */
static void test_sizes(void **state)
{
    (void)state;
    static const Bytef nothing[1] = {0};
    const size_t full = strstr(zlibVersion(), "zlib-ng") != NULL ? ((size_t)1 << 15) + 2048 : 0;
    z_stream stream;
    for (unsigned bits = 9; bits <= 15; bits++) {
        assert_int_equal(inflateInit2(fresh(&stream), -(int)bits), Z_OK);
        assert_int_equal(inflateSetDictionary(&stream, nothing, 0), Z_OK);
        assert_in_range(weir_zlib.inflate_size(bits), taken + sizeof stream,
                        taken + full + sizeof stream + SLACK);
        (void)inflateEnd(&stream);
        for (unsigned level = 1; level <= 9; level++) {
            int rv = deflateInit2(fresh(&stream), 6, Z_DEFLATED, -(int)bits, (int)level, Z_DEFAULT_STRATEGY);
            assert_int_equal(rv, Z_OK);
            assert_in_range(weir_zlib.deflate_size(bits, level), taken + sizeof stream,
                            taken + ((size_t)64 << level) + sizeof stream + SLACK);
            (void)deflateEnd(&stream);
        }
    }
}

/* Two messages, the second of which repeats the first. */
static void check_set_up(void *deflater, void *inflater)
{
    static const char text[] = "a text that comes twice";
    for (int n = 0; n < 2; n++) {
        uint8_t bytes[64], got[64];
        weir_out out = {got, sizeof got};
        size_t len = packed(deflater, weir_cstr(text), bytes, sizeof bytes);
        assert_true(len > 4 && (n == 0 || len < 12));
        weir_str rest = {bytes, len - 4};
        assert_int_equal(weir_zlib.inflate(inflater, &rest, &out), 0);
        assert_int_equal(weir_zlib.inflate_end(inflater), 0);
        assert_int_equal(sizeof got - out.len, sizeof text - 1);
        assert_memory_equal(got, text, sizeof text - 1);
    }
}

/* Whatever less there is, set-up refuses it, or it is enough all the same. */
static void test_less_memory(void **state)
{
    (void)state;
    const size_t most[] = {weir_zlib.deflate_size(9, 1), weir_zlib.inflate_size(9)};
    size_t refused[2] = {0, 0};
    for (int which = 0; which < 2; which++) {
        for (size_t less = 0; less <= most[which];
             less += less < 1000 || most[which] - less < 1000 ? 8 : 97) {
            const size_t len = most[which] - less;
            uint8_t *mem = malloc(len + 1);
            assert_non_null(mem);
            int rv =
                which == 0 ? weir_zlib.deflate_init(mem, len, 9, 1, 6) : weir_zlib.inflate_init(mem, len, 9);
            refused[which] += rv < 0;
            assert_true(less != 0 || rv == 0);
            if (rv == 0) {
                void *other = begun(which == 0, 0);
                check_set_up(which == 0 ? mem : other, which == 0 ? other : mem);
                free(other);
            }
            free(mem);
        }
        assert_true(refused[which] > most[which] / 400);
    }
}

/* A window of 8 bits is none that zlib compresses with. */
static void test_window_sizes(void **state)
{
    (void)state;
    void *mem = begun(false, 0);
    const size_t len = weir_zlib.deflate_size(15, 8);
    for (unsigned bits = 0; bits < 20; bits++) {
        int rv = weir_zlib.deflate_init(mem, len, bits, 8, 6);
        assert_true(bits >= 9 && bits <= 15 ? rv == 0 : rv < 0);
    }
    free(mem);
}

/* The blocks that zlib gets are aligned for anything, lie in the memory and do not touch each other. */
static void test_blocks(void **state)
{
    (void)state;
    static const uInt sizes[][2] = {{1, 1}, {3, 5}, {1, 16}, {1, 17}, {16, 2}, {5, 13}, {0, 1}, {1, 15}};
    const size_t count = sizeof sizes / sizeof *sizes, len = weir_zlib.inflate_size(15) + 400;
    uint8_t *mem = begun(true, 400), *last = NULL;
    const z_stream *stream = (const z_stream *)(const void *)mem;
    for (size_t i = 0;; i = (i + 1) % count) {
        size_t size = (size_t)sizes[i][0] * sizes[i][1];
        uint8_t *block = stream->zalloc(stream->opaque, sizes[i][0], sizes[i][1]);
        if (block == NULL) {
            size_t wanted = (size + 15) / 16 * 16;
            assert_true((size_t)(mem + len - last) < wanted);
            break;
        }
        assert_int_equal((size_t)(block - mem) % 16, 0);
        assert_true(last == NULL || block == last);
        assert_true(size <= (size_t)(mem + len - block));
        last = block + (size + 15) / 16 * 16;
    }
    free(mem);
}

/* ---- Compressing -------------------------------------------------------------------------------------- */

/* A flush behind a flush has nothing to say. */
static void test_nothing_to_flush(void **state)
{
    (void)state;
    uint8_t bytes[64];
    void *mem = begun(false, 0);
    assert_true(packed(mem, weir_cstr("abc"), bytes, sizeof bytes) > 4);
    assert_int_equal(packed(mem, weir_cstr(""), bytes, sizeof bytes), 0);
    assert_int_equal(packed(mem, (weir_str){NULL, 0}, bytes, sizeof bytes), 0);
    assert_true(packed(mem, weir_cstr("abc"), bytes, sizeof bytes) > 4);
    free(mem);
}

/* The bound is enough for each length, and never absurd. */
static void test_bound(void **state)
{
    (void)state;
    static uint8_t data[3000], bytes[4000];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof data; i++) {
        x = x * 1664525u + 1013904223u;
        data[i] = (uint8_t)(x >> 24);
    }
    void *mem = begun(false, 0);
    for (size_t len = 0; len <= sizeof data; len += len < 100 ? 1 : 100) {
        size_t bound = weir_zlib.deflate_bound(mem, len);
        assert_in_range(bound, len + 5, len + len / 8 + 128);
        weir_zlib.deflate_reset(mem);
        (void)packed(mem, (weir_str){data, len}, bytes, bound);
    }
    free(mem);
}

/* zlib counts room in 32 bits; more than that is no less. */
static void test_huge_room(void **state)
{
    (void)state;
    if (SIZE_MAX <= UINT_MAX)
        return;
    uint8_t bytes[2][256], text[256];
    void *mem = begun(false, 0), *back = begun(true, 0);
    const weir_str data = weir_cstr("one two three two one, one two three two one");
    size_t len = packed(mem, data, bytes[0], sizeof bytes[0]);
    static const size_t more[] = {0, 1, 5, 4096};
    for (size_t i = 0; i < 4; i++) {
        weir_zlib.deflate_reset(mem);
        assert_int_equal(packed(mem, data, bytes[1], (size_t)UINT_MAX + more[i]), len);
        assert_memory_equal(bytes[1], bytes[0], len);
        weir_str rest = {bytes[0], len};
        weir_out out = {text, (size_t)UINT_MAX + more[i]};
        weir_zlib.inflate_reset(back);
        assert_int_equal(weir_zlib.inflate(back, &rest, &out), 0);
        assert_int_equal(rest.len, 0);
        assert_int_equal((size_t)UINT_MAX + more[i] - out.len, data.len);
        assert_memory_equal(text, data.ptr, data.len);
    }
    free(mem);
    free(back);
}

/* Faults are negative: too little room, and none at all. */
static void test_faults(void **state)
{
    (void)state;
    uint8_t bytes[64];
    const weir_str data = weir_cstr("0123456789");
    for (size_t room = 0; room < 16; room++) {
        void *mem = begun(false, 0);
        weir_out out = {bytes, room};
        int rv = weir_zlib.deflate(mem, data, &out);
        assert_true(rv < 0 || (rv == 0 && out.len != 0));
        assert_true(rv < 0 || room > 14);
        free(mem);
    }
    void *mem = begun(false, 0);
    weir_out nowhere = {NULL, 64};
    assert_true(weir_zlib.deflate(mem, data, &nowhere) < 0);
    free(mem);
}

/* ---- Decompressing ------------------------------------------------------------------------------------ */

/* Inflates all of `text` in room for `step` bytes a call, then ends the message. */
static int inflated(void *mem, weir_str text, size_t step, uint8_t *dst, size_t *len)
{
    *len = 0;
    for (;;) {
        weir_out out = {dst + *len, step};
        if (weir_zlib.inflate(mem, &text, &out) < 0)
            return -1;
        *len += step - out.len;
        if (out.len != 0)
            break;
    }
    assert_int_equal(text.len, 0);
    return weir_zlib.inflate_end(mem);
}

/* Messages one behind the other: with the window a repetition refers to the message before; once it is
 * forgotten on both sides it does not, and on one side alone it is corrupt. */
static void test_windows(void **state)
{
    (void)state;
    static const char text[] = "a sentence that comes twice, a sentence that does not come once";
    for (int forget = 0; forget < 4; forget++)
        for (size_t step = 1; step < 80; step += 13) {
            uint8_t bytes[2][128], got[256];
            size_t len[2], got_len;
            void *from = begun(false, 0), *to = begun(true, 0);
            for (int n = 0; n < 2; n++) {
                len[n] = packed(from, weir_cstr(text), bytes[n], sizeof bytes[n]) - 4;
                if ((forget & 1) != 0)
                    weir_zlib.deflate_reset(from);
            }
            assert_int_equal(len[1] < len[0], (forget & 1) == 0);
            assert_int_equal(inflated(to, (weir_str){bytes[0], len[0]}, step, got, &got_len), 0);
            assert_int_equal(got_len, sizeof text - 1);
            if ((forget & 2) != 0)
                weir_zlib.inflate_reset(to);
            int rv = inflated(to, (weir_str){bytes[1], len[1]}, step, got, &got_len);
            assert_int_equal(rv < 0, forget == 2);
            if (rv == 0) {
                assert_int_equal(got_len, sizeof text - 1);
                assert_memory_equal(got, text, got_len);
            }
            free(from);
            free(to);
        }
}

/* A message ends at a block's border or behind a block with BFINAL set; that one did says nothing of the
 * next, and corrupt bytes are refused. */
static void test_ends(void **state)
{
    (void)state;
    static const struct {
        weir_str bytes;
        int rv;
    } rows[] = {
        {{(const uint8_t *)"\xF2\x48\xCD\xC9\xC9\x07\x00", 7}, 0}, /* RFC 7692 7.2.3.1 */
        {{(const uint8_t *)"\xF2\x48\xCD\xC9\xC9\x07", 6}, -1},    /* the same cut */
        {{(const uint8_t *)"\xF3\x48\xCD\xC9\xC9\x07\x00", 7},
         0}, /* 7.2.3.4: BFINAL, and nothing behind it */
        {{(const uint8_t *)"\xF3\x48\xCD\xC9\xC9\x07\x00\x00", 8}, 0},      /* and the empty block */
        {{(const uint8_t *)"\xF3\x48\xCD\xC9\xC9\x07\x00\xF2\x48", 9}, -1}, /* and one that is cut */
        {{(const uint8_t *)"\xF2\x48", 2}, -1},
        {{(const uint8_t *)"\x06", 1}, -1},
        {{(const uint8_t *)"", 0}, -1}, /* not even an empty block */
        /* a block of the type that there is not */
    };
    enum { COUNT = sizeof rows / sizeof *rows };
    static const size_t steps[] = {64, 5, 2, 1};
    for (size_t pair = 0; pair < COUNT * COUNT * 4; pair++) {
        const size_t order[2] = {pair % COUNT, pair / COUNT % COUNT}, step = steps[pair / COUNT / COUNT];
        void *mem = begun(true, 0);
        for (int n = 0; n < 2; n++) {
            uint8_t got[64];
            size_t len;
            int rv = inflated(mem, rows[order[n]].bytes, step, got, &len);
            assert_true(rows[order[n]].rv == 0 ? rv == 0 : rv < 0);
            assert_int_equal(len == 5, rows[order[n]].rv == 0 || order[n] == 1);
            if (rv != 0)
                break; /* the connection is over then */
        }
        free(mem);
    }
}

/* The end of the last block can show when there is room again, and all input was taken before. */
static void test_end_without_input(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x9B, 0x30, 0x0A, 0x00}; /* BFINAL: a byte, 258 times the same, the end */
    for (size_t cut = 0; cut < sizeof bytes; cut++) {
        for (size_t step = 1; step < 262; step++) {
            uint8_t got[600];
            weir_str first = {bytes, cut};
            weir_out out = {got, step};
            void *mem = begun(true, 0);
            size_t len;
            do {
                out.len = step;
                assert_int_equal(weir_zlib.inflate(mem, &first, &out), 0);
            } while (out.len == 0);
            size_t before = (size_t)(out.ptr - got);
            assert_int_equal(
                inflated(mem, (weir_str){bytes + cut, sizeof bytes - cut}, step, got + before, &len), 0);
            assert_int_equal(before + len, 259);
            free(mem);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_less_memory),
        cmocka_unit_test(test_window_sizes),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_nothing_to_flush),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_huge_room),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_end_without_input),
    };
    return cmocka_run_group_tests_name("zlib_backend", tests, NULL, NULL);
}
