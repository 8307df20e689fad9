/* SPDX-License-Identifier: MIT */
/* test_ws_opening.c - the client's opening handshake: the request, and answers as vectors under every cut. */
#include "harness.h"
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct source {
    bool broken;
    bool fresh; /* every key is another one; else all are "abcd" again and again */
    uint32_t next;
} source;

static int source_fill(void *user, uint8_t *dst, size_t len)
{
    source *s = user;
    for (size_t i = 0; i < len; i++)
        dst[i] = s->fresh ? (uint8_t)((s->next++ * 2654435761u) >> 24) : (uint8_t)("abcd"[i % 4]);
    return s->broken ? -1 : 0;
}

static void uri_of(weir_http_uri *uri, const char *text)
{
    assert_int_equal(weir_http_uri_parse(weir_cstr(text), uri), 0);
}

/* ---- Answers as vectors ------------------------------------------------------------------------- */

typedef struct client {
    weir_entropy entropy;
    source source;
    weir_ws_opening opening;
    weir_ws_offer offer;
    const char *protocols[4];
    char names[64];
    weir_http http;
    uint8_t storage[1024];
    bool done;
} client;

static void client_start(void *self)
{
    client *c = self;
    uint8_t request[1024];
    weir_out out = {request, sizeof request};
    weir_http_uri uri;
    c->done = false;
    uri_of(&uri, "ws://h/");
    assert_int_equal(weir_entropy_init(&c->entropy, source_fill, &c->source), 0);
    assert_int_equal(weir_ws_opening_write(&c->opening, &out, &uri, &c->offer, &c->entropy), 0);
    memset(c->storage, 0xDD, sizeof c->storage);
    assert_int_equal(weir_http_init(&c->http, WEIR_HTTP_RESPONSE, c->storage, sizeof c->storage, NULL), 0);
}

/* One head of the answer. Returns true when it decides the handshake. */
static bool client_judge(client *c, const weir_http_head *head, log *l)
{
    weir_ws_choice choice;
    int rv = weir_ws_opening_read(&c->opening, head, &choice);
    if (rv == 1) {
        assert_false(choice.deflated);
        log_line(l, "open %s", choice.protocol >= 0 ? c->protocols[choice.protocol] : "none");
    } else if (rv < 0) {
        log_line(l, "refused %s, status %u", weir_err_lookup(rv)->name + strlen("WEIR_ERR_"), head->status);
    }
    return rv != 0;
}

static void client_feed(void *self, uint8_t *bytes, size_t len, log *l)
{
    client *c = self;
    weir_in in = {bytes, len};
    weir_http_head head;
    while (!c->done) {
        int rv = weir_http_next(&c->http, &in, &head);
        if (rv == 0)
            return;
        if (rv < 0) {
            log_line(l, "refused %s", weir_err_lookup(rv)->name + strlen("WEIR_ERR_"));
            c->done = true;
        } else {
            c->done = client_judge(c, &head, l);
        }
    }
    if (in.len != 0 && weir_http_error(&c->http, NULL) == 0)
        log_bytes(l, "rest", in.ptr, in.len);
}

static void client_finish(void *self, log *l)
{
    client *c = self;
    if (!c->done)
        log_line(l, "more");
}

static size_t vectors_failed;

static void check_vector(const vector *v)
{
    client c;
    memset(&c, 0, sizeof c);
    const char *offer = vector_get(v, "offer");
    snprintf(c.names, sizeof c.names, "%s", offer != NULL ? offer : "");
    for (char *at = strtok(c.names, " "); at != NULL; at = strtok(NULL, " "))
        c.protocols[c.offer.protocol_count++] = at;
    c.offer.protocols = c.protocols;
    c.offer.protocol_optional = vector_get(v, "optional") != NULL;
    machine m = {client_start, client_feed, client_finish, &c};
    char title[256];
    snprintf(title, sizeof title, "ws_opening.txt:%d: %s", v->line, v->title);
    if (!machine_agrees(&m, title, v->stream, v->len, v->expected))
        vectors_failed++;
}

static void test_vectors(void **state)
{
    (void)state;
    vectors_failed = 0;
    vectors_each("ws_opening.txt", check_vector);
    assert_int_equal(vectors_failed, 0);
}

/* ---- The request -------------------------------------------------------------------------------- */

static weir_http_field field_of(const char *name, const char *value)
{
    return (weir_http_field){weir_cstr(name), weir_cstr(value)};
}

