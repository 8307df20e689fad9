/* SPDX-License-Identifier: MIT */
/* test_ws_roundtrip.c - a client and a server talk through random cuts, fragments, Pings and slow
 * writers: what one says is what the other hears. */
#include "harness.h"
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PIPE = 1 << 16, RECORD = 1 << 17, TEXT_MAX = 400, SEEDS = 250, STEPS = 600 };

/* A growing text of what was said or heard: messages, Pings and the Close in their order. */
typedef struct record {
    uint8_t bytes[RECORD];
    size_t len;
} record;

typedef struct peer {
    weir_ws ws;
    weir_entropy entropy;
    uint32_t random;
    uint8_t pipe[PIPE]; /* on its way to the other one */
    size_t from, to;
    uint8_t text[TEXT_MAX]; /* the message being sent */
    size_t text_len, text_at;
    size_t frame_left; /* payload owed to the frame begun */
    bool in_message;
    uint32_t kind;
    record said_data, heard_data, said_pings, heard_pings, heard_pongs;
    bool heard_in_message;
    unsigned ping_number;
} peer;

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static size_t below(peer *p, size_t n)
{
    return next_random(&p->random) % n;
}

static int peer_fill(void *user, uint8_t *dst, size_t len)
{
    peer *p = user;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(next_random(&p->random) >> 9);
    return 0;
}

static void record_put(record *r, const void *bytes, size_t len)
{
    assert_true(r->len + len <= sizeof r->bytes);
    if (len != 0)
        memcpy(r->bytes + r->len, bytes, len);
    r->len += len;
}

static void record_mark(record *r, const char *mark)
{
    record_put(r, mark, strlen(mark));
}

static void expect_same(const record *said, const record *heard, uint32_t seed, const char *what)
{
    if (said->len != heard->len || memcmp(said->bytes, heard->bytes, said->len) != 0)
        fail_msg("seed %u: %s differ (%zu bytes said, %zu heard)", (unsigned)seed, what, said->len,
                 heard->len);
}

static void peer_init(peer *p, weir_ws_role role, uint32_t seed)
{
    weir_ws_cfg cfg;
    memset(p, 0, sizeof *p);
    p->random = seed * 2654435761u + (uint32_t)role;
    assert_int_equal(weir_entropy_init(&p->entropy, peer_fill, p), 0);
    weir_ws_cfg_init(&cfg, role);
    cfg.entropy = &p->entropy;
    cfg.max_message = TEXT_MAX;
    assert_int_equal(weir_ws_init(&p->ws, &cfg), 0);
}

/* Room behind what waits in the pipe. */
static weir_out peer_room(peer *p)
{
    if (p->from == p->to)
        p->from = p->to = 0;
    return (weir_out){p->pipe + p->to, PIPE - p->to};
}

static void peer_wrote(peer *p, weir_out out)
{
    p->to = (size_t)(out.ptr - p->pipe);
}

/* ---- Speaking ----------------------------------------------------------------------------------- */

static void message_make(peer *p)
{
    static const char *const letters[] = {"a", "\xC3\xA9",    "\xE4\xBD\xA0", "\xF0\x9F\x98\x80",
                                          " ", "\xEF\xBB\xBF"};
    size_t want = below(p, 3) == 0 ? below(p, TEXT_MAX - 4) : below(p, 20);
    p->kind = below(p, 2) == 0 ? WEIR_WS_TEXT : 0;
    p->text_len = p->text_at = 0;
    while (p->text_len < want) {
        if (p->kind == 0) {
            p->text[p->text_len++] = (uint8_t)next_random(&p->random);
            continue;
        }
        const char *letter = letters[below(p, sizeof letters / sizeof *letters)];
        memcpy(p->text + p->text_len, letter, strlen(letter));
        p->text_len += strlen(letter);
    }
    record_mark(&p->said_data, p->kind != 0 ? "<text>" : "<binary>");
    record_put(&p->said_data, p->text, p->text_len);
    record_mark(&p->said_data, "<end>");
}

/* The next frame of the message, in one call or begun only. */
static void speak_frame(peer *p)
{
    uint32_t flags = p->kind;
    weir_out out = peer_room(p);
    if (out.len < 2048)
        return;
    size_t left = p->in_message ? p->text_len - p->text_at : 0;
    if (!p->in_message) {
        weir_ws copy = p->ws;
        uint8_t header[WEIR_WS_HEADER_MAX];
        size_t header_len;
        if (weir_ws_begin(&copy, WEIR_WS_FIRST, 0, header, &header_len) != 0)
            return; /* closing, or a reply is half written: no message now */
        message_make(p);
        flags = p->kind | WEIR_WS_FIRST;
        left = p->text_len;
    }
    size_t n = below(p, 2) == 0 ? left : below(p, left + 1);
    bool last = n == left && below(p, 4) != 0;
    flags |= last ? WEIR_WS_LAST : 0;
    if (below(p, 2) == 0) {
        if (weir_ws_send(&p->ws, &out, flags, (weir_str){p->text + p->text_at, n}) != 0)
            return;
        p->text_at += n;
        p->frame_left = 0;
    } else {
        uint8_t header[WEIR_WS_HEADER_MAX];
        size_t header_len;
        if (weir_ws_begin(&p->ws, flags, n, header, &header_len) != 0)
            return;
        assert_int_equal(weir_out_put(&out, (weir_str){header, header_len}), 0);
        p->frame_left = n;
    }
    peer_wrote(p, out);
    p->in_message = !last;
}

