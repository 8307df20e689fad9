/* SPDX-License-Identifier: MIT */
/* entropy.c - getrandom(2) where it exists, /dev/urandom elsewhere and on kernels without it. */
#define _DEFAULT_SOURCE 1
#include "entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/random.h>
#endif

#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif

static int fill_from_device(uint8_t *dst, size_t len)
{
    int fd;
    do
        fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return -1;
    while (len > 0) {
        ssize_t n = read(fd, dst, len);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        if (n > 0) {
            dst += n;
            len -= (size_t)n;
        }
    }
    close(fd);
    return len == 0 ? 0 : -1;
}

int entropy_fill(void *user, uint8_t *dst, size_t len)
{
    (void)user;
#ifdef __linux__
    while (len > 0) {
        ssize_t n = getrandom(dst, len, 0);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0) {
            dst += n;
            len -= (size_t)n;
        }
    }
#endif
    return len == 0 ? 0 : fill_from_device(dst, len);
}
