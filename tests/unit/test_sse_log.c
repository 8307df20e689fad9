/* SPDX-License-Identifier: MIT */
/* test_sse_log.c - the replay log beside a queue that keeps everything: what is there, who missed what, at
 * every small memory size. */
#include "check.h"
#include "harness.h"
#include "weir/sse.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- A queue that keeps everything ---------------------------------------------------------------- */

enum { MOST = 6000, READERS = 6, BYTES_MAX = 420 };

typedef struct entry {
    uint64_t time;
    char id[16];
    size_t len;
    uint8_t fill; /* each byte of the event is its number plus its place */
} entry;

typedef struct pair {
    weir_sse_log log;
    weir_sse_log_cfg cfg;
    uint8_t *memory;
    size_t size;
    uint64_t now;
    entry *entries; /* all that were ever put */
    size_t first;   /* the oldest that must still be there, as far as seen */
    size_t count;
    weir_sse_reader readers[READERS];
    size_t places[READERS];
    uint32_t x;
} pair;

static uint32_t pair_random(pair *p)
{
    p->x = p->x * 1664525u + 1013904223u;
    return p->x >> 8;
}

static void pair_init(pair *p, size_t size, unsigned unaligned, uint64_t max_events, uint64_t max_age_ms)
{
    memset(p, 0, sizeof *p);
    p->size = size;
    p->cfg = (weir_sse_log_cfg){max_events, max_age_ms};
    p->entries = calloc(MOST, sizeof *p->entries);
    assert_non_null(p->entries);
    /* The end touches the page behind, so the beginning is as unaligned as the size and this say. */
    p->memory = guard_copy(NULL, size + unaligned, false);
    memset(p->memory, 0xA5, size + unaligned);
    memset(&p->log, 0xDD, sizeof p->log);
    assert_int_equal(weir_sse_log_init(&p->log, p->memory + unaligned, size, &p->cfg), 0);
    for (size_t i = 0; i < READERS; i++)
        weir_sse_log_begin(&p->log, &p->readers[i]);
    p->now = 1000;
    p->x = (uint32_t)size * 2654435761u + unaligned;
}

static void pair_free(pair *p)
{
    guard_free(p->memory);
    free(p->entries);
}

static weir_str entry_id(const entry *e)
{
    return weir_cstr(e->id);
}

static size_t entry_size(const entry *e)
{
    return strlen(e->id) + e->len + WEIR_SSE_LOG_OVERHEAD;
}

static void check_bytes(const entry *e, weir_str bytes)
{
    assert_int_equal(bytes.len, e->len);
    for (size_t i = 0; i < e->len; i++)
        if (bytes.ptr[i] != (uint8_t)(e->fill + i))
            fail_msg("byte %zu of %zu is %u", i, e->len, bytes.ptr[i]);
}

/* ---- What must be there ---------------------------------------------------------------------------- */

/* Nothing was dropped that had a place: the events that are there and the one before them, with the gap that
 * the largest of them can leave before a wrap, would not fit. */
static void check_room_is_used(const pair *p, size_t first)
{
    size_t sum = 0, largest = 0;
    if (first == 0)
        return;
    for (size_t i = first - 1; i < p->count; i++) {
        size_t size = entry_size(&p->entries[i]);
        sum += size;
        largest = size > largest ? size : largest;
    }
    bool full = sum + largest > p->size;
    bool many = p->cfg.max_events != 0 && p->count - first >= p->cfg.max_events;
    bool old = p->cfg.max_age_ms != 0 && p->now - p->entries[first - 1].time > p->cfg.max_age_ms;
    if (!full && !many && !old)
        fail_msg("size %zu: event %zu was dropped without need", p->size, first - 1);
}

