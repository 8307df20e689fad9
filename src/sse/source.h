/* SPDX-License-Identifier: MIT */
/* source.h - floor 3: what the files of the event source share; source.c explains it. */
#ifndef WEIRI_SSE_SOURCE_H
#define WEIRI_SSE_SOURCE_H

#include "weir/sse.h"

/* state_ */
enum {
    SOURCE_WAITING, /* without a connection, until at_ */
    SOURCE_ASKED,   /* until the response's head is whole */
    SOURCE_STREAM,  /* reading events */
    SOURCE_ENDING,  /* the body has ended; the parser may still have something to say */
    SOURCE_REFUSAL, /* reading the body of a refusal */
    SOURCE_FINISHED
};

/* What a response's head comes to. */
typedef enum weiri_sse_verdict {
    VERDICT_INTERIM, /* another head follows */
    VERDICT_OPEN,
    VERDICT_FOLLOW, /* the redirect's target is set */
    VERDICT_LATER,  /* a failure; try again */
    VERDICT_REFUSED /* final */
} weiri_sse_verdict;

/* Judges source->response_. *err is set with LATER and REFUSED, *wait with LATER: milliseconds that the
 * server asks for at least. */
weiri_sse_verdict weiri_sse_judge(weir_sse_source *source, int *err, uint64_t *wait);

#endif
