/* SPDX-License-Identifier: MIT */
/* user.cpp - the macros of the public headers in C++. */
#include <weir/weir.h>

int use(weir_http *http, weir_ws *ws);

int use(weir_http *http, weir_ws *ws)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    if (weir_http_init(http, WEIR_HTTP_REQUEST, NULL, 0, NULL) != WEIR_OK)
        return WEIR_ERR_ARG;
    return weir_ws_init(ws, &cfg);
}
