/* SPDX-License-Identifier: MIT */
/* test_ws_close.c - the closing handshake: codes, reasons, who was first, what to do with the transport. */
#include "harness.h"
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct side {
    weir_ws ws;
    weir_entropy entropy;
    bool broken;
    bool client;
    int rv; /* what the last weir_ws_next said */
    weir_ws_event ev;
    uint8_t heard[2 + 4 + 125];
} side;

static int side_fill(void *user, uint8_t *dst, size_t len)
{
    side *s = user;
    memset(dst, 0x5A, len);
    return s->broken ? -1 : 0;
}

static void side_init(side *s, bool client)
{
    weir_ws_cfg cfg;
    memset(s, 0, sizeof *s);
    s->client = client;
    assert_int_equal(weir_entropy_init(&s->entropy, side_fill, s), 0);
    weir_ws_cfg_init(&cfg, client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.entropy = &s->entropy;
    assert_int_equal(weir_ws_init(&s->ws, &cfg), 0);
}

static int side_hear(side *s, uint8_t first, const void *payload, size_t len)
{
    size_t key = s->client ? 0 : 4;
    s->heard[0] = first;
    s->heard[1] = (uint8_t)((s->client ? 0 : 0x80) | len);
    memset(s->heard + 2, 0, key);
    if (len != 0)
        memcpy(s->heard + 2 + key, payload, len);
    weir_in in = {s->heard, 2 + key + len};
    s->rv = weir_ws_next(&s->ws, &in, &s->ev);
    return s->rv;
}

/* Takes all of weir_ws_out, which must be one frame or none. Returns its unmasked payload's length and
 * puts it into `payload`; *first is 0 if nothing waited. */
static size_t side_say(side *s, uint8_t *first, uint8_t payload[125])
{
    uint8_t bytes[WEIR_WS_OUT_MAX];
    weir_out out = {bytes, sizeof bytes};
    size_t key = s->client ? 4 : 0;
    assert_int_equal(weir_ws_out_put(&s->ws, &out), 0);
    size_t size = sizeof bytes - out.len;
    *first = 0;
    if (size == 0)
        return 0;
    *first = bytes[0];
    assert_int_equal(bytes[1] >> 7, s->client);
    size_t len = bytes[1] & 0x7F;
    assert_int_equal(size, 2 + key + len);
    for (size_t i = 0; i < len; i++)
        payload[i] = (uint8_t)(bytes[2 + key + i] ^ (key != 0 ? bytes[2 + i % 4] : 0));
    return len;
}

static void expect_said(side *s, uint8_t first, const void *payload, size_t len)
{
    uint8_t said_first, said[125];
    size_t said_len = side_say(s, &said_first, said);
    assert_int_equal(said_first, first);
    assert_int_equal(said_len, len);
    if (len != 0)
        assert_memory_equal(said, payload, len);
}

static void expect_closing(const side *s, unsigned sent, unsigned received, weir_ws_side first, bool clean)
{
    weir_ws_closing c;
    memset(&c, 0xDD, sizeof c);
    weir_ws_closing_read(&s->ws, &c);
    assert_int_equal(c.sent, sent);
    assert_int_equal(c.received, received);
    assert_int_equal(c.first, first);
    assert_int_equal(c.clean, clean);
    if (received == 0 || received == 1005 || received == 1006)
        assert_int_equal(c.received_reason.len, 0);
}

/* RFC 6455 7.4.1, 7.4.2 and the IANA registry: what may stand in a Close. */
static bool code_legal(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/* ---- Codes and reasons -------------------------------------------------------------------------- */

static void test_every_code_received(void **state)
{
    (void)state;
    unsigned legal = 0;
    for (unsigned code = 0; code <= 65535; code++) {
        side s;
        uint64_t offset;
        uint8_t bytes[2] = {(uint8_t)(code >> 8), (uint8_t)code};
        side_init(&s, code % 2 != 0);
        side_hear(&s, 0x88, bytes, 2);
        if (code_legal(code)) {
            legal++;
            assert_int_equal(s.rv, WEIR_WS_CLOSE);
            assert_int_equal(s.ev.code, code);
            assert_int_equal(s.ev.data.len, 0);
            expect_said(&s, 0x88, bytes, 2);
            expect_closing(&s, code, code, WEIR_WS_PEER, true);
        } else {
            assert_int_equal(s.rv, WEIR_ERR_WS_CLOSE_CODE);
            assert_int_equal(weir_ws_error(&s.ws, &offset), WEIR_ERR_WS_CLOSE_CODE);
            assert_int_equal(offset, s.client ? 3 : 7);
            expect_closing(&s, 1002, 0, WEIR_WS_LOCAL, false);
        }
    }
    assert_int_equal(legal, 4 + 8 + 2000);
}

static void test_every_code_sent(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= 65535; code++) {
        side s;
        uint8_t bytes[3] = {(uint8_t)(code >> 8), (uint8_t)code, 'r'};
        side_init(&s, code % 2 != 0);
        weir_ws before;
        memcpy(&before, &s.ws, sizeof before);
        int rv = weir_ws_close(&s.ws, (uint16_t)code, weir_cstr(code == 0 ? "" : "r"));
        if (code_legal(code)) {
            assert_int_equal(rv, 0);
            expect_closing(&s, code, 0, WEIR_WS_LOCAL, false);
            expect_said(&s, 0x88, bytes, 3);
        } else if (code == 0) {
            assert_int_equal(rv, 0);
            expect_closing(&s, 1005, 0, WEIR_WS_LOCAL, false);
            expect_said(&s, 0x88, "", 0);
        } else {
            assert_int_equal(rv, WEIR_ERR_CLOSE_CODE);
            assert_memory_equal(&s.ws, &before, sizeof before);
        }
    }
}

static void test_reasons_sent(void **state)
{
    static const char *const bad[] = {"\xFF",         "a\x80",    "\xC0\x80",
                                      "\xED\xA0\x80", "\xE4\xBD", "\xF4\x90\x80\x80"};
    (void)state;
    uint8_t payload[2 + 200] = {0x0F, 0xA0};
    memset(payload + 2, 'r', 200);
    for (int client = 0; client < 2; client++) {
        side s;
        weir_ws before;
        side_init(&s, client != 0);
        memcpy(&before, &s.ws, sizeof before);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            assert_int_equal(weir_ws_close(&s.ws, 4000, weir_cstr(bad[i])), WEIR_ERR_CLOSE_REASON);
        for (size_t len = 124; len <= 200; len++)
            assert_int_equal(weir_ws_close(&s.ws, 4000, (weir_str){payload + 2, len}), WEIR_ERR_CLOSE_REASON);
        assert_int_equal(weir_ws_close(&s.ws, 0, weir_cstr("a")), WEIR_ERR_CLOSE_REASON);
        assert_memory_equal(&s.ws, &before, sizeof before);
        for (size_t len = 0; len <= 123; len++) {
            side_init(&s, client != 0);
            assert_int_equal(weir_ws_close(&s.ws, 4000, (weir_str){payload + 2, len}), 0);
            expect_said(&s, 0x88, payload, 2 + len);
        }
        side_init(&s, client != 0);
        assert_int_equal(weir_ws_close(&s.ws, 4000, weir_cstr("\xE4\xBD\xA0")), 0);
        expect_said(&s, 0x88, "\x0F\xA0\xE4\xBD\xA0", 5);
    }
}

static void test_first_close_stands(void **state)
{
    (void)state;
    side s;
    side_init(&s, false);
    assert_int_equal(weir_ws_close(&s.ws, 1001, weir_cstr("one")), 0);
    assert_int_equal(weir_ws_close(&s.ws, 4000, weir_cstr("two")), 0);
    expect_said(&s, 0x88, "\x03\xE9one", 5);
    assert_int_equal(weir_ws_close(&s.ws, 4000, weir_cstr("three")), 0);
    expect_said(&s, 0, "", 0);
    expect_closing(&s, 1001, 0, WEIR_WS_LOCAL, false);

    side_init(&s, false);
    assert_int_equal(side_hear(&s, 0x88, "\x03\xE8", 2), WEIR_WS_CLOSE);
    assert_int_equal(weir_ws_close(&s.ws, 4000, weir_cstr("late")), 0);
    expect_said(&s, 0x88, "\x03\xE8", 2);
    expect_said(&s, 0, "", 0);
    expect_closing(&s, 1000, 1000, WEIR_WS_PEER, true);

    side_init(&s, false);
    assert_int_equal(side_hear(&s, 0x83, "", 0), WEIR_ERR_WS_OPCODE);
    assert_int_equal(weir_ws_close(&s.ws, 4000, weir_cstr("late")), 0);
    expect_closing(&s, 1002, 0, WEIR_WS_LOCAL, false);
}

/* The peer's reason is kept, also after the input it came in is gone. */
static void test_reason_is_kept(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 123; len++) {
        side s;
        weir_ws_event ev;
        weir_ws_closing c;
        uint8_t payload[125] = {0x03, 0xE8};
        for (size_t i = 2; i < sizeof payload; i++)
            payload[i] = (uint8_t)('a' + i % 26);
        side_init(&s, len % 2 != 0);
        assert_int_equal(side_hear(&s, 0x88, payload, 2 + len), WEIR_WS_CLOSE);
        assert_int_equal(s.ev.data.len, len);
        if (len != 0)
            assert_memory_equal(s.ev.data.ptr, payload + 2, len);
        memset(s.heard, 0xDD, sizeof s.heard);
        expect_said(&s, 0x88, payload, 2);
        weir_ws_closing_read(&s.ws, &c);
        assert_int_equal(c.received_reason.len, len);
        if (len != 0)
            assert_memory_equal(c.received_reason.ptr, payload + 2, len);
        assert_int_equal(weir_ws_eof(&s.ws, &ev), WEIR_WS_END);
        assert_int_equal(ev.code, 1000);
        assert_int_equal(ev.data.len, len);
        if (len != 0)
            assert_memory_equal(ev.data.ptr, payload + 2, len);
    }
}

