/* SPDX-License-Identifier: MIT */
/* buffer.c - a growing block with a front and an end. Each byte is moved O(1) times on average. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

enum { SMALLEST = 1000, LARGE = 128 * 1024 };

size_t buffer_size(const buffer *b)
{
    return b != NULL ? b->len - b->pos : 0;
}

uint8_t *buffer_bytes(buffer *b)
{
    return b != NULL ? b->bytes + b->pos : NULL;
}

static bool grow(buffer **b, size_t need)
{
    size_t cap = *b != NULL ? (*b)->cap : SMALLEST / 2;
    size_t len = *b != NULL ? (*b)->len : 0;
    if (cap > SIZE_MAX / 4 || need > SIZE_MAX / 4)
        return false;
    cap *= 2;
    if (cap < len + need)
        cap = len + need;
    buffer *larger = realloc(*b, sizeof *larger + cap);
    if (larger == NULL)
        return false;
    if (*b == NULL)
        larger->pos = larger->len = 0;
    larger->cap = cap;
    *b = larger;
    return true;
}

uint8_t *buffer_room(buffer **b, size_t need)
{
    buffer *old = *b;
    /* Moving pays only when at least as much was taken as is moved. */
    if (old != NULL && old->cap - old->len < need && old->pos >= old->len - old->pos) {
        memmove(old->bytes, old->bytes + old->pos, old->len - old->pos);
        old->len -= old->pos;
        old->pos = 0;
    }
    if ((*b == NULL || (*b)->cap - (*b)->len < need) && !grow(b, need))
        return NULL;
    return (*b)->bytes + (*b)->len;
}

void buffer_added(buffer *b, size_t len)
{
    b->len += len;
}

bool buffer_put(buffer **b, const void *bytes, size_t len)
{
    if (len == 0)
        return true;
    uint8_t *room = buffer_room(b, len);
    if (room == NULL)
        return false;
    memcpy(room, bytes, len);
    buffer_added(*b, len);
    return true;
}

void buffer_take(buffer **b, size_t len)
{
    if (*b == NULL)
        return;
    (*b)->pos += len;
    if ((*b)->pos == (*b)->len)
        buffer_free(b);
}

void buffer_free(buffer **b)
{
    free(*b);
    *b = NULL;
}

void buffer_return_large(void)
{
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, LARGE);
#endif
}
