/* SPDX-License-Identifier: MIT */
/*
 * attacks_work.c - inputs that make a reader work more than they are long: linear, and how much is counted.
 *
 * The library is compiled so that it calls __sanitizer_cov_trace_pc in each block of code that it runs. What
 * an input costs is the number of these calls, the same on every machine at every load. An input twice as
 * long must not cost much more than twice as much, and no byte more than some dozens of blocks.
 */
#include "check.h"
#include "harness.h"
#include "weir/weir.h"

#include <stdio.h>
#include <stdlib.h>

void __sanitizer_cov_trace_pc(void);

static uint64_t blocks;

void __sanitizer_cov_trace_pc(void)
{
    blocks++;
}

/* ---- What is measured ---------------------------------------------------------------------------- */

/* An input: `before`, then `unit` again and again, then `after`. */
typedef struct input {
    const char *before, *unit, *after;
} input;

/* The text lies against an unmapped page: nothing is read beyond it. */
static size_t input_make(const input *in, size_t len, uint8_t **text)
{
    size_t before = strlen(in->before), unit = strlen(in->unit), after = strlen(in->after);
    size_t count = len / unit;
    uint8_t *at = *text = guard_copy(NULL, before + count * unit + after, false);
    memcpy(at, in->before, before);
    at += before;
    for (size_t i = 0; i < count; i++, at += unit)
        memcpy(at, in->unit, unit);
    memcpy(at, in->after, after);
    return before + count * unit + after;
}

typedef void (*reader)(uint8_t *text, size_t len);

static uint64_t cost_of(reader read, const input *in, size_t len)
{
    uint8_t *text;
    size_t whole = input_make(in, len, &text);
    blocks = 0;
    read(text, whole);
    guard_free(text);
    return blocks;
}

/* Blocks that a byte may cost, generously: the costliest readers look at each field some times. */
enum { SHORT = 4 << 10, LONG = 64 << 10, MOST_PER_BYTE = 160 };

static void check_linear(reader read, const input *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t less = cost_of(read, &inputs[i], SHORT);
        uint64_t more = cost_of(read, &inputs[i], LONG);
        assert_true(less != 0);
        if (more > less * (LONG / SHORT) * 3 / 2 + 20000 || more > (uint64_t)LONG * MOST_PER_BYTE)
            fail_msg("%s%s...: %llu blocks for %d bytes, %llu for %d", inputs[i].before, inputs[i].unit,
                     (unsigned long long)less, SHORT, (unsigned long long)more, LONG);
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Heads ---------------------------------------------------------------------------------------- */

#define REQUEST "GET / HTTP/1.1\r\nHost: h\r\n"
#define UPGRADE \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const input heads[] = {
    {REQUEST UPGRADE "X: ", "x", "\r\n\r\n"},
    {REQUEST UPGRADE "X: ", " ", "\r\n\r\n"},
    {REQUEST UPGRADE "X: a", " \t", "b\r\n\r\n"},
    {REQUEST UPGRADE, "X: y\r\n", "\r\n"},
    {REQUEST UPGRADE, "X:\r\n", "\r\n"},
    {REQUEST, "Upgrade: a, b, c\r\n", UPGRADE "\r\n"},
    {REQUEST UPGRADE "Connection: ", ",", "\r\n\r\n"},
    {REQUEST UPGRADE "Connection: ", "a, ", "b\r\n\r\n"},
    {REQUEST UPGRADE "Connection: \"", "\\", "\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Protocol: a", " ", ", b\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Protocol: a", " ", "b\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Protocol: ", ",", "b\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Protocol: a", ",a", "\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Protocol: a", "a", ", b\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Extensions: a; b=\"", "\\", "\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Extensions: a; b=\"", "x", "\"\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Extensions: ", "a; ", "b\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Extensions: a", "; b", "\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Extensions: ", "permessage-deflate, ", "b\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Extensions: permessage-deflate", "; x", "\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Extensions: permessage-deflate", " ", "\r\n\r\n"},
    {REQUEST UPGRADE "Sec-WebSocket-Key: ", "A", "\r\n\r\n"},
    {REQUEST UPGRADE "Origin: http://", "a", "\r\n\r\n"},
    {REQUEST UPGRADE, "Origin: http://a\r\n", "\r\n"},
    {"GET /", "x", " HTTP/1.1\r\nHost: h\r\n" UPGRADE "\r\n"},
    {"GET / HTTP/1.1\r\nHost: ", "h", "\r\n" UPGRADE "\r\n"},
    {"GET / HTTP/1.1\r\nHost: ", "[:", "\r\n" UPGRADE "\r\n"},
    {REQUEST UPGRADE "Content-Length: ", "0", "\r\n\r\n"},
    {REQUEST UPGRADE "Content-Length: 0", ", 0", "\r\n\r\n"},
    {REQUEST UPGRADE "Transfer-Encoding: ", "chunked, ", "a\r\n\r\n"},
    {"", "\r\n", ""},
    {"", "G", ""},
};

