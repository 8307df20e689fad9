/* SPDX-License-Identifier: MIT */
/* growth_writers.c - frames, compressed frames, events and replay logs, by their own program's calls. */
#include "growth.h"

#include "weir/weir.h"
#ifdef BOUNDED_ZLIB
#include "weir/zlib.h"
#endif

#include <stdlib.h>
#include <string.h>

static struct {
    weir_ws ws;
    weir_deflate deflate;
    weir_entropy entropy;
    weir_sse_log log;
    weir_sse_reader reader;
    uint8_t *payload, *output;
    size_t room;
    void *memory;
} desk;

static void check(int err)
{
    if (err != 0)
        bounded_fail("a writer: %s", weir_strerror(err));
}

static void *claim(size_t len)
{
    void *memory = malloc(len);
    if (memory == NULL)
        bounded_fail("out of memory");
    return memory;
}

/* Text that has something of everything: lines, and characters of one to four bytes. */
static void payload_make(size_t len)
{
    static const char line[] = "data, d\xC3\xA4ta, \xE6\xB2\xB3, \xF0\x9F\x98\x80, and a line end\n";
    for (size_t i = 0; i < len; i++)
        desk.payload[i] = (uint8_t)line[i % (sizeof line - 1)];
}

void writer_start(const writer *w, size_t len, size_t most)
{
    memset(&desk, 0, sizeof desk);
    desk.room = 2 * most + 65536;
    desk.payload = claim(len);
    desk.output = claim(desk.room);
    payload_make(len);
    check(weir_entropy_init(&desk.entropy, bounded_entropy, NULL));
    w->start(len, most);
}

void writer_end(void)
{
    free(desk.payload);
    free(desk.output);
    free(desk.memory);
}

/* ---- Frames -------------------------------------------------------------------------------------- */

static void connect_as(weir_ws_role role, weir_deflate *deflate)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, role);
    cfg.entropy = &desk.entropy;
    cfg.deflate = deflate;
    check(weir_ws_init(&desk.ws, &cfg));
}

static void server_start(size_t len, size_t most)
{
    (void)len, (void)most;
    connect_as(WEIR_WS_SERVER, NULL);
}

static void client_start(size_t len, size_t most)
{
    (void)len, (void)most;
    connect_as(WEIR_WS_CLIENT, NULL);
}

/* Each piece is a message. */
static void send_messages(size_t len, size_t most)
{
    for (size_t at = 0; at < len; at += most) {
        weir_out out = {desk.output, desk.room};
        weir_str data = {desk.payload + at, len - at < most ? len - at : most};
        check(weir_ws_send(&desk.ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data));
    }
}

/* One frame, whose payload is masked in place as it comes. */
static void send_frame(size_t len, size_t most)
{
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    check(weir_ws_begin(&desk.ws, WEIR_WS_WHOLE, len, header, &header_len));
    for (size_t at = 0; at < len; at += most) {
        weir_str data = {desk.payload + at, len - at < most ? len - at : most};
        check(weir_ws_payload(&desk.ws, desk.payload + at, data));
    }
}

/* One message, in frames of at most `most` bytes. */
static void send_parts(size_t len, size_t most)
{
    weir_str data = {desk.payload, len};
    uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_TEXT;
    int rv;
    do {
        weir_out out = {desk.output, desk.room};
        rv = weir_ws_send_part(&desk.ws, &out, &flags, &data, most);
    } while (rv > 0);
    check(rv);
}

#ifdef BOUNDED_ZLIB
static void packed_start(size_t len, size_t most)
{
    static uint8_t scratch[256];
    weir_deflate_cfg dc = {.backend = &weir_zlib, .role = WEIR_WS_SERVER};
    (void)len, (void)most;
    dc.params.server_bits = dc.params.client_bits = 15;
    weir_deflate_memory(&dc, &dc.inflate_len, &dc.deflate_len);
    desk.memory = claim(dc.inflate_len + dc.deflate_len);
    dc.inflate_mem = desk.memory;
    dc.deflate_mem = (uint8_t *)desk.memory + dc.inflate_len;
    dc.scratch = scratch;
    dc.scratch_len = sizeof scratch;
    check(weir_deflate_init(&desk.deflate, &dc));
    connect_as(WEIR_WS_SERVER, &desk.deflate);
}
#endif

/* ---- Event streams ------------------------------------------------------------------------------- */

/* The data of each event has its share of line ends; pieces end where they like, so it is not checked as
 * text: what is cut inside a character is replaced beforehand. */
static void ascii_start(size_t len, size_t most)
{
    (void)most;
    for (size_t i = 0; i < len; i++)
        if (desk.payload[i] >= 0x80)
            desk.payload[i] = '.';
}

static void write_events(size_t len, size_t most)
{
    for (size_t at = 0; at < len; at += most) {
        weir_out out = {desk.output, desk.room};
        weir_sse_event ev = {.data = {desk.payload + at, len - at < most ? len - at : most}};
        ev.id = weir_cstr("17");
        check(weir_sse_event_write(&out, &ev));
    }
}

static void log_start(size_t len, size_t most)
{
    /* Room for half of it, or for one that is all of it: it wraps. */
    size_t room = (most == len ? len : len / 2) + 1024;
    desk.memory = claim(room);
    check(weir_sse_log_init(&desk.log, desk.memory, room, NULL));
    weir_sse_log_begin(&desk.log, &desk.reader);
}

static void log_events(size_t len, size_t most)
{
    uint64_t now = 0;
    for (size_t at = 0; at < len; at += most) {
        weir_str bytes = {desk.payload + at, len - at < most ? len - at : most};
        check(weir_sse_log_put(&desk.log, weir_cstr("id"), bytes, now++));
        while (weir_sse_log_next(&desk.log, &desk.reader, &bytes) > 0)
            continue;
    }
}

const writer writers[] = {
    {"send, server: messages", server_start, send_messages},
    {"send, client: messages", client_start, send_messages},
    {"send, server: a message in parts", server_start, send_parts},
    {"send, client: a frame as it comes", client_start, send_frame},
#ifdef BOUNDED_ZLIB
    {"send, server, deflate: messages", packed_start, send_messages},
#endif
    {"event writer: events", ascii_start, write_events},
    {"replay log: put and read", log_start, log_events},
    {NULL, NULL, NULL},
};
