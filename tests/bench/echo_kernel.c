/* SPDX-License-Identifier: MIT */
/* echo_kernel.c - sends every byte back: what sockets and the kernel cost without any protocol. */
#include "echo_epoll.h"

static void *kernel_open(void)
{
    return NULL;
}

static bool kernel_feed(void *state, uint8_t *bytes, size_t len, queue *out)
{
    (void)state;
    queue_put(out, bytes, len);
    return true;
}

static void kernel_close(void *state)
{
    (void)state;
}

int main(void)
{
    static const echo_codec codec = {kernel_open, kernel_feed, kernel_close};
    return echo_serve(&codec);
}
