#include <weir/weir.h>

/* `len` bytes arrived on a connection; returns how many bytes of `reply` to send. */
size_t echo(weir_http *http, weir_ws *ws, bool *open, uint8_t *bytes, size_t len, uint8_t *reply, size_t room)
{
    weir_in in = {bytes, len};
    weir_out out = {reply, room};
    weir_http_head head;
    weir_ws_request req;
    weir_ws_event ev;
    int rv;
    if (!*open && (rv = weir_http_next(http, &in, &head)) != 0) {
        if (rv < 0 || (rv = weir_ws_request_read(&head, &req)) < 0)
            weir_http_error_reply(&out, rv, NULL); /* 400, 405, 426, 431 ... */
        else
            *open = weir_ws_accept_write(&out, &req, NULL) == 0; /* 101 */
    }
    while (*open && weir_ws_next(ws, &in, &ev) > 0) {
        if (ev.kind == WEIR_WS_DATA)
            weir_ws_send(ws, &out, ev.flags, ev.data);
        weir_ws_out_put(ws, &out); /* pongs, and the answer to a Close */
    }
    weir_ws_out_put(ws, &out); /* after an error: the Close that names it */
    return room - out.len;
}
