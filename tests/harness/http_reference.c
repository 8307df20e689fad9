/* SPDX-License-Identifier: MIT */
/*
 * http_reference.c - a slow reader of HTTP/1.1 that is easy to believe, to compare weir's with.
 *
 * It has the whole stream in memory and goes through the grammar of RFC 9112 from left to right, a function
 * for each element, with classes of bytes written out as text. Where the stream ends before an element does,
 * or a byte may not stand, it leaves by setting `stop`. Nothing of it is shared with src/.
 */
#include "http_reference.h"

#include <stdio.h>
#include <string.h>

/* ---- A text and a place in it --------------------------------------------------------------------- */

typedef struct cursor {
    const uint8_t *text;
    size_t len;
    size_t at;
    bool ended; /* the text is over before the element was */
    int err;    /* the byte at `at` may not stand there */
} cursor;

static bool stopped(const cursor *c)
{
    return c->ended || c->err != 0;
}

static void refuse(cursor *c, int err)
{
    if (!stopped(c))
        c->err = err;
}

/* The byte at hand, or -1 with `ended` set. */
static int peek(cursor *c)
{
    if (stopped(c))
        return -1;
    if (c->at == c->len) {
        c->ended = true;
        return -1;
    }
    return c->text[c->at];
}

/* Exactly this byte, or the error. */
static void expect(cursor *c, int byte, int err)
{
    int found = peek(c);
    if (found >= 0 && found != byte)
        refuse(c, err);
    else if (found >= 0)
        c->at++;
}

/* ---- Classes of bytes ----------------------------------------------------------------------------- */

static bool among(int byte, const char *set)
{
    return byte > 0 && strchr(set, byte) != NULL;
}

static bool is_digit(int byte)
{
    return among(byte, "0123456789");
}