/* ---- From each state, each thing that can happen ------------------------------------------------- */

enum { OPEN, FRAGMENT_IN, FRAGMENT_OUT, CLOSE_SENT, CLOSE_RECEIVED, STATES };
enum { PEER_CLOSE, PING, DATA, END, GARBAGE, EVENTS };

static void enter(side *s, int state)
{
    uint8_t room[32], payload[125], first;
    weir_out out = {room, sizeof room};
    if (state == FRAGMENT_IN)
        assert_int_equal(side_hear(s, 0x01, "a", 1), WEIR_WS_DATA);
    else if (state == FRAGMENT_OUT)
        assert_int_equal(weir_ws_send(&s->ws, &out, WEIR_WS_FIRST, weir_cstr("a")), 0);
    else if (state == CLOSE_SENT)
        assert_int_equal(weir_ws_close(&s->ws, 1001, weir_cstr("")), 0);
    else if (state == CLOSE_RECEIVED)
        assert_int_equal(side_hear(s, 0x88, "\x03\xE8", 2), WEIR_WS_CLOSE);
    side_say(s, &first, payload);
}

static void happen(side *s, int event, int state)
{
    switch (event) {
    case PEER_CLOSE:
        side_hear(s, 0x88, "\x0F\xA0why", 5);
        break;
    case PING:
        side_hear(s, 0x89, "p", 1);
        break;
    case DATA:
        side_hear(s, state == FRAGMENT_IN ? 0x80 : 0x82, "d", 1);
        break;
    case END:
        s->rv = weir_ws_eof(&s->ws, &s->ev);
        break;
    default:
        side_hear(s, 0xFF, "garbage", 7);
    }
}

