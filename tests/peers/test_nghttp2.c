/* SPDX-License-Identifier: MIT */
/* test_nghttp2.c - WebSockets over HTTP/2 (RFC 8441), with nghttp2 as the HTTP/2 of both sides. Built when
 * nghttp2 is there. */
#include "check.h"
#include "h2.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Both ends of a WebSocket ------------------------------------------------------------------------ */

enum { MESSAGE_MAX = 80000, SAID_MAX = 1 << 19 };

/* What was said, or heard: for each message its kind, its bytes and an end; Pings and Pongs by number. */
typedef struct record {
    uint8_t bytes[SAID_MAX];
    size_t len;
} record;

typedef struct end {
    h2_end *h2;
    weir_ws ws;
    weir_entropy entropy;
    uint32_t random;
    bool echo;
    bool over; /* END was reported, with this code */
    uint16_t code;
    int err;
    unsigned pings, pongs;
    record said, heard;
} end;

typedef struct talk {
    h2_pair h2;
    end client, server;
} talk;

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static int end_fill(void *user, uint8_t *dst, size_t len)
{
    uint32_t *random = user;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(next_random(random) >> 7);
    return 0;
}

static void record_put(record *r, const void *bytes, size_t len)
{
    assert_true(len <= SAID_MAX - r->len);
    if (len != 0)
        memcpy(r->bytes + r->len, bytes, len);
    r->len += len;
}

