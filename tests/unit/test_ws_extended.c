/* SPDX-License-Identifier: MIT */
/* test_ws_extended.c - the opening handshake as fields, for HTTP/2 and HTTP/3. */
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LIST_MAX = 8 };

/* A request as an HTTP/2 or HTTP/3 library reports it. */
typedef struct request {
    weir_http_field list[LIST_MAX];
    weir_http_head head;
    const char *protocol;
} request;

static void request_add(request *r, const char *name, const char *value)
{
    assert_true(r->head.fields.count < LIST_MAX);
    r->list[r->head.fields.count++] = (weir_http_field){weir_cstr(name), weir_cstr(value)};
}

static void request_init(request *r)
{
    memset(r, 0, sizeof *r);
    r->head.kind = WEIR_HTTP_REQUEST;
    r->head.method = weir_cstr("CONNECT");
    r->head.target = weir_cstr("/chat?a");
    r->head.host = weir_cstr("server.example.com");
    r->head.fields.list = r->list;
    r->protocol = "websocket";
}

static int request_read(const request *r, weir_ws_request *req)
{
    return weir_ws_extended_read(&r->head, weir_cstr(r->protocol), req);
}

/* RFC 8441 5.1. */
static void test_sample(void **state)
{
    (void)state;
    request r;
    weir_ws_request req;
    request_init(&r);
    request_add(&r, "sec-websocket-protocol", "chat, superchat");
    request_add(&r, "sec-websocket-extensions", "permessage-deflate");
    request_add(&r, "sec-websocket-version", "13");
    request_add(&r, "origin", "http://www.example.com");
    memset(&req, 0xDD, sizeof req);
    assert_int_equal(request_read(&r, &req), 0);
    assert_true(weir_str_is(req.target, "/chat?a"));
    assert_true(weir_str_is(req.host, "server.example.com"));
    assert_true(weir_str_is(req.origin, "http://www.example.com"));
    assert_string_equal(req.accept, "");
    static const char *const names[] = {"superchat"};
    assert_int_equal(weir_ws_request_protocol(&req, names, 1), 0);
}

static void test_pseudo_fields(void **state)
{
    static const struct {
        const char *method, *protocol, *path;
        int rv;
    } rows[] = {
        {"CONNECT", "websocket", "/", 0},
        {"CONNECT", "websocket", "/?q", 0},
        {"GET", "websocket", "/", WEIR_ERR_WS_METHOD},
        {"connect", "websocket", "/", WEIR_ERR_WS_METHOD},
        {"POST", "other", "*", WEIR_ERR_WS_METHOD},
        {"CONNECT", "", "/", WEIR_ERR_WS_TUNNEL},
        {"CONNECT", "connect-udp", "/", WEIR_ERR_WS_TUNNEL},
        {"CONNECT", "websockets", "/", WEIR_ERR_WS_TUNNEL},
        {"CONNECT", "webtransport", "*", WEIR_ERR_WS_TUNNEL},
        {"CONNECT", "websocket", "", WEIR_ERR_HTTP_TARGET},
        {"CONNECT", "websocket", "*", WEIR_ERR_HTTP_TARGET},
        {"CONNECT", "websocket", "h:80", WEIR_ERR_HTTP_TARGET},
        {"CONNECT", "websocket", "https://h/", WEIR_ERR_HTTP_TARGET},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        request r;
        weir_ws_request req;
        request_init(&r);
        request_add(&r, "sec-websocket-version", "13");
        r.head.method = weir_cstr(rows[i].method);
        r.head.target = weir_cstr(rows[i].path);
        r.protocol = rows[i].protocol;
        assert_int_equal(request_read(&r, &req), rows[i].rv);
    }
    request r;
    weir_ws_request req;
    request_init(&r);
    request_add(&r, "sec-websocket-version", "13");
    r.head.target = (weir_str){NULL, 0};
    assert_int_equal(request_read(&r, &req), WEIR_ERR_HTTP_TARGET);
}

static void test_fields(void **state)
{
    static const struct {
        const char *name, *value;
        int rv;
    } rows[] = {
        {"sec-websocket-version", "13", WEIR_ERR_WS_VERSION_FORM}, /* twice */
        {"sec-websocket-protocol", "a, b", 0},
        {"sec-websocket-protocol", "", WEIR_ERR_WS_PROTOCOL},
        {"sec-websocket-protocol", "a,,b", WEIR_ERR_WS_PROTOCOL},
        {"sec-websocket-protocol", "a, a", WEIR_ERR_WS_PROTOCOL},
        {"sec-websocket-extensions", "x; y=\"z\"", 0},
        {"sec-websocket-extensions", "x;", WEIR_ERR_WS_EXTENSION_FORM},
        {"cookie", "a=b", 0},
    };
    static const struct {
        const char *value;
        int rv;
    } versions[] = {{"13", 0},
                    {"8", WEIR_ERR_WS_VERSION},
                    {"14", WEIR_ERR_WS_VERSION},
                    {"013", WEIR_ERR_WS_VERSION_FORM},
                    {"13, 8", WEIR_ERR_WS_VERSION_FORM},
                    {"", WEIR_ERR_WS_VERSION_FORM}};
    (void)state;
    request r;
    weir_ws_request req;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        request_init(&r);
        request_add(&r, "sec-websocket-version", "13");
        request_add(&r, rows[i].name, rows[i].value);
        assert_int_equal(request_read(&r, &req), rows[i].rv);
    }
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        request_init(&r);
        request_add(&r, "sec-websocket-version", versions[i].value);
        assert_int_equal(request_read(&r, &req), versions[i].rv);
    }
    request_init(&r);
    assert_int_equal(request_read(&r, &req), WEIR_ERR_WS_VERSION);
}