static bool is_alpha(int byte)
{
    return among(byte, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static bool is_hex(int byte)
{
    return among(byte, "0123456789abcdefABCDEF");
}

/* tchar, RFC 9110 5.6.2. */
static bool is_token(int byte)
{
    return is_digit(byte) || is_alpha(byte) || among(byte, "!#$%&'*+-.^_`|~");
}

/* field-vchar, SP and HTAB, RFC 9110 5.5. */
static bool is_value(int byte)
{
    return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}

static bool is_target(int byte)
{
    return byte >= 0x21 && byte <= 0x7E && byte != '#';
}

static bool is_blank(int byte)
{
    return byte == ' ' || byte == '\t';
}

static bool name_is(weir_str str, const char *name)
{
    if (str.len != strlen(name))
        return false;
    for (size_t i = 0; i < str.len; i++) {
        int a = str.ptr[i], b = (unsigned char)name[i];
        if (a != b && !(is_alpha(a) && (a | 0x20) == (b | 0x20)))
            return false;
    }
    return true;
}

static weir_str without_blanks(weir_str str)
{
    while (str.len != 0 && is_blank(str.ptr[str.len - 1]))
        str.len--;
    while (str.len != 0 && is_blank(str.ptr[0])) {
        str.ptr++;
        str.len--;
    }
    return str;
}

/* ---- Start lines ---------------------------------------------------------------------------------- */

/* HTTP-version, RFC 9112 2.3. */
static void version(cursor *c, unsigned *minor, int err)
{
    const char *const text = "HTTP/";
    for (size_t i = 0; text[i] != '\0'; i++)
        expect(c, text[i], err);
    int major = peek(c);
    if (is_digit(major) && major != '1')
        refuse(c, WEIR_ERR_HTTP_MAJOR);
    expect(c, '1', err);
    expect(c, '.', err);
    int digit = peek(c);
    if (digit >= 0 && !is_digit(digit))
        refuse(c, err);
    if (stopped(c))
        return;
    *minor = (unsigned)(digit - '0');
    c->at++;
}

/* CR LF; `err` for a byte that is neither. */
static void line_end(cursor *c, int err)
{
    if (peek(c) == '\n')
        refuse(c, WEIR_ERR_HTTP_LINE_END);
    expect(c, '\r', err);
    expect(c, '\n', WEIR_ERR_HTTP_LINE_END);
}

/* Bytes of a class up to one that is not. */
static weir_str run_of(cursor *c, bool (*is_class)(int byte))
{
    weir_str run = {c->text + c->at, 0};
    for (int byte = peek(c); byte >= 0 && is_class(byte); byte = peek(c)) {
        c->at++;
        run.len++;
    }
    return run;
}

/* Returns whether the text, if it ended, did so in the target. */
static bool request_line(cursor *c, weir_http_head *head, size_t max_target)
{
    head->method = run_of(c, is_token);
    if (head->method.len == 0)
        refuse(c, WEIR_ERR_HTTP_METHOD);
    expect(c, ' ', WEIR_ERR_HTTP_METHOD);
    if (stopped(c))
        return false;
    size_t begin = c->at;
    head->target = run_of(c, is_target);
    if (head->target.len > max_target) {
        c->ended = false;
        c->at = begin + max_target;
        refuse(c, WEIR_ERR_HTTP_TARGET_SIZE);
    }
    if (c->ended)
        return true;
    if (head->target.len == 0)
        refuse(c, WEIR_ERR_HTTP_TARGET);
    expect(c, ' ', WEIR_ERR_HTTP_TARGET);
    version(c, &head->minor, WEIR_ERR_HTTP_VERSION);
    line_end(c, WEIR_ERR_HTTP_VERSION);
    return false;
}

static void status_line(cursor *c, weir_http_head *head)
{
    version(c, &head->minor, WEIR_ERR_HTTP_STATUS);
    expect(c, ' ', WEIR_ERR_HTTP_STATUS);
    for (int i = 0; i < 3 && !stopped(c); i++) {
        int digit = peek(c);
        if (digit >= 0 && (!is_digit(digit) || (i == 0 && digit == '0')))
            refuse(c, WEIR_ERR_HTTP_STATUS);
        if (stopped(c))
            return;
        head->status = head->status * 10 + (unsigned)(digit - '0');
        c->at++;
    }
    if (peek(c) == ' ') {
        c->at++;
        head->reason = run_of(c, is_value);
        line_end(c, WEIR_ERR_HTTP_STATUS);
    } else {
        head->reason = (weir_str){c->text + c->at, 0};
        expect(c, '\r', WEIR_ERR_HTTP_STATUS);
        expect(c, '\n', WEIR_ERR_HTTP_LINE_END);
    }
}

/* ---- Field lines ---------------------------------------------------------------------------------- */

static void field_lines(cursor *c, http_reference_head *r, size_t max_fields)
{
    for (;;) {
        int byte = peek(c);
        if (byte == '\r' || byte < 0)
            break;
        if (is_blank(byte))
            refuse(c, WEIR_ERR_HTTP_FOLD);
        else if (byte == '\n')
            refuse(c, WEIR_ERR_HTTP_LINE_END);
        else if (!is_token(byte))
            refuse(c, WEIR_ERR_HTTP_NAME);
        else if (r->head.field_count == max_fields)
            refuse(c, WEIR_ERR_HTTP_FIELD_COUNT);
        weir_http_field field;
        field.name = run_of(c, is_token);
        expect(c, ':', WEIR_ERR_HTTP_NAME);
        field.value = without_blanks(run_of(c, is_value));
        line_end(c, WEIR_ERR_HTTP_VALUE);
        if (stopped(c))
            return;
        if (r->head.field_count < HTTP_REFERENCE_FIELDS)
            r->fields[r->head.field_count] = field;
        r->head.field_count++;
    }
    expect(c, '\r', 0);
    expect(c, '\n', WEIR_ERR_HTTP_LINE_END);
}

size_t http_reference_list(weir_str list, weir_str *members, size_t most)
{
    size_t count = 0, begin = 0;
    bool quoted = false, escaped = false;
    for (size_t i = 0; i <= list.len; i++) {
        bool comma = i == list.len || (list.ptr[i] == ',' && !quoted);
        if (comma) {
            weir_str member = without_blanks((weir_str){list.ptr + begin, i - begin});
            if (member.len != 0 && count < most)
                members[count] = member;
            count += member.len != 0;
            begin = i + 1;
        } else if (escaped) {
            escaped = false;
        } else if (quoted && list.ptr[i] == '\\') {
            escaped = true;
        } else if (list.ptr[i] == '"') {
            quoted = !quoted;
        }
    }
    return count;
}

/* ---- The head as a whole -------------------------------------------------------------------------- */

static bool port_valid(weir_str port)
{
    uint32_t number = 0;
    for (size_t i = 0; i < port.len; i++) {
        if (!is_digit(port.ptr[i]))
            return false;
        number = number * 10 + (uint32_t)(port.ptr[i] - '0');
        if (number > 65535)
            return false;
    }
    return true;
}

/* dec-octet "." dec-octet "." dec-octet "." dec-octet, RFC 3986 3.2.2 */
static bool ipv4(weir_str text)
{
    unsigned values[4] = {0, 0, 0, 0}, dots = 0;
    char written[16];
    if (text.len > 15)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.' && dots < 3)
            dots++;
        else if (is_digit(text.ptr[i]) && values[dots] < 1000)
            values[dots] = values[dots] * 10 + (unsigned)(text.ptr[i] - '0');
        else
            return false;
    }
    for (unsigned i = 0; i < 4; i++)
        if (values[i] > 255)
            return false;
    /* There is one way to write it. */
    int len = snprintf(written, sizeof written, "%u.%u.%u.%u", values[0], values[1], values[2], values[3]);
    return text.len == (size_t)len && memcmp(written, text.ptr, text.len) == 0;
}

/* How many 16 bits are written with single colons between them? Too many if it is malformed. */
static size_t ipv6_groups(weir_str text, bool last)
{
    enum { MALFORMED = 100 };
    size_t groups = 0, begin = 0;
    if (text.len == 0)
        return 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ':')
            continue;
        weir_str group = {text.ptr + begin, i - begin};
        bool digits = group.len >= 1 && group.len <= 4;
        for (size_t k = 0; digits && k < group.len; k++)
            digits = is_hex(group.ptr[k]);
        if (!digits && !(last && i == text.len && ipv4(group)))
            return MALFORMED;
        groups += digits ? 1 : 2;
        begin = i + 1;
    }
    return groups;
}

