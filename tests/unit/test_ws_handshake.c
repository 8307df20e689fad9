/* SPDX-License-Identifier: MIT */
/* test_ws_handshake.c - the server's opening handshake: requests as vectors under every cut, the 101. */
#include "harness.h"
#include "ws/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FIELDS_MAX = 128, PROTOCOLS_MAX = 4 };

/* ---- Requests as vectors ------------------------------------------------------------------------ */

/* Keys: storage, max_fields, max_target; protocols: names the server speaks, in its order. The head is
 * judged once as it was parsed and once more from a list of fields: both verdicts must be the same. */
typedef struct server {
    weir_http http;
    weir_http_cfg cfg;
    uint8_t *storage;
    size_t storage_len;
    char protocols[64];
    bool done;
} server;

static void server_start(void *self)
{
    server *s = self;
    s->done = false;
    memset(s->storage, 0xDD, s->storage_len);
    assert_int_equal(weir_http_init(&s->http, WEIR_HTTP_REQUEST, s->storage, s->storage_len, &s->cfg), 0);
}

/* The answer to a refused request, read by the library's own parser. */
static void log_refusal(int err, log *l)
{
    static const char *const names[] = {"Allow", "Upgrade", "Sec-WebSocket-Version", "Connection"};
    uint8_t reply[WEIR_HTTP_ERROR_REPLY_MAX], storage[WEIR_HTTP_ERROR_REPLY_MAX];
    char line[256];
    weir_out out = {reply, sizeof reply};
    weir_http http;
    weir_http_head head;
    assert_int_equal(weir_http_error_reply(&out, err, NULL), 0);
    weir_in in = {reply, sizeof reply - out.len};
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL), 0);
    assert_int_equal(weir_http_next(&http, &in, &head), 1);
    assert_int_equal(head.status, weir_err_lookup(err)->status);
    int n = snprintf(line, sizeof line, "refused %s: %u", weir_err_lookup(err)->name + strlen("WEIR_ERR_"),
                     head.status);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        weir_http_fields walk = head.fields;
        weir_str value;
        while (weir_http_fields_find(&walk, names[i], &value))
            n += snprintf(line + n, sizeof line - (size_t)n, ", %s: %.*s", names[i], (int)value.len,
                          (const char *)value.ptr);
    }
    log_line(l, "%s", line);
}

static void log_protocol(server *s, const weir_ws_request *req, log *l)
{
    const char *names[PROTOCOLS_MAX];
    char copy[sizeof s->protocols];
    size_t count = 0;
    strcpy(copy, s->protocols);
    for (char *at = strtok(copy, " "); at != NULL && count < PROTOCOLS_MAX; at = strtok(NULL, " "))
        names[count++] = at;
    if (count == 0)
        return;
    int chosen = weir_ws_request_protocol(req, names, count);
    log_line(l, "protocol %s", chosen < 0 ? "none" : names[chosen]);
}

static void server_judge(server *s, const weir_http_head *head, log *l)
{
    weir_http_field list[FIELDS_MAX];
    weir_http_head again = *head;
    weir_http_fields walk = head->fields;
    weir_ws_request req, from_list;
    size_t count = 0;
    while (count < FIELDS_MAX && weir_http_fields_next(&walk, &list[count]))
        count++;
    again.fields = (weir_http_fields){{NULL, 0}, list, count};
    int rv = weir_ws_request_read(head, &req);
    if (weir_ws_request_read(&again, &from_list) != rv)
        log_line(l, "another verdict for a list of fields");
    if (rv != 0) {
        log_refusal(rv, l);
        return;
    }
    assert_string_equal(req.accept, from_list.accept);
    log_line(l, "accepted %s host %s accept \"%s\"", log_quote(req.target.ptr, req.target.len),
             log_quote(req.host.ptr, req.host.len), req.accept);
    log_protocol(s, &req, l);
}

static void server_feed(void *self, uint8_t *bytes, size_t len, log *l)
{
    server *s = self;
    weir_in in = {bytes, len};
    weir_http_head head;
    if (!s->done) {
        int rv = weir_http_next(&s->http, &in, &head);
        s->done = rv != 0;
        if (rv < 0) {
            log_refusal(rv, l);
            in.len = 0;
        } else if (rv > 0) {
            server_judge(s, &head, l);
        } else {
            assert_int_equal(in.len, 0);
        }
    }
    if (s->done && in.len != 0 && weir_http_error(&s->http, NULL) == 0)
        log_bytes(l, "rest", in.ptr, in.len);
}

