/* SPDX-License-Identifier: MIT */
/*
 * choosing_tcp.c - sockets on the loopback that behave as on an Ethernet, and what Linux counts of them.
 *
 * Segments are at most 1448 bytes. TCP_INFO tells how many there were, whatever they carried; each has 40
 * bytes of IPv4 and TCP headers, 52 with timestamps, and the two that open a connection have 8 more.
 */
#define _GNU_SOURCE /* sched_setaffinity */
#include "choosing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEGMENT = 1448, HEADERS = 40, TIMESTAMPS = 12, OPENING_OPTIONS = 2 * 8 };

static void set(int fd, int option, int value)
{
    if (setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value) != 0)
        bench_fail("setsockopt");
}

void tcp_no_delay(int fd)
{
    set(fd, TCP_NODELAY, 1);
}

/* Acknowledge now: over a network, events come so far apart that each gets an acknowledgement of its own. */
void tcp_prompt_ack(int fd)
{
    set(fd, TCP_QUICKACK, 1);
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return addr;
}

int tcp_listen(int *port)
{
    struct sockaddr_in addr = loopback(0);
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        bench_fail("socket");
    set(fd, TCP_MAXSEG, SEGMENT);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        bench_fail("cannot listen on 127.0.0.1");
    *port = ntohs(addr.sin_port);
    return fd;
}

int tcp_connect(int port)
{
    struct sockaddr_in addr = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        bench_fail("socket");
    set(fd, TCP_MAXSEG, SEGMENT);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0)
        bench_fail("connect");
    tcp_no_delay(fd);
    tcp_prompt_ack(fd);
    return fd;
}

/* Both directions must have been shut down: then the segments of the end are counted too. */
void tcp_account(int fd, uint64_t bytes, wire *total)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        bench_fail("TCP_INFO");
    if (info.tcpi_segs_out == 0)
        bench_fail("this kernel does not count segments");
    uint64_t segments = (uint64_t)info.tcpi_segs_out + info.tcpi_segs_in;
    uint64_t header = HEADERS + ((info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0 ? TIMESTAMPS : 0);
    total->bytes += bytes;
    total->segments += segments;
    total->headers += segments * header + OPENING_OPTIONS;
    total->connections++;
    total->resent += info.tcpi_total_retrans;
    close(fd);
}

int random_fill(void *user, uint8_t *dst, size_t len)
{
    int *fd = user;
    return read(*fd, dst, len) == (ssize_t)len ? 0 : -1;
}

/* Client and servers share a processor. Apart, waking the other one up would need an interrupt between
 * processors, charged to the server or not, as the scheduler likes. */
void one_processor(void)
{
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    for (size_t i = CPU_SETSIZE; i-- > 0;) {
        if (CPU_ISSET(i, &allowed)) {
            CPU_SET(i, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
    }
}
