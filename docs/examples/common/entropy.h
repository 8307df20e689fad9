/* SPDX-License-Identifier: MIT */
/*
 * entropy.h - random bytes from the system, for the keys of a WebSocket client.
 *
 *     weir_entropy entropy;                          one for all connections of a thread
 *     weir_entropy_init(&entropy, entropy_fill, NULL);
 */
#ifndef EXAMPLE_ENTROPY_H
#define EXAMPLE_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

/* Fills dst. Returns 0, or -1 if the system has none to give. `user` is not looked at. */
int entropy_fill(void *user, uint8_t *dst, size_t len);

#endif