static void server_finish(void *self, log *l)
{
    server *s = self;
    if (!s->done)
        log_line(l, "more");
}

static size_t key_size(const vector *v, const char *key, size_t otherwise)
{
    const char *text = vector_get(v, key);
    return text != NULL ? (size_t)strtoul(text, NULL, 10) : otherwise;
}

static size_t vectors_failed;

static void check_vector(const vector *v)
{
    server s;
    memset(&s, 0, sizeof s);
    const char *protocols = vector_get(v, "protocols");
    snprintf(s.protocols, sizeof s.protocols, "%s", protocols != NULL ? protocols : "");
    s.cfg.max_fields = key_size(v, "max_fields", 0);
    s.cfg.max_target = key_size(v, "max_target", 0);
    s.storage_len = key_size(v, "storage", 4096);
    s.storage = guard_copy(NULL, s.storage_len, false);
    machine m = {server_start, server_feed, server_finish, &s};
    char title[256];
    snprintf(title, sizeof title, "ws_handshake.txt:%d: %s", v->line, v->title);
    if (!machine_agrees(&m, title, v->stream, v->len, v->expected))
        vectors_failed++;
    guard_free(s.storage);
}

static void test_vectors(void **state)
{
    (void)state;
    vectors_failed = 0;
    vectors_each("ws_handshake.txt", check_vector);
    assert_int_equal(vectors_failed, 0);
}

/* ---- The 101 ------------------------------------------------------------------------------------ */

static const char sample[] = "GET /chat HTTP/1.1\r\n"
                             "Host: server.example.com\r\n"
                             "Upgrade: websocket\r\n"
                             "Connection: Upgrade\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                             "Origin: http://example.com\r\n"
                             "Sec-WebSocket-Protocol: chat, superchat\r\n"
                             "Sec-WebSocket-Version: 13\r\n"
                             "\r\n";

typedef struct opened {
    uint8_t bytes[1024];
    uint8_t storage[1024];
    weir_http http;
    weir_http_head head;
    weir_ws_request req;
} opened;

static void open_sample(opened *o)
{
    memcpy(o->bytes, sample, sizeof sample);
    weir_in in = {o->bytes, sizeof sample - 1};
    assert_int_equal(weir_http_init(&o->http, WEIR_HTTP_REQUEST, o->storage, sizeof o->storage, NULL), 0);
    assert_int_equal(weir_http_next(&o->http, &in, &o->head), 1);
    assert_int_equal(weir_ws_request_read(&o->head, &o->req), 0);
}

