/* SPDX-License-Identifier: MIT */
/* guard.c - the test harness's memory that ends, or starts, where nothing is mapped. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

/* A run of pages between two that must not be touched. */
typedef struct guard {
    struct guard *next;
    uint8_t *copy;
    uint8_t *pages;
    size_t room;
} guard;

static guard *guards; /* in use */
static guard *idle;   /* given back: mapping pages costs more than most tests */

/* ---- Pages of the system -------------------------------------------------------------------------- */

#ifdef _WIN32
static size_t page_size(void)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwPageSize;
}

static uint8_t *pages_between_guards(size_t room, size_t page)
{
    uint8_t *base = VirtualAlloc(NULL, room + 2 * page, MEM_RESERVE, PAGE_NOACCESS);
    return base == NULL ? NULL : VirtualAlloc(base + page, room, MEM_COMMIT, PAGE_READWRITE);
}
#else
static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static uint8_t *pages_between_guards(size_t room, size_t page)
{
    uint8_t *base = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + page, room, PROT_READ | PROT_WRITE) != 0)
        return NULL;
    return base + page;
}
#endif

/* ---- Guarded memory ------------------------------------------------------------------------------- */

/* Pages of that size that are idle, or new ones. */
static guard *guard_take(size_t room, size_t page)
{
    for (guard **at = &idle; *at != NULL; at = &(*at)->next) {
        guard *g = *at;
        if (g->room == room) {
            *at = g->next;
            return g;
        }
    }
    guard *g = malloc(sizeof *g);
    if (g == NULL)
        abort();
    g->room = room;
    g->pages = pages_between_guards(room, page);
    if (g->pages == NULL) {
        fputs("harness: no guarded memory\n", stderr);
        abort();
    }
    return g;
}

uint8_t *guard_copy(const void *bytes, size_t len, bool at_start)
{
    size_t page = page_size();
    size_t room = len == 0 ? page : (len + page - 1) / page * page;
    guard *g = guard_take(room, page);
    g->copy = g->pages + (at_start ? 0 : room - len);
    if (bytes == NULL)
        memset(g->copy, 0, len);
    else if (len != 0)
        memcpy(g->copy, bytes, len);
    g->next = guards;
    guards = g;
    return g->copy;
}

/* What is read afterwards is neither what was there nor zeros. */
void guard_free(uint8_t *copy)
{
    for (guard **at = &guards; *at != NULL; at = &(*at)->next) {
        guard *g = *at;
        if (g->copy == copy) {
            *at = g->next;
            memset(g->pages, 0xDB, g->room);
            g->next = idle;
            idle = g;
            return;
        }
    }
    fputs("harness: guard_free of unknown memory\n", stderr);
    abort();
}
