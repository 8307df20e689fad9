/* SPDX-License-Identifier: MIT */
/*
 * ws_echo_client.c - a WebSocket client that sends every message back, until the server closes.
 *
 * Test suites for clients drive one of these, a run for each case. Connecting, the handshakes and the
 * deadlines are common/ws_client.c; the echo is that of ws_echo_server.c: messages in one piece go back
 * from where they lie, others are collected, compressed ones go back piece by piece.
 */
#include "common/deflate.h"
#include "common/message.h"
#include "common/options.h"
#include "common/ws_client.h"

#include <stdio.h>

static void data(ws_client *w, const weir_ws_event *ev)
{
    buffer **message = w->user;
    if ((ev->flags & WEIR_WS_WHOLE) == WEIR_WS_WHOLE || (ev->flags & WEIR_WS_DEFLATE) != 0) {
        ws_client_send(w, ev->flags, ev->data);
    } else if (!message_add(message, ev->data)) {
        ws_client_blame(w, "out of memory");
        ws_client_close(w, 1011, "out of memory");
        buffer_free(message);
    } else if ((ev->flags & WEIR_WS_LAST) != 0) {
        ws_client_give(w, (ev->flags & WEIR_WS_TEXT) | WEIR_WS_WHOLE, message);
    }
}

int main(int argc, char **argv)
{
    static const ws_client_handler echo = {.any_code = true, .data = data};
    static const char *url;
    static uint64_t deflate;
    static const option options[] = {
        {NULL, "URL", "ws://host[:port]/path?query", OPTION_TEXT, &url, NULL, 0, 0},
        {"--deflate", NULL, "offer permessage-deflate", OPTION_FLAG, NULL, &deflate, 0, 0},
    };
    buffer *message = NULL;
    ws_client w = {.on = &echo, .user = &message};
    options_read("ws_echo_client",
                 "Connects to a WebSocket and sends every message back, until the server closes.\n"
                 "Exits with 0 after an orderly close, else with 1.",
                 options, sizeof options / sizeof *options, argc, argv);
    if (deflate != 0)
        deflate_require("ws_echo_client");
    loop *l = loop_new();
    if (l == NULL)
        ws_client_blame(&w, "out of memory");
    else if (ws_client_start(&w, l, url, deflate != 0) && loop_run(l) != 0)
        ws_client_blame(&w, "waiting failed");
    loop_free(l);
    buffer_free(&message);
    if (w.fault[0] == '\0')
        return 0;
    fprintf(stderr, "ws_echo_client: %s\n", w.fault);
    return 1;
}
