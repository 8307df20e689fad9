/* SPDX-License-Identifier: MIT */
/* json.c - one string out of a JSON object, one string into JSON; no allocation, no recursion. */
#include "json.h"

#include "weir/base.h"

#include <string.h>

#define MAX_DEPTH 32
#define MAX_KEY 32

typedef struct reader {
    const char *p;
    const char *end;
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

/* After \u: one code unit, or the two of a pair. A surrogate alone is no character. */
static bool read_unicode(reader *r, writer *w)
{
    uint32_t unit;
    if (!read_hex4(r, &unit) || (unit >= 0xDC00 && unit <= 0xDFFF))
        return false;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        uint32_t low;
        if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
            return false;
        r->p += 2;
        if (!read_hex4(r, &low) || low < 0xDC00 || low > 0xDFFF)
            return false;
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    put_code_point(w, unit);
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

bool json_member(const char *text, size_t len, const char *key, char *dst, size_t cap, size_t *out_len)
{
    size_t key_len = strlen(key);
    weir_str all = {(const uint8_t *)text, len};
    if (key_len > MAX_KEY || cap == 0 || !weir_utf8_valid(all))
        return false;
    reader r = {text, text + len};
    bool found = false;
    if (!take(&r, '{'))
        return false;
    for (bool first = true; !take(&r, '}'); first = false) {
        char name[MAX_KEY];
        writer name_out = {name, sizeof name, 0};
        if ((!first && !take(&r, ',')) || !read_string(&r, &name_out) || !take(&r, ':'))
            return false;
        skip_space(&r);
        if (name_out.len != key_len || memcmp(name, key, key_len) != 0) {
            if (!skip_value(&r))
                return false;
            continue;
        }
        writer value = {dst, cap - 1, 0};
        found = r.p != r.end && *r.p == '"';
        if (!(found ? read_string(&r, &value) : skip_value(&r)) || value.len > value.cap)
            return false;
        dst[value.len] = '\0';
        *out_len = value.len;
    }
    skip_space(&r);
    return found && r.p == r.end;
}

/* How many bytes of valid UTF-8 begin here; 0 if none do. */
static size_t character_len(const char *text, size_t len)
{
    unsigned char lead = (unsigned char)text[0];
    size_t want = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    weir_str bytes = {(const uint8_t *)text, want};
    return want <= len && weir_utf8_valid(bytes) ? want : 0;
}

static void put_escaped(writer *w, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char names[] = "\"\\bfnrt";
    static const char bytes[] = "\"\\\b\f\n\r\t";
    const char *at = memchr(bytes, c, sizeof bytes - 1);
    if (at != NULL) {
        char pair[2] = {'\\', names[at - bytes]};
        put(w, pair, 2);
    } else {
        char code[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        put(w, code, 6);
    }
}

static void put_json_string(writer *w, const char *text, size_t len)
{
    put(w, "\"", 1);
    while (len > 0) {
        size_t n = character_len(text, len);
        unsigned char c = (unsigned char)text[0];
        if (n == 0)
            put(w, "\xEF\xBF\xBD", 3);
        else if (c < 0x20 || c == '"' || c == '\\')
            put_escaped(w, c);
        else if (n == 3 && memcmp(text, "\xE2\x80\xA8", 3) == 0)
            put(w, "\\u2028", 6);
        else if (n == 3 && memcmp(text, "\xE2\x80\xA9", 3) == 0)
            put(w, "\\u2029", 6);
        else
            put(w, text, n);
        n += n == 0;
        text += n;
        len -= n;
    }
    put(w, "\"", 1);
}

size_t json_string(char *dst, size_t cap, const char *text, size_t len)
{
    writer count = {NULL, 0, 0};
    put_json_string(&count, text, len);
    if (count.len <= cap) {
        writer w = {dst, cap, 0};
        put_json_string(&w, text, len);
    }
    return count.len;
}