static void expect_field(const weir_http_field *field, const char *name, const char *value)
{
    assert_true(weir_str_is(field->name, name));
    if (!weir_str_is(field->value, value))
        fail_msg("%s: %.*s", name, (int)field->value.len, (const char *)field->value.ptr);
}

static void test_accept(void **state)
{
    (void)state;
    request r;
    weir_ws_request req;
    weir_ws_accept accept;
    weir_http_field fields[WEIR_WS_EXTENDED_FIELDS];
    uint8_t room[WEIR_DEFLATE_VALUE_MAX];
    weir_deflate_params params;
    request_init(&r);
    request_add(&r, "sec-websocket-version", "13");
    request_add(&r, "sec-websocket-protocol", "chat, superchat");
    request_add(&r, "sec-websocket-extensions", "permessage-deflate");
    assert_int_equal(request_read(&r, &req), 0);
    memset(&accept, 0, sizeof accept);
    weir_out scratch = {room, sizeof room};
    assert_int_equal(weir_ws_extended_accept(&req, &accept, &scratch, fields), 0);
    assert_int_equal(weir_ws_extended_accept(&req, NULL, &scratch, fields), 0);
    assert_int_equal(scratch.len, sizeof room);

    accept.protocol = "superchat";
    assert_int_equal(weir_ws_extended_accept(&req, &accept, &scratch, fields), 1);
    expect_field(&fields[0], "sec-websocket-protocol", "superchat");
    accept.protocol = "Superchat";
    assert_int_equal(weir_ws_extended_accept(&req, &accept, &scratch, fields), WEIR_ERR_FIELD);

    accept.protocol = "chat";
    assert_int_equal(weir_deflate_negotiate(req.fields, NULL, &params), 1);
    accept.deflate = &params;
    assert_int_equal(weir_ws_extended_accept(&req, &accept, &scratch, fields), 2);
    expect_field(&fields[0], "sec-websocket-protocol", "chat");
    expect_field(&fields[1], "sec-websocket-extensions", "permessage-deflate");
    size_t used = sizeof room - scratch.len;
    for (size_t len = 0; len < used; len++) {
        scratch = (weir_out){room, len};
        assert_int_equal(weir_ws_extended_accept(&req, &accept, &scratch, fields), WEIR_ERR_SPACE);
        assert_int_equal(scratch.len, len);
    }
}

static void test_offer(void **state)
{
    static const char *const names[] = {"chat", "superchat"};
    static const char *const twice[] = {"chat", "chat"};
    (void)state;
    weir_ws_offer offer;
    weir_http_field fields[WEIR_WS_EXTENDED_FIELDS];
    uint8_t room[64];
    memset(&offer, 0, sizeof offer);
    weir_out scratch = {room, sizeof room};
    assert_int_equal(weir_ws_extended_offer(NULL, &scratch, fields), 1);
    expect_field(&fields[0], "sec-websocket-version", "13");
    assert_int_equal(weir_ws_extended_offer(&offer, &scratch, fields), 1);
    offer.protocols = names;
    offer.protocol_count = 2;
    assert_int_equal(weir_ws_extended_offer(&offer, &scratch, fields), 2);
    expect_field(&fields[0], "sec-websocket-version", "13");
    expect_field(&fields[1], "sec-websocket-protocol", "chat, superchat");
    for (size_t len = 0; len < strlen("chat, superchat"); len++) {
        scratch = (weir_out){room, len};
        assert_int_equal(weir_ws_extended_offer(&offer, &scratch, fields), WEIR_ERR_SPACE);
        assert_int_equal(scratch.len, len);
    }
    weir_deflate_policy policy;
    memset(&policy, 0, sizeof policy);
    offer.deflate = &policy;
    uint8_t larger[64 + WEIR_DEFLATE_VALUE_MAX];
    scratch = (weir_out){larger, sizeof larger};
    assert_int_equal(weir_ws_extended_offer(&offer, &scratch, fields), 3);
    expect_field(&fields[1], "sec-websocket-protocol", "chat, superchat");
    assert_true(
        weir_http_fields_has((weir_http_fields){{NULL, 0}, fields, 3}, "sec-websocket-protocol", "chat"));
    assert_int_equal(fields[2].name.len, strlen("sec-websocket-extensions"));
    assert_memory_equal(fields[2].name.ptr, "sec-websocket-extensions", fields[2].name.len);
    assert_true(fields[2].value.len >= strlen("permessage-deflate"));
    assert_memory_equal(fields[2].value.ptr, "permessage-deflate", strlen("permessage-deflate"));
    assert_int_equal(sizeof larger - scratch.len, fields[1].value.len + fields[2].value.len);
    assert_ptr_equal(scratch.ptr, larger + (sizeof larger - scratch.len));

    for (size_t len = 0; len < fields[1].value.len + fields[2].value.len; len++) {
        weir_out less = {larger, len};
        assert_int_equal(weir_ws_extended_offer(&offer, &less, fields), WEIR_ERR_SPACE);
        assert_int_equal(less.len, len);
    }

    offer.deflate = NULL;
    offer.protocols = twice;
    scratch = (weir_out){room, sizeof room};
    assert_int_equal(weir_ws_extended_offer(&offer, &scratch, fields), WEIR_ERR_FIELD);
}

