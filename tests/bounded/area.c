/* SPDX-License-Identifier: MIT */
/* area.c - painted memory between unmapped pages, and failing. */
#include "bounded.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void bounded_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("bounded: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

uint32_t bounded_random(void)
{
    static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 32);
}

int bounded_entropy(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(bounded_random() >> 8);
    return 0;
}

/* The first page that is mapped. */
static uint8_t *area_start(const area *a)
{
    return a->map + (size_t)sysconf(_SC_PAGESIZE);
}

void area_paint(area *a, uint8_t paint)
{
    a->paint = paint;
    memset(area_start(a), paint, (size_t)(a->ptr + a->len - area_start(a)));
}

area area_new(const char *name, size_t len, uint8_t paint)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (len + page - 1) / page * page;
    area a = {name, NULL, len, paint, NULL, room + 2 * page};
    a.map = mmap(NULL, a.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (a.map == MAP_FAILED || mprotect(a.map + page, room, PROT_READ | PROT_WRITE) != 0)
        bounded_fail("no memory for %s", name);
    a.ptr = a.map + page + (room - len);
    area_paint(&a, paint);
    return a;
}

void area_free(area *a)
{
    munmap(a->map, a->mapped);
    a->ptr = a->map = NULL;
}

size_t area_used(const area *a)
{
    size_t used = a->len;
    while (used > 0 && a->ptr[used - 1] == a->paint)
        used--;
    return used;
}

bool area_front_clean(const area *a)
{
    const uint8_t *at = area_start(a);
    while (at != a->ptr && *at == a->paint)
        at++;
    return at == a->ptr;
}
