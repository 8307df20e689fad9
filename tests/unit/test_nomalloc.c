/* SPDX-License-Identifier: MIT */
/* test_nomalloc.c - every public function at work while any use of the heap aborts the program. */
#include "store_backend.h"
#include "weir/weir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A heap that can be forbidden ---------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEAP_IS_TAKEN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define HEAP_IS_TAKEN 1
#endif
#endif

static volatile bool armed;
static volatile bool expected; /* the next use is only noted */
static volatile bool noted;

#ifndef HEAP_IS_TAKEN

/* Sanitizers bring a heap of their own; without them this one serves the C library too. It is never
 * freed: the program is short. */
static union {
    long double align;
    uint8_t bytes[8 << 20];
} heap;
static size_t heap_len;

void *aligned_alloc(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size);
int posix_memalign(void **memory, size_t alignment, size_t size);

static void heap_used(const char *function)
{
    if (!armed)
        return;
    armed = false;
    if (expected) {
        noted = true;
        return;
    }
    fprintf(stderr, "%s was called by the library\n", function);
    abort();
}

static void *heap_take(size_t alignment, size_t size)
{
    if (alignment < 16)
        alignment = 16;
    size_t at = (heap_len + 16 + alignment - 1) / alignment * alignment;
    if (size > sizeof heap.bytes || at > sizeof heap.bytes - size)
        return NULL;
    memcpy(heap.bytes + at - sizeof size, &size, sizeof size);
    heap_len = at + size;
    return heap.bytes + at;
}

void *malloc(size_t size)
{
    heap_used("malloc");
    return heap_take(16, size);
}

void *calloc(size_t count, size_t size)
{
    heap_used("calloc");
    return size != 0 && count > SIZE_MAX / size ? NULL : heap_take(16, count * size);
}

void *realloc(void *old, size_t size)
{
    heap_used("realloc");
    void *grown = heap_take(16, size);
    if (old != NULL && grown != NULL) {
        size_t len;
        memcpy(&len, (uint8_t *)old - sizeof len, sizeof len);
        memcpy(grown, old, len < size ? len : size);
    }
    return grown;
}

void free(void *memory)
{
    (void)memory;
    heap_used("free");
}

