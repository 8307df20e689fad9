/* SPDX-License-Identifier: MIT */
/*
 * ws_cat.c - stdin and stdout as the two directions of a WebSocket, one line a message.
 *
 * Three connections of one loop: stdin, the WebSocket (common/ws_client.c), stdout. None takes more than
 * the next can pass on: when the server does not read, stdin is not read; when nobody reads stdout, the
 * WebSocket is not read, and the server finds its own output stuck. The two directions do not wait for
 * each other.
 *
 * A message is printed when it is whole, so what stands on stdout is never half of one.
 */
#include "common/deflate.h"
#include "common/message.h"
#include "common/options.h"
#include "common/ws_client.h"

#include <stdio.h>
#include <string.h>

enum {
    LINE_MAX_BYTES = 64 * 1024 * 1024, /* as the largest message that is taken */
    OUT_HIGH = 1024 * 1024
};

static struct {
    ws_client ws;
    conn *in;        /* NULL when it has ended */
    conn *out;       /* the same */
    buffer *line;    /* of stdin, as far as it has come */
    uint64_t lines;  /* that stdin had */
    buffer *message; /* from the server, the same */
} cat;

/* ---- From stdin to the server ------------------------------------------------------------------- */

/* What was sent before still gets its answers, but there will be no more. */
static void give_up(uint64_t line, const char *what)
{
    ws_client_blame(&cat.ws, "line %llu of stdin %s", (unsigned long long)line, what);
    ws_client_close(&cat.ws, 1000, "");
    if (cat.in != NULL)
        conn_abort(cat.in);
}

/* A line's last piece. Most lines come in one, and are sent from where they lie. */
static void send_line(weir_str piece)
{
    uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_TEXT | WEIR_WS_DEFLATE;
    cat.lines++;
    if (cat.line != NULL && !message_add(&cat.line, piece)) {
        give_up(cat.lines, "does not fit into memory");
        return;
    }
    weir_str line = cat.line != NULL ? message_payload(cat.line) : piece;
    if (!weir_utf8_valid(line))
        give_up(cat.lines, "is not UTF-8");
    else if (cat.line != NULL)
        ws_client_give(&cat.ws, flags, &cat.line);
    else
        ws_client_send(&cat.ws, flags, line);
}

static void in_readable(conn *c, weir_in *in)
{
    while (in->len > 0 && conn_is_open(c)) {
        if (ws_client_is_full(&cat.ws)) {
            conn_pause(c, true);
            conn_later(c);
            return;
        }
        const uint8_t *end = memchr(in->ptr, '\n', in->len);
        weir_str piece = {in->ptr, end != NULL ? (size_t)(end - in->ptr) : in->len};
        if (piece.len + buffer_size(cat.line) > LINE_MAX_BYTES)
            give_up(cat.lines + 1, "is over 64 MiB");
        else if (end != NULL)
            send_line(piece);
        else if (!message_add(&cat.line, piece))
            give_up(cat.lines + 1, "does not fit into memory");
        size_t taken = piece.len + (end != NULL);
        in->ptr += taken;
        in->len -= taken;
    }
}

static void in_ended(conn *c)
{
    if (cat.line != NULL)
        send_line((weir_str){NULL, 0});
    ws_client_close(&cat.ws, 1000, "");
    conn_finish(c);
}

static void in_gone(conn *c)
{
    cat.in = NULL;
    if (conn_fault(c) == NULL)
        return;
    ws_client_blame(&cat.ws, "stdin: %s", conn_fault(c));
    ws_client_close(&cat.ws, 1000, "");
}

/* ---- From the server to stdout ------------------------------------------------------------------ */

static bool put_hex(buffer **to, weir_str bytes)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *at = buffer_put(to, "hex:", 4) ? buffer_room(to, bytes.len * 2) : NULL;
    if (at == NULL)
        return false;
    for (size_t i = 0; i < bytes.len; i++) {
        *at++ = (uint8_t)digits[bytes.ptr[i] >> 4];
        *at++ = (uint8_t)digits[bytes.ptr[i] & 15];
    }
    buffer_added(*to, bytes.len * 2);
    return true;
}

/* A text with a line's end in it would look like two: it is shown as binary is. */
static bool print(weir_str bytes, bool text)
{
    buffer *line = NULL;
    bool plain = text && (bytes.len == 0 || memchr(bytes.ptr, '\n', bytes.len) == NULL);
    bool good = plain ? buffer_put(&line, bytes.ptr, bytes.len) : put_hex(&line, bytes);
    good = good && buffer_put(&line, "\n", 1);
    if (good)
        conn_give(cat.out, &line);
    buffer_free(&line);
    return good;
}

