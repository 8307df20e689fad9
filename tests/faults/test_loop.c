/* SPDX-License-Identifier: MIT */
/* test_loop.c - the examples' loop (docs/examples/adapters): set-up, waiting, accepting, deadlines, signals,
 * when there is no memory, no descriptor, or a call fails. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "talker.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t began;

/* ---- Set-up ------------------------------------------------------------------------------------------- */

/* Without memory or descriptors there is no loop, and nothing is left behind. */
static void test_no_loop(void **state)
{
    (void)state;
    static const fault_kind kinds[] = {FAULT_ALLOC, FAULT_PIPE, FAULT_EPOLL_CREATE, FAULT_FCNTL};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        unsigned before = descriptors();
        unsigned first = kinds[i] == FAULT_FCNTL ? 4 : 1; /* three look at 0, 1 and 2 */
        bool came = true;
        for (unsigned nth = first; came; nth++) {
            faults_reset();
            fault_at(kinds[i], nth, 1, ENOMEM);
            loop *made = loop_new();
            came = fault_came(kinds[i]);
            assert_int_equal(made == NULL, came);
            loop_free(made);
            assert_int_equal(descriptors(), before);
            assert_true(nth < 50);
        }
    }
    loop_free(NULL);
}

/* Standard descriptors that are closed are occupied, by what can do no harm. */
static void test_standard_descriptors(void **state)
{
    (void)state;
    for (int fail = 0; fail < 2; fail++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            int bad = 0;
            for (int fd = 0; fd < 3; fd++)
                close(fd);
            if (fail)
                fault_at(FAULT_OPEN, 2, 1, EMFILE);
            loop *made = loop_new();
            char byte;
            bad |= made == NULL;
            bad |= (fcntl(0, F_GETFL) & O_ACCMODE) != O_WRONLY;
            if (!fail) {
                bad |= (fcntl(1, F_GETFL) & O_ACCMODE) != O_RDONLY;
                bad |= read(2, &byte, 1) != 0;
            }
            loop_free(made);
            exit(bad);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void test_where_to_listen(void **state)
{
    (void)state;
    char where[64];
    assert_non_null(loop_listen(l, "127.0.0.1", port, &talker, where, sizeof where)); /* taken */
    fault_at(FAULT_GETADDRINFO, 1, 1, EAI_NONAME);
    assert_non_null(loop_listen(l, "nowhere", 0, &talker, where, sizeof where));
    fault_at(FAULT_SOCKET, 1, 1, EMFILE);
    char wanted[128];
    snprintf(wanted, sizeof wanted, "%s", strerror(EMFILE));
    assert_string_equal(loop_listen(l, "127.0.0.1", 0, &talker, where, sizeof where), wanted);
    for (int i = 1; i < 8; i++)
        assert_null(loop_listen(l, "127.0.0.1", 0, &talker, where, sizeof where));
    assert_non_null(loop_listen(l, "127.0.0.1", 0, &talker, where, sizeof where)); /* eight are the most */
}

/* ---- Waiting ------------------------------------------------------------------------------------------ */

static void world_of_interrupts(unsigned turn)
{
    if (turn == 0)
        peer = peer_connect(port);
    if (turn == 1)
        fault_at(FAULT_WAIT, 1, 3, EINTR);
    if (turn == 4)
        peer_say(peer, "a");
    if (turn == 6)
        end();
}

static void test_interrupted_waits(void **state)
{
    (void)state;
    run(world_of_interrupts);
    assert_true(fault_came(FAULT_WAIT));
    expect_told("opened \"a\" gone");
}

static void test_wait_fails(void **state)
{
    (void)state;
    fault_at(FAULT_WAIT, 1, 1, EBADF);
    assert_int_equal(loop_run(l), -1);
    assert_int_equal(errno, EBADF);
}

static void world_that_ends(unsigned turn)
{
    if (turn == 2)
        loop_stop(l);
}

/* With poll(2) the loop's own arrays grow while it waits; with epoll nothing is asked for. */
static void test_no_memory_to_wait(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (unsigned nth = 1; nth <= 2; nth++) {
        fault_at(FAULT_ALLOC, nth, 1, ENOMEM);
        fault_world = world_that_ends;
        int rv = loop_run(l);
        assert_int_equal(rv, fault_came(FAULT_ALLOC) ? -1 : 0);
        failed += rv != 0;
        tear_down(state);
        set_up(state);
    }
    assert_true(failed == 0 || failed == 2);
}

static void world_of_again(unsigned turn)
{
    if (turn == 1)
        fault_at(FAULT_WAIT, 1, 1, EAGAIN);
    if (turn == 3)
        loop_stop(l);
}

/* poll may say EAGAIN (POSIX): once more. epoll_wait never does. */
static void test_wait_again(void **state)
{
    (void)state;
    fault_world = world_of_again;
    int rv = loop_run(l);
    assert_true(fault_came(FAULT_WAIT));
    assert_true(rv == 0 || errno == EAGAIN);
}

/* ---- Accepting ---------------------------------------------------------------------------------------- */

static void world_of_accepting(unsigned turn)
{
    static const int errors[] = {EINTR, ECONNABORTED, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM};
    static const unsigned count = sizeof errors / sizeof *errors;
    static unsigned i;
    assert_true(turn < 100);
    if (turn == 0) {
        i = 0;
    } else if (latest != NULL) {
        /* Without descriptors it looked away for a second, else it took the connection at once. */
        uint64_t took = loop_now(l) - began;
        assert_true(i < 3 ? took < 900 : took >= 1000 && took < 1900);
        assert_true(fault_came(FAULT_ACCEPT));
        expect_told("opened");
        conn_abort(latest);
        return;
    } else if (strcmp(told, "gone") == 0) {
        expect_told("gone");
        close(peer);
        peer = -1;
        i++;
    } else {
        return;
    }
    if (i == count) {
        loop_stop(l);
        return;
    }
    peer = peer_connect(port);
    fault_at(FAULT_ACCEPT, 1, 1, errors[i]);
    began = loop_now(l);
}

static void test_accept_fails(void **state)
{
    (void)state;
    run(world_of_accepting);
    expect_told("");
}

/* Who goes makes room: then it is tried again at once. */
static void world_of_room(unsigned turn)
{
    if (turn == 0) {
        peer = peer_connect(port);
        began = loop_now(l);
    } else if (turn == 1) {
        expect_told("opened");
        other = peer_connect(port);
        fault_at(FAULT_ACCEPT, 1, 1, EMFILE);
    } else if (turn == 2) {
        assert_true(fault_came(FAULT_ACCEPT));
        close(peer);
        peer = -1;
    } else if (latest != NULL && strstr(told, "opened") != NULL) {
        expect_told("ended gone opened");
        assert_true(loop_now(l) - began < 500);
        end();
    }
    assert_true(turn < 10);
}

static void test_accept_again_when_one_goes(void **state)
{
    (void)state;
    run(world_of_room);
}

static fault_kind lacking;
static unsigned lacking_nth;

static void world_of_lack(unsigned turn)
{
    if (turn == 0) {
        peer = peer_connect(port);
        fault_at(lacking, lacking_nth, 1, ENOMEM);
    } else if (turn == 2) {
        end();
    }
}

/* A connection for which there is no memory, or that cannot be made non-blocking, is closed. */
static void test_accepted_in_vain(void **state)
{
    static const struct {
        fault_kind which;
        unsigned nth;
    } rows[] = {{FAULT_FCNTL, 1}, {FAULT_FCNTL, 2}, {FAULT_FCNTL, 3}, {FAULT_ALLOC, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lacking = rows[i].which;
        /* With poll the waiter's own memory comes first, in the turn that accepts nothing yet. */
        lacking_nth = rows[i].nth;
        run(world_of_lack);
        assert_true(fault_came(lacking));
        assert_string_equal(peer_hear(peer), "EOF");
        expect_told("");
        tear_down(state);
        set_up(state);
    }
}

/* ---- Deadlines ---------------------------------------------------------------------------------------- */

enum { TIMERS = 200, KEPT = TIMERS - TIMERS / 4 };
static uint64_t wanted_due[TIMERS], last_due;
static unsigned dues;
static conn *far;

static void timer_due(conn *c)
{
    uint64_t wanted = *(uint64_t *)c->user;
    assert_true(loop_now(l) >= wanted && loop_now(l) < wanted + 20);
    assert_true(wanted >= last_due);
    last_due = wanted;
    dues++;
    conn_finish(c);
}

static void world_of_deadlines(unsigned turn)
{
    if (dues < KEPT)
        return;
    conn_abort(far);
    loop_stop(l);
    assert_true(turn < TIMERS + 10);
}

/* In their order, whatever the order in which they were set, moved and dropped. */
static void test_deadlines(void **state)
{
    static const conn_handler on = {.due = timer_due};
    static conn *timers[TIMERS];
    (void)state;
    uint32_t random = 1;
    uint64_t start = loop_now(l);
    dues = 0;
    last_due = 0;
    for (unsigned i = 0; i < TIMERS; i++) {
        timers[i] = loop_timer(l, &on, &wanted_due[i]);
        assert_non_null(timers[i]);
    }
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < TIMERS; i++) {
            random = random * 1664525u + 1013904223u;
            wanted_due[i] = start + 100 + (random >> 12) % 1000 * 100;
            conn_deadline(timers[i], wanted_due[i]);
        }
    for (unsigned i = 0; i < TIMERS; i += 4)
        conn_abort(timers[i]);
    far = loop_timer(l, &on, NULL);
    conn_deadline(far, WEIR_NEVER - 1); /* farther than a wait can be */
    run(world_of_deadlines);
    assert_int_equal(dues, KEPT);
}

/* ---- Signals ---- */

static void world_of_the_end(unsigned turn)
{
    if (turn == 0) {
        peer = peer_connect(port);
        other = peer_connect(port);
    } else if (turn == 1) {
        kill(getpid(), SIGTERM);
        began = loop_now(l);
    } else if (turn == 2) {
        kill(getpid(), SIGINT); /* once more changes nothing */
    }
    assert_true(turn < 50);
}

static void linger_on(conn *c)
{
    (void)c;
    tell("stopping");
}

/* A signal: each connection takes leave; 1.5 s later all are closed. */
static void test_signal(void **state)
{
    (void)state;
    char where[64];
    talker.stopping = linger_on;
    run(world_of_the_end);
    expect_told("opened opened stopping stopping gone gone");
    uint64_t took = loop_now(l) - began;
    assert_true(took >= 1500 && took < 1700);
    assert_non_null(loop_listen(l, "256.256.256.256", 0, &talker, where, sizeof where));
    assert_null(loop_timer(l, &talker, NULL));
    assert_null(loop_source(l, 0, &talker, NULL));
    assert_null(loop_sink(l, 1, &talker, NULL));
    assert_null(loop_connect(l, "127.0.0.1", port, &talker, NULL));
}

/* Without a handler's `stopping` a connection is finished; more signals than a pipe takes do not block. */
static void world_of_many_signals(unsigned turn)
{
    if (turn == 0) {
        peer = peer_connect(port);
    } else if (turn == 1) {
        for (int i = 0; i < 70000; i++)
            loop_stop(l);
    } else if (turn == 2) {
        assert_string_equal(peer_hear(peer), "EOF");
        close(peer);
        peer = -1;
    }
}

static void test_many_signals(void **state)
{
    (void)state;
    run(world_of_many_signals);
    expect_told("opened gone");
}

static bool is_ignored(int number)
{
    struct sigaction now;
    assert_int_equal(sigaction(number, NULL, &now), 0);
    return now.sa_handler == SIG_IGN;
}

/* What is ignored when the loop is made stays ignored, alone; all else is taken over. */
static void test_ignored_signals(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        signal(numbers[i], SIG_IGN);
        loop *made = loop_new();
        assert_non_null(made);
        assert_true(is_ignored(numbers[i]));
        assert_false(is_ignored(numbers[1 - i]));
        assert_true(is_ignored(SIGPIPE));
        loop_free(made);
        signal(numbers[i], SIG_DFL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_standard_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_where_to_listen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_interrupted_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wait_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_to_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wait_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_accept_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_accept_again_when_one_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_accepted_in_vain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deadlines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_signals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ignored_signals, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
