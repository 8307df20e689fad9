/* SPDX-License-Identifier: MIT */
/* test_zlib_faults.c - the zlib backend when zlib fails, when there is less room than was asked for, and at
 * lengths beyond zlib's own 32 bits: these bytes are never looked at, zlib is not there. */
#include "check.h"
#include "weir/zlib.h"

#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

int __real_deflate(z_streamp stream, int flush);
int __wrap_deflate(z_streamp stream, int flush);
int __real_inflate(z_streamp stream, int flush);
int __wrap_inflate(z_streamp stream, int flush);

const char *__real_zlibVersion(void);
const char *__wrap_zlibVersion(void);

enum { REAL, FAILING, SWALLOWING };
static int zlib_is;
static size_t pending; /* what it has for the output, when it swallows */
static struct {
    unsigned in, out;
    int flush;
} calls[8];
static unsigned call_count;

static int stand_in(z_streamp stream, int flush)
{
    assert_true(call_count < 8);
    calls[call_count].in = stream->avail_in;
    calls[call_count].out = stream->avail_out;
    calls[call_count++].flush = flush;
    if (zlib_is == FAILING)
        return Z_STREAM_ERROR;
    stream->next_in += stream->avail_in;
    stream->avail_in = 0;
    uInt given = pending < stream->avail_out ? (uInt)pending : stream->avail_out;
    pending -= given;
    stream->next_out += given;
    stream->avail_out -= given;
    return Z_OK;
}

int __wrap_deflate(z_streamp stream, int flush)
{
    return zlib_is == REAL ? __real_deflate(stream, flush) : stand_in(stream, flush);
}

int __wrap_inflate(z_streamp stream, int flush)
{
    return zlib_is == REAL ? __real_inflate(stream, flush) : stand_in(stream, flush);
}

/* Another version than the one at hand. */
static const char *version;

const char *__wrap_zlibVersion(void)
{
    return version != NULL ? version : __real_zlibVersion();
}

static void *deflater, *inflater;

static int set_up(void **state)
{
    (void)state;
    size_t deflate_len = weir_zlib.deflate_size(15, 8), inflate_len = weir_zlib.inflate_size(15);
    zlib_is = REAL;
    call_count = 0;
    pending = 0;
    deflater = malloc(deflate_len);
    inflater = malloc(inflate_len);
    assert_int_equal(weir_zlib.deflate_init(deflater, deflate_len, 15, 8, 6), 0);
    assert_int_equal(weir_zlib.inflate_init(inflater, inflate_len, 15), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(deflater);
    free(inflater);
    version = NULL;
    return 0;
}

static void test_set_up(void **state)
{
    (void)state;
    size_t deflate_len = weir_zlib.deflate_size(9, 1), inflate_len = weir_zlib.inflate_size(8);
    void *mem = malloc(deflate_len + inflate_len);
    assert_int_equal(weir_zlib.deflate_init(mem, deflate_len, 8, 1, 6), -1);
    assert_int_equal(weir_zlib.deflate_init(mem, deflate_len, 16, 1, 6), -1);
    assert_int_equal(weir_zlib.deflate_init(mem, deflate_len, 9, 10, 6), -1);
    assert_int_equal(weir_zlib.deflate_init(mem, deflate_len / 2, 9, 1, 6), -1);
    assert_int_equal(weir_zlib.deflate_init(mem, 0, 9, 1, 6), -1);
    assert_int_equal(weir_zlib.deflate_init(mem, deflate_len, 9, 1, 6), 0);
    assert_int_equal(weir_zlib.inflate_init(mem, 0, 8), -1);
    assert_int_equal(weir_zlib.inflate_init(mem, 500, 8), -1);
    assert_int_equal(weir_zlib.inflate_init(mem, inflate_len, 16), -1);
    assert_int_equal(weir_zlib.inflate_init(mem, inflate_len, 8), 0);
    free(mem);
}

/* What zlib-ng 2.0.7, 2.1.8 and 2.2.2 were seen to take at most on a 64-bit machine, for bits of 9 and 15 and
 * levels of 1, 5 and 9. Whatever zlib is at hand does with it, less is refused. */
static void test_zlib_ng(void **state)
{
    static const struct {
        unsigned bits, level;
        size_t deflate, inflate;
    } rows[] = {
        {9, 1, 140144, 42112},  {9, 5, 149632, 42112},  {9, 9, 303232, 42112},
        {15, 1, 269168, 42128}, {15, 5, 278656, 42128}, {15, 9, 432256, 42128},
    };
    (void)state;
    void *mem = malloc(500000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const unsigned bits = rows[i].bits, level = rows[i].level;
        version = "1.3.1.zlib-ng";
        size_t deflate_len = weir_zlib.deflate_size(bits, level), inflate_len = weir_zlib.inflate_size(bits);
        assert_in_range(deflate_len, rows[i].deflate + sizeof(z_stream), rows[i].deflate + 1024);
        assert_in_range(inflate_len, rows[i].inflate + sizeof(z_stream), rows[i].inflate + 1024);
        assert_int_equal(weir_zlib.deflate_init(mem, deflate_len, bits, level, 6), 0);
        assert_int_equal(weir_zlib.deflate_init(mem, deflate_len - 1, bits, level, 6), -1);
        assert_int_equal(weir_zlib.inflate_init(mem, inflate_len, bits), 0);
        version = "1.2.13";
        assert_true(weir_zlib.deflate_size(bits, level) < deflate_len);
        assert_true(weir_zlib.inflate_size(bits) < inflate_len);
    }
    free(mem);
}

static void test_zlib_fails(void **state)
{
    (void)state;
    uint8_t room[100];
    weir_out out = {room, sizeof room};
    weir_str packed = weir_cstr("abc");
    zlib_is = FAILING;
    assert_int_equal(weir_zlib.deflate(deflater, weir_cstr("abc"), &out), -1);
    assert_int_equal(weir_zlib.inflate(inflater, &packed, &out), -1);
    assert_int_equal(call_count, 2);
    assert_int_equal(out.len, sizeof room);
    assert_int_equal(packed.len, 3);
}

/* Less room than deflate_bound says: refused, whatever there is, and without turning for ever. */
static void test_less_room(void **state)
{
    (void)state;
    uint8_t text[3000], room[4000];
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)((random = random * 1664525u + 1013904223u) >> 24);
    size_t bound = weir_zlib.deflate_bound(deflater, sizeof text);
    assert_in_range(bound, sizeof text + 5, sizeof room);
    for (size_t len = 0; len <= bound; len += len < 40 || len > 2900 ? 1 : 97) {
        tear_down(state);
        set_up(state);
        weir_out out = {room, len};
        int rv = weir_zlib.deflate(deflater, (weir_str){text, sizeof text}, &out);
        assert_true(rv == (out.len != 0 ? 0 : -1));
        assert_true(len != bound || rv == 0);
        assert_true(len > sizeof text || rv == -1); /* noise gets no shorter */
        if (rv == 0)
            assert_memory_equal(out.ptr - 4, "\0\0\xFF\xFF", 4);
    }
}