/* Reads all there is: the newest events, in order, none left out. */
static void check_content(pair *p)
{
    weir_sse_reader walk;
    weir_str bytes;
    uint64_t there, sum = 0;
    weir_sse_log_begin(&p->log, &walk);
    size_t length = (size_t)weir_sse_log_behind(&p->log, &walk, &there);
    assert_true(length <= p->count);
    assert_true(p->count - length >= p->first);
    p->first = p->count - length;
    if (p->cfg.max_events != 0)
        assert_true(length <= p->cfg.max_events);
    check_room_is_used(p, p->first);
    for (size_t i = p->first; i < p->count; i++) {
        assert_int_equal(weir_sse_log_next(&p->log, &walk, &bytes), WEIR_SSE_LOG_EVENT);
        check_bytes(&p->entries[i], bytes);
        assert_true(bytes.ptr >= p->memory && bytes.ptr + bytes.len <= p->log.memory_ + p->size);
        sum += bytes.len;
    }
    assert_true(sum == there);
    assert_int_equal(weir_sse_log_next(&p->log, &walk, &bytes), 0);
    assert_int_equal(weir_sse_log_behind(&p->log, &walk, &there), 0);
    assert_true(there == 0);
}

static void check_behind(const pair *p, size_t r)
{
    uint64_t bytes = 99, sum = 0;
    size_t from = p->places[r] > p->first ? p->places[r] : p->first;
    for (size_t i = from; i < p->count; i++)
        sum += p->entries[i].len;
    assert_true(weir_sse_log_behind(&p->log, &p->readers[r], &bytes) == p->count - p->places[r]);
    assert_true(bytes == sum);
    assert_true(weir_sse_log_behind(&p->log, &p->readers[r], NULL) == p->count - p->places[r]);
}

/* ---- Steps ---------------------------------------------------------------------------------------- */

static void step_put(pair *p, size_t most)
{
    uint8_t bytes[BYTES_MAX];
    entry *e = &p->entries[p->count];
    size_t len = pair_random(p) % (most + 1);
    p->now += pair_random(p) % 4 == 0 ? pair_random(p) % 40 : 0;
    memset(e->id, 0, sizeof e->id);
    if (pair_random(p) % 5 != 0)
        snprintf(e->id, sizeof e->id, "%u", (unsigned)(pair_random(p) % 40));
    e->time = p->now;
    e->fill = (uint8_t)(p->count * 7);
    e->len = len;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(e->fill + i);
    weir_sse_log before = p->log;
    int rv = weir_sse_log_put(&p->log, entry_id(e), (weir_str){bytes, len}, p->now);
    if (entry_size(e) <= p->size)
        assert_int_equal(rv, 0);
    if (rv != 0) {
        assert_int_equal(rv, WEIR_ERR_SPACE);
        assert_memory_equal(&p->log, &before, sizeof before);
        return;
    }
    p->count++;
    assert_true(weir_sse_log_behind(&p->log, &p->readers[0], NULL) >= 1);
}

static void step_read(pair *p, size_t r)
{
    weir_str bytes;
    int rv = weir_sse_log_next(&p->log, &p->readers[r], &bytes);
    if (p->places[r] < p->first) {
        assert_int_equal(rv, WEIR_SSE_LOG_GAP);
        p->places[r] = p->first;
    } else if (p->places[r] == p->count) {
        assert_int_equal(rv, 0);
    } else {
        assert_int_equal(rv, WEIR_SSE_LOG_EVENT);
        check_bytes(&p->entries[p->places[r]], bytes);
        p->places[r]++;
    }
    if (rv != WEIR_SSE_LOG_EVENT)
        assert_int_equal(bytes.len, 0);
}

static void step_seek(pair *p, size_t r)
{
    char id[16];
    size_t found = 0;
    bool any = false;
    p->now += pair_random(p) % 4 == 0 ? pair_random(p) % 60 : 0;
    snprintf(id, sizeof id, "%u", (unsigned)(pair_random(p) % 44));
    if (pair_random(p) % 16 == 0)
        id[0] = '\0';
    while (p->cfg.max_age_ms != 0 && p->first < p->count &&
           p->now - p->entries[p->first].time > p->cfg.max_age_ms)
        p->first++;
    for (size_t i = p->first; i < p->count; i++)
        if (id[0] != '\0' && strcmp(id, p->entries[i].id) == 0)
            any = true, found = i;
    int rv = weir_sse_log_seek(&p->log, weir_cstr(id), p->now, &p->readers[r]);
    assert_int_equal(rv, any ? 0 : WEIR_SSE_LOG_GAP);
    p->places[r] = any ? found + 1 : p->first;
}