/* For the head, or for the list of its fields as well. */
static uint8_t storage[16 * LONG];

/* Everything that a server does with a head. */
static void serve(const weir_http_head *head)
{
    static const char *const spoken[] = {"x", "y", "z"};
    weir_ws_request req;
    weir_deflate_params params;
    (void)weir_http_origin_check(head->fields, weir_cstr("https://h"));
    if (weir_ws_request_read(head, &req) != 0)
        return;
    (void)weir_ws_request_protocol(&req, spoken, COUNT(spoken));
    (void)weir_deflate_negotiate(req.fields, NULL, &params);
}

static void read_head_in_steps(uint8_t *text, size_t len, size_t step, size_t room)
{
    weir_http http;
    weir_http_head head;
    const weir_http_cfg cfg = {.max_target = sizeof storage, .max_fields = sizeof storage};
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, room, &cfg), 0);
    for (size_t at = 0; at < len; at += step) {
        weir_in in = {text + at, len - at < step ? len - at : step};
        int rv = weir_http_next(&http, &in, &head);
        if (rv < 0)
            return;
        if (rv > 0)
            serve(&head);
    }
}

static void read_head_whole(uint8_t *text, size_t len)
{
    read_head_in_steps(text, len, len, sizeof storage);
}

static void read_head_bytewise(uint8_t *text, size_t len)
{
    read_head_in_steps(text, len, 1, sizeof storage);
}

static void read_head_in_sevens(uint8_t *text, size_t len)
{
    read_head_in_steps(text, len, 7, sizeof storage);
}

static void read_head_without_list(uint8_t *text, size_t len)
{
    read_head_in_steps(text, len, len, len < 16 ? 16 : len);
    read_head_in_steps(text, len, 7, len < 16 ? 16 : len);
}

static void test_heads(void **state)
{
    (void)state;
    check_linear(read_head_whole, heads, COUNT(heads));
    check_linear(read_head_bytewise, heads, COUNT(heads));
    check_linear(read_head_in_sevens, heads, COUNT(heads));
    check_linear(read_head_without_list, heads, COUNT(heads));
}

/* ---- Lists of extensions, subprotocols and origins by themselves ----------------------------------- */

static const input values[] = {
    {"", "a; b=\"", ""},
    {"a; b=\"", "\\", ""},
    {"a; b=\"", "\\a", "\""},
    {"a; b=\"", "a", "\\"},
    {"a; b=\"", "\\a", "\\"},
    {"a; b=", "\"a\"", ""},
    {"permessage-deflate", " ;", ""},
    {"permessage-deflate", "; server_no_context_takeover", ""},
    {"permessage-deflate; server_max_window_bits=", "1", ""},
    {"permessage-deflate; server_max_window_bits=\"", "1", "\""},
    {"permessage-deflate; server_max_window_bits=\"", "\\1", "\""},
    {"permessage-deflate", "; client_max_window_bits=10, permessage-deflate", ""},
    {"", "permessage-deflate; x, ", ""},
    {"", "permessage-deflate; server_max_window_bits=8, ", ""},
    {"", "permessage-deflate; server_max_window_bits=8, ", "permessage-deflate"},
    {"", ",", ""},
    {"", " , ", "a"},
    {"", " ", ""},
    {"", "\"", ""},
    {"", "\"a\",", ""},
    {"a", " = ", "b"},
    {"", "constructor, ", "__proto__"},
    {"", "x", ""},
    {"http://", "[", ""},
    {"http://a:", "0", "80"},
    {"", "http://a ", ""},
    {"permessage-deflate;", "\\", ""},
    {"permessage-deflate;", ",", ""},
    {"permessage-deflate;", ";", ""},
    {"permessage-deflate;", "=", ""},
    {"permessage-deflate;", "\"", ""},
    {"a", "\\", ""},
    {"a", " ", ""},
};

