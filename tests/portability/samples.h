/* SPDX-License-Identifier: MIT */
/* samples.h - what the samples in the public headers take for granted, as their program (samples.sh). */
#ifndef WEIR_TEST_SAMPLES_H
#define WEIR_TEST_SAMPLES_H

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/weir.h>
#include <weir/zlib.h>

/* A connection, and what a program does with it. */
typedef struct conn {
    weir_ws ws;
    weir_deflate deflate;
    weir_pulse pulse;
} conn;

conn *dial(const weir_http_uri *uri);
void drop(conn *c);
void tell(conn *c);
bool room(const conn *c);
void wait_for_room(conn *c, weir_out *out);
void route(conn *c, const weir_http_head *head, weir_in *in);
void show(weir_str name, weir_str value);

/* What another sample, or the program, has declared. */
extern conn *c;
extern int fd, rv;
extern uint64_t now;
extern struct pollfd fds[8];
extern nfds_t n;
extern uint8_t buf[4096];
extern weir_in in;
extern weir_out out;
extern weir_http_head head;
extern weir_ws ws;
extern weir_ws_cfg cfg;
#ifdef SAMPLES_OF_sse
extern weir_sse_request req;
#else
extern weir_ws_request req;
#endif
extern weir_ws_accept accept;
extern weir_str data, bytes;
extern weir_deflate_cfg dc;
extern weir_deflate_policy policy;
extern size_t inflate_len, deflate_len;
extern uint8_t thread_scratch[65536];
extern weir_sse_event ev;
extern weir_sse_log log;
extern weir_sse_parser parser;
extern weir_sse_item item;
extern weir_sse_source source;

#endif
