/* SPDX-License-Identifier: MIT */
/* machine.c - the test harness's runs of one stream under many cuts. */
#include "check.h"
#include "harness.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

enum { LONG_STREAM = 4096, SHORT_STREAM = 64, RANDOM_RUNS = 12 };

bool machine_quiet;

/* What stays the same for all runs of one check. */
typedef struct check {
    const machine *m;
    const char *title;
    const uint8_t *stream;
    size_t len;
    const char *expected;
    log *log;
    uint8_t *arena; /* guarded, as long as the stream */
    bool at_start;
} check;

/* The bytes are overwritten afterwards, so that a machine that keeps a pointer to them shows it. */
static void check_feed(const check *c, size_t from, size_t to)
{
    size_t len = to - from;
    uint8_t *piece = c->at_start ? c->arena : c->arena + (c->len - len);
    memcpy(piece, c->stream + from, len);
    c->m->feed(c->m->self, piece, len, c->log);
    memset(piece, 0xDD, len);
}

static void check_print(const char *heading, const char *text)
{
    enum { MOST = 4000 };
    size_t len = strlen(text);
    print_error("  %s\n%.*s%s", heading, (int)(len < MOST ? len : MOST), text, len < MOST ? "" : "...\n");
}

static bool check_verdict(const check *c, const char *how, size_t a, size_t b)
{
    if (c->m->finish != NULL)
        c->m->finish(c->m->self, c->log);
    const char *said = log_text(c->log);
    if (c->expected == NULL || strcmp(said, c->expected) == 0)
        return true;
    if (machine_quiet)
        return false;
    print_error("%s: differs %s %zu %zu (%zu bytes, guard page at the %s)\n", c->title, how, a, b, c->len,
                c->at_start ? "start" : "end");
    check_print("expected:", c->expected);
    check_print("said:", said);
    return false;
}

static void check_start(const check *c)
{
    log_clear(c->log);
    c->m->start(c->m->self);
}

static bool check_cuts(const check *c, const char *how, size_t a, size_t b)
{
    check_start(c);
    check_feed(c, 0, a);
    if (b > a)
        check_feed(c, a, b);
    if (c->len > b || c->len == 0)
        check_feed(c, b, c->len);
    return check_verdict(c, how, a, b);
}

static bool check_whole(const check *c)
{
    check_start(c);
    check_feed(c, 0, c->len);
    return check_verdict(c, "whole", 0, 0);
}

static bool check_bytewise(const check *c, bool with_empty)
{
    check_start(c);
    for (size_t i = 0; i < c->len; i++) {
        if (with_empty)
            c->m->feed(c->m->self, NULL, 0, c->log);
        check_feed(c, i, i + 1);
    }
    return check_verdict(c, with_empty ? "byte by byte with empty pieces" : "byte by byte", 0, 0);
}

static bool check_random(const check *c, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 1;
    check_start(c);
    for (size_t from = 0; from < c->len;) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        size_t step = x % (seed % 2 ? 9 : 40) + 1;
        size_t to = step < c->len - from ? from + step : c->len;
        check_feed(c, from, to);
        from = to;
    }
    return check_verdict(c, "at random cuts, seed", seed, 0);
}

/* Where each round costs much, the runs with the guard page in front do without a cut at each place. */
static bool check_all(const check *c)
{
    if (!check_whole(c) || !check_bytewise(c, c->at_start))
        return false;
    for (uint32_t seed = 0; seed < RANDOM_RUNS && c->len > 2; seed++)
        if (!check_random(c, seed))
            return false;
    if (c->at_start && test_rounds(2) == 1)
        return true;
    size_t step = c->len > LONG_STREAM ? c->len / 192 : 1;
    for (size_t cut = 1; cut < c->len;) {
        if (!check_cuts(c, "cut at", cut, cut))
            return false;
        cut += cut < SHORT_STREAM || c->len - cut <= SHORT_STREAM + step ? 1 : step;
    }
    if (c->len <= SHORT_STREAM)
        for (size_t a = 1; a < c->len; a++)
            for (size_t b = a + 1; b < c->len; b++)
                if (!check_cuts(c, "cut at", a, b))
                    return false;
    return true;
}

bool machine_agrees(const machine *m, const char *title, const void *stream, size_t len, const char *expected)
{
    check c = {m, title, stream, len, NULL, log_new(), guard_copy(NULL, len, false), false};
    char *wanted = NULL;
    if (expected != NULL) {
        wanted = text_canonical(expected);
    } else {
        check_whole(&c);
        const char *said = log_text(c.log);
        wanted = malloc(strlen(said) + 1);
        if (wanted == NULL)
            abort();
        strcpy(wanted, said);
    }
    c.expected = wanted;

    bool agrees = check_all(&c);
    guard_free(c.arena);
    if (agrees) {
        c.at_start = true;
        c.arena = guard_copy(NULL, len, true);
        agrees = check_all(&c);
        guard_free(c.arena);
    }
    log_free(c.log);
    free(wanted);
    return agrees;
}

void machine_check(const machine *m, const char *title, const void *stream, size_t len, const char *expected)
{
    if (!machine_agrees(m, title, stream, len, expected))
        fail_msg("%s: see above", title);
}
