/* SPDX-License-Identifier: MIT */
/*
 * rooms.c - room that writers are documented to need at most, against what they use in their worst cases.
 *
 * Each is given exactly the documented room, behind which nothing is mapped, and must do with it. Where a
 * figure comes beside the length of something ("data.len + 10"), only the figure is compared.
 */
#include "bounded.h"

#include "weir/weir.h"
#ifdef BOUNDED_ZLIB
#include "weir/zlib.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { LARGEST = 70000 };

static uint8_t text[LARGEST];
static weir_entropy entropy;

static weir_str first(size_t len)
{
    return (weir_str){text, len};
}

/* The most that was used of a room of a fixed size. */
typedef struct room {
    area a;
    uint64_t most;
} room;

static room room_new(size_t len)
{
    return (room){area_new("room", len, 0xA5), 0};
}

static weir_out room_out(const room *r)
{
    return (weir_out){r->a.ptr, r->a.len};
}

static void room_used(room *r, const weir_out *out, int err, const char *who)
{
    if (err != 0)
        bounded_fail("%s with the documented room: %s", who, weir_strerror(err));
    uint64_t used = r->a.len - out->len;
    r->most = used > r->most ? used : r->most;
}

static void room_end(room *r, room_taker row, const char *what)
{
    row(what, r->a.len, r->most);
    area_free(&r->a);
}

/* ---- WebSocket ----------------------------------------------------------------------------------- */

static void connection(weir_ws *ws, bool client, weir_deflate *deflate)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.entropy = &entropy;
    cfg.deflate = deflate;
    if (weir_ws_init(ws, &cfg) != 0)
        bounded_fail("weir_ws_init");
}

static void headers(room_taker row)
{
    static const uint64_t lengths[] = {0, 125, 126, 65535, 65536, INT64_MAX};
    uint64_t most = 0;
    for (int client = 0; client < 2; client++) {
        for (size_t i = 0; i < COUNT(lengths); i++) {
            weir_ws ws;
            area a = area_new("header", WEIR_WS_HEADER_MAX, 0xA5);
            size_t len;
            connection(&ws, client != 0, NULL);
            if (weir_ws_begin(&ws, WEIR_WS_WHOLE, lengths[i], a.ptr, &len) != 0)
                bounded_fail("weir_ws_begin");
            most = len > most ? len : most;
            area_free(&a);
        }
    }
    row("WEIR_WS_HEADER_MAX", WEIR_WS_HEADER_MAX, most);
}

/* Lengths around those where headers grow, and where compressors begin a new block. */
static const size_t sizes[] = {0, 1, 2, 63, 125, 126, 127, 1000, 5000, 16383, 16384, 65535, 65536, LARGEST};

static void sends(room_taker row, const char *what, bool client, weir_deflate *deflate)
{
    uint64_t asked = 0, used = 0;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        weir_ws ws;
        connection(&ws, client, deflate);
        size_t size = weir_ws_send_size(&ws, sizes[i]);
        room r = room_new(size);
        weir_out out = room_out(&r);
        room_used(&r, &out, weir_ws_send(&ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, first(sizes[i])),
                  "weir_ws_send");
        if (used == 0 || size - r.most < asked - used)
            asked = size, used = r.most;
        area_free(&r.a);
    }
    row(what, asked, used);
}

/* A part of one byte must get through 64 bytes of room. */
static void parts(room_taker row, const char *what, bool client, weir_deflate *deflate)
{
    room r = room_new(64);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        weir_ws ws;
        uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_DEFLATE;
        weir_str data = first(sizes[i]);
        weir_out out = room_out(&r);
        connection(&ws, client, deflate);
        int rv = weir_ws_send_part(&ws, &out, &flags, &data, 1);
        room_used(&r, &out, rv < 0 ? rv : 0, "weir_ws_send_part");
        if (rv == 1 && data.len == sizes[i])
            bounded_fail("weir_ws_send_part took nothing");
    }
    room_end(&r, row, what);
}

static void prepared(room_taker row)
{
    uint64_t most = 0;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        room r = room_new(sizes[i] + 10);
        weir_out out = room_out(&r);
        room_used(&r, &out, weir_ws_prepare(&out, 0, first(sizes[i])), "weir_ws_prepare");
        most = r.most - sizes[i] > most ? r.most - sizes[i] : most;
        area_free(&r.a);
    }
    row("weir_ws_prepare, beside data.len", 10, most);
}

#ifdef BOUNDED_ZLIB
static void prepared_packed(room_taker row)
{
    uint64_t asked = 0, used = 0;
    for (unsigned bits = 9; bits <= 15; bits++) {
        size_t mem_len = weir_zlib.deflate_size(bits, 8);
        area mem = area_new("mem", mem_len, 0xA5);
        for (size_t i = 0; i < COUNT(sizes); i++) {
            size_t size = sizes[i] + sizes[i] / 4 + 64;
            room r = room_new(size);
            weir_out out = room_out(&r);
            int rv = weir_ws_prepare_packed(&out, 0, first(sizes[i]), &weir_zlib, mem.ptr, mem_len, bits);
            room_used(&r, &out, rv, "weir_ws_prepare_packed");
            if (used == 0 || size - r.most < asked - used)
                asked = size, used = r.most;
            area_free(&r.a);
        }
        area_free(&mem);
    }
    row("weir_ws_prepare_packed", asked, used);
}

