/* SPDX-License-Identifier: MIT */
/* test_conn.c - connections of the examples' loop when sockets take little, nothing or no more, when peers
 * are slow or stop, and when there is no memory. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "talker.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static fault_kind lacking;

/* ---- Reading ------------------------------------------------------------------------------------------ */

static int read_error;

static void world_of_reading(unsigned turn)
{
    if (turn == 0) {
        peer = peer_connect(port);
    } else if (turn == 1) {
        peer_say(peer, "one");
        fault_at(FAULT_READ, 1, 1, read_error);
    } else if (turn == 4) {
        end();
    }
}

static void test_read_fails(void **state)
{
    (void)state;
    static const int passing[] = {EAGAIN, EINTR};
    for (size_t i = 0; i < 2; i++) {
        read_error = passing[i];
        run(world_of_reading);
        assert_true(fault_came(FAULT_READ));
        expect_told("opened \"one\" gone");
        tear_down(state);
        set_up(state);
    }
    char wanted[128];
    read_error = ECONNRESET;
    run(world_of_reading);
    snprintf(wanted, sizeof wanted, "opened gone: %s", strerror(ECONNRESET));
    expect_told(wanted);
}

static void keep_all(conn *c, weir_in *in)
{
    (void)in;
    conn_later(c);
}

static void keep_but_one(conn *c, weir_in *in)
{
    if (in->len == 0)
        return;
    in->ptr++;
    in->len--;
    conn_later(c);
}

static void world_of_keeping(unsigned turn)
{
    if (turn == 0)
        peer = peer_connect(port);
    if (turn == 1)
        peer_say(peer, "abc");
    if (turn == 1 && lacking == FAULT_ALLOC)
        fault_at(FAULT_ALLOC, 1, 1, ENOMEM);
    if (turn == 8 && latest != NULL)
        end();
    else if (turn == 8)
        loop_stop(l);
}

/* What conn_later keeps comes again, shorter each time; without memory to keep it the connection is over. */
static void test_kept(void **state)
{
    (void)state;
    char wanted[128];
    on_bytes = keep_but_one;
    lacking = FAULTS;
    run(world_of_keeping);
    expect_told("opened \"abc\" \"bc\" \"c\" \"\" gone");
    tear_down(state);
    set_up(state);
    on_bytes = keep_all;
    lacking = FAULT_ALLOC;
    run(world_of_keeping);
    snprintf(wanted, sizeof wanted, "opened \"abc\" gone: %s", strerror(ENOMEM));
    expect_told(wanted);
}

/* While paused nothing is read, what is kept included; then it goes on. */
static void pause_and_keep(conn *c, weir_in *in)
{
    if (in->len > 1) {
        conn_later(c);
        conn_pause(c, true);
    }
}

static void world_of_pausing(unsigned turn)
{
    if (turn == 0) {
        peer = peer_connect(port);
    } else if (turn == 1) {
        peer_say(peer, "abc");
    } else if (turn == 3) {
        peer_say(peer, "d");
        expect_told("opened \"abc\"");
        conn_deadline(latest, loop_now(l) + 10);
    } else if (turn == 5) {
        expect_told("due");
        on_bytes = NULL;
        conn_pause(latest, false);
    } else if (turn == 8) {
        expect_told("\"abc\" \"d\"");
        end();
    }
}

static void test_paused(void **state)
{
    (void)state;
    on_bytes = pause_and_keep;
    run(world_of_pausing);
    expect_told("gone");
}

/* ---- Writing ------------------------------------------------------------------------------------------ */

static void echo(conn *c, weir_in *in)
{
    conn_write(c, in->ptr, in->len);
}

static int send_error;
static char heard[256];

static void hear(void)
{
    for (const char *text; *(text = peer_hear(peer)) != '\0';) {
        strncat(heard, text, sizeof heard - strlen(heard) - 1);
        if (strcmp(text, "EOF") == 0 || strcmp(text, "RST") == 0)
            return;
    }
}

