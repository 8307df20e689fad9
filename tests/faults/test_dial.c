/* SPDX-License-Identifier: MIT */
/* test_dial.c - connections that the examples' loop makes, and pipes, files and sinks around it: refusals,
 * addresses that do not answer, no memory, no descriptors, readers that go. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "talker.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void expect_gone(int error)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "gone: %s", strerror(error));
    expect_told(wanted);
}

/* ---- Connecting --------------------------------------------------------------------------------------- */

static void world_until_gone(unsigned turn)
{
    if (strstr(told, "gone") != NULL)
        loop_stop(l);
    assert_true(turn < 50);
}

static unsigned closed_port(void)
{
    unsigned at;
    close(peer_listen(1, &at));
    return at;
}

/* Each call that may fail on the way, once: `gone` tells why, or there is no connection at all. */
static void test_connect_fails(void **state)
{
    static const struct {
        fault_kind which;
        unsigned nth;
        int error, told;
    } rows[] = {
        {FAULT_SOCKET, 1, EMFILE, EMFILE},
        {FAULT_FCNTL, 1, EBADF, EBADF},
        {FAULT_FCNTL, 2, EBADF, EBADF},
        {FAULT_FCNTL, 3, EBADF, EBADF},
        {FAULT_CONNECT, 1, ENETUNREACH, ENETUNREACH},
        {FAULT_GETSOCKOPT, 1, ENOBUFS, ENOBUFS},
        {FAULT_GETADDRINFO, 1, EAI_SYSTEM, EMFILE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned before = descriptors();
        fault_at(rows[i].which, rows[i].nth, 1, rows[i].error);
        assert_non_null(loop_connect(l, "127.0.0.1", port, &talker, NULL));
        run(world_until_gone);
        assert_true(fault_came(rows[i].which));
        /* What the kernel had accepted before the fault may have been opened on our own side, and ended. */
        char wanted[128];
        snprintf(wanted, sizeof wanted, "gone: %s", strerror(rows[i].told));
        assert_non_null(strstr(told, wanted));
        assert_int_equal(gone_error, rows[i].told);
        tear_down(state);
        set_up(state);
        assert_int_equal(descriptors(), before);
    }
    assert_int_equal(gone_error, 0);
    fault_at(FAULT_GETADDRINFO, 1, 1, EAI_NONAME);
    assert_non_null(loop_connect(l, "nowhere", 1, &talker, NULL));
    run(world_until_gone);
    assert_non_null(strstr(told, gai_strerror(EAI_NONAME)));
    assert_int_equal(gone_error, 0); /* no number of errno.h */
}

static void test_no_memory_to_connect(void **state)
{
    (void)state;
    unsigned before = descriptors();
    for (unsigned nth = 1; nth <= 3; nth++) {
        fault_at(FAULT_ALLOC, nth, 1, ENOMEM);
        assert_null(loop_connect(l, "127.0.0.1", port, &talker, NULL));
        assert_true(fault_came(FAULT_ALLOC));
    }
    assert_int_equal(descriptors(), before);
    expect_told("");
}

/* Connections in the array beyond what it was made for: no memory to grow. */
static void test_no_memory_for_more(void **state)
{
    (void)state;
    unsigned made = 0, failed = 0;
    static const conn_handler on = {0};
    for (unsigned i = 0; i < 40; i++) {
        fault_at(FAULT_ALLOC, 1 + i % 2, 1, ENOMEM);
        conn *c = loop_timer(l, &on, NULL);
        made += c != NULL;
        failed += c == NULL;
    }
    assert_true(made > 0 && failed > 0);
    fault_at(FAULT_ALLOC, 1000, 1, 0);
    while (made++ < 60)
        assert_non_null(loop_timer(l, &on, NULL));
    loop_stop(l);
    run(NULL);
}

static void world_of_addresses(unsigned turn)
{
    if (turn > 0 && latest != NULL)
        end();
    assert_true(turn < 50);
}

/* One refuses, the next answers; a connect that a signal interrupted goes on. */
static void test_next_address(void **state)
{
    unsigned answers;
    for (int how = 0; how < 2; how++) {
        peer = peer_listen(5, &answers);
        fault_ports[0] = how == 0 ? closed_port() : answers;
        fault_ports[1] = how == 0 ? answers : 0;
        if (how == 1)
            fault_at(FAULT_CONNECT, 1, 1, EINTR);
        assert_non_null(loop_connect(l, "h", 1, &talker, NULL));
        uint64_t before = loop_now(l);
        run(world_of_addresses);
        expect_told("opened gone");
        assert_true(loop_now(l) - before < 1000);
        tear_down(state);
        set_up(state);
    }
    fault_ports[0] = closed_port();
    fault_ports[1] = closed_port();
    assert_non_null(loop_connect(l, "h", 1, &talker, NULL));
    run(world_until_gone);
    expect_gone(ECONNREFUSED);
}

/* A listener that takes no more connections lets the next one wait. */
static unsigned deaf_port(int held[8])
{
    unsigned at;
    peer = peer_listen(0, &at);
    for (int i = 0; i < 8; i++)
        held[i] = peer_connect(at);
    return at;
}

static void release(const int held[8])
{
    for (int i = 0; i < 8; i++)
        close(held[i]);
}

static uint64_t began;

/* An address that does not answer has 4 s while there is another. */
static void test_silent_address(void **state)
{
    (void)state;
    int held[8];
    unsigned answers;
    fault_ports[0] = deaf_port(held);
    other = peer_listen(5, &answers);
    fault_ports[1] = answers;
    assert_non_null(loop_connect(l, "h", 1, &talker, NULL));
    began = loop_now(l);
    run(world_of_addresses);
    expect_told("opened gone");
    assert_true(loop_now(l) - began >= 4000 && loop_now(l) - began < 5000);
    release(held);
}

static conn *calling;

static void world_of_silence(unsigned turn)
{
    if (turn == 2) {
        assert_false(conn_is_open(calling));
        assert_null(conn_fault(calling));
        conn_write(calling, "x", 1); /* dropped: not connected */
        assert_int_equal(conn_queued(calling), 0);
    }
    if (strstr(told, "gone") != NULL)
        loop_stop(l);
    else if (strstr(told, "due") != NULL)
        conn_finish(calling);
    assert_true(turn < 50);
}

static void test_program_gives_up(void **state)
{
    (void)state;
    int held[8];
    fault_ports[0] = deaf_port(held);
    calling = loop_connect(l, "h", 1, &talker, NULL);
    assert_non_null(calling);
    began = loop_now(l);
    conn_deadline(calling, began + 7000);
    run(world_of_silence);
    expect_told("due gone");
    assert_true(loop_now(l) - began >= 7000 && loop_now(l) - began < 8000);
    release(held);
}

/* The loop goes while connections are being made. */
static void test_freed_while_connecting(void **state)
{
    (void)state;
    int held[8];
    unsigned before = descriptors();
    fault_ports[0] = deaf_port(held);
    assert_non_null(loop_connect(l, "h", 1, &talker, NULL));
    assert_non_null(loop_connect(l, "h", 1, &talker, NULL));
    loop_free(l);
    expect_told("gone gone");
    release(held);
    close(peer);
    peer = -1;
    l = NULL;
    assert_true(descriptors() < before);
}

/* ---- Sources and sinks -------------------------------------------------------------------------------- */

static conn *made;
static int ends[2];

static void world_of_a_source(unsigned turn)
{
    if (turn == 1)
        peer_say(ends[1], "abc");
    if (turn == 3)
        close(ends[1]);
    if (strstr(told, "gone") != NULL)
        loop_stop(l);
    assert_true(turn < 50);
}

static void test_source(void **state)
{
    (void)state;
    assert_int_equal(pipe(ends), 0);
    made = loop_source(l, ends[0], &talker, NULL);
    assert_non_null(made);
    run(world_of_a_source);
    expect_told("\"abc\" ended gone");
    assert_true(fcntl(ends[0], F_GETFD) >= 0); /* it is not ours to close */
    close(ends[0]);
}

/* A file is always ready, for whatever waits. */
static void test_file(void **state)
{
    (void)state;
    char name[] = "/tmp/weir-loop-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    peer_say(fd, "line");
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    made = loop_source(l, fd, &talker, NULL);
    run(world_until_gone);
    expect_told("\"line\" ended gone");
    close(fd);
}

static char sunk[1 << 17];
static size_t sunk_len;

static void world_of_a_sink(unsigned turn)
{
    if (turn > 2) {
        ssize_t n = read(ends[0], sunk + sunk_len, 5000);
        sunk_len += n > 0 ? (size_t)n : 0;
    }
    if (strstr(told, "gone") != NULL)
        loop_stop(l);
    assert_true(turn < 500);
}

/* More than a pipe takes: as it empties. After conn_finish for as long as that lasts. */
static void test_sink(void **state)
{
    (void)state;
    static char text[100000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    sunk_len = 0;
    made = loop_sink(l, ends[1], &talker, NULL);
    conn_write(made, text, sizeof text);
    conn_finish(made);
    fault_at(FAULT_WRITE, 2, 1, EINTR);
    fault_at(FAULT_POLL, 4, 1, EINTR);
    run(world_of_a_sink);
    assert_true(fault_came(FAULT_WRITE) && fault_came(FAULT_POLL));
    assert_string_equal(told, "gone");
    ssize_t n;
    while ((n = read(ends[0], sunk + sunk_len, sizeof sunk - sunk_len)) > 0)
        sunk_len += (size_t)n;
    assert_int_equal(sunk_len, sizeof text);
    assert_memory_equal(sunk, text, sizeof text);
    close(ends[0]);
    close(ends[1]);
}

static void world_without_reader(unsigned turn)
{
    if (turn == 1)
        close(ends[0]);
    if (turn == 3 && latest == NULL && strstr(told, "gone") == NULL)
        conn_write(made, "x", 1);
    if (strstr(told, "gone") != NULL)
        loop_stop(l);
    assert_true(turn < 50);
}

/* A sink that nobody reads any more is over, whether there is something to write or not. */
static void test_sink_without_reader(void **state)
{
    (void)state;
    assert_int_equal(pipe(ends), 0);
    made = loop_sink(l, ends[1], &talker, NULL);
    run(world_without_reader);
    expect_gone(EPIPE);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_connect_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_to_connect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_for_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_next_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silent_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_program_gives_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_freed_while_connecting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sink, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sink_without_reader, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}
