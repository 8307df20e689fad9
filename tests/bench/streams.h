/* SPDX-License-Identifier: MIT */
/* streams.h - the event streams that are read, and who reads them. */
#ifndef WEIR_BENCH_STREAMS_H
#define WEIR_BENCH_STREAMS_H

#include "bench.h"

/* A stream, and what has to come out of it. */
typedef struct stream {
    uint8_t *bytes;
    size_t len;
    size_t most; /* bytes a read */
    size_t events;
    size_t data; /* bytes of data of all events */
    uint64_t digest;
} stream;

/* Deltas of a language model; the same with a type and an ID; one byte of data; 4 KiB in one line and in 81;
 * one line of 8 and of 16 MiB. */
typedef enum content { DELTAS, NAMED, TINY, LARGE, LINES, HUGE_8, HUGE_16 } content;

enum { LARGEST = 17 << 20 };

/* The data of event number i; returns its length, at most LARGEST. */
size_t data_put(content kind, size_t i, uint8_t *dst);
/* A stream of about so many bytes, with 0 of as many as suit the kind. */
stream stream_new(content kind, size_t most, size_t bytes);

/* A parser in a process of its own: npm's eventsource-parser under node. */
typedef struct node_peer {
    int to;
    int from;
    int pid;
} node_peer;

/* False, with a line on stdout that says why, if it cannot be had. */
bool node_open(node_peer *node);
/* Hands it the stream and sees that the right number of events and bytes comes out. */
void node_load(node_peer *node, const stream *s);
/* Parses it `times` times; returns CPU nanoseconds, of all of node's threads. */
double node_run(node_peer *node, size_t times);
void node_close(node_peer *node);

#endif