static void ws_data(ws_client *w, const weir_ws_event *ev)
{
    bool last = (ev->flags & WEIR_WS_LAST) != 0;
    bool whole = last && cat.message == NULL;
    if (cat.out == NULL)
        return;
    bool good = whole || buffer_put(&cat.message, ev->data.ptr, ev->data.len);
    if (good && last) {
        weir_str collected = {buffer_bytes(cat.message), buffer_size(cat.message)};
        good = print(whole ? ev->data : collected, (ev->flags & WEIR_WS_TEXT) != 0);
    }
    if (last || !good)
        buffer_free(&cat.message);
    if (!good) {
        ws_client_blame(w, "out of memory");
        ws_client_close(w, 1011, "");
        conn_abort(cat.out);
    }
    if (conn_is_full(cat.out))
        ws_client_pause(w, true);
}

static void out_drained(conn *c)
{
    (void)c;
    ws_client_pause(&cat.ws, false);
}

/* Nothing more can be printed: there is no reason to stay. */
static void out_gone(conn *c)
{
    cat.out = NULL;
    ws_client_pause(&cat.ws, false);
    if (conn_fault(c) == NULL)
        return;
    ws_client_blame(&cat.ws, "stdout: %s", conn_fault(c));
    ws_client_close(&cat.ws, 1001, "");
    if (cat.in != NULL)
        conn_abort(cat.in);
}

/* What is to be printed is complete only when the WebSocket is over. */
static void out_stopping(conn *c)
{
    (void)c;
}

/* ---- The WebSocket ------------------------------------------------------------------------------ */

static const conn_handler in_handler = {.readable = in_readable, .ended = in_ended, .gone = in_gone};
static const conn_handler out_handler = {
    .high = OUT_HIGH, .drained = out_drained, .stopping = out_stopping, .gone = out_gone};

static void ws_opened(ws_client *w)
{
    cat.in = loop_source(w->c->loop, 0, &in_handler, NULL);
    if (cat.in == NULL) {
        ws_client_blame(w, "out of memory");
        ws_client_close(w, 1011, "");
    }
}

static void ws_drained(ws_client *w)
{
    (void)w;
    if (cat.in != NULL)
        conn_pause(cat.in, false);
}

static void ws_over(ws_client *w)
{
    (void)w;
    if (cat.in != NULL)
        conn_abort(cat.in);
    if (cat.out != NULL)
        conn_finish(cat.out);
}

static const ws_client_handler ws_handler = {
    .duplex = true, .opened = ws_opened, .data = ws_data, .drained = ws_drained, .over = ws_over};

int main(int argc, char **argv)
{
    static const char *url;
    static uint64_t deflate;
    static const option options[] = {
        {NULL, "URL", "ws://host[:port]/path?query", OPTION_TEXT, &url, NULL, 0, 0},
        {"--deflate", NULL, "offer permessage-deflate", OPTION_FLAG, NULL, &deflate, 0, 0},
    };
    options_read(
        "ws_cat",
        "Connects to a WebSocket. Each line of stdin is sent as a text message. Each message received\n"
        "is a line of stdout; binary, and text with a line feed in it, as hex: and lower-case digits.\n"
        "At the end of stdin it closes, and waits at most 5 s for the server's answer. Exits with 0\n"
        "after an orderly close with code 1000 or 1001, else with 1 and a line on stderr.",
        options, sizeof options / sizeof *options, argc, argv);
    if (deflate != 0)
        deflate_require("ws_cat");
    cat.ws.on = &ws_handler;
    loop *l = loop_new();
    cat.out = l != NULL ? loop_sink(l, 1, &out_handler, NULL) : NULL;
    if (cat.out == NULL)
        ws_client_blame(&cat.ws, "out of memory");
    else if (ws_client_start(&cat.ws, l, url, deflate != 0) && loop_run(l) != 0)
        ws_client_blame(&cat.ws, "waiting failed");
    loop_free(l);
    buffer_free(&cat.line);
    buffer_free(&cat.message);
    if (cat.ws.fault[0] == '\0')
        return 0;
    fprintf(stderr, "ws_cat: %s\n", cat.ws.fault);
    return 1;
}