/* IPv6address, RFC 3986 3.2.2: eight groups, or at most seven around the first "::" */
static bool ipv6(weir_str text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.ptr[i] == ':' && text.ptr[i + 1] == ':')
            return ipv6_groups((weir_str){text.ptr, i}, false) +
                       ipv6_groups((weir_str){text.ptr + i + 2, text.len - i - 2}, true) <=
                   7;
    return ipv6_groups(text, true) == 8;
}

bool http_reference_host(weir_str host)
{
    const uint8_t *const end = host.ptr + host.len;
    const uint8_t *p = host.ptr;
    if (host.len == 0)
        return false;
    if (*p == '[') {
        while (p < end && *p != ']')
            p++;
        if (p == end || !ipv6((weir_str){host.ptr + 1, (size_t)(p - host.ptr) - 1}))
            return false;
        p++;
    } else {
        while (p < end && *p != ':') {
            bool encoded = *p == '%' && end - p >= 3 && is_hex(p[1]) && is_hex(p[2]);
            /* unreserved and sub-delims, RFC 3986 2 */
            if (!encoded && !is_digit(*p) && !is_alpha(*p) && !among(*p, "-._~!$&'()*+,;="))
                return false;
            p += encoded ? 3 : 1;
        }
        if (p == host.ptr)
            return false;
    }
    return p == end || (*p == ':' && port_valid((weir_str){p + 1, (size_t)(end - p) - 1}));
}

