/* SPDX-License-Identifier: MIT */
/* test_sse_write.c - the event writer: vectors, and whatever it writes a receiver reads back as sent. */
#include "check.h"
#include "harness.h"
#include "text.h"
#include "weir/sse.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- A receiver: WHATWG HTML 9.2.6 read literally, one character at a time --------------------- */

enum { ROOM = 4096 };

typedef struct text {
    uint8_t bytes[ROOM];
    size_t len;
} text;

typedef struct receiver {
    text data, type, id, line;
    bool has_retry;
    uint64_t retry;
    unsigned events;
    unsigned unknown; /* fields that are none of the four; comments are not counted */
    text event_data, event_type;
} receiver;

static void text_add(text *t, const uint8_t *bytes, size_t len)
{
    assert_true(t->len + len <= ROOM);
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

static bool text_is(const text *t, weir_str str)
{
    return t->len == str.len && (str.len == 0 || memcmp(t->bytes, str.ptr, str.len) == 0);
}

static void receiver_dispatch(receiver *r)
{
    if (r->data.len == 0) {
        r->type.len = 0;
        return;
    }
    r->data.len--;
    r->event_data = r->data;
    r->event_type = r->type;
    if (r->type.len == 0)
        text_add(&r->event_type, (const uint8_t *)"message", 7);
    r->data.len = r->type.len = 0;
    r->events++;
}

static void receiver_field(receiver *r, weir_str name, weir_str value)
{
    if (weir_str_is(name, "event")) {
        r->type.len = 0;
        text_add(&r->type, value.ptr, value.len);
    } else if (weir_str_is(name, "data")) {
        text_add(&r->data, value.ptr, value.len);
        text_add(&r->data, (const uint8_t *)"\n", 1);
    } else if (weir_str_is(name, "id")) {
        if (value.len == 0 || memchr(value.ptr, 0, value.len) == NULL) {
            r->id.len = 0;
            text_add(&r->id, value.ptr, value.len);
        }
    } else if (weir_str_is(name, "retry")) {
        r->has_retry = true;
        r->retry = 0;
        for (size_t i = 0; i < value.len; i++)
            r->retry = r->retry * 10 + (uint64_t)(value.ptr[i] - '0');
    } else {
        r->unknown++;
    }
}

static void receiver_line(receiver *r)
{
    const uint8_t *p = r->line.bytes;
    size_t len = r->line.len, colon = 0;
    r->line.len = 0;
    if (len == 0) {
        receiver_dispatch(r);
        return;
    }
    while (colon < len && p[colon] != ':')
        colon++;
    if (colon == 0)
        return;
    size_t value = colon < len ? colon + 1 : len;
    if (value < len && p[value] == ' ')
        value++;
    receiver_field(r, (weir_str){p, colon}, (weir_str){p + value, len - value});
}

static void receiver_run(receiver *r, const uint8_t *stream, size_t len)
{
    memset(r, 0, sizeof *r);
    text_add(&r->id, (const uint8_t *)"before", 6);
    for (size_t i = 0; i < len; i++) {
        if (stream[i] == '\n' && i != 0 && stream[i - 1] == '\r')
            continue;
        if (stream[i] == '\n' || stream[i] == '\r')
            receiver_line(r);
        else
            text_add(&r->line, stream + i, 1);
    }
    assert_int_equal(r->line.len, 0);
}

/* ---- What is asked of every event ---------------------------------------------------------------- */

/* Line ends of all kinds arrive as LF. */
static void normalise(text *t, weir_str data)
{
    t->len = 0;
    for (size_t i = 0; i < data.len; i++) {
        if (data.ptr[i] == '\n' && i != 0 && data.ptr[i - 1] == '\r')
            continue;
        text_add(t, data.ptr[i] == '\r' ? (const uint8_t *)"\n" : data.ptr + i, 1);
    }
}

static void check_received(const weir_sse_event *event, const uint8_t *stream, size_t len)
{
    static receiver r;
    static text wanted;
    receiver_run(&r, stream, len);
    assert_int_equal(r.unknown, 0);
    assert_int_equal(r.events, event->data.ptr != NULL);
    assert_int_equal(r.data.len, 0);
    assert_int_equal(r.has_retry, event->has_retry);
    if (event->has_retry)
        assert_true(r.retry == event->retry_ms);
    assert_true(text_is(&r.id, event->id.ptr == NULL ? weir_cstr("before") : event->id));
    if (event->data.ptr != NULL) {
        normalise(&wanted, event->data);
        assert_true(text_is(&r.event_data, (weir_str){wanted.bytes, wanted.len}));
        assert_true(text_is(&r.event_type, event->type.len == 0 ? weir_cstr("message") : event->type));
    }
}

/* What lies behind the room is guarded. */
static void check_nothing_written(const uint8_t *bytes, size_t room, const weir_out *out)
{
    assert_ptr_equal(out->ptr, bytes);
    assert_int_equal(out->len, room);
}

/* Size, every smaller room, the exact one, and what a receiver makes of it. */
static void check_event(const weir_sse_event *event)
{
    size_t size = 99;
    assert_int_equal(weir_sse_event_size(event, &size), 0);
    for (size_t room = size > 40 ? size - 3 : 0; room <= size; room++) {
        uint8_t *bytes = guard_copy(NULL, room, false);
        weir_out out = {bytes, room};
        int rv = weir_sse_event_write(&out, event);
        assert_int_equal(rv, room < size ? WEIR_ERR_SPACE : 0);
        if (rv != 0) {
            check_nothing_written(bytes, room, &out);
        } else {
            assert_int_equal(out.len, 0);
            assert_ptr_equal(out.ptr, bytes + room);
            check_received(event, bytes, size);
        }
        guard_free(bytes);
    }
    uint8_t *bytes = guard_copy(NULL, size + 7, true);
    weir_out out = {bytes, size + 7};
    assert_int_equal(weir_sse_event_write(&out, event), 0);
    assert_int_equal(out.len, 7);
    for (size_t i = size; i < size + 7; i++)
        assert_int_equal(bytes[i], 0);
    guard_free(bytes);
}

static void check_refused(const weir_sse_event *event, int wanted)
{
    uint8_t bytes[256] = {0};
    weir_out out = {bytes, sizeof bytes};
    size_t size = 99;
    assert_int_equal(weir_sse_event_size(event, &size), wanted);
    assert_int_equal(weir_sse_event_write(&out, event), wanted);
    check_nothing_written(bytes, sizeof bytes, &out);
    out.len = 0;
    assert_int_equal(weir_sse_event_write(&out, event), wanted);
}

/* ---- Vectors ------------------------------------------------------------------------------------- */

static size_t failures;

/* A key's value, decoded into room; absent without the key. */
static weir_str key_slice(const vector *v, const char *key, unsigned char room[256])
{
    const char *value = vector_get(v, key);
    if (value == NULL)
        return (weir_str){NULL, 0};
    size_t len = text_decode(room, value, strlen(value));
    assert_true(len <= 256);
    return (weir_str){room, len};
}

static void event_vector(const vector *v)
{
    unsigned char type[256], id[256];
    uint8_t bytes[1024];
    weir_out out = {bytes, sizeof bytes};
    weir_sse_event event = {{NULL, 0}, {v->stream, v->len}, {NULL, 0}, false, 0};
    event.type = key_slice(v, "type", type);
    event.id = key_slice(v, "id", id);
    if (vector_get(v, "data") != NULL)
        event.data = (weir_str){NULL, 0};
    if (vector_get(v, "retry") != NULL) {
        event.has_retry = true;
        event.retry_ms = strtoull(vector_get(v, "retry"), NULL, 10);
    }
    log *l = log_new();
    int rv = weir_sse_event_write(&out, &event);
    if (rv == 0)
        log_bytes(l, "event", bytes, sizeof bytes - out.len);
    else
        log_line(l, "error %s", weir_err_lookup(rv)->name);
    char *wanted = text_canonical(v->expected);
    if (strcmp(log_text(l), wanted) != 0) {
        print_error("%s:\n  expected: %s  written: %s", v->title, wanted, log_text(l));
        failures++;
    }
    free(wanted);
    log_free(l);
    if (rv == 0)
        check_event(&event);
    else
        check_refused(&event, rv);
}

static void test_vectors(void **state)
{
    (void)state;
    vectors_each("sse_write.txt", event_vector);
    assert_int_equal(failures, 0);
}

/* ---- Properties ---------------------------------------------------------------------------------- */

static const char *const PIECES[] = {
    "\r",
    "\n",
    "\r\n",
    " ",
    ":",
    "a",
    "data",
    "data:",
    "id: 1",
    "event: x",
    "retry: 5",
    "",
    "\t",
    "\n\n",
    "\xC3\xA9",
    "\xE4\xBD\xA0",
    "\xF0\x9F\x99\x82",
    "\xEF\xBB\xBF",
    "\x01",
    "\x7F",
    "[DONE]",
    "\xE2\x80\xA8",
};
enum { PIECE_COUNT = sizeof PIECES / sizeof *PIECES };

static uint32_t random_next(uint32_t *x)
{
    *x = *x * 1664525u + 1013904223u;
    return *x >> 8;
}

/* Up to `most` pieces; without line ends and NUL for a type or an id. */
static weir_str random_text(uint32_t *x, uint8_t *room, unsigned most, bool one_line)
{
    size_t len = 0;
    for (unsigned n = random_next(x) % (most + 1); n != 0; n--) {
        const char *piece = PIECES[random_next(x) % PIECE_COUNT];
        if (!one_line && random_next(x) % 16 == 0)
            room[len++] = '\0';
        if (one_line && strpbrk(piece, "\r\n") != NULL)
            continue;
        memcpy(room + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return (weir_str){room, len};
}

static void test_random_events(void **state)
{
    (void)state;
    uint32_t x = 2024;
    for (int n = 0; n < 4000; n++) {
        uint8_t type[128], data[256], id[128];
        weir_sse_event event = {{NULL, 0}, {NULL, 0}, {NULL, 0}, false, 0};
        if (random_next(&x) % 2)
            event.type = random_text(&x, type, 4, true);
        if (random_next(&x) % 8)
            event.data = random_text(&x, data, 12, false);
        if (random_next(&x) % 2)
            event.id = random_text(&x, id, 4, true);
        event.has_retry = random_next(&x) % 4 == 0;
        event.retry_ms = random_next(&x) % 3 == 0 ? UINT64_MAX : random_next(&x);
        check_event(&event);
    }
}

/* All texts of up to six characters out of the five that matter to the format. */
static void test_all_short_texts(void **state)
{
    (void)state;
    static const char characters[] = "\r\n: a";
    for (size_t len = 0; len <= 6; len++) {
        size_t total = 1;
        for (size_t i = 0; i < len; i++)
            total *= 5;
        for (size_t n = 0; n < total; n++) {
            uint8_t data[6], room[64];
            size_t rest = n;
            for (size_t i = 0; i < len; i++, rest /= 5)
                data[i] = (uint8_t)characters[rest % 5];
            weir_sse_event event = {{NULL, 0}, {data, len}, {NULL, 0}, false, 0};
            weir_out out = {room, sizeof room};
            size_t size;
            assert_int_equal(weir_sse_event_size(&event, &size), 0);
            assert_int_equal(weir_sse_event_write(&out, &event), 0);
            assert_int_equal(sizeof room - out.len, size);
            check_received(&event, room, size);
        }
    }
}

/* Each byte below 0x80, first and last, in each field. */
static void test_every_ascii_byte(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 0x80; c++) {
        const uint8_t bytes[3] = {(uint8_t)c, 'x', (uint8_t)c};
        weir_str str = {bytes, 3};
        bool line_end = c == '\r' || c == '\n';
        weir_sse_event event = {{NULL, 0}, str, {NULL, 0}, false, 0};
        check_event(&event);
        event.type = str;
        if (line_end)
            check_refused(&event, WEIR_ERR_SSE_TYPE);
        else
            check_event(&event);
        event.type = (weir_str){NULL, 0};
        event.id = str;
        if (line_end || c == 0)
            check_refused(&event, WEIR_ERR_SSE_ID);
        else
            check_event(&event);
    }
}

static void test_empty_fields(void **state)
{
    (void)state;
    const weir_str empty = weir_cstr("");
    weir_sse_event event = {empty, empty, empty, true, 0};
    check_event(&event);
    uint8_t byte = 0;
    weir_out out = {&byte, 1};
    assert_int_equal(weir_sse_event_write(&out, &event), WEIR_ERR_SPACE);
    assert_int_equal(out.len, 1);
}

/* Of several faults that of the type comes first, then that of the ID, then what is not UTF-8. */
static void test_two_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int type, id;
    } rows[] = {{"a", 0, 0},
                {"a\nb", WEIR_ERR_SSE_TYPE, WEIR_ERR_SSE_ID},
                {"\xFF", WEIR_ERR_SSE_UTF8, WEIR_ERR_SSE_UTF8},
                {"\xFF\r", WEIR_ERR_SSE_TYPE, WEIR_ERR_SSE_ID}};
    const size_t count = sizeof rows / sizeof *rows;
    for (size_t i = 0; i < count * count * 4; i++) {
        const size_t type = i % count, id = i / count % count;
        weir_sse_event event = {weir_cstr(rows[type].text), {NULL, 0}, weir_cstr(rows[id].text), false, 0};
        uint8_t bytes[64];
        size_t size;
        weir_out out = {bytes, sizeof bytes};
        event.has_retry = i / count / count % 2 != 0;
        event.data = weir_cstr(i / count / count / 2 != 0 ? "\xFF" : NULL);
        int wanted = rows[type].type == WEIR_ERR_SSE_TYPE                                 ? WEIR_ERR_SSE_TYPE
                     : rows[id].id == WEIR_ERR_SSE_ID                                     ? WEIR_ERR_SSE_ID
                     : rows[type].type != 0 || rows[id].id != 0 || event.data.ptr != NULL ? WEIR_ERR_SSE_UTF8
                                                                                          : 0;
        assert_int_equal(weir_sse_event_size(&event, &size), wanted);
        assert_int_equal(weir_sse_event_write(&out, &event), wanted);
        assert_int_equal(sizeof bytes - out.len, wanted == 0 ? size : 0);
    }
}