static void speak_payload(peer *p)
{
    weir_out out = peer_room(p);
    size_t n = 1 + below(p, p->frame_left);
    if (out.len < n)
        return;
    assert_int_equal(weir_ws_payload(&p->ws, out.ptr, (weir_str){p->text + p->text_at, n}), 0);
    out.ptr += n;
    peer_wrote(p, out);
    p->text_at += n;
    p->frame_left -= n;
}

static void speak_ping(peer *p)
{
    char text[64];
    int len = snprintf(text, sizeof text, "<%u%.*s>", p->ping_number, (int)below(p, 40),
                       "........................................");
    if (weir_ws_ping(&p->ws, (weir_str){(const uint8_t *)text, (size_t)len}) != 0)
        return;
    record_put(&p->said_pings, text, (size_t)len);
    p->ping_number++;
}

/* Writes all that waits, or, with `slowly`, some bytes of it. */
static void speak_replies(peer *p, bool slowly)
{
    weir_out out = peer_room(p);
    if (out.len < WEIR_WS_OUT_MAX)
        return;
    if (slowly) {
        weir_str some = weir_ws_out(&p->ws);
        size_t most = below(p, 30);
        some.len = some.len < most ? some.len : most;
        assert_int_equal(weir_out_put(&out, some), 0);
        weir_ws_out_ack(&p->ws, some.len);
    } else {
        assert_int_equal(weir_ws_out_put(&p->ws, &out), 0);
    }
    peer_wrote(p, out);
}

/* ---- Hearing ------------------------------------------------------------------------------------ */

static void hear_event(peer *p, const weir_ws_event *ev)
{
    if (ev->kind == WEIR_WS_DATA) {
        assert_int_equal((ev->flags & WEIR_WS_FIRST) != 0, !p->heard_in_message);
        if ((ev->flags & WEIR_WS_FIRST) != 0)
            record_mark(&p->heard_data, (ev->flags & WEIR_WS_TEXT) != 0 ? "<text>" : "<binary>");
        record_put(&p->heard_data, ev->data.ptr, ev->data.len);
        p->heard_in_message = (ev->flags & WEIR_WS_LAST) == 0;
        if (!p->heard_in_message)
            record_mark(&p->heard_data, "<end>");
    } else if (ev->kind == WEIR_WS_PING) {
        record_put(&p->heard_pings, ev->data.ptr, ev->data.len);
    } else if (ev->kind == WEIR_WS_PONG) {
        record_put(&p->heard_pongs, ev->data.ptr, ev->data.len);
    }
}

/* Some of what the other one wrote arrives. With `prompt`, replies leave after each event; inside a frame
 * of our own they cannot, so that is finished first. */
static void hear(peer *p, peer *other, size_t most, bool prompt)
{
    while (prompt && p->frame_left != 0)
        speak_payload(p);
    size_t n = other->to - other->from;
    n = n < most ? n : most;
    uint8_t *bytes = malloc(n + 1);
    assert_non_null(bytes);
    memcpy(bytes, other->pipe + other->from, n);
    other->from += n;
    weir_in in = {bytes, n};
    weir_ws_event ev;
    int rv;
    while ((rv = weir_ws_next(&p->ws, &in, &ev)) > 0) {
        hear_event(p, &ev);
        if (prompt)
            speak_replies(p, false);
    }
    assert_int_equal(rv, 0);
    assert_int_equal(in.len, 0);
    free(bytes);
}

static void step(peer *p, peer *other, bool prompt)
{
    switch (below(p, 8)) {
    case 0:
    case 1:
    case 2:
        if (p->frame_left != 0)
            speak_payload(p);
        else
            speak_frame(p);
        break;
    case 3:
        speak_ping(p);
        if (prompt)
            speak_replies(p, false);
        break;
    case 4:
        speak_replies(p, !prompt);
        break;
    default:
        hear(p, other, 1 + below(p, below(p, 3) == 0 ? 500 : 9), prompt);
    }
}

/* Ends the frame and the message under way and lets everything arrive. */
static void settle(peer *a, peer *b)
{
    for (int i = 0; i < 2; i++) {
        peer *p = i == 0 ? a : b;
        while (p->frame_left != 0)
            speak_payload(p);
        speak_replies(p, false);
        weir_out out = peer_room(p);
        if (p->in_message) {
            weir_str rest = {p->text + p->text_at, p->text_len - p->text_at};
            assert_int_equal(weir_ws_send(&p->ws, &out, WEIR_WS_LAST, rest), 0);
            peer_wrote(p, out);
            p->in_message = false;
        }
    }
    for (int i = 0; i < 3; i++) {
        hear(a, b, SIZE_MAX, true);
        hear(b, a, SIZE_MAX, true);
    }
}

