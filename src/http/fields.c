/* SPDX-License-Identifier: MIT */
/* fields.c - floor 2: walks over fields and over comma-separated lists. */
#include "http.h"

#include "base/find.h"
#include "base/lines.h"

/* Lines taken at a time. */
enum { LINES = 16 };

/* The text is a checked head's: each line is a token, a colon, a value without CR, and CR LF. */
static void fields_line(weir_str *text, weir_http_field *field)
{
    const uint8_t *p = text->ptr;
    size_t colon = weiri_find(p, text->len, ':');
    size_t end = colon + 1 + weiri_find(p + colon + 1, text->len - colon - 1, '\r');
    field->name = (weir_str){p, colon};
    field->value = weiri_trim((weir_str){p + colon + 1, end - colon - 1});
    text->ptr += end + 2;
    text->len -= end + 2;
}

bool weir_http_fields_next(weir_http_fields *walk, weir_http_field *field)
{
    if (walk->text.len != 0) {
        fields_line(&walk->text, field);
        return true;
    }
    if (walk->count == 0)
        return false;
    *field = *walk->list++;
    walk->count--;
    return true;
}

/* Looks at names first: a line that has another one is passed over without taking it apart. */
bool weir_http_fields_find(weir_http_fields *walk, const char *name, weir_str *value)
{
    const weir_str wanted = weir_cstr(name);
    weir_http_field field;
    while (walk->text.len != 0) {
        weir_str *text = &walk->text;
        if (text->len > wanted.len && text->ptr[wanted.len] == ':' &&
            weiri_equal_nocase((weir_str){text->ptr, wanted.len}, wanted)) {
            fields_line(text, &field);
            *value = field.value;
            return true;
        }
        size_t end = weiri_find(text->ptr, text->len, '\r');
        text->ptr += end + 2;
        text->len -= end + 2;
    }
    while (weir_http_fields_next(walk, &field)) {
        if (weiri_equal_nocase(field.name, wanted)) {
            *value = field.value;
            return true;
        }
    }
    return false;
}

/* The length of the list up to the next comma outside of quotes. */
static size_t list_member_len(weir_str list)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < list.len && (quoted || list.ptr[i] != ','); i++) {
        if (list.ptr[i] == '"')
            quoted = !quoted;
        else if (quoted && list.ptr[i] == '\\' && i + 1 < list.len)
            i++;
    }
    return i;
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
    weir_str value;
    while (weir_http_fields_find(&fields, name, &value)) {
        weir_str member;
        while (weir_http_list_next(&value, &member))
            if (weir_str_is_nocase(member, token))
                return true;
    }
    return false;
}

bool weiri_http_field_only(weir_http_fields fields, const char *name, weir_str *value)
{
    weir_str second;
    return weir_http_fields_find(&fields, name, value) && !weir_http_fields_find(&fields, name, &second);
}

/* Most fields have names of other lengths than those that matter. */
static void straight_add(weiri_http_facts *facts, const uint8_t *bytes, const weiri_line *line)
{
    const uint8_t *name = bytes + line->name;
    size_t name_len = line->colon - line->name;
    weir_http_field field = {{name, name_len}, {name + name_len + 1, line->end - line->colon - 1}};
    if (weiri_http_facts_want(name_len))
        weiri_http_facts_add(facts, &field);
}

size_t weiri_http_straight(const uint8_t *bytes, size_t len, weiri_http_facts *facts, size_t *count)
{
    weiri_line lines[LINES];
    size_t at = 0;
    size_t found;
    *count = 0;
    do {
        found = weiri_lines(bytes + at, len - at, lines, LINES);
        for (size_t i = 0; i < found; i++)
            straight_add(facts, bytes + at, &lines[i]);
        *count += found;
        at += found != 0 ? lines[found - 1].end + 2 : 0;
    } while (found == LINES);
    return len - at >= 2 && bytes[at] == '\r' && bytes[at + 1] == '\n' ? at + 2 : 0;
}
