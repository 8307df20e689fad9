/* SPDX-License-Identifier: MIT */
/*
 * deflate.h - permessage-deflate for the example programs: how much of it, and its memory.
 *
 *     weir_deflate_params params;                                          between request and 101
 *     if (weir_deflate_negotiate(head.fields, &deflate_small, &params) > 0)
 *         cfg.deflate = peer->deflate = deflate_new(&params, WEIR_WS_SERVER, true, 0);
 *     ...
 *     free(peer->deflate);                                                 with the connection
 */
#ifndef EXAMPLE_DEFLATE_H
#define EXAMPLE_DEFLATE_H

#include <weir/weir.h>

/* zlib, or NULL in a program that was built without it: then deflate_new must not be called. */
extern const weir_deflate_backend *const deflate_backend;

/* What a server of many connections agrees to: windows of 4 KiB. A connection then takes 11 KiB to
 * receive and 40 KiB to send, instead of 39 and 268. */
extern const weir_deflate_policy deflate_small;

/* Ends the program, with a line on stderr and status 2, if it was built without zlib. */
void deflate_require(const char *program);

/*
 * deflate_new - the compression of one connection, in one block for free().
 *
 * params     as agreed.
 * role       which side we are.
 * sends      false: we never compress by ourselves (prepared messages may be), and it takes no memory.
 * max_ratio  as in weir_deflate_cfg, 0 for no limit.
 *
 * Returns    NULL without memory. All connections inflate into the same scratch: one thread only.
 */
weir_deflate *deflate_new(const weir_deflate_params *params, weir_ws_role role, bool sends,
                          uint32_t max_ratio);

#endif