static void talk(peer *a, peer *b, uint32_t seed, bool prompt)
{
    peer_init(a, WEIR_WS_CLIENT, seed);
    peer_init(b, WEIR_WS_SERVER, seed);
    for (int i = 0; i < STEPS; i++) {
        step(i % 2 == 0 ? a : b, i % 2 == 0 ? b : a, prompt);
        if (a->to > PIPE - 4096)
            hear(b, a, SIZE_MAX, prompt);
        if (b->to > PIPE - 4096)
            hear(a, b, SIZE_MAX, prompt);
    }
    settle(a, b);
    expect_same(&a->said_data, &b->heard_data, seed, "messages to the server");
    expect_same(&b->said_data, &a->heard_data, seed, "messages to the client");
    expect_same(&a->said_pings, &b->heard_pings, seed, "Pings to the server");
    expect_same(&b->said_pings, &a->heard_pings, seed, "Pings to the client");
}

static peer *alice, *bob;

/* Replies leave after each event: every Ping has its Pong. */
static void test_prompt_writers(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        talk(alice, bob, seed, true);
        expect_same(&alice->said_pings, &alice->heard_pongs, seed, "Pongs to the client");
        expect_same(&bob->said_pings, &bob->heard_pongs, seed, "Pongs to the server");
    }
}

/* The last number of a record of Pings or Pongs: what stands behind its last '<'. */
static unsigned last_number(const record *r)
{
    size_t at = r->len;
    while (at > 0 && r->bytes[at - 1] != '<')
        at--;
    return at == 0 ? 0 : (unsigned)strtoul((const char *)r->bytes + at, NULL, 10);
}

/* Replies leave late and in parts: the newest Ping has its Pong. */
static void test_slow_writers(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        talk(alice, bob, seed, false);
        assert_int_equal(last_number(&alice->said_pings), last_number(&alice->heard_pongs));
        assert_int_equal(last_number(&bob->said_pings), last_number(&bob->heard_pongs));
    }
}

/* One or both close at a random moment, also in the middle of messages; a frame is always finished. */
static void test_closing(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        peer_init(alice, WEIR_WS_CLIENT, seed);
        peer_init(bob, WEIR_WS_SERVER, seed + 1000000);
        size_t when = below(alice, 200);
        unsigned who = (unsigned)below(bob, 3); /* 0: client, 1: server, 2: both */
        for (size_t i = 0; i < when; i++)
            step(i % 2 == 0 ? alice : bob, i % 2 == 0 ? bob : alice, seed % 2 == 0);
        if (who != 1)
            assert_int_equal(weir_ws_close(&alice->ws, 4001, weir_cstr("")), 0);
        if (who != 0)
            assert_int_equal(weir_ws_close(&bob->ws, 4002, weir_cstr("")), 0);
        for (int i = 0; i < 4; i++) {
            while (alice->frame_left != 0)
                speak_payload(alice);
            while (bob->frame_left != 0)
                speak_payload(bob);
            speak_replies(alice, false);
            speak_replies(bob, false);
            hear(alice, bob, SIZE_MAX, true);
            hear(bob, alice, SIZE_MAX, true);
        }
        weir_ws_closing a, b;
        weir_ws_closing_read(&alice->ws, &a);
        weir_ws_closing_read(&bob->ws, &b);
        assert_true(a.clean && b.clean);
        assert_int_equal(a.sent, b.received);
        assert_int_equal(b.sent, a.received);
        assert_int_equal(a.sent, who == 1 ? 4002 : 4001);
        assert_int_equal(b.sent, who == 0 ? 4001 : 4002);
        assert_int_equal(a.first, who == 1 ? WEIR_WS_PEER : WEIR_WS_LOCAL);
        assert_int_equal(b.first, who == 0 ? WEIR_WS_PEER : WEIR_WS_LOCAL);
        assert_int_equal(weir_ws_transport(&alice->ws), WEIR_WS_WAIT_PEER);
        assert_int_equal(weir_ws_transport(&bob->ws), WEIR_WS_SHUTDOWN_WRITE);
        assert_true(bob->heard_data.len <= alice->said_data.len + 16);
        size_t same = bob->heard_data.len < alice->said_data.len ? bob->heard_data.len : alice->said_data.len;
        assert_memory_equal(bob->heard_data.bytes, alice->said_data.bytes, same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompt_writers),
        cmocka_unit_test(test_slow_writers),
        cmocka_unit_test(test_closing),
    };
    alice = malloc(sizeof *alice);
    bob = malloc(sizeof *bob);
    if (alice == NULL || bob == NULL)
        return 1;
    int rv = cmocka_run_group_tests_name("ws_roundtrip", tests, NULL, NULL);
    free(alice);
    free(bob);
    return rv;
}