/* How many fields have this name; the last one's value in *value. */
static size_t fields_named(const http_reference_head *r, const char *name, weir_str *value)
{
    size_t count = 0;
    for (size_t i = 0; i < r->head.field_count && i < HTTP_REFERENCE_FIELDS; i++) {
        if (name_is(r->fields[i].name, name)) {
            *value = r->fields[i].value;
            count++;
        }
    }
    return count;
}

/* How many members of the fields of this name are this one, and how many are others. */
static size_t members_named(const http_reference_head *r, const char *name, const char *wanted,
                            size_t *others)
{
    size_t count = 0;
    *others = 0;
    for (size_t i = 0; i < r->head.field_count && i < HTTP_REFERENCE_FIELDS; i++) {
        weir_str members[64];
        if (!name_is(r->fields[i].name, name))
            continue;
        size_t n = http_reference_list(r->fields[i].value, members, 64);
        for (size_t j = 0; j < n && j < 64; j++) {
            count += name_is(members[j], wanted);
            *others += !name_is(members[j], wanted);
        }
        *others += n > 64 ? n - 64 : 0;
    }
    return count;
}

/* RFC 9112 6.3 as weir/http.h has it: every contradiction is refused. */
static int framing(http_reference_head *r)
{
    weir_http_head *head = &r->head;
    weir_str value = {NULL, 0};
    size_t unknown;
    size_t lengths = fields_named(r, "content-length", &value);
    uint64_t size = 0;
    if (lengths > 1 || (lengths == 1 && value.len == 0))
        return WEIR_ERR_HTTP_LENGTH;
    for (size_t i = 0; lengths == 1 && i < value.len; i++) {
        unsigned digit = (unsigned)value.ptr[i] - '0';
        if (digit > 9 || size > (UINT64_MAX - digit) / 10)
            return WEIR_ERR_HTTP_LENGTH;
        size = size * 10 + digit;
    }
    size_t encodings = fields_named(r, "transfer-encoding", &value);
    size_t chunked = members_named(r, "transfer-encoding", "chunked", &unknown);
    if (encodings != 0 && (lengths != 0 || head->minor == 0))
        return WEIR_ERR_HTTP_FRAMING;
    if (unknown != 0)
        return WEIR_ERR_HTTP_CODING;
    if (encodings != 0 && chunked != 1)
        return WEIR_ERR_HTTP_FRAMING;

    bool response = head->kind == WEIR_HTTP_RESPONSE;
    bool bodiless = response && (head->status / 100 == 1 || head->status == 204 || head->status == 304);
    head->framing = response ? WEIR_HTTP_UNTIL_CLOSE : WEIR_HTTP_NO_BODY;
    if (bodiless)
        head->framing = WEIR_HTTP_NO_BODY;
    else if (encodings != 0)
        head->framing = WEIR_HTTP_CHUNKED;
    else if (lengths != 0)
        head->framing = WEIR_HTTP_SIZED;
    head->body_len = head->framing == WEIR_HTTP_SIZED ? size : 0;
    return 0;
}

/* What stands between the slashes of "scheme://" and the path, of the four schemes; absent without one. */
static weir_str target_authority(weir_str target)
{
    static const char *const schemes[] = {"http", "https", "ws", "wss"};
    weir_str scheme = target, rest;
    if (target.len == 0)
        return (weir_str){NULL, 0};
    for (scheme.len = 0; scheme.len < target.len && target.ptr[scheme.len] != ':'; scheme.len++)
        ;
    rest = (weir_str){target.ptr + scheme.len, target.len - scheme.len};
    if (rest.len < 3 || memcmp(rest.ptr, "://", 3) != 0)
        return (weir_str){NULL, 0};
    rest = (weir_str){rest.ptr + 3, 0};
    while (rest.ptr + rest.len < target.ptr + target.len && !among(rest.ptr[rest.len], "/?#"))
        rest.len++;
    for (size_t i = 0; i < 4; i++)
        if (name_is(scheme, schemes[i]))
            return rest;
    return (weir_str){NULL, 0};
}