void *aligned_alloc(size_t alignment, size_t size)
{
    heap_used("aligned_alloc");
    return heap_take(alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
    heap_used("memalign");
    return heap_take(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    heap_used("posix_memalign");
    *memory = heap_take(alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}

#endif

/* ---- Checks ---------------------------------------------------------------------------------------- */

#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(bool good, const char *what, int line)
{
    if (good)
        return;
    armed = false;
    fprintf(stderr, "test_nomalloc.c:%d: %s\n", line, what);
    printf("[==========] 1 test(s) run.\n[  FAILED  ] 1 test(s).\n");
    exit(1);
}

/* ---- base, pulse --------------------------------------------------------------------------------- */

static void drive_base(void)
{
    uint8_t room[8];
    weir_out out = {room, sizeof room};
    CHECK(weir_version() == WEIR_VERSION_NUM);
    CHECK(weir_out_put(&out, weir_cstr("abc")) == 0);
    CHECK(weir_out_put(&out, weir_cstr("abcdef")) == WEIR_ERR_SPACE);
    CHECK(weir_str_is((weir_str){room, 3}, "abc") && weir_str_is_nocase((weir_str){room, 3}, "ABC"));
    CHECK(weir_utf8_valid(weir_cstr("\xE4\xBD\xA0")) && !weir_utf8_valid(weir_cstr("\xE4\xBD")));
    for (int err = -400; err < 5; err++)
        CHECK(weir_strerror(err) == weir_err_lookup(err)->text);
}

static void drive_pulse(void)
{
    const weir_pulse_cfg cfg = {100, 10, 10, 10};
    weir_pulse pulse;
    weir_pulse_init(&pulse, &cfg, 0);
    CHECK(weir_pulse_wait(&pulse, 0) == 100);
    weir_pulse_opened(&pulse, 1);
    weir_pulse_alive(&pulse, 2);
    CHECK(weir_pulse_deadline(&pulse) == 12);
    CHECK(weir_pulse_poll(&pulse, 12) == WEIR_PULSE_BEAT);
    CHECK(weir_pulse_answered(&pulse, 12) == 0);
    CHECK(weir_pulse_poll(&pulse, 22) == WEIR_PULSE_BEAT);
    CHECK(weir_pulse_poll(&pulse, 32) == WEIR_PULSE_LOST);
    weir_pulse_closing(&pulse, 33);
    CHECK(weir_pulse_poll(&pulse, 43) == WEIR_PULSE_UNCLOSED);
}

/* ---- http ---------------------------------------------------------------------------------------- */

/* One head out of bytes, `piece` of them at a time. */
static int parse(weir_http *http, weir_in *in, size_t piece, weir_http_head *head)
{
    int rv = 0;
    while (rv == 0 && in->len != 0) {
        weir_in part = {in->ptr, in->len < piece ? in->len : piece};
        size_t before = part.len;
        rv = weir_http_next(http, &part, head);
        in->ptr += before - part.len;
        in->len -= before - part.len;
    }
    return rv;
}

static weir_in bytes_of(uint8_t *room, size_t size, const char *text)
{
    CHECK(strlen(text) <= size);
    memcpy(room, text, strlen(text));
    return (weir_in){room, strlen(text)};
}

static void drive_http_heads(size_t piece)
{
    uint8_t room[512], storage[512];
    weir_http http;
    weir_http_head head;
    weir_str path, query, data;
    weir_http_body body;
    weir_in in =
        bytes_of(room, sizeof room,
                 "POST /a?b HTTP/1.1\r\nHost: h\r\nOrigin: http://h\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\nGET / HTTP/2.0\r\n\r\n");
    CHECK(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL) == 0);
    CHECK(parse(&http, &in, piece, &head) == 1);
    CHECK(weir_http_target_split(head.target, &path, &query) == 0 && weir_str_is(query, "b"));
    CHECK(weir_http_origin_check(head.fields, weir_cstr("http://h:80")) == WEIR_HTTP_ORIGIN_SAME);
    CHECK(weir_http_fields_has(head.fields, "transfer-encoding", "chunked"));
    weir_http_fields walk = head.fields;
    weir_http_field field;
    CHECK(weir_http_fields_next(&walk, &field) && weir_http_fields_find(&walk, "origin", &data));
    CHECK(weir_http_list_next(&data, &path));

    weir_http_body_init(&body, head.framing, head.body_len);
    CHECK(weir_http_body_eof(&body) == WEIR_ERR_HTTP_BODY_CUT);
    weir_http_body_init(&body, head.framing, head.body_len);
    CHECK(weir_http_body_next(&body, &in, &data) == WEIR_HTTP_BODY_DATA && weir_str_is(data, "abc"));
    CHECK(weir_http_body_next(&body, &in, &data) == WEIR_HTTP_BODY_END);
    CHECK(parse(&http, &in, piece, &head) == WEIR_ERR_HTTP_MAJOR);
    uint64_t offset;
    CHECK(weir_http_error(&http, &offset) == WEIR_ERR_HTTP_MAJOR);
}

static void drive_http_writers(void)
{
    uint8_t room[1024];
    weir_out out = {room, sizeof room};
    const weir_http_field field = {weir_cstr("A"), weir_cstr("b")};
    weir_http_reply reply = {200, WEIR_HTTP_CLOSE, &field, 1, weir_cstr("body")};
    CHECK(weir_http_reply_size(&reply) <= sizeof room && weir_http_reply_write(&out, &reply) == 0);
    CHECK(weir_http_chunk_put(&out, weir_cstr("abc")) == 0 && weir_http_chunk_end(&out) == 0);
    for (int err = -400; err < 1; err++) {
        out = (weir_out){room, sizeof room};
        CHECK(weir_http_error_reply(&out, err, err % 2 ? &reply : NULL) == 0);
    }
    CHECK(weir_http_reason(200)[0] == 'O');

    weir_http_uri uri;
    CHECK(weir_http_uri_parse(weir_cstr("wss://u@[::1]:9/a?b"), &uri) == 0);
    weir_http_request request = {"PUT", &uri, &field, 1, weir_cstr("body")};
    out = (weir_out){room, sizeof room};
    CHECK(weir_http_request_size(&request) < sizeof room && weir_http_request_write(&out, &request) == 0);
}

/* ---- sse ----------------------------------------------------------------------------------------- */

static void drive_sse(void)
{
    uint8_t room[1024], storage[256], text[128];
    weir_http http;
    weir_http_head head;
    weir_sse_request req;
    weir_in in = bytes_of(text, sizeof text,
                          "GET / HTTP/1.1\r\nHost: h\r\nAccept: text/*\r\nLast-Event-ID: 7\r\n\r\n");
    CHECK(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL) == 0);
    CHECK(parse(&http, &in, 1, &head) == 1);
    CHECK(weir_sse_request_read(&head, WEIR_SSE_ALLOW_POST, &req) == 0);
    CHECK(weir_str_is(req.last_event_id, "7"));
    weir_sse_reply reply = {weir_cstr("https://h"), NULL, 0};
    weir_out out = {room, sizeof room};
    CHECK(weir_sse_reply_write(&out, &req, &reply) == 0);

    weir_sse_event event = {weir_cstr("t"), weir_cstr("a\r\nb\n"), weir_cstr("8"), true, 3000};
    size_t size;
    CHECK(weir_sse_event_size(&event, &size) == 0);
    weir_out small = {storage, size};
    CHECK(weir_sse_event_write(&small, &event) == 0 && small.len == 0);
    CHECK(weir_sse_frame(&out, &req, (weir_str){storage, size}) == 0);
    CHECK(weir_sse_comment_write(&out, weir_cstr("c\nd")) == 0);
    CHECK(weir_sse_end(&out, &req) == 0);
    event.id = weir_cstr("8\n9");
    CHECK(weir_sse_event_write(&out, &event) == WEIR_ERR_SSE_ID);
}

/* ---- ws ------------------------------------------------------------------------------------------ */

typedef struct side {
    weir_ws ws;
    weir_deflate deflate;
    uint8_t inflate_mem[64];
    uint8_t deflate_mem[64];
    uint8_t scratch[256];
    uint8_t wire[4096]; /* what this side has written */
    weir_out out;
} side;

static side server, client;
static weir_entropy entropy;

static int fill(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(i * 7 + 1);
    return 0;
}

/* The opening handshake, from the client's first byte to both sides' agreement. */
static void drive_ws_opening(weir_deflate_params *params)
{
    static const char *const protocols[] = {"chat", "superchat"};
    const weir_deflate_policy policy = {12, 12, true, false};
    uint8_t request[1024], reply[1024], storage[1024], value[WEIR_DEFLATE_VALUE_MAX];
    weir_http http;
    weir_http_uri uri;
    weir_http_head head;
    weir_ws_opening opening;
    weir_ws_offer offer = {.protocols = protocols, .protocol_count = 2, .deflate = &policy};
    weir_out out = {request, sizeof request};
    CHECK(weir_http_uri_parse(weir_cstr("ws://h/chat"), &uri) == 0);
    CHECK(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy) == 0);

    weir_ws_request req;
    weir_in in = {request, sizeof request - out.len};
    CHECK(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL) == 0);
    CHECK(parse(&http, &in, 3, &head) == 1);
    CHECK(weir_ws_request_read(&head, &req) == 0);
    CHECK(weir_ws_request_protocol(&req, protocols, 2) == 0);
    CHECK(weir_deflate_negotiate(head.fields, &policy, params) == 1);
    weir_ws_accept accept = {.protocol = protocols[0], .deflate = params};
    out = (weir_out){reply, sizeof reply};
    CHECK(weir_ws_accept_write(&out, &req, &accept) == 0);

    weir_ws_choice choice;
    weir_deflate_params checked;
    in = (weir_in){reply, sizeof reply - out.len};
    CHECK(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL) == 0);
    CHECK(parse(&http, &in, 3, &head) == 1);
    CHECK(weir_ws_opening_read(&opening, &head, &choice) == 1);
    CHECK(choice.protocol == 0 && choice.deflated);
    CHECK(weir_deflate_check(head.fields, &policy, &checked) == 1);
    out = (weir_out){value, sizeof value};
    CHECK(weir_deflate_offer_write(&out, &policy) == 0);
    out = (weir_out){value, sizeof value};
    CHECK(weir_deflate_answer_write(&out, params) == 0);
}