static void world_of_sending(unsigned turn)
{
    if (turn == 0) {
        heard[0] = '\0';
        peer = peer_connect(port);
    } else if (turn == 1) {
        peer_say(peer, "one two three");
        if (send_error != 0)
            fault_at(FAULT_SEND, 1, 1, send_error);
    } else if (turn == 10) {
        hear();
        end();
    }
}

static void test_send_is_put_off(void **state)
{
    (void)state;
    static const int errors[] = {EAGAIN, EINTR, 0};
    for (size_t i = 0; i < 3; i++) {
        on_bytes = echo;
        send_error = errors[i];
        fault_write_most = 3; /* of what is left, each time */
        run(world_of_sending);
        assert_string_equal(heard, "one two three");
        assert_non_null(strstr(told, "progress"));
        tear_down(state);
        set_up(state);
    }
}

static void world_of_loss(unsigned turn)
{
    if (turn == 0) {
        peer = peer_connect(port);
    } else if (turn == 1) {
        fault_at(FAULT_SEND, 1, 1, EPIPE);
        peer_say(peer, "one");
    } else if (turn == 3) {
        peer_say(peer, "why");
        assert_int_equal(conn_queued(latest), 0);
    } else if (turn == 5) {
        close(peer);
        peer = -1;
    } else if (turn == 8) {
        loop_stop(l);
    }
}

/* A socket that takes no more is still read: perhaps it says why. What is written is dropped. */
static void test_nothing_goes_out(void **state)
{
    (void)state;
    char wanted[128];
    on_bytes = echo;
    run(world_of_loss);
    snprintf(wanted, sizeof wanted, "opened \"one\" \"why\" ended gone: %s", strerror(EPIPE));
    expect_told(wanted);
    assert_int_equal(fault_calls(FAULT_SEND), 1);
}

static unsigned write_alloc;
static size_t big_len;

static void write_much(conn *c, weir_in *in)
{
    static uint8_t bytes[1 << 20];
    (void)in;
    memset(bytes, 'x', sizeof bytes);
    if (write_alloc != 0)
        fault_at(FAULT_ALLOC, write_alloc, 1, ENOMEM);
    conn_write(c, bytes, big_len);
    conn_write(c, bytes, 1);
}

static void world_of_much(unsigned turn)
{
    if (turn == 0)
        peer = peer_connect(port);
    if (turn == 1)
        peer_say(peer, "go");
    if (turn == 6 && latest != NULL)
        end();
    else if (turn == 6)
        loop_stop(l);
}

static void test_no_memory_to_write(void **state)
{
    (void)state;
    char wanted[128];
    on_bytes = write_much;
    big_len = 5000;
    write_alloc = 1;
    run(world_of_much);
    snprintf(wanted, sizeof wanted, "opened \"go\" gone: %s", strerror(ENOMEM));
    expect_told(wanted);
}

/* Over the limit a connection is dropped, but for what its socket does not take only. */
static void test_limit(void **state)
{
    (void)state;
    char wanted[128];
    write_alloc = 0;
    for (int over = 0; over < 2; over++) {
        on_bytes = write_much;
        big_len = over ? 1001 : 1000;
        talker.limit = 1000;
        run(world_of_much);
        snprintf(wanted, sizeof wanted, "opened \"go\" gone%s%s", over ? ": " : "",
                 over ? strerror(ENOBUFS) : "");
        expect_told(wanted);
        tear_down(state);
        set_up(state);
    }
    /* The socket takes nothing: the second write is beyond the limit. */
    on_bytes = write_much;
    big_len = 1000;
    talker.limit = 1000;
    fault_at(FAULT_SEND, 1, 100, EAGAIN);
    run(world_of_much);
    snprintf(wanted, sizeof wanted, "opened \"go\" gone: %s", strerror(ENOBUFS));
    expect_told(wanted);
}

