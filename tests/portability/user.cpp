/* SPDX-License-Identifier: MIT */
/* user.cpp - the macros of the public headers in C++. */
#include <weir/weir.h>

int use(weir_http *http, weir_ws *ws, weir_deflate *deflate, weir_entropy *entropy);
int use(weir_sse_parser *parser, weir_sse_source *source, weir_sse_log *log);

int use(weir_http *http, weir_ws *ws, weir_deflate *deflate, weir_entropy *entropy)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    weir_deflate_cfg packing = weir_deflate_cfg();
    packing.role = WEIR_WS_SERVER;
    if (weir_http_init(http, WEIR_HTTP_REQUEST, NULL, 0, NULL) != WEIR_OK)
        return WEIR_ERR_ARG;
    if (weir_deflate_init(deflate, &packing) != 0 || weir_entropy_init(entropy, NULL, NULL) != 0)
        return WEIR_ERR_ARG;
    return weir_ws_init(ws, &cfg);
}

int use(weir_sse_parser *parser, weir_sse_source *source, weir_sse_log *log)
{
    static char storage[WEIR_SSE_SOURCE_STORAGE(8192)];
    weir_sse_source_cfg cfg;
    weir_sse_source_cfg_init(&cfg);
    if (weir_sse_log_init(log, storage, sizeof storage, NULL) != 0)
        return WEIR_ERR_ARG;
    if (weir_sse_parser_init(parser, storage, WEIR_SSE_STORAGE(sizeof storage), NULL) != 0)
        return WEIR_ERR_ARG;
    return weir_sse_source_init(source, storage, sizeof storage, &cfg);
}
