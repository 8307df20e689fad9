/* SPDX-License-Identifier: MIT */
/* entropy.h - floor 1: random bytes from the caller's source, fetched in batches. */
#ifndef WEIRI_ENTROPY_H
#define WEIRI_ENTROPY_H

#include "weir/base.h"

#include <string.h>

/* Fills the pool. Returns 0 or WEIR_ERR_ENTROPY. */
int weiri_entropy_fill(weir_entropy *entropy);

/* Makes sure that the next key can be had. Returns 0 or WEIR_ERR_ENTROPY. */
static inline int weiri_entropy_ready(weir_entropy *entropy)
{
    return entropy->left_ != 0 ? 0 : weiri_entropy_fill(entropy);
}

/* Takes the four fresh bytes that are ready. They are taken from the pool's end and wiped there, so none can
 * be used twice. */
static inline void weiri_entropy_take(weir_entropy *entropy, uint8_t key[4])
{
    entropy->left_ -= 4;
    memcpy(key, entropy->pool_ + entropy->left_, 4);
    memset(entropy->pool_ + entropy->left_, 0, 4);
}

/* Takes four fresh bytes from the source. Returns 0 or WEIR_ERR_ENTROPY. */
static inline int weiri_entropy_key(weir_entropy *entropy, uint8_t key[4])
{
    int rv = weiri_entropy_ready(entropy);
    if (rv == 0)
        weiri_entropy_take(entropy, key);
    return rv;
}

#endif