static void read_value(uint8_t *text, size_t len)
{
    static const char *const names[] = {"sec-websocket-extensions", "sec-websocket-protocol", "origin"};
    static const char *const spoken[] = {"x", "y"};
    static const weir_deflate_policy policy = {0, 0, false, false};
    for (size_t i = 0; i < COUNT(names); i++) {
        weir_http_field list[] = {{weir_cstr("sec-websocket-version"), weir_cstr("13")},
                                  {weir_cstr(names[i]), {text, len}}};
        weir_http_fields fields = {{NULL, 0}, list, 2};
        weir_http_head head = {.method = weir_cstr("CONNECT"), .target = weir_cstr("/"), .fields = fields};
        weir_deflate_params params;
        weir_ws_request req;
        weir_ws_choice choice;
        (void)weir_deflate_negotiate(fields, &policy, &params);
        (void)weir_deflate_check(fields, &policy, &params);
        (void)weir_http_origin_check(fields, weir_cstr("http://a"));
        (void)weir_ws_extended_check(NULL, 200, fields, &choice);
        if (weir_ws_extended_read(&head, weir_cstr("websocket"), &req) == 0)
            (void)weir_ws_request_protocol(&req, spoken, COUNT(spoken));
    }
}

static void test_values(void **state)
{
    (void)state;
    check_linear(read_value, values, COUNT(values));
}

/* Members that are compared with each other to find one that is there twice: here none is. */
static void read_distinct(uint8_t *text, size_t len)
{
    weir_http_field list[] = {{weir_cstr("sec-websocket-version"), weir_cstr("13")},
                              {weir_cstr("sec-websocket-protocol"), {text, len - 1}}};
    weir_http_head head = {
        .method = weir_cstr("CONNECT"), .target = weir_cstr("/"), .fields = {{NULL, 0}, list, 2}};
    weir_ws_request req;
    for (size_t i = 0; i + 6 <= len; i += 6) {
        char member[16];
        snprintf(member, sizeof member, "p%04x,", (unsigned)(i / 6) & 0xFFFF);
        memcpy(text + i, member, 6);
    }
    (void)weir_ws_extended_read(&head, weir_cstr("websocket"), &req);
}

static void test_distinct_members(void **state)
{
    static const input inputs[] = {{"", "p0000,", ""}};
    (void)state;
    check_linear(read_distinct, inputs, COUNT(inputs));
}

/* Many fields, each of them short: lists that go on from line to line. */
static void read_fields(uint8_t *text, size_t len)
{
    static const char *const names[] = {"sec-websocket-extensions", "sec-websocket-protocol", "origin"};
    size_t count = len / 16;
    weir_http_field *list = calloc(count + 1, sizeof *list);
    assert_non_null(list);
    for (size_t i = 0; i < COUNT(names); i++) {
        for (size_t k = 0; k < count; k++)
            list[k] = (weir_http_field){weir_cstr(names[i]), {text + 16 * k, 16}};
        weir_http_fields fields = {{NULL, 0}, list, count};
        weir_http_head head = {.method = weir_cstr("CONNECT"), .target = weir_cstr("/"), .fields = fields};
        weir_deflate_params params;
        weir_ws_request req;
        (void)weir_deflate_negotiate(fields, NULL, &params);
        (void)weir_deflate_check(fields, NULL, &params);
        (void)weir_http_origin_check(fields, weir_cstr("http://a"));
        (void)weir_ws_extended_read(&head, weir_cstr("websocket"), &req);
    }
    free(list);
}

static void test_fields(void **state)
{
    static const input inputs[] = {
        {"", "aaaaaaaaaaaaaaaa", ""},
        {"", "a,b,c,d,e,f,g,h,", ""},
        {"", "permessage-defl;", ""},
        {"", "                ", ""},
    };
    (void)state;
    check_linear(read_fields, inputs, COUNT(inputs));
}

/* ---- Frames ----------------------------------------------------------------------------------------- */

