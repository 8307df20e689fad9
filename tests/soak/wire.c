/* SPDX-License-Identifier: MIT */
/* wire.c - sockets and frames of the load, written without the library, so that both cannot err alike. */
#include "soak.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

uint8_t noise[NOISE], words[NOISE];

static int epoll_fd;
static int to_ports[2];

void wire_init(int ports[2])
{
    uint64_t x = 88172645463325252u;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    memcpy(to_ports, ports, sizeof to_ports);
    for (size_t i = 0; i < NOISE; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        noise[i] = (uint8_t)(x >> 32);
        words[i] = (uint8_t)('a' + noise[i] % 26);
    }
}

uint64_t draw(peer *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return p->random >> 16;
}

uint64_t draw_in(peer *p, uint64_t from, uint64_t to)
{
    return from + draw(p) % (to - from + 1);
}

/* ---- Connections --------------------------------------------------------------------------------- */

static void watch(peer *p)
{
    struct epoll_event event = {.events = (p->deaf ? 0 : EPOLLIN) | (p->writing ? EPOLLOUT : 0u),
                                .data = {.ptr = p}};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, p->fd, &event);
}

/* Each peer has an address of its own, so that connections that were closed do not use up the ports. */
static int dial(const peer *p)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(0x7F010001u + p->id);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)to_ports[p->is->demo]);
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (p->is->rcvbuf != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &p->is->rcvbuf, sizeof p->is->rcvbuf);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
        (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS))
        return fd;
    close(fd);
    return -1;
}

void peer_connect(peer *p)
{
    char text[400];
    p->fd = dial(p);
    p->act_at = UINT64_MAX;
    if (p->fd < 0) {
        fault(p, "cannot connect: %s", strerror(errno));
        p->act_at = now_us() + 1000000;
        return;
    }
    p->open = p->deaf = false;
    p->writing = true;
    p->in = (frame_in){.have = 0};
    p->out_at = p->out_len = p->line_len = 0;
    p->sent = p->got = 0;
    p->owed = 0;
    counts_of(p)->connections++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data = {.ptr = p}};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->fd, &event);
    if (p->is->path == NULL) {
        p->open = true;
        p->is->opened(p);
        return;
    }
    int len = snprintf(text, sizeof text,
                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                       p->is->path);
    peer_put(p, text, (size_t)len);
}

void peer_close(peer *p, bool reset)
{
    struct linger linger = {1, 0};
    if (p->fd < 0)
        return;
    if (reset)
        setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(p->fd);
    p->fd = -1;
    p->open = false;
    free(p->out);
    p->out = NULL;
    p->out_at = p->out_len = p->out_cap = 0;
}

void peer_leave(peer *p, bool reset, uint64_t us)
{
    peer_close(p, reset);
    p->act_at = now_us() + us;
}

void peer_listen(peer *p, bool listens)
{
    p->deaf = !listens;
    watch(p);
}

/* ---- Writing ------------------------------------------------------------------------------------- */

static void flush(peer *p)
{
    while (p->fd >= 0 && p->out_at < p->out_len) {
        ssize_t n = send(p->fd, p->out + p->out_at, p->out_len - p->out_at, MSG_NOSIGNAL);
        if (n < 0)
            break; /* what reading finds says why */
        p->out_at += (size_t)n;
    }
    bool writing = p->out_at < p->out_len;
    if (!writing) {
        free(p->out);
        p->out = NULL;
        p->out_at = p->out_len = p->out_cap = 0;
    }
    if (p->fd >= 0 && writing != p->writing) {
        p->writing = writing;
        watch(p);
    }
}

static uint8_t *room(peer *p, size_t len)
{
    if (p->out_cap - p->out_len < len) {
        p->out_cap = (p->out_len + len) * 2;
        p->out = realloc(p->out, p->out_cap);
        if (p->out == NULL)
            abort();
    }
    p->out_len += len;
    return p->out + p->out_len - len;
}

void peer_put(peer *p, const void *bytes, size_t len)
{
    memcpy(room(p, len), bytes, len);
    flush(p);
}

void peer_frame(peer *p, uint8_t first, const uint8_t *payload, size_t len)
{
    size_t size = len < 126 ? 2 : len < 65536 ? 4 : 10;
    uint8_t *at = room(p, size + 4 + len);
    at[0] = first;
    at[1] = (uint8_t)(0x80 | (len < 126 ? len : len < 65536 ? 126 : 127));
    for (size_t i = 2; i < size; i++)
        at[i] = (uint8_t)((uint64_t)len >> (8 * (size - 1 - i)));
    uint64_t key = draw(p);
    memcpy(at + size, &key, 4);
    for (size_t i = 0; i < len; i++)
        at[size + 4 + i] = payload[i] ^ at[size + (i & 3)];
    flush(p);
}

