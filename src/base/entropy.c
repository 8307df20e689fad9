/* SPDX-License-Identifier: MIT */
/* entropy.c - floor 1: random bytes from the caller's source, fetched in batches. */
#include "entropy.h"

#include <string.h>

int weir_entropy_init(weir_entropy *entropy, int (*fill)(void *user, uint8_t *dst, size_t len), void *user)
{
    if (fill == NULL)
        return WEIR_ERR_ARG;
    memset(entropy, 0, sizeof *entropy);
    entropy->fill_ = fill;
    entropy->user_ = user;
    return 0;
}

int weiri_entropy_ready(weir_entropy *entropy)
{
    if (entropy->left_ == 0) {
        if (entropy->fill_(entropy->user_, entropy->pool_, sizeof entropy->pool_) != 0)
            return WEIR_ERR_ENTROPY;
        entropy->left_ = sizeof entropy->pool_;
    }
    return 0;
}

/* Keys are taken from the pool's end and wiped there, so none can be used twice. */
int weiri_entropy_key(weir_entropy *entropy, uint8_t key[4])
{
    if (weiri_entropy_ready(entropy) != 0)
        return WEIR_ERR_ENTROPY;
    entropy->left_ -= 4;
    memcpy(key, entropy->pool_ + entropy->left_, 4);
    memset(entropy->pool_ + entropy->left_, 0, 4);
    return 0;
}