/* After each: the result, the frame said (its first byte, then the first two bytes of its payload as a
 * number), the record, and the hint for a server and for a client. */
typedef struct outcome {
    int state, event, rv;
    uint8_t said;
    unsigned said_code, sent, received;
    weir_ws_side first;
    bool clean;
    weir_ws_todo server, client;
} outcome;

#define NOBODY WEIR_WS_NOBODY
#define LOCAL WEIR_WS_LOCAL
#define PEER WEIR_WS_PEER
#define ON WEIR_WS_CARRY_ON
#define WAIT WEIR_WS_WAIT_PEER
#define SHUT WEIR_WS_SHUTDOWN_WRITE
#define NOW WEIR_WS_CLOSE_NOW
#define P_CODE ('p' << 8) /* one byte of payload */
#define RSV WEIR_ERR_WS_RSV

static const outcome outcomes[] = {
    {OPEN, PEER_CLOSE, WEIR_WS_CLOSE, 0x88, 4000, 4000, 4000, PEER, true, SHUT, WAIT},
    {OPEN, PING, WEIR_WS_PING, 0x8A, P_CODE, 0, 0, NOBODY, false, ON, ON},
    {OPEN, DATA, WEIR_WS_DATA, 0, 0, 0, 0, NOBODY, false, ON, ON},
    {OPEN, END, WEIR_WS_END, 0, 0, 0, 1006, NOBODY, false, NOW, NOW},
    {OPEN, GARBAGE, RSV, 0x88, 1002, 1002, 0, LOCAL, false, SHUT, SHUT},
    {FRAGMENT_IN, PEER_CLOSE, WEIR_WS_CLOSE, 0x88, 4000, 4000, 4000, PEER, true, SHUT, WAIT},
    {FRAGMENT_IN, PING, WEIR_WS_PING, 0x8A, P_CODE, 0, 0, NOBODY, false, ON, ON},
    {FRAGMENT_IN, DATA, WEIR_WS_DATA, 0, 0, 0, 0, NOBODY, false, ON, ON},
    {FRAGMENT_IN, END, WEIR_WS_END, 0, 0, 0, 1006, NOBODY, false, NOW, NOW},
    {FRAGMENT_IN, GARBAGE, RSV, 0x88, 1002, 1002, 0, LOCAL, false, SHUT, SHUT},
    {FRAGMENT_OUT, PEER_CLOSE, WEIR_WS_CLOSE, 0x88, 4000, 4000, 4000, PEER, true, SHUT, WAIT},
    {FRAGMENT_OUT, PING, WEIR_WS_PING, 0x8A, P_CODE, 0, 0, NOBODY, false, ON, ON},
    {FRAGMENT_OUT, DATA, WEIR_WS_DATA, 0, 0, 0, 0, NOBODY, false, ON, ON},
    {FRAGMENT_OUT, END, WEIR_WS_END, 0, 0, 0, 1006, NOBODY, false, NOW, NOW},
    {FRAGMENT_OUT, GARBAGE, RSV, 0x88, 1002, 1002, 0, LOCAL, false, SHUT, SHUT},
    {CLOSE_SENT, PEER_CLOSE, WEIR_WS_CLOSE, 0, 0, 1001, 4000, LOCAL, true, SHUT, WAIT},
    {CLOSE_SENT, PING, WEIR_WS_PING, 0x8A, P_CODE, 1001, 0, LOCAL, false, WAIT, WAIT},
    {CLOSE_SENT, DATA, WEIR_WS_DATA, 0, 0, 1001, 0, LOCAL, false, WAIT, WAIT},
    {CLOSE_SENT, END, WEIR_WS_END, 0, 0, 1001, 1006, LOCAL, false, NOW, NOW},
    {CLOSE_SENT, GARBAGE, RSV, 0, 0, 1001, 0, LOCAL, false, SHUT, SHUT},
    {CLOSE_RECEIVED, PEER_CLOSE, 0, 0, 0, 1000, 1000, PEER, true, SHUT, WAIT},
    {CLOSE_RECEIVED, PING, 0, 0, 0, 1000, 1000, PEER, true, SHUT, WAIT},
    {CLOSE_RECEIVED, DATA, 0, 0, 0, 1000, 1000, PEER, true, SHUT, WAIT},
    {CLOSE_RECEIVED, END, WEIR_WS_END, 0, 0, 1000, 1000, PEER, true, NOW, NOW},
    {CLOSE_RECEIVED, GARBAGE, 0, 0, 0, 1000, 1000, PEER, true, SHUT, WAIT},
};

