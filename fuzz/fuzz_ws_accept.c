/* SPDX-License-Identifier: MIT */
/* fuzz_ws_accept.c - a server's opening handshake: any cut of the request gives the same verdict; a request
 * that is accepted has all that RFC 6455 4.2.1 asks for, and its answer says what was agreed, no more. */
#include "fuzz.h"
#include "http_reference.h"

typedef struct server {
    weir_deflate_policy policy;
    bool packs;
    const char *protocols[3];
    size_t protocol_count;
    uint8_t *storage;
    weir_http http;
    fuzz_digest digest;
    bool done;
} server;

/* The only field of a name; absent if there is none or more than one. */
static weir_str only(const weir_http_head *head, const char *name)
{
    weir_str value = {NULL, 0}, second;
    weir_http_fields walk = head->fields;
    if (!weir_http_fields_find(&walk, name, &value) || weir_http_fields_find(&walk, name, &second))
        value = (weir_str){NULL, 0};
    return value;
}

/* What RFC 6455 4.2.1 asks for, looked up another way than weir does. */
static void check_accepted(const weir_http_head *head, const weir_ws_request *req)
{
    FUZZ_REQUIRE(weir_str_is(head->method, "GET") && head->minor >= 1);
    FUZZ_REQUIRE(weir_http_fields_has(head->fields, "upgrade", "websocket"));
    FUZZ_REQUIRE(weir_http_fields_has(head->fields, "connection", "upgrade"));
    FUZZ_REQUIRE(weir_str_is(only(head, "sec-websocket-version"), "13"));
    FUZZ_REQUIRE(only(head, "sec-websocket-key").len == 24);
    FUZZ_REQUIRE(head->framing == WEIR_HTTP_NO_BODY ||
                 (head->framing == WEIR_HTTP_SIZED && head->body_len == 0));
    FUZZ_REQUIRE(fuzz_same(req->target, head->target) && fuzz_same(req->host, head->host));
    FUZZ_REQUIRE(strlen(req->accept) == 28);
}

/* The answer is a whole head with what was agreed on. */
static void check_answer(weir_str answer, const weir_ws_request *req, const weir_ws_accept *accept)
{
    uint8_t storage[1024], wanted[WEIR_DEFLATE_VALUE_MAX];
    weir_http http;
    weir_http_head head;
    uint8_t *bytes = fuzz_copy(answer.ptr, answer.len);
    weir_in in = {bytes, answer.len};
    FUZZ_REQUIRE(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL) == 0);
    FUZZ_REQUIRE(weir_http_next(&http, &in, &head) == 1 && in.len == 0);
    FUZZ_REQUIRE(head.status == 101 && head.minor == 1 && head.framing == WEIR_HTTP_NO_BODY);
    FUZZ_REQUIRE(weir_str_is_nocase(only(&head, "upgrade"), "websocket"));
    FUZZ_REQUIRE(weir_str_is_nocase(only(&head, "connection"), "upgrade"));
    FUZZ_REQUIRE(weir_str_is(only(&head, "sec-websocket-accept"), req->accept));
    weir_str protocol = only(&head, "sec-websocket-protocol");
    FUZZ_REQUIRE(accept->protocol != NULL ? weir_str_is(protocol, accept->protocol) : protocol.ptr == NULL);
    weir_str extension = only(&head, "sec-websocket-extensions");
    FUZZ_REQUIRE((accept->deflate != NULL) == (extension.ptr != NULL));
    if (accept->deflate != NULL) {
        weir_out out = {wanted, sizeof wanted};
        FUZZ_REQUIRE(weir_deflate_answer_write(&out, accept->deflate) == 0);
        FUZZ_REQUIRE(fuzz_same(extension, (weir_str){wanted, sizeof wanted - out.len}));
    }
    FUZZ_REQUIRE(head.field_count ==
                 3 + (size_t)(accept->protocol != NULL) + (accept->deflate != NULL) + accept->field_count);
    free(bytes);
}

