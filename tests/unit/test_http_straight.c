/* SPDX-License-Identifier: MIT */
/* test_http_straight.c - the straight path for heads: which it takes, with what, and which it leaves. */
#include "check.h"
#include "harness.h"
#include "http/http.h"

#include <string.h>

static weir_http http_of(weir_http_kind kind, const weir_http_cfg *cfg)
{
    static uint8_t storage[8192];
    weir_http http;
    assert_int_equal(weir_http_init(&http, kind, storage, sizeof storage, cfg), 0);
    return http;
}

/* Is it taken, all of it? Where it ends no byte may be touched. */
static bool takes(weir_http *http, const void *head, size_t len)
{
    uint8_t *copy = guard_copy(head, len, false);
    weir_http_fields fields;
    size_t used = weiri_http_straight(http, copy, len, &fields);
    if (used != 0) {
        assert_int_equal(used, len);
        assert_int_equal(http->field_count_, fields.count);
        assert_int_equal(fields.text.len, 0);
    }
    guard_free(copy);
    return used != 0;
}

static bool takes_text(weir_http_kind kind, const char *head)
{
    weir_http http = http_of(kind, NULL);
    return takes(&http, head, strlen(head));
}

static void test_request(void **state)
{
    (void)state;
    static const char *const heads[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "M-SEARCH * HTTP/1.1\r\n\r\n",
                                        "GET /a/rather/long/path?with=a&query HTTP/1.1\r\nA:\r\n\r\n"};
    static const char *const others[] = {
        " / HTTP/1.1\r\n\r\n",       "G\"T / HTTP/1.1\r\n\r\n",     "GET  HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",    "GET / HTTP/1.1\n\n",          "GET /#a HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n A:\r\n", "GET / HTTP/1.1\r\nA\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        weir_http http = http_of(WEIR_HTTP_REQUEST, NULL);
        size_t len = strlen(heads[i]);
        assert_true(takes(&http, heads[i], len));
        assert_int_equal(http.minor_, 1);
        assert_int_equal(http.method_len_, strcspn(heads[i], " "));
        assert_int_equal(http.target_at_, http.method_len_ + 1);
        assert_int_equal(http.target_len_, strcspn(heads[i] + http.target_at_, " "));
        assert_int_equal(http.fields_at_, strcspn(heads[i], "\n") + 1);
        for (size_t less = 0; less < len; less++)
            assert_false(takes(&http, heads[i], less));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(takes_text(WEIR_HTTP_REQUEST, others[i]));
}

/* Targets of lengths around those of vectors, with each byte at each place. */
static void test_target(void **state)
{
    (void)state;
    char head[128];
    const weir_http_cfg cfg = {40, 0};
    for (size_t len = 0; len <= 42; len++) {
        weir_http http = http_of(WEIR_HTTP_REQUEST, &cfg);
        memset(head, '/', sizeof head);
        memcpy(head, "GET ", 4);
        memcpy(head + 4 + len, " HTTP/1.1\r\n\r\n", 13);
        assert_int_equal(takes(&http, head, 4 + len + 13), len != 0 && len <= 40);
        for (size_t at = 0; at < len && len <= 40; at += len > 20 ? 7 : 1)
            for (unsigned byte = 0; byte < 256; byte++) {
                head[4 + at] = (char)byte;
                assert_int_equal(takes(&http, head, 4 + len + 13), byte > 0x20 && byte < 0x7F && byte != '#');
                head[4 + at] = '/';
            }
    }
}

static void test_response(void **state)
{
    (void)state;
    static const char *const others[] = {"HTTP/1.0 200 OK\r\n\r\n",     "HTTP/1.1 099 OK\r\n\r\n",
                                         "HTTP/1.1 2x0 OK\r\n\r\n",     "HTTP/1.1 200\r\n\r\n\r\n",
                                         "HTTP/1.1 200 O\x01K\r\n\r\n", "HTTP/1.1 200 OK\n\r\n\r\n",
                                         "HTTP/1.1 200 OK\r\r\n\r\n",   "HTTP/1.1  200 OK\r\n\r\n"};
    static const char head[] = "HTTP/1.1 204 No \xC3\xA9\tContent\r\nA: b\r\n\r\n";
    weir_http http = http_of(WEIR_HTTP_RESPONSE, NULL);
    assert_true(takes(&http, head, sizeof head - 1));
    assert_int_equal(http.minor_, 1);
    assert_int_equal(http.status_, 204);
    assert_int_equal(http.reason_at_, 13);
    assert_int_equal(http.mark_, 13 + 13);
    assert_int_equal(http.fields_at_, 28);
    assert_int_equal(http.field_count_, 1);
    for (size_t less = 0; less < sizeof head - 1; less++)
        assert_false(takes(&http, head, less));
    assert_true(takes_text(WEIR_HTTP_RESPONSE, "HTTP/1.1 999 \r\n\r\n"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(takes_text(WEIR_HTTP_RESPONSE, others[i]));
}

/* Lines of a few kinds, and what is said of them by check_listed. */
static size_t put_lines(char *text, size_t n)
{
    static const char *const lines[] = {"Host: a\r\n", "X-Some: thing\r\n", "Content-Length:7\r\n"};
    size_t len = (size_t)(strcpy(text, "GET / HTTP/1.1\r\n"), strlen(text));
    for (size_t i = 0; i < n; i++) {
        strcpy(text + len, lines[i % 3]);
        len += strlen(lines[i % 3]);
    }
    strcpy(text + len, "\r\n");
    return len + 2;
}

static void check_listed(weir_http_fields fields, size_t n)
{
    static const char *const names[] = {"Host", "X-Some", "Content-Length"}, *const values[] = {"a", "thing",
                                                                                                "7"};
    assert_int_equal(fields.count, n);
    for (size_t i = 0; i < n; i++) {
        assert_str(fields.list[i].name, names[i % 3]);
        assert_str(fields.list[i].value, values[i % 3]);
    }
}

/* All lines and the empty one, up to the most that are allowed, and nothing less. */
static void test_fields(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 102; n++) {
        char text[4096];
        size_t len = put_lines(text, n);
        weir_http http = http_of(WEIR_HTTP_REQUEST, NULL);
        uint8_t *copy = guard_copy(text, len, false);
        weir_http_fields fields;
        assert_int_equal(weiri_http_straight(&http, copy, len, &fields), n <= 100 ? len : 0);
        assert_int_equal(http.field_count_, n <= 100 ? n : 0);
        if (n <= 100)
            check_listed(fields, n);
        guard_free(copy);
        for (size_t less = 1; less <= 2; less++)
            assert_false(takes(&http, text, len - less));
        text[len - 1] = '\r';
        assert_false(takes(&http, text, len));
    }
}

/* The list lies in the storage, at its first place for one, and not behind its end; a head with more fields
 * is left to the machine, which does without it. */
static void test_room(void **state)
{
    (void)state;
    char text[1024];
    for (size_t n = 0; n <= 20; n++) {
        const size_t len = put_lines(text, n), least = n * sizeof(weir_http_field);
        for (size_t more = 0; more <= sizeof(void *); more++) {
            uint8_t *storage = guard_copy(NULL, least + more + 16, false) + 16;
            weir_http http = http_of(WEIR_HTTP_REQUEST, NULL);
            http.storage_ = storage;
            http.cap_ = least + more;
            weir_http_fields fields = {{NULL, 0}, NULL, 0};
            const size_t skip = (size_t)(-(uintptr_t)storage % sizeof(void *));
            const bool room = n == 0 || skip <= more;
            assert_int_equal(weiri_http_straight(&http, (const uint8_t *)text, len, &fields), room ? len : 0);
            if (room)
                check_listed(fields, n);
            if (room && n != 0)
                assert_ptr_equal(fields.list, storage + skip);
            guard_free(storage - 16);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request), cmocka_unit_test(test_target), cmocka_unit_test(test_response),
        cmocka_unit_test(test_fields),  cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests_name("http_straight", tests, NULL, NULL);
}
