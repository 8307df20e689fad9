/* SPDX-License-Identifier: MIT */
/* test_http_request.c - requests: exact bytes, size, refusals, and what the parser reads of them. */
#include "check.h"
#include "harness.h"
#include "weir/http.h"

static weir_http_uri parsed(const char *text)
{
    weir_http_uri uri;
    assert_int_equal(weir_http_uri_parse(weir_cstr(text), &uri), 0);
    return uri;
}

/* Writes with every room up to the size: nothing but an error below it, the bytes at it. */
static void check_request(const weir_http_request *request, const char *wanted)
{
    size_t size = weir_http_request_size(request);
    assert_int_equal(size, strlen(wanted));
    for (size_t room = 0; room <= size; room++) {
        uint8_t *bytes = guard_copy(NULL, room, false);
        weir_out out = {bytes, room};
        int rv = weir_http_request_write(&out, request);
        assert_int_equal(rv, room < size ? WEIR_ERR_SPACE : 0);
        assert_int_equal(out.len, room < size ? room : 0);
        assert_ptr_equal(out.ptr, bytes + (room - out.len));
        for (size_t i = 0; rv != 0 && i < room; i++)
            assert_int_equal(bytes[i], 0);
        if (rv == 0)
            assert_memory_equal(bytes, wanted, size);
        guard_free(bytes);
    }
}

static void test_bytes(void **state)
{
    (void)state;
    weir_http_uri uri = parsed("https://u:p@example.org:8443/a/b?c=d#e");
    weir_http_request request = {"GET", &uri, NULL, 0, {NULL, 0}};
    check_request(&request, "GET /a/b?c=d HTTP/1.1\r\nHost: example.org:8443\r\n\r\n");

    uri = parsed("http://[::1]:80");
    check_request(&request, "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n");

    uri = parsed("http://a?");
    const weir_http_field fields[] = {{weir_cstr("Accept"), weir_cstr("a/b")},
                                      {weir_cstr("Empty"), weir_cstr(NULL)}};
    request.method = "POST";
    request.fields = fields;
    request.field_count = 2;
    request.body = weir_cstr("x=y\n");
    check_request(&request, "POST /? HTTP/1.1\r\nHost: a\r\nAccept: a/b\r\nEmpty: \r\n"
                            "Content-Length: 4\r\n\r\nx=y\n");
    request.body = weir_cstr("");
    request.field_count = 1;
    check_request(&request, "POST /? HTTP/1.1\r\nHost: a\r\nAccept: a/b\r\nContent-Length: 0\r\n\r\n");
}

static void test_refusals(void **state)
{
    (void)state;
    weir_http_uri uri = parsed("http://a/");
    weir_http_field field = {weir_cstr("A"), weir_cstr("b")};
    weir_http_request request = {"GET", &uri, &field, 1, {NULL, 0}};
    static const char *const methods[] = {"", " ", "G T", "GET ", "GET\r\n", "G\x7F", "G\xC3\xA9", "GET:"};
    uint8_t room[256];
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        weir_out out = {room, sizeof room};
        request.method = methods[i];
        assert_int_equal(weir_http_request_write(&out, &request), WEIR_ERR_FIELD);
        assert_int_equal(out.len, sizeof room);
    }
    request.method = "get";
    weir_out out = {room, sizeof room};
    assert_int_equal(weir_http_request_write(&out, &request), 0);
    field.value = weir_cstr("b\r\nC: d");
    out = (weir_out){room, sizeof room};
    assert_int_equal(weir_http_request_write(&out, &request), WEIR_ERR_FIELD);
    field = (weir_http_field){weir_cstr("A:"), weir_cstr("b")};
    assert_int_equal(weir_http_request_write(&out, &request), WEIR_ERR_FIELD);
    assert_int_equal(out.len, sizeof room);
}

/* The library's parser reads back what its writer wrote. */
static void test_read_back(void **state)
{
    (void)state;
    weir_http_uri uri = parsed("ws://[fe80::1]:9/chat?room=1");
    const weir_http_field fields[] = {{weir_cstr("X-A"), weir_cstr("b c")}};
    weir_http_request request = {"PUT", &uri, fields, 1, weir_cstr("12345")};
    uint8_t bytes[256], storage[256];
    weir_out out = {bytes, sizeof bytes};
    assert_int_equal(weir_http_request_write(&out, &request), 0);

    weir_http http;
    weir_http_head head;
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
    weir_in in = {bytes, sizeof bytes - out.len};
    assert_int_equal(weir_http_next(&http, &in, &head), 1);
    assert_str(head.method, "PUT");
    assert_str(head.target, "/chat?room=1");
    assert_str(head.host, "[fe80::1]:9");
    assert_int_equal(head.field_count, 3);
    assert_int_equal(head.framing, WEIR_HTTP_SIZED);
    assert_int_equal(head.body_len, 5);
    assert_str(((weir_str){in.ptr, in.len}), "12345");
}

/* The length is a decimal number. */
static void test_length(void **state)
{
    (void)state;
    static const uint8_t body[1234];
    uint8_t bytes[2048];
    weir_http_uri uri;
    weir_http_request request;
    assert_int_equal(weir_http_uri_parse(weir_cstr("http://a/"), &uri), 0);
    memset(&request, 0, sizeof request);
    request.method = "POST";
    request.uri = &uri;
    request.body = (weir_str){body, sizeof body};
    weir_out out = {bytes, sizeof bytes};
    static const char wanted[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1234\r\n\r\n";
    assert_int_equal(weir_http_request_size(&request), sizeof wanted - 1 + sizeof body);
    assert_int_equal(weir_http_request_write(&out, &request), 0);
    assert_int_equal(sizeof bytes - out.len, sizeof wanted - 1 + sizeof body);
    assert_memory_equal(bytes, wanted, sizeof wanted - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests_name("http_request", tests, NULL, NULL);
}
