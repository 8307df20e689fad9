/* SPDX-License-Identifier: MIT */
/* tiny_ws.c - a WebSocket echo server in a page, one connection at a time: port 9002, or `tiny_ws PORT`. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>
#include <weir/weir.h>

/* `len` bytes arrived on a connection. The answer goes to `out`, which needs room for len + 1024 bytes.
 * Returns what to do with the connection when that is sent. */
static weir_ws_todo echo(weir_http *http, weir_ws *ws, bool *open, uint8_t *bytes, size_t len, weir_out *out)
{
    weir_in in = {bytes, len};
    weir_http_head head;
    weir_ws_request req;
    weir_ws_event ev;
    int rv;
    if (!*open && (rv = weir_http_next(http, &in, &head)) != 0) {
        if (rv < 0 || (rv = weir_ws_request_read(&head, &req)) < 0) {
            weir_http_error_reply(out, rv, NULL); /* 400, 405, 426, 431 ... */
            return WEIR_WS_SHUTDOWN_WRITE;
        }
        *open = weir_ws_accept_write(out, &req, NULL) == 0; /* 101 */
    }
    while (*open && (rv = weir_ws_next(ws, &in, &ev)) > 0) {
        if (rv == WEIR_WS_DATA && weir_ws_send(ws, out, ev.flags, ev.data) != 0)
            return WEIR_WS_CLOSE_NOW; /* no room: the echo would have a hole */
        weir_ws_out_put(ws, out);     /* pongs, and the answer to a Close */
    }
    weir_ws_out_put(ws, out); /* after an error: the Close that names it */
    return weir_ws_transport(ws);
}

/* write(2) may take a part only. */
static bool send_all(int fd, const uint8_t *bytes, size_t len)
{
    for (ssize_t n; len > 0; bytes += n, len -= (size_t)n)
        if ((n = write(fd, bytes, len)) < 0)
            return false;
    return true;
}

static void serve(int fd)
{
    static uint8_t buf[65536], reply[sizeof buf + 1024], storage[8192];
    struct timeval wait = {.tv_sec = 1};
    weir_http http;
    weir_ws_cfg cfg;
    weir_ws ws;
    bool open = false;
    weir_ws_todo todo = WEIR_WS_CARRY_ON;
    weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL);
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    weir_ws_init(&ws, &cfg);
    for (ssize_t n; todo == WEIR_WS_CARRY_ON && (n = read(fd, buf, sizeof buf)) > 0;) {
        weir_out out = {reply, sizeof reply};
        todo = echo(&http, &ws, &open, buf, (size_t)n, &out);
        if (!send_all(fd, reply, sizeof reply - out.len))
            return;
    }
    /* A close() with input unread would destroy what is still on its way to the peer. */
    shutdown(fd, SHUT_WR);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    for (int i = 0; i < 20 && read(fd, buf, sizeof buf) > 0; i++)
        ;
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 9002;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN); /* a peer may go away while we write */
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 64) != 0) {
        perror("tiny_ws: cannot listen");
        return 1;
    }
    for (int fd;;) {
        if ((fd = accept(listener, NULL, NULL)) >= 0) {
            serve(fd);
            close(fd);
        } else {
            perror("tiny_ws: cannot accept"); /* no descriptors, or a client that left: it passes */
            sleep(1);
        }
    }
}
