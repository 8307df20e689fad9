/* SPDX-License-Identifier: MIT */
/* deflate.c - memory for permessage-deflate: one block a connection, one scratch for all. */
#include "deflate.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ALIGNMENT = 16,
    SMALL_BITS = 12 /* up to here with small tables, beyond with zlib's usual ones */
};

const weir_deflate_policy deflate_small = {.server_bits = SMALL_BITS, .client_bits = SMALL_BITS};

static uint8_t scratch[16 * 1024];

void deflate_require(const char *program)
{
    if (deflate_backend != NULL)
        return;
    fprintf(stderr, "%s: --deflate: built without zlib\n", program);
    exit(2);
}

static size_t aligned(size_t len)
{
    return (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

weir_deflate *deflate_new(const weir_deflate_params *params, weir_ws_role role, bool sends,
                          uint32_t max_ratio)
{
    weir_deflate_cfg cfg = {.backend = deflate_backend, .params = *params, .role = role};
    unsigned ours = role == WEIR_WS_SERVER ? params->server_bits : params->client_bits;
    size_t inflate_len, deflate_len;
    cfg.max_ratio = max_ratio;
    cfg.mem_level = ours <= SMALL_BITS ? 5 : 8;
    cfg.scratch = scratch;
    cfg.scratch_len = sizeof scratch;
    weir_deflate_memory(&cfg, &inflate_len, &deflate_len);
    size_t inflate_at = aligned(sizeof(weir_deflate));
    size_t deflate_at = inflate_at + aligned(inflate_len);
    uint8_t *block = malloc(deflate_at + (sends ? deflate_len : 0));
    if (block == NULL)
        return NULL;
    cfg.inflate_mem = block + inflate_at;
    cfg.inflate_len = inflate_len;
    if (sends) {
        cfg.deflate_mem = block + deflate_at;
        cfg.deflate_len = deflate_len;
    }
    weir_deflate *deflate = (weir_deflate *)(void *)block;
    if (weir_deflate_init(deflate, &cfg) == 0)
        return deflate;
    free(block);
    return NULL;
}
