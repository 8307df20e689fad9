/* SPDX-License-Identifier: MIT */
/* test_http_body.c - bodies: vectors under every cut, round trips, slices, the writer's bounds. */
#include "check.h"
#include "harness.h"
#include "weir/http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct body_machine {
    weir_http_framing framing;
    uint64_t size;
    weir_http_body body;
    uint64_t taken;
    int last;
} body_machine;

static void body_start(void *arg)
{
    body_machine *self = arg;
    memset(&self->body, 0xA5, sizeof self->body);
    weir_http_body_init(&self->body, self->framing, self->size);
    self->taken = 0;
    self->last = 0;
}

/* The end is logged once and what follows it as `behind`. */
static void body_feed(void *arg, uint8_t *bytes, size_t len, log *l)
{
    body_machine *self = arg;
    weir_in in = {bytes, len};
    weir_str data;
    int rv;
    while ((rv = weir_http_body_next(&self->body, &in, &data)) == WEIR_HTTP_BODY_DATA) {
        if (data.len == 0 || data.ptr < bytes || data.ptr + data.len != in.ptr)
            log_line(l, "but the piece is empty or not a slice of the input");
        log_bytes(l, "data", data.ptr, data.len);
    }
    if (data.len != 0 || (rv == 0 && in.len != 0))
        log_line(l, "but data is given or input left");
    self->taken += len - in.len;
    if (rv == WEIR_HTTP_BODY_END && self->last != WEIR_HTTP_BODY_END)
        log_line(l, "end");
    if (rv == WEIR_HTTP_BODY_END && in.len != 0)
        log_bytes(l, "behind", in.ptr, in.len);
    if (rv < 0 && self->last != rv)
        log_line(l, "error %s at %" PRIu64, weir_err_lookup(rv)->name, self->taken);
    self->last = rv;
}

static void body_finish(void *arg, log *l)
{
    body_machine *self = arg;
    weir_str data;
    uint8_t byte = '0';
    weir_in in = {&byte, 1};
    int rv = weir_http_body_eof(&self->body);
    if (self->last >= 0)
        log_line(l, "eof %s", rv == WEIR_HTTP_BODY_END ? "whole" : weir_err_lookup(rv)->name);
    else if (rv != self->last)
        log_line(l, "but the error is not sticky at the end");
    if (weir_http_body_next(&self->body, &in, &data) != rv || weir_http_body_eof(&self->body) != rv)
        log_line(l, "but the end is not final");
}

static machine body_machine_new(body_machine *self, const char *framing)
{
    memset(self, 0, sizeof *self);
    self->framing = WEIR_HTTP_CHUNKED;
    if (framing != NULL && strncmp(framing, "sized ", 6) == 0) {
        self->framing = WEIR_HTTP_SIZED;
        self->size = strtoull(framing + 6, NULL, 10);
    } else if (framing != NULL && strcmp(framing, "none") == 0) {
        self->framing = WEIR_HTTP_NO_BODY;
    } else if (framing != NULL && strcmp(framing, "until-close") == 0) {
        self->framing = WEIR_HTTP_UNTIL_CLOSE;
    } else if (framing != NULL && strcmp(framing, "chunked") != 0) {
        fail_msg("unknown framing: %s", framing);
    }
    return (machine){body_start, body_feed, body_finish, self};
}

static size_t failures;

static void body_vector(const vector *v)
{
    body_machine self;
    machine m = body_machine_new(&self, vector_get(v, "framing"));
    failures += !machine_agrees(&m, v->title, v->stream, v->len, v->expected);
}

static void test_vectors(void **state)
{
    (void)state;
    vectors_each("http_body.txt", body_vector);
    assert_int_equal(failures, 0);
}

