/* SPDX-License-Identifier: MIT */
/*
 * straight.c - floor 2: the straight path for heads that lie whole in the input.
 *
 * It takes what nearly every head is made of, in one pass: a start line with HTTP/1.1, and fields with
 * nothing wrong. Anything else, and the errors, are left to the machine in head.c, which begins anew and
 * writes over what positions were kept by then.
 */
#include "http.h"

#include "base/find.h"
#include "lines.h"

#include <string.h>

/* "GET /path HTTP/1.1" CR LF; returns its length, or 0. */
static size_t straight_request(weir_http *http, const uint8_t *bytes, size_t len)
{
    static const uint8_t version[] = " HTTP/1.1\r\n";
    const size_t version_len = sizeof version - 1;
    size_t method = weiri_run(bytes, len, WEIRI_TOKEN);
    if (method == 0 || method == len || bytes[method] != ' ')
        return 0;
    size_t at = method + 1;
    size_t target = weiri_target_len(bytes + at, len - at);
    size_t end = at + target;
    if (target == 0 || target > http->max_target_ || len - end < version_len ||
        !weiri_word_same(bytes + end, version, version_len))
        return 0;
    http->method_len_ = method;
    http->target_at_ = at;
    http->target_len_ = target;
    return end + version_len;
}

/* "HTTP/1.1 200 OK" CR LF; returns its length, or 0. */
static size_t straight_status(weir_http *http, const uint8_t *bytes, size_t len)
{
    static const uint8_t version[] = "HTTP/1.1 ";
    enum { CODE_AT = sizeof version - 1, REASON_AT = CODE_AT + 4 }; /* where these begin */
    uint64_t status;
    if (len < REASON_AT + 2 || !weiri_word_same(bytes, version, CODE_AT) || bytes[CODE_AT] == '0' ||
        bytes[REASON_AT - 1] != ' ' || !weiri_decimal((weir_str){bytes + CODE_AT, 3}, &status))
        return 0;
    size_t end = REASON_AT + weiri_value_len(bytes + REASON_AT, len - REASON_AT);
    if (len - end < 2 || bytes[end] != '\r' || bytes[end + 1] != '\n')
        return 0;
    http->status_ = (uint16_t)status;
    http->reason_at_ = REASON_AT;
    http->mark_ = end;
    return end + 2;
}

/* All field lines and the empty line behind them; returns their length, or 0. */
static size_t straight_fields(weir_http *http, const uint8_t *bytes, size_t len, weir_http_fields *fields)
{
    size_t at = weiri_http_list(http, 0, (weir_str){bytes, len}, fields);
    if (fields->count > http->max_fields_ || len - at < 2 || bytes[at] != '\r' || bytes[at + 1] != '\n')
        return 0;
    return at + 2;
}

size_t weiri_http_straight(weir_http *http, const uint8_t *bytes, size_t len, weir_http_fields *fields)
{
    size_t start = http->kind_ == WEIR_HTTP_REQUEST ? straight_request(http, bytes, len)
                                                    : straight_status(http, bytes, len);
    size_t lines = start != 0 ? straight_fields(http, bytes + start, len - start, fields) : 0;
    if (lines == 0)
        return 0;
    http->minor_ = 1;
    http->fields_at_ = start;
    http->field_count_ = fields->count;
    return start + lines;
}