/* ---- Reading ------------------------------------------------------------------------------------- */

/* Returns how many bytes belong to the answer's head. */
static size_t greet(peer *p, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p->line_len == sizeof p->line - 1) {
            fault(p, "an answer of more than %zu bytes", p->line_len);
            p->line_len = 0;
        }
        p->line[p->line_len++] = (char)bytes[i];
        if (p->line_len < 4 || memcmp(p->line + p->line_len - 4, "\r\n\r\n", 4) != 0)
            continue;
        p->line[p->line_len] = '\0';
        if (memcmp(p->line, "HTTP/1.1 101", 12) != 0 ||
            strstr(p->line, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == NULL)
            fault(p, "not a 101 but %.30s", p->line);
        p->open = true;
        p->line_len = 0;
        p->is->opened(p);
        return i + 1;
    }
    return len;
}

void peer_read(peer *p, size_t max)
{
    static uint8_t bytes[65536];
    ssize_t n = recv(p->fd, bytes, max < sizeof bytes ? max : sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        bool greeted = p->open;
        int error = n < 0 ? errno : 0;
        peer_close(p, false);
        if (!greeted)
            fault(p, "no answer to the handshake%s%s", error != 0 ? ": " : "",
                  error != 0 ? strerror(error) : "");
        if (greeted && p->is->ended != NULL)
            p->is->ended(p);
        if (p->act_at == UINT64_MAX)
            p->act_at = now_us() + 200000;
        return;
    }
    size_t at = p->open ? 0 : greet(p, bytes, (size_t)n);
    if (p->fd >= 0 && p->open && at < (size_t)n && p->is->heard != NULL)
        p->is->heard(p, bytes + at, (size_t)n - at);
}

void peer_serve(peer *p, unsigned events)
{
    if (p->fd >= 0 && (events & EPOLLOUT) != 0)
        flush(p);
    if (p->fd >= 0 && (events & ~(unsigned)EPOLLOUT) != 0)
        peer_read(p, SIZE_MAX);
}

void wire_wait(int ms)
{
    static struct epoll_event events[512];
    int n = epoll_wait(epoll_fd, events, 512, ms);
    for (int i = 0; i < n; i++)
        peer_serve(events[i].data.ptr, events[i].events);
}

/* True when the header is whole. */
static bool header(peer *p, uint8_t byte)
{
    frame_in *in = &p->in;
    in->head[in->have++] = byte;
    unsigned len = in->have > 1 ? in->head[1] & 0x7F : 0;
    unsigned need = len < 126 ? 2 : len == 126 ? 4 : 10;
    if (in->have < need)
        return false;
    if ((in->head[0] & 0x70) != 0 || (in->head[0] & 0x80) == 0 || (in->head[1] & 0x80) != 0)
        fault(p, "a frame that begins %02X %02X", in->head[0], in->head[1]);
    in->len = need == 2 ? len : 0;
    for (unsigned i = 2; i < need; i++)
        in->len = in->len << 8 | in->head[i];
    in->at = 0;
    in->have = 0;
    return true;
}

bool peer_frames(peer *p, const uint8_t *bytes, size_t len, frame_piece *piece)
{
    static uint8_t pong[125];
    frame_in *in = &p->in;
    while (len > 0) {
        if (!in->payload) {
            in->payload = header(p, *bytes++);
            len--;
            if (!in->payload || (in->len > 0 && len == 0))
                continue;
        }
        uint8_t opcode = in->head[0] & 0x0F;
        size_t n = len < in->len - in->at ? len : (size_t)(in->len - in->at);
        if (opcode == 9 && in->at + n <= sizeof pong)
            memcpy(pong + in->at, bytes, n);
        if (opcode < 3)
            piece(p, opcode, bytes, n);
        if (p->fd < 0)
            return false;
        in->at += n;
        bytes += n;
        len -= n;
        if (in->at < in->len)
            continue;
        in->payload = false;
        if (opcode == 9)
            peer_frame(p, 0x8A, pong, (size_t)in->len);
        if (opcode == 8)
            return false;
    }
    return true;
}
