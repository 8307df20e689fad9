/* SPDX-License-Identifier: MIT */
/* fuzz_time_pulse.c - the deadlines of a connection against a model that keeps the history, at times of the
 * input's choice, also such that go back or end the clock. */
#include "fuzz.h"

#include <limits.h>

typedef struct model {
    weir_pulse_cfg cfg;
    uint64_t now, began, heard; /* the clock; the phase's begin; the last sign of life */
    uint64_t first_beat, last_beat;
    bool beaten; /* since the last sign of life */
    bool asked;
    enum { OPENING, OPEN, CLOSING } phase;
} model;

/* When `span` after `time` is over; never if it is turned off, or beyond the end of the clock. */
static uint64_t after(uint64_t time, uint64_t span)
{
    return span == 0 || UINT64_MAX - time < span ? UINT64_MAX : time + span;
}

static uint64_t due_at(const model *m)
{
    if (m->phase != OPEN)
        return after(m->began, m->phase == OPENING ? m->cfg.open_ms : m->cfg.close_ms);
    uint64_t beat = after(m->beaten ? m->last_beat : m->heard, m->cfg.beat_ms);
    uint64_t lost = m->beaten ? after(m->first_beat, m->cfg.grace_ms) : UINT64_MAX;
    return beat < lost ? beat : lost;
}

static weir_pulse_due poll_model(model *m)
{
    uint64_t due = due_at(m);
    if (due == UINT64_MAX || m->now < due)
        return WEIR_PULSE_NONE;
    if (m->phase != OPEN)
        return m->phase == OPENING ? WEIR_PULSE_UNOPENED : WEIR_PULSE_UNCLOSED;
    uint64_t lost = m->beaten ? after(m->first_beat, m->cfg.grace_ms) : UINT64_MAX;
    if (lost != UINT64_MAX && m->now >= lost)
        return WEIR_PULSE_LOST;
    m->first_beat = m->beaten ? m->first_beat : m->now;
    m->last_beat = m->now;
    m->beaten = m->asked = true;
    return WEIR_PULSE_BEAT;
}

static void heard(model *m)
{
    if (m->phase != OPEN)
        return;
    m->heard = m->now;
    m->beaten = false;
}

static void step(weir_pulse *pulse, model *m, uint8_t what, uint64_t at)
{
    uint64_t wanted;
    m->now = at > m->now ? at : m->now;
    switch (what % 8) {
    case 0:
        weir_pulse_alive(pulse, at);
        heard(m);
        break;
    case 1:
        weir_pulse_opened(pulse, at);
        if (m->phase != CLOSING) {
            m->phase = OPEN;
            heard(m);
        }
        break;
    case 2:
        weir_pulse_closing(pulse, at);
        m->began = m->phase == CLOSING ? m->began : m->now;
        m->phase = CLOSING;
        break;
    case 3:
        heard(m);
        wanted = m->asked ? m->now - m->last_beat : WEIR_NEVER;
        m->asked = false;
        FUZZ_REQUIRE(weir_pulse_answered(pulse, at) == wanted);
        break;
    default:
        FUZZ_REQUIRE(weir_pulse_poll(pulse, at) == poll_model(m));
    }
}

/* A time near the present, near the deadline, or anywhere. */
static uint64_t choose_time(fuzz_input *input, const model *m)
{
    uint8_t how = fuzz_byte(input);
    uint64_t due = due_at(m), some = how >> 3;
    switch (how & 7) {
    case 0:
        return m->now - (m->now < some ? m->now : some);
    case 1:
        return due == UINT64_MAX ? m->now : due - (due != 0);
    case 2:
    case 3:
        return due == UINT64_MAX ? m->now : due;
    case 4:
        return UINT64_MAX - some;
    case 5:
        return m->now + fuzz_limit(input, 0) / 2;
    default:
        return m->now + some;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    weir_pulse pulse;
    model m;
    memset(&m, 0, sizeof m);
    m.cfg.open_ms = fuzz_limit(&input, 0);
    m.cfg.beat_ms = fuzz_limit(&input, 0);
    m.cfg.grace_ms = fuzz_limit(&input, 0);
    m.cfg.close_ms = fuzz_limit(&input, 0);
    m.now = m.began = m.heard = fuzz_limit(&input, 0);
    memset(&pulse, 0xDD, sizeof pulse);
    weir_pulse_init(&pulse, &m.cfg, m.now);
    while (input.left != 0) {
        uint8_t what = fuzz_byte(&input);
        step(&pulse, &m, what, choose_time(&input, &m));
        uint64_t due = due_at(&m), left = due > m.now ? due - m.now : 0;
        FUZZ_REQUIRE(weir_pulse_deadline(&pulse) == due);
        int wait = due == UINT64_MAX ? -1 : left < INT_MAX ? (int)left : INT_MAX;
        FUZZ_REQUIRE(weir_pulse_wait(&pulse, m.now) == wait && weir_pulse_wait(&pulse, 0) == wait);
    }
    return 0;
}