static void test_each_event_in_each_state(void **state)
{
    (void)state;
    assert_int_equal(sizeof outcomes / sizeof *outcomes, STATES * EVENTS);
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        for (int client = 0; client < 2; client++) {
            const outcome *o = &outcomes[i];
            side s;
            uint8_t first, said[125] = {0};
            side_init(&s, client != 0);
            enter(&s, o->state);
            happen(&s, o->event, o->state);
            assert_int_equal(s.rv, o->rv);
            if (o->said != 0)
                assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_CARRY_ON);
            side_say(&s, &first, said);
            assert_int_equal(first, o->said);
            assert_int_equal(said[0] << 8 | said[1], o->said_code);
            expect_closing(&s, o->sent, o->received, o->first, o->clean);
            assert_int_equal(weir_ws_transport(&s.ws), client ? o->client : o->server);
        }
}

/* ---- The end of the transport ------------------------------------------------------------------- */

/* The stream ends after each of its bytes: one END with the code of the Close if it was whole. */
static void test_end_in_every_state(void **state)
{
    static const char with_mask[] = "\x01\x82\0\0\0\0ab\x89\x83\0\0\0\0xyz\x80\xFE\0\x7E\0\0\0\0";
    (void)state;
    for (int client = 0; client < 2; client++) {
        uint8_t stream[256];
        size_t len = 0, mask = client ? 0 : 4;
        if (client) {
            memcpy(stream,
                   "\x01\x02"
                   "ab\x89\x03xyz\x80\x7E\0\x7E",
                   13);
            len = 13;
        } else {
            len = sizeof with_mask - 1;
            memcpy(stream, with_mask, len);
        }
        memset(stream + len, 'm', 126);
        len += 126;
        stream[len++] = 0x88;
        stream[len++] = (uint8_t)(client ? 4 : 0x84);
        memset(stream + len, 0, mask);
        len += mask;
        memcpy(stream + len, "\x0F\xA1qu", 4);
        len += 4;
        for (size_t cut = 0; cut <= len; cut++) {
            side s;
            weir_ws_event ev;
            uint8_t copy[256], first, said[125];
            side_init(&s, client != 0);
            memcpy(copy, stream, sizeof copy);
            weir_in in = {copy, cut};
            while (weir_ws_next(&s.ws, &in, &ev) > 0)
                side_say(&s, &first, said);
            assert_int_equal(weir_ws_error(&s.ws, NULL), 0);
            assert_int_equal(weir_ws_eof(&s.ws, &ev), WEIR_WS_END);
            assert_int_equal(ev.kind, WEIR_WS_END);
            assert_int_equal(ev.code, cut == len ? 4001 : 1006);
            assert_int_equal(ev.data.len, cut == len ? 2 : 0);
            assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_CLOSE_NOW);
            for (int again = 0; again < 3; again++) {
                assert_int_equal(weir_ws_eof(&s.ws, &ev), 0);
                assert_int_equal(ev.kind, WEIR_WS_NONE);
            }
            expect_closing(&s, cut == len ? 4001 : 0, cut == len ? 4001 : 1006,
                           cut == len ? WEIR_WS_PEER : WEIR_WS_NOBODY, cut == len);
        }
    }
}

