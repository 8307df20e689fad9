/* SPDX-License-Identifier: MIT */
/*
 * test_sse_limits.c - the limits of the parser of event streams: vectors under every cut, and streams
 * without an end, which must come to a limit or pass without memory. Work is counted in calls; the storage
 * begins and ends where nothing is mapped.
 */
#include "check.h"
#include "sse_machine.h"

#include <stdlib.h>

static void test_limits(void **state)
{
    (void)state;
    assert_true(sse_vectors_check("sse_limits.txt") >= 90);
}

/* ---- Streams without an end ----------------------------------------------------------------------- */

enum { EVENT_MAX = 1000, ID_MAX = 50, TYPE_MAX = 40, COMMENT_MAX = 60 };

/* The length of a stream without an end. */
static size_t endless;

/* What was found in a long stream. */
typedef struct found {
    uint64_t calls;
    uint64_t taken;
    unsigned items[WEIR_SSE_ID + 1];
    uint64_t data; /* bytes of events and parts */
    size_t most;   /* data of one item */
    int err;
    uint64_t offset;
} found;

typedef struct victim {
    weir_sse_parser parser;
    weir_sse_parser_cfg cfg;
    uint8_t *storage[2];
    size_t storage_len;
} victim;

static void victim_init(victim *v, uint32_t flags, size_t max_line)
{
    memset(v, 0, sizeof *v);
    v->cfg.flags = flags;
    v->cfg.max_id = ID_MAX;
    v->cfg.max_type = TYPE_MAX;
    v->cfg.max_comment = COMMENT_MAX;
    v->cfg.max_event = EVENT_MAX;
    v->cfg.max_line = max_line;
    v->storage_len = sse_storage_beside(&v->cfg) + EVENT_MAX;
    v->storage[0] = guard_copy(NULL, v->storage_len, false);
    v->storage[1] = guard_copy(NULL, v->storage_len, true);
}

static void victim_free(victim *v)
{
    guard_free(v->storage[0]);
    guard_free(v->storage[1]);
}

static void victim_take(victim *v, uint8_t *bytes, size_t len, found *f)
{
    weir_in in = {bytes, len};
    weir_sse_item item;
    int rv;
    do {
        size_t left = in.len;
        rv = weir_sse_next(&v->parser, &in, &item);
        f->calls++;
        f->taken += left - in.len;
        if (rv > 0) {
            assert_in_range(rv, 1, WEIR_SSE_ID);
            f->items[rv]++;
            f->data += item.data.len;
            f->most = item.data.len > f->most ? item.data.len : f->most;
        }
    } while (rv > 0);
    f->err = rv;
}

/* `begin` once, then `unit` until `total` bytes are given, in pieces of `step` bytes. `@` stands for NUL. */
static found pour(victim *v, const char *begin, const char *unit, size_t total, size_t step, unsigned side)
{
    static uint8_t piece[4096];
    const size_t begin_len = strlen(begin), unit_len = strlen(unit);
    found f;
    memset(&f, 0, sizeof f);
    memset(v->storage[side], 0xA5, v->storage_len);
    assert_int_equal(weir_sse_parser_init(&v->parser, v->storage[side], v->storage_len, &v->cfg), 0);
    for (size_t at = 0; at < total && f.err == 0;) {
        size_t len = 0;
        for (; len < step && at < total; len++, at++) {
            char c = at < begin_len ? begin[at] : unit[(at - begin_len) % unit_len];
            piece[len] = (uint8_t)(c == '@' ? '\0' : c);
        }
        victim_take(v, piece, len, &f);
    }
    weir_sse_error(&v->parser, &f.offset);
    assert_int_equal(f.offset, f.taken);
    return f;
}

static const size_t STEPS[] = {1, 7, 64, 1400, 4096};
enum { STEP_COUNT = sizeof STEPS / sizeof *STEPS };

/* A stream that must end with an error at a known place, however it is cut. */
static void check_stops(uint32_t flags, size_t max_line, const char *begin, const char *unit, int err,
                        uint64_t at)
{
    victim v;
    victim_init(&v, flags, max_line);
    for (size_t i = 0; i < STEP_COUNT; i++) {
        found f = pour(&v, begin, unit, endless, STEPS[i], i % 2);
        assert_int_equal(f.err, err);
        assert_int_equal(f.offset, at);
        assert_true(f.calls <= f.taken / STEPS[i] + 2);
    }
    victim_free(&v);
}

