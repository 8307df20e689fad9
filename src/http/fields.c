/* SPDX-License-Identifier: MIT */
/* fields.c - floor 2: walks over fields and over comma-separated lists. */
#include "http.h"

#include "base/find.h"
#include "base/lines.h"

/* Takes a line whose name's length is known. The text is a checked head's: each line is a token, a colon, a
 * value without CR, and CR LF. */
static void fields_line(weir_str *text, size_t colon, weir_http_field *field)
{
    const uint8_t *p = text->ptr;
    size_t end = colon + 1 + weiri_find(p + colon + 1, text->len - colon - 1, '\r');
    field->name = (weir_str){p, colon};
    field->value = weiri_trim((weir_str){p + colon + 1, end - colon - 1});
    text->ptr += end + 2;
    text->len -= end + 2;
}

bool weir_http_fields_next(weir_http_fields *walk, weir_http_field *field)
{
    if (walk->text.len != 0) {
        fields_line(&walk->text, weiri_find(walk->text.ptr, walk->text.len, ':'), field);
        return true;
    }
    if (walk->count == 0)
        return false;
    *field = *walk->list++;
    walk->count--;
    return true;
}

/* Goes from line to line where a name's colon may be. */
bool weir_http_fields_find(weir_http_fields *walk, const char *name, weir_str *value)
{
    const weir_str wanted = weir_cstr(name);
    weir_str *text = &walk->text;
    weir_http_field field;
    while (text->len != 0) {
        if (text->len > wanted.len && text->ptr[wanted.len] == ':' &&
            weiri_equal_nocase((weir_str){text->ptr, wanted.len}, wanted)) {
            fields_line(text, wanted.len, &field);
            *value = field.value;
            return true;
        }
        size_t next = weiri_lines_find(text->ptr, text->len, wanted.len);
        text->ptr += next;
        text->len -= next;
    }
    while (weir_http_fields_next(walk, &field)) {
        if (weiri_equal_nocase(field.name, wanted)) {
            *value = field.value;
            return true;
        }
    }
    return false;
}

bool weiri_http_some_lines(weiri_http_some *some)
{
    some->next = some->count = 0;
    while (some->count == 0 && some->more)
        some->count = weiri_lines_take(&some->lines, some->found, sizeof some->found / sizeof *some->found,
                                       &some->more);
    return some->count != 0;
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
        while (i < list.len && list.ptr[i] != ',' && list.ptr[i] != '"')
            i++;
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