static void step_jump(pair *p, size_t r)
{
    if (pair_random(p) % 2 != 0) {
        weir_sse_log_begin(&p->log, &p->readers[r]);
        p->places[r] = p->first;
    } else {
        weir_sse_log_end(&p->log, &p->readers[r]);
        p->places[r] = p->count;
    }
}

/* One reader never reads, one copies the place of another, the rest do what they like. */
static void step(pair *p, size_t most)
{
    size_t r = 1 + pair_random(p) % (READERS - 1);
    unsigned what = pair_random(p) % 16;
    if (what < 6) {
        step_put(p, most);
        check_content(p);
    } else if (what < 12) {
        step_read(p, r);
    } else if (what < 14) {
        step_seek(p, r);
        check_content(p);
    } else if (what == 14) {
        step_jump(p, r);
    } else {
        p->readers[r] = p->readers[1];
        p->places[r] = p->places[1];
    }
    for (r = 0; r < READERS; r++)
        check_behind(p, r);
}

static void run(size_t size, unsigned unaligned, uint64_t max_events, uint64_t max_age_ms, size_t most)
{
    pair p;
    pair_init(&p, size, unaligned, max_events, max_age_ms);
    for (unsigned n = 0; n < 500; n++)
        step(&p, most);
    pair_free(&p);
}

static void test_every_size(void **state)
{
    (void)state;
    for (size_t size = 64; size <= 400; size++) {
        run(size, 0, 0, 0, 40);
        run(size, size % 8, 0, 0, size); /* some are too large */
    }
}

static void test_bounds(void **state)
{
    (void)state;
    for (size_t size = 64; size <= 400; size += 7) {
        run(size, 1, 1, 0, 30);
        run(size, 3, 3, 0, 10);
        run(size, 5, 0, 50, 30);
        run(size, 7, 0, 1, 0);
        run(size, 2, 4, 100, 20);
        run(size, 0, UINT64_MAX, UINT64_MAX, 20);
    }
}

static void test_many_events(void **state)
{
    (void)state;
    pair p;
    pair_init(&p, 4096, 3, 0, 0);
    for (unsigned n = 0; n < 12000 && p.count < MOST - 1; n++)
        step(&p, n % 64);
    pair_free(&p);
}

/* ---- Single rules --------------------------------------------------------------------------------- */

static int put(weir_sse_log *ring, const char *id, const char *bytes, uint64_t now)
{
    return weir_sse_log_put(ring, weir_cstr(id), weir_cstr(bytes), now);
}

static void expect(const weir_sse_log *ring, weir_sse_reader *reader, const char *wanted)
{
    weir_str bytes;
    int rv = weir_sse_log_next(ring, reader, &bytes);
    if (wanted == NULL) {
        assert_int_equal(rv, 0);
        return;
    }
    assert_int_equal(rv, WEIR_SSE_LOG_EVENT);
    assert_str(bytes, wanted);
}

