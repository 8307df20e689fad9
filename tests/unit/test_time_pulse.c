/* SPDX-License-Identifier: MIT */
/* test_time_pulse.c - deadlines on a virtual clock: tables of what happens when, and what is due. */
#include "check.h"
#include "weir/pulse.h"

#include <limits.h>

/* A step on the virtual clock. */
typedef enum what { STOP, OPENED, ALIVE, ANSWERED, CLOSING, POLL, DEADLINE, WAIT } what;

typedef struct step {
    what what;
    uint64_t now;
    uint64_t wanted; /* POLL: a weir_pulse_due; ANSWERED, DEADLINE, WAIT: the number */
} step;

#define NONE WEIR_PULSE_NONE
#define BEAT WEIR_PULSE_BEAT
#define UNOPENED WEIR_PULSE_UNOPENED
#define LOST WEIR_PULSE_LOST
#define UNCLOSED WEIR_PULSE_UNCLOSED

static void run(const char *title, weir_pulse_cfg cfg, uint64_t start, const step *steps)
{
    weir_pulse pulse;
    memset(&pulse, 0xA5, sizeof pulse);
    weir_pulse_init(&pulse, &cfg, start);
    memset(&cfg, 0xA5, sizeof cfg);
    for (size_t i = 0; steps[i].what != STOP; i++) {
        uint64_t now = steps[i].now, got = steps[i].wanted;
        switch (steps[i].what) {
        case OPENED:
            weir_pulse_opened(&pulse, now);
            break;
        case ALIVE:
            weir_pulse_alive(&pulse, now);
            break;
        case ANSWERED:
            got = weir_pulse_answered(&pulse, now);
            break;
        case CLOSING:
            weir_pulse_closing(&pulse, now);
            break;
        case POLL:
            got = (uint64_t)weir_pulse_poll(&pulse, now);
            break;
        case DEADLINE:
            got = weir_pulse_deadline(&pulse);
            break;
        case WAIT:
            got = (uint64_t)(int64_t)weir_pulse_wait(&pulse, now);
            break;
        case STOP:
            break;
        }
        if (got != steps[i].wanted)
            fail_msg("%s, step %zu: %llu instead of %llu", title, i, (unsigned long long)got,
                     (unsigned long long)steps[i].wanted);
    }
}

static const weir_pulse_cfg ALL = {1000, 300, 200, 50}; /* open, beat, grace, close */

static void test_opening(void **state)
{
    (void)state;
    run("a handshake that takes too long", ALL, 5000,
        (const step[]){{DEADLINE, 0, 6000},
                       {WAIT, 5000, 1000},
                       {POLL, 5000, NONE},
                       {ALIVE, 5900, 0},
                       {DEADLINE, 0, 6000},
                       {POLL, 5999, NONE},
                       {WAIT, 5999, 1},
                       {POLL, 6000, UNOPENED},
                       {WAIT, 6000, 0},
                       {POLL, 6001, UNOPENED},
                       {POLL, 99999, UNOPENED},
                       {STOP, 0, 0}});
    run("one in time", ALL, 5000,
        (const step[]){{OPENED, 5999, 0},
                       {DEADLINE, 0, 6299},
                       {POLL, 6000, NONE},
                       {POLL, 6298, NONE},
                       {POLL, 6299, BEAT},
                       {STOP, 0, 0}});
}

static void test_heartbeat(void **state)
{
    (void)state;
    run("a peer that answers", ALL, 0,
        (const step[]){{OPENED, 100, 0},
                       {POLL, 399, NONE},
                       {POLL, 400, BEAT},
                       {POLL, 400, NONE},
                       {DEADLINE, 0, 600},
                       {ALIVE, 450, 0},
                       {DEADLINE, 0, 750},
                       {POLL, 749, NONE},
                       {POLL, 750, BEAT},
                       {ALIVE, 949, 0},
                       {POLL, 950, NONE},
                       {DEADLINE, 0, 1249},
                       {STOP, 0, 0}});
    run("a peer that talks without being asked", ALL, 0,
        (const step[]){{OPENED, 0, 0},
                       {ALIVE, 299, 0},
                       {POLL, 300, NONE},
                       {ALIVE, 598, 0},
                       {POLL, 599, NONE},
                       {POLL, 897, NONE},
                       {POLL, 898, BEAT},
                       {STOP, 0, 0}});
    run("a peer that is gone", ALL, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 300, BEAT},
                       {POLL, 499, NONE},
                       {WAIT, 499, 1},
                       {POLL, 500, LOST},
                       {WAIT, 500, 0},
                       {POLL, 501, LOST},
                       {POLL, 10000, LOST},
                       {STOP, 0, 0}});
}

