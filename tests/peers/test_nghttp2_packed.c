/* SPDX-License-Identifier: MIT */
/* test_nghttp2_packed.c - compressed messages over HTTP/2, agreed on by weir, carried by nghttp2. Built
 * when both nghttp2 and zlib are there. */
#include "check.h"
#include "h2.h"
#include "weir/zlib.h"
#include "ws_packed.h"

#include <stdlib.h>

enum { TEXT_MAX = 60000 };

static uint8_t text[TEXT_MAX];

/* What a side sends goes into DATA, what comes out of DATA goes to the side. */
static void send_text(packed_side *s, h2_end *e, size_t len, uint32_t flags)
{
    weir_out out = h2_room(e);
    assert_int_equal(weir_ws_send(&s->ws, &out, flags, (weir_str){text, len}), 0);
    h2_say(e, out, false);
}

static void take(packed_side *s, h2_end *e)
{
    size_t n = e->in_to - e->in_from;
    assert_int_equal(packed_feed(s, e->in + e->in_from, n, SIZE_MAX / 2), 0);
    h2_took(e, n);
}

static void carry(h2_pair *p, packed_side *client, packed_side *server)
{
    size_t before;
    do {
        h2_exchange(p);
        before = p->client.frames + p->server.frames;
        take(client, &p->client);
        take(server, &p->server);
        h2_exchange(p);
    } while (before != p->client.frames + p->server.frames);
    take(client, &p->client);
    take(server, &p->server);
}

/* Opens a WebSocket with this offer; returns what both sides agreed on. */
static weir_deflate_params open_packed(h2_pair *p, const weir_deflate_policy *policy, uint32_t window,
                                       size_t most)
{
    weir_ws_offer offer = {.deflate = policy};
    weir_ws_choice choice;
    weir_deflate_params params;
    bool agreed = false;
    h2_init(p, false, window, most);
    h2_exchange(p);
    h2_offer(p, &offer);
    h2_exchange(p);
    assert_int_equal(h2_judge(p, NULL, &params, &agreed), 0);
    h2_exchange(p);
    assert_true(agreed);
    assert_int_equal(weir_ws_extended_check(&offer, 200, h2_walk(&p->client.fields), &choice), 1);
    assert_true(choice.deflated);
    assert_int_equal(choice.deflate.server_bits, params.server_bits);
    assert_int_equal(choice.deflate.client_bits, params.client_bits);
    assert_int_equal(choice.deflate.server_no_takeover, params.server_no_takeover);
    assert_int_equal(choice.deflate.client_no_takeover, params.client_no_takeover);
    return params;
}

static void check_talk(const weir_deflate_policy *policy, uint32_t window, size_t most, size_t largest)
{
    static const size_t sizes[] = {0, 1, 100, 126, 2000, 2000, 60000, 0, 5000};
    h2_pair p;
    weir_deflate_params params = open_packed(&p, policy, window, most);
    packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, params, TEXT_MAX);
    packed_side *server = packed_new(&weir_zlib, WEIR_WS_SERVER, params, TEXT_MAX);
    unsigned sent = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i] > largest)
            continue;
        uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_TEXT | (i % 4 != 3 ? WEIR_WS_DEFLATE : 0);
        send_text(client, &p.client, sizes[i], flags);
        send_text(server, &p.server, sizes[i], flags);
        carry(&p, client, server);
        sent++;
        for (int role = 0; role < 2; role++) {
            packed_side *to = role == 0 ? server : client;
            assert_int_equal(to->messages, sent);
            assert_int_equal(to->got_len, sizes[i]);
            assert_memory_equal(to->got, text, sizes[i]);
            assert_int_equal(to->got_flags & WEIR_WS_DEFLATE, flags & WEIR_WS_DEFLATE);
        }
    }
    assert_true(sent > 5 && p.client.frames >= sent);
    packed_delete(client);
    packed_delete(server);
    h2_free(&p);
}

/* With and without takeover, windows from 9 to 15, DATA frames that cut a symbol of the code. */
static void test_messages(void **state)
{
    static const weir_deflate_policy policies[] = {{0, 0, false, false},
                                                   {9, 9, false, false},
                                                   {12, 10, true, false},
                                                   {0, 0, true, true},
                                                   {15, 9, false, true}};
    (void)state;
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        check_talk(&policies[i], 65535, 16384, TEXT_MAX);
        check_talk(&policies[i], 100, 1, 2000);
        check_talk(&policies[i], 7, 3, 2000);
    }
}

/* A server without compression: the same offer, no answer to it, plain messages. */
static void test_declined(void **state)
{
    static const weir_deflate_policy policy = {0, 0, false, false};
    (void)state;
    h2_pair p;
    weir_ws_offer offer = {.deflate = &policy};
    weir_ws_choice choice;
    h2_init(&p, false, 65535, 16384);
    h2_exchange(&p);
    h2_offer(&p, &offer);
    h2_exchange(&p);
    assert_int_equal(h2_judge(&p, NULL, NULL, NULL), 0);
    h2_exchange(&p);
    assert_int_equal(weir_ws_extended_check(&offer, 200, h2_walk(&p.client.fields), &choice), 1);
    assert_false(choice.deflated);
    h2_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_declined),
    };
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)("to be or not to be, "[i % 20] + (i % 97 == 0));
    return cmocka_run_group_tests_name("nghttp2_packed", tests, NULL, NULL);
}
