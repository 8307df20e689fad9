/* SPDX-License-Identifier: MIT */
/* weir_handshake.c - weir's opening handshake of a server as a contestant. */
#include "handshake.h"

#include "weir/weir.h"

/* Not public by itself: weir_ws_request_read writes it. */
void weiri_ws_accept_value(char accept[29], weir_str key);

static void accept_key(const char *key, char *accept)
{
    char text[29];
    weiri_ws_accept_value(text, (weir_str){(const uint8_t *)key, HANDSHAKE_KEY});
    memcpy(accept, text, HANDSHAKE_ACCEPT);
}

static bool head_read(char *request, size_t len, weir_http_head *head)
{
    static uint8_t storage[8192];
    weir_http http;
    weir_in in = {(uint8_t *)request, len};
    return weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL) == 0 &&
           weir_http_next(&http, &in, head) > 0;
}

static bool parse(char *request, size_t len, char *key)
{
    weir_http_head head;
    weir_str value;
    if (!head_read(request, len, &head) || !weir_http_fields_has(head.fields, "upgrade", "websocket") ||
        !weir_http_fields_find(&head.fields, "sec-websocket-key", &value) || value.len != HANDSHAKE_KEY)
        return false;
    memcpy(key, value.ptr, HANDSHAKE_KEY);
    return true;
}

static size_t whole(char *request, size_t len, char *answer, size_t cap)
{
    weir_http_head head;
    weir_ws_request req;
    weir_out out = {(uint8_t *)answer, cap};
    if (!head_read(request, len, &head) || weir_ws_request_read(&head, &req) != 0 ||
        weir_ws_accept_write(&out, &req, NULL) != 0)
        return 0;
    return cap - out.len;
}

const handshaker weir_handshaker = {"weir", accept_key, parse, whole};
