/* SPDX-License-Identifier: MIT */
/*
 * attacks_control.c - known weaknesses in control frames, loops and the end of connections (RFC 6455 5.5,
 * 7), one test each, against both roles.
 *
 * What cannot arise here: buffers of Pongs that are never given back (there are none; the struct is all); a
 * number passed where bytes are wanted (the compiler refuses it). What uninitialised memory could reach the
 * wire also shows under MSan: make CC=clang SANITIZE=memory.
 */
#include "attack.h"
#include "check.h"
#include "harness.h"

#include <stdlib.h>

enum { SERVER, CLIENT, ROLES };

/* ---- Floods --------------------------------------------------------------------------------------- */

/* A flood of Pings while nothing is written: memory stays what it is, two calls a Ping, at most two Pongs
 * wait, and the newest is among them. */
static void test_flood_of_pings(void **state)
{
    enum { PINGS = 200000 };
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t size = 4; size <= 125; size += 121) {
            victim v;
            uint8_t payload[125] = {0}, bytes[WEIR_WS_OUT_MAX];
            victim_init(&v, role == CLIENT);
            v.stalled = true;
            for (uint32_t i = 0; i < PINGS; i++) {
                memcpy(payload, &i, sizeof i);
                assert_int_equal(victim_frame(&v, 0x89, payload, size), 0);
            }
            assert_int_equal(v.events, PINGS);
            assert_int_equal(v.calls, 2 * PINGS);
            assert_true(v.most_out <= 131);
            weir_out out = {bytes, sizeof bytes};
            assert_int_equal(weir_ws_out_put(v.ws, &out), 0);
            uint32_t last = PINGS - 1, said;
            const uint8_t *newest = out.ptr - size;
            for (size_t i = 0; i < sizeof said; i++)
                payload[i] = (uint8_t)(newest[i] ^ (role == CLIENT ? newest[(int)i - 4] : 0));
            memcpy(&said, payload, sizeof said);
            assert_int_equal(said, last);
            assert_int_equal(weir_ws_out(v.ws).len, 0);
            victim_free(&v);
        }
}

/* Controls without data for ever: a limit can be set, counted anew after each data frame. */
static void test_limit_of_controls(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (uint8_t first = 0x89; first <= 0x8A; first++) {
            victim v;
            int rv = 0, count = 0;
            weir_ws_cfg cfg = victim_cfg(role == CLIENT);
            cfg.max_controls = 1000;
            victim_start(&v, &cfg);
            for (; count < 1000 && rv == 0; count++)
                rv = victim_frame(&v, first, "", 0);
            assert_int_equal(victim_frame(&v, 0x82, "data", 4), 0);
            v.stalled = true;
            for (count = 0; count < 5000 && rv == 0; count++) {
                rv = victim_frame(&v, first, "", 0);
                if (rv == 0)
                    weir_ws_out_ack(v.ws, SIZE_MAX);
            }
            assert_int_equal(rv, WEIR_ERR_WS_CONTROLS);
            assert_int_equal(count, 1001);
            victim_expect_close(&v, 1008);
            victim_free(&v);
        }
}

/* A flood behind the end: after a Close and after an error, input costs one call a piece and says nothing. */
static void test_flood_behind_the_end(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (int failed = 0; failed < 2; failed++) {
            victim v;
            victim_init(&v, role == CLIENT);
            int end = failed ? victim_frame(&v, 0x83, "", 0) : victim_frame(&v, 0x88, "\x03\xE8", 2);
            assert_int_equal(end, failed ? (int)WEIR_ERR_WS_OPCODE : 0);
            uint64_t calls = v.calls, events = v.events;
            v.most_out = 0;
            for (unsigned i = 0; i < 10000; i++)
                assert_int_equal(victim_frame(&v, 0x89, "ping", 4), end);
            assert_int_equal(v.calls, calls + 10000);
            assert_int_equal(v.events, events);
            assert_int_equal(v.most_out, 0);
            victim_free(&v);
        }
}

/* ---- Loops ---------------------------------------------------------------------------------------- */

/* A frame that makes the reader spin: each call takes input, reports something, or wants more. Random bytes
 * in random pieces; victim_hear counts. */
static void test_progress_on_garbage(void **state)
{
    static const uint8_t firsts[] = {0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8A};
    (void)state;
    for (uint32_t seed = 1; seed < 3000; seed++) {
        victim v;
        uint8_t bytes[64];
        uint32_t x = seed * 2654435761u;
        int rv = 0;
        victim_init(&v, seed % 2 != 0);
        for (int round = 0; round < 20; round++) {
            for (size_t i = 0; i < sizeof bytes; i++) {
                x = x * 1664525u + 1013904223u;
                bytes[i] = (uint8_t)(x >> 24);
            }
            bytes[0] = firsts[x % sizeof firsts];
            bytes[1] = (uint8_t)((v.client ? 0 : 0x80) | bytes[1] % 60);
            int again = victim_hear(&v, bytes, 1 + (x >> 8) % sizeof bytes);
            assert_true(rv == 0 || again == rv);
            rv = again;
        }
        assert_true(v.calls <= v.events + 20 && v.events <= v.fed);
        victim_free(&v);
    }
}