static void read_frames_in_steps(uint8_t *text, size_t len, size_t step)
{
    weir_ws ws;
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    cfg.max_fragments = UINT32_MAX;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
    for (size_t at = 0; at < len; at += step) {
        weir_in in = {text + at, len - at < step ? len - at : step};
        weir_ws_event ev;
        while (weir_ws_next(&ws, &in, &ev) > 0)
            continue;
    }
}

static void read_frames_whole(uint8_t *text, size_t len)
{
    read_frames_in_steps(text, len, len);
}

static void read_frames_bytewise(uint8_t *text, size_t len)
{
    read_frames_in_steps(text, len, 1);
}

/* Masked with letters, since these inputs are texts. The payload of the first three is text itself. */
static void test_frames(void **state)
{
    static const input inputs[] = {
        {"\x81\xFF\x01\x01\x01\x01\x01\x01\x01\x01", "aaaa", ""},
        {"\x82\xFE\x7F\x7F"
         "aaaa",
         "x", ""},
        {"\x81\xFE\x7F\x7F"
         "aaaa",
         "\xA5\xDC\xC1\xDE", ""}, /* of three-byte and other characters, valid or not */
        {"", "\x82\x81xxxxa", ""},
        {"\x02\x81xxxxa", "\x89\x84xxxxping", ""},
        {"\x02\x81xxxxa", "\x8A\x80xxxx", ""},
        {"\x89\xFDxxxx", "p", ""},
        {"\x88\x82\x01\x01\x01\x01\x02\xE9", "behind the Close", ""},
        {"\x83", "behind an error", ""},
    };
    (void)state;
    check_linear(read_frames_whole, inputs, COUNT(inputs));
    check_linear(read_frames_bytewise, inputs, COUNT(inputs));
}

/* Empty fragments and Pings that nobody writes the answers of: each costs the same, whatever came before. */
static void test_floods(void **state)
{
    static const char *const frames[] = {"\x02\x80xxxx", "\x00\x80xxxx", "\x89\xFDxxxx", "\x8A\x80xxxx"};
    (void)state;
    for (size_t kind = 1; kind < COUNT(frames); kind++) {
        weir_ws ws;
        weir_ws_cfg cfg;
        uint64_t first = 0;
        weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
        cfg.max_fragments = UINT32_MAX;
        assert_int_equal(weir_ws_init(&ws, &cfg), 0);
        for (unsigned i = 0; i < 20000; i++) {
            uint8_t frame[6 + 125] = {0};
            weir_ws_event ev;
            memcpy(frame, frames[i == 0 ? 0 : kind], 2);
            weir_in in = {frame, 6 + (size_t)(frame[1] & 0x7F)};
            blocks = 0;
            assert_true(weir_ws_next(&ws, &in, &ev) >= 0);
            if (i == 10)
                first = blocks;
            assert_true(i < 10 || blocks <= first + 8);
        }
        assert_true(first > 0);
    }
}

/* ---- Event streams -------------------------------------------------------------------------------- */

static void read_events(uint8_t *text, size_t len)
{
    static uint8_t joined[WEIR_SSE_STORAGE(1 << 20)];
    weir_sse_parser parser;
    weir_sse_item item;
    weir_in in = {text, len};
    assert_int_equal(weir_sse_parser_init(&parser, joined, sizeof joined, NULL), 0);
    while (weir_sse_next(&parser, &in, &item) > 0)
        continue;
}

/* Bytes that are not UTF-8, each of which becomes U+FFFD: none may cost a look at all that follow. */
static void test_repair(void **state)
{
    static const input inputs[] = {
        {"data: ", "\xFF", "\n\n"},
        {"data: ", "\x80", "\n\n"},
        {"data: ", "\xE4\xBD", "\n\n"},
        {"data: ", "\xC3\xA9\xFF", "\n\n"},
        {"data: ", "\xF0\x9F\x99\x82 \xED\xA0\x80", "\n\n"},
        {"data: ", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\xC0", "\n\n"},
    };
    (void)state;
    check_linear(read_events, inputs, COUNT(inputs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_fields), cmocka_unit_test(test_distinct_members),
        cmocka_unit_test(test_frames), cmocka_unit_test(test_floods),
        cmocka_unit_test(test_repair),
    };
    return cmocka_run_group_tests_name("attacks_work", tests, NULL, NULL);
}
