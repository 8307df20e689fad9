/* SPDX-License-Identifier: MIT */
/*
 * echo.c SERVER... - benchmark: CPU time of echo servers for a message, over the loopback; memory of idle
 * connections.
 *
 * All servers run at once, on a processor of their own where there are two, and are idle but in their turn.
 * A turn is so many messages over 64 connections; what counts is the CPU time that the server's process spent
 * on them, in user space and in the kernel. `echo_kernel` sends back what comes and knows no protocol: nobody
 * can be faster with the same system calls. Each SERVER prints `listening on 127.0.0.1:PORT`.
 */
#define _GNU_SOURCE /* sched_setaffinity */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 64, IDLE = 1000, LARGEST = 16384, IN_FLIGHT = 32, ROOM = 1 << 18 };

/* ---- Servers ------------------------------------------------------------------------------------- */

typedef struct server {
    const char *name;
    bool raw; /* sends back what it gets, as it is */
    int port;
    pid_t pid;
    clockid_t clock;
} server;

static void pin(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static server server_start(char *program)
{
    server s = {.name = strrchr(program, '/') != NULL ? strrchr(program, '/') + 1 : program};
    int pipes[2];
    char line[128] = "";
    if (pipe(pipes) != 0 || (s.pid = fork()) < 0)
        bench_fail("fork");
    if (s.pid == 0) {
        pin(0);
        dup2(pipes[1], 1);
        close(pipes[0]);
        close(pipes[1]);
        if (strstr(program, "ws_echo_server") != NULL)
            execl(program, program, "--port", "0", (char *)NULL);
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    if (read(pipes[0], line, sizeof line - 1) <= 0 || strrchr(line, ':') == NULL)
        bench_fail(program);
    s.port = atoi(strrchr(line, ':') + 1);
    s.raw = strcmp(s.name, "echo_kernel") == 0;
    if (clock_getcpuclockid(s.pid, &s.clock) != 0)
        bench_fail("clock_getcpuclockid");
    return s;
}

static double server_cpu(const server *s)
{
    struct timespec now;
    if (clock_gettime(s->clock, &now) != 0)
        bench_fail("a server has died");
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Resident bytes; the shorter /proc/PID/statm may be off by 256 KiB. */
static double server_memory(const server *s)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)s->pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && kib < 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Rss: %ld kB", &kib) != 1)
            kib = -1;
    if (kib < 0)
        bench_fail(path);
    fclose(file);
    return (double)kib * 1024;
}

/* ---- Connections --------------------------------------------------------------------------------- */

static int dial(const server *s)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
                                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    char answer[1024] = "";
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0)
        bench_fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!s->raw) {
        if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
            bench_fail("send");
        for (size_t len = 0; strstr(answer, "\r\n\r\n") == NULL; len++)
            if (len == sizeof answer - 1 || recv(fd, answer + len, 1, 0) != 1)
                bench_fail("no answer to the handshake");
        if (strncmp(answer, "HTTP/1.1 101", 12) != 0)
            bench_fail("refused");
    }
    return fd;
}

/* ---- Load ---------------------------------------------------------------------------------------- */

typedef struct channel {
    int fd;
    size_t flight;  /* messages sent, or about to be, and not yet back */
    size_t to_send; /* bytes */
    size_t out_at;  /* in the message */
    size_t back_at; /* in the reply */
} channel;

typedef struct load {
    server *server;
    size_t size, depth;
    int poller;
    channel channels[CONNECTIONS];
    uint8_t message[LARGEST + 14], reply[LARGEST + 14];
    size_t message_len, reply_len;
    size_t sent, back;
} load;

static size_t frame_make(uint8_t *dst, bool masked, size_t size)
{
    static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
    size_t at = 2;
    dst[0] = 0x82;
    dst[1] = (uint8_t)((masked ? 0x80 : 0) | (size < 126 ? size : 126));
    if (size >= 126) {
        dst[at++] = (uint8_t)(size >> 8);
        dst[at++] = (uint8_t)size;
    }
    if (masked) {
        memcpy(dst + at, key, 4);
        at += 4;
    }
    for (size_t i = 0; i < size; i++)
        dst[at + i] = (uint8_t)((i * 31 + 7) ^ (masked ? key[i % 4] : 0));
    return at + size;
}

static load *load_new(server *s, size_t size, size_t depth)
{
    load *l = bench_alloc(sizeof *l);
    l->server = s;
    l->size = size;
    l->depth = depth;
    l->message_len = frame_make(l->message, true, size);
    l->reply_len = frame_make(l->reply, s->raw, size);
    l->poller = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &l->channels[i]};
        l->channels[i].fd = dial(s);
        fcntl(l->channels[i].fd, F_SETFL, O_NONBLOCK);
        if (epoll_ctl(l->poller, EPOLL_CTL_ADD, l->channels[i].fd, &ev) != 0)
            bench_fail("epoll_ctl");
    }
    return l;
}

static void load_free(load *l)
{
    for (size_t i = 0; i < CONNECTIONS; i++)
        close(l->channels[i].fd);
    close(l->poller);
    free(l);
}

