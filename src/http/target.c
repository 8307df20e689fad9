/* SPDX-License-Identifier: MIT */
/* target.c - floor 2: request targets and origins (RFC 9112 3.2, RFC 6454). */
#include "http.h"

#include "base/find.h"

int weir_http_target_split(weir_str target, weir_str *path, weir_str *query)
{
    static const uint8_t slash[] = {'/'};
    unsigned default_port;
    weir_str authority;
    weir_str rest = target;
    *path = *query = (weir_str){NULL, 0};
    if (target.len == 0)
        return WEIR_ERR_HTTP_TARGET;
    if (target.ptr[0] != '/' && (!weiri_http_authority(target, &default_port, &authority, &rest) ||
                                 !weiri_http_host_valid(authority)))
        return WEIR_ERR_HTTP_TARGET;

    size_t len = weiri_find(rest.ptr, rest.len, '?');
    *path = len != 0 ? (weir_str){rest.ptr, len} : (weir_str){slash, 1};
    if (len < rest.len)
        *query = (weir_str){rest.ptr + len + 1, rest.len - len - 1};
    return 0;
}

/* The three parts that make an origin. */
typedef struct origin_parts {
    weir_str scheme;
    weir_str host;
    unsigned port;
    unsigned default_port; /* 80 for http and ws, 443 for https and wss, else 0 */
} origin_parts;

/* scheme "://", as in RFC 3986 3.1; the length up to the colon, 0 if there is none. */
static size_t origin_scheme_len(weir_str text)
{
    size_t len = 0;
    while (len < text.len && text.ptr[len] != ':') {
        uint8_t c = weiri_lower(text.ptr[len]);
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (len == 0 || (!weiri_is_digit(c) && c != '+' && c != '-' && c != '.')))
            return 0;
        len++;
    }
    return text.len - len > 3 && text.ptr[len + 1] == '/' && text.ptr[len + 2] == '/' ? len : 0;
}

static bool origin_parse(weir_str text, origin_parts *origin)
{
    weir_str authority, rest;
    size_t scheme_len = origin_scheme_len(text);
    if (scheme_len == 0)
        return false;
    origin->scheme = (weir_str){text.ptr, scheme_len};
    origin->default_port = 0;
    authority = (weir_str){text.ptr + scheme_len + 3, text.len - scheme_len - 3};
    if (weiri_http_authority(text, &origin->default_port, &authority, &rest) && rest.len != 0)
        return false;
    if (!weiri_http_host_valid(authority))
        return false;
    origin->host = authority;
    origin->port = weiri_http_port_cut(&origin->host, origin->default_port);
    if (origin->host.ptr[origin->host.len - 1] == '.') /* no valid host is empty */
        origin->host.len--;
    return true;
}

static bool origin_same(const origin_parts *a, const origin_parts *b)
{
    bool scheme =
        a->default_port != 0 ? a->default_port == b->default_port : weiri_equal_nocase(a->scheme, b->scheme);
    return scheme && a->port == b->port && weiri_equal_nocase(a->host, b->host);
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
    bool same = origin_parse(expected, &ours) && origin_same(&theirs, &ours);
    return same ? WEIR_HTTP_ORIGIN_SAME : WEIR_HTTP_ORIGIN_OTHER;
}
