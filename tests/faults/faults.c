/* SPDX-License-Identifier: MIT */
/* faults.c - what stands in for the system's calls. */
#define _POSIX_C_SOURCE 200809L
#include "faults.h"

#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- Faults ------------------------------------------------------------------------------------------- */

static struct {
    unsigned calls, from, to;
    int error;
    bool came;
} plans[FAULTS];

size_t fault_write_most;
bool fault_full;
void (*fault_world)(unsigned turn);
uint64_t fault_jumped;
unsigned fault_ports[4];
static unsigned turns;

void fault_at(fault_kind which, unsigned nth, unsigned times, int error)
{
    plans[which].from = plans[which].calls + nth;
    plans[which].to = plans[which].from + times;
    plans[which].error = error;
    plans[which].came = false;
}

unsigned fault_calls(fault_kind which)
{
    return plans[which].calls;
}

bool fault_came(fault_kind which)
{
    return plans[which].came;
}

void faults_reset(void)
{
    memset(plans, 0, sizeof plans);
    memset(fault_ports, 0, sizeof fault_ports);
    fault_write_most = SIZE_MAX;
    fault_world = NULL;
    fault_full = false;
    turns = 0;
}

static bool fails(fault_kind which)
{
    unsigned call = ++plans[which].calls;
    if (call < plans[which].from || call >= plans[which].to)
        return false;
    plans[which].came = true;
    errno = plans[which].error;
    return true;
}

/* ---- The calls ---------------------------------------------------------------------------------------- */

/* clang-format off */
#define TWIN(type, name, parameters) \
    type __real_##name parameters; \
    type __wrap_##name parameters; \
    type __wrap_##name parameters
/* clang-format on */

TWIN(void *, malloc, (size_t size))
{
    return fails(FAULT_ALLOC) ? NULL : __real_malloc(size);
}

TWIN(void *, calloc, (size_t count, size_t size))
{
    return fails(FAULT_ALLOC) ? NULL : __real_calloc(count, size);
}

TWIN(void *, realloc, (void *old, size_t size))
{
    return fails(FAULT_ALLOC) ? NULL : __real_realloc(old, size);
}

/* As POSIX allows it: the text is gone with the next one. */
TWIN(char *, strerror, (int number))
{
    static char text[128];
    snprintf(text, sizeof text, "%s", __real_strerror(number));
    return text;
}

/* The time that a machine needs is no time here. */
TWIN(int, clock_gettime, (clockid_t id, struct timespec *t))
{
    uint64_t ms = 1000000 + fault_jumped;
    (void)id;
    t->tv_sec = (time_t)(ms / 1000);
    t->tv_nsec = (long)(ms % 1000) * 1000000;
    return 0;
}

TWIN(ssize_t, read, (int fd, void *bytes, size_t len))
{
    return fails(FAULT_READ) ? -1 : __real_read(fd, bytes, len);
}

TWIN(ssize_t, write, (int fd, const void *bytes, size_t len))
{
    return fails(FAULT_WRITE) ? -1 : __real_write(fd, bytes, len < fault_write_most ? len : fault_write_most);
}

TWIN(ssize_t, send, (int fd, const void *bytes, size_t len, int flags))
{
    if (fault_full)
        errno = EAGAIN;
    if (fails(FAULT_SEND) || fault_full)
        return -1;
    return __real_send(fd, bytes, len < fault_write_most ? len : fault_write_most, flags);
}

TWIN(int, accept, (int fd, struct sockaddr *address, socklen_t *len))
{
    return fails(FAULT_ACCEPT) ? -1 : __real_accept(fd, address, len);
}

TWIN(int, socket, (int domain, int type, int protocol))
{
    return fails(FAULT_SOCKET) ? -1 : __real_socket(domain, type, protocol);
}

TWIN(int, connect, (int fd, const struct sockaddr *address, socklen_t len))
{
    int rv = __real_connect(fd, address, len);
    return fails(FAULT_CONNECT) ? -1 : rv;
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, int argument);
int __wrap_fcntl(int fd, int command, int argument)
{
    return fails(FAULT_FCNTL) ? -1 : __real_fcntl(fd, command, argument);
}

TWIN(int, pipe, (int fds[2]))
{
    return fails(FAULT_PIPE) ? -1 : __real_pipe(fds);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, int mode);
int __wrap_open(const char *path, int flags, int mode)
{
    return fails(FAULT_OPEN) ? -1 : __real_open(path, flags, mode);
}