static void test_long_input(void **state)
{
    (void)state;
#if SIZE_MAX > UINT_MAX
    static const struct {
        size_t len;
        unsigned count, last;
    } rows[] = {{7, 1, 7},
                {UINT_MAX - 1u, 1, UINT_MAX - 1u},
                {UINT_MAX, 1, UINT_MAX},
                {(size_t)UINT_MAX + 1, 2, 1},
                {(size_t)UINT_MAX * 2 + 10, 3, 10}};
    uint8_t room[100];
    zlib_is = SWALLOWING;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int inflating = 0; inflating < 2; inflating++) {
            call_count = 0;
            weir_str data = {room, rows[i].len};
            weir_out out = {room, sizeof room};
            if (inflating) {
                assert_int_equal(weir_zlib.inflate(inflater, &data, &out), 0);
                assert_int_equal(data.len, 0);
            } else {
                assert_int_equal(weir_zlib.deflate(deflater, data, &out), 0);
            }
            assert_int_equal(call_count, rows[i].count);
            for (unsigned k = 0; k < call_count; k++) {
                bool last = k + 1 == call_count;
                assert_int_equal(calls[k].in, last ? rows[i].last : UINT_MAX);
                assert_int_equal(calls[k].out, sizeof room);
                assert_int_equal(calls[k].flush, last || inflating ? Z_SYNC_FLUSH : Z_NO_FLUSH);
            }
        }
    }
    /* Room beyond 32 bits is offered in steps too. */
    call_count = 0;
    weir_str data = {room, 1};
    weir_out out = {room, (size_t)UINT_MAX + 5};
    assert_int_equal(weir_zlib.inflate(inflater, &data, &out), 0);
    assert_int_equal(calls[0].out, UINT_MAX);
    assert_true(out.len == (size_t)UINT_MAX + 5);
#endif
}

/* What noise of 4 GiB and more is packed to fills a step's output: the rest of it, and the end of the flush,
 * are asked for, in what room there is. */
static void test_long_output(void **state)
{
    (void)state;
#if SIZE_MAX > UINT_MAX
    static const struct {
        size_t pending, more; /* room beyond the first step's */
        unsigned count;
        int rv;
    } rows[] = {{UINT_MAX - 1u, 5, 1, 0},
                {UINT_MAX, 5, 2, 0},
                {(size_t)UINT_MAX + 4, 5, 2, 0},
                {(size_t)UINT_MAX + 5, 5, 2, -1},
                {(size_t)UINT_MAX + 6, 5, 2, -1},
                {UINT_MAX - 1u, 0, 1, 0},
                {UINT_MAX, 0, 1, -1},
                {(size_t)UINT_MAX * 2 + 3, (size_t)UINT_MAX + 4, 3, 0}};
    uint8_t room[100];
    zlib_is = SWALLOWING;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const size_t room_len = UINT_MAX + rows[i].more;
        call_count = 0;
        pending = rows[i].pending;
        weir_out out = {room, room_len};
        assert_int_equal(weir_zlib.deflate(deflater, (weir_str){room, 7}, &out), rows[i].rv);
        assert_int_equal(call_count, rows[i].count);
        assert_int_equal(out.len, rows[i].rv == 0 ? room_len - rows[i].pending : 0);
        for (unsigned k = 0; k < call_count; k++) {
            assert_int_equal(calls[k].in, k == 0 ? 7 : 0);
            assert_int_equal(calls[k].flush, Z_SYNC_FLUSH);
        }
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_set_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_zlib_ng, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_zlib_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_less_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_input, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_output, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("zlib_faults", tests, NULL, NULL);
}
