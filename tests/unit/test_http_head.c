/* SPDX-License-Identifier: MIT */
/* test_http_head.c - the head parser: vectors under every cut, zero copy, limits, set-up, cost. */
#include "check.h"
#include "http_machine.h"

#include <stdlib.h>

static void test_request_vectors(void **state)
{
    (void)state;
    http_vectors_check("http_request.txt");
}

static void test_response_vectors(void **state)
{
    (void)state;
    http_vectors_check("http_response.txt");
}

static const char REQUEST[] = "GET /a?b HTTP/1.1\r\nHost: example.org\r\nX:  y \r\n\r\nrest";
enum { REQUEST_HEAD = sizeof REQUEST - 1 - 4 };

static bool inside(weir_str str, const uint8_t *start, size_t len)
{
    return str.ptr >= start && str.ptr + str.len <= start + len;
}

static void check_slices(const weir_http_head *head, const uint8_t *start, size_t len)
{
    assert_true(inside(head->method, start, len));
    assert_true(inside(head->target, start, len));
    assert_true(inside(head->host, start, len));
    assert_str(head->method, "GET");
    assert_str(head->target, "/a?b");
    assert_str(head->host, "example.org");
    weir_http_fields walk = head->fields;
    weir_http_field field;
    size_t count = 0;
    for (; weir_http_fields_next(&walk, &field); count++) {
        assert_true(inside(field.name, start, len));
        assert_true(inside(field.value, start, len));
        assert_str(field.name, count == 0 ? "Host" : "X");
        assert_str(field.value, count == 0 ? "example.org" : "y");
    }
    assert_int_equal(count, 2);
    assert_int_equal(head->field_count, 2);
}

/* A head that comes whole is reported where it lies: of the storage only the list of its fields is used. */
static void test_whole_head_is_not_copied(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 16; shift++) {
        uint8_t storage[16 + 256], *const begin = storage + shift, bytes[sizeof REQUEST];
        memset(storage, 0xA5, sizeof storage);
        memcpy(bytes, REQUEST, sizeof REQUEST);

        weir_http http;
        weir_http_head head;
        assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, begin, 256, NULL), 0);
        weir_in in = {bytes, sizeof REQUEST - 1};
        assert_int_equal(weir_http_next(&http, &in, &head), 1);
        check_slices(&head, bytes, REQUEST_HEAD);
        assert_ptr_equal(in.ptr, bytes + REQUEST_HEAD);
        assert_int_equal(in.len, 4);
        assert_memory_equal(bytes, REQUEST, sizeof REQUEST);

        const uint8_t *list = (const uint8_t *)head.fields.list;
        assert_true(list >= begin && list < begin + sizeof(void *));
        assert_int_equal((uintptr_t)list % sizeof(void *), 0);
        for (const uint8_t *p = storage; p < storage + sizeof storage; p++)
            if (p < list || p >= list + 2 * sizeof(weir_http_field))
                assert_int_equal(*p, 0xA5);
    }
}

/* A head in two pieces is put together in the storage, and its fields are listed behind it if there is room:
 * nothing is written behind the storage. */
static void check_cut_head(size_t cut, size_t shift, size_t spare)
{
    enum { LIST = 2 * sizeof(weir_http_field), ALIGN = sizeof(void *) };
    uint8_t storage[REQUEST_HEAD + LIST + 5 * ALIGN], *const begin = storage + shift, bytes[sizeof REQUEST];
    memset(storage, 0xA5, sizeof storage);
    memcpy(bytes, REQUEST, sizeof REQUEST);
    weir_http http;
    weir_http_head head;
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, begin, REQUEST_HEAD + spare, NULL), 0);
    weir_in in = {bytes, cut};
    assert_int_equal(weir_http_next(&http, &in, &head), 0);
    assert_int_equal(in.len, 0);
    assert_ptr_equal(in.ptr, bytes + cut);
    assert_int_equal(head.kind, 0);
    memset(bytes, 0xDD, cut);
    in = (weir_in){bytes + cut, sizeof REQUEST - 1 - cut};
    assert_int_equal(weir_http_next(&http, &in, &head), 1);
    memset(bytes, 0xDD, REQUEST_HEAD);
    check_slices(&head, begin, REQUEST_HEAD);
    assert_memory_equal(in.ptr, "rest", 4);
    const size_t skip = (size_t)(-(uintptr_t)(begin + REQUEST_HEAD) % ALIGN);
    assert_int_equal(head.fields.text.len == 0, skip + LIST <= spare);
    assert_int_equal((uintptr_t)head.fields.list % ALIGN, 0);
    for (size_t i = spare; i < LIST + 4 * ALIGN; i++)
        assert_int_equal(begin[REQUEST_HEAD + i], 0xA5);
}

