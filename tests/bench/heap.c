/* SPDX-License-Identifier: MIT */
/* heap.c - malloc and its siblings in front of glibc's own, which it also exports by other names. */
#include "heap.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEAP_IS_TAKEN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define HEAP_IS_TAKEN 1
#endif
#endif

static heap_use use;
static bool counting;

#if defined(__GLIBC__) && !defined(HEAP_IS_TAKEN)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static void count(size_t bytes)
{
    if (counting) {
        use.calls++;
        use.bytes += bytes;
    }
}

void *malloc(size_t size)
{
    count(size);
    return __libc_malloc(size);
}

void *calloc(size_t items, size_t size)
{
    count(items * size);
    return __libc_calloc(items, size);
}

void *realloc(void *memory, size_t size)
{
    count(size);
    return __libc_realloc(memory, size);
}

#endif

void heap_count(void)
{
    use = (heap_use){0, 0};
    counting = true;
}

heap_use heap_stop(void)
{
    counting = false;
    return use;
}

/* Asked of the heap itself, through a pointer that the compiler cannot see through. */
bool heap_is_seen(void)
{
    void *(*volatile allocate)(size_t) = malloc;
    heap_count();
    free(allocate(1));
    return heap_stop().calls == 1;
}