/* Does it end with a colon and a number that is not 0? */
static bool has_port(weir_str authority)
{
    bool zero = true;
    size_t end = authority.len;
    for (; end > 0 && among(authority.ptr[end - 1], "0123456789"); end--)
        zero = zero && authority.ptr[end - 1] == '0';
    return !zero && end > 0 && authority.ptr[end - 1] == ':';
}

static int whole(http_reference_head *r)
{
    weir_http_head *head = &r->head;
    size_t others;
    size_t hosts = fields_named(r, "host", &head->host);
    if (head->kind == WEIR_HTTP_REQUEST &&
        (hosts > 1 || (hosts == 0 && head->minor > 0) || (hosts == 1 && !http_reference_host(head->host))))
        return WEIR_ERR_HTTP_HOST;
    bool connect = head->method.len == 7 && memcmp(head->method.ptr, "CONNECT", 7) == 0;
    weir_str authority = target_authority(head->target);
    if (connect && head->target.ptr[0] != '/')
        authority = head->target;
    if (authority.ptr != NULL && (!http_reference_host(authority) || (connect && !has_port(authority))))
        return WEIR_ERR_HTTP_TARGET;
    if (authority.ptr != NULL)
        head->host = authority;
    int err = framing(r);
    bool asks = members_named(r, "connection", "keep-alive", &others) != 0;
    bool closes = members_named(r, "connection", "close", &others) != 0;
    head->keep_alive = !closes && (head->minor > 0 || asks) && head->framing != WEIR_HTTP_UNTIL_CLOSE;
    return err;
}

int http_reference_head_read(weir_http_kind kind, size_t storage, const weir_http_cfg *cfg, weir_str stream,
                             http_reference_head *r, size_t *at)
{
    size_t skipped = 0;
    bool in_target = false;
    memset(r, 0, sizeof *r);
    r->head.kind = kind;
    if (kind == WEIR_HTTP_REQUEST && stream.len != 0 && stream.ptr[0] == '\r') {
        *at = 1;
        if (stream.len == 1)
            return 0;
        if (stream.ptr[1] != '\n')
            return WEIR_ERR_HTTP_LINE_END;
        skipped = 2;
    }
    size_t len = stream.len - skipped;
    cursor c = {stream.ptr + skipped, len < storage ? len : storage, 0, false, 0};
    if (kind == WEIR_HTTP_REQUEST)
        in_target = request_line(&c, &r->head, cfg->max_target != 0 ? cfg->max_target : 8000);
    else
        status_line(&c, &r->head);
    field_lines(&c, r, cfg->max_fields != 0 ? cfg->max_fields : 100);
    *at = skipped + c.at;
    if (c.ended) {
        if (len > storage)
            return in_target ? WEIR_ERR_HTTP_TARGET_SIZE : WEIR_ERR_HTTP_HEAD_SIZE;
        return 0;
    }
    int err = c.err != 0 ? c.err : whole(r);
    if (c.err == 0 && err != 0)
        *at -= 1;
    return err != 0 ? err : 1;
}

/* ---- Bodies --------------------------------------------------------------------------------------- */

/* Up to `size` bytes of data; false if the text ends first. */
static bool data(cursor *c, uint64_t size, uint8_t *dst, size_t *len)
{
    size_t n = c->len - c->at < size ? c->len - c->at : (size_t)size;
    if (n != 0)
        memcpy(dst + *len, c->text + c->at, n);
    *len += n;
    c->at += n;
    c->ended = c->ended || n < size;
    return n == size;
}

