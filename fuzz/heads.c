/* SPDX-License-Identifier: MIT */
/* heads.c - a stream of HTTP messages read by weir under cuts, and by a slow reference. */
#include "heads.h"

#include "http_reference.h"

typedef struct limits {
    weir_http_kind kind;
    weir_http_cfg cfg;
    size_t storage;
    void (*use)(const weir_http_head *head, fuzz_digest *digest);
} limits;

typedef struct reader {
    const limits *limits;
    weir_http http;
    weir_http_body body;
    bool in_body;
    uint64_t body_taken;
    fuzz_digest digest; /* of what the reference says too */
    fuzz_digest used;   /* of what `use` said */
} reader;

static void tell_head(fuzz_digest *digest, const weir_http_head *head)
{
    fuzz_number(digest, (uint64_t)head->kind << 32 | head->minor);
    fuzz_str(digest, head->method);
    fuzz_str(digest, head->target);
    fuzz_number(digest, head->status);
    fuzz_str(digest, head->reason);
    fuzz_number(digest, head->host.ptr != NULL);
    fuzz_str(digest, head->host);
    fuzz_number(digest, head->field_count);
    fuzz_number(digest, (uint64_t)head->framing << 1 | head->keep_alive);
    fuzz_number(digest, head->body_len);
}

static void tell_field(fuzz_digest *digest, const weir_http_field *field)
{
    fuzz_str(digest, field->name);
    fuzz_str(digest, field->value);
}

/* ---- weir ------------------------------------------------------------------------------------------ */

static void take_head(reader *r, const weir_http_head *head)
{
    weir_http_fields walk = head->fields;
    weir_http_field field;
    size_t count = 0;
    tell_head(&r->digest, head);
    for (; weir_http_fields_next(&walk, &field); count++)
        tell_field(&r->digest, &field);
    FUZZ_REQUIRE(count == head->field_count);
    if (r->limits->use != NULL)
        r->limits->use(head, &r->used);
    weir_http_body_init(&r->body, head->framing, head->body_len);
    r->in_body = true;
    r->body_taken = 0;
}

static int take_body(reader *r, weir_in *in)
{
    weir_str data;
    const uint8_t *begin = in->ptr;
    int rv = weir_http_body_next(&r->body, in, &data);
    FUZZ_REQUIRE((data.len != 0) == (rv == WEIR_HTTP_BODY_DATA));
    r->body_taken += (size_t)(in->ptr - begin);
    fuzz_bytes(&r->digest, data.ptr, data.len);
    if (rv == WEIR_HTTP_BODY_END || rv < 0) {
        fuzz_error(&r->digest, rv);
        fuzz_number(&r->digest, r->body_taken);
        r->in_body = rv < 0;
    }
    return rv;
}

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    reader *r = self;
    uint8_t *before = fuzz_copy(bytes, len);
    weir_in in = {bytes, len};
    int rv;
    do {
        weir_http_head head;
        if (r->in_body) {
            rv = take_body(r, &in);
        } else {
            rv = weir_http_next(&r->http, &in, &head);
            if (rv > 0)
                take_head(r, &head);
        }
        FUZZ_REQUIRE(in.ptr - bytes + (ptrdiff_t)in.len == (ptrdiff_t)len && (rv != 0 || in.len == 0));
    } while (rv > 0);
    FUZZ_REQUIRE(len == 0 || memcmp(before, bytes, len) == 0);
    free(before);
    return rv == 0;
}

static void run(const limits *l, weir_str stream, uint32_t cuts, reader *r)
{
    uint8_t *storage = fuzz_memory(l->storage);
    uint64_t offset;
    memset(r, 0, sizeof *r);
    r->limits = l;
    FUZZ_REQUIRE(weir_http_init(&r->http, l->kind, storage, l->storage, &l->cfg) == 0);
    fuzz_feed(stream.ptr, stream.len, cuts, feed, r);
    fuzz_error(&r->digest, weir_http_error(&r->http, &offset));
    fuzz_number(&r->digest, offset);
    fuzz_error(&r->digest, r->in_body ? weir_http_body_eof(&r->body) : 0);
    free(storage);
}

/* ---- The reference --------------------------------------------------------------------------------- */

/* Moves past a body. Returns what weir_http_body_eof must say if nothing comes behind it, else 0. */
static int pass_body(fuzz_digest *digest, const weir_http_head *head, weir_str *stream)
{
    uint8_t *body = fuzz_memory(stream->len);
    size_t len, at;
    int rv = http_reference_body_read(head->framing, head->body_len, *stream, body, &len, &at);
    fuzz_bytes(digest, body, len);
    free(body);
    if (rv == 0)
        return head->framing == WEIR_HTTP_UNTIL_CLOSE ? WEIR_HTTP_BODY_END : WEIR_ERR_HTTP_BODY_CUT;
    fuzz_error(digest, rv);
    fuzz_number(digest, at);
    *stream = (weir_str){stream->ptr + at, stream->len - at};
    return rv < 0 ? rv : 0;
}

static uint64_t run_reference(const limits *l, weir_str stream)
{
    static http_reference_head r;
    fuzz_digest digest = {0};
    uint64_t heads = 0;
    int rv = 0, ended = 0;
    bool more = true;
    while (more) {
        size_t at = 0;
        rv = http_reference_head_read(l->kind, l->storage, &l->cfg, stream, &r, &at);
        heads += rv != 0 ? at : stream.len;
        if (rv <= 0)
            break;
        stream = (weir_str){stream.ptr + at, stream.len - at};
        tell_head(&digest, &r.head);
        for (size_t i = 0; i < r.head.field_count; i++)
            tell_field(&digest, &r.fields[i]);
        ended = pass_body(&digest, &r.head, &stream);
        more = ended == 0;
        rv = 0;
    }
    fuzz_error(&digest, rv);
    fuzz_number(&digest, heads);
    fuzz_error(&digest, ended);
    return digest.hash;
}

void heads_try(weir_http_kind kind, const uint8_t *data, size_t size,
               void (*use)(const weir_http_head *head, fuzz_digest *digest))
{
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    limits l = {kind, {0, 0}, 0, use};
    l.cfg.max_target = (size_t)(fuzz_limit(&input, 0) & 0xFFFF);
    l.cfg.max_fields = (size_t)(fuzz_limit(&input, 0) & 0x7F);
    l.storage = (size_t)(fuzz_limit(&input, 1024) & 0x1FFF);
    l.storage = l.storage < 16 ? 16 : l.storage;

    weir_str stream = {input.at, input.left};
    reader whole, cut;
    run(&l, stream, 0, &whole);
    FUZZ_REQUIRE(whole.digest.hash == run_reference(&l, stream));
    run(&l, stream, cuts != 0 ? cuts : 1, &cut);
    FUZZ_REQUIRE(cut.digest.hash == whole.digest.hash);
    FUZZ_REQUIRE(cut.used.hash == whole.used.hash);
}