/* What the writer writes the reader reads, for many sizes of chunks. */
static void test_round_trip(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 9, 10, 15, 16, 17, 255, 256, 4095, 4096, 65535, 65536, 70000};
    enum { ROOM = 400000 };
    uint8_t *stream = malloc(ROOM), *data = malloc(70000), *back = malloc(ROOM);
    weir_out out = {stream, ROOM};
    size_t total = 0;
    memset(data, '\n', 70000);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(weir_http_chunk_put(&out, (weir_str){data, sizes[i]}), 0);
        total += sizes[i];
    }
    assert_int_equal(weir_http_chunk_end(&out), 0);

    weir_http_body body;
    weir_http_body_init(&body, WEIR_HTTP_CHUNKED, 0);
    weir_in in = {stream, ROOM - out.len};
    weir_str piece;
    size_t got = 0;
    int rv;
    while ((rv = weir_http_body_next(&body, &in, &piece)) == WEIR_HTTP_BODY_DATA) {
        memcpy(back + got, piece.ptr, piece.len);
        got += piece.len;
    }
    assert_int_equal(rv, WEIR_HTTP_BODY_END);
    assert_int_equal(in.len, 0);
    assert_int_equal(got, total);
    for (size_t i = 0; i < got; i++)
        assert_int_equal(back[i], '\n');
    free(stream);
    free(data);
    free(back);
}

static void test_chunk_bytes(void **state)
{
    (void)state;
    uint8_t room[64], big[300];
    weir_out out = {room, sizeof room};
    assert_int_equal(weir_http_chunk_put(&out, weir_cstr("Hello")), 0);
    assert_str(((weir_str){room, sizeof room - out.len}), "5\r\nHello\r\n");
    assert_int_equal(weir_http_chunk_put(&out, weir_cstr("Hello, Hello!")), 0);
    assert_int_equal(weir_http_chunk_end(&out), 0);
    weir_str written = {room, sizeof room - out.len};
    assert_true(weir_str_is_nocase(written, "5\r\nHello\r\nd\r\nHello, Hello!\r\n0\r\n\r\n"));
    assert_ptr_equal(out.ptr, room + written.len);
    assert_int_equal(weir_http_chunk_put(&out, weir_cstr("")), WEIR_ERR_ARG);
    assert_int_equal(weir_http_chunk_put(&out, weir_cstr(NULL)), WEIR_ERR_ARG);

    uint8_t more[400];
    memset(big, 'x', sizeof big);
    out = (weir_out){more, sizeof more};
    assert_int_equal(weir_http_chunk_put(&out, (weir_str){big, sizeof big}), 0);
    assert_true(memcmp(more, "12c\r\n", 5) == 0 || memcmp(more, "12C\r\n", 5) == 0);
}

/* With every smaller room nothing is written and nothing beyond it touched. */
static void test_chunk_space(void **state)
{
    (void)state;
    weir_str data = weir_cstr("0123456789abcdef");
    enum { NEEDED = 2 + 2 + 16 + 2 };
    for (size_t room = 0; room <= NEEDED; room++) {
        uint8_t *bytes = guard_copy(NULL, room, false);
        weir_out out = {bytes, room};
        int rv = weir_http_chunk_put(&out, data);
        assert_int_equal(rv, room < NEEDED ? WEIR_ERR_SPACE : 0);
        assert_int_equal(out.len, room < NEEDED ? room : 0);
        assert_ptr_equal(out.ptr, bytes + (room - out.len));
        for (size_t i = 0; rv != 0 && i < room; i++)
            assert_int_equal(bytes[i], 0);
        guard_free(bytes);
    }
    for (size_t room = 0; room <= 5; room++) {
        uint8_t *bytes = guard_copy(NULL, room, false);
        weir_out out = {bytes, room};
        assert_int_equal(weir_http_chunk_end(&out), room < 5 ? WEIR_ERR_SPACE : 0);
        assert_int_equal(out.len, room < 5 ? room : 0);
        guard_free(bytes);
    }
    weir_out out = {NULL, 0};
    assert_int_equal(weir_http_chunk_put(&out, (weir_str){data.ptr, SIZE_MAX}), WEIR_ERR_SPACE);
    uint8_t some[64]; /* room for what the sum of the parts would wrap to */
    out = (weir_out){some, sizeof some};
    assert_int_equal(weir_http_chunk_put(&out, (weir_str){data.ptr, SIZE_MAX}), WEIR_ERR_SPACE);
}