static void test_cut_head_lies_in_storage(void **state)
{
    (void)state;
    const size_t list = 2 * sizeof(weir_http_field), align = sizeof(void *);
    for (size_t cut = 1; cut < REQUEST_HEAD; cut++)
        for (size_t shift = 0; shift < align; shift++)
            for (size_t spare = 0; spare <= list + 2 * align; spare++)
                check_cut_head(cut, shift, spare);
}

/* The offset without an error is the bytes taken so far. */
static void test_offset_counts(void **state)
{
    (void)state;
    uint8_t storage[256], bytes[sizeof REQUEST];
    memcpy(bytes, REQUEST, sizeof REQUEST);
    weir_http http;
    weir_http_head head;
    uint64_t offset = 99;
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
    assert_int_equal(weir_http_error(&http, &offset), 0);
    assert_int_equal(offset, 0);
    for (size_t i = 0; i < REQUEST_HEAD; i++) {
        weir_in in = {bytes + i, 1};
        assert_int_equal(weir_http_next(&http, &in, &head), i + 1 == REQUEST_HEAD);
        assert_int_equal(weir_http_error(&http, &offset), 0);
        assert_int_equal(offset, i + 1);
    }
    weir_in in = {bytes, sizeof REQUEST - 1};
    assert_int_equal(weir_http_next(&http, &in, &head), 1);
    weir_http_error(&http, &offset);
    assert_int_equal(offset, 2 * REQUEST_HEAD);
}

static void test_error_zeroes_the_head_and_sticks(void **state)
{
    (void)state;
    uint8_t storage[64], bad[] = "GET / HTTP/2.0\r\n\r\n", good[] = "GET / HTTP/1.0\r\n\r\n";
    weir_http http;
    weir_http_head head, zero;
    memset(&zero, 0, sizeof zero);
    memset(&head, 0x55, sizeof head);
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
    weir_in in = {bad, sizeof bad - 1};
    assert_int_equal(weir_http_next(&http, &in, &head), WEIR_ERR_HTTP_MAJOR);
    assert_memory_equal(&head, &zero, sizeof head);
    for (int again = 0; again < 3; again++) {
        uint64_t offset;
        in = (weir_in){good, sizeof good - 1};
        memset(&head, 0x55, sizeof head);
        assert_int_equal(weir_http_next(&http, &in, &head), WEIR_ERR_HTTP_MAJOR);
        assert_memory_equal(&head, &zero, sizeof head);
        assert_int_equal(weir_http_error(&http, &offset), WEIR_ERR_HTTP_MAJOR);
        assert_int_equal(offset, 11);
    }
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
    in = (weir_in){good, sizeof good - 1};
    assert_int_equal(weir_http_next(&http, &in, &head), 1);
}