static void side_init(side *s, weir_ws_role role, const weir_deflate_params *params)
{
    weir_ws_cfg cfg;
    weir_deflate_cfg dc;
    memset(&dc, 0, sizeof dc);
    dc.backend = &store_backend;
    dc.params = *params;
    dc.role = (uint32_t)role;
    weir_deflate_memory(&dc, &dc.inflate_len, &dc.deflate_len);
    CHECK(dc.inflate_len <= sizeof s->inflate_mem && dc.deflate_len <= sizeof s->deflate_mem);
    dc.inflate_mem = s->inflate_mem;
    dc.deflate_mem = s->deflate_mem;
    dc.scratch = s->scratch;
    dc.scratch_len = sizeof s->scratch;
    CHECK(weir_deflate_init(&s->deflate, &dc) == 0);
    weir_ws_cfg_init(&cfg, role);
    cfg.entropy = &entropy;
    cfg.deflate = &s->deflate;
    CHECK(weir_ws_init(&s->ws, &cfg) == 0);
    s->out = (weir_out){s->wire, sizeof s->wire};
}

/* The one side reads what the other wrote; counts events by kind. */
static void side_read(side *reader, side *writer, size_t piece, unsigned counts[8])
{
    uint8_t joined[1024];
    weir_ws_joiner joiner = {joined, sizeof joined, 0};
    size_t len = sizeof writer->wire - writer->out.len;
    memset(counts, 0, 8 * sizeof *counts);
    for (size_t at = 0; at < len; at += piece) {
        weir_in in = {writer->wire + at, len - at < piece ? len - at : piece};
        weir_ws_event ev;
        weir_str message;
        int rv;
        while ((rv = weir_ws_next(&reader->ws, &in, &ev)) > 0) {
            counts[rv]++;
            counts[7] += weir_ws_join(&joiner, &ev, &message) == 1;
            CHECK(weir_ws_out_put(&reader->ws, &reader->out) == 0);
        }
        CHECK(rv == 0 && weir_ws_error(&reader->ws, NULL) == 0);
    }
    writer->out = (weir_out){writer->wire, sizeof writer->wire};
}