static void end_init(end *e, h2_end *h2, uint32_t seed)
{
    weir_ws_cfg cfg;
    e->h2 = h2;
    e->random = seed;
    assert_int_equal(weir_entropy_init(&e->entropy, end_fill, &e->random), 0);
    weir_ws_cfg_init(&cfg, h2->client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.entropy = &e->entropy;
    assert_int_equal(weir_ws_init(&e->ws, &cfg), 0);
}

static void end_event(end *e, const weir_ws_event *ev)
{
    switch (ev->kind) {
    case WEIR_WS_DATA:
        if ((ev->flags & WEIR_WS_FIRST) != 0)
            record_put(&e->heard, (ev->flags & WEIR_WS_TEXT) != 0 ? "<t>" : "<b>", 3);
        record_put(&e->heard, ev->data.ptr, ev->data.len);
        if ((ev->flags & WEIR_WS_LAST) != 0)
            record_put(&e->heard, "<end>", 5);
        break;
    case WEIR_WS_PING:
        e->pings++;
        break;
    case WEIR_WS_PONG:
        e->pongs++;
        break;
    default:
        break;
    }
}

/* Lets weir see what has come and say what it has to, as an adapter would: replies behind each event, then
 * what it says of the transport, END_STREAM standing for the end of TCP. */
static void end_turn(end *e)
{
    h2_end *h2 = e->h2;
    weir_in in = {h2->in + h2->in_from, h2->in_to - h2->in_from};
    size_t had = in.len;
    weir_out out = h2_room(h2);
    weir_ws_event ev;
    int rv = 0;
    while ((rv = weir_ws_next(&e->ws, &in, &ev)) > 0) {
        end_event(e, &ev);
        if (e->echo && rv == WEIR_WS_DATA)
            assert_int_equal(weir_ws_send(&e->ws, &out, ev.flags, ev.data), 0);
        assert_int_equal(weir_ws_out_put(&e->ws, &out), 0);
    }
    e->err = rv;
    assert_int_equal(weir_ws_out_put(&e->ws, &out), 0);
    h2_took(h2, had);
    if ((h2->ended || h2->closed) && !e->over) {
        assert_int_equal(weir_ws_eof(&e->ws, &ev), WEIR_WS_END);
        e->over = true;
        e->code = ev.code;
    }
    weir_ws_todo todo = weir_ws_transport(&e->ws);
    h2_say(h2, out, todo == WEIR_WS_SHUTDOWN_WRITE || todo == WEIR_WS_CLOSE_NOW);
}

/* Until neither has anything more to say. */
static void talk_run(talk *t)
{
    size_t before;
    do {
        h2_exchange(&t->h2);
        before = t->client.h2->frames + t->server.h2->frames;
        end_turn(&t->client);
        end_turn(&t->server);
        h2_exchange(&t->h2);
    } while (before != t->client.h2->frames + t->server.h2->frames ||
             t->client.h2->in_from != t->client.h2->in_to || t->server.h2->in_from != t->server.h2->in_to);
    end_turn(&t->client);
    end_turn(&t->server);
    h2_exchange(&t->h2);
}

/* Opens a WebSocket with the subprotocol `chat`. */
static talk *talk_new(uint32_t window, size_t most)
{
    static const char *const names[] = {"superchat", "chat"};
    talk *t = calloc(1, sizeof *t);
    weir_ws_offer offer;
    weir_ws_choice choice;
    assert_non_null(t);
    memset(&offer, 0, sizeof offer);
    offer.protocols = names;
    offer.protocol_count = 2;
    h2_init(&t->h2, false, window, most);
    h2_exchange(&t->h2);
    h2_offer(&t->h2, &offer);
    h2_exchange(&t->h2);
    assert_int_equal(h2_judge(&t->h2, "chat", NULL, NULL), 0);
    h2_exchange(&t->h2);
    assert_true(t->h2.client.head);
    assert_str(h2_pseudo(&t->h2.client, ":status"), "200");
    assert_int_equal(weir_ws_extended_check(&offer, 200, h2_walk(&t->h2.client.fields), &choice), 1);
    assert_int_equal(choice.protocol, 1);
    assert_false(choice.deflated);
    end_init(&t->client, &t->h2.client, 1);
    end_init(&t->server, &t->h2.server, 2);
    return t;
}

static void talk_delete(talk *t)
{
    h2_free(&t->h2);
    free(t);
}

/* Says a message in some frames, a Ping between them. */
static void say(end *e, size_t len, bool text)
{
    static uint8_t message[MESSAGE_MAX];
    for (size_t i = 0; i < len; i++)
        message[i] = (uint8_t)(text ? 'a' + i % 26 : next_random(&e->random));
    record_put(&e->said, text ? "<t>" : "<b>", 3);
    record_put(&e->said, message, len);
    record_put(&e->said, "<end>", 5);
    weir_str left = {message, len};
    uint32_t flags = WEIR_WS_WHOLE | (text ? WEIR_WS_TEXT : 0);
    int rv;
    do {
        weir_out out = h2_room(e->h2);
        rv = weir_ws_send_part(&e->ws, &out, &flags, &left, 1 + next_random(&e->random) % MESSAGE_MAX);
        assert_true(rv >= 0);
        if (rv > 0) {
            assert_int_equal(weir_ws_ping(&e->ws, weir_cstr("still here")), 0);
            assert_int_equal(weir_ws_out_put(&e->ws, &out), 0);
        }
        h2_say(e->h2, out, false);
    } while (rv > 0);
}

static void expect_heard(const end *said, const end *heard)
{
    assert_int_equal(said->said.len, heard->heard.len);
    assert_memory_equal(said->said.bytes, heard->heard.bytes, said->said.len);
}

/* ---- Opening ------------------------------------------------------------------------------------------- */

/* A client may ask only after the server's setting has arrived (RFC 8441 3). */
static void test_setting(void **state)
{
    (void)state;
    for (int plain = 0; plain < 2; plain++) {
        h2_pair p;
        h2_init(&p, plain != 0, 65535, 16384);
        nghttp2_settings_id id = NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL;
        assert_int_equal(nghttp2_session_get_remote_settings(p.client.session, id), 0);
        h2_exchange(&p);
        assert_int_equal(nghttp2_session_get_remote_settings(p.client.session, id), !plain);
        h2_offer(&p, NULL);
        h2_exchange(&p);
        assert_int_equal(p.server.head, !plain);
        assert_int_equal(p.client.closed, plain); /* nghttp2 refuses what it has not announced */
        h2_free(&p);
    }
}

/* What the server's callbacks hear is what weir reads. */
static void test_request(void **state)
{
    (void)state;
    h2_pair p;
    weir_ws_request req;
    h2_init(&p, false, 65535, 16384);
    h2_exchange(&p);
    h2_offer(&p, NULL);
    h2_exchange(&p);
    weir_http_head head = h2_head(&p.server);
    assert_int_equal(weir_ws_extended_read(&head, h2_pseudo(&p.server, ":protocol"), &req), 0);
    assert_str(req.target, "/chat?room=1");
    assert_str(req.host, "example.org");
    assert_absent(req.origin);
    assert_string_equal(req.accept, "");
    assert_int_equal(p.server.fields.count, 1);
    h2_free(&p);
}

/* Every refusal is an answer on its stream; the connection goes on and opens the next. */
static void test_refusals(void **state)
{
    static const struct {
        const char *protocol, *name, *value, *name2, *value2;
        int rv;
        unsigned status;
    } rows[] = {
        {"websocket", "sec-websocket-version", "8", NULL, NULL, WEIR_ERR_WS_VERSION, 400},
        {"websocket", "sec-websocket-version", "14", NULL, NULL, WEIR_ERR_WS_VERSION, 400},
        {"websocket", "x", "y", NULL, NULL, WEIR_ERR_WS_VERSION, 400},
        {"websocket", "sec-websocket-version", "13, 8", NULL, NULL, WEIR_ERR_WS_VERSION_FORM, 400},
        {"websocket", "sec-websocket-version", "13", "sec-websocket-version", "13", WEIR_ERR_WS_VERSION_FORM,
         400},
        {"websocket", "sec-websocket-version", "13", "sec-websocket-protocol", "a,,b", WEIR_ERR_WS_PROTOCOL,
         400},
        {"websocket", "sec-websocket-version", "13", "sec-websocket-protocol", "a, a", WEIR_ERR_WS_PROTOCOL,
         400},
        {"websocket", "sec-websocket-version", "13", "sec-websocket-extensions", "a;",
         WEIR_ERR_WS_EXTENSION_FORM, 400},
        {"connect-udp", "sec-websocket-version", "13", NULL, NULL, WEIR_ERR_WS_TUNNEL, 501},
        {"WebSocket2", "sec-websocket-version", "13", NULL, NULL, WEIR_ERR_WS_TUNNEL, 501},
        {NULL, "sec-websocket-version", "13", NULL, NULL, WEIR_ERR_WS_METHOD, 405},
        {"websocket", "sec-websocket-version", "13", "sec-websocket-protocol", "chat", 0, 200},
    };
    (void)state;
    h2_pair p;
    h2_init(&p, false, 65535, 16384);
    h2_exchange(&p);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_http_field list[7] = {
            {weir_cstr(":scheme"), weir_cstr("https")},
            {weir_cstr(":path"), weir_cstr("/")},
            {weir_cstr(":authority"), weir_cstr("h")},
            {weir_cstr(":method"), weir_cstr(rows[i].protocol != NULL ? "CONNECT" : "GET")}};
        size_t n = 4;
        if (rows[i].protocol != NULL)
            list[n++] = (weir_http_field){weir_cstr(":protocol"), weir_cstr(rows[i].protocol)};
        list[n++] = (weir_http_field){weir_cstr(rows[i].name), weir_cstr(rows[i].value)};
        if (rows[i].name2 != NULL)
            list[n++] = (weir_http_field){weir_cstr(rows[i].name2), weir_cstr(rows[i].value2)};
        h2_request(&p, list, n, true);
        h2_exchange(&p);
        assert_int_equal(h2_judge(&p, "chat", NULL, NULL), rows[i].rv);
        h2_exchange(&p);
        assert_true(p.client.head);
        weir_str status = h2_pseudo(&p.client, ":status");
        assert_int_equal(strtoul((const char *)status.ptr, NULL, 10), rows[i].status);
        assert_int_equal(p.client.ended, rows[i].rv != 0);
        weir_ws_choice choice;
        const char *const names[] = {"chat"};
        weir_ws_offer offer = {.protocols = names, .protocol_count = 1};
        assert_int_equal(weir_ws_extended_check(&offer, rows[i].status, h2_walk(&p.client.fields), &choice),
                         rows[i].rv != 0 ? (int)WEIR_ERR_WS_STATUS : 1);
        p.client.out_end = true; /* the client gives up its stream */
        h2_say(&p.client, h2_room(&p.client), true);
        h2_exchange(&p);
    }
    h2_free(&p);
}