/* What a head of its kind does not have is absent, whole in the input or in pieces. */
static void test_absent(void **state)
{
    (void)state;
    static const char request[] = "GET / HTTP/1.0\r\nA: b\r\n\r\n",
                      response[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    for (int kind = 0; kind < 2; kind++)
        for (size_t step = 1; step < 65; step += 63) {
            uint8_t storage[64], bytes[64];
            weir_http http;
            weir_http_head head;
            const char *text = kind == 0 ? request : response;
            size_t len = strlen(text);
            int rv = 0;
            memcpy(bytes, text, len);
            assert_int_equal(weir_http_init(&http, kind == 0 ? WEIR_HTTP_REQUEST : WEIR_HTTP_RESPONSE,
                                            storage, sizeof storage, NULL),
                             0);
            for (size_t at = 0; at < len; at += step) {
                weir_in in = {bytes + at, len - at < step ? len - at : step};
                memset(&head, 0x55, sizeof head);
                rv = weir_http_next(&http, &in, &head);
            }
            assert_int_equal(rv, 1);
            assert_absent(head.host);
            if (kind == 0) {
                assert_absent(head.reason);
                assert_int_equal(head.status, 0);
            } else {
                assert_absent(head.method);
                assert_absent(head.target);
            }
        }
}

static void test_init_arguments(void **state)
{
    (void)state;
    weir_http http;
    uint8_t storage[16];
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, 16, NULL), 0);
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, 16, NULL), 0);
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, 15, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, NULL, 16, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_http_init(&http, (weir_http_kind)0, storage, 16, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_http_init(&http, (weir_http_kind)3, storage, 16, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_http_init_(&http, WEIR_LAYOUT_OF(http) - 8, WEIR_HTTP_REQUEST, storage, 16, NULL),
                     WEIR_ERR_LAYOUT);
    assert_int_equal(
        weir_http_init_(&http, WEIR_LAYOUT_OF(http) + 0x10000, WEIR_HTTP_REQUEST, storage, 16, NULL),
        WEIR_ERR_LAYOUT);
}

/* One byte a call up to a limit of 1 MiB: every call looks at its byte only. The test has no clock;
 * anything quadratic would take minutes here. */
static void test_dribble_is_linear(void **state)
{
    (void)state;
    enum { LIMIT = 1 << 20 };
    uint8_t *storage = malloc(LIMIT);
    assert_non_null(storage);
    weir_http http;
    weir_http_head head;
    static const char start[] = "GET / HTTP/1.1\r\nA: ";
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, LIMIT, NULL), 0);
    for (size_t i = 0; i < LIMIT; i++) {
        uint8_t byte = i < sizeof start - 1 ? (uint8_t)start[i] : 'x';
        weir_in in = {&byte, 1};
        assert_int_equal(weir_http_next(&http, &in, &head), 0);
    }
    uint8_t byte = 'x';
    weir_in in = {&byte, 1};
    uint64_t offset;
    assert_int_equal(weir_http_next(&http, &in, &head), WEIR_ERR_HTTP_HEAD_SIZE);
    assert_int_equal(weir_http_error(&http, &offset), WEIR_ERR_HTTP_HEAD_SIZE);
    assert_int_equal(offset, LIMIT);
    free(storage);
}

/* Every single byte at every place of a request gives one outcome under every cut. */
static void test_every_byte_at_every_place(void **state)
{
    (void)state;
    static const char request[] = "\r\nGET /a HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
    enum { LEN = sizeof request - 1 };
    http_machine self;
    machine m = http_machine_new(&self, NULL);
    for (size_t at = 0; at < LEN; at++) {
        for (unsigned byte = 0; byte < 256; byte += at % 5 ? 7 : 1) {
            uint8_t stream[LEN];
            memcpy(stream, request, LEN);
            stream[at] = (uint8_t)byte;
            log *whole = log_new(), *bytewise = log_new();
            uint8_t piece[LEN];
            m.start(m.self);
            memcpy(piece, stream, LEN);
            m.feed(m.self, piece, LEN, whole);
            m.finish(m.self, whole);
            m.start(m.self);
            for (size_t i = 0; i < LEN; i++)
                m.feed(m.self, memcpy(piece, stream + i, 1), 1, bytewise);
            m.finish(m.self, bytewise);
            assert_string_equal(log_text(whole), log_text(bytewise));
            log_free(whole);
            log_free(bytewise);
        }
    }
    http_machine_free(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_vectors),
        cmocka_unit_test(test_response_vectors),
        cmocka_unit_test(test_whole_head_is_not_copied),
        cmocka_unit_test(test_cut_head_lies_in_storage),
        cmocka_unit_test(test_offset_counts),
        cmocka_unit_test(test_error_zeroes_the_head_and_sticks),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_init_arguments),
        cmocka_unit_test(test_dribble_is_linear),
        cmocka_unit_test(test_every_byte_at_every_place),
    };
    return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}
