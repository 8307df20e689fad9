/* SPDX-License-Identifier: MIT */
/* heap.h - counts what a program takes from the heap, with all the libraries it is linked to. */
#ifndef WEIR_BENCH_HEAP_H
#define WEIR_BENCH_HEAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct heap_use {
    size_t calls; /* of malloc, calloc and realloc */
    size_t bytes; /* that they asked for */
} heap_use;

/* Begins to count at zero, and stops. */
void heap_count(void);
heap_use heap_stop(void);
/* False where allocations cannot be seen: another C library than glibc, or a sanitizer's heap. */
bool heap_is_seen(void);

#endif