/* chunk-size [ chunk-ext ] CRLF, 256 bytes at most up to the CR. White space may stand before ";" only. */
static void chunk_size(cursor *c, uint64_t *size)
{
    cursor line = *c;
    bool cut = line.len - line.at > 256;
    if (cut)
        line.len = line.at + 256;
    weir_str digits = run_of(&line, is_hex);
    size_t zeros = 0;
    while (zeros < digits.len && digits.ptr[zeros] == '0')
        zeros++;
    if (digits.len - zeros > 16) {
        c->at += zeros + 16;
        refuse(c, WEIR_ERR_HTTP_CHUNK);
        return;
    }
    if (digits.len == 0)
        refuse(&line, WEIR_ERR_HTTP_CHUNK);
    *size = 0;
    for (size_t i = 0; i < digits.len; i++) {
        static const char values[] = "0123456789abcdef";
        int lower = digits.ptr[i] >= 'A' ? digits.ptr[i] | 0x20 : digits.ptr[i];
        *size = *size * 16 + (uint64_t)(strchr(values, lower) - values);
    }
    bool padded = run_of(&line, is_blank).len != 0;
    if (peek(&line) == ';')
        (void)run_of(&line, is_value);
    else if (padded)
        refuse(&line, WEIR_ERR_HTTP_CHUNK);
    expect(&line, '\r', WEIR_ERR_HTTP_CHUNK);
    line.len = c->len;
    if (cut && line.ended) {
        line.ended = false;
        refuse(&line, WEIR_ERR_HTTP_CHUNK);
    }
    *c = line;
    expect(c, '\n', WEIR_ERR_HTTP_CHUNK);
}

/* Trailer lines and the empty line, 8192 bytes at most. */
static void trailers(cursor *c)
{
    cursor part = *c;
    bool cut = part.len - part.at > 8192;
    if (cut)
        part.len = part.at + 8192;
    for (int byte = peek(&part); byte >= 0 && byte != '\r'; byte = peek(&part)) {
        if (run_of(&part, is_token).len == 0)
            refuse(&part, WEIR_ERR_HTTP_CHUNK);
        expect(&part, ':', WEIR_ERR_HTTP_CHUNK);
        (void)run_of(&part, is_value);
        expect(&part, '\r', WEIR_ERR_HTTP_CHUNK);
        expect(&part, '\n', WEIR_ERR_HTTP_CHUNK);
    }
    expect(&part, '\r', WEIR_ERR_HTTP_CHUNK);
    expect(&part, '\n', WEIR_ERR_HTTP_CHUNK);
    part.len = c->len;
    if (cut && part.ended) {
        part.ended = false;
        refuse(&part, WEIR_ERR_HTTP_CHUNK);
    }
    *c = part;
}

int http_reference_body_read(weir_http_framing how, uint64_t size, weir_str stream, uint8_t *dst, size_t *len,
                             size_t *at)
{
    cursor c = {stream.ptr, stream.len, 0, false, 0};
    *len = 0;
    if (how == WEIR_HTTP_UNTIL_CLOSE)
        size = UINT64_MAX;
    if (how == WEIR_HTTP_SIZED || how == WEIR_HTTP_UNTIL_CLOSE)
        (void)data(&c, size, dst, len);
    while (how == WEIR_HTTP_CHUNKED && !stopped(&c)) {
        chunk_size(&c, &size);
        if (stopped(&c))
            break;
        if (size == 0) {
            trailers(&c);
            break;
        }
        if (data(&c, size, dst, len)) {
            expect(&c, '\r', WEIR_ERR_HTTP_CHUNK);
            expect(&c, '\n', WEIR_ERR_HTTP_CHUNK);
        }
    }
    *at = c.at;
    return c.err != 0 ? c.err : c.ended ? 0 : WEIR_HTTP_BODY_END;
}