/* ---- Talking
 * --------------------------------------------------------------------------------------------- */

/* Messages of all sizes both ways, in DATA frames and windows of all sizes down to one byte. */
static void test_messages(void **state)
{
    static const struct {
        uint32_t window;
        size_t most, largest;
    } rows[] = {
        {65535, 16384, MESSAGE_MAX}, {1000, 16384, 70000}, {65535, 1, 2000}, {1, 1, 300}, {7, 3, 1000},
        {100, 16384, 5000}};
    static const size_t sizes[] = {0, 1, 5, 125, 126, 127, 1000, 65535, 65536, 70000, 0, 3, 80000};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        talk *t = talk_new(rows[i].window, rows[i].most);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            if (sizes[k] > rows[i].largest)
                continue;
            say(&t->client, sizes[k], k % 2 == 0);
            say(&t->server, sizes[k], k % 3 == 0);
            talk_run(t);
            assert_int_equal(t->client.err, 0);
            assert_int_equal(t->server.err, 0);
            expect_heard(&t->client, &t->server);
            expect_heard(&t->server, &t->client);
        }
        assert_int_equal(t->client.pongs, t->server.pings);
        assert_int_equal(t->server.pongs, t->client.pings);
        assert_true(rows[i].most > 1 || t->h2.server.frames > t->client.said.len / 2);
        talk_delete(t);
    }
}

