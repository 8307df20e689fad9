/* SPDX-License-Identifier: MIT */
/* fuzz_http_write.c - URIs, requests and replies: what is written is read back field by field, at its exact
 * size; nothing can be smuggled in; references are resolved as RFC 3986 5.2 has it, step by step. */
#include "fuzz.h"
#include "http/http.h"
#include "http_reference.h"

enum { FIELDS_MOST = 4 };

/* ---- RFC 3986 5.2, by its own pseudocode --------------------------------------------------------------- */

typedef struct text {
    char bytes[8192];
    size_t len;
} text;

static void text_put(text *t, const void *bytes, size_t len)
{
    FUZZ_REQUIRE(len <= sizeof t->bytes - t->len);
    if (len != 0)
        memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

static bool begins(const char *bytes, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

static bool equals(const char *bytes, size_t len, const char *what)
{
    return len == strlen(what) && begins(bytes, len, what);
}

/* 5.2.4, A to E. */
static void remove_dots(const char *in, size_t len, text *out)
{
    size_t begin = out->len;
    while (len != 0) {
        size_t take = 0;
        bool back = false;
        if (begins(in, len, "/./")) {
            take = 2;
        } else if (equals(in, len, "/.")) {
            in = "/";
            len = 1;
        } else if (begins(in, len, "/../")) {
            take = 3;
            back = true;
        } else if (equals(in, len, "/..")) {
            in = "/";
            len = 1;
            back = true;
        } else {
            size_t segment = 1;
            while (segment < len && in[segment] != '/')
                segment++;
            text_put(out, in, segment);
            take = segment;
        }
        in += take;
        len -= take;
        while (back && out->len > begin && out->bytes[--out->len] != '/')
            ;
    }
}

/* 5.2.2 for references whose scheme, if there is one, is followed by "//". Without fragment. */
static void resolve(const weir_http_uri *base, weir_str reference, text *target)
{
    const char *r = (const char *)reference.ptr;
    size_t len = reference.len, colon = 0, path = 0;
    text merged = {{0}, 0};
    target->len = 0;
    while (colon < len && ((r[colon] | 0x20) >= 'a' && (r[colon] | 0x20) <= 'z' ? true
                           : colon == 0                                         ? false
                                        : r[colon] != 0 && strchr("0123456789+-.", r[colon]) != NULL))
        colon++;
    bool scheme = colon < len && r[colon] == ':' && colon != 0;
    if (scheme)
        path = colon + 1;
    else
        text_put(target, base->secure ? "https:" : "http:", base->secure ? 6 : 5);
    bool authority = begins(r + path, len - path, "//");
    if (authority) {
        path += 2;
        while (path < len && r[path] != '/' && r[path] != '?')
            path++;
    }
    size_t query = path;
    while (query < len && r[query] != '?')
        query++;
    text_put(target, r, path);
    if (!scheme && !authority) {
        text_put(target, "//", 2);
        text_put(target, base->authority.ptr, base->authority.len);
        if (query == path) {
            text_put(&merged, base->path.ptr, base->path.len);
        } else if (r[path] != '/') {
            size_t keep = base->path.len;
            while (keep != 0 && base->path.ptr[keep - 1] != '/')
                keep--;
            text_put(&merged, base->path.ptr, keep);
        }
    }
    text_put(&merged, r + path, query - path);
    remove_dots(merged.bytes, merged.len, target);
    if (query < len) {
        text_put(target, r + query, len - query);
    } else if (!scheme && !authority && query == path && base->query.ptr != NULL) {
        text_put(target, "?", 1);
        text_put(target, base->query.ptr, base->query.len);
    }
}

static void try_resolve(const weir_http_uri *base, weir_str reference)
{
    static text wanted;
    uint8_t resolved[2048];
    weir_http_uri uri;
    size_t len = weiri_http_uri_resolve(base, reference, resolved, sizeof resolved);
    if (len == 0)
        return;
    FUZZ_REQUIRE(weir_http_uri_parse((weir_str){resolved, len}, &uri) == 0 && !uri.websocket);
    for (size_t i = 0; i < reference.len; i++)
        if (reference.ptr[i] == '#')
            reference.len = i;
    resolve(base, reference, &wanted);
    FUZZ_REQUIRE(fuzz_same((weir_str){resolved, len}, (weir_str){(uint8_t *)wanted.bytes, wanted.len}));
}

/* ---- Requests and replies ------------------------------------------------------------------------------ */

static bool field_good(const weir_http_field *field)
{
    if (field->name.len == 0)
        return false;
    for (size_t i = 0; i < field->name.len; i++) {
        uint8_t c = field->name.ptr[i];
        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
            (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    weir_str v = field->value;
    for (size_t i = 0; i < v.len; i++)
        if (v.ptr[i] != '\t' && (v.ptr[i] < 0x20 || v.ptr[i] == 0x7F))
            return false;
    return v.len == 0 || (strchr(" \t", v.ptr[0]) == NULL && strchr(" \t", v.ptr[v.len - 1]) == NULL);
}

/* Reads a head with weir's parser under no limit that matters; 1 or an error. */
static int read_head(weir_http_kind kind, weir_str bytes, weir_http_head *head, uint8_t *storage,
                     size_t storage_len, weir_str *behind)
{
    weir_http http;
    static uint8_t copy[16384];
    FUZZ_REQUIRE(bytes.len <= sizeof copy);
    memcpy(copy, bytes.ptr, bytes.len);
    weir_in in = {copy, bytes.len};
    weir_http_cfg cfg = {16384, 100};
    FUZZ_REQUIRE(weir_http_init(&http, kind, storage, storage_len, &cfg) == 0);
    int rv = weir_http_next(&http, &in, head);
    *behind = (weir_str){in.ptr, in.len};
    return rv;
}

/* The caller's fields are the ones from `skip` on, in their order. */
static void check_fields(const weir_http_head *head, const weir_http_field *fields, size_t count, size_t skip,
                         size_t more)
{
    weir_http_fields walk = head->fields;
    weir_http_field field;
    FUZZ_REQUIRE(head->field_count == skip + count + more);
    for (size_t i = 0; i < skip; i++)
        FUZZ_REQUIRE(weir_http_fields_next(&walk, &field));
    for (size_t i = 0; i < count; i++) {
        FUZZ_REQUIRE(weir_http_fields_next(&walk, &field));
        FUZZ_REQUIRE(fuzz_same(field.name, fields[i].name) && fuzz_same(field.value, fields[i].value));
    }
}

/* Fields that would contradict those that the writer adds are the caller's own fault: a parser may refuse. */
static bool harmless(const weir_http_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (weir_str_is_nocase(fields[i].name, "host") ||
            weir_str_is_nocase(fields[i].name, "content-length") ||
            weir_str_is_nocase(fields[i].name, "transfer-encoding"))
            return false;
    return true;
}

static void try_request(const weir_http_uri *uri, const weir_http_field *fields, size_t count, bool good,
                        weir_str body)
{
    static uint8_t storage[16384];
    weir_http_request request = {"POST", uri, fields, count, body};
    weir_http_head head;
    weir_str behind, target = uri->path;
    size_t size = weir_http_request_size(&request);
    uint8_t *bytes = fuzz_memory(size);
    weir_out out = {bytes, size};
    int rv = weir_http_request_write(&out, &request);
    FUZZ_REQUIRE(rv == (good ? 0 : WEIR_ERR_FIELD) && out.len == (good ? 0 : size));
    if (good && harmless(fields, count)) {
        FUZZ_REQUIRE(read_head(WEIR_HTTP_REQUEST, (weir_str){bytes, size}, &head, storage, sizeof storage,
                               &behind) == 1);
        FUZZ_REQUIRE(weir_str_is(head.method, "POST") && fuzz_same(head.host, uri->authority));
        FUZZ_REQUIRE(head.target.len == target.len + (uri->query.ptr != NULL ? uri->query.len + 1 : 0));
        FUZZ_REQUIRE(memcmp(head.target.ptr, target.ptr, target.len) == 0);
        check_fields(&head, fields, count, 1, body.ptr != NULL);
        FUZZ_REQUIRE(fuzz_same(behind, body) && head.body_len == body.len);
    }
    weir_out tight = {bytes, size - 1};
    FUZZ_REQUIRE(!good || weir_http_request_write(&tight, &request) == WEIR_ERR_SPACE);
    free(bytes);
}

static void try_reply(unsigned status, uint32_t flags, const weir_http_field *fields, size_t count, bool good,
                      weir_str body)
{
    static uint8_t storage[16384];
    weir_http_reply reply = {status, flags, fields, count, body};
    weir_http_head head;
    weir_str behind;
    size_t size = weir_http_reply_size(&reply);
    bool bodiless = status < 200 || status == 204 || status == 304;
    bool sized = !bodiless && (flags & WEIR_HTTP_NO_LENGTH) == 0;
    uint8_t *bytes = fuzz_memory(size);
    weir_out out = {bytes, size};
    int rv = weir_http_reply_write(&out, &reply);
    if (status < 100 || status > 999 || ((bodiless || status == 205) && body.len != 0)) {
        FUZZ_REQUIRE(rv == WEIR_ERR_ARG);
    } else if (!good) {
        FUZZ_REQUIRE(rv == WEIR_ERR_FIELD);
    } else {
        FUZZ_REQUIRE(rv == 0);
        weir_str written = {bytes, size - out.len};
        if (harmless(fields, count)) {
            FUZZ_REQUIRE(read_head(WEIR_HTTP_RESPONSE, written, &head, storage, sizeof storage, &behind) ==
                         1);
            FUZZ_REQUIRE(head.status == status && weir_str_is(head.reason, weir_http_reason(status)));
            check_fields(&head, fields, count, 0, (size_t)sized + ((flags & WEIR_HTTP_CLOSE) != 0));
            FUZZ_REQUIRE(!sized || head.body_len == body.len);
            FUZZ_REQUIRE(fuzz_same(behind, (flags & WEIR_HTTP_HEAD_ONLY) != 0 ? (weir_str){NULL, 0} : body));
        }
        weir_out tight = {bytes, written.len - 1};
        FUZZ_REQUIRE(weir_http_reply_write(&tight, &reply) == WEIR_ERR_SPACE);
    }
    free(bytes);
}

/* Lines of the input: a URI, a reference, field lines, the rest is a body. */
static weir_str line(fuzz_input *input)
{
    size_t len = 0;
    while (len < input->left && input->at[len] != '\n')
        len++;
    weir_str found = fuzz_take(input, len);
    fuzz_byte(input);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    uint8_t options = fuzz_byte(&input), low = fuzz_byte(&input);
    weir_http_field fields[FIELDS_MOST];
    weir_http_uri uri;
    bool good = true;
    if (size > 4096)
        return 0;
    weir_str base = line(&input), reference = line(&input);
    size_t count = options & 3;
    for (size_t i = 0; i < count; i++) {
        weir_str l = line(&input);
        size_t colon = 0;
        while (colon < l.len && l.ptr[colon] != ':')
            colon++;
        fields[i].name = (weir_str){l.ptr, colon};
        fields[i].value = (weir_str){l.ptr + colon, 0};
        if (colon < l.len)
            fields[i].value = (weir_str){l.ptr + colon + 1, l.len - colon - 1};
        good = good && field_good(&fields[i]);
    }
    weir_str body = {(options & 4) != 0 ? input.at : NULL, (options & 4) != 0 ? input.left : 0};
    if (weir_http_uri_parse(base, &uri) == 0) {
        FUZZ_REQUIRE(uri.port != 0 && uri.host.len != 0 && uri.path.len != 0 && uri.path.ptr[0] == '/');
        FUZZ_REQUIRE(http_reference_host(uri.authority));
        if (!uri.websocket)
            try_resolve(&uri, reference);
        try_request(&uri, fields, count, good, body);
    }
    try_reply((unsigned)(options & 0xF0) << 2 | low, (options >> 3) & 7, fields, count, good, body);
    return 0;
}