/* Parses a request that was written, as a server would, and expects one value of each field asked for. */
static void parse_request(uint8_t *bytes, size_t len, weir_http_head *head, weir_ws_request *req)
{
    static uint8_t storage[2048];
    weir_http http;
    weir_in in = {bytes, len};
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
    assert_int_equal(weir_http_next(&http, &in, head), 1);
    assert_int_equal(in.len, 0);
    assert_int_equal(weir_ws_request_read(head, req), 0);
}

static void test_request_is_accepted(void **state)
{
    static const struct {
        const char *uri, *target, *host;
    } rows[] = {
        {"ws://h", "/", "h"},
        {"ws://h:80/a", "/a", "h"},
        {"wss://h:443/a?b=c", "/a?b=c", "h"},
        {"ws://h:443/", "/", "h:443"},
        {"wss://[::1]:8080/x", "/x", "[::1]:8080"},
        {"http://h/y", "/y", "h"},
        {"ws://h?q", "/?q", "h"},
    };
    static const char *const names[] = {"chat", "superchat"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[1024], reply[1024], storage[1024];
        source s = {false, true, (uint32_t)i};
        weir_entropy entropy;
        weir_http_uri uri;
        weir_http_head head;
        weir_ws_request req;
        weir_ws_opening opening;
        weir_ws_choice choice;
        weir_http_field fields[] = {field_of("Origin", "http://h"), field_of("Cookie", "a=b")};
        weir_ws_offer offer;
        memset(&offer, 0, sizeof offer);
        offer.protocols = names;
        offer.protocol_count = 2;
        offer.fields = fields;
        offer.field_count = 2;
        uri_of(&uri, rows[i].uri);
        assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
        weir_out out = {bytes, sizeof bytes};
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), 0);
        parse_request(bytes, sizeof bytes - out.len, &head, &req);
        assert_true(weir_str_is(req.target, rows[i].target));
        assert_true(weir_str_is(req.host, rows[i].host));
        assert_true(weir_str_is(req.origin, "http://h"));
        assert_int_equal(head.field_count, 8);

        weir_ws_accept accept;
        memset(&accept, 0, sizeof accept);
        accept.protocol = "superchat";
        out = (weir_out){reply, sizeof reply};
        assert_int_equal(weir_ws_accept_write(&out, &req, &accept), 0);
        weir_http http;
        weir_in in = {reply, sizeof reply - out.len};
        assert_int_equal(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL), 0);
        assert_int_equal(weir_http_next(&http, &in, &head), 1);
        assert_int_equal(weir_ws_opening_read(&opening, &head, &choice), 1);
        assert_int_equal(choice.protocol, 1);
        assert_false(choice.deflated);
    }
}

static void test_request_without_offer(void **state)
{
    (void)state;
    uint8_t bytes[512];
    source s = {false, false, 0};
    weir_entropy entropy;
    weir_http_uri uri;
    weir_http_head head;
    weir_ws_request req;
    weir_ws_opening opening;
    weir_str value;
    uri_of(&uri, "ws://h/");
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    weir_out out = {bytes, sizeof bytes};
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
    assert_true(sizeof bytes - out.len <= 384);
    parse_request(bytes, sizeof bytes - out.len, &head, &req);
    assert_int_equal(head.field_count, 5);
    assert_true(weir_http_fields_find(&head.fields, "sec-websocket-key", &value));
    assert_true(weir_str_is(value, "YWJjZGFiY2RhYmNkYWJjZA=="));
}

static void test_every_attempt_has_its_key(void **state)
{
    enum { ATTEMPTS = 200 };
    static uint8_t keys[ATTEMPTS][24];
    (void)state;
    source s = {false, true, 7};
    weir_entropy entropy;
    weir_http_uri uri;
    uri_of(&uri, "ws://h/");
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        uint8_t bytes[512];
        weir_http_head head;
        weir_ws_request req;
        weir_ws_opening opening;
        weir_str key;
        weir_out out = {bytes, sizeof bytes};
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
        parse_request(bytes, sizeof bytes - out.len, &head, &req);
        assert_true(weir_http_fields_find(&head.fields, "sec-websocket-key", &key));
        assert_int_equal(key.len, 24);
        memcpy(keys[i], key.ptr, 24);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(keys[k], keys[i], 24);
    }
}

