/* SPDX-License-Identifier: MIT */
/* extended.c - floor 3: the opening handshake as fields, for HTTP/2 and HTTP/3 (RFC 8441, RFC 9220). */
#include "ws.h"

/* A field whose value is what was written to the scratch since `begin`. */
static void field_add(weir_http_field *fields, int *count, const char *name, weir_str value)
{
    fields[(*count)++] = (weir_http_field){weir_cstr(name), value};
}

static weir_str written(const weir_out *begin, const weir_out *end)
{
    return (weir_str){begin->ptr, begin->len - end->len};
}

int weir_ws_extended_accept(const weir_ws_request *req, const weir_ws_accept *accept, weir_out *scratch,
                            weir_http_field fields[WEIR_WS_EXTENDED_FIELDS])
{
    int count = 0;
    weir_out begin = *scratch;
    if (accept == NULL)
        return 0;
    if (accept->protocol != NULL) {
        if (weir_ws_request_protocol(req, &accept->protocol, 1) < 0)
            return WEIR_ERR_FIELD;
        field_add(fields, &count, "sec-websocket-protocol", weir_cstr(accept->protocol));
    }
    if (accept->deflate != NULL) {
        if (weir_deflate_answer_write(scratch, accept->deflate) != 0)
            return WEIR_ERR_SPACE;
        field_add(fields, &count, "sec-websocket-extensions", written(&begin, scratch));
    }
    return count;
}

static int protocols_put(const weir_ws_offer *offer, weir_out *out)
{
    for (size_t i = 0; i < offer->protocol_count; i++)
        if ((i != 0 && weir_out_put(out, weir_cstr(", ")) != 0) ||
            weir_out_put(out, weir_cstr(offer->protocols[i])) != 0)
            return WEIR_ERR_SPACE;
    return 0;
}

int weir_ws_extended_offer(const weir_ws_offer *offer, weir_out *scratch,
                           weir_http_field fields[WEIR_WS_EXTENDED_FIELDS])
{
    int count = 0;
    weir_out end = *scratch;
    weir_out begin = end;
    if (offer == NULL)
        offer = &weiri_ws_offer_nothing;
    if (!weiri_ws_offer_valid(offer))
        return WEIR_ERR_FIELD;
    field_add(fields, &count, "sec-websocket-version", weir_cstr("13"));
    if (offer->protocol_count != 0) {
        if (protocols_put(offer, &end) != 0)
            return WEIR_ERR_SPACE;
        field_add(fields, &count, "sec-websocket-protocol", written(&begin, &end));
        begin = end;
    }
    if (offer->deflate != NULL) {
        if (weir_deflate_offer_write(&end, offer->deflate) != 0)
            return WEIR_ERR_SPACE;
        field_add(fields, &count, "sec-websocket-extensions", written(&begin, &end));
    }
    *scratch = end;
    return count;
}

int weir_ws_extended_check(const weir_ws_offer *offer, unsigned status, weir_http_fields fields,
                           weir_ws_choice *choice)
{
    if (status < 200 || status > 299)
        return WEIR_ERR_WS_STATUS;
    return weiri_ws_choice_read(offer != NULL ? offer : &weiri_ws_offer_nothing, fields, choice);
}
