/* SPDX-License-Identifier: MIT */
/* resolve.c - floor 2: what a Location means (RFC 9110 10.2.2, RFC 3986 5.2). */
#include "http.h"

#include "base/ascii.h"

#include <string.h>

/* The URI under construction; `full` once it would not fit. */
typedef struct resolved {
    uint8_t *dst;
    size_t cap;
    size_t len;
    bool full;
} resolved;

static void resolved_put(resolved *t, weir_str text)
{
    if (t->full || text.len > t->cap - t->len) {
        t->full = true;
        return;
    }
    if (text.len != 0)
        memcpy(t->dst + t->len, text.ptr, text.len);
    t->len += text.len;
}

/* scheme ":" in front? (RFC 3986 3.1) */
static bool has_scheme(weir_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = weiri_lower(text.ptr[i]);
        bool letter = (uint8_t)(byte - 'a') < 26;
        if (byte == ':')
            return i != 0;
        if (!letter && (i == 0 || (!weiri_is_digit(byte) && byte != '+' && byte != '-' && byte != '.')))
            return false;
    }
    return false;
}

/* RFC 3986 5.2.4 for a path that begins with '/': "." goes, ".." takes the segment before it along. Works
 * in place, since nothing gets longer. Returns the new length. */
static size_t dots_remove(uint8_t *path, size_t len)
{
    size_t out = 0;
    for (size_t at = 0; at < len;) {
        size_t end = at + 1; /* path[at] is '/' */
        while (end < len && path[end] != '/')
            end++;
        size_t segment = end - at - 1;
        bool one = segment == 1 && path[at + 1] == '.';
        bool two = segment == 2 && path[at + 1] == '.' && path[at + 2] == '.';
        if (two)
            while (out != 0 && path[--out] != '/')
                ;
        if (!one && !two) {
            memmove(path + out, path + at, end - at);
            out += end - at;
        } else if (end == len) {
            path[out++] = '/';
        }
        at = end;
    }
    return out;
}

/* Path and query: absolute, or beside the base's. */
static void path_put(resolved *t, const weir_http_uri *base, weir_str reference)
{
    size_t path_len = 0;
    while (path_len < reference.len && reference.ptr[path_len] != '?')
        path_len++;
    weir_str directory = base->path;
    if (path_len != 0)
        while (directory.ptr[directory.len - 1] != '/')
            directory.len--;
    if (path_len == 0 || reference.ptr[0] != '/')
        resolved_put(t, directory);
    resolved_put(t, reference);
    if (reference.len == 0 && base->query.ptr != NULL) {
        resolved_put(t, weir_cstr("?"));
        resolved_put(t, base->query);
    }
}

size_t weiri_http_uri_resolve(const weir_http_uri *base, weir_str reference, uint8_t *dst, size_t cap)
{
    resolved t;
    t.dst = dst;
    t.cap = cap;
    t.len = 0;
    t.full = false;
    weir_http_uri result;
    if (reference.len == 0)
        return 0;
    for (size_t i = 0; i < reference.len; i++) {
        if (reference.ptr[i] == '\\') /* no character of URIs, but browsers take it for a slash */
            return 0;
        if (reference.ptr[i] == '#')
            reference.len = i;
    }
    weir_str scheme = weir_cstr(base->secure ? "https:" : "http:");
    if (has_scheme(reference)) {
        resolved_put(&t, reference);
    } else if (reference.len >= 2 && reference.ptr[0] == '/' && reference.ptr[1] == '/') {
        resolved_put(&t, scheme);
        resolved_put(&t, reference);
    } else {
        resolved_put(&t, scheme);
        resolved_put(&t, weir_cstr("//"));
        resolved_put(&t, base->authority);
        path_put(&t, base, reference);
    }
    if (t.full || weir_http_uri_parse((weir_str){dst, t.len}, &result) != 0 || result.websocket)
        return 0;
    size_t path = t.len - result.path.len - (result.query.ptr != NULL ? result.query.len + 1 : 0);
    if (dst[path] != '/') /* none in front of a query */
        return t.len;
    size_t kept = path + dots_remove(dst + path, result.path.len);
    size_t rest = t.len - path - result.path.len;
    memmove(dst + kept, dst + t.len - rest, rest);
    return kept + rest;
}