static void test_request_refused(void **state)
{
    static const char *const bad_lists[][2] = {
        {"a", "a"}, {"a", ""}, {"a b", "c"}, {"a", "b,c"}, {"a", "b\r\nX: y"}};
    static const char *const bad_values[] = {"a\r\nb", "a\nb", " a", "\x7F"};
    (void)state;
    uint8_t bytes[1024];
    source s = {false, false, 0};
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    weir_ws_offer offer;
    uri_of(&uri, "ws://h/");
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    weir_out out = {bytes, sizeof bytes};
    memset(&offer, 0, sizeof offer);
    offer.protocol_count = 2;
    for (size_t i = 0; i < sizeof bad_lists / sizeof *bad_lists; i++) {
        offer.protocols = bad_lists[i];
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), WEIR_ERR_FIELD);
    }
    offer.protocol_count = 0;
    offer.field_count = 1;
    for (size_t i = 0; i < sizeof bad_values / sizeof *bad_values; i++) {
        weir_http_field field = field_of("Origin", bad_values[i]);
        offer.fields = &field;
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), WEIR_ERR_FIELD);
    }
    weir_http_field field = field_of("Bad Name", "a");
    offer.fields = &field;
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), WEIR_ERR_FIELD);
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    s.broken = true;
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), WEIR_ERR_ENTROPY);
    assert_ptr_equal(out.ptr, bytes);
    assert_int_equal(out.len, sizeof bytes);
}

static void test_request_needs_room(void **state)
{
    (void)state;
    source s = {false, false, 0};
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    uint8_t whole[512];
    uri_of(&uri, "wss://example.org/path?query");
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    weir_out out = {whole, sizeof whole};
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
    size_t size = sizeof whole - out.len;
    for (size_t room = 0; room <= size; room++) {
        uint8_t *bytes = guard_copy(NULL, room, false);
        out = (weir_out){bytes, room};
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy),
                         room < size ? WEIR_ERR_SPACE : 0);
        assert_int_equal(out.len, room < size ? room : 0);
        for (size_t i = 0; i < room && room < size; i++)
            assert_int_equal(bytes[i], 0);
        if (room == size)
            assert_memory_equal(bytes, whole, size);
        guard_free(bytes);
    }
}

/* A head that another parser made may have any status; only 1xx is passed over. */
static void test_status_from_elsewhere(void **state)
{
    static const struct {
        unsigned status;
        int rv;
    } rows[] = {
        {0, WEIR_ERR_WS_STATUS},    {99, WEIR_ERR_WS_STATUS},  {100, 0}, {199, 0}, {200, WEIR_ERR_WS_STATUS},
        {1000, WEIR_ERR_WS_STATUS}, {101, WEIR_ERR_WS_UPGRADE}};
    (void)state;
    uint8_t bytes[512];
    source s = {false, false, 0};
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    weir_ws_choice choice;
    uri_of(&uri, "ws://h/");
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    weir_out out = {bytes, sizeof bytes};
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_http_head head;
        memset(&head, 0, sizeof head);
        head.kind = WEIR_HTTP_RESPONSE;
        head.minor = 1;
        head.status = rows[i].status;
        assert_int_equal(weir_ws_opening_read(&opening, &head, &choice), rows[i].rv);
    }
}

/* The key takes 16 bytes of the source and no more: what follows is the frames'. */
static void test_key_takes_16_bytes(void **state)
{
    (void)state;
    uint8_t bytes[512];
    source s = {false, true, 1};
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    uri_of(&uri, "ws://h/");
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    weir_out out = {bytes, sizeof bytes};
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
    assert_int_equal(entropy.left_, sizeof entropy.pool_ - 16);
}

/* Any two subprotocols that are the same, not only the first two. */
static void test_repeated_protocols(void **state)
{
    static const char *const lists[][3] = {{"a", "b", "b"}, {"a", "b", "a"}, {"a", "a", "b"}};
    (void)state;
    uint8_t bytes[512];
    source s = {false, false, 0};
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    weir_ws_offer offer;
    uri_of(&uri, "ws://h/");
    memset(&offer, 0, sizeof offer);
    offer.protocol_count = 3;
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        weir_out out = {bytes, sizeof bytes};
        offer.protocols = lists[i];
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), WEIR_ERR_FIELD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_request_is_accepted),
        cmocka_unit_test(test_request_without_offer),
        cmocka_unit_test(test_every_attempt_has_its_key),
        cmocka_unit_test(test_request_refused),
        cmocka_unit_test(test_request_needs_room),
        cmocka_unit_test(test_status_from_elsewhere),
        cmocka_unit_test(test_key_takes_16_bytes),
        cmocka_unit_test(test_repeated_protocols),
    };
    return cmocka_run_group_tests_name("ws_opening", tests, NULL, NULL);
}
