/* SPDX-License-Identifier: MIT */
/* text.c - the test harness's escapes: \r \n \t \0 \" \\ and \xHH. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int text_hex(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits) & 15;
}

/* One byte, escaped or not, from *text (len > 0), which is moved. -1 if malformed. */
static int text_byte(const char **text, size_t *len)
{
    const char *p = *text;
    int byte = (unsigned char)*p;
    size_t used = 1;
    if (byte == '\\') {
        static const char names[] = "rnt0\"\\";
        static const char bytes[] = "\r\n\t\0\"\\";
        if (*len < 2)
            return -1;
        const char *at = p[1] == '\0' ? NULL : strchr(names, p[1]);
        used = 2;
        if (at != NULL) {
            byte = (unsigned char)bytes[at - names];
        } else {
            if (p[1] != 'x' || *len < 4 || text_hex(p[2]) < 0 || text_hex(p[3]) < 0)
                return -1;
            byte = text_hex(p[2]) * 16 + text_hex(p[3]);
            used = 4;
        }
    }
    *text += used;
    *len -= used;
    return byte;
}

size_t text_decode(unsigned char *dst, const char *text, size_t len)
{
    size_t n = 0;
    while (len != 0) {
        int byte = text_byte(&text, &len);
        if (byte < 0)
            return (size_t)-1;
        dst[n++] = (unsigned char)byte;
    }
    return n;
}

char *text_canonical(const char *text)
{
    size_t len = strlen(text);
    char *out = malloc(4 * len + 1);
    if (out == NULL)
        abort();
    size_t n = 0;
    while (len != 0) {
        int escaped = *text == '\\';
        int byte = text_byte(&text, &len);
        if (byte < 0) {
            fprintf(stderr, "harness: malformed escape before: %.60s\n", text);
            abort();
        }
        if (byte >= 0x20 && byte < 0x7F && byte != '\\' && !(byte == '"' && escaped))
            out[n++] = (char)byte;
        else if (byte == '\n' && !escaped)
            out[n++] = '\n';
        else
            n += (size_t)sprintf(out + n, "\\x%02X", (unsigned)byte);
    }
    out[n] = '\0';
    return out;
}
