/* SPDX-License-Identifier: MIT */
/* entropy.h - floor 1: random bytes from the caller's source, fetched in batches. */
#ifndef WEIRI_ENTROPY_H
#define WEIRI_ENTROPY_H

#include "weir/base.h"

#include <string.h>

/* Makes sure that the next key can be had. Returns 0 or WEIR_ERR_ENTROPY. */
int weiri_entropy_ready(weir_entropy *entropy);

/* Takes four fresh bytes from the source. Returns 0 or WEIR_ERR_ENTROPY. They are taken from the pool's end
 * and wiped there, so none can be used twice. */
static inline int weiri_entropy_key(weir_entropy *entropy, uint8_t key[4])
{
    if (entropy->left_ == 0 && weiri_entropy_ready(entropy) != 0)
        return WEIR_ERR_ENTROPY;
    entropy->left_ -= 4;
    memcpy(key, entropy->pool_ + entropy->left_, 4);
    memset(entropy->pool_ + entropy->left_, 0, 4);
    return 0;
}

#endif
