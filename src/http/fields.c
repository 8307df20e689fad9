/* SPDX-License-Identifier: MIT */
/* fields.c - floor 2: walks over fields and over comma-separated lists. */
#include "http.h"

#include "base/find.h"
#include "lines.h"

/* Each line is a token, a colon, a value without CR, and CR LF. */
weir_str weiri_http_line(weir_str text, weir_http_field *field)
{
    const uint8_t *p = text.ptr;
    size_t colon = weiri_find(p, text.len, ':');
    size_t end = colon + 1 + weiri_find(p + colon + 1, text.len - colon - 1, '\r');
    field->name = (weir_str){p, colon};
    field->value = weiri_trim((weir_str){p + colon + 1, end - colon - 1});
    return (weir_str){p + end + 2, text.len - end - 2};
}

bool weir_http_fields_next(weir_http_fields *walk, weir_http_field *field)
{
    const weir_http_field *next = weiri_http_field_next(walk, field);
    if (next == NULL)
        return false;
    *field = *next;
    return true;
}

static bool field_is(const weir_http_field *field, weir_str name)
{
    return field->name.len == name.len && weiri_equal_nocase(field->name, name);
}

bool weir_http_fields_find(weir_http_fields *walk, const char *name, weir_str *value)
{
    const weir_str wanted = weir_cstr(name);
    weir_http_field field;
    while (walk->text.len != 0) {
        walk->text = weiri_http_line(walk->text, &field);
        if (field_is(&field, wanted)) {
            *value = field.value;
            return true;
        }
    }
    for (; walk->count != 0; walk->list++, walk->count--) {
        if (field_is(walk->list, wanted)) {
            *value = walk->list->value;
            walk->list++, walk->count--;
            return true;
        }
    }
    return false;
}

size_t weiri_http_list(const weir_http *http, size_t from, weir_str text, weir_http_fields *fields)
{
    size_t skip = from + (size_t)(-(uintptr_t)(http->storage_ + from) % sizeof(void *));
    weiri_lines walk = {text.ptr, text.len, 0, NULL, 0, 0};
    if (skip < http->cap_) {
        walk.list = (weir_http_field *)(void *)(http->storage_ + skip);
        walk.cap = (http->cap_ - skip) / sizeof *walk.list;
    }
    weiri_lines_take(&walk);
    *fields = (weir_http_fields){{NULL, 0}, walk.list, walk.count};
    return walk.at;
}

/* The length of a quoted string at the front, or of what there is of it. */
static size_t list_quoted_len(weir_str list)
{
    size_t i = 1;
    while (i < list.len && list.ptr[i] != '"')
        i += list.ptr[i] == '\\' && list.len - i > 1 ? 2 : 1;
    return i < list.len ? i + 1 : i;
}

/* The length of the list up to the next comma outside of quotes. */
static size_t list_member_len(weir_str list)
{
    size_t i = 0;
    for (;;) {
        i += weiri_find_either(list.ptr + i, list.len - i, ',', '"');
        if (i == list.len || list.ptr[i] == ',')
            return i;
        i += list_quoted_len((weir_str){list.ptr + i, list.len - i});
    }
}

bool weir_http_list_next(weir_str *list, weir_str *member)
{
    while (list->len != 0) {
        size_t len = list_member_len(*list);
        *member = weiri_trim((weir_str){list->ptr, len});
        size_t taken = len < list->len ? len + 1 : len;
        list->ptr += taken;
        list->len -= taken;
        if (member->len != 0)
            return true;
    }
    return false;
}

bool weir_http_fields_has(weir_http_fields fields, const char *name, const char *token)
{
    const weir_str wanted = weir_cstr(token);
    weir_str value;
    while (weir_http_fields_find(&fields, name, &value)) {
        weir_str member;
        while (weir_http_list_next(&value, &member))
            if (weiri_equal_nocase(member, wanted))
                return true;
    }
    return false;
}

bool weiri_http_field_only(weir_http_fields fields, const char *name, weir_str *value)
{
    weir_str second;
    return weir_http_fields_find(&fields, name, value) && !weir_http_fields_find(&fields, name, &second);
}
