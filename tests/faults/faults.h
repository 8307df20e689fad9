/* SPDX-License-Identifier: MIT */
/*
 * faults.h - system calls that fail when a test wants it, a clock that goes when nobody has anything to do,
 * and peers whose own calls never fail.
 *
 * The linker puts these calls in place of the system's (`wrap.flags`, for ld's --wrap).
 */
#ifndef WEIR_TEST_FAULTS_H
#define WEIR_TEST_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum fault_kind {
    FAULT_ALLOC, /* malloc, calloc, realloc */
    FAULT_READ,
    FAULT_WRITE,
    FAULT_SEND,
    FAULT_ACCEPT,
    FAULT_SOCKET,
    FAULT_CONNECT,
    FAULT_FCNTL,
    FAULT_PIPE,
    FAULT_OPEN,
    FAULT_POLL, /* the one that asks a sink: FAULT_WAIT is the loop's */
    FAULT_WAIT, /* poll or epoll_wait */
    FAULT_EPOLL_CTL,
    FAULT_EPOLL_CREATE,
    FAULT_GETSOCKOPT,
    FAULT_GETADDRINFO,
    FAULTS
} fault_kind;

/* The `nth` call from now on (1: the next one) fails with `error`; `times` of them in a row. */
void fault_at(fault_kind which, unsigned nth, unsigned times, int error);

/* How many such calls there were since faults_reset, and whether the fault has come. */
unsigned fault_calls(fault_kind which);
bool fault_came(fault_kind which);

/* No faults, no world, whole writes. */
void faults_reset(void);

/* At most so many bytes a send or write takes. */
extern size_t fault_write_most;

/* Sockets take nothing, and no wait says that they would. */
extern bool fault_full;

/* Called each time the loop is about to wait: what the rest of the world does meanwhile. When then nothing
 * is there to be served the clock jumps to the end of the wait, or by 1 ms if it has none. */
extern void (*fault_world)(unsigned turn);

/* Milliseconds that the clock has jumped; else it stands. */
extern uint64_t fault_jumped;

/* getaddrinfo answers with these ports of 127.0.0.1, in this order, if there are any. */
extern unsigned fault_ports[4];

/* ---- Peers -------------------------------------------------------------------------------------------- */

int peer_listen(int backlog, unsigned *port);
int peer_connect(unsigned port);
void peer_say(int fd, const char *text);
void peer_reset(int fd);

/* What has arrived, as a string; "EOF" or "RST" if it is that the other end did, "" for nothing. */
const char *peer_hear(int fd);

/* How many descriptors are open. */
unsigned descriptors(void);

#endif
