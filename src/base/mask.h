/* SPDX-License-Identifier: MIT */
/* mask.h - floor 1: masking of payload, RFC 6455 5.3. */
#ifndef WEIRI_MASK_H
#define WEIRI_MASK_H

#include <stddef.h>
#include <stdint.h>

/* dst[i] = src[i] ^ key[(i + phase) % 4]. dst may be src, but not overlap it otherwise. `phase` is
 * the offset of src[0] in its frame, modulo 4. */
void weiri_mask(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4], unsigned phase);

#endif
