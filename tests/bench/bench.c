/* SPDX-License-Identifier: MIT */
/* bench.c - rounds that take turns, medians, tables, data. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void bench_fail(const char *what)
{
    fflush(stdout);
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

void *bench_alloc(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        bench_fail("out of memory");
    return memory;
}

size_t bench_env(const char *name, size_t fallback)
{
    const char *text = getenv(name);
    char *end;
    if (text == NULL || *text == '\0')
        return fallback;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value == 0)
        bench_fail(name);
    return value;
}

/* ---- Measuring ----------------------------------------------------------------------------------- */

double bench_cpu(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double run(const bench_case *one, size_t times)
{
    double begin = bench_cpu();
    double own = one->run(one->user, times);
    return own != 0 ? own : bench_cpu() - begin;
}

/* How often the work fits into a turn; warms caches up on the way. */
static size_t calibrate(const bench_case *one, double turn)
{
    size_t times = 1;
    double spent = run(one, times);
    while (spent < turn / 4) {
        times *= spent < turn / 64 ? 8 : 2;
        spent = run(one, times);
    }
    times = (size_t)((double)times * turn / spent);
    return times != 0 ? times : 1;
}

static void measure(bench_case *cases, size_t count)
{
    static double spent[BENCH_COLUMNS][BENCH_ROUNDS_MAX];
    size_t times[BENCH_COLUMNS] = {0};
    size_t rounds = bench_env("BENCH_ROUNDS", 9);
    double turn = (double)bench_env("BENCH_MS", 6) * 1e6;
    if (rounds > BENCH_ROUNDS_MAX)
        bench_fail("BENCH_ROUNDS is too large");
    for (size_t i = 0; i < count; i++)
        times[i] = cases[i].user != NULL ? calibrate(&cases[i], turn) : 0;
    for (size_t round = 0; round < rounds; round++) {
        for (size_t turn_of = 0; turn_of < count; turn_of++) {
            size_t i = (turn_of + round) % count;
            if (times[i] != 0)
                spent[i][round] = run(&cases[i], times[i]) / (double)times[i];
        }
    }
    for (size_t i = 0; i < count; i++)
        cases[i].median = times[i] != 0 ? bench_median(spent[i], rounds) : 0;
}

bool bench_wanted(const bench_group *group, const char *row)
{
    const char *only = getenv("BENCH_ONLY");
    return only == NULL || strstr(group->title, only) != NULL || strstr(row, only) != NULL;
}

/* Three digits that matter. */
static void number(char *text, size_t size, double value)
{
    snprintf(text, size, value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value);
}

static void head_print(bench_group *group)
{
    printf("\n%s\n\n| %-26s |", group->title, "");
    for (size_t i = 0; i < group->columns; i++)
        printf(" %18s |", group->names[i]);
    printf("\n|----------------------------|");
    for (size_t i = 0; i < group->columns; i++)
        printf("-------------------:|");
    putchar('\n');
    group->begun = true;
}

static void tsv_put(const bench_group *group, const char *row, const bench_case *cases, double units,
                    double bytes)
{
    static FILE *file;
    const char *path = getenv("BENCH_TSV");
    if (file == NULL && (path == NULL || (file = fopen(path, "w")) == NULL))
        return;
    for (size_t i = 0; i < group->columns; i++)
        if (cases[i].user != NULL)
            fprintf(file, "%s\t%s\t%s\t%.2f\n", group->title, row, group->names[i],
                    group->unit == BENCH_NS ? cases[i].median / units : bytes / cases[i].median * 1e3);
    fflush(file);
}

void bench_row(bench_group *group, const char *row, bench_case *cases, double units, double bytes)
{
    char cell[32], ratio[32];
    measure(cases, group->columns);
    if (!group->begun)
        head_print(group);
    printf("| %-26s |", row);
    for (size_t i = 0; i < group->columns; i++) {
        if (cases[i].user == NULL) {
            printf(" %18s |", "");
            continue;
        }
        number(cell, sizeof cell,
               group->unit == BENCH_NS ? cases[i].median / units : bytes / cases[i].median * 1e3);
        number(ratio, sizeof ratio, cases[i].median / cases[0].median);
        printf(i == 0 ? " %18s |" : " %9s (%5sx) |", cell, ratio);
    }
    putchar('\n');
    fflush(stdout);
    tsv_put(group, row, cases, units, bytes);
}

/* ---- Data ---------------------------------------------------------------------------------------- */

uint32_t bench_random(void)
{
    static uint64_t state = UINT64_C(0x2545F4914F6CDD1D);
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 32);
}

void bench_fill(uint8_t *dst, size_t len)
{
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)bench_random();
}

static void words(uint8_t *dst, size_t len, const char *const list[8])
{
    size_t at = 0;
    for (;;) {
        const char *word = list[bench_random() % 8];
        if (strlen(word) > len - at)
            break;
        memcpy(dst + at, word, strlen(word));
        at += strlen(word);
    }
    memset(dst + at, ' ', len - at);
}

void bench_text(uint8_t *dst, size_t len)
{
    static const char *const list[8] = {"{\"user\":",   "\"mira\"", ",\"said\":", "\"good morning\"",
                                        ",\"likes\":3", "}, ",      "[1, 2, 3]",  "\"https://example.org/\""};
    words(dst, len, list);
}

void bench_chinese(uint8_t *dst, size_t len)
{
    static const char *const list[8] = {"河", "水流", "堤坝", "很高", "今天", "春天的雨", "，", "明天会更好"};
    words(dst, len, list);
}

void bench_emoji(uint8_t *dst, size_t len)
{
    static const char *const list[8] = {"😀", "🎉🎉", "🚀", "🌊", "🐬🐳", "☕", " ok ", "👍"};
    words(dst, len, list);
}