static void side_talk(side *s)
{
    uint8_t header[WEIR_WS_HEADER_MAX], payload[5];
    size_t header_len;
    weir_str hello = weir_cstr("Hello");
    CHECK(weir_ws_send_size(&s->ws, 5) < 100);
    CHECK(weir_ws_send(&s->ws, &s->out, WEIR_WS_WHOLE | WEIR_WS_TEXT, hello) == 0);
    CHECK(weir_ws_send(&s->ws, &s->out, WEIR_WS_WHOLE | WEIR_WS_TEXT | WEIR_WS_DEFLATE, hello) == 0);
    uint32_t flags = WEIR_WS_WHOLE;
    weir_str parts = hello;
    CHECK(weir_ws_send_part(&s->ws, &s->out, &flags, &parts, 4) == 1);
    CHECK(weir_ws_send_part(&s->ws, &s->out, &flags, &parts, 4) == 0 && parts.len == 0);
    CHECK(weir_ws_send(&s->ws, &s->out, WEIR_WS_FIRST, hello) == 0);
    CHECK(weir_ws_ping(&s->ws, hello) == 0 && weir_ws_pong(&s->ws, hello) == 0);
    weir_str waiting = weir_ws_out(&s->ws);
    CHECK(weir_out_put(&s->out, waiting) == 0);
    weir_ws_out_ack(&s->ws, waiting.len);
    CHECK(weir_ws_begin(&s->ws, WEIR_WS_LAST, 5, header, &header_len) == 0);
    CHECK(weir_out_put(&s->out, (weir_str){header, header_len}) == 0);
    CHECK(weir_ws_payload(&s->ws, payload, hello) == 0);
    CHECK(weir_out_put(&s->out, (weir_str){payload, 5}) == 0);
}

