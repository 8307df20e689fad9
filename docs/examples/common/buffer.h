/* SPDX-License-Identifier: MIT */
/*
 * buffer.h - bytes on the heap: written at the end, taken from the front.
 *
 * An empty buffer is a NULL pointer and costs nothing; the block comes with the first byte and goes
 * with the last. That keeps thousands of idle connections small.
 *
 *     buffer *b = NULL;
 *     if (!buffer_put(&b, "hello", 5)) ...        out of memory
 *     ... use buffer_size(b) bytes at buffer_bytes(b) ...
 *     buffer_take(&b, 5);
 */
#ifndef EXAMPLE_BUFFER_H
#define EXAMPLE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct buffer {
    size_t pos; /* bytes[pos..len) are there */
    size_t len;
    size_t cap;
    uint8_t bytes[];
} buffer;

size_t buffer_size(const buffer *b);
uint8_t *buffer_bytes(buffer *b);

/* Room for `need` more bytes at the end, or NULL without memory; write there, then buffer_added. */
uint8_t *buffer_room(buffer **b, size_t need);
void buffer_added(buffer *b, size_t len);

/* Adds a copy; false without memory. */
bool buffer_put(buffer **b, const void *bytes, size_t len);

/* Drops bytes from the front; `len` is at most what is there. */
void buffer_take(buffer **b, size_t len);
void buffer_free(buffer **b);

/*
 * For a server that runs long, called once at its start: blocks of 128 KiB and more go back to the system
 * when they are freed. glibc starts so, but each such free raises its limit, up to 32 MiB, and smaller blocks
 * stay resident wherever something behind them is in use, which looks like a leak.
 */
void buffer_return_large(void);

#endif
