/* SPDX-License-Identifier: MIT */
/* tiny_sse.c - a whole event-stream server in fifty lines: `curl -N http://127.0.0.1:9003/`. */
#include <arpa/inet.h>
#include <signal.h>
#include <unistd.h>
#include <weir/weir.h>

static void serve(int fd)
{
    static const char *const tokens[] = {"\"你\"", "\"好\"", "[DONE]"};
    static uint8_t buf[4096], storage[4096], event[256], reply[1024];
    weir_http http;
    weir_http_head head;
    weir_sse_request req;
    int rv = weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL);
    for (ssize_t n; rv == 0 && (n = read(fd, buf, sizeof buf)) > 0;) {
        weir_in in = {buf, (size_t)n};
        rv = weir_http_next(&http, &in, &head);
    }
    if (rv == 0)
        return; /* the client went away before its request was whole */
    weir_out out = {reply, sizeof reply};
    if (rv > 0 && (rv = weir_sse_request_read(&head, 0, &req)) == 0)
        rv = weir_sse_reply_write(&out, &req, NULL); /* 200 text/event-stream */
    for (unsigned i = 0; rv == 0 && i < 3; i++) {
        weir_sse_event ev = {.data = weir_cstr(tokens[i])};
        weir_out bytes = {event, sizeof event};
        weir_sse_event_write(&bytes, &ev); /* the same bytes for every listener */
        rv = weir_sse_frame(&out, &req, (weir_str){event, sizeof event - bytes.len});
    }
    if (rv == 0)
        weir_sse_end(&out, &req);
    else
        weir_http_error_reply(&out, rv, NULL); /* 400, 405, 406, 431 ... */
    (void)!write(fd, reply, sizeof reply - out.len);
}

int main(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(9003)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN); /* a peer may go away while we write */
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(listener, 64) != 0)
        return 1;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
        serve(fd);
    return 0;
}
