/* SPDX-License-Identifier: MIT */
/* fuzz_http_request.c - requests and their bodies: any cut gives what a slow reader of the whole stream
 * gives; whatever takes a head takes any head, and answers it with a reply that a parser takes. */
#include "heads.h"

/* A refusal is a response of its own with a body of the size that it says. */
static void refuse(const weir_http_head *head, int err, fuzz_digest *digest)
{
    uint8_t bytes[WEIR_HTTP_ERROR_REPLY_MAX], storage[WEIR_HTTP_ERROR_REPLY_MAX];
    weir_http_reply more;
    weir_http http;
    weir_http_head reply;
    weir_out out = {bytes, sizeof bytes};
    memset(&more, 0, sizeof more);
    more.flags = weir_str_is(head->method, "HEAD") ? WEIR_HTTP_HEAD_ONLY : 0;
    FUZZ_REQUIRE(weir_http_error_reply(&out, err, &more) == 0);
    weir_in in = {bytes, sizeof bytes - out.len};
    fuzz_str(digest, (weir_str){in.ptr, in.len});
    FUZZ_REQUIRE(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL) == 0);
    FUZZ_REQUIRE(weir_http_next(&http, &in, &reply) == 1);
    FUZZ_REQUIRE(reply.status == weir_err_lookup(err)->status && !reply.keep_alive);
    FUZZ_REQUIRE(reply.framing == WEIR_HTTP_SIZED && reply.body_len != 0);
    FUZZ_REQUIRE(in.len == (more.flags != 0 ? 0 : reply.body_len));
}

static void use(const weir_http_head *head, fuzz_digest *digest)
{
    weir_str path, query;
    weir_sse_request sse;
    weir_ws_request ws;
    int rv = weir_http_target_split(head->target, &path, &query);
    fuzz_error(digest, rv);
    if (rv == 0) {
        FUZZ_REQUIRE(path.len >= 1 && path.ptr[0] == '/' && memchr(path.ptr, '?', path.len) == NULL);
        fuzz_str(digest, path);
        fuzz_str(digest, query);
    }
    fuzz_number(digest, (uint64_t)weir_http_origin_check(head->fields, weir_cstr("http://a.b:80")));
    fuzz_number(digest, weir_http_fields_has(head->fields, "upgrade", "websocket"));

    for (uint32_t flags = 0; flags <= WEIR_SSE_ALLOW_POST; flags++) {
        rv = weir_sse_request_read(head, flags, &sse);
        fuzz_error(digest, rv);
        if (rv < 0) {
            refuse(head, rv, digest);
            continue;
        }
        FUZZ_REQUIRE(sse.head_only == weir_str_is(head->method, "HEAD") && sse.chunked == (head->minor != 0));
        FUZZ_REQUIRE(sse.close == (!sse.chunked || !head->keep_alive));
        FUZZ_REQUIRE(sse.last_event_id.len <= WEIR_SSE_LAST_ID_MAX && weir_utf8_valid(sse.last_event_id));
        fuzz_str(digest, sse.last_event_id);
    }
    rv = weir_ws_request_read(head, &ws);
    fuzz_error(digest, rv);
    if (rv < 0)
        refuse(head, rv, digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    heads_try(WEIR_HTTP_REQUEST, data, size, use);
    return 0;
}