/* A stream that passes: nothing is found, one call a piece. */
static void check_passes(uint32_t flags, size_t max_line, const char *begin, const char *unit)
{
    victim v;
    victim_init(&v, flags, max_line);
    for (size_t i = 0; i < STEP_COUNT; i++) {
        found f = pour(&v, begin, unit, endless, STEPS[i], i % 2);
        assert_int_equal(f.err, 0);
        assert_int_equal(f.taken, endless);
        assert_int_equal(f.calls, (endless + STEPS[i] - 1) / STEPS[i]);
        assert_int_equal(f.data, 0);
    }
    victim_free(&v);
}

static void test_endless_data(void **state)
{
    (void)state;
    check_stops(0, 0, "", "data\n", WEIR_ERR_SSE_EVENT_SIZE, 5 * (EVENT_MAX + 1) + 4);
    check_stops(0, 0, "", "data:\r\n", WEIR_ERR_SSE_EVENT_SIZE, 7 * (EVENT_MAX + 1) + 5);
    check_stops(0, 0, "data:", "x", WEIR_ERR_SSE_EVENT_SIZE, 5 + EVENT_MAX);
    check_stops(0, 0, "", "data:xxx\r", WEIR_ERR_SSE_EVENT_SIZE, 9 * (EVENT_MAX / 4) + 5);
    check_stops(WEIR_SSE_REPAIR, 0, "data:", "\xFF", WEIR_ERR_SSE_EVENT_SIZE, 5 + EVENT_MAX);
    check_stops(0, 900, "data:", "x", WEIR_ERR_SSE_LINE_SIZE, 900);
    check_stops(0, 900, "", "data\n", WEIR_ERR_SSE_EVENT_SIZE, 5 * (EVENT_MAX + 1) + 4);
}

static void test_endless_id_and_type(void **state)
{
    (void)state;
    check_stops(0, 0, "id:", "x", WEIR_ERR_SSE_ID_SIZE, 3 + ID_MAX);
    check_stops(0, 0, "id: ", " ", WEIR_ERR_SSE_ID_SIZE, 4 + ID_MAX);
    check_stops(0, 0, "event:", "x", WEIR_ERR_SSE_TYPE_SIZE, 6 + TYPE_MAX);
    check_passes(0, 0, "id:x", "\x01\x02\x03\n");
    check_passes(0, 0, "", "id:1\nid\n");
    check_passes(0, 0, "", "event:abc\nevent\n");
}

/* Nothing of these is kept. */
static void test_endless_rest(void **state)
{
    (void)state;
    check_passes(0, 0, ":", "x");
    check_passes(WEIR_SSE_COMMENTS, 0, ":", "x");
    check_passes(0, 0, "", ":x\n");
    check_passes(0, 0, "foo: ", "x");
    check_passes(0, 0, "foo", "x");
    check_passes(0, 0, "", "foo: bar\r\n");
    check_passes(0, 0, "", "\n");
    check_passes(0, 0, "", "\r");
    check_passes(0, 0, "", "event: x\n\n");
    check_passes(0, 0, "retry:", " ");
    check_passes(0, 0, "retry:", "9");
    check_passes(0, 0, "", "retry: x\n");
    check_passes(0, 0, "\xEF\xBB\xBF", "\xEF\xBB\xBF");
    check_passes(0, 0, "id: a@", "xyz");
    check_passes(0, 0, "", "id: 0123456789@0123456789012345678901234567890123456789012345678901234567890\n");
    check_stops(0, 100, ":", "x", WEIR_ERR_SSE_LINE_SIZE, 100);
    check_stops(0, 100, "foo", "x", WEIR_ERR_SSE_LINE_SIZE, 100);
    check_stops(0, 100, "foo: ", "x", WEIR_ERR_SSE_LINE_SIZE, 100);
    check_stops(0, 100, "retry:", "9", WEIR_ERR_SSE_LINE_SIZE, 100);
}

/* An event that is left out takes nothing, however long it is, and is one item in the end. */
static void test_endless_skipped(void **state)
{
    (void)state;
    check_passes(WEIR_SSE_SKIP, 0, "", "data\n");
    check_passes(WEIR_SSE_SKIP, 0, "data:", "x");
    check_passes(WEIR_SSE_SKIP, 0, "id:", "x");
    check_passes(WEIR_SSE_SKIP, 0, "", "id:0123456789012345678901234567890123456789012345678901234567890\n");
    check_passes(WEIR_SSE_SKIP, 0, "event:", "x");
    check_passes(WEIR_SSE_SKIP, 100, ":", "x");
    check_passes(WEIR_SSE_SKIP, 100, "data:", "xxxxxxxxxxxxxxxxxxxxx\ndata:");
    victim v;
    uint8_t end[] = "\n\ndata: ok\n\n";
    victim_init(&v, WEIR_SSE_SKIP, 0);
    for (size_t i = 0; i < STEP_COUNT; i++) {
        found f = pour(&v, "data:", "x", endless, STEPS[i], i % 2);
        memcpy(end, "\n\ndata: ok\n\n", sizeof end);
        victim_take(&v, end, sizeof end - 1, &f);
        assert_int_equal(f.items[WEIR_SSE_SKIPPED], 1);
        assert_int_equal(f.items[WEIR_SSE_EVENT], 1);
        assert_int_equal(f.data, 2);
    }
    victim_free(&v);
}

