/* SPDX-License-Identifier: MIT */
/* talker.h - a loop that listens, and a handler that writes down what it is told. */
#ifndef WEIR_TEST_TALKER_H
#define WEIR_TEST_TALKER_H

#include "adapters/poll.h"
#include "faults.h"

/* What was told since the last expect_told, as `opened "bytes" progress drained ended gone: fault`. */
extern char told[4096];
void tell(const char *what);
void expect_told(const char *wanted);

extern loop *l;
extern unsigned port;  /* where it listens, on 127.0.0.1 */
extern int gone_error; /* conn_error of the last that went with one */
extern conn *latest;   /* the connection opened last, NULL when one has gone since */
extern conn_handler talker;
extern void (*on_bytes)(conn *c, weir_in *in); /* what `readable` does beside */
extern int peer, other;                        /* closed at the end, if they are not -1 */

/* A loop with `talker` on all that it accepts; for cmocka, before and after a test. */
int set_up(void **state);
int tear_down(void **state);

/* Runs the loop to its end in a world. */
void run(void (*world)(unsigned turn));

/* The end of most worlds: the latest connection goes, and the loop with it. */
void end(void);

void due(conn *c);

#endif
