/* SPDX-License-Identifier: MIT */
/* config.c - floor 3: set-up of a WebSocket connection. */
#include "ws.h"

#include <string.h>

/* Lists whose lengths other structs must match are checked here, where the compiler can. */
typedef char ws_out_holds_a_masked_control_frame[sizeof(((weir_ws *)0)->out_) == 6 + 125 ? 1 : -1];

void weir_ws_cfg_init_(weir_ws_cfg *cfg, size_t size, weir_ws_role role)
{
    weir_ws_cfg defaults;
    memset(&defaults, 0, sizeof defaults);
    defaults.size = (uint32_t)size;
    defaults.role = (uint32_t)role;
    defaults.max_fragments = 100000;
    defaults.max_frame = UINT64_C(16) << 20;
    defaults.max_message = UINT64_C(16) << 20;
    /* A program built against an older, shorter struct gets the members it knows. */
    memcpy(cfg, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

int weir_ws_init_(weir_ws *ws, uint32_t layout, const weir_ws_cfg *cfg)
{
    if (layout != WEIR_LAYOUT_OF(*ws) || cfg->size != sizeof *cfg)
        return WEIR_ERR_LAYOUT;
    if ((cfg->role != WEIR_WS_SERVER && cfg->role != WEIR_WS_CLIENT) ||
        (cfg->flags & ~(WEIR_WS_MANUAL_PONG | WEIR_WS_NO_UTF8)) != 0 ||
        (cfg->role == WEIR_WS_CLIENT && cfg->entropy == NULL))
        return WEIR_ERR_ARG;
    memset(ws, 0, sizeof *ws);
    ws->entropy_ = cfg->entropy;
    ws->deflate_ = cfg->deflate;
    ws->max_frame_ = cfg->max_frame;
    ws->max_message_ = cfg->max_message;
    ws->max_fragments_ = cfg->max_fragments;
    ws->max_controls_ = cfg->max_controls;
    if (cfg->max_fragments != 0) {
        uint64_t most = cfg->max_frame < cfg->max_message ? cfg->max_frame : cfg->max_message;
        ws->whole_end_ = (uint16_t)(most < UINT16_MAX ? most + 1 : UINT16_MAX);
    }
    ws->cfg_flags_ = (uint16_t)cfg->flags;
    ws->state_ = cfg->role == WEIR_WS_CLIENT ? WEIRI_WS_IS_CLIENT : 0;
    return 0;
}
