/* SPDX-License-Identifier: MIT */
/* opening.c - floor 3: the opening handshake of a client (RFC 6455 4.1). */
#include "ws.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "http/http.h"

#include <string.h>

#define INTERIM_MAX 16

const weir_ws_offer weiri_ws_offer_nothing = {NULL, 0, false, NULL, 0, NULL};

bool weiri_ws_offer_valid(const weir_ws_offer *offer)
{
    for (size_t i = 0; i < offer->protocol_count; i++) {
        if (!weiri_all(weir_cstr(offer->protocols[i]), WEIRI_TOKEN))
            return false;
        for (size_t j = 0; j < i; j++)
            if (weir_str_is(weir_cstr(offer->protocols[i]), offer->protocols[j]))
                return false;
    }
    return weiri_http_fields_valid(offer->fields, offer->field_count);
}

static void opening_put(weiri_sink *sink, const weir_ws_opening *opening, const weir_http_uri *uri)
{
    const weir_ws_offer *offer = opening->offer_;
    weiri_http_request_line_put(sink, "GET", uri);
    weiri_sink_put(sink, WEIRI_TEXT("Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "));
    weiri_sink_text(sink, opening->key_);
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    for (size_t i = 0; i < offer->protocol_count; i++) {
        weiri_sink_put(sink, i == 0 ? WEIRI_TEXT("Sec-WebSocket-Protocol: ") : WEIRI_TEXT(", "));
        weiri_sink_text(sink, offer->protocols[i]);
    }
    weiri_sink_put(sink, offer->protocol_count != 0 ? WEIRI_TEXT("\r\n") : WEIRI_TEXT(""));
    if (offer->deflate != NULL) {
        uint8_t value[WEIR_DEFLATE_VALUE_MAX];
        weir_out out = {value, sizeof value};
        (void)weir_deflate_offer_write(&out, offer->deflate);
        weir_http_field field = {weir_cstr("Sec-WebSocket-Extensions"), {value, sizeof value - out.len}};
        weiri_http_field_put(sink, &field);
    }
    for (size_t i = 0; i < offer->field_count; i++)
        weiri_http_field_put(sink, &offer->fields[i]);
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
}

static int opening_key(weir_ws_opening *opening, weir_entropy *entropy)
{
    uint8_t nonce[16];
    for (size_t i = 0; i < sizeof nonce; i += 4)
        if (weiri_entropy_key(entropy, nonce + i) != 0)
            return WEIR_ERR_ENTROPY;
    weiri_base64_encode(opening->key_, nonce, sizeof nonce);
    weiri_ws_accept_value(opening->accept_, weir_cstr(opening->key_));
    return 0;
}

int weir_ws_opening_write(weir_ws_opening *opening, weir_out *out, const weir_http_uri *uri,
                          const weir_ws_offer *offer, weir_entropy *entropy)
{
    memset(opening, 0, sizeof *opening);
    opening->offer_ = offer != NULL ? offer : &weiri_ws_offer_nothing;
    if (!weiri_ws_offer_valid(opening->offer_))
        return WEIR_ERR_FIELD;
    int rv = opening_key(opening, entropy);
    if (rv != 0)
        return rv;
    weiri_sink measure = {NULL, 0};
    opening_put(&measure, opening, uri);
    weiri_sink sink;
    if (weiri_sink_claim(out, measure.len, &sink) != 0)
        return WEIR_ERR_SPACE;
    opening_put(&sink, opening, uri);
    return 0;
}

/* RFC 6455 allows a server to choose none of the subprotocols; browsers then fail the connection, since
 * the two sides would speak past each other, and so does weir unless told otherwise. */
static int choice_check(const weir_ws_offer *offer, weir_http_fields fields, int *protocol)
{
    weir_http_fields walk = fields;
    weir_str value;
    *protocol = -1;
    if (!weir_http_fields_find(&walk, "sec-websocket-protocol", &value))
        return offer->protocol_count == 0 || offer->protocol_optional ? 0 : WEIR_ERR_WS_CHOICE;
    if (!weiri_http_field_only(fields, "sec-websocket-protocol", &value))
        return WEIR_ERR_WS_CHOICE;
    for (size_t i = 0; i < offer->protocol_count; i++)
        if (weir_str_is(value, offer->protocols[i]))
            *protocol = (int)i;
    return *protocol >= 0 ? 0 : WEIR_ERR_WS_CHOICE;
}

int weiri_ws_choice_read(const weir_ws_offer *offer, weir_http_fields fields, weir_ws_choice *choice)
{
    memset(choice, 0, sizeof *choice);
    int rv = weir_deflate_check(fields, offer->deflate, &choice->deflate);
    choice->deflated = rv > 0;
    if (rv >= 0)
        rv = choice_check(offer, fields, &choice->protocol);
    return rv < 0 ? rv : 1;
}

int weir_ws_opening_read(weir_ws_opening *opening, const weir_http_head *head, weir_ws_choice *choice)
{
    weir_str value;
    if (head->status >= 100 && head->status < 200 && head->status != 101 &&
        ++opening->interim_ <= INTERIM_MAX)
        return 0;
    if (head->status != 101)
        return WEIR_ERR_WS_STATUS;
    if (head->minor == 0)
        return WEIR_ERR_WS_HTTP;
    if (!weiri_http_field_only(head->fields, "upgrade", &value) || !weir_str_is_nocase(value, "websocket"))
        return WEIR_ERR_WS_UPGRADE;
    if (!weir_http_fields_has(head->fields, "connection", "upgrade"))
        return WEIR_ERR_WS_CONNECTION;
    if (!weiri_http_field_only(head->fields, "sec-websocket-accept", &value) ||
        !weir_str_is(value, opening->accept_))
        return WEIR_ERR_WS_ACCEPT;
    return weiri_ws_choice_read(opening->offer_, head->fields, choice);
}