/* A slow peer: full above `high`, drained when it has taken most. */
static void world_of_slowness(unsigned turn)
{
    static size_t got;
    if (turn == 0) {
        got = 0;
        peer = peer_connect(port);
    } else if (turn == 1) {
        peer_say(peer, "go");
        fault_at(FAULT_SEND, 1, 3, EAGAIN);
    } else if (turn == 2) {
        assert_true(conn_is_full(latest));
        peer_say(peer, "more"); /* not read while full */
        on_bytes = NULL;
    } else if (turn > 4) {
        got += strlen(peer_hear(peer));
        if (got == big_len + 1 && strstr(told, "\"more\"") != NULL)
            end();
        assert_true(turn < 200);
    }
}

static void test_slow_peer(void **state)
{
    static const size_t lens[] = {100000, 1000000};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        on_bytes = write_much;
        write_alloc = 0;
        big_len = lens[i];
        talker.high = 1000;
        run(world_of_slowness);
        assert_ptr_equal(strstr(told, "opened \"go\" "), told);
        assert_non_null(strstr(told, "drained \"more\""));
        tear_down(state);
        set_up(state);
    }
}

/* ---- Endings and their time --------------------------------------------------------------------------- */

static void say_bye(conn *c, weir_in *in)
{
    (void)in;
    conn_write(c, "bye", 3);
    conn_finish(c);
    conn_write(c, "never", 5);
    conn_deadline(c, 0);
}

static uint64_t began;

static void world_of_lingering(unsigned turn)
{
    if (turn == 0) {
        peer = peer_connect(port);
    } else if (turn == 1) {
        peer_say(peer, "go");
        began = loop_now(l);
    } else if (strstr(told, "gone") != NULL) {
        loop_stop(l);
    } else {
        assert_true(turn < 20);
    }
}

/* We have ended, the peer does not: 2 s. */
static void test_lingering(void **state)
{
    (void)state;
    on_bytes = say_bye;
    run(world_of_lingering);
    expect_told("opened \"go\" gone");
    uint64_t took = loop_now(l) - began;
    assert_true(took >= 2000 && took < 2500);
    assert_string_equal(peer_hear(peer), "bye");
    assert_string_equal(peer_hear(peer), "EOF");
}

/* What is to be sent is not taken: 5 s without any progress. */
static void test_stalling(void **state)
{
    (void)state;
    on_bytes = say_bye;
    fault_full = true;
    run(world_of_lingering);
    expect_told("opened \"go\" gone");
    uint64_t took = loop_now(l) - began;
    assert_true(took >= 5000 && took < 5500);
    assert_string_equal(peer_hear(peer), "EOF");
}

/* Some is taken just before that: 5 s more. */
static void world_of_progress(unsigned turn)
{
    if (turn > 1)
        fault_full = loop_now(l) - began < 4000 || strstr(told, "more") != NULL;
    if (!fault_full && turn > 1) {
        fault_write_most = 1;
        tell("more");
    }
    world_of_lingering(turn);
}

static void test_progress_while_finishing(void **state)
{
    (void)state;
    conn *clock = loop_timer(l, &(const conn_handler){.due = conn_abort}, NULL);
    conn_deadline(clock, loop_now(l) + 4000);
    on_bytes = say_bye;
    fault_full = true;
    run(world_of_progress);
    uint64_t took = loop_now(l) - began;
    assert_true(took >= 9000 && took < 9500);
    assert_string_equal(peer_hear(peer), "b");
    assert_string_equal(peer_hear(peer), "EOF");
}

/* ---- Handing buffers over ----------------------------------------------------------------------------- */

static void give_twice(conn *c, weir_in *in)
{
    buffer *first = NULL, *second = NULL;
    (void)in;
    assert_true(buffer_put(&first, "first ", 6) && buffer_put(&second, "second", 6));
    conn_give(c, &first);
    assert_null(first);
    assert_int_equal(conn_queued(c), 6);
    conn_give(c, &second); /* copied behind it */
    assert_null(second);
    assert_int_equal(conn_queued(c), 12);
    conn_wrote(c, (weir_out){NULL, 0}); /* the room that was not there */
    assert_int_equal(conn_queued(c), 12);
}

