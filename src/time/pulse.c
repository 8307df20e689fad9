/* SPDX-License-Identifier: MIT */
/*
 * pulse.c - floor 1: the deadlines of one connection.
 *
 * Three phases, each with its own clockwork: OPENING and CLOSING have one absolute deadline, counted
 * from since_. OPEN counts silence from since_: after beat_ms a heartbeat is due, again every beat_ms
 * after the last one, and grace_ms after the first of a silence the peer is lost. Grace counts from
 * the heartbeat that was really returned, not from when it should have been: a program that slept
 * cannot lose peers that it never asked.
 */
#include "weir/pulse.h"

#include <limits.h>

enum { OPENING, OPEN, CLOSING };

static uint64_t pulse_add(uint64_t time, uint64_t span)
{
    return time > WEIR_NEVER - span ? WEIR_NEVER : time + span;
}

/* The clock never goes back. */
static uint64_t pulse_clock(weir_pulse *pulse, uint64_t now)
{
    if (now > pulse->now_)
        pulse->now_ = now;
    return pulse->now_;
}

/* WEIR_NEVER is later than any time. */
static bool pulse_reached(uint64_t now, uint64_t deadline)
{
    return deadline != WEIR_NEVER && now >= deadline;
}

static uint64_t pulse_from(uint64_t time, uint64_t span)
{
    return span != 0 ? pulse_add(time, span) : WEIR_NEVER;
}

static uint64_t pulse_next_beat(const weir_pulse *pulse)
{
    return pulse_from(pulse->beaten_ ? pulse->last_beat_ : pulse->since_, pulse->cfg_.beat_ms);
}

static uint64_t pulse_lost_at(const weir_pulse *pulse)
{
    return pulse->beaten_ ? pulse_from(pulse->first_beat_, pulse->cfg_.grace_ms) : WEIR_NEVER;
}

void weir_pulse_init(weir_pulse *pulse, const weir_pulse_cfg *cfg, uint64_t now)
{
    *pulse = (weir_pulse){*cfg, now, now, 0, 0, false, false, OPENING, 0};
}

void weir_pulse_opened(weir_pulse *pulse, uint64_t now)
{
    now = pulse_clock(pulse, now);
    if (pulse->phase_ == CLOSING)
        return;
    pulse->phase_ = OPEN;
    pulse->since_ = now;
    pulse->beaten_ = false;
}

void weir_pulse_alive(weir_pulse *pulse, uint64_t now)
{
    now = pulse_clock(pulse, now);
    if (pulse->phase_ != OPEN)
        return;
    pulse->since_ = now;
    pulse->beaten_ = false;
}

uint64_t weir_pulse_answered(weir_pulse *pulse, uint64_t now)
{
    weir_pulse_alive(pulse, now);
    if (!pulse->asked_)
        return WEIR_NEVER;
    pulse->asked_ = false;
    return pulse->now_ - pulse->last_beat_;
}

void weir_pulse_closing(weir_pulse *pulse, uint64_t now)
{
    now = pulse_clock(pulse, now);
    if (pulse->phase_ == CLOSING)
        return;
    pulse->phase_ = CLOSING;
    pulse->since_ = now;
}

weir_pulse_due weir_pulse_poll(weir_pulse *pulse, uint64_t now)
{
    now = pulse_clock(pulse, now);
    if (pulse->phase_ != OPEN) {
        if (!pulse_reached(now, weir_pulse_deadline(pulse)))
            return WEIR_PULSE_NONE;
        return pulse->phase_ == OPENING ? WEIR_PULSE_UNOPENED : WEIR_PULSE_UNCLOSED;
    }
    if (pulse_reached(now, pulse_lost_at(pulse)))
        return WEIR_PULSE_LOST;
    if (!pulse_reached(now, pulse_next_beat(pulse)))
        return WEIR_PULSE_NONE;
    if (!pulse->beaten_)
        pulse->first_beat_ = now;
    pulse->last_beat_ = now;
    pulse->beaten_ = true;
    pulse->asked_ = true;
    return WEIR_PULSE_BEAT;
}

uint64_t weir_pulse_deadline(const weir_pulse *pulse)
{
    if (pulse->phase_ == OPENING)
        return pulse_from(pulse->since_, pulse->cfg_.open_ms);
    if (pulse->phase_ == CLOSING)
        return pulse_from(pulse->since_, pulse->cfg_.close_ms);
    uint64_t beat = pulse_next_beat(pulse);
    uint64_t lost = pulse_lost_at(pulse);
    return beat < lost ? beat : lost;
}

int weir_pulse_wait(const weir_pulse *pulse, uint64_t now)
{
    uint64_t deadline = weir_pulse_deadline(pulse);
    if (deadline == WEIR_NEVER)
        return -1;
    if (now < pulse->now_)
        now = pulse->now_;
    if (deadline <= now)
        return 0;
    return deadline - now < INT_MAX ? (int)(deadline - now) : INT_MAX;
}
