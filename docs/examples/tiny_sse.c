/* SPDX-License-Identifier: MIT */
/* tiny_sse.c - an event-stream server in a page: `curl -N http://127.0.0.1:9003/`, or `tiny_sse PORT`. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>
#include <weir/weir.h>

/* Answers a request with an event stream. A token has 240 bytes at most, and `out` has room for all. */
static void stream(const weir_http_head *head, const char *const *tokens, size_t count, weir_out *out)
{
    weir_sse_request req;
    int rv = weir_sse_request_read(head, 0, &req); /* method, Accept, Last-Event-ID */
    if (rv < 0) {
        weir_http_error_reply(out, rv, NULL); /* 400, 405, 406 */
        return;
    }
    rv = weir_sse_reply_write(out, &req, NULL); /* 200 text/event-stream */
    for (size_t i = 0; rv == 0 && i < count; i++) {
        uint8_t event[256];
        weir_sse_event ev = {.data = weir_cstr(tokens[i])};
        weir_out bytes = {event, sizeof event};
        rv = weir_sse_event_write(&bytes, &ev); /* the same bytes for every listener */
        if (rv == 0)
            rv = weir_sse_frame(out, &req, (weir_str){event, sizeof event - bytes.len});
    }
    if (rv == 0)
        weir_sse_end(out, &req); /* without it the client sees that the stream broke off */
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
    static const char *const tokens[] = {"\"你\"", "\"好\"", "[DONE]"};
    static uint8_t buf[65536], storage[4096], reply[1024];
    struct timeval wait = {.tv_sec = 1};
    weir_http http;
    weir_http_head head;
    weir_out out = {reply, sizeof reply};
    int rv = weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL);
    for (ssize_t n; rv == 0 && (n = read(fd, buf, sizeof buf)) > 0;) {
        weir_in in = {buf, (size_t)n};
        rv = weir_http_next(&http, &in, &head);
    }
    if (rv > 0)
        stream(&head, tokens, 3, &out);
    else if (rv < 0)
        weir_http_error_reply(&out, rv, NULL); /* 400, 431 ... */
    if (!send_all(fd, reply, sizeof reply - out.len))
        return;
    /* A close() with input unread would destroy what is still on its way to the client. */
    shutdown(fd, SHUT_WR);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    for (int i = 0; i < 20 && read(fd, buf, sizeof buf) > 0; i++)
        ;
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 9003;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN); /* a client may go away while we write */
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 64) != 0) {
        perror("tiny_sse: cannot listen");
        return 1;
    }
    for (int fd;;) {
        if ((fd = accept(listener, NULL, NULL)) >= 0) {
            serve(fd);
            close(fd);
        } else {
            perror("tiny_sse: cannot accept"); /* no descriptors, or a client that left: it passes */
            sleep(1);
        }
    }
}
