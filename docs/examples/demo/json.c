/* SPDX-License-Identifier: MIT */
/* json.c - values out of a JSON text, one string into JSON; no allocation, no recursion. */
#include "json.h"

#include "weir/base.h"

#include <string.h>

enum { MAX_DEPTH = 32 };

typedef struct reader {
    const char *p;
    const char *end;
    bool strict; /* half of a surrogate pair is malformed; else it becomes U+FFFD */
} reader;

/* Where decoded bytes go. `len` goes on counting past `cap`, so that a caller sees what was cut. */
typedef struct writer {
    char *dst;
    size_t cap;
    size_t len;
} writer;

static void put(writer *w, const char *bytes, size_t len)
{
    if (w->len <= w->cap && len <= w->cap - w->len && len > 0)
        memcpy(w->dst + w->len, bytes, len);
    w->len += len;
}

static void put_code_point(writer *w, uint32_t cp)
{
    unsigned char utf8[4];
    size_t len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len; i-- > 1; cp >>= 6)
        utf8[i] = (unsigned char)(0x80 | (cp & 0x3F));
    utf8[0] = (unsigned char)(lead[len] | cp);
    char bytes[4];
    memcpy(bytes, utf8, len);
    put(w, bytes, len);
}

static void skip_space(reader *r)
{
    while (r->p != r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

/* Takes `c`, after white space. */
static bool take(reader *r, char c)
{
    skip_space(r);
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool read_hex4(reader *r, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, r->p++) {
        if (r->p == r->end)
            return false;
        char c = *r->p;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit > 15)
            return false;
        *unit = *unit << 4 | digit;
    }
    return true;
}

/* After a high surrogate: the low one that makes a character of it; else nothing is taken. */
static bool read_low(reader *r, uint32_t *unit)
{
    reader ahead = *r;
    uint32_t low;
    if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
        return false;
    ahead.p += 2;
    if (!read_hex4(&ahead, &low) || low < 0xDC00 || low > 0xDFFF)
        return false;
    r->p = ahead.p;
    *unit = 0x10000 + ((*unit - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* After \u: one code unit, or the two of a pair. A surrogate alone is no character. */
static bool read_unicode(reader *r, writer *w)
{
    uint32_t unit;
    if (!read_hex4(r, &unit))
        return false;
    bool half = unit >= 0xD800 && unit <= 0xDFFF && (unit >= 0xDC00 || !read_low(r, &unit));
    if (half && r->strict)
        return false;
    put_code_point(w, half ? 0xFFFD : unit);
    return true;
}

static bool read_escape(reader *r, writer *w)
{
    static const char names[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    if (r->p == r->end)
        return false;
    char c = *r->p++;
    if (c == 'u')
        return read_unicode(r, w);
    const char *at = memchr(names, c, sizeof names - 1);
    if (at == NULL)
        return false;
    put(w, &bytes[at - names], 1);
    return true;
}

/* A string, from its opening to its closing quote. */
static bool read_string(reader *r, writer *w)
{
    if (!take(r, '"'))
        return false;
    while (r->p != r->end) {
        char c = *r->p++;
        if (c == '"')
            return true;
        if (c == '\\') {
            if (!read_escape(r, w))
                return false;
        } else if ((unsigned char)c < 0x20) {
            return false;
        } else {
            put(w, &c, 1);
        }
    }
    return false;
}

static bool skip_string(reader *r)
{
    writer nowhere = {NULL, 0, 0};
    return read_string(r, &nowhere);
}

static bool skip_digits(reader *r)
{
    const char *start = r->p;
    while (r->p != r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p != start;
}

static bool skip_number(reader *r)
{
    if (r->p != r->end && *r->p == '-')
        r->p++;
    if (r->p != r->end && *r->p == '0')
        r->p++;
    else if (!skip_digits(r))
        return false;
    if (r->p != r->end && *r->p == '.') {
        r->p++;
        if (!skip_digits(r))
            return false;
    }
    if (r->p != r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        if (r->p != r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        return skip_digits(r);
    }
    return true;
}

static bool skip_scalar(reader *r)
{
    static const char *const words[] = {"true", "false", "null"};
    skip_space(r);
    if (r->p == r->end)
        return false;
    if (*r->p == '"')
        return skip_string(r);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(r->end - r->p) >= len && memcmp(r->p, words[i], len) == 0) {
            r->p += len;
            return true;
        }
    }
    return skip_number(r);
}

/* Any value. `closers` remembers how each open array and object has to end. */
static bool skip_value(reader *r)
{
    char closers[MAX_DEPTH];
    size_t depth = 0;
    for (;;) {
        bool opened = false;
        if (take(r, '{') || take(r, '[')) {
            if (depth == MAX_DEPTH)
                return false;
            closers[depth++] = r->p[-1] == '{' ? '}' : ']';
            opened = true;
        } else if (!skip_scalar(r)) {
            return false;
        }
        while (depth > 0 && take(r, closers[depth - 1])) {
            depth--;
            opened = false;
        }
        if (depth == 0)
            return true;
        if (!opened && !take(r, ','))
            return false;
        if (closers[depth - 1] == '}' && !(skip_string(r) && take(r, ':')))
            return false;
    }
}

/* ---- Looking into a text ------------------------------------------------------------------------ */

/* One value and nothing else. */
static bool check(reader *r, json_value *value)
{
    weir_str all = {(const uint8_t *)r->p, (size_t)(r->end - r->p)};
    if (!weir_utf8_valid(all))
        return false;
    skip_space(r);
    value->text = r->p;
    if (!skip_value(r))
        return false;
    value->len = (size_t)(r->p - value->text);
    skip_space(r);
    return r->p == r->end;
}

bool json_read(const char *text, size_t len, json_value *value)
{
    reader r = {text, text + len, false};
    return check(&r, value);
}

/* A reader of what has been checked: nothing in it can fail. */
static reader inside(json_value value)
{
    return (reader){value.text, value.text + value.len, false};
}

static void take_value(reader *r, json_value *value)
{
    skip_space(r);
    value->text = r->p;
    skip_value(r);
    value->len = (size_t)(r->p - value->text);
}

bool json_get(json_value object, const char *key, json_value *value)
{
    size_t key_len = strlen(key);
    reader r = inside(object);
    bool found = false;
    if (!take(&r, '{'))
        return false;
    while (!take(&r, '}')) {
        char name[JSON_KEY_MAX];
        writer w = {name, sizeof name, 0};
        json_value member;
        take(&r, ',');
        read_string(&r, &w);
        take(&r, ':');
        take_value(&r, &member);
        if (w.len != key_len || w.len > sizeof name || memcmp(name, key, key_len) != 0)
            continue;
        *value = member;
        found = true;
    }
    return found;
}

bool json_next(json_value *walk, json_value *item)
{
    reader r = inside(*walk);
    if ((!take(&r, '[') && !take(&r, ',')) || take(&r, ']'))
        return false;
    take_value(&r, item);
    *walk = (json_value){r.p, (size_t)(r.end - r.p)};
    return true;
}

bool json_is(json_value value, const char *spelt)
{
    return value.len == strlen(spelt) && memcmp(value.text, spelt, value.len) == 0;
}

bool json_text(json_value value, char *dst, size_t *len)
{
    reader r = inside(value);
    writer w = {dst, dst != NULL ? value.len : 0, 0};
    if (value.len == 0 || value.text[0] != '"')
        return false;
    read_string(&r, &w);
    *len = w.len;
    return true;
}

bool json_member(const char *text, size_t len, const char *key, char *dst, size_t cap, size_t *out_len)
{
    reader r = {text, text + len, true};
    json_value all, member;
    if (!check(&r, &all) || !json_get(all, key, &member) || member.text[0] != '"' || cap == 0)
        return false;
    reader in = inside(member);
    writer w = {dst, cap - 1, 0};
    read_string(&in, &w);
    if (w.len > w.cap)
        return false;
    dst[w.len] = '\0';
    *out_len = w.len;
    return true;
}

/* ---- Writing a string --------------------------------------------------------------------------- */

/* How many bytes of valid UTF-8 begin here; 0 if none do. */
static size_t character_len(const char *text, size_t len)
{
    unsigned char lead = (unsigned char)text[0];
    if (lead < 0x80)
        return 1;
    size_t want = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    weir_str bytes = {(const uint8_t *)text, want};
    return want <= len && weir_utf8_valid(bytes) ? want : 0;
}

/* The code point of a character to be escaped, 0xFFFF for any other. */
static unsigned special(const unsigned char *c, size_t len)
{
    if (len == 1)
        return c[0] < 0x20 || c[0] == '"' || c[0] == '\\' || c[0] == 0x7F ? c[0] : 0xFFFF;
    if (len == 2)
        return c[0] == 0xC2 && c[1] < 0xA0 ? c[1] : 0xFFFF;
    return len == 3 && c[0] == 0xE2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9)
               ? 0x2000u + (c[2] & 0x3F)
               : 0xFFFF;
}

static void put_escaped(writer *w, unsigned cp)
{
    static const char hex[] = "0123456789abcdef";
    static const char names[] = "\"\\bfnrt";
    static const char bytes[] = "\"\\\b\f\n\r\t";
    const char *at = cp < 0x80 ? memchr(bytes, (int)cp, sizeof bytes - 1) : NULL;
    if (at != NULL) {
        char pair[2] = {'\\', names[at - bytes]};
        put(w, pair, 2);
    } else {
        char code[6] = {'\\', 'u', hex[cp >> 12], hex[cp >> 8 & 15], hex[cp >> 4 & 15], hex[cp & 15]};
        put(w, code, 6);
    }
}

size_t json_string(char *dst, size_t cap, const char *text, size_t len)
{
    writer w = {dst, cap, 0};
    put(&w, "\"", 1);
    for (size_t at = 0; at < len;) {
        size_t run = at;
        size_t n = 0;
        unsigned cp = 0xFFFF;
        while (run < len && (n = character_len(text + run, len - run)) > 0 &&
               (cp = special((const unsigned char *)text + run, n)) == 0xFFFF)
            run += n;
        put(&w, text + at, run - at);
        at = run;
        if (at == len)
            break;
        if (n == 0)
            put(&w, "\xEF\xBF\xBD", 3);
        else
            put_escaped(&w, cp);
        at += n > 0 ? n : 1;
    }
    put(&w, "\"", 1);
    return w.len;
}
