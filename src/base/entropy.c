/* SPDX-License-Identifier: MIT */
/* entropy.c - floor 1: random bytes from the caller's source, fetched in batches. */
#include "entropy.h"

#include <string.h>

int weir_entropy_init_(weir_entropy *entropy, uint32_t layout,
                       int (*fill)(void *user, uint8_t *dst, size_t len), void *user)
{
    if (layout != WEIR_LAYOUT_OF(*entropy))
        return WEIR_ERR_LAYOUT;
    if (fill == NULL)
        return WEIR_ERR_ARG;
    memset(entropy, 0, sizeof *entropy);
    entropy->fill_ = fill;
    entropy->user_ = user;
    return 0;
}

int weiri_entropy_fill(weir_entropy *entropy)
{
    if (entropy->fill_(entropy->user_, entropy->pool_, sizeof entropy->pool_) != 0)
        return WEIR_ERR_ENTROPY;
    entropy->left_ = sizeof entropy->pool_;
    return 0;
}
