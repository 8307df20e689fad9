/* SPDX-License-Identifier: MIT */
/* user.c - a program of somebody who installed weir: one call into each part, and what it should say. */
#include <weir/weir.h>

#include <stdio.h>
#include <string.h>

static int handshake(void)
{
    char text[] = "GET /chat HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    uint8_t bytes[sizeof text];
    uint8_t storage[512];
    memcpy(bytes, text, sizeof text);
    weir_http http;
    weir_http_head head;
    weir_ws_request req;
    weir_in in = {bytes, sizeof text - 1};
    return weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL) == 0 &&
           weir_http_next(&http, &in, &head) > 0 && weir_ws_request_read(&head, &req) == 0 &&
           strcmp(req.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0;
}

static int message(void)
{
    uint8_t hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    weir_ws_cfg cfg;
    weir_ws ws;
    weir_ws_event ev;
    weir_in in = {hello, sizeof hello};
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    return weir_ws_init(&ws, &cfg) == 0 && weir_ws_next(&ws, &in, &ev) == WEIR_WS_DATA &&
           weir_str_is(ev.data, "Hello");
}

static int event(void)
{
    uint8_t bytes[64];
    weir_out out = {bytes, sizeof bytes};
    weir_sse_event ev;
    memset(&ev, 0, sizeof ev);
    ev.data = weir_cstr("one\ntwo");
    if (weir_sse_event_write(&out, &ev) != 0)
        return 0;
    weir_str written = {bytes, sizeof bytes - out.len};
    return weir_str_is(written, "data: one\ndata: two\n\n");
}

int main(void)
{
    if (weir_version() != WEIR_VERSION_NUM || !handshake() || !message() || !event()) {
        fprintf(stderr, "weir does not work\n");
        return 1;
    }
    return 0;
}
