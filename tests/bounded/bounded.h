/* SPDX-License-Identifier: MIT */
/*
 * bounded.h - every machine that reads what a peer sends, the memory it was given, and what a peer may send.
 *
 * A subject is a machine at work: all memory that it may touch is painted areas between unmapped pages, so
 * that what was ever written can be told afterwards, and what lies outside cannot be written at all.
 */
#ifndef WEIR_BOUNDED_H
#define WEIR_BOUNDED_H

#include "weir/base.h"

/* ---- Memory -------------------------------------------------------------------------------------- */

/* Ends where nothing is mapped. Whatever lies before it in its first page is painted too. */
typedef struct area {
    const char *name;
    uint8_t *ptr;
    size_t len;
    uint8_t paint;
    uint8_t *map;
    size_t mapped;
} area;

area area_new(const char *name, size_t len, uint8_t paint);
void area_free(area *a);
void area_paint(area *a, uint8_t paint);
/* Bytes up to the last one that does not show the paint. */
size_t area_used(const area *a);
/* Is the paint in front of it as it was? */
bool area_front_clean(const area *a);

/* ---- Machines ------------------------------------------------------------------------------------ */

/* Something that is documented to have a limit. */
typedef struct mark {
    const char *what;
    uint64_t documented;
    uint64_t measured;
    const char *by; /* the stream that brought it there */
} mark;

enum { AREAS_MAX = 6, MARKS_MAX = 16 };

typedef struct subject subject;

/* A machine in one configuration. */
typedef struct machine {
    const char *name;
    const char *diet; /* which streams are for it, see streams_each */
    bool client;      /* of the diet "frames": hears frames that are not masked */
    unsigned variant; /* for start */
    void (*start)(subject *s);
    /* One call of the machine: above 0 for something reported, 0 for "give me more", below for an error. */
    int (*step)(subject *s, weir_in *in);
    void (*finish)(subject *s); /* the stream has ended; may be NULL */
} machine;

extern const machine machines_http[], machines_ws[], machines_sse[]; /* each ends with a name of NULL */

struct subject {
    const machine *machine;
    uint8_t paint;
    bool stalled;          /* what it has to say is written late, when much has come */
    size_t unbounded;      /* if not 0, streams of this length must fit into all limits */
    area areas[AREAS_MAX]; /* the first is the context */
    size_t area_count;
    mark marks[MARKS_MAX];
    size_t mark_count;
    const char *stream;
    uint64_t calls;     /* of step */
    uint64_t delivered; /* bytes of payload that were reported */
    uint64_t extra;     /* calls allowed beside one for each byte and one for each input */
    uint64_t state;     /* of the machine's user */
    uint64_t turn;      /* of it, too */
    int err;
};

/* Sets up memory and machine. */
void subject_start(subject *s);
/* Gives it bytes, which may be rewritten, and steps until it has taken them or failed; then takes the marks
 * of calls. Fails when a call neither takes nor reports anything. */
void subject_feed(subject *s, uint8_t *bytes, size_t len);
/* Ends the stream and takes the marks of memory. */
void subject_finish(subject *s);
/* Gives the memory back, which is else kept from run to run. */
void subject_free(subject *s);

/* For machines. */
uint8_t *subject_area(subject *s, const char *name, size_t len);
/* `what` is known by its address. */
void subject_mark(subject *s, const char *what, uint64_t documented, uint64_t measured);
int bounded_entropy(void *user, uint8_t *dst, size_t len);
/* Ends the program. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void bounded_fail(const char *format, ...);

/* ---- Streams ------------------------------------------------------------------------------------- */

typedef void (*stream_taker)(void *user, const char *name, const uint8_t *bytes, size_t len);

/* Makes each hostile stream of a diet ("head", "answer", "body", "frames", "packed", "events", "source",
 * "log", "clock"), about `size` bytes long, and hands it over. Returns how many there were. */
size_t streams_each(const char *diet, bool client, size_t size, stream_taker take, void *user);

/* The same for the stream of this name. */
void streams_one(const char *diet, bool client, const char *name, size_t size, stream_taker take, void *user);
/* Compressed frames, when there is a compressor: a part of the diet "packed". `only` may be NULL. */
size_t streams_packed_each(bool client, const char *only, size_t size, stream_taker take, void *user);

uint32_t bounded_random(void); /* the same sequence in every run */
/* A frame's header, masked by a key of zeros when its sender is a client. Returns its size. */
size_t frame_header(uint8_t *dst, bool masked, uint8_t first, uint64_t len);

/* ---- What is written ----------------------------------------------------------------------------- */

/* Room that writers are documented to need, against what they used in their worst cases. Calls `row` for
 * each: `documented` and `measured` are bytes. */
typedef void (*room_taker)(const char *what, uint64_t documented, uint64_t measured);
void rooms_each(room_taker row);

#endif