/* A heartbeat each beat_ms of silence; grace counts from the first of them. */
static void test_repeated_beats(void **state)
{
    (void)state;
    const weir_pulse_cfg cfg = {0, 100, 250, 0};
    run("grace longer than beat", cfg, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 100, BEAT},
                       {DEADLINE, 0, 200},
                       {POLL, 199, NONE},
                       {POLL, 200, BEAT},
                       {DEADLINE, 0, 300},
                       {POLL, 300, BEAT},
                       {DEADLINE, 0, 350},
                       {POLL, 349, NONE},
                       {POLL, 350, LOST},
                       {STOP, 0, 0}});
    run("late polls move the following beats", cfg, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 130, BEAT},
                       {DEADLINE, 0, 230},
                       {POLL, 229, NONE},
                       {POLL, 230, BEAT},
                       {POLL, 329, NONE},
                       {POLL, 330, BEAT},
                       {POLL, 379, NONE},
                       {POLL, 380, LOST},
                       {STOP, 0, 0}});
    run("a sign of life ends the silence and its grace", cfg, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 100, BEAT},
                       {POLL, 200, BEAT},
                       {ALIVE, 340, 0},
                       {POLL, 400, NONE},
                       {POLL, 440, BEAT},
                       {POLL, 540, BEAT},
                       {POLL, 640, BEAT},
                       {POLL, 689, NONE},
                       {POLL, 690, LOST},
                       {STOP, 0, 0}});
}

/* A machine that slept does not lose peers that it never asked. */
static void test_never_lost_without_being_asked(void **state)
{
    (void)state;
    run("a long sleep", ALL, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 1000000, BEAT},
                       {POLL, 1000199, NONE},
                       {ALIVE, 1000199, 0},
                       {POLL, 1000200, NONE},
                       {STOP, 0, 0}});
    run("a long sleep, and nobody is there", ALL, 0,
        (const step[]){{OPENED, 0, 0}, {POLL, 1000000, BEAT}, {POLL, 1000200, LOST}, {STOP, 0, 0}});

    uint32_t x = 1;
    for (int round = 0; round < 2000; round++) {
        weir_pulse_cfg cfg = {0, 1 + (x >> 9) % 50, (x >> 17) % 60, 0};
        weir_pulse pulse;
        uint64_t now = 0, asked = 0;
        bool silent_beat = false;
        weir_pulse_init(&pulse, &cfg, 0);
        weir_pulse_opened(&pulse, 0);
        for (int i = 0; i < 60; i++) {
            x = x * 1664525u + 1013904223u;
            now += (x >> 8) % 40;
            uint64_t deadline = weir_pulse_deadline(&pulse);
            weir_pulse_due due = weir_pulse_poll(&pulse, now);
            assert_int_equal(due != WEIR_PULSE_NONE, now >= deadline);
            if (due == WEIR_PULSE_BEAT && !silent_beat) {
                silent_beat = true;
                asked = now;
            }
            if (due == WEIR_PULSE_LOST) {
                assert_true(silent_beat && cfg.grace_ms != 0 && now >= asked + cfg.grace_ms);
                break;
            }
            assert_false(silent_beat && cfg.grace_ms != 0 && now >= asked + cfg.grace_ms);
            if ((x >> 20) % 8 == 0) {
                weir_pulse_alive(&pulse, now);
                silent_beat = false;
            }
        }
    }
}

/* The round trip is measured from the latest heartbeat, once. */
static void test_round_trip(void **state)
{
    (void)state;
    const weir_pulse_cfg cfg = {0, 100, 250, 50};
    const uint64_t unasked = WEIR_NEVER;
    run("answers", cfg, 0,
        (const step[]){{ANSWERED, 0, unasked},
                       {OPENED, 0, 0},
                       {ANSWERED, 10, unasked},
                       {DEADLINE, 0, 110},
                       {POLL, 110, BEAT},
                       {ANSWERED, 133, 23},
                       {DEADLINE, 0, 233},
                       {ANSWERED, 134, unasked},
                       {POLL, 234, BEAT},
                       {POLL, 334, BEAT},
                       {ANSWERED, 340, 6},
                       {POLL, 439, NONE},
                       {POLL, 440, BEAT},
                       {ANSWERED, 440, 0},
                       {STOP, 0, 0}});
    run("other bytes before the Pong", cfg, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 100, BEAT},
                       {ALIVE, 105, 0},
                       {ANSWERED, 120, 20},
                       {DEADLINE, 0, 220},
                       {STOP, 0, 0}});
    run("a Pong from the past", cfg, 0,
        (const step[]){
            {OPENED, 0, 0}, {POLL, 100, BEAT}, {ANSWERED, 50, 0}, {DEADLINE, 0, 200}, {STOP, 0, 0}});
    run("a Pong while closing does not stretch the deadline", cfg, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 100, BEAT},
                       {CLOSING, 110, 0},
                       {ANSWERED, 130, 30},
                       {DEADLINE, 0, 160},
                       {POLL, 160, UNCLOSED},
                       {STOP, 0, 0}});
}