TWIN(int, epoll_create1, (int flags))
{
    return fails(FAULT_EPOLL_CREATE) ? -1 : __real_epoll_create1(flags);
}

TWIN(int, epoll_ctl, (int fd, int op, int which, struct epoll_event *event))
{
    return fails(FAULT_EPOLL_CTL) ? -1 : __real_epoll_ctl(fd, op, which, event);
}

TWIN(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len))
{
    return fails(FAULT_GETSOCKOPT) ? -1 : __real_getsockopt(fd, level, name, value, len);
}

TWIN(int, getaddrinfo,
     (const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list))
{
    char port[16];
    if (fails(FAULT_GETADDRINFO))
        return errno == EAI_SYSTEM ? (errno = EMFILE, EAI_SYSTEM) : errno;
    if (fault_ports[0] == 0)
        return __real_getaddrinfo(host, service, hints, list);
    struct addrinfo **end = list;
    for (size_t i = 0; i < 4 && fault_ports[i] != 0; i++) {
        snprintf(port, sizeof port, "%u", fault_ports[i]);
        int rv = __real_getaddrinfo("127.0.0.1", port, hints, end);
        if (rv != 0)
            return rv;
        while (*end != NULL)
            end = &(*end)->ai_next;
    }
    return 0;
}

/* ---- Waiting ------------------------------------------------------------------------------------------ */

/* Before a wait: false if it fails. */
static bool wait_begins(void)
{
    if (fault_world != NULL)
        fault_world(turns);
    turns++;
    return !fails(FAULT_WAIT);
}

/* After one that found nothing. */
static int wait_ends(int timeout)
{
    if (turns > 10000) {
        print_error("the loop waits for ever\n");
        errno = EDEADLK;
        return -1;
    }
    fault_jumped += timeout < 0 ? 1 : (uint64_t)timeout;
    return 0;
}

TWIN(int, epoll_wait, (int fd, struct epoll_event *events, int most, int timeout))
{
    if (!wait_begins())
        return -1;
    int n = __real_epoll_wait(fd, events, most, 0), kept = 0;
    for (int i = 0; fault_full && i < n; i++) {
        events[kept] = events[i];
        events[kept].events &= ~(uint32_t)EPOLLOUT;
        kept += events[kept].events != 0;
    }
    n = fault_full && n > 0 ? kept : n;
    return n != 0 ? n : wait_ends(timeout);
}

TWIN(int, poll, (struct pollfd * fds, nfds_t count, int timeout))
{
    if (count == 1 && fds[0].events == POLLOUT && timeout == 0)
        return fails(FAULT_POLL) ? -1 : __real_poll(fds, count, 0);
    if (!wait_begins())
        return -1;
    int n = __real_poll(fds, count, 0);
    for (nfds_t i = 0; fault_full && n > 0 && i < count; i++) {
        bool came = fds[i].revents != 0;
        fds[i].revents &= (short)~POLLOUT;
        n -= came && fds[i].revents == 0;
    }
    return n != 0 ? n : wait_ends(timeout);
}

/* ---- Peers -------------------------------------------------------------------------------------------- */

static struct sockaddr_in local(unsigned port)
{
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    return address;
}

int peer_listen(int backlog, unsigned *port)
{
    struct sockaddr_in address = local(0);
    socklen_t len = sizeof address;
    int fd = __real_socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

int peer_connect(unsigned port)
{
    struct sockaddr_in address = local(port);
    int fd = __real_socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_true(__real_fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    int rv = __real_connect(fd, (struct sockaddr *)(void *)&address, sizeof address);
    assert_true(rv == 0 || errno == EINPROGRESS);
    return fd;
}

void peer_say(int fd, const char *text)
{
    assert_int_equal(__real_write(fd, text, strlen(text)), strlen(text));
}

void peer_reset(int fd)
{
    struct linger now = {1, 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
}

const char *peer_hear(int fd)
{
    static char text[1 << 16];
    ssize_t n = __real_read(fd, text, sizeof text - 1);
    if (n < 0)
        return errno == EAGAIN ? "" : errno == ECONNRESET ? "RST" : strerror(errno);
    if (n == 0)
        return "EOF";
    text[n] = '\0';
    return text;
}

unsigned descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += __real_fcntl(fd, F_GETFD) >= 0;
    return count;
}
