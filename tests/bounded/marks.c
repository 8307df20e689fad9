/* SPDX-License-Identifier: MIT */
/*
 * marks.c SIZES.md - how far hostile streams bring each machine, against what is documented.
 *
 * Every machine hears every stream made for it, whole, in 1,400-byte pieces, in sevens and byte by byte, its
 * replies taken at once and never, in memory painted with one value and another. SIZES.md is docs/sizes.md:
 * the structs may not be larger than it says. The heap is counted too: nobody may use it.
 */
#include "bounded.h"
#include "../bench/heap.h"

#include "weir/weir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM = 96 << 10, PAINTS = 2 };

static unsigned passed, failed;

static void verdict(bool good)
{
    passed += good;
    failed += !good;
    puts(good ? "" : "  FAIL");
}

/* ---- docs/sizes.md ------------------------------------------------------------------------------- */

static char sizes_text[65536];

static void sizes_read(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        bounded_fail("cannot read %s", path);
    size_t len = fread(sizes_text, 1, sizeof sizes_text - 1, file);
    sizes_text[len] = '\0';
    fclose(file);
}

/* What the table says of a struct; 0 if it says nothing. */
static unsigned long documented_size(const char *name)
{
    char key[64];
    unsigned long wide, narrow;
    snprintf(key, sizeof key, "| `%s` |", name);
    const char *row = strstr(sizes_text, key);
    if (row == NULL || sscanf(row + strlen(key), " %lu | %lu |", &wide, &narrow) != 2)
        return 0;
    return sizeof(void *) == 8 ? wide : narrow;
}

/* ---- Machines ------------------------------------------------------------------------------------ */

typedef struct feast {
    subject s;
    uint8_t *copy;
    size_t streams;
    uint64_t bytes;
    uint64_t calls;
    bool began; /* the areas are there */
} feast;

static void serve(feast *f, const uint8_t *bytes, size_t len, size_t step)
{
    memcpy(f->copy, bytes, len);
    heap_count();
    subject_start(&f->s);
    for (size_t at = 0; at < len && f->s.err == 0; at += step)
        subject_feed(&f->s, f->copy + at, len - at < step ? len - at : step);
    subject_finish(&f->s);
    heap_use heap = heap_stop();
    subject_mark(&f->s, "calls of the heap", 0, f->began ? heap.calls : 0);
    f->began = true;
    f->bytes += len;
    f->calls += f->s.calls;
}

static void take(void *user, const char *name, const uint8_t *bytes, size_t len)
{
    static const size_t steps[] = {SIZE_MAX, 1400, 7, 1};
    feast *f = user;
    f->copy = realloc(f->copy, len);
    if (f->copy == NULL)
        bounded_fail("out of memory");
    f->s.stream = name;
    for (unsigned way = 0; way < 8; way++) {
        f->s.stalled = way % 2 != 0;
        f->s.paint = way / 2 % PAINTS == 0 ? 0xA5 : 0x5A;
        serve(f, bytes, len, steps[way / 2]);
        if (way >= 4)
            continue;
        f->s.paint = (uint8_t)~f->s.paint;
        serve(f, bytes, len, steps[way / 2]);
    }
    f->streams++;
}

static void machine_rows(const machine *m)
{
    static feast f;
    free(f.copy);
    memset(&f, 0, sizeof f);
    f.s.machine = m;
    streams_each(m->diet, m->client, STREAM, take, &f);
    subject_free(&f.s);
    printf("\n%s: %zu streams, %llu MB, %.2f calls a byte\n\n", m->name, f.streams,
           (unsigned long long)(f.bytes / 1000000), (double)f.calls / (double)f.bytes);
    printf("| %-40s | %10s | %10s | %-38s |\n", "what", "documented", "measured", "furthest by");
    printf(
        "|------------------------------------------|-----------:|-----------:|-----------------------------"
        "-----------|\n");
    for (size_t i = 0; i < f.s.mark_count; i++) {
        const mark *k = &f.s.marks[i];
        unsigned long size = strncmp(k->what, "weir_", 5) == 0 ? documented_size(k->what) : 0;
        uint64_t documented = size != 0 && size < k->documented ? size : k->documented;
        printf("| %-40s | %10llu | %10llu | %-38s |", k->what, (unsigned long long)documented,
               (unsigned long long)k->measured, k->by);
        verdict(k->measured <= documented);
    }
}

static void machines_table(const machine *list)
{
    for (; list->name != NULL; list++)
        machine_rows(list);
}

/* ---- Structs and rooms --------------------------------------------------------------------------- */

static void structs_table(void)
{
    static const struct {
        const char *name;
        size_t size;
    } structs[] = {
        {"weir_entropy", sizeof(weir_entropy)},       {"weir_http", sizeof(weir_http)},
        {"weir_http_body", sizeof(weir_http_body)},   {"weir_pulse", sizeof(weir_pulse)},
        {"weir_sse_log", sizeof(weir_sse_log)},       {"weir_sse_parser", sizeof(weir_sse_parser)},
        {"weir_sse_source", sizeof(weir_sse_source)}, {"weir_ws", sizeof(weir_ws)},
        {"weir_ws_joiner", sizeof(weir_ws_joiner)},   {"weir_ws_request", sizeof(weir_ws_request)},
    };
    printf("Structs, bytes\n\n| %-40s | %10s | %10s |\n", "struct", "documented", "measured");
    printf("|------------------------------------------|-----------:|-----------:|\n");
    for (size_t i = 0; i < sizeof structs / sizeof *structs; i++) {
        unsigned long size = documented_size(structs[i].name);
        printf("| %-40s | %10lu | %10zu |", structs[i].name, size, structs[i].size);
        verdict(size != 0 && structs[i].size <= size);
    }
}

static void room_row(const char *what, uint64_t documented, uint64_t measured)
{
    printf("| %-40s | %10llu | %10llu |", what, (unsigned long long)documented, (unsigned long long)measured);
    verdict(measured <= documented && measured != 0);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: marks docs/sizes.md\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    sizes_read(argv[1]);
    structs_table();
    printf("\nRoom to write into, bytes\n\n| %-40s | %10s | %10s |\n", "room", "documented", "measured");
    printf("|------------------------------------------|-----------:|-----------:|\n");
    rooms_each(room_row);
    machines_table(machines_http);
    machines_table(machines_ws);
    machines_table(machines_sse);
    printf("\n%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