static void test_request(void **state)
{
    (void)state;
    opened o;
    weir_str value;
    open_sample(&o);
    assert_true(weir_str_is(o.req.target, "/chat"));
    assert_true(weir_str_is(o.req.host, "server.example.com"));
    assert_true(weir_str_is(o.req.origin, "http://example.com"));
    assert_string_equal(o.req.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_true(weir_http_fields_find(&o.req.fields, "sec-websocket-version", &value));
}

static void test_protocol_choice(void **state)
{
    static const char *const server_order[] = {"x", "superchat", "chat"};
    static const char *const unknown[] = {"Chat", "cha", "chats", ""};
    (void)state;
    opened o;
    open_sample(&o);
    assert_int_equal(weir_ws_request_protocol(&o.req, server_order, 3), 2);
    assert_int_equal(weir_ws_request_protocol(&o.req, server_order, 2), 1);
    assert_int_equal(weir_ws_request_protocol(&o.req, server_order, 1), -1);
    assert_int_equal(weir_ws_request_protocol(&o.req, server_order, 0), -1);
    assert_int_equal(weir_ws_request_protocol(&o.req, unknown, 4), -1);
}

static weir_http_field field_of(const char *name, const char *value)
{
    return (weir_http_field){weir_cstr(name), weir_cstr(value)};
}

/* The reply is parsed back: exactly these fields, and neither length nor coding. */
static void expect_reply(const uint8_t *bytes, size_t len, size_t fields, const char *protocol)
{
    uint8_t copy[1024], storage[1024];
    weir_http http;
    weir_http_head head;
    weir_str value;
    assert_true(len <= sizeof copy);
    memcpy(copy, bytes, len);
    weir_in in = {copy, len};
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL), 0);
    assert_int_equal(weir_http_next(&http, &in, &head), 1);
    assert_int_equal(in.len, 0);
    assert_int_equal(head.status, 101);
    assert_int_equal(head.minor, 1);
    assert_int_equal(head.field_count, fields);
    assert_true(weir_http_fields_has(head.fields, "Upgrade", "websocket"));
    assert_true(weir_http_fields_has(head.fields, "Connection", "Upgrade"));
    weir_http_fields walk = head.fields;
    assert_true(weir_http_fields_find(&walk, "Sec-WebSocket-Accept", &value));
    assert_true(weir_str_is(value, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    walk = head.fields;
    assert_false(weir_http_fields_find(&walk, "Content-Length", &value));
    walk = head.fields;
    assert_false(weir_http_fields_find(&walk, "Transfer-Encoding", &value));
    walk = head.fields;
    assert_false(weir_http_fields_find(&walk, "Sec-WebSocket-Extensions", &value));
    walk = head.fields;
    assert_int_equal(weir_http_fields_find(&walk, "Sec-WebSocket-Protocol", &value), protocol != NULL);
    if (protocol != NULL)
        assert_true(weir_str_is(value, protocol));
}

static void test_accept(void **state)
{
    (void)state;
    opened o;
    uint8_t bytes[1024];
    open_sample(&o);
    weir_out out = {bytes, sizeof bytes};
    assert_int_equal(weir_ws_accept_write(&out, &o.req, NULL), 0);
    expect_reply(bytes, sizeof bytes - out.len, 3, NULL);
    assert_true(sizeof bytes - out.len <= WEIR_WS_ACCEPT_MAX);

    weir_http_field fields[] = {field_of("Set-Cookie", "a=b"), field_of("X-Empty", "")};
    weir_ws_accept accept;
    memset(&accept, 0, sizeof accept);
    accept.protocol = "superchat";
    accept.fields = fields;
    accept.field_count = 2;
    out = (weir_out){bytes, sizeof bytes};
    assert_int_equal(weir_ws_accept_write(&out, &o.req, &accept), 0);
    expect_reply(bytes, sizeof bytes - out.len, 6, "superchat");
}

static void test_accept_needs_room(void **state)
{
    (void)state;
    opened o;
    uint8_t whole[1024];
    open_sample(&o);
    weir_http_field fields[] = {field_of("Set-Cookie", "a=b")};
    weir_ws_accept accept;
    memset(&accept, 0, sizeof accept);
    accept.protocol = "chat";
    accept.fields = fields;
    accept.field_count = 1;
    weir_out out = {whole, sizeof whole};
    assert_int_equal(weir_ws_accept_write(&out, &o.req, &accept), 0);
    size_t size = sizeof whole - out.len;
    for (size_t room = 0; room <= size; room++) {
        uint8_t *bytes = guard_copy(NULL, room, false);
        out = (weir_out){bytes, room};
        assert_int_equal(weir_ws_accept_write(&out, &o.req, &accept), room < size ? WEIR_ERR_SPACE : 0);
        if (room < size) {
            assert_ptr_equal(out.ptr, bytes);
            assert_int_equal(out.len, room);
            for (size_t i = 0; i < room; i++)
                assert_int_equal(bytes[i], 0);
        } else {
            assert_int_equal(out.len, 0);
            assert_memory_equal(bytes, whole, size);
        }
        guard_free(bytes);
    }
}

/* What was refused cannot be accepted by mistake, nor what another version of HTTP accepts. */
static void test_accept_of_refused(void **state)
{
    (void)state;
    opened o;
    uint8_t bytes[1024];
    weir_ws_request req;
    weir_out out = {bytes, sizeof bytes};
    open_sample(&o);
    weir_http_head head = o.head;
    head.method = weir_cstr("POST");
    assert_int_equal(weir_ws_request_read(&head, &req), WEIR_ERR_WS_METHOD);
    assert_int_equal(weir_ws_accept_write(&out, &req, NULL), WEIR_ERR_ARG);
    head.method = weir_cstr("CONNECT");
    assert_int_equal(weir_ws_extended_read(&head, weir_cstr("websocket"), &req), 0);
    assert_int_equal(weir_ws_accept_write(&out, &req, NULL), WEIR_ERR_ARG);
    assert_int_equal(out.len, sizeof bytes);
    assert_ptr_equal(out.ptr, bytes);
}

/* A subprotocol that was not offered makes the client fail; a value with a line end adds fields. */
static void test_accept_refuses(void **state)
{
    static const char *const protocols[] = {"", "Chat", "other", "chat, superchat", "chat\r\nX: y"};
    static const char *const values[] = {"a\r\nb", "a\nb", "a\rb", " a", "a ", "a\x01", "a\x7F", "\t"};
    static const char *const names[] = {"", "a b", "a:", "a\r\n", "\xE4", "a\t"};
    (void)state;
    opened o;
    uint8_t bytes[1024];
    weir_ws_accept accept;
    open_sample(&o);
    memset(&accept, 0, sizeof accept);
    weir_out out = {bytes, sizeof bytes};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        accept.protocol = protocols[i];
        assert_int_equal(weir_ws_accept_write(&out, &o.req, &accept), WEIR_ERR_FIELD);
    }
    accept.protocol = NULL;
    accept.field_count = 2;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        weir_http_field fields[] = {field_of("X", "good"), field_of("Y", values[i])};
        accept.fields = fields;
        assert_int_equal(weir_ws_accept_write(&out, &o.req, &accept), WEIR_ERR_FIELD);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        weir_http_field fields[] = {field_of("X", "good"), field_of(names[i], "y")};
        accept.fields = fields;
        assert_int_equal(weir_ws_accept_write(&out, &o.req, &accept), WEIR_ERR_FIELD);
    }
    weir_http_field nul[] = {field_of("X", "good"), {weir_cstr("Y"), {(const uint8_t *)"a\0b", 3}}};
    accept.fields = nul;
    assert_int_equal(weir_ws_accept_write(&out, &o.req, &accept), WEIR_ERR_FIELD);
    assert_int_equal(out.len, sizeof bytes);
    assert_ptr_equal(out.ptr, bytes);
}