/* What weir_deflate_memory asks for, and how much of it a message of noise wrote to. */
static void packed(room_taker row)
{
    weir_deflate_cfg dc = {.backend = &weir_zlib, .role = WEIR_WS_SERVER};
    uint8_t scratch[256];
    weir_deflate deflate;
    dc.params.server_bits = dc.params.client_bits = 15;
    weir_deflate_memory(&dc, &dc.inflate_len, &dc.deflate_len);
    area in = area_new("inflate_mem", dc.inflate_len, 0xA5),
         out = area_new("deflate_mem", dc.deflate_len, 0xA5);
    dc.inflate_mem = in.ptr;
    dc.deflate_mem = out.ptr;
    dc.scratch = scratch;
    dc.scratch_len = sizeof scratch;
    if (weir_deflate_init(&deflate, &dc) != 0)
        bounded_fail("weir_deflate_init");
    sends(row, "weir_ws_send_size, compressed", false, &deflate);
    parts(row, "weir_ws_send_part, compressed", false, &deflate);
    row("weir_deflate_memory, deflate", dc.deflate_len, area_used(&out));
    area_free(&in);
    area_free(&out);
}
#endif

/* ---- Handshakes ---------------------------------------------------------------------------------- */

static void accepts(room_taker row)
{
    static const uint8_t request[] =
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    static uint8_t storage[1024], copy[sizeof request - 1];
    weir_http http;
    weir_http_head head;
    weir_ws_request req;
    weir_in in = {copy, sizeof copy};
    room r = room_new(WEIR_WS_ACCEPT_MAX);
    memcpy(copy, request, sizeof copy);
    if (weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL) != 0 ||
        weir_http_next(&http, &in, &head) != 1 || weir_ws_request_read(&head, &req) != 0)
        bounded_fail("the request");
    for (unsigned bits = 0; bits < 16; bits++) {
        const weir_deflate_params params = {15, 15, bits & 1, bits & 2, bits & 4, bits & 8};
        const weir_ws_accept accept = {.deflate = &params};
        weir_out out = room_out(&r);
        room_used(&r, &out, weir_ws_accept_write(&out, &req, &accept), "weir_ws_accept_write");
    }
    room_end(&r, row, "WEIR_WS_ACCEPT_MAX");
}

static void extension_values(room_taker row)
{
    room r = room_new(WEIR_DEFLATE_VALUE_MAX);
    for (unsigned bits = 0; bits < 16; bits++) {
        const weir_deflate_params params = {15, 15, bits & 1, bits & 2, bits & 4, bits & 8};
        const weir_deflate_policy policy = {bits & 4 ? 10 : 15, bits & 8 ? 10 : 15, bits & 1, bits & 2};
        weir_out out = room_out(&r);
        room_used(&r, &out, weir_deflate_answer_write(&out, &params), "weir_deflate_answer_write");
        out = room_out(&r);
        room_used(&r, &out, weir_deflate_offer_write(&out, &policy), "weir_deflate_offer_write");
    }
    room_end(&r, row, "WEIR_DEFLATE_VALUE_MAX");
}

static void openings(room_taker row)
{
    static const char uri_text[] = "wss://example.org:65535/a?b";
    const weir_deflate_policy policy = {10, 10, true, true};
    const weir_ws_offer offer = {.deflate = &policy};
    weir_http_uri uri;
    weir_ws_opening opening;
    room r = room_new(384 + sizeof uri_text - 1);
    weir_out out = room_out(&r);
    if (weir_http_uri_parse(weir_cstr(uri_text), &uri) != 0)
        bounded_fail("weir_http_uri_parse");
    room_used(&r, &out, weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy),
              "weir_ws_opening_write");
    room_end(&r, row, "weir_ws_opening_write, URI included");
}

/* ---- HTTP ---------------------------------------------------------------------------------------- */

static void error_replies(room_taker row)
{
    static const int errors[] = {
#define ERROR_VALUE(name, value, string, section, code, status) value,
        WEIR_ERR_LIST(ERROR_VALUE)
#undef ERROR_VALUE
    };
    room r = room_new(WEIR_HTTP_ERROR_REPLY_MAX);
    for (size_t i = 0; i < COUNT(errors); i++) {
        weir_out out = room_out(&r);
        room_used(&r, &out, weir_http_error_reply(&out, errors[i], NULL), "weir_http_error_reply");
    }
    room_end(&r, row, "WEIR_HTTP_ERROR_REPLY_MAX");
}