static void test_end_after_an_error(void **state)
{
    (void)state;
    side s;
    side_init(&s, false);
    assert_int_equal(side_hear(&s, 0x83, "", 0), WEIR_ERR_WS_OPCODE);
    assert_int_equal(weir_ws_eof(&s.ws, &s.ev), WEIR_WS_END);
    assert_int_equal(s.ev.code, 1006);
    expect_closing(&s, 1002, 1006, WEIR_WS_LOCAL, false);
    assert_int_equal(weir_ws_error(&s.ws, NULL), WEIR_ERR_WS_OPCODE);
}

/* A reply that can never be made (no masking key) must not keep a dead transport open. */
static void test_end_without_entropy(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        side s;
        side_init(&s, true);
        s.broken = true;
        if (how == 0)
            assert_int_equal(side_hear(&s, 0x88, "\x03\xE8", 2), WEIR_WS_CLOSE);
        else if (how == 1)
            assert_int_equal(side_hear(&s, 0x83, "", 0), WEIR_ERR_WS_OPCODE);
        else
            assert_int_equal(side_hear(&s, 0x89, "p", 1), WEIR_WS_PING);
        assert_int_equal(weir_ws_eof(&s.ws, &s.ev), WEIR_WS_END);
        assert_int_equal(weir_ws_out(&s.ws).len, 0);
        assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_CLOSE_NOW);
    }
}

