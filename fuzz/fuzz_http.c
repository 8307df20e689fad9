/* SPDX-License-Identifier: MIT */
/* fuzz_http.c - heads, bodies and both handshakes' checks: any cut gives the same results. */
#include "fuzz.h"

typedef struct machine {
    weir_http http;
    weir_http_body body;
    bool in_body;
    fuzz_digest digest;
    uint8_t storage[512];
} machine;

static void digest_str(fuzz_digest *digest, weir_str str)
{
    fuzz_number(digest, str.len);
    fuzz_bytes(digest, str.ptr, str.len);
}

/* Everything that takes a head must take any head. */
static void use_head(machine *m, const weir_http_head *head)
{
    weir_ws_request ws;
    weir_sse_request sse;
    weir_http_fields walk = head->fields;
    weir_http_field field;
    size_t count = 0;
    while (weir_http_fields_next(&walk, &field)) {
        digest_str(&m->digest, field.name);
        digest_str(&m->digest, field.value);
        count++;
    }
    FUZZ_REQUIRE(count == head->field_count);
    digest_str(&m->digest, head->method);
    digest_str(&m->digest, head->target);
    digest_str(&m->digest, head->reason);
    fuzz_number(&m->digest, head->status);
    fuzz_number(&m->digest, (uint64_t)weir_http_origin_check(head->fields, weir_cstr("http://a.b:80")));
    fuzz_number(&m->digest, (uint64_t)(int64_t)weir_sse_request_read(head, WEIR_SSE_ALLOW_POST, &sse));

    int rv = weir_ws_request_read(head, &ws);
    fuzz_number(&m->digest, (uint64_t)(int64_t)rv);
    uint8_t bytes[1024];
    weir_out out = {bytes, sizeof bytes};
    const char *const names[] = {"chat", "b"};
    if (rv == 0) {
        int chosen = weir_ws_request_protocol(&ws, names, 2);
        weir_ws_accept accept = {chosen >= 0 ? names[chosen] : NULL, NULL, 0, NULL};
        FUZZ_REQUIRE(weir_ws_accept_write(&out, &ws, &accept) == 0);
        fuzz_bytes(&m->digest, bytes, sizeof bytes - out.len);
    } else {
        FUZZ_REQUIRE(weir_http_error_reply(&out, rv, NULL) == 0);
    }
}

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    machine *m = self;
    weir_in in = {bytes, len};
    for (;;) {
        weir_http_head head;
        weir_str data;
        int rv;
        if (m->in_body) {
            rv = weir_http_body_next(&m->body, &in, &data);
            if (rv == WEIR_HTTP_BODY_END)
                m->in_body = false;
            fuzz_bytes(&m->digest, data.ptr, data.len);
        } else {
            rv = weir_http_next(&m->http, &in, &head);
            if (rv > 0) {
                use_head(m, &head);
                weir_http_body_init(&m->body, head.framing, head.body_len);
                m->in_body = true;
            }
        }
        if (rv < 0)
            fuzz_number(&m->digest, (uint64_t)(int64_t)rv);
        if (rv <= 0)
            return rv == 0;
    }
}

static uint64_t run(const uint8_t *data, size_t size, uint8_t options, uint32_t seed)
{
    machine m;
    weir_http_cfg cfg = {(options & 2) != 0 ? 20 : 0, (options & 4) != 0 ? 3 : 0};
    uint64_t offset;
    memset(&m, 0, sizeof m);
    weir_http_kind kind = (options & 1) != 0 ? WEIR_HTTP_RESPONSE : WEIR_HTTP_REQUEST;
    FUZZ_REQUIRE(weir_http_init(&m.http, kind, m.storage, sizeof m.storage, &cfg) == 0);
    fuzz_feed(data, size, seed, feed, &m);
    fuzz_number(&m.digest, (uint64_t)(int64_t)weir_http_error(&m.http, &offset));
    fuzz_number(&m.digest, offset);
    fuzz_number(&m.digest, (uint64_t)(int64_t)weir_http_body_eof(&m.body));
    return m.digest.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint64_t whole = run(data + 2, size - 2, data[0], 0);
    FUZZ_REQUIRE(run(data + 2, size - 2, data[0], 1u + data[1]) == whole);
    return 0;
}
