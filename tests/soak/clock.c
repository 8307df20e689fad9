/* SPDX-License-Identifier: MIT */
/*
 * clock.c - a monotonic clock that can be set, for a program that LD_PRELOAD puts it under: the milliseconds
 * in the file WEIR_CLOCK (8 bytes, as they lie in memory) are added to what the system says.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t which, struct timespec *t)
{
    static const volatile int64_t *ahead;
    const char *path = getenv("WEIR_CLOCK");
    if (ahead == NULL && path != NULL) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        void *at = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
        if (fd < 0 || at == MAP_FAILED)
            abort();
        close(fd);
        ahead = at;
    }
    int rv = (int)syscall(SYS_clock_gettime, which, t);
    if (rv == 0 && which == CLOCK_MONOTONIC && ahead != NULL) {
        int64_t ns = t->tv_nsec + *ahead % 1000 * 1000000;
        t->tv_sec += (time_t)(*ahead / 1000 + ns / 1000000000);
        t->tv_nsec = (long)(ns % 1000000000);
    }
    return rv;
}
