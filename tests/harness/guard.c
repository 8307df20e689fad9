/* SPDX-License-Identifier: MIT */
/* guard.c - the test harness's memory that ends, or starts, where nothing is mapped. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct guard {
    struct guard *next;
    uint8_t *copy;
    uint8_t *base;
    size_t total;
} guard;

static guard *guards;

uint8_t *guard_copy(const void *bytes, size_t len, bool at_start)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = len == 0 ? page : (len + page - 1) / page * page;
    guard *g = malloc(sizeof *g);
    if (g == NULL)
        abort();
    g->total = room + 2 * page;
    g->base = mmap(NULL, g->total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g->base == MAP_FAILED || mprotect(g->base + page, room, PROT_READ | PROT_WRITE) != 0) {
        perror("harness: guarded memory");
        abort();
    }
    g->copy = g->base + page + (at_start ? 0 : room - len);
    if (bytes != NULL && len != 0)
        memcpy(g->copy, bytes, len);
    g->next = guards;
    guards = g;
    return g->copy;
}

void guard_free(uint8_t *copy)
{
    for (guard **at = &guards; *at != NULL; at = &(*at)->next) {
        guard *g = *at;
        if (g->copy == copy) {
            *at = g->next;
            munmap(g->base, g->total);
            free(g);
            return;
        }
    }
    fputs("harness: guard_free of unknown memory\n", stderr);
    abort();
}
