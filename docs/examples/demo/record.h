/* SPDX-License-Identifier: MIT */
/*
 * record.h - an answer as it was sent: a log of its events, by which readers go on where they stopped.
 *
 * IDs of events are `NAME-NUMBER`. The name is random: who knows it has been sent it, and gets nothing else
 * with it. Records without readers are kept for RECORD_KEEP_MS, and RECORD_KEPT_MAX of them at most; the log
 * holds the newest RECORD_LOG bytes of events.
 */
#ifndef DEMO_RECORD_H
#define DEMO_RECORD_H

#include "../adapters/poll.h"

#define RECORD_NAME 16
#define RECORD_LOG (256 * 1024)
#define RECORD_KEEP_MS 120000
#define RECORD_KEPT_MAX 256

typedef struct record {
    weir_sse_log log;
    bool over;                      /* the last event is in it */
    void *user;                     /* what makes the events */
    void (*gone)(struct record *r); /* it is about to be freed */
    uint64_t last;                  /* number of the newest event */
    uint64_t until;                 /* kept: when it goes */
    struct record *next;            /* in the list of those in use, or of those kept */
    struct record **at;
    char name[RECORD_NAME];
    uint8_t memory[RECORD_LOG];
} record;

/* A new one, in use; NULL without memory or entropy. */
record *record_new(void);

/* The record that an event's ID belongs to, or NULL. It is in use from now on. */
record *record_find(weir_str id);

/* Nobody reads it at present: kept for a while. `l` makes the timer for that. */
void record_keep(record *r, loop *l);

void record_free(record *r);

/* Appends an event; `type` NULL for a message. Returns 0, or a weir_err: nothing was appended then. */
int record_put(record *r, const char *type, weir_str data, uint64_t now);

#endif