static void world_of_gifts(unsigned turn)
{
    if (turn == 0) {
        heard[0] = '\0';
        peer = peer_connect(port);
    } else if (turn == 1) {
        peer_say(peer, "go");
    } else if (turn == 4) {
        hear();
        end();
    }
}

static void test_buffers_given(void **state)
{
    (void)state;
    for (int limited = 0; limited < 2; limited++) {
        on_bytes = give_twice;
        talker.limit = limited ? 100 : 0;
        run(world_of_gifts);
        assert_string_equal(heard, "first second");
        tear_down(state);
        set_up(state);
    }
}

/* Room that was asked for and not used leaves nothing behind. */
static void take_room(conn *c, weir_in *in)
{
    (void)in;
    weir_out room = conn_room(c, 10000);
    assert_int_equal(room.len, 10000);
    conn_wrote(c, room);
    assert_int_equal(conn_queued(c), 0);
    conn_write(c, "x", 1);
}

static void test_room_unused(void **state)
{
    (void)state;
    on_bytes = take_room;
    run(world_of_gifts);
    assert_string_equal(heard, "x");
    expect_told("opened \"go\" gone");
}

/* ---- Handlers that leave functions out ---------------------------------------------------------------- */

static conn *quiet;

static void catch_quiet(conn *c)
{
    quiet = c;
}

static void world_of_silence(unsigned turn)
{
    static const conn_handler nothing = {.high = 10};
    if (turn == 0) {
        peer = peer_connect(port);
    } else if (turn == 1) {
        assert_non_null(quiet);
        quiet->on = &nothing;
        fault_full = true;
        conn_write(quiet, "0123456789abcdef", 16);
        conn_deadline(quiet, loop_now(l) + 50);
        peer_say(peer, "not read while full");
    } else if (turn == 3) {
        fault_full = false;
        fault_write_most = 15; /* what waited goes in two steps, without `progress` or `drained` */
    } else if (turn == 7) {
        assert_string_equal(peer_hear(peer), "0123456789abcdef");
        close(peer); /* no `ended`: it stays, and is closed with the loop */
        peer = -1;
    } else if (turn == 10) {
        assert_true(conn_is_open(quiet));
        conn_abort(quiet);
        loop_stop(l);
    }
}

static void test_handler_of_nothing(void **state)
{
    (void)state;
    talker = (conn_handler){.opened = catch_quiet};
    quiet = NULL;
    run(world_of_silence);
    expect_told("");
}

/* The other end resets while nothing is read: the reason comes from the socket, or from asking it. */
static void stop_reading(conn *c, weir_in *in)
{
    (void)in;
    conn_pause(c, true);
    conn_write(c, "late", 4);
}

static bool asking_fails;

static void world_of_reset(unsigned turn)
{
    if (turn == 0) {
        peer = peer_connect(port);
    } else if (turn == 1) {
        fault_full = true;
        peer_say(peer, "go");
    } else if (turn == 3) {
        peer_reset(peer);
        peer = -1;
        if (asking_fails)
            fault_at(FAULT_GETSOCKOPT, 1, 1, ENOBUFS);
    } else if (turn == 6) {
        assert_true(conn_is_open(latest)); /* perhaps something arrived before: that is for who reads on */
        conn_pause(latest, false);
    } else if (turn > 6 && strstr(told, "gone") != NULL) {
        loop_stop(l);
    }
    assert_true(turn < 50);
}

static void test_reset_unread(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        char wanted[128];
        asking_fails = i == 1;
        on_bytes = stop_reading;
        run(world_of_reset);
        snprintf(wanted, sizeof wanted, "gone: %s", strerror(asking_fails ? ENOBUFS : ECONNRESET));
        assert_non_null(strstr(told, wanted));
        assert_int_equal(fault_came(FAULT_GETSOCKOPT), asking_fails);
        tear_down(state);
        set_up(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_paused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_send_is_put_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_goes_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_to_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_peer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lingering, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stalling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_progress_while_finishing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_buffers_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_room_unused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_handler_of_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reset_unread, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