/* The checks take a head that another HTTP implementation made, without any text. */
static void test_head_from_elsewhere(void **state)
{
    (void)state;
    weir_http_field list[] = {
        field_of("upgrade", "websocket"),
        field_of("connection", "Upgrade"),
        field_of("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        field_of("sec-websocket-version", "13"),
    };
    weir_http_head head;
    weir_ws_request req;
    memset(&head, 0, sizeof head);
    head.kind = WEIR_HTTP_REQUEST;
    head.minor = 1;
    head.method = weir_cstr("GET");
    head.target = weir_cstr("/x");
    head.fields = (weir_http_fields){{NULL, 0}, list, 4};
    assert_int_equal(weir_ws_request_read(&head, &req), 0);
    assert_string_equal(req.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_true(req.origin.ptr == NULL && req.origin.len == 0);
    head.fields.count = 3;
    assert_int_equal(weir_ws_request_read(&head, &req), WEIR_ERR_WS_VERSION);
}

static int read_with_key(const char *key)
{
    weir_http_field list[] = {field_of("upgrade", "websocket"), field_of("connection", "upgrade"),
                              field_of("sec-websocket-version", "13"), field_of("sec-websocket-key", key)};
    weir_http_head head;
    weir_ws_request req;
    memset(&head, 0, sizeof head);
    head.kind = WEIR_HTTP_REQUEST;
    head.minor = 1;
    head.method = weir_cstr("GET");
    head.target = weir_cstr("/");
    head.fields = (weir_http_fields){{NULL, 0}, list, sizeof list / sizeof *list};
    head.framing = WEIR_HTTP_NO_BODY;
    return weir_ws_request_read(&head, &req);
}

/* Every byte value at every place of a key: 22 digits of base64 and the padding, with any low bits in the
 * last digit, which browsers never send, and on which no byte depends (RFC 4648 3.5). */
static void test_keys(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
    for (size_t at = 0; at < 24; at++) {
        const char was = key[at];
        for (unsigned byte = 1; byte < 256; byte++) {
            bool good = at < 22 ? strchr(digits, (int)byte) != NULL : byte == '=';
            key[at] = (char)byte;
            assert_int_equal(read_with_key(key), good ? 0 : WEIR_ERR_WS_KEY);
        }
        key[at] = was;
    }
    assert_int_equal(read_with_key("dGhlIHNhbXBsZSBub25jZQ=="), 0);
    assert_int_equal(read_with_key(""), WEIR_ERR_WS_KEY);
    assert_int_equal(read_with_key("dGhlIHNhbXBsZSBub25jZQ="), WEIR_ERR_WS_KEY);
    assert_int_equal(read_with_key("dGhlIHNhbXBsZSBub25jZQ==="), WEIR_ERR_WS_KEY);
    assert_int_equal(read_with_key("dGhlIHNhbXBsZSBub25jZQ======"), WEIR_ERR_WS_KEY);
}

/* Fields that are as long as those of the handshake, and say what would be wrong there. */
static void test_names_of_the_same_length(void **state)
{
    (void)state;
    weir_http_field list[] = {
        field_of("cookie", "http://evil"),
        field_of("origan", "http://evil"), /* as long, and much like it */
        field_of("x-grade", "h2c"),
        field_of("upgrade", "websocket"),
        field_of("x-nnection", "close"),
        field_of("connection", "Upgrade"),
        field_of("x-c-websocket-key", "x"),
        field_of("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        field_of("x-c-websocket-version", "12"),
        field_of("sec-websocket-version", "13"),
        field_of("x-c-websocket-protocol", "a,,a"),
        field_of("x-c-websocket-extensions", ";;"),
        field_of("origin", "http://h"),
        field_of("ORIGIN", "http://other"),
        field_of("x-a-name-that-is-as-much-longer-than-that-of-the-origin-as-a-word-wide", "x"), /* 64 */
    };
    weir_http_head head;
    weir_ws_request req;
    memset(&head, 0, sizeof head);
    head.kind = WEIR_HTTP_REQUEST;
    head.minor = 1;
    head.method = weir_cstr("GET");
    head.target = weir_cstr("/x");
    head.fields = (weir_http_fields){{NULL, 0}, list, sizeof list / sizeof *list};
    assert_int_equal(weir_ws_request_read(&head, &req), 0);
    assert_true(weir_str_is(req.origin, "http://h")); /* weir_http_origin_check refuses two */
    assert_string_equal(req.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_int_equal(weir_ws_request_protocol(&req, (const char *const[]){"a"}, 1), -1);

    list[10].name = weir_cstr("sec-websocket-protocol");
    assert_int_equal(weir_ws_request_read(&head, &req), WEIR_ERR_WS_PROTOCOL);
    list[11].name = weir_cstr("sec-websocket-protocol");
    list[11].value = weir_cstr("b");
    assert_int_equal(weir_ws_request_read(&head, &req), WEIR_ERR_WS_PROTOCOL);
    list[10].value = weir_cstr("a");
    assert_int_equal(weir_ws_request_read(&head, &req), 0);
    assert_int_equal(weir_ws_request_protocol(&req, (const char *const[]){"b"}, 1), 0);
    list[10].name = list[11].name = weir_cstr("sec-websocket-extensions");
    assert_int_equal(weir_ws_request_read(&head, &req), 0);
    list[11].value = weir_cstr(";;");
    assert_int_equal(weir_ws_request_read(&head, &req), WEIR_ERR_WS_EXTENSION_FORM);
    list[10].value = weir_cstr(";");
    list[11].value = weir_cstr("b");
    assert_int_equal(weir_ws_request_read(&head, &req), WEIR_ERR_WS_EXTENSION_FORM);
}

/* Only the names count, not how long they are: each of these has the length of one that does. */
static void test_nothing_stands_in(void **state)
{
    static const char *const like[] = {"Accept",
                                       "Referer",
                                       "User-Agent",
                                       "X-WebSocket-Key-x",
                                       "X-Web-Socket-Versions",
                                       "X-Web-Socket-Protocols",
                                       "X-Web-Socket-Extensionss"};
    static const char *const values[] = {
        "http://evil", "websocket",   "upgrade",      "AAAAAAAAAAAAAAAAAAAAAA==",
        "13",          "not a token", "not; a=list;;"};
    static const int without[] = {0, WEIR_ERR_WS_UPGRADE, WEIR_ERR_WS_CONNECTION, WEIR_ERR_WS_KEY,
                                  WEIR_ERR_WS_VERSION};
    (void)state;
    enum { LIKE = 7 };
    const weir_http_field real[] = {
        field_of("origin", "http://good"),          field_of("upgrade", "websocket"),
        field_of("connection", "Upgrade"),          field_of("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        field_of("sec-websocket-version", "13"),    field_of("sec-websocket-protocol", "chat"),
        field_of("sec-websocket-extensions", "foo")};
    for (size_t left_out = 0; left_out < 6; left_out++) {
        weir_http_field list[2 * LIKE];
        weir_http_head head;
        weir_ws_request req;
        size_t count = 0;
        for (size_t i = 0; i < LIKE; i++) {
            list[count++] = field_of(like[i], values[i]);
            if (i != left_out)
                list[count++] = real[i];
        }
        memset(&head, 0, sizeof head);
        head.kind = WEIR_HTTP_REQUEST;
        head.minor = 1;
        head.method = weir_cstr("GET");
        head.target = weir_cstr("/");
        head.fields = (weir_http_fields){{NULL, 0}, list, count};
        assert_int_equal(weir_ws_request_read(&head, &req), left_out < 5 ? without[left_out] : 0);
        if (left_out == 0)
            assert_null(req.origin.ptr);
        else
            assert_true(weir_str_is(req.origin, "http://good"));
        if (left_out == 5)
            assert_string_equal(req.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}

/* Of two Origins the first is shown; a subprotocol that is there twice, or empty, is a fault wherever. */
static void test_repeated_members(void **state)
{
    static const struct {
        const char *protocols;
        int rv;
    } rows[] = {{"a, b, c", 0},
                {"a, b, b", WEIR_ERR_WS_PROTOCOL},
                {"a, b, a", WEIR_ERR_WS_PROTOCOL},
                {"a, b, c, d, c", WEIR_ERR_WS_PROTOCOL},
                {"", WEIR_ERR_WS_PROTOCOL},
                {",", WEIR_ERR_WS_PROTOCOL}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *copy = guard_copy(rows[i].protocols, strlen(rows[i].protocols), false);
        weir_http_field list[] = {field_of("upgrade", "websocket"),
                                  field_of("connection", "upgrade"),
                                  field_of("sec-websocket-version", "13"),
                                  field_of("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                                  field_of("origin", "http://one"),
                                  field_of("origin", "http://two"),
                                  {weir_cstr("sec-websocket-protocol"), {copy, strlen(rows[i].protocols)}}};
        weir_http_head head;
        weir_ws_request req;
        memset(&head, 0, sizeof head);
        head.kind = WEIR_HTTP_REQUEST;
        head.minor = 1;
        head.method = weir_cstr("GET");
        head.target = weir_cstr("/");
        head.fields = (weir_http_fields){{NULL, 0}, list, sizeof list / sizeof *list};
        assert_int_equal(weir_ws_request_read(&head, &req), rows[i].rv);
        assert_true(weir_str_is(req.origin, "http://one"));
        guard_free(copy);
    }
}

static void test_accept_value_ends(void **state)
{
    (void)state;
    char accept[31];
    memset(accept, 'x', sizeof accept);
    weiri_ws_accept_value(accept, weir_cstr("dGhlIHNhbXBsZSBub25jZQ=="));
    assert_memory_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\0xx", 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_protocol_choice),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_accept_needs_room),
        cmocka_unit_test(test_accept_of_refused),
        cmocka_unit_test(test_accept_refuses),
        cmocka_unit_test(test_head_from_elsewhere),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_names_of_the_same_length),
        cmocka_unit_test(test_nothing_stands_in),
        cmocka_unit_test(test_repeated_members),
        cmocka_unit_test(test_accept_value_ends),
    };
    return cmocka_run_group_tests_name("ws_handshake", tests, NULL, NULL);
}
