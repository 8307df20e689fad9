/* SPDX-License-Identifier: MIT */
/* request.c - floor 3: requests for an event stream, and the head of the answer. */
#include "weir/sse.h"

#include "base/ascii.h"
#include "http/http.h"

/* How precisely a media range names text/event-stream (RFC 9110 12.5.1); 0: not at all. */
static unsigned range_precision(weir_str range)
{
    if (weir_str_is_nocase(range, "text/event-stream"))
        return 3;
    if (weir_str_is_nocase(range, "text/*"))
        return 2;
    return weir_str_is(range, "*/*") ? 1 : 0;
}

/* Cuts the text up to the next semicolon outside of quotes off the front. */
static weir_str part_next(weir_str *rest)
{
    size_t len = 0;
    bool quoted = false;
    while (len < rest->len && (quoted || rest->ptr[len] != ';')) {
        if (rest->ptr[len] == '"')
            quoted = !quoted;
        len += quoted && rest->ptr[len] == '\\' && rest->len - len > 1 ? 2 : 1;
    }
    weir_str part = weiri_trim((weir_str){rest->ptr, len});
    size_t taken = len < rest->len ? len + 1 : len;
    rest->ptr += taken;
    rest->len -= taken;
    return part;
}

/* A weight of zero: `q=0`, `q=0.000`. Anything else lets the range count. */
static bool part_is_zero_weight(weir_str part)
{
    if (part.len < 3 || weiri_lower(part.ptr[0]) != 'q' || part.ptr[1] != '=' || part.ptr[2] != '0')
        return false;
    for (size_t i = 3; i < part.len; i++)
        if (part.ptr[i] != (i == 3 ? '.' : '0'))
            return false;
    return true;
}

/* The most precise range that matches decides (RFC 9110 12.5.1); of equally precise ones, any that
 * allows it. Without Accept, or with an empty one, everything is allowed. */
static bool accept_allows(weir_http_fields fields)
{
    unsigned precision = 0;
    bool allowed = false;
    bool present = false;
    weir_str list, member;
    while (weir_http_fields_find(&fields, "accept", &list)) {
        while (weir_http_list_next(&list, &member)) {
            present = true;
            unsigned found = range_precision(part_next(&member));
            bool zero = false;
            while (member.len != 0)
                zero = part_is_zero_weight(part_next(&member)) || zero;
            if (found > precision) {
                precision = found;
                allowed = !zero;
            } else if (found != 0 && found == precision) {
                allowed = allowed || !zero;
            }
        }
    }
    return allowed || !present;
}

int weir_sse_request_read(const weir_http_head *head, uint32_t flags, weir_sse_request *req)
{
    weir_http_fields walk = head->fields;
    weir_str id, second;
    *req = (weir_sse_request){.head_only = weir_str_is(head->method, "HEAD"),
                              .chunked = head->minor != 0,
                              .close = head->minor == 0 || !head->keep_alive};
    bool post = (flags & WEIR_SSE_ALLOW_POST) != 0 && weir_str_is(head->method, "POST");
    if (!req->head_only && !post && !weir_str_is(head->method, "GET"))
        return WEIR_ERR_SSE_METHOD;
    if (!accept_allows(head->fields))
        return WEIR_ERR_SSE_ACCEPT;
    if (!weir_http_fields_find(&walk, "last-event-id", &id))
        return 0;
    if (weir_http_fields_find(&walk, "last-event-id", &second) || id.len > WEIR_SSE_LAST_ID_MAX ||
        !weir_utf8_valid(id))
        return WEIR_ERR_SSE_LAST_ID;
    if (id.len != 0)
        req->last_event_id = id;
    return 0;
}

#define STREAM_LINES \
    "Content-Type: text/event-stream\r\nCache-Control: no-cache, no-transform\r\n" \
    "X-Accel-Buffering: no\r\n"

int weir_sse_reply_write(weir_out *out, const weir_sse_request *req, const weir_sse_reply *reply)
{
    static const weir_sse_reply nothing = {{NULL, 0}, NULL, 0};
    if (reply == NULL)
        reply = &nothing;
    weir_http_reply head = {200, WEIR_HTTP_NO_LENGTH, reply->fields, reply->field_count, {NULL, 0}};
    weiri_http_extra extra = {STREAM_LINES "Transfer-Encoding: chunked\r\n", reply->allow_origin};
    if (req->close || !req->chunked)
        head.flags |= WEIR_HTTP_CLOSE;
    if (!req->chunked)
        extra.lines = STREAM_LINES;
    return weiri_http_reply_write(out, &head, &extra);
}

int weir_sse_frame(weir_out *out, const weir_sse_request *req, weir_str bytes)
{
    if (req->head_only || bytes.len == 0)
        return 0;
    return req->chunked ? weir_http_chunk_put(out, bytes) : weir_out_put(out, bytes);
}

int weir_sse_end(weir_out *out, const weir_sse_request *req)
{
    return req->head_only || !req->chunked ? 0 : weir_http_chunk_end(out);
}