/* The frames are the same as over TCP: the client's are masked, the server's are not (RFC 8441 5). */
static void test_masking(void **state)
{
    (void)state;
    talk *t = talk_new(65535, 16384);
    say(&t->client, 5, true);
    say(&t->server, 5, true);
    h2_exchange(&t->h2);
    assert_int_equal(t->h2.server.in[0], 0x81);
    assert_int_equal(t->h2.server.in[1], 0x85);
    assert_int_equal(t->h2.client.in[0], 0x81);
    assert_int_equal(t->h2.client.in[1], 0x05);
    talk_delete(t);
}

static void test_echo(void **state)
{
    (void)state;
    talk *t = talk_new(300, 50);
    t->server.echo = true;
    for (size_t len = 0; len < 2000; len = len * 3 + 1)
        say(&t->client, len, true);
    talk_run(t);
    expect_heard(&t->client, &t->server);
    expect_heard(&t->client, &t->client);
    talk_delete(t);
}

/* ---- Ending
 * ------------------------------------------------------------------------------------------------ */

static void expect_closing(const end *e, unsigned sent, unsigned received, weir_ws_side first, bool clean)
{
    weir_ws_closing c;
    weir_ws_closing_read(&e->ws, &c);
    assert_int_equal(c.sent, sent);
    assert_int_equal(c.received, received);
    assert_int_equal(c.first, first);
    assert_int_equal(c.clean, clean);
}

/* Close goes both ways, then END_STREAM: the server's first, the client's behind it. */
static void test_close(void **state)
{
    (void)state;
    for (int by_server = 0; by_server < 2; by_server++)
        for (size_t most = 1; most < 100; most += 98) {
            talk *t = talk_new(65535, most);
            end *first = by_server ? &t->server : &t->client, *second = by_server ? &t->client : &t->server;
            say(first, 10, true);
            assert_int_equal(weir_ws_close(&first->ws, 4001, weir_cstr("done")), 0);
            talk_run(t);
            talk_run(t);
            assert_int_equal(second->heard.len, first->said.len);
            expect_closing(first, 4001, 4001, WEIR_WS_LOCAL, true);
            expect_closing(second, 4001, 4001, WEIR_WS_PEER, true);
            assert_true(t->client.over && t->server.over);
            assert_int_equal(t->client.code, 4001);
            assert_int_equal(t->server.code, 4001);
            assert_true(t->h2.client.closed && t->h2.server.closed);
            assert_int_equal(t->h2.client.code, NGHTTP2_NO_ERROR);
            assert_int_equal(t->h2.server.code, NGHTTP2_NO_ERROR);
            assert_int_equal(weir_ws_transport(&t->client.ws), WEIR_WS_CLOSE_NOW);
            assert_int_equal(weir_ws_transport(&t->server.ws), WEIR_WS_CLOSE_NOW);
            talk_delete(t);
        }
}