/* What one function writes the other reads: a client's offer at a server, its answer at the client. */
static void test_both_sides(void **state)
{
    static const char *const names[] = {"chat", "superchat"};
    (void)state;
    weir_ws_offer offer;
    weir_http_field asked[WEIR_WS_EXTENDED_FIELDS], answered[WEIR_WS_EXTENDED_FIELDS];
    uint8_t room[64], other[64];
    memset(&offer, 0, sizeof offer);
    offer.protocols = names;
    offer.protocol_count = 2;
    weir_out scratch = {room, sizeof room};
    int count = weir_ws_extended_offer(&offer, &scratch, asked);
    request r;
    weir_ws_request req;
    weir_ws_accept accept;
    weir_ws_choice choice;
    request_init(&r);
    r.head.fields = (weir_http_fields){{NULL, 0}, asked, (size_t)count};
    assert_int_equal(request_read(&r, &req), 0);
    memset(&accept, 0, sizeof accept);
    accept.protocol = "superchat";
    scratch = (weir_out){other, sizeof other};
    count = weir_ws_extended_accept(&req, &accept, &scratch, answered);
    weir_http_fields fields = {{NULL, 0}, answered, (size_t)count};
    assert_int_equal(weir_ws_extended_check(&offer, 200, fields, &choice), 1);
    assert_int_equal(choice.protocol, 1);
    assert_false(choice.deflated);
}

static int check(const weir_ws_offer *offer, unsigned status, const char *name, const char *value)
{
    weir_http_field field = {weir_cstr(name), weir_cstr(value)};
    weir_ws_choice choice;
    weir_http_fields fields = {{NULL, 0}, &field, name != NULL ? 1 : 0};
    return weir_ws_extended_check(offer, status, fields, &choice);
}

static void test_check(void **state)
{
    static const unsigned refused[] = {0, 100, 101, 199, 300, 301, 400, 401, 403, 404, 426, 501, 503};
    static const char *const names[] = {"chat"};
    (void)state;
    weir_ws_offer offer;
    memset(&offer, 0, sizeof offer);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(check(&offer, refused[i], NULL, NULL), WEIR_ERR_WS_STATUS);
    assert_int_equal(check(&offer, 200, NULL, NULL), 1);
    assert_int_equal(check(NULL, 204, NULL, NULL), 1);
    assert_int_equal(check(NULL, 299, "server", "x"), 1);
    assert_int_equal(check(&offer, 200, "sec-websocket-protocol", "chat"), WEIR_ERR_WS_CHOICE);
    assert_int_equal(check(&offer, 200, "sec-websocket-extensions", "permessage-deflate"),
                     WEIR_ERR_WS_EXTENSION);
    offer.protocols = names;
    offer.protocol_count = 1;
    assert_int_equal(check(&offer, 200, "sec-websocket-protocol", "chat"), 1);
    assert_int_equal(check(&offer, 200, "sec-websocket-protocol", "Chat"), WEIR_ERR_WS_CHOICE);
    assert_int_equal(check(&offer, 200, "sec-websocket-protocol", "chat, chat"), WEIR_ERR_WS_CHOICE);
    assert_int_equal(check(&offer, 200, NULL, NULL), WEIR_ERR_WS_CHOICE);
    offer.protocol_optional = true;
    assert_int_equal(check(&offer, 200, NULL, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample), cmocka_unit_test(test_pseudo_fields),
        cmocka_unit_test(test_fields), cmocka_unit_test(test_accept),
        cmocka_unit_test(test_offer),  cmocka_unit_test(test_both_sides),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests_name("ws_extended", tests, NULL, NULL);
}
