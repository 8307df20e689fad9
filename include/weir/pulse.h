/* SPDX-License-Identifier: MIT */
/*
 * weir/pulse.h - the deadlines of one connection: opening handshake, heartbeat, closing.
 *
 * weir never reads a clock. One weir_pulse beside each connection is told what happened and when,
 * says when it wants to be asked again, and then says what is due:
 *
 *     weir_pulse_cfg cfg = {.open_ms = 10000, .beat_ms = 30000, .grace_ms = 30000, .close_ms = 5000};
 *     weir_pulse_init(&c->pulse, &cfg, now);            when the connection was accepted
 *     weir_pulse_opened(&c->pulse, now);                when the opening handshake is done
 *     weir_pulse_alive(&c->pulse, now);                 whenever bytes arrived from the peer
 *     weir_pulse_closing(&c->pulse, now);               when Close was sent or the end was begun
 *
 *     poll(fds, n, weir_pulse_wait(&c->pulse, now));    or the least over all connections
 *     switch (weir_pulse_poll(&c->pulse, now)) {
 *     case WEIR_PULSE_NONE:
 *         break;
 *     case WEIR_PULSE_BEAT:
 *         weir_ws_ping(&c->ws, (weir_str){NULL, 0});    on an event stream: write a comment
 *         break;
 *     default:
 *         drop(c);                                      too late: the peer is not there
 *     }
 *
 * It serves an event stream as well. There the server is the one who talks, and nobody answers: set
 * grace_ms to 0 and write WEIR_SSE_HEARTBEAT on a beat. weir_pulse_alive is then told when an event was
 * written, so that beats come after silence of our own; that the listener is lost shows only when writing
 * fails or stays blocked.
 *
 * Time is a number of milliseconds on any clock that does not go backwards (CLOCK_MONOTONIC). A
 * `now` smaller than an earlier one is taken as that earlier one.
 */
#ifndef WEIR_PULSE_H
#define WEIR_PULSE_H

#include "weir/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "No deadline": later than any time. */
#define WEIR_NEVER UINT64_MAX

/* The four spans, in milliseconds; 0 turns one off. Without beat_ms there is no grace_ms: for an idle
 * timeout without Pings set both and send nothing on a beat. */
typedef struct weir_pulse_cfg {
    uint64_t open_ms;  /* from init to weir_pulse_opened: the whole handshake, not each read */
    uint64_t beat_ms;  /* silence after which a heartbeat is due; it is due again each beat_ms */
    uint64_t grace_ms; /* silence after the first heartbeat of a silence until the peer is lost */
    uint64_t close_ms; /* from weir_pulse_closing until the transport should be closed anyhow */
} weir_pulse_cfg;

/* What is due. */
typedef enum weir_pulse_due {
    WEIR_PULSE_NONE = 0, /* nothing; ask again at weir_pulse_deadline */
    WEIR_PULSE_BEAT = 1, /* send a Ping, or a comment on an event stream */
    WEIR_PULSE_UNOPENED, /* the handshake took longer than open_ms: close the transport */
    WEIR_PULSE_LOST,     /* the peer was silent through beat_ms + grace_ms: close the transport */
    WEIR_PULSE_UNCLOSED  /* the closing took longer than close_ms: close the transport */
} weir_pulse_due;

/* Private; visible for its size. May be copied. */
typedef struct weir_pulse {
    weir_pulse_cfg cfg_;
    uint64_t now_;        /* latest time seen */
    uint64_t since_;      /* start of the phase, or last sign of life while open */
    uint64_t first_beat_; /* first heartbeat of this silence */
    uint64_t last_beat_;  /* latest one */
    bool beaten_;         /* has there been one in this silence? */
    bool asked_;          /* the latest one is not answered yet */
    uint16_t phase_;
    uint32_t reserved_;
} weir_pulse;

/*
 * weir_pulse_init - start with the opening handshake at `now`.
 *
 * pulse    the object to set up; its former contents do not matter.                          [out]
 * cfg      the spans; copied. Not NULL.
 * now      milliseconds.
 *
 * Nothing needs to be released.
 */
WEIR_API void weir_pulse_init(weir_pulse *pulse, const weir_pulse_cfg *cfg, uint64_t now);

/*
 * weir_pulse_opened - the handshake is done; the heartbeat runs from `now`.
 * weir_pulse_alive - a sign of life at `now`: any byte from the peer counts, not only a Pong.
 * weir_pulse_closing - the end has begun; only close_ms counts from the first such call on.
 *
 * pulse    initialised.                                                                   [in,out]
 * now      milliseconds.
 *
 * Progress of a write that had been blocked is a sign of life too; a write into an empty socket buffer is
 * none (where grace_ms is 0, as on event streams, nobody is lost by silence, and `alive` only puts the next
 * beat off). weir_pulse_alive does nothing before `opened` and after `closing`: a peer that trickles bytes
 * cannot stretch either deadline. `opened` after `closing` does nothing.
 */
WEIR_API void weir_pulse_opened(weir_pulse *pulse, uint64_t now);
WEIR_API void weir_pulse_alive(weir_pulse *pulse, uint64_t now);
WEIR_API void weir_pulse_closing(weir_pulse *pulse, uint64_t now);

/*
 * weir_pulse_answered - a Pong came at `now`: a sign of life, and the round trip's time.
 *
 * pulse    initialised.                                                                   [in,out]
 * now      milliseconds.
 *
 * Returns  milliseconds since the latest heartbeat that weir_pulse_poll returned; WEIR_NEVER if that one
 *          has been answered already or there was none: a Pong that nobody asked for.
 */
WEIR_API uint64_t weir_pulse_answered(weir_pulse *pulse, uint64_t now);

/*
 * weir_pulse_poll - what is due at `now`?
 *
 * pulse    initialised.                                                                   [in,out]
 * now      milliseconds.
 *
 * Returns  WEIR_PULSE_BEAT once each beat_ms of silence; UNOPENED, LOST and UNCLOSED at every call
 *          from their deadline on; else WEIR_PULSE_NONE. After a long sleep (a suspended machine)
 *          a peer that was never asked is asked first: LOST comes only grace_ms after a BEAT was
 *          returned.
 */
WEIR_API weir_pulse_due weir_pulse_poll(weir_pulse *pulse, uint64_t now);

/*
 * weir_pulse_deadline - when something is due next.
 *
 * Returns  absolute milliseconds, or WEIR_NEVER. It changes with every other call on the object.
 */
WEIR_API uint64_t weir_pulse_deadline(const weir_pulse *pulse);

/*
 * weir_pulse_wait - the deadline as a timeout for poll(2).
 *
 * Returns  milliseconds from `now` to the deadline, 0 if it has passed, at most INT_MAX; -1 for
 *          never.
 */
WEIR_API int weir_pulse_wait(const weir_pulse *pulse, uint64_t now);

#ifdef __cplusplus
}
#endif
#endif