static void answer(server *s, const weir_ws_request *req)
{
    static const weir_http_field cookie = {{(const uint8_t *)"Set-Cookie", 10}, {(const uint8_t *)"a=b", 3}};
    uint8_t bytes[WEIR_WS_ACCEPT_MAX + 64];
    weir_deflate_params params;
    weir_ws_accept accept = {NULL, &cookie, s->protocol_count & 1, NULL};
    int chosen = weir_ws_request_protocol(req, s->protocols, s->protocol_count);
    FUZZ_REQUIRE(chosen >= -1 && chosen < (int)s->protocol_count);
    if (chosen >= 0)
        accept.protocol = s->protocols[chosen];
    int rv = weir_deflate_negotiate(req->fields, &s->policy, &params);
    FUZZ_REQUIRE(rv == 0 || rv == 1); /* the list is well formed, or there would be no request */
    if (rv == 1 && s->packs)
        accept.deflate = &params;
    weir_out out = {bytes, sizeof bytes};
    FUZZ_REQUIRE(weir_ws_accept_write(&out, req, &accept) == 0);
    size_t size = sizeof bytes - out.len;
    fuzz_str(&s->digest, (weir_str){bytes, size});
    check_answer((weir_str){bytes, size}, req, &accept);

    weir_out tight = {bytes, size - 1};
    FUZZ_REQUIRE(weir_ws_accept_write(&tight, req, &accept) == WEIR_ERR_SPACE && tight.len == size - 1);
    accept.protocol = "never offered";
    FUZZ_REQUIRE(weir_ws_accept_write(&out, req, &accept) == WEIR_ERR_FIELD);
}

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    server *s = self;
    weir_in in = {bytes, len};
    weir_http_head head;
    weir_ws_request req;
    if (s->done) { /* what is behind the head belongs to the WebSocket */
        fuzz_bytes(&s->digest, bytes, len);
        return true;
    }
    int rv = weir_http_next(&s->http, &in, &head);
    if (rv < 0)
        fuzz_error(&s->digest, rv);
    if (rv <= 0)
        return rv == 0;
    rv = weir_ws_request_read(&head, &req);
    fuzz_error(&s->digest, rv);
    fuzz_number(&s->digest, (uint64_t)weir_http_origin_check(head.fields, weir_cstr("https://h")));
    if (rv == 0) {
        fuzz_str(&s->digest, req.origin);
        check_accepted(&head, &req);
        answer(s, &req);
    }
    s->done = true;
    if (rv == 0)
        fuzz_bytes(&s->digest, in.ptr, in.len);
    return rv == 0;
}

static uint64_t run(server s, weir_str stream, uint32_t cuts)
{
    const size_t size = 2048;
    s.storage = fuzz_memory(size);
    FUZZ_REQUIRE(weir_http_init(&s.http, WEIR_HTTP_REQUEST, s.storage, size, NULL) == 0);
    fuzz_feed(stream.ptr, stream.len, cuts, feed, &s);
    free(s.storage);
    return s.digest.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"chat", "superchat", "b"};
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    uint8_t options = fuzz_byte(&input);
    server s;
    memset(&s, 0, sizeof s);
    s.packs = (options & 1) == 0;
    s.policy.server_no_takeover = (options & 2) != 0;
    s.policy.client_no_takeover = (options & 4) != 0;
    s.policy.server_bits = fuzz_byte(&input) % 20;
    s.policy.client_bits = fuzz_byte(&input) % 20;
    uint8_t which = fuzz_byte(&input);
    s.protocol_count = 3 - which % 4;
    for (size_t i = 0; i < 3; i++)
        s.protocols[i] = names[(i + which / 4) % 3];
    weir_str stream = {input.at, input.left};
    uint64_t whole = run(s, stream, 0);
    FUZZ_REQUIRE(run(s, stream, cuts != 0 ? cuts : 1) == whole);
    return 0;
}