static void test_closing(void **state)
{
    (void)state;
    run("from open", ALL, 0,
        (const step[]){{OPENED, 0, 0},
                       {CLOSING, 1000, 0},
                       {DEADLINE, 0, 1050},
                       {ALIVE, 1040, 0},
                       {CLOSING, 1045, 0},
                       {DEADLINE, 0, 1050},
                       {POLL, 1049, NONE},
                       {POLL, 1050, UNCLOSED},
                       {OPENED, 1051, 0},
                       {POLL, 1051, UNCLOSED},
                       {STOP, 0, 0}});
    run("from opening", ALL, 0,
        (const step[]){{CLOSING, 10, 0}, {POLL, 59, NONE}, {POLL, 60, UNCLOSED}, {STOP, 0, 0}});
    run("after a heartbeat only the closing counts", ALL, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 300, BEAT},
                       {CLOSING, 490, 0},
                       {POLL, 539, NONE},
                       {POLL, 540, UNCLOSED},
                       {STOP, 0, 0}});
}

static void test_spans_turned_off(void **state)
{
    (void)state;
    const uint64_t far = UINT64_MAX - 1;
    run("all", (weir_pulse_cfg){0, 0, 0, 0}, 7,
        (const step[]){{DEADLINE, 0, WEIR_NEVER},
                       {WAIT, 7, (uint64_t)-1},
                       {POLL, far, NONE},
                       {OPENED, far, 0},
                       {DEADLINE, 0, WEIR_NEVER},
                       {POLL, far, NONE},
                       {WAIT, far, (uint64_t)-1},
                       {CLOSING, far, 0},
                       {DEADLINE, 0, WEIR_NEVER},
                       {POLL, far, NONE},
                       {STOP, 0, 0}});
    run("even at a time that is none", (weir_pulse_cfg){0, 0, 0, 0}, UINT64_MAX,
        (const step[]){{POLL, UINT64_MAX, NONE},
                       {OPENED, UINT64_MAX, 0},
                       {POLL, UINT64_MAX, NONE},
                       {CLOSING, UINT64_MAX, 0},
                       {POLL, UINT64_MAX, NONE},
                       {STOP, 0, 0}});
    run("no grace: heartbeats for ever", (weir_pulse_cfg){0, 10, 0, 0}, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 10, BEAT},
                       {POLL, 20, BEAT},
                       {POLL, 1000, BEAT},
                       {POLL, 1009, NONE},
                       {POLL, 1010, BEAT},
                       {STOP, 0, 0}});
    run("grace without heartbeat means nothing", (weir_pulse_cfg){0, 0, 10, 0}, 0,
        (const step[]){{OPENED, 0, 0}, {DEADLINE, 0, WEIR_NEVER}, {POLL, 1000000, NONE}, {STOP, 0, 0}});
}

/* Spans and times near the end of the clock saturate, they do not wrap. */
static void test_saturation(void **state)
{
    (void)state;
    const uint64_t far = UINT64_MAX - 10;
    run("endless spans", (weir_pulse_cfg){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}, 5,
        (const step[]){{DEADLINE, 0, WEIR_NEVER},
                       {POLL, far, NONE},
                       {OPENED, far, 0},
                       {POLL, far + 5, NONE},
                       {CLOSING, far + 5, 0},
                       {POLL, far + 9, NONE},
                       {WAIT, far + 9, (uint64_t)-1},
                       {STOP, 0, 0}});
    run("a late clock", ALL, far,
        (const step[]){
            {DEADLINE, 0, WEIR_NEVER}, {WAIT, far, (uint64_t)-1}, {POLL, far + 9, NONE}, {STOP, 0, 0}});
    run("one millisecond before never", (weir_pulse_cfg){9, 0, 0, 0}, far,
        (const step[]){
            {DEADLINE, 0, far + 9}, {POLL, far + 8, NONE}, {POLL, far + 9, UNOPENED}, {STOP, 0, 0}});
}

