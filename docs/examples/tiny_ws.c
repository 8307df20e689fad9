/* SPDX-License-Identifier: MIT */
/* tiny_ws.c - a whole WebSocket echo server in fifty lines: one connection at a time on port 9002. */
#include <arpa/inet.h>
#include <signal.h>
#include <unistd.h>
#include <weir/weir.h>

static void serve(int fd)
{
    static uint8_t buf[65536], reply[70000], storage[8192];
    weir_http http;
    weir_http_head head;
    weir_ws_request req;
    weir_ws_cfg cfg;
    weir_ws ws;
    weir_ws_event ev;
    bool open = false;
    int rv = weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL);
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    weir_ws_init(&ws, &cfg);
    for (ssize_t n; rv >= 0 && (n = read(fd, buf, sizeof buf)) > 0;) {
        weir_in in = {buf, (size_t)n};
        weir_out out = {reply, sizeof reply};
        if (!open && (rv = weir_http_next(&http, &in, &head)) > 0) {
            rv = weir_ws_request_read(&head, &req);                        /* is it a good handshake? */
            open = rv == 0 && weir_ws_accept_write(&out, &req, NULL) == 0; /* 101 */
        }
        if (!open && rv < 0)
            weir_http_error_reply(&out, rv, NULL); /* 400, 405, 426, 431 ... */
        while (open && (rv = weir_ws_next(&ws, &in, &ev)) > 0) {
            if (rv == WEIR_WS_DATA)
                weir_ws_send(&ws, &out, ev.flags, ev.data);
            weir_ws_out_put(&ws, &out); /* pongs, and the answer to a Close */
        }
        weir_ws_out_put(&ws, &out); /* after an error: the Close that names it */
        if (write(fd, reply, sizeof reply - out.len) < 0 || weir_ws_transport(&ws) != WEIR_WS_CARRY_ON)
            break;
    }
}

int main(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(9002)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN); /* a peer may go away while we write */
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(listener, 64) != 0)
        return 1;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
        serve(fd);
    return 0;
}