/* ---- Comments ------------------------------------------------------------------------------------ */

static void check_comment(weir_str comment)
{
    static receiver r;
    enum { MOST = 512 };
    uint8_t bytes[MOST] = {0};
    weir_out out = {bytes, 3 * comment.len + 4};
    assert_int_equal(weir_sse_comment_write(&out, comment), 0);
    size_t size = 3 * comment.len + 4 - out.len;
    receiver_run(&r, bytes, size);
    assert_int_equal(r.events + r.unknown + r.has_retry, 0);
    assert_int_equal(r.data.len + r.type.len, 0);
    assert_true(text_is(&r.id, weir_cstr("before")));
    assert_true(size >= 2);
    assert_int_equal(bytes[0], ':');
    assert_memory_equal(bytes + size - 2, "\n\n", 2);
    for (size_t room = 0; room <= size; room++) {
        uint8_t *less = guard_copy(NULL, room, false);
        out = (weir_out){less, room};
        assert_int_equal(weir_sse_comment_write(&out, comment), room < size ? WEIR_ERR_SPACE : 0);
        if (room < size)
            check_nothing_written(less, room, &out);
        guard_free(less);
    }
}

static void test_comments(void **state)
{
    (void)state;
    static const char *const comments[] = {
        "",
        " ",
        "a",
        "a b",
        ":",
        "\n",
        "\r",
        "\r\n",
        "\n\n\n\n",
        "a\ndata: evil\n\n",
        "a\rdata: evil\r\r",
        "\r\ndata: evil\r\n\r\n",
        "\xE4\xBD\xA0",
        "data: a",
        "event",
        "\r\n\n\r",
    };
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++)
        check_comment(weir_cstr(comments[i]));
    check_comment((weir_str){NULL, 0});
    static const struct {
        const char *comment, *bytes;
    } exact[] = {{"", ": \n\n"}, {"hello", ": hello\n\n"}, {"a\nb\r\n\rc", ": a\n: b\n: \n: c\n\n"}};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        uint8_t written[64];
        weir_out one = {written, sizeof written};
        assert_int_equal(weir_sse_comment_write(&one, weir_cstr(exact[i].comment)), 0);
        assert_str(((weir_str){written, sizeof written - one.len}), exact[i].bytes);
    }
    check_comment(STR_OF("a\0b"));

    uint8_t bytes[64] = {0};
    weir_out out = {bytes, sizeof bytes};
    assert_int_equal(weir_sse_comment_write(&out, weir_cstr("\xFF")), WEIR_ERR_SSE_UTF8);
    assert_int_equal(weir_sse_comment_write(&out, weir_cstr("\xE4\xBD")), WEIR_ERR_SSE_UTF8);
    check_nothing_written(bytes, sizeof bytes, &out);

    static receiver r;
    receiver_run(&r, (const uint8_t *)WEIR_SSE_HEARTBEAT, sizeof WEIR_SSE_HEARTBEAT - 1);
    assert_int_equal(r.events + r.unknown, 0);
}