static void test_init_arguments(void **state)
{
    (void)state;
    weir_sse_log ring;
    uint8_t memory[64];
    assert_int_equal(weir_sse_log_init(&ring, NULL, sizeof memory, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_sse_log_init(&ring, memory, 0, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_sse_log_init(&ring, memory, 8, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_sse_log_init(&ring, memory, WEIR_SSE_LOG_OVERHEAD, NULL), 0);
    assert_int_equal(put(&ring, NULL, "", 0), 0);
    assert_int_equal(put(&ring, NULL, "", 0), 0);
    weir_sse_reader reader;
    weir_sse_log_begin(&ring, &reader);
    assert_true(weir_sse_log_behind(&ring, &reader, NULL) >= 1);
}

/* What an event takes beside its bytes and its ID, here. */
static size_t overhead(void)
{
    weir_sse_log ring;
    uint8_t memory[WEIR_SSE_LOG_OVERHEAD];
    for (size_t size = 1; size <= sizeof memory; size++)
        if (weir_sse_log_init(&ring, memory, size, NULL) == 0)
            return size;
    fail();
    return 0;
}

/* Memory for so many events of one size always holds so many. */
static void test_no_byte_is_wasted(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 9; count++)
        for (size_t len = 0; len < 40; len += 3) {
            weir_sse_log ring;
            weir_sse_reader reader;
            uint8_t bytes[40] = {0};
            size_t size = count * (overhead() + 1 + len);
            uint8_t *memory = guard_copy(NULL, size, len % 2 != 0);
            assert_int_equal(weir_sse_log_init(&ring, memory, size, NULL), 0);
            for (size_t n = 1; n < 40; n++) {
                assert_int_equal(weir_sse_log_put(&ring, weir_cstr("i"), (weir_str){bytes, len}, 0), 0);
                weir_sse_log_begin(&ring, &reader);
                assert_int_equal(weir_sse_log_behind(&ring, &reader, NULL), n < count ? n : count);
            }
            guard_free(memory);
        }
}

static void test_strictly_after(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader reader;
    uint8_t memory[1024];
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, NULL), 0);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 0, &reader), WEIR_SSE_LOG_GAP);
    expect(&ring, &reader, NULL);
    put(&ring, "1", "a", 0);
    expect(&ring, &reader, "a"); /* a reader of an empty log gets what comes */
    put(&ring, "2", "b", 0);
    put(&ring, NULL, "c", 0);
    put(&ring, "3", "d", 0);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 0, &reader), 0);
    expect(&ring, &reader, "b");
    expect(&ring, &reader, "c");
    expect(&ring, &reader, "d");
    expect(&ring, &reader, NULL);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("3"), 0, &reader), 0);
    expect(&ring, &reader, NULL);
    put(&ring, "4", "e", 0);
    expect(&ring, &reader, "e");
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("9"), 0, &reader), WEIR_SSE_LOG_GAP);
    expect(&ring, &reader, "a");
}

/* The newest event of an ID counts. */
static void test_repeated_ids(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader reader;
    uint8_t memory[1024];
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, NULL), 0);
    put(&ring, "1", "a", 0);
    put(&ring, "2", "b", 0);
    put(&ring, "1", "c", 0);
    put(&ring, "3", "d", 0);
    put(&ring, "1", "e", 0);
    put(&ring, "4", "f", 0);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 0, &reader), 0);
    expect(&ring, &reader, "f");
    expect(&ring, &reader, NULL);
}

/* An ID is compared as bytes, all of them; an empty one is found nowhere. */
static void test_hostile_ids(void **state)
{
    (void)state;
    static const char long_id[2000] = {'1', '2', '3'};
    weir_sse_log ring;
    weir_sse_reader reader;
    uint8_t memory[512];
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, NULL), 0);
    put(&ring, NULL, "x", 0);
    put(&ring, "", "y", 0);
    put(&ring, "123", "a", 0);
    put(&ring, "zz", "123zz", 0); /* bytes that look like an ID */
    weir_str bad[] = {weir_cstr(""),
                      {NULL, 0},
                      weir_cstr("12"),
                      weir_cstr("1234"),
                      weir_cstr("23"),
                      weir_cstr("0123"),
                      weir_cstr("-1"),
                      weir_cstr("123 "),
                      weir_cstr("z"),
                      weir_cstr("99999999999999999999999999"),
                      STR_OF("123\0"),
                      STR_OF("\0"),
                      {(const uint8_t *)long_id, 4},
                      {(const uint8_t *)long_id, sizeof long_id}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(weir_sse_log_seek(&ring, bad[i], 0, &reader), WEIR_SSE_LOG_GAP);
        expect(&ring, &reader, "x");
    }
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("123"), 0, &reader), 0);
    expect(&ring, &reader, "123zz");
    assert_int_equal(weir_sse_log_put(&ring, STR_OF("a\0b"), weir_cstr("n"), 0), 0);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("a"), 0, &reader), WEIR_SSE_LOG_GAP);
    assert_int_equal(weir_sse_log_seek(&ring, STR_OF("a\0b"), 0, &reader), 0);
}

