/* SPDX-License-Identifier: MIT */
/* host.c - floor 2: hosts and ports (RFC 3986 3.2). */
#include "http.h"

#include "base/find.h"

/* IPv4address: four numbers up to 255, without leading zeros. */
static bool ipv4_valid(weir_str text)
{
    size_t at = 0;
    for (unsigned number = 1;; number++) {
        unsigned value = 0;
        size_t begin = at;
        for (; at < text.len && weiri_is_digit(text.ptr[at]) && value <= 255; at++)
            value = value * 10 + (text.ptr[at] - '0');
        if (at == begin || value > 255 || (text.ptr[begin] == '0' && at - begin > 1))
            return false;
        if (at == text.len)
            return number == 4;
        if (text.ptr[at++] != '.')
            return false;
    }
}

/* IPv6address: eight groups of up to four hexadecimal digits, of which the last two may be written as an
 * IPv4address; "::" stands, once, for one group of zeros or more. */
static bool ipv6_valid(weir_str text)
{
    size_t groups = 0, at = 0;
    bool gap = false;
    do {
        if (text.len - at >= 2 && text.ptr[at] == ':' && text.ptr[at + 1] == ':') {
            if (gap)
                return false;
            gap = true;
            at += 2;
            if (at == text.len)
                break;
        } else if (groups != 0) {
            if (text.ptr[at] != ':')
                return false;
            at++;
        }
        size_t begin = at;
        while (at < text.len && at - begin < 4 && weiri_hex(text.ptr[at]) >= 0)
            at++;
        if (at == begin)
            return false;
        if (at < text.len && text.ptr[at] == '.') {
            if (!ipv4_valid((weir_str){text.ptr + begin, text.len - begin}))
                return false;
            groups++;
            at = text.len;
        }
        groups++;
    } while (at < text.len);
    return gap ? groups < 8 : groups == 8;
}

size_t weiri_http_name_len(weir_str text)
{
    size_t i = 0;
    for (;;) {
        i += weiri_class_len(text.ptr + i, text.len - i, WEIRI_HOST);
        if (text.len - i < 3 || text.ptr[i] != '%' || weiri_hex(text.ptr[i + 1]) < 0 ||
            weiri_hex(text.ptr[i + 2]) < 0)
            return i;
        i += 3;
    }
}

bool weiri_http_host_valid(weir_str host)
{
    size_t end = 0;
    if (host.len == 0)
        return false;
    if (host.ptr[0] == '[') {
        while (end < host.len && host.ptr[end] != ']')
            end++;
        if (end == host.len || !ipv6_valid((weir_str){host.ptr + 1, end - 1}))
            return false;
        end++;
    } else {
        end = weiri_http_name_len(host);
        if (end == 0)
            return false;
    }
    if (end == host.len)
        return true;
    if (host.ptr[end] != ':')
        return false;
    uint64_t port = 0;
    weir_str digits = {host.ptr + end + 1, host.len - end - 1};
    return digits.len == 0 || (weiri_decimal(digits, &port) && port <= 65535);
}
