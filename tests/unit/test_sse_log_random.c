/* SPDX-License-Identifier: MIT */
/* test_sse_log_random.c - the replay log beside a queue that keeps everything: what is there and who missed
 * what, at every small memory size. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_many_events),
    };
    return cmocka_run_group_tests_name("sse_log_random", tests, NULL, NULL);
}