/* Several messages go out in one write, as far as they may be in flight. */
static void channel_send(load *l, channel *c, size_t total)
{
    static uint8_t burst[ROOM];
    while (c->flight < l->depth && l->sent < total) {
        c->flight++;
        l->sent++;
        c->to_send += l->message_len;
    }
    while (c->to_send != 0) {
        size_t len = 0;
        for (size_t at = c->out_at; len < c->to_send && len + l->message_len <= sizeof burst; at = 0) {
            memcpy(burst + len, l->message + at, l->message_len - at);
            len += l->message_len - at;
        }
        ssize_t n = send(c->fd, burst, len < c->to_send ? len : c->to_send, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            bench_fail("send");
        c->to_send -= (size_t)n;
        c->out_at = (c->out_at + (size_t)n) % l->message_len;
    }
}

static void channel_read(load *l, channel *c)
{
    static uint8_t room[ROOM];
    ssize_t n;
    while ((n = recv(c->fd, room, sizeof room, 0)) > 0) {
        for (size_t at = 0; at < (size_t)n;) {
            size_t len = l->reply_len - c->back_at;
            len = len < (size_t)n - at ? len : (size_t)n - at;
            if (memcmp(room + at, l->reply + c->back_at, len) != 0)
                bench_fail(l->server->name);
            at += len;
            c->back_at += len;
            if (c->back_at == l->reply_len) {
                c->back_at = 0;
                c->flight--;
                l->back++;
            }
        }
        if ((size_t)n < sizeof room)
            return;
    }
    if (n == 0 || errno != EAGAIN)
        bench_fail("a server closed");
}

static double run_load(void *user, size_t times)
{
    load *l = user;
    size_t total = times * CONNECTIONS;
    double begin = server_cpu(l->server);
    l->sent = l->back = 0;
    for (size_t i = 0; i < CONNECTIONS; i++)
        channel_send(l, &l->channels[i], total);
    while (l->back < total) {
        struct epoll_event events[CONNECTIONS];
        int count = epoll_wait(l->poller, events, CONNECTIONS, 5000);
        if (count <= 0)
            bench_fail("a server is stuck");
        for (int i = 0; i < count; i++) {
            if ((events[i].events & EPOLLIN) != 0)
                channel_read(l, events[i].data.ptr);
            channel_send(l, events[i].data.ptr, total);
        }
    }
    return server_cpu(l->server) - begin;
}

static void load_row(bench_group *group, server *servers, const char *name, size_t size, size_t depth)
{
    bench_case cases[BENCH_COLUMNS] = {{NULL, NULL, 0}};
    if (!bench_wanted(group, name))
        return;
    for (size_t i = 0; i < group->columns; i++)
        cases[i] = (bench_case){run_load, load_new(&servers[i], size, depth), 0};
    bench_row(group, name, cases, CONNECTIONS, (double)(CONNECTIONS * size));
    for (size_t i = 0; i < group->columns; i++)
        load_free(cases[i].user);
}

/* ---- Memory -------------------------------------------------------------------------------------- */

/* A message there and back on a connection that blocks. */
static void ping_pong(const server *s, int fd)
{
    uint8_t message[80], reply[80];
    size_t len = frame_make(message, true, 64), back = s->raw ? len : 66;
    if (send(fd, message, len, MSG_NOSIGNAL) != (ssize_t)len ||
        recv(fd, reply, back, MSG_WAITALL) != (ssize_t)back)
        bench_fail("an idle connection was no good");
}

static void memory_row(const server *s)
{
    static int fds[IDLE];
    int first = dial(s);
    ping_pong(s, first); /* what is taken once has been taken */
    double before = server_memory(s);
    for (int i = 0; i < IDLE; i++)
        fds[i] = dial(s);
    double opened = server_memory(s);
    for (int i = 0; i < IDLE; i++)
        ping_pong(s, fds[i]);
    double used = server_memory(s);
    for (int i = 0; i < IDLE; i++)
        close(fds[i]);
    close(first);
    printf("| %-26s | %18.0f | %18.0f |\n", s->name, (opened - before) / IDLE, (used - before) / IDLE);
}

int main(int argc, char **argv)
{
    static server servers[BENCH_COLUMNS];
    bench_group group = {
        .title = "echo over 64 connections, ns of the server's CPU a message (times the kernel's)"};
    if (argc < 2 || argc > BENCH_COLUMNS) {
        fputs("usage: echo SERVER...\n", stderr);
        return 2;
    }
    setenv("BENCH_MS", "100", 0);
    for (; group.columns < (size_t)argc - 1; group.columns++) {
        servers[group.columns] = server_start(argv[1 + group.columns]);
        group.names[group.columns] = servers[group.columns].name;
    }
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
        pin(1);
    printf("\nresident memory of a server for each of %d idle connections, bytes\n\n", IDLE);
    printf("| %-26s | %18s | %18s |\n", "", "open", "after a message");
    printf("|----------------------------|-------------------:|-------------------:|\n");
    for (size_t i = 0; i < group.columns; i++)
        memory_row(&servers[i]);
    load_row(&group, servers, "64 B ping-pong", 64, 1);
    load_row(&group, servers, "64 B x 32 in flight", 64, IN_FLIGHT);
    load_row(&group, servers, "1 KiB x 8 in flight", 1024, 8);
    load_row(&group, servers, "16 KiB ping-pong", LARGEST, 1);
    for (size_t i = 0; i < group.columns; i++) {
        kill(servers[i].pid, SIGKILL);
        waitpid(servers[i].pid, NULL, 0);
    }
    return 0;
}