static void test_wait_is_an_int(void **state)
{
    (void)state;
    const uint64_t most = (uint64_t)INT_MAX;
    run("just an int", (weir_pulse_cfg){most, 0, 0, 0}, 0,
        (const step[]){{WAIT, 0, most},
                       {WAIT, 1, most - 1},
                       {WAIT, most - 1, 1},
                       {WAIT, most, 0},
                       {WAIT, most + 1, 0},
                       {WAIT, UINT64_MAX - 1, 0},
                       {STOP, 0, 0}});
    run("more than an int", (weir_pulse_cfg){most + 1, 0, 0, 0}, 0,
        (const step[]){{WAIT, 0, most}, {WAIT, 1, most}, {WAIT, 2, most - 1}, {STOP, 0, 0}});
    run("much more", (weir_pulse_cfg){UINT64_MAX - 1, 0, 0, 0}, 0,
        (const step[]){{WAIT, 0, most}, {STOP, 0, 0}});
}

/* A `now` smaller than an earlier one is taken as that earlier one. */
static void test_clock_going_backwards(void **state)
{
    (void)state;
    run("while opening", ALL, 5000,
        (const step[]){{POLL, 5900, NONE},
                       {POLL, 10, NONE},
                       {DEADLINE, 0, 6000},
                       {WAIT, 10, 100},
                       {POLL, 6000, UNOPENED},
                       {POLL, 10, UNOPENED},
                       {WAIT, 10, 0},
                       {STOP, 0, 0}});
    run("opened in the past", ALL, 5000,
        (const step[]){
            {OPENED, 10, 0}, {DEADLINE, 0, 5300}, {POLL, 20, NONE}, {POLL, 5300, BEAT}, {STOP, 0, 0}});
    run("alive in the past", ALL, 0,
        (const step[]){{OPENED, 0, 0},
                       {POLL, 299, NONE},
                       {ALIVE, 1, 0},
                       {DEADLINE, 0, 599},
                       {POLL, 300, NONE},
                       {POLL, 599, BEAT},
                       {POLL, 5, NONE},
                       {ALIVE, 5, 0},
                       {DEADLINE, 0, 899},
                       {STOP, 0, 0}});
    run("closing in the past", ALL, 0,
        (const step[]){{OPENED, 0, 0},
                       {ALIVE, 700, 0},
                       {CLOSING, 5, 0},
                       {DEADLINE, 0, 750},
                       {POLL, 749, NONE},
                       {POLL, 750, UNCLOSED},
                       {STOP, 0, 0}});
    run("a sign of life moves the clock even while closing", ALL, 0,
        (const step[]){{OPENED, 0, 0}, {CLOSING, 100, 0}, {ALIVE, 140, 0}, {WAIT, 100, 10}, {STOP, 0, 0}});
    run("so does the handshake's end", ALL, 0,
        (const step[]){{CLOSING, 100, 0}, {OPENED, 140, 0}, {WAIT, 100, 10}, {STOP, 0, 0}});
}

/* An object may be copied between calls. */
/* Opened once more while open: a silence begins, and what was asked in the last one is over. */
static void test_opened_again(void **state)
{
    (void)state;
    static const step steps[] = {
        {OPENED, 0, 0},    {POLL, 300, BEAT}, {DEADLINE, 300, 500}, {OPENED, 400, 0},  {DEADLINE, 400, 700},
        {POLL, 500, NONE}, {POLL, 700, BEAT}, {POLL, 899, NONE},    {POLL, 900, LOST}, {STOP, 0, 0}};
    run("opened again", ALL, 0, steps);
}

static void test_copy(void **state)
{
    (void)state;
    weir_pulse one, two;
    weir_pulse_init(&one, &ALL, 0);
    weir_pulse_opened(&one, 0);
    assert_int_equal(weir_pulse_poll(&one, 300), WEIR_PULSE_BEAT);
    two = one;
    weir_pulse_alive(&one, 310);
    assert_int_equal(weir_pulse_deadline(&one), 610);
    assert_int_equal(weir_pulse_deadline(&two), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening),          cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_repeated_beats),   cmocka_unit_test(test_never_lost_without_being_asked),
        cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_closing),
        cmocka_unit_test(test_spans_turned_off), cmocka_unit_test(test_saturation),
        cmocka_unit_test(test_wait_is_an_int),   cmocka_unit_test(test_clock_going_backwards),
        cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_copy),
        cmocka_unit_test(test_opened_again),
    };
    return cmocka_run_group_tests_name("time_pulse", tests, NULL, NULL);
}