static void chunks(room_taker row)
{
    uint64_t most = 0;
    for (size_t i = 1; i < COUNT(sizes); i++) {
        room r = room_new(sizes[i] + WEIR_HTTP_CHUNK_OVERHEAD);
        weir_out out = room_out(&r);
        room_used(&r, &out, weir_http_chunk_put(&out, first(sizes[i])), "weir_http_chunk_put");
        most = r.most - sizes[i] > most ? r.most - sizes[i] : most;
        area_free(&r.a);
    }
    row("WEIR_HTTP_CHUNK_OVERHEAD", WEIR_HTTP_CHUNK_OVERHEAD, most);
}

/* ---- Event streams ------------------------------------------------------------------------------- */

static void stream_replies(room_taker row)
{
    room r = room_new(WEIR_SSE_REPLY_MAX);
    for (int chunked = 0; chunked < 2; chunked++) {
        const weir_sse_request req = {.chunked = chunked != 0};
        weir_out out = room_out(&r);
        room_used(&r, &out, weir_sse_reply_write(&out, &req, NULL), "weir_sse_reply_write");
    }
    room_end(&r, row, "WEIR_SSE_REPLY_MAX");
}

/* Line ends only: each byte becomes a line of its own. */
static void comments(room_taker row)
{
    static uint8_t ends[1000];
    room r = room_new(3 * sizeof ends + 4);
    weir_out out = room_out(&r);
    memset(ends, '\n', sizeof ends);
    room_used(&r, &out, weir_sse_comment_write(&out, (weir_str){ends, sizeof ends}),
              "weir_sse_comment_write");
    room_end(&r, row, "weir_sse_comment_write, 1,000 line ends");
}

static void events(room_taker row)
{
    static uint8_t data[3000];
    uint64_t asked = 0, used = 0;
    for (unsigned i = 0; i < 2000; i++) {
        weir_sse_event ev = {.data = {data, bounded_random() % sizeof data}};
        size_t size;
        for (size_t k = 0; k < ev.data.len; k++)
            data[k] = (uint8_t)(i % 3 == 0 ? '\n' : bounded_random() % 8 == 0 ? '\r' : 'a');
        ev.type = weir_cstr(i % 5 == 0 ? "type" : NULL);
        ev.id = weir_cstr(i % 7 == 0 ? "id" : NULL);
        ev.has_retry = i % 11 == 0;
        ev.retry_ms = UINT64_MAX;
        if (weir_sse_event_size(&ev, &size) != 0)
            bounded_fail("weir_sse_event_size");
        room r = room_new(size);
        weir_out out = room_out(&r);
        room_used(&r, &out, weir_sse_event_write(&out, &ev), "weir_sse_event_write");
        if (r.most != size)
            bounded_fail("weir_sse_event_size says %zu, %llu were written", size, (unsigned long long)r.most);
        if (size > asked)
            asked = size, used = r.most;
        area_free(&r.a);
    }
    row("weir_sse_event_size", asked, used);
}

/* The least memory in which events of this length lie ten at once. */
static void log_overhead(room_taker row)
{
    uint64_t most = 0;
    for (size_t len = 1; len < 300; len++) {
        size_t size = 10 * len;
        for (bool fits = false; !fits; size++) {
            weir_sse_log log;
            weir_sse_reader reader;
            area memory = area_new("memory", size, 0xA5);
            weir_str bytes;
            unsigned count = 0;
            if (weir_sse_log_init(&log, memory.ptr, size, NULL) == 0) {
                for (unsigned i = 0; i < 10; i++)
                    if (weir_sse_log_put(&log, first(3), first(len), i) == 0)
                        count++;
                weir_sse_log_begin(&log, &reader);
                fits = count == 10 && weir_sse_log_behind(&log, &reader, NULL) == 10 &&
                       weir_sse_log_next(&log, &reader, &bytes) > 0 && bytes.len == len;
            }
            area_free(&memory);
        }
        uint64_t overhead = (size - 1 - 10 * (len + 3) + 9) / 10;
        most = overhead > most ? overhead : most;
    }
    row("WEIR_SSE_LOG_OVERHEAD", WEIR_SSE_LOG_OVERHEAD, most);
}

void rooms_each(room_taker row)
{
    bounded_entropy(NULL, text, sizeof text);
    if (weir_entropy_init(&entropy, bounded_entropy, NULL) != 0)
        bounded_fail("weir_entropy_init");
    headers(row);
    sends(row, "weir_ws_send_size, server", false, NULL);
    sends(row, "weir_ws_send_size, client", true, NULL);
    parts(row, "weir_ws_send_part, server", false, NULL);
    parts(row, "weir_ws_send_part, client", true, NULL);
    prepared(row);
#ifdef BOUNDED_ZLIB
    packed(row);
    prepared_packed(row);
#endif
    accepts(row);
    extension_values(row);
    openings(row);
    error_replies(row);
    chunks(row);
    stream_replies(row);
    comments(row);
    events(row);
    log_overhead(row);
}
