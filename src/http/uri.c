/* SPDX-License-Identifier: MIT */
/* uri.c - floor 2: http, https, ws and wss URIs (RFC 3986 3, RFC 9110 4.2, RFC 6455 3). */
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
        return true;
    }
    return false;
}

unsigned weiri_http_port_cut(weir_str *authority, unsigned default_port)
{
    uint64_t port = 0;
    size_t end = authority->len;
    while (end != 0 && weiri_is_digit(authority->ptr[end - 1]))
        end--;
    if (end == 0 || authority->ptr[end - 1] != ':')
        return default_port;
    bool given = weiri_decimal((weir_str){authority->ptr + end, authority->len - end}, &port);
    authority->len = end - 1;
    return given ? (unsigned)port : default_port;
}

/* Everything up to the last '@' of the authority. */
static weir_str uri_userinfo_cut(weir_str *authority)
{
    for (size_t i = authority->len; i != 0; i--) {
        if (authority->ptr[i - 1] == '@') {
            weir_str userinfo = {authority->ptr, i - 1};
            *authority = (weir_str){authority->ptr + i, authority->len - i};
            return userinfo;
        }
    }
    return (weir_str){NULL, 0};
}

/* RFC 3986 3.2.1. Other bytes, as the backslash that browsers take for a slash, could hide the host. */
static bool uri_userinfo_valid(weir_str userinfo)
{
    while (userinfo.len != 0) {
        size_t len = weiri_http_name_len(userinfo);
        if (len < userinfo.len && userinfo.ptr[len++] != ':')
            return false;
        userinfo = (weir_str){userinfo.ptr + len, userinfo.len - len};
    }
    return true;
}

static void uri_path_split(weir_http_uri *uri, weir_str rest)
{
    static const uint8_t slash[] = {'/'};
    size_t len = 0;
    while (len < rest.len && rest.ptr[len] != '?')
        len++;
    uri->path = len != 0 ? (weir_str){rest.ptr, len} : (weir_str){slash, 1};
    if (len < rest.len)
        uri->query = (weir_str){rest.ptr + len + 1, rest.len - len - 1};
}

int weir_http_uri_parse(weir_str text, weir_http_uri *uri)
{
    unsigned default_port;
    weir_str authority, rest;
    *uri = (weir_http_uri){false, false, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    if (!weiri_http_authority(text, &default_port, &authority, &rest))
        return WEIR_ERR_URI;
    weir_str userinfo = uri_userinfo_cut(&authority);
    if (!weiri_http_host_valid(authority) || !uri_userinfo_valid(userinfo))
        return WEIR_ERR_URI;

    bool websocket = weiri_lower(text.ptr[0]) == 'w';
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '#')
        end++;
    weir_str fragment = {rest.ptr + end, rest.len - end};
    rest.len = end;
    if (fragment.len != 0 && websocket)
        return WEIR_ERR_URI;
    if (fragment.len > 1 && !weiri_all((weir_str){fragment.ptr + 1, fragment.len - 1}, WEIRI_TARGET))
        return WEIR_ERR_URI;
    if (rest.len != 0 && !weiri_all(rest, WEIRI_TARGET))
        return WEIR_ERR_URI;

    weir_str host = authority;
    unsigned port = weiri_http_port_cut(&host, default_port);
    if (port == 0)
        return WEIR_ERR_URI;
    uri->secure = default_port == 443;
    uri->websocket = websocket;
    uri->port = (uint16_t)port;
    uri->userinfo = userinfo;
    uri->authority = port == default_port ? host : authority;
    uri->host = host.ptr[0] == '[' ? (weir_str){host.ptr + 1, host.len - 2} : host;
    uri_path_split(uri, rest);
    return 0;
}
