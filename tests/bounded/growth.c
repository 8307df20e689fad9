/* SPDX-License-Identifier: MIT */
/*
 * growth.c [--callgrind] [readers | writers] - what a machine does for 64 KiB, 1 MiB and 16 MiB, in steps of
 * one byte, of 1,400, and whole. Prints lines of `case TAB step TAB bytes TAB count`; run.sh makes a table.
 *
 * With the library that calls __sanitizer_cov_trace_pc in each block of code, the count is of blocks. With
 * --callgrind it is 0: valgrind counts the instructions between count_begin and count_end, and writes them to
 * files in the order of the lines; there the machines that read are fed one stream each, since it takes long.
 */
#include "growth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void __sanitizer_cov_trace_pc(void);
/* For valgrind, by name. */
void count_begin(void);
void count_end(void);

static uint64_t blocks;
static bool callgrind;

void __sanitizer_cov_trace_pc(void)
{
    blocks++;
}

__attribute__((noinline)) void count_begin(void)
{
    blocks = 0;
    __asm__ volatile("");
}

__attribute__((noinline)) void count_end(void)
{
    __asm__ volatile("");
}

static void result_print(const char *name, size_t step, size_t len)
{
    printf("%s\t%zu\t%zu\t%" PRIu64 "\n", name, step, len, callgrind ? 0 : blocks);
    fflush(stdout);
}

/* ---- Machines that read -------------------------------------------------------------------------- */

/* A diet of its own for each machine: floods and endless elements. `main` ones are run under valgrind too. */
static const struct {
    const machine *list;
    const char *machine, *stream;
    bool main;
} readers[] = {
    {machines_http, "HTTP request head", "a head of many fields", true},
    {machines_http, "HTTP request head", "an endless field", false},
    {machines_http, "HTTP request head", "empty fields without end", false},
    {machines_http, "chunked body", "chunks of one byte", true},
    {machines_http, "chunked body", "a huge chunk", false},
    {machines_ws, "WebSocket, server", "messages of 1,000 bytes", true},
    {machines_ws, "WebSocket, server", "one frame of text", true},
    {machines_ws, "WebSocket, server", "one frame of three-byte characters", false},
    {machines_ws, "WebSocket, server", "messages of one byte", false},
    {machines_ws, "WebSocket, server", "fragments of one byte", false},
    {machines_ws, "WebSocket, server", "Pings inside a message", false},
    {machines_ws, "WebSocket, client", "messages of 1,000 bytes", true},
    {machines_ws, "WebSocket, client", "one frame of three-byte characters", false},
    {machines_ws, "WebSocket, server, deflate", "messages of noise, compressed", true},
    {machines_ws, "WebSocket, server, deflate", "empty stored blocks", false},
    {machines_sse, "event parser", "full events", true},
    {machines_sse, "event parser", "a line without end", true},
    {machines_sse, "event parser", "an event without end", false},
    {machines_sse, "event parser", "empty data lines", false},
    {machines_sse, "event parser, repair, flush", "bytes that are not UTF-8", false},
    {machines_sse, "event parser, skip, comments", "IDs, retries and comments in turn", false},
    {machines_sse, "event source", "chunks of one byte", true},
    {machines_sse, "event source", "an event without end", false},
};

typedef struct meal {
    subject s;
    const char *name;
    size_t step;
} meal;

static void eat(void *user, const char *name, const uint8_t *bytes, size_t len)
{
    meal *m = user;
    uint8_t *copy = malloc(len);
    if (copy == NULL)
        bounded_fail("out of memory");
    memcpy(copy, bytes, len);
    m->s.stream = name;
    m->s.paint = 0xA5;
    m->s.unbounded = 4 * len + 65536; /* U+FFFD is three bytes for one */
    subject_start(&m->s);
    count_begin();
    for (size_t at = 0; at < len && m->s.err == 0; at += m->step)
        subject_feed(&m->s, copy + at, len - at < m->step ? len - at : m->step);
    count_end();
    if (m->s.err != 0)
        bounded_fail("%s, %s: %s", m->s.machine->name, name, weir_strerror(m->s.err));
    subject_free(&m->s);
    free(copy);
    result_print(m->name, m->step == SIZE_MAX ? 0 : m->step, len);
}

/* ---- All of it ----------------------------------------------------------------------------------- */

static const size_t sizes[] = {64 << 10, 1 << 20, 16 << 20};
enum { LESS = 4 << 20 }; /* instead of the largest, for streams beside the main ones */
static const size_t steps[] = {1, 1400, SIZE_MAX};

static bool asked_for(const char *what, int argc, char **argv)
{
    return argc == 1 || strcmp(argv[1], what) == 0;
}

static void reader_run(size_t i, const char *name)
{
    const machine *m = readers[i].list;
    while (m->name != NULL && strcmp(m->name, readers[i].machine) != 0)
        m++;
    if (m->name == NULL)
        return; /* built without compression */
    for (size_t step = 0; step < 3; step++) {
        for (size_t size = 0; size < 3; size++) {
            meal one = {.name = name, .step = steps[step]};
            one.s.machine = m;
            streams_one(m->diet, m->client, readers[i].stream,
                        sizes[size] < LESS || readers[i].main ? sizes[size] : LESS, eat, &one);
        }
    }
}

static void writer_run(const writer *w)
{
    for (size_t step = 0; step < 3; step++) {
        for (size_t size = 0; size < 3; size++) {
            size_t most = steps[step] < sizes[size] ? steps[step] : sizes[size];
            writer_start(w, sizes[size], most);
            count_begin();
            w->write(sizes[size], most);
            count_end();
            writer_end();
            result_print(w->name, step == 2 ? 0 : most, sizes[size]);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--callgrind") == 0) {
        callgrind = true;
        argc--, argv++;
    }
    for (size_t i = 0; asked_for("readers", argc, argv) && i < sizeof readers / sizeof *readers; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s: %s", readers[i].machine, readers[i].stream);
        if (readers[i].main || !callgrind)
            reader_run(i, name);
    }
    for (const writer *w = writers; asked_for("writers", argc, argv) && w->name != NULL; w++)
        writer_run(w);
    return 0;
}
