/* SPDX-License-Identifier: MIT */
/* entropy.h - floor 1: random bytes from the caller's source, fetched in batches. */
#ifndef WEIRI_ENTROPY_H
#define WEIRI_ENTROPY_H

#include "weir/base.h"

/* Makes sure that the next key can be had. Returns 0 or WEIR_ERR_ENTROPY. */
int weiri_entropy_ready(weir_entropy *entropy);

/* Takes four fresh bytes from the source. Returns 0 or WEIR_ERR_ENTROPY. */
int weiri_entropy_key(weir_entropy *entropy, uint8_t key[4]);

#endif
