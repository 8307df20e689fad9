/* SPDX-License-Identifier: MIT */
/*
 * extension.c - floor 3: the grammar of Sec-WebSocket-Extensions (RFC 6455 9.1).
 *
 *     list      = 1#( token *( ";" param ) )
 *     param     = token [ "=" ( token / quoted-string ) ]
 *
 * White space may stand around ";", "," and "=" (RFC 6455 takes RFC 2616's implied *LWS), a quoted
 * string must consist of token characters once its backslashes are removed (an empty one is a value that
 * no parameter has), and lists may have empty members.
 */
#include "extension.h"

#include "base/find.h"

static void skip(weir_str *rest, size_t n)
{
    rest->ptr += n;
    rest->len -= n;
}

static void skip_blanks(weir_str *rest)
{
    while (rest->len != 0 && weiri_is_blank(*rest->ptr))
        skip(rest, 1);
}

static bool take(weir_str *rest, uint8_t byte)
{
    if (rest->len == 0 || *rest->ptr != byte)
        return false;
    skip(rest, 1);
    return true;
}

static weir_str take_token(weir_str *rest)
{
    weir_str token = {rest->ptr, weiri_class_len(rest->ptr, rest->len, WEIRI_TOKEN)};
    skip(rest, token.len);
    return token;
}

/* The inside of a quoted string whose first quote is taken. */
static bool take_quoted(weir_str *rest, weir_str *inside)
{
    *inside = (weir_str){rest->ptr, 0};
    while (rest->len != 0 && *rest->ptr != '"') {
        size_t n = *rest->ptr == '\\' ? 2 : 1;
        if (rest->len < n || !weiri_is(rest->ptr[n - 1], WEIRI_TOKEN))
            return false;
        skip(rest, n);
        inside->len += n;
    }
    return take(rest, '"');
}

/* A parameter behind its semicolon, and the white space around it. */
static bool take_param(weir_str *rest, weiri_param *param)
{
    skip_blanks(rest);
    param->name = take_token(rest);
    param->value = (weir_str){NULL, 0};
    skip_blanks(rest);
    if (param->name.len == 0)
        return false;
    if (!take(rest, '='))
        return true;
    skip_blanks(rest);
    if (take(rest, '"')) {
        if (!take_quoted(rest, &param->value))
            return false;
    } else {
        param->value = take_token(rest);
        if (param->value.len == 0)
            return false;
    }
    skip_blanks(rest);
    return true;
}

int weiri_extension_next(weir_str *list, weiri_extension *extension)
{
    weiri_param param;
    skip_blanks(list);
    while (take(list, ','))
        skip_blanks(list);
    if (list->len == 0)
        return 0;
    extension->name = take_token(list);
    if (extension->name.len == 0)
        return -1;
    skip_blanks(list);
    weir_str begin = *list;
    while (take(list, ';'))
        if (!take_param(list, &param))
            return -1;
    extension->params = (weir_str){begin.ptr, begin.len - list->len};
    return list->len == 0 || take(list, ',') ? 1 : -1;
}

bool weiri_param_next(weir_str *params, weiri_param *param)
{
    if (!take(params, ';'))
        return false;
    return take_param(params, param); /* weiri_extension_next took it before */
}

int weiri_param_number(weir_str value)
{
    int number = 0;
    size_t digits = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\')
            continue;
        if (!weiri_is_digit(value.ptr[i]) || ++digits > 2 || (digits == 1 && value.ptr[i] == '0'))
            return -1;
        number = number * 10 + (value.ptr[i] - '0');
    }
    return digits != 0 ? number : -1;
}

bool weiri_extension_list_valid(weir_str list)
{
    weiri_extension extension;
    int rv;
    while ((rv = weiri_extension_next(&list, &extension)) > 0)
        ;
    return rv == 0;
}

bool weiri_extensions_valid(weir_http_fields fields)
{
    weir_str list;
    while (weir_http_fields_find(&fields, "sec-websocket-extensions", &list))
        if (!weiri_extension_list_valid(list))
            return false;
    return true;
}