/* In parts any amount passes, each byte once, at most two items a piece for one line. */
static void test_endless_parts(void **state)
{
    (void)state;
    victim v;
    victim_init(&v, WEIR_SSE_PARTS, 0);
    for (size_t i = 0; i < STEP_COUNT; i++) {
        uint8_t end[] = "\n\n";
        found f = pour(&v, "data:", "x", endless, STEPS[i], i % 2);
        victim_take(&v, end, sizeof end - 1, &f);
        assert_int_equal(f.err, 0);
        assert_int_equal(f.data, endless - 5);
        assert_int_equal(f.items[WEIR_SSE_EVENT], 1);
        assert_true(f.calls <= 2 * (endless / STEPS[i] + 3));
        assert_true(f.most <= 4096 + EVENT_MAX);
        f = pour(&v, "", "data\n", endless, STEPS[i], i % 2);
        victim_take(&v, end, sizeof end - 1, &f);
        assert_int_equal(f.data, endless / 5 - (endless % 5 < 4));
        assert_int_equal(f.items[WEIR_SSE_EVENT], 1);
        assert_true(f.calls <= endless / STEPS[i] + endless / 5 + 8);
    }
    victim_free(&v);
}

/* Small events without end: each is an item, and nothing adds up. */
static void test_many_events(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        int kind;
    } cases[] = {{"data:x\n\n", WEIR_SSE_EVENT},
                 {"data\r\r", WEIR_SSE_EVENT},
                 {"id:1\n\n", WEIR_SSE_ID},
                 {"id\n\n", WEIR_SSE_ID},
                 {"retry:1\n", WEIR_SSE_RETRY},
                 {":\n", WEIR_SSE_COMMENT},
                 {"id:7\nevent:e\ndata:x\ndata:y\n\n", WEIR_SSE_EVENT}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        victim v;
        victim_init(&v, WEIR_SSE_COMMENTS, 0);
        size_t count = test_rounds(50000), total = count * strlen(cases[n].unit);
        for (size_t i = 0; i < STEP_COUNT; i++) {
            found f = pour(&v, "", cases[n].unit, total, STEPS[i], i % 2);
            assert_int_equal(f.err, 0);
            assert_int_equal(f.items[cases[n].kind], count);
            assert_int_equal(f.calls, (total + STEPS[i] - 1) / STEPS[i] + count);
        }
        victim_free(&v);
    }
}

/* Lines of 8 and 16 MiB in pieces of 1400 bytes: as many calls as pieces, and the data is whole. */
static void test_huge_line(void **state)
{
    (void)state;
    for (size_t size = 8u << 20; size <= 16u << 20; size *= 2) {
        uint8_t *storage = malloc(WEIR_SSE_STORAGE(size)), piece[1400];
        weir_sse_parser p;
        weir_sse_item item;
        size_t calls = 0;
        assert_non_null(storage);
        assert_int_equal(weir_sse_parser_init(&p, storage, WEIR_SSE_STORAGE(size), NULL), 0);
        for (size_t at = 0; at < 6 + size; calls++) {
            size_t len = 6 + size - at < sizeof piece ? 6 + size - at : sizeof piece;
            memset(piece, 'x', sizeof piece);
            if (at == 0)
                memcpy(piece, "data: ", 6);
            weir_in in = {piece, len};
            assert_int_equal(weir_sse_next(&p, &in, &item), 0);
            at += len;
        }
        memcpy(piece, "\n\n", 2);
        weir_in in = {piece, 2};
        assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_EVENT);
        assert_int_equal(item.data.len, size);
        assert_int_equal(item.flags, WEIR_SSE_UTF8);
        for (size_t i = 0; i < size; i += 997)
            assert_int_equal(item.data.ptr[i], 'x');
        assert_int_equal(calls, (6 + size + sizeof piece - 1) / sizeof piece);
        free(storage);
    }
}

int main(void)
{
    endless = test_rounds(3 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_endless_data),
        cmocka_unit_test(test_endless_id_and_type),
        cmocka_unit_test(test_endless_rest),
        cmocka_unit_test(test_endless_skipped),
        cmocka_unit_test(test_endless_parts),
        cmocka_unit_test(test_many_events),
        cmocka_unit_test(test_huge_line),
    };
    return cmocka_run_group_tests_name("sse_limits", tests, NULL, NULL);
}