static void drive_ws_prepared(unsigned counts[8])
{
    uint8_t plain[64], packed[128];
    static uint8_t mem[64];
    weir_out out = {plain, sizeof plain}, out_packed = {packed, sizeof packed};
    weir_str hello = weir_cstr("Hello"), bytes;
    CHECK(weir_ws_prepare(&out, WEIR_WS_TEXT, hello) == 0);
    CHECK(weir_ws_prepare_packed(&out_packed, WEIR_WS_TEXT, hello, &store_backend, mem, sizeof mem, 12) == 0);
    weir_ws_prepared prepared = {
        {plain, sizeof plain - out.len}, {packed, sizeof packed - out_packed.len}, 12};
    CHECK(weir_ws_send_prepared(&server.ws, &prepared, &bytes) == 0);
    CHECK(weir_out_put(&server.out, bytes) == 0);
    side_read(&client, &server, 1, counts);
    CHECK(counts[7] == 1);
}

static void drive_ws(size_t piece)
{
    unsigned counts[8];
    weir_deflate_params params;
    weir_ws_event ev;
    weir_ws_closing closing;
    CHECK(weir_entropy_init(&entropy, fill, NULL) == 0);
    drive_ws_opening(&params);
    side_init(&server, WEIR_WS_SERVER, &params);
    side_init(&client, WEIR_WS_CLIENT, &params);

    side_talk(&client);
    side_read(&server, &client, piece, counts);
    CHECK(counts[7] == 4 && counts[WEIR_WS_PING] == 1 && counts[WEIR_WS_PONG] == 1);
    side_talk(&server);
    side_read(&client, &server, piece, counts);
    CHECK(counts[7] == 4 && counts[WEIR_WS_PING] == 1 && counts[WEIR_WS_PONG] == 2);
    client.out = (weir_out){client.wire, sizeof client.wire};
    drive_ws_prepared(counts);

    CHECK(weir_ws_transport(&client.ws) == WEIR_WS_CARRY_ON);
    CHECK(weir_ws_close(&client.ws, 1000, weir_cstr("bye")) == 0);
    CHECK(weir_ws_out_put(&client.ws, &client.out) == 0);
    side_read(&server, &client, piece, counts);
    CHECK(counts[WEIR_WS_CLOSE] == 1);
    side_read(&client, &server, piece, counts);
    CHECK(counts[WEIR_WS_CLOSE] == 1);
    CHECK(weir_ws_transport(&server.ws) == WEIR_WS_SHUTDOWN_WRITE);
    CHECK(weir_ws_eof(&client.ws, &ev) == WEIR_WS_END && ev.code == 1000);
    weir_ws_closing_read(&client.ws, &closing);
    CHECK(closing.clean && closing.first == WEIR_WS_LOCAL);
}

/* Errors take paths of their own. */
static void drive_ws_errors(void)
{
    weir_ws ws;
    weir_ws_cfg cfg;
    weir_ws_event ev;
    uint8_t room[WEIR_WS_OUT_MAX], bad[] = {0xC1, 0x00};
    weir_in in = {bad, 2};
    weir_out out = {room, sizeof room};
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    CHECK(weir_ws_init(&ws, &cfg) == 0);
    CHECK(weir_ws_next(&ws, &in, &ev) == WEIR_ERR_WS_RSV);
    CHECK(weir_ws_out_put(&ws, &out) == 0 && out.len < sizeof room);
    CHECK(weir_ws_send(&ws, &out, WEIR_WS_WHOLE, weir_cstr("x")) == WEIR_ERR_STATE);
}

static void drive_all(void)
{
    drive_base();
    drive_pulse();
    drive_http_heads(1000);
    drive_http_heads(1);
    drive_http_writers();
    drive_sse();
    drive_ws(4096);
    drive_ws(1);
    drive_ws_errors();
}

/* Would a use of the heap be noticed? */
static bool heap_is_watched(void)
{
    expected = armed = true;
    void *volatile memory = malloc(1);
    free(memory);
    expected = armed = false;
    return noted;
}

int main(void)
{
    printf("[==========] Running 1 test(s).\n");
    fflush(stdout);
#ifdef HEAP_IS_TAKEN
    (void)heap_is_watched;
    printf("(a sanitizer has the heap: only the calls are made)\n");
#else
    CHECK(heap_is_watched());
#endif
    armed = true;
    drive_all();
    armed = false;
    printf("[==========] 1 test(s) run.\n[  PASSED  ] 1 test(s).\n");
    return 0;
}
