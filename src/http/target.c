/* SPDX-License-Identifier: MIT */
/* target.c - floor 2: request targets and origins (RFC 9112 3.2, RFC 6454). */
#include "http.h"

#include "base/ascii.h"

bool weiri_http_authority(weir_str uri, unsigned *default_port, weir_str *authority, weir_str *rest)
{
    static const struct {
        const char *prefix;
        unsigned port;
    } schemes[] = {{"http://", 80}, {"https://", 443}, {"ws://", 80}, {"wss://", 443}};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        weir_str prefix = weir_cstr(schemes[i].prefix);
        if (uri.len < prefix.len || !weiri_equal_nocase((weir_str){uri.ptr, prefix.len}, prefix))
            continue;
        size_t end = prefix.len;
        while (end < uri.len && uri.ptr[end] != '/' && uri.ptr[end] != '?' && uri.ptr[end] != '#')
            end++;
        *default_port = schemes[i].port;
        *authority = (weir_str){uri.ptr + prefix.len, end - prefix.len};
        *rest = (weir_str){uri.ptr + end, uri.len - end};
        return weiri_http_host_valid(*authority);
    }
    return false;
}

int weir_http_target_split(weir_str target, weir_str *path, weir_str *query)
{
    static const uint8_t slash[] = {'/'};
    unsigned port;
    weir_str authority;
    weir_str rest = target;
    *path = *query = (weir_str){NULL, 0};
    if (target.len == 0)
        return WEIR_ERR_HTTP_TARGET;
    if (target.ptr[0] != '/' && !weiri_http_authority(target, &port, &authority, &rest))
        return WEIR_ERR_HTTP_TARGET;

    size_t len = 0;
    while (len < rest.len && rest.ptr[len] != '?')
        len++;
    *path = len != 0 ? (weir_str){rest.ptr, len} : (weir_str){slash, 1};
    if (len < rest.len)
        *query = (weir_str){rest.ptr + len + 1, rest.len - len - 1};
    return 0;
}

/* The three parts that make an origin. */
typedef struct origin_parts {
    weir_str host;
    uint64_t port;
    unsigned default_port; /* stands for the scheme: http and ws are 80, https and wss 443 */
} origin_parts;

static bool origin_parse(weir_str text, origin_parts *origin)
{
    weir_str authority, rest;
    if (!weiri_http_authority(text, &origin->default_port, &authority, &rest) || rest.len != 0)
        return false;
    size_t end = authority.len;
    while (end != 0 && weiri_is_digit(authority.ptr[end - 1]))
        end--;
    origin->port = origin->default_port;
    origin->host = authority;
    if (end != 0 && authority.ptr[end - 1] == ':') {
        weir_str digits = {authority.ptr + end, authority.len - end};
        origin->host.len = end - 1;
        if (digits.len != 0 && !weiri_decimal(digits, &origin->port))
            return false;
    }
    if (origin->host.len > 1 && origin->host.ptr[origin->host.len - 1] == '.')
        origin->host.len--;
    return true;
}

weir_http_origin weir_http_origin_check(weir_http_fields fields, weir_str expected)
{
    weir_str value, second;
    origin_parts theirs, ours;
    if (!weir_http_fields_find(&fields, "origin", &value))
        return WEIR_HTTP_ORIGIN_ABSENT;
    if (weir_http_fields_find(&fields, "origin", &second))
        return WEIR_HTTP_ORIGIN_MALFORMED;
    if (weir_str_is(value, "null"))
        return WEIR_HTTP_ORIGIN_OPAQUE;
    if (!origin_parse(value, &theirs))
        return WEIR_HTTP_ORIGIN_MALFORMED;
    bool same = origin_parse(expected, &ours) && theirs.default_port == ours.default_port &&
                theirs.port == ours.port && weiri_equal_nocase(theirs.host, ours.host);
    return same ? WEIR_HTTP_ORIGIN_SAME : WEIR_HTTP_ORIGIN_OTHER;
}