/* Lengths whose sum could not be counted are refused before a byte of the text is looked at. */
static void test_lengths_beyond_memory(void **state)
{
    (void)state;
    static const uint8_t letter[] = "a";
    uint8_t bytes[64];
    for (int i = 0; i < 3; i++) {
        weir_sse_event event;
        size_t size = 7;
        memset(&event, 0, sizeof event);
        event.data = weir_cstr("d");
        weir_str *long_one = i == 0 ? &event.type : i == 1 ? &event.id : &event.data;
        *long_one = (weir_str){letter, SIZE_MAX / (i == 2 ? 8 : 64) + 1};
        weir_out out = {bytes, sizeof bytes};
        assert_int_equal(weir_sse_event_size(&event, &size), WEIR_ERR_ARG);
        assert_int_equal(size, 0);
        if (i == 2)
            continue; /* in the room of `out` it cannot be */
        assert_int_equal(weir_sse_event_write(&out, &event), WEIR_ERR_ARG);
        assert_int_equal(out.len, sizeof bytes);
        *long_one = (weir_str){letter, SIZE_MAX};
        assert_int_equal(weir_sse_event_write(&out, &event), WEIR_ERR_ARG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),         cmocka_unit_test(test_random_events),
        cmocka_unit_test(test_all_short_texts), cmocka_unit_test(test_every_ascii_byte),
        cmocka_unit_test(test_empty_fields),    cmocka_unit_test(test_two_faults),
        cmocka_unit_test(test_comments),        cmocka_unit_test(test_lengths_beyond_memory),
    };
    return cmocka_run_group_tests_name("sse_write", tests, NULL, NULL);
}
