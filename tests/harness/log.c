/* SPDX-License-Identifier: MIT */
/* log.c - the test harness's growing text, in which pieces of one stream of bytes are joined. */
#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct log {
    char *text;
    size_t len;
    size_t cap;
    char label[64];
    bool open; /* the last entry is bytes and its closing quote is not yet written */
};

static void log_room(log *l, size_t more)
{
    if (l->cap - l->len > more)
        return;
    l->cap = (l->cap + more + 256) * 2;
    l->text = realloc(l->text, l->cap);
    if (l->text == NULL) {
        fputs("harness: out of memory\n", stderr);
        abort();
    }
}

static void log_put(log *l, const char *text, size_t len)
{
    log_room(l, len);
    memcpy(l->text + l->len, text, len);
    l->len += len;
    l->text[l->len] = '\0';
}

static void log_end_bytes(log *l)
{
    if (l->open)
        log_put(l, "\"\n", 2);
    l->open = false;
}

log *log_new(void)
{
    log *l = calloc(1, sizeof *l);
    if (l == NULL)
        abort();
    log_put(l, "", 0);
    return l;
}

void log_free(log *l)
{
    free(l->text);
    free(l);
}

void log_clear(log *l)
{
    l->len = 0;
    l->text[0] = '\0';
    l->open = false;
}

void log_line(log *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        abort();

    log_end_bytes(l);
    log_room(l, (size_t)len + 1);
    va_start(args, format);
    vsnprintf(l->text + l->len, (size_t)len + 1, format, args);
    va_end(args);
    l->len += (size_t)len;
    log_put(l, "\n", 1);
}

/* Writes at most 4 * len characters. */
static size_t log_escape(char *dst, const void *bytes, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    char *at = dst;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = ((const unsigned char *)bytes)[i];
        if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') {
            *at++ = (char)byte;
        } else {
            *at++ = '\\';
            *at++ = 'x';
            *at++ = hex[byte >> 4];
            *at++ = hex[byte & 15];
        }
    }
    return (size_t)(at - dst);
}

const char *log_quote(const void *bytes, size_t len)
{
    enum { MOST = 1000 };
    static char texts[4][4 * MOST + 3];
    static unsigned turn;
    if (bytes == NULL)
        return "absent";
    char *text = texts[turn++ % 4];
    size_t n = log_escape(text + 1, bytes, len < MOST ? len : MOST);
    text[0] = text[n + 1] = '"';
    text[n + 2] = '\0';
    return text;
}

void log_bytes(log *l, const char *label, const void *bytes, size_t len)
{
    if (!l->open || strcmp(l->label, label) != 0) {
        log_end_bytes(l);
        snprintf(l->label, sizeof l->label, "%s", label);
        log_put(l, label, strlen(label));
        log_put(l, " \"", 2);
        l->open = true;
    }
    log_room(l, 4 * len);
    l->len += log_escape(l->text + l->len, bytes, len);
    l->text[l->len] = '\0';
}

const char *log_text(log *l)
{
    log_end_bytes(l);
    return l->text;
}