/* The transport ends inside a frame and the reader goes round for ever: one END, wherever the stream is cut,
 * then nothing, and the hint to close. */
static void test_end_anywhere(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        uint8_t stream[300];
        size_t len = 0, whole = 0;
        for (size_t cut = 0; cut <= whole; cut++) {
            victim v;
            weir_ws_event ev;
            victim_init(&v, role == CLIENT);
            if (cut == 0) {
                len = victim_header(&v, stream, 0x01, 1);
                stream[len++] = 'a';
                len += victim_header(&v, stream + len, 0x89, 2);
                memcpy(stream + len, "pp", 2);
                len += 2;
                len += victim_header(&v, stream + len, 0x80, 200);
                memset(stream + len, 'b', 100);
                whole = len + 100;
            }
            assert_int_equal(victim_hear(&v, stream, cut), 0);
            assert_int_equal(weir_ws_eof(v.ws, &ev), WEIR_WS_END);
            assert_int_equal(ev.code, 1006);
            for (int again = 0; again < 3; again++)
                assert_int_equal(weir_ws_eof(v.ws, &ev), 0);
            assert_int_equal(weir_ws_transport(v.ws), WEIR_WS_CLOSE_NOW);
            victim_free(&v);
        }
    }
}

/* A peer that never ends its side keeps the connection: once Close went both ways, or the protocol was
 * broken, the hint says so, whatever else arrives. */
static void test_hint_stands(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (int failed = 0; failed < 2; failed++) {
            victim v;
            weir_ws_todo todo = failed || role == SERVER ? WEIR_WS_SHUTDOWN_WRITE : WEIR_WS_WAIT_PEER;
            victim_init(&v, role == CLIENT);
            (void)(failed ? victim_frame(&v, 0x83, "", 0) : victim_frame(&v, 0x88, "", 0));
            for (unsigned i = 0; i < 100; i++) {
                assert_int_equal(weir_ws_transport(v.ws), todo);
                (void)victim_frame(&v, i % 2 != 0 ? 0x88 : 0x82, "\x03\xE8", 2);
            }
            victim_free(&v);
        }
}

/* ---- Memory --------------------------------------------------------------------------------------- */

/* Use after free when the program drops the connection in answer to an event: after each event of a stream,
 * also inside one input, the connection and then the input are unmapped. */
static void test_dropped_at_every_event(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (int drop = 0; drop <= 6; drop++) {
            victim v;
            uint8_t stream[64];
            weir_ws_event ev;
            victim_init(&v, role == CLIENT);
            static const uint8_t firsts[] = {0x01, 0x89, 0x8A, 0x80, 0x88};
            static const char *const payloads[] = {"ab", "pp", "qq", "cd", "\x03\xE8"};
            size_t len = 0;
            for (size_t i = 0; i < 5; i++) {
                len += victim_header(&v, stream + len, firsts[i], 2);
                memcpy(stream + len, payloads[i], 2);
                len += 2;
            }
            uint8_t *bytes = guard_copy(stream, len, false);
            weir_in in = {bytes, len};
            for (int i = 0; i < drop && i < 5; i++)
                assert_true(weir_ws_next(v.ws, &in, &ev) > 0);
            if (drop == 6)
                assert_int_equal(weir_ws_eof(v.ws, &ev), WEIR_WS_END);
            victim_free(&v);
            guard_free(bytes);
        }
}

/* The input is gone before the answer is written: what waits lies in the connection, not in the input. */
static void test_replies_outlive_the_input(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t size = 0; size <= 125; size += 25) {
            victim v;
            uint8_t frame[WEIR_WS_HEADER_MAX + 125], wire[WEIR_WS_OUT_MAX];
            weir_ws_event ev;
            size_t key = role == CLIENT ? 4 : 0;
            victim_init(&v, role == CLIENT);
            size_t len = victim_header(&v, frame, 0x89, size);
            memset(frame + len, 'p', size);
            uint8_t *bytes = guard_copy(frame, len + size, false);
            weir_in in = {bytes, len + size};
            assert_int_equal(weir_ws_next(v.ws, &in, &ev), WEIR_WS_PING);
            guard_free(bytes);
            weir_out out = {wire, sizeof wire};
            assert_int_equal(weir_ws_out_put(v.ws, &out), 0);
            assert_int_equal(sizeof wire - out.len, 2 + key + size);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(wire[2 + key + i] ^ (key != 0 ? wire[2 + i % 4] : 0), 'p');
            victim_free(&v);
        }
}

