/* SPDX-License-Identifier: MIT */
/* test_http_reply.c - replies: exact bytes, refusals with nothing written, an answer to every error. */
#include "check.h"
#include "harness.h"
#include "weir/http.h"

#include <limits.h>

/* A reply as the library's parser reads it. */
typedef struct reading {
    weir_http_head head;
    weir_str body; /* what is behind the head */
} reading;

static void read_reply(uint8_t *bytes, size_t len, reading *r)
{
    static uint8_t storage[4096];
    weir_http http;
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL), 0);
    weir_in in = {bytes, len};
    assert_int_equal(weir_http_next(&http, &in, &r->head), 1);
    r->body = (weir_str){in.ptr, in.len};
}

static weir_str field_of(const reading *r, const char *name)
{
    weir_http_fields walk = r->head.fields;
    weir_str value = {NULL, 0};
    weir_http_fields_find(&walk, name, &value);
    return value;
}

/* Writes with every room up to the size: nothing but an error below it, the bytes at it. */
static void check_reply(const weir_http_reply *reply, const char *wanted)
{
    size_t size = strlen(wanted);
    assert_true(weir_http_reply_size(reply) >= size);
    assert_true(weir_http_reply_size(reply) <= size + reply->body.len + 64);
    if ((reply->flags & WEIR_HTTP_HEAD_ONLY) == 0)
        assert_int_equal(weir_http_reply_size(reply), size);
    for (size_t room = 0; room <= size; room++) {
        uint8_t *bytes = guard_copy(NULL, room, false);
        weir_out out = {bytes, room};
        int rv = weir_http_reply_write(&out, reply);
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
    const weir_http_field fields[] = {{weir_cstr("A"), weir_cstr("b\tc")}, {weir_cstr("D"), weir_cstr(NULL)}};
    weir_http_reply reply = {200, 0, NULL, 0, weir_cstr("Hello")};
    check_reply(&reply, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello");
    reply.flags = WEIR_HTTP_CLOSE;
    reply.fields = fields;
    reply.field_count = 2;
    check_reply(&reply,
                "HTTP/1.1 200 OK\r\nA: b\tc\r\nD: \r\nContent-Length: 5\r\nConnection: close\r\n\r\nHello");
    reply.flags = WEIR_HTTP_HEAD_ONLY;
    reply.field_count = 0;
    check_reply(&reply, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    reply.flags = WEIR_HTTP_NO_LENGTH | WEIR_HTTP_CLOSE;
    check_reply(&reply, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nHello");
    reply.flags = WEIR_HTTP_NO_LENGTH | WEIR_HTTP_HEAD_ONLY;
    check_reply(&reply, "HTTP/1.1 200 OK\r\n\r\n");
    reply = (weir_http_reply){404, 0, NULL, 0, {NULL, 0}};
    check_reply(&reply, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    reply.status = 999;
    check_reply(&reply, "HTTP/1.1 999 Unknown\r\nContent-Length: 0\r\n\r\n");
}

/* RFC 9110 8.6: no Content-Length in 1xx and 204; in 304 it would speak of another reply's body. */
static void test_no_length_without_body(void **state)
{
    (void)state;
    weir_http_reply reply = {204, 0, NULL, 0, {NULL, 0}};
    check_reply(&reply, "HTTP/1.1 204 No Content\r\n\r\n");
    reply.status = 100;
    check_reply(&reply, "HTTP/1.1 100 Continue\r\n\r\n");
    reply.status = 199;
    check_reply(&reply, "HTTP/1.1 199 Unknown\r\n\r\n");
    reply.status = 304;
    check_reply(&reply, "HTTP/1.1 304 Not Modified\r\n\r\n");
    reply.status = 205; /* RFC 9110 15.3.6: none, and it says so */
    check_reply(&reply, "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n");
    static const unsigned bodiless[] = {100, 101, 199, 204, 205, 304};
    for (size_t i = 0; i < sizeof bodiless / sizeof *bodiless; i++) {
        uint8_t room[256];
        weir_out out = {room, sizeof room};
        reply = (weir_http_reply){bodiless[i], 0, NULL, 0, weir_cstr("x")};
        assert_int_equal(weir_http_reply_write(&out, &reply), WEIR_ERR_ARG);
        assert_int_equal(out.len, sizeof room);
    }
}

static void test_status_range(void **state)
{
    (void)state;
    static const unsigned bad[] = {0, 1, 99, 1000, 2000, UINT_MAX};
    uint8_t room[256];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        weir_out out = {room, sizeof room};
        weir_http_reply reply = {bad[i], 0, NULL, 0, {NULL, 0}};
        assert_int_equal(weir_http_reply_write(&out, &reply), WEIR_ERR_ARG);
        assert_int_equal(out.len, sizeof room);
    }
}

/* A field that must not be written is refused wherever it stands, and by every writer of replies. */
static void check_field(weir_str name, weir_str value, int wanted)
{
    for (size_t place = 0; place < 3; place++) {
        weir_http_field fields[3] = {{weir_cstr("A"), weir_cstr("b")},
                                     {weir_cstr("A"), weir_cstr("b")},
                                     {weir_cstr("A"), weir_cstr("b")}};
        fields[place] = (weir_http_field){name, value};
        uint8_t room[1024] = {0};
        weir_out out = {room, sizeof room};
        weir_http_reply reply = {200, 0, fields, 3, weir_cstr("body")};
        assert_int_equal(weir_http_reply_write(&out, &reply), wanted);
        assert_int_equal(out.len == sizeof room, wanted != 0);
        assert_int_equal(room[0] == 0, wanted != 0);
        memset(room, 0, sizeof room);
        out = (weir_out){room, sizeof room};
        assert_int_equal(weir_http_error_reply(&out, WEIR_ERR_WS_KEY, &reply), wanted);
        assert_int_equal(out.len == sizeof room, wanted != 0);
        assert_int_equal(room[0] == 0, wanted != 0);
    }
}

static void test_injection(void **state)
{
    (void)state;
    weir_str good = weir_cstr("good");
    check_field(good, good, 0);
    check_field(good, weir_cstr(""), 0);
    check_field(good, weir_cstr("\xC3\xA9 \x80\xFF, \"a\"; b\tc"), 0);
    for (unsigned c = 0; c < 256; c++) {
        uint8_t inside[3] = {'a', (uint8_t)c, 'b'};
        bool control = (c < 0x20 && c != '\t') || c == 0x7F;
        check_field(good, (weir_str){inside, 3}, control ? WEIR_ERR_FIELD : 0);
        bool blank = c == ' ' || c == '\t';
        check_field(good, (weir_str){inside, 2}, control || blank ? WEIR_ERR_FIELD : 0);
        check_field(good, (weir_str){inside + 1, 2}, control || blank ? WEIR_ERR_FIELD : 0);
        check_field(good, (weir_str){inside + 1, 1}, control || blank ? WEIR_ERR_FIELD : 0);
        bool token = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c != 0 && strchr("!#$%&'*+-.^_`|~", (int)c) != NULL);
        check_field((weir_str){inside, 3}, good, token ? 0 : WEIR_ERR_FIELD);
    }
    check_field(weir_cstr(""), good, WEIR_ERR_FIELD);
    check_field(weir_cstr(NULL), good, WEIR_ERR_FIELD);
    check_field(good, weir_cstr("b\r\nSet-Cookie: c"), WEIR_ERR_FIELD);
    check_field(good, weir_cstr("b\r\n\r\nbody"), WEIR_ERR_FIELD);
}

static void check_error_reply(int err)
{
    const weir_err_info *info = weir_err_lookup(err);
    unsigned status = info->status != 0 ? info->status : 500;
    uint8_t *bytes = guard_copy(NULL, WEIR_HTTP_ERROR_REPLY_MAX, false);
    weir_out out = {bytes, WEIR_HTTP_ERROR_REPLY_MAX};
    assert_int_equal(weir_http_error_reply(&out, err, NULL), 0);
    size_t len = WEIR_HTTP_ERROR_REPLY_MAX - out.len;
    assert_ptr_equal(out.ptr, bytes + len);

    reading r;
    read_reply(bytes, len, &r);
    assert_int_equal(r.head.status, status);
    assert_str(r.head.reason, weir_http_reason(status));
    assert_false(r.head.keep_alive);
    assert_int_equal(r.head.framing, WEIR_HTTP_SIZED);
    assert_int_equal(r.head.body_len, r.body.len);
    assert_non_null(field_of(&r, "content-type").ptr);
    assert_int_not_equal(r.body.len, 0);
    if (info->status != 0)
        assert_memory_equal(r.body.ptr, info->text, strlen(info->text));
    assert_int_equal(field_of(&r, "allow").ptr != NULL, status == 405);
    assert_int_equal(field_of(&r, "sec-websocket-version").ptr != NULL, status == 426);
    assert_int_equal(field_of(&r, "upgrade").ptr != NULL, status == 426);
    if (status == 426) {
        assert_str(field_of(&r, "upgrade"), "websocket");
        assert_str(field_of(&r, "sec-websocket-version"), "13");
        assert_true(weir_http_fields_has(r.head.fields, "connection", "upgrade"));
    }
    assert_true(weir_http_fields_has(r.head.fields, "connection", "close"));

    for (size_t room = 0; room < len; room++) {
        weir_out less = {bytes + WEIR_HTTP_ERROR_REPLY_MAX - room, room};
        memset(bytes, 0, WEIR_HTTP_ERROR_REPLY_MAX);
        assert_int_equal(weir_http_error_reply(&less, err, NULL), WEIR_ERR_SPACE);
        assert_int_equal(less.len, room);
        for (size_t i = 0; i < WEIR_HTTP_ERROR_REPLY_MAX; i++)
            assert_int_equal(bytes[i], 0);
    }
    guard_free(bytes);
}

static void test_every_error_has_its_reply(void **state)
{
    (void)state;
#define CHECK(name, value, text, section, code, status) check_error_reply(WEIR_ERR_##name);
    WEIR_ERR_LIST(CHECK)
#undef CHECK
    check_error_reply(0);
    check_error_reply(1);
    check_error_reply(-99);
    check_error_reply(INT_MIN);
    check_error_reply(INT_MAX);
}

static void check_allow(int err, const weir_http_field *fields, size_t count, const char *wanted)
{
    uint8_t bytes[1024];
    weir_out out = {bytes, sizeof bytes};
    weir_http_reply more = {0, 0, fields, count, {NULL, 0}};
    assert_int_equal(weir_http_error_reply(&out, err, &more), 0);
    reading r;
    read_reply(bytes, sizeof bytes - out.len, &r);
    weir_http_fields walk = r.head.fields;
    weir_str value;
    assert_true(weir_http_fields_find(&walk, "allow", &value));
    assert_str(value, wanted);
    assert_false(weir_http_fields_find(&walk, "allow", &value));
}

static void test_allow(void **state)
{
    (void)state;
    const weir_http_field fields[] = {{weir_cstr("X"), weir_cstr("y")},
                                      {weir_cstr("aLLOW"), weir_cstr("GET, POST")}};
    check_allow(WEIR_ERR_WS_METHOD, NULL, 0, "GET");
    check_allow(WEIR_ERR_SSE_METHOD, NULL, 0, "GET, HEAD");
    check_allow(WEIR_ERR_SSE_METHOD, fields, 1, "GET, HEAD");
    check_allow(WEIR_ERR_SSE_METHOD, fields, 2, "GET, POST");
    check_allow(WEIR_ERR_WS_KEY, fields, 2, "GET, POST");
}

/* The answer to HEAD has the length of the body that it leaves away; status and body of `more` do not
 * count. */
static void test_error_reply_additions(void **state)
{
    (void)state;
    uint8_t whole[512], head_only[512];
    const weir_http_field field = {weir_cstr("Access-Control-Allow-Origin"), weir_cstr("*")};
    weir_http_reply more = {7, 0, &field, 1, weir_cstr("not this")};
    weir_out out = {whole, sizeof whole};
    assert_int_equal(weir_http_error_reply(&out, WEIR_ERR_SSE_ACCEPT, &more), 0);
    size_t len = sizeof whole - out.len;
    reading r;
    read_reply(whole, len, &r);
    assert_int_equal(r.head.status, 406);
    assert_int_equal(r.head.body_len, r.body.len);
    assert_str(field_of(&r, "access-control-allow-origin"), "*");
    assert_memory_equal(r.body.ptr, weir_strerror(WEIR_ERR_SSE_ACCEPT),
                        strlen(weir_strerror(WEIR_ERR_SSE_ACCEPT)));

    more.flags = WEIR_HTTP_HEAD_ONLY;
    out = (weir_out){head_only, sizeof head_only};
    assert_int_equal(weir_http_error_reply(&out, WEIR_ERR_SSE_ACCEPT, &more), 0);
    assert_int_equal(sizeof head_only - out.len, len - r.body.len);
    assert_memory_equal(head_only, whole, len - r.body.len);

    /* No other flag makes an answer whose end nobody finds. */
    more.flags = ~(uint32_t)WEIR_HTTP_HEAD_ONLY;
    out = (weir_out){head_only, sizeof head_only};
    assert_int_equal(weir_http_error_reply(&out, WEIR_ERR_SSE_ACCEPT, &more), 0);
    assert_int_equal(sizeof head_only - out.len, len);
    assert_memory_equal(head_only, whole, len);

    /* What is no error of the list. */
    out = (weir_out){whole, sizeof whole};
    assert_int_equal(weir_http_error_reply(&out, 1, NULL), 0);
    read_reply(whole, sizeof whole - out.len, &r);
    assert_int_equal(r.head.status, 500);
    assert_str(r.body, "internal error");
}

/* The registry's names (RFC 9110 15, RFC 6585), and no name for any other number. */
static void test_reasons(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {103, "Early Hints"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    const size_t count = sizeof reasons / sizeof *reasons;
    size_t named = 0;
    for (unsigned status = 0; status <= 1100; status++) {
        bool known = named < count && reasons[named].status == status;
        assert_string_equal(weir_http_reason(status), known ? reasons[named].reason : "Unknown");
        named += known;
    }
    assert_int_equal(named, count);
    assert_string_equal(weir_http_reason(UINT_MAX), "Unknown");
#define CHECK(name, value, text, section, code, status) \
    if ((status) != 0) \
        assert_string_not_equal(weir_http_reason(status), "Unknown");
    WEIR_ERR_LIST(CHECK)
#undef CHECK
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_no_length_without_body),
        cmocka_unit_test(test_status_range),
        cmocka_unit_test(test_injection),
        cmocka_unit_test(test_every_error_has_its_reply),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_error_reply_additions),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests_name("http_reply", tests, NULL, NULL);
}