/* Only a sized body has a length, whatever is given. */
static void test_no_body(void **state)
{
    (void)state;
    weir_http_body body;
    weir_str data;
    uint8_t next[] = "next";
    weir_in in = {next, 4};
    weir_http_body_init(&body, WEIR_HTTP_NO_BODY, 4);
    assert_int_equal(weir_http_body_next(&body, &in, &data), WEIR_HTTP_BODY_END);
    assert_int_equal(in.len, 4);
    assert_int_equal(weir_http_body_eof(&body), WEIR_HTTP_BODY_END);
}

/* Every chunk's line may be as long as the first: what is counted begins anew. */
static void test_long_size_lines(void **state)
{
    (void)state;
    weir_http_body body;
    weir_str data;
    uint8_t text[256 + 8];
    for (size_t len = 255; len <= 257; len++) { /* with its CR; 256 are allowed */
        weir_http_body_init(&body, WEIR_HTTP_CHUNKED, 0);
        for (int chunk = 0; chunk < 3; chunk++) {
            memset(text, 'e', sizeof text);
            memcpy(text, "1;", 2);
            memcpy(text + len - 1, "\r\nx\r\n", 5);
            weir_in in = {text, len + 4};
            int rv = weir_http_body_next(&body, &in, &data);
            assert_int_equal(rv, len <= 256 ? WEIR_HTTP_BODY_DATA : WEIR_ERR_HTTP_CHUNK);
            if (rv > 0)
                assert_int_equal(weir_http_body_next(&body, &in, &data), 0);
        }
    }
}

/* The overhead is what the header says. */
static void test_chunk_overhead(void **state)
{
    (void)state;
    uint8_t *data = calloc(1, 1 << 20), *room = malloc((1 << 20) + WEIR_HTTP_CHUNK_OVERHEAD);
    for (size_t len = 1; len <= 1 << 20; len = len * 16 - (len % 2)) {
        weir_out out = {room, len + WEIR_HTTP_CHUNK_OVERHEAD};
        assert_int_equal(weir_http_chunk_put(&out, (weir_str){data, len}), 0);
    }
    free(data);
    free(room);
}

/* A million chunks of one byte, and one byte a call: O(1) state. */
static void test_many_small_chunks(void **state)
{
    (void)state;
    weir_http_body body;
    weir_http_body_init(&body, WEIR_HTTP_CHUNKED, 0);
    size_t got = 0, many = test_rounds(1000000);
    for (size_t n = 0; n < many; n++) {
        uint8_t chunk[] = "1\r\nx\r\n";
        weir_in in = {chunk, 6};
        weir_str data;
        int rv;
        while ((rv = weir_http_body_next(&body, &in, &data)) == WEIR_HTTP_BODY_DATA)
            got += data.len;
        assert_int_equal(rv, 0);
    }
    assert_int_equal(got, many);
    assert_int_equal(weir_http_body_eof(&body), WEIR_ERR_HTTP_BODY_CUT);
}

/* What is none of the four framings is read as the one that takes everything. */
static void test_framing_out_of_range(void **state)
{
    (void)state;
    uint8_t bytes[] = "5\r\nabc";
    weir_http_body body;
    weir_str data;
    weir_in in = {bytes, 6};
    memset(&body, 0x55, sizeof body);
    weir_http_body_init(&body, (weir_http_framing)(WEIR_HTTP_UNTIL_CLOSE + 1), 2);
    assert_int_equal(weir_http_body_next(&body, &in, &data), WEIR_HTTP_BODY_DATA);
    assert_str(data, "5\r\nabc");
    assert_int_equal(weir_http_body_next(&body, &in, &data), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_chunk_bytes),
        cmocka_unit_test(test_chunk_space),
        cmocka_unit_test(test_chunk_overhead),
        cmocka_unit_test(test_many_small_chunks),
        cmocka_unit_test(test_no_body),
        cmocka_unit_test(test_long_size_lines),
        cmocka_unit_test(test_framing_out_of_range),
    };
    return cmocka_run_group_tests_name("http_body", tests, NULL, NULL);
}
