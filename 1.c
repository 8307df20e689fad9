#include <weir/weir.h>

/* Answers a request with an event stream; returns how many bytes of `reply` to send. */
size_t stream(const weir_http_head *head, const char *const *tokens, size_t count, uint8_t *reply, size_t room)
{
    weir_out out = {reply, room};
    weir_sse_request req;
    uint8_t event[256];
    int rv = weir_sse_request_read(head, 0, &req); /* method, Accept, Last-Event-ID */
    if (rv == 0)
        rv = weir_sse_reply_write(&out, &req, NULL); /* 200 text/event-stream */
    for (size_t i = 0; rv == 0 && i < count; i++) {
        weir_sse_event ev = {.data = weir_cstr(tokens[i])};
        weir_out bytes = {event, sizeof event};
        rv = weir_sse_event_write(&bytes, &ev); /* the same bytes for every listener */
        if (rv == 0)
            rv = weir_sse_frame(&out, &req, (weir_str){event, sizeof event - bytes.len});
    }
    if (rv == 0)
        weir_sse_end(&out, &req);
    else
        weir_http_error_reply(&out, rv, NULL); /* 400, 405, 406 */
    return room - out.len;
}