/* END_STREAM without a Close, between frames or inside one, is the end of TCP: 1006. */
static void test_end_without_close(void **state)
{
    (void)state;
    for (int by_server = 0; by_server < 2; by_server++)
        for (size_t len = 0; len <= 12; len++) {
            talk *t = talk_new(65535, 5);
            end *first = by_server ? &t->server : &t->client, *second = by_server ? &t->client : &t->server;
            say(first, 10, false);
            size_t whole = by_server ? 12 : 16;
            first->h2->out_to -= whole - len;
            first->h2->out_end = true;
            talk_run(t);
            assert_true(second->over);
            assert_int_equal(second->code, 1006);
            expect_closing(second, 0, 1006, WEIR_WS_NOBODY, false);
            talk_delete(t);
        }
}

/* RST_STREAM, in the middle of a message whose rest is still to be written: 1006 on both sides. */
static void test_reset(void **state)
{
    static const uint32_t codes[] = {NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR};
    (void)state;
    for (int by_server = 0; by_server < 2; by_server++)
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
            talk *t = talk_new(100, 10);
            end *first = by_server ? &t->server : &t->client, *second = by_server ? &t->client : &t->server;
            say(first, 1000, true);
            say(second, 1000, true);
            h2_exchange(&t->h2);
            end_turn(second);
            assert_true(second->heard.len > 3 && second->heard.len < 200);
            h2_reset(first->h2, codes[i]);
            talk_run(t);
            assert_true(second->h2->closed);
            assert_int_equal(second->h2->code, codes[i]);
            assert_true(first->over && second->over);
            assert_int_equal(first->code, 1006);
            assert_int_equal(second->code, 1006);
            assert_int_equal(weir_ws_transport(&second->ws), WEIR_WS_CLOSE_NOW);
            uint8_t room[16];
            weir_out out = {room, sizeof room};
            assert_int_equal(weir_ws_send(&second->ws, &out, WEIR_WS_WHOLE, weir_cstr("x")), WEIR_ERR_STATE);
            talk_delete(t);
        }
}

/* A violation of the protocol is answered by a Close in DATA and END_STREAM, not by a reset. */
static void test_violation(void **state)
{
    (void)state;
    for (int by_server = 0; by_server < 2; by_server++) {
        talk *t = talk_new(65535, 3);
        end *bad = by_server ? &t->server : &t->client, *good = by_server ? &t->client : &t->server;
        weir_out out = h2_room(bad->h2);
        uint8_t frame[7] = {0x81, by_server ? 0x81 : 0x01, 'x'};
        assert_int_equal(weir_out_put(&out, (weir_str){frame, by_server ? 7 : 3}), 0);
        h2_say(bad->h2, out, false);
        talk_run(t);
        talk_run(t);
        assert_int_equal(good->err, WEIR_ERR_WS_MASKING);
        expect_closing(good, 1002, 1006, WEIR_WS_LOCAL, false); /* nothing is read behind an error */
        expect_closing(bad, 1002, 1002, WEIR_WS_PEER, true);
        assert_true(bad->over);
        assert_int_equal(bad->code, 1002);
        assert_true(t->h2.client.closed && t->h2.server.closed);
        assert_int_equal(bad->h2->code, NGHTTP2_NO_ERROR);
        talk_delete(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setting),  cmocka_unit_test(test_request),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_messages),
        cmocka_unit_test(test_masking),  cmocka_unit_test(test_echo),
        cmocka_unit_test(test_close),    cmocka_unit_test(test_end_without_close),
        cmocka_unit_test(test_reset),    cmocka_unit_test(test_violation),
    };
    return cmocka_run_group_tests_name("nghttp2", tests, NULL, NULL);
}