/* A reader that was overtaken hears of it once, then gets the oldest event there is. */
static void test_one_gap(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader slow;
    weir_str bytes;
    uint64_t there;
    uint8_t memory[1024];
    const weir_sse_log_cfg cfg = {2, 0};
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, &cfg), 0);
    weir_sse_log_begin(&ring, &slow);
    for (char c = 'a'; c <= 'f'; c++) {
        const char text[] = {c, c, '\0'};
        put(&ring, text, text, 0);
    }
    assert_int_equal(weir_sse_log_behind(&ring, &slow, &there), 6);
    assert_int_equal(there, 4);
    assert_int_equal(weir_sse_log_next(&ring, &slow, &bytes), WEIR_SSE_LOG_GAP);
    assert_int_equal(weir_sse_log_behind(&ring, &slow, &there), 2);
    expect(&ring, &slow, "ee");
    expect(&ring, &slow, "ff");
    expect(&ring, &slow, NULL);
    put(&ring, "g", "gg", 0);
    expect(&ring, &slow, "gg");
}

/* Of an event as old as the bound it is not yet over; the one after is. */
static void test_age(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader reader;
    uint8_t memory[1024];
    const weir_sse_log_cfg cfg = {0, 100};
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, &cfg), 0);
    put(&ring, "1", "a", 1000);
    put(&ring, "2", "b", 1050);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 1100, &reader), 0);
    expect(&ring, &reader, "b");
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 1101, &reader), WEIR_SSE_LOG_GAP);
    expect(&ring, &reader, "b");
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("2"), 1150, &reader), 0);
    expect(&ring, &reader, NULL);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("2"), UINT64_MAX, &reader), WEIR_SSE_LOG_GAP);
    expect(&ring, &reader, NULL);
    put(&ring, "3", "c", UINT64_MAX);
    expect(&ring, &reader, "c");
}

/* What is larger than the memory is refused, and the log is as before, byte by byte. */
static void test_too_large(void **state)
{
    (void)state;
    static uint8_t big[4096];
    weir_sse_log ring;
    uint8_t memory[256], copy[256];
    const weir_sse_log_cfg cfg = {2, 10};
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, &cfg), 0);
    put(&ring, "1", "a", 0);
    put(&ring, "2", "b", 0);
    memcpy(copy, memory, sizeof memory);
    weir_sse_log before = ring;
    const weir_str huge[][2] = {
        {{big, 0}, {big, 257}},      {{big, 257}, {big, 0}},
        {{big, 128}, {big, 129}},    {{big, 0}, {big, SIZE_MAX}},
        {{big, SIZE_MAX}, {big, 0}}, {{big, SIZE_MAX}, {big, SIZE_MAX}},
        {{big, 1}, {big, SIZE_MAX}}, {{big, SIZE_MAX / 2 + 1}, {big, SIZE_MAX / 2 + 1}}};
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        assert_int_equal(weir_sse_log_put(&ring, huge[i][0], huge[i][1], 5000), WEIR_ERR_SPACE);
        assert_memory_equal(&ring, &before, sizeof ring);
        assert_memory_equal(memory, copy, sizeof memory);
    }
    weir_str fits = {big, sizeof memory - WEIR_SSE_LOG_OVERHEAD};
    assert_int_equal(weir_sse_log_put(&ring, weir_cstr(""), fits, 5000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_many_events),       cmocka_unit_test(test_init_arguments),
        cmocka_unit_test(test_no_byte_is_wasted), cmocka_unit_test(test_strictly_after),
        cmocka_unit_test(test_repeated_ids),      cmocka_unit_test(test_hostile_ids),
        cmocka_unit_test(test_one_gap),           cmocka_unit_test(test_age),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests_name("sse_log", tests, NULL, NULL);
}