/* What a connection that began in memory with this contents writes, all of it. */
static size_t said_from(int contents, bool client, uint8_t *said, size_t room)
{
    victim v;
    weir_out out = {said, room};
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    weir_ws_cfg cfg = victim_cfg(client);
    victim_init(&v, client);
    cfg.entropy = &v.entropy;
    memset(v.ws, contents, sizeof *v.ws);
    assert_int_equal(weir_ws_init(v.ws, &cfg), 0);
    memset(said, contents, room);
    assert_int_equal(weir_ws_send(v.ws, &out, WEIR_WS_WHOLE, weir_cstr("x")), 0);
    assert_int_equal(weir_ws_send(v.ws, &out, WEIR_WS_FIRST, weir_cstr("")), 0);
    assert_int_equal(weir_ws_begin(v.ws, WEIR_WS_LAST, 0, header, &header_len), 0);
    assert_int_equal(weir_out_put(&out, (weir_str){header, header_len}), 0);
    assert_int_equal(weir_ws_ping(v.ws, weir_cstr("")), 0);
    v.stalled = true;
    assert_int_equal(victim_frame(&v, 0x89, "", 0), 0);
    assert_int_equal(victim_frame(&v, 0x88, "", 0), 0);
    assert_int_equal(weir_ws_out_put(v.ws, &out), 0);
    victim_free(&v);
    return room - out.len;
}

/* Memory that was never set leaves the process: whatever lay in the connection before, what is written is the
 * same. */
static void test_uninitialised_output(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        uint8_t one[128], other[128];
        size_t len = said_from(0x11, role == CLIENT, one, sizeof one);
        assert_int_equal(len, 3 + 5 * 2 + (role == CLIENT ? 6 * 4 : 0));
        assert_int_equal(said_from(0xEE, role == CLIENT, other, sizeof other), len);
        assert_memory_equal(one, other, len);
    }
}

/* Reading behind the input: each prefix of a stream, and the rest, lie flush against an unmapped page. */
static void test_over_read(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        uint8_t stream[512];
        size_t len = 1;
        for (size_t cut = 0; cut <= len; cut++) {
            victim v;
            weir_ws_closing closing;
            victim_init(&v, role == CLIENT);
            len = victim_header(&v, stream, 0x81, 126);
            memset(stream + len, 'a', 126);
            len += 126;
            len += victim_header(&v, stream + len, 0x89, 125);
            memset(stream + len, 'p', 125);
            len += 125;
            len += victim_header(&v, stream + len, 0x88, 5);
            memcpy(stream + len, "\x03\xE8why", 5);
            len += 5;
            assert_int_equal(victim_hear(&v, stream, cut), 0);
            assert_int_equal(victim_hear(&v, stream + cut, len - cut), 0);
            weir_ws_closing_read(v.ws, &closing);
            assert_true(closing.clean);
            assert_str(closing.received_reason, "why");
            victim_free(&v);
        }
    }
}

/* A Close whose payload is read further than it goes: of one byte, of a reason cut inside a character. */
static void test_malformed_closes(void **state)
{
    static const struct {
        const char *payload;
        size_t len;
        int rv;
    } rows[] = {
        {"\x03", 1, WEIR_ERR_WS_CLOSE_SIZE},
        {"\x03\xEE", 2, WEIR_ERR_WS_CLOSE_CODE}, /* 1006 is never on the wire */
        {"\x03\xE8\xE2\x82", 4, WEIR_ERR_WS_CLOSE_UTF8},
        {"\x03\xE8\x80", 3, WEIR_ERR_WS_CLOSE_UTF8},
        {"\x03\xE8r\0n", 5, 0}, /* NUL is a character */
    };
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            for (int bytewise = 0; bytewise < 2; bytewise++) {
                victim v;
                uint8_t frame[16];
                victim_init(&v, role == CLIENT);
                v.stalled = true;
                size_t len = victim_header(&v, frame, 0x88, rows[i].len);
                memcpy(frame + len, rows[i].payload, rows[i].len);
                len += rows[i].len;
                int rv = bytewise ? victim_hear_bytewise(&v, frame, len) : victim_hear(&v, frame, len);
                assert_int_equal(rv, rows[i].rv);
                victim_expect_close(&v, rv == 0 ? 1000 : weir_err_lookup(rv)->close_code);
                victim_free(&v);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flood_of_pings),         cmocka_unit_test(test_limit_of_controls),
        cmocka_unit_test(test_flood_behind_the_end),   cmocka_unit_test(test_progress_on_garbage),
        cmocka_unit_test(test_end_anywhere),           cmocka_unit_test(test_hint_stands),
        cmocka_unit_test(test_dropped_at_every_event), cmocka_unit_test(test_replies_outlive_the_input),
        cmocka_unit_test(test_uninitialised_output),   cmocka_unit_test(test_over_read),
        cmocka_unit_test(test_malformed_closes),
    };
    return cmocka_run_group_tests_name("attacks_control", tests, NULL, NULL);
}
