/* SPDX-License-Identifier: MIT */
/*
 * dial.h - from a host's name and port to a connected socket, one address after the other.
 *
 *     dial *d = dial_new("localhost", 80);          looks the name up, and waits for the answer
 *     while ((fd = dial_next(d)) >= 0) {
 *         ... wait until fd can be written to, or for as long as you like ...
 *         if (dial_check(d, fd)) break;              connected
 *         close(fd);
 *     }
 *     if (fd < 0) puts(dial_fault(d));
 *     dial_free(d);
 */
#ifndef EXAMPLE_DIAL_H
#define EXAMPLE_DIAL_H

#include <stdbool.h>

typedef struct dial dial;

/* NULL without memory. A name that is unknown shows as no address to try. */
dial *dial_new(const char *host, unsigned port);

/* Begins to connect to the next address. Returns a non-blocking socket, or -1 if there is none left. */
int dial_next(dial *d);

/* Is there another address? */
bool dial_has_more(const dial *d);

/* Is the socket connected? If not, that is the fault from now on. */
bool dial_check(dial *d, int fd);

/* The address now tried has not answered in time. */
void dial_late(dial *d);

/* What went wrong last: a number of errno.h, 0 when there is none for it (a name that is unknown); and for
 * people. The text may be gone with the next one asked for, as strerror's. */
int dial_error(const dial *d);
const char *dial_fault(const dial *d);
void dial_free(dial *d);

#endif