/* Our Close is queued, the peer's arrives before ours is written: one Close leaves, ours. */
static void test_simultaneous_close(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        side_init(&s, client != 0);
        assert_int_equal(weir_ws_close(&s.ws, 1001, weir_cstr("mine")), 0);
        assert_int_equal(side_hear(&s, 0x88, "\x03\xE8yours", 7), WEIR_WS_CLOSE);
        assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_CARRY_ON);
        expect_said(&s, 0x88, "\x03\xE9mine", 6);
        expect_said(&s, 0, "", 0);
        expect_closing(&s, 1001, 1000, WEIR_WS_LOCAL, true);
        assert_int_equal(weir_ws_transport(&s.ws), client ? WEIR_WS_WAIT_PEER : WEIR_WS_SHUTDOWN_WRITE);
    }
}

/* The Close counts as out only when its last byte is. */
static void test_hint_while_close_is_partly_written(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        side_init(&s, client != 0);
        assert_int_equal(weir_ws_close(&s.ws, 1001, weir_cstr("bye")), 0);
        while (weir_ws_out(&s.ws).len != 0) {
            assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_CARRY_ON);
            weir_ws_out_ack(&s.ws, 1);
        }
        assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_WAIT_PEER);
    }
}

/* A control frame in pieces is collected where the peer's reason will lie: it is none. */
static void test_no_reason_before_close(void **state)
{
    (void)state;
    side s;
    weir_ws_closing c;
    uint8_t ping[] = {0x89, 0x84, 0, 0, 0, 0, 'p', 'i'};
    weir_in in = {ping, sizeof ping};
    side_init(&s, false);
    assert_int_equal(weir_ws_next(&s.ws, &in, &s.ev), 0);
    weir_ws_closing_read(&s.ws, &c);
    assert_null(c.received_reason.ptr);
    assert_int_equal(c.received_reason.len, 0);
}

/* The transport's end is told once, and what is told after it is nothing at all. */
static void test_end_once(void **state)
{
    (void)state;
    side s;
    side_init(&s, true);
    memset(&s.ev, 0x55, sizeof s.ev);
    assert_int_equal(weir_ws_eof(&s.ws, &s.ev), WEIR_WS_END);
    assert_int_equal(s.ev.flags, 0);
    assert_int_equal(s.ev.code, 1006);
    assert_int_equal(s.ev.data.len, 0);
    memset(&s.ev, 0x55, sizeof s.ev);
    assert_int_equal(weir_ws_eof(&s.ws, &s.ev), 0);
    assert_int_equal(s.ev.kind, WEIR_WS_NONE);
    assert_int_equal(s.ev.flags, 0);
    assert_int_equal(s.ev.code, 0);
    assert_null(s.ev.data.ptr);
    assert_int_equal(s.ev.data.len, 0);
}

/* The answer to a Close waits for a key: until it is written there is something to carry on for. */
static void test_hint_while_close_waits(void **state)
{
    (void)state;
    side s;
    side_init(&s, true);
    s.broken = true;
    assert_int_equal(side_hear(&s, 0x88, "\x03\xE8", 2), WEIR_WS_CLOSE);
    assert_int_equal(weir_ws_out(&s.ws).len, 0);
    assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_CARRY_ON);
    s.broken = false;
    expect_said(&s, 0x88, "\x03\xE8", 2);
    assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_WAIT_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_received),
        cmocka_unit_test(test_every_code_sent),
        cmocka_unit_test(test_reasons_sent),
        cmocka_unit_test(test_first_close_stands),
        cmocka_unit_test(test_reason_is_kept),
        cmocka_unit_test(test_each_event_in_each_state),
        cmocka_unit_test(test_end_in_every_state),
        cmocka_unit_test(test_end_after_an_error),
        cmocka_unit_test(test_end_without_entropy),
        cmocka_unit_test(test_simultaneous_close),
        cmocka_unit_test(test_hint_while_close_is_partly_written),
        cmocka_unit_test(test_no_reason_before_close),
        cmocka_unit_test(test_end_once),
        cmocka_unit_test(test_hint_while_close_waits),
    };
    return cmocka_run_group_tests_name("ws_close", tests, NULL, NULL);
}
