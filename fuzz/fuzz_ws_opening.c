/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ws_opening.c - a client's opening handshake: what it writes a server accepts; any cut of the answer
 * gives the same verdict; and an answer that is taken chose only what was offered.
 *
 * The answer is the input's, with the byte \x1F for the value of Sec-WebSocket-Accept; or only its extensions
 * are; or weir's own server writes it, and then both sides must agree.
 */
#include "fuzz.h"

enum { ACCEPT_MARK = 0x1F };

typedef struct client {
    weir_ws_opening opening;
    weir_ws_offer offer;
    weir_deflate_policy policy;
    const char *protocols[3];
    weir_http_field field;
    weir_http http;
    fuzz_digest digest;
    weir_ws_choice choice;
    bool done;
    int verdict; /* of the last head */
} client;

/* ---- The request ----------------------------------------------------------------------------------- */

static size_t ask(client *c, uint8_t *bytes, size_t room)
{
    uint32_t random = 5;
    weir_entropy entropy;
    weir_http_uri uri;
    weir_out out = {bytes, room};
    FUZZ_REQUIRE(weir_http_uri_parse(weir_cstr("ws://h:81/a?b"), &uri) == 0);
    FUZZ_REQUIRE(weir_entropy_init(&entropy, fuzz_fill, &random) == 0);
    FUZZ_REQUIRE(weir_ws_opening_write(&c->opening, &out, &uri, &c->offer, &entropy) == 0);
    return room - out.len;
}

/* A server of ours takes the request and answers it. Returns the answer's length. */
static size_t serve(const client *c, weir_str request, const weir_deflate_policy *policy, uint8_t *bytes,
                    size_t room, weir_deflate_params *params, int *protocol)
{
    static const char *const spoken[] = {"b", "chat"};
    uint8_t storage[1024];
    weir_http http;
    weir_http_head head;
    weir_ws_request req;
    uint8_t *copy = fuzz_copy(request.ptr, request.len);
    weir_in in = {copy, request.len};
    weir_ws_accept accept = {NULL, NULL, 0, NULL};
    weir_out out = {bytes, room};
    FUZZ_REQUIRE(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL) == 0);
    FUZZ_REQUIRE(weir_http_next(&http, &in, &head) == 1 && in.len == 0);
    FUZZ_REQUIRE(weir_ws_request_read(&head, &req) == 0);
    int chosen = weir_ws_request_protocol(&req, spoken, 2);
    *protocol = -1;
    for (size_t i = 0; i < c->offer.protocol_count; i++)
        if (chosen >= 0 && strcmp(c->protocols[i], spoken[chosen]) == 0)
            *protocol = (int)i;
    FUZZ_REQUIRE((chosen >= 0) == (*protocol >= 0));
    if (chosen >= 0)
        accept.protocol = spoken[chosen];
    int rv = weir_deflate_negotiate(req.fields, policy, params);
    FUZZ_REQUIRE(rv == (c->offer.deflate != NULL)); /* no offer of ours is one that cannot be met */
    if (rv == 1)
        accept.deflate = params;
    FUZZ_REQUIRE(weir_ws_accept_write(&out, &req, &accept) == 0);
    free(copy);
    return room - out.len;
}

/* ---- The answer ------------------------------------------------------------------------------------ */

/* An answer that is taken is what RFC 6455 4.1 and RFC 7692 7.1 let a server say. */
static void check_choice(const client *c)
{
    const weir_ws_choice *choice = &c->choice;
    const weir_deflate_policy *policy = c->offer.deflate;
    FUZZ_REQUIRE(choice->protocol >= -1 && choice->protocol < (int)c->offer.protocol_count);
    FUZZ_REQUIRE(choice->protocol >= 0 || c->offer.protocol_count == 0 || c->offer.protocol_optional);
    if (!choice->deflated)
        return;
    FUZZ_REQUIRE(policy != NULL);
    unsigned server_most = policy->server_bits >= 8 && policy->server_bits <= 15 ? policy->server_bits : 15;
    unsigned client_most = policy->client_bits >= 8 && policy->client_bits <= 15 ? policy->client_bits : 15;
    FUZZ_REQUIRE(choice->deflate.server_bits >= 8 && choice->deflate.server_bits <= server_most);
    FUZZ_REQUIRE(choice->deflate.client_bits >= 8 && choice->deflate.client_bits <= client_most);
    FUZZ_REQUIRE(!policy->server_no_takeover || choice->deflate.server_no_takeover);
    FUZZ_REQUIRE(!policy->client_no_takeover || choice->deflate.client_no_takeover);
}

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    client *c = self;
    weir_in in = {bytes, len};
    weir_http_head head;
    while (!c->done) {
        int rv = weir_http_next(&c->http, &in, &head);
        if (rv < 0)
            fuzz_error(&c->digest, rv);
        if (rv <= 0)
            return rv == 0;
        c->verdict = weir_ws_opening_read(&c->opening, &head, &c->choice);
        fuzz_error(&c->digest, c->verdict);
        fuzz_number(&c->digest, head.status);
        c->done = c->verdict != 0;
        FUZZ_REQUIRE(c->verdict != 1 || head.status == 101);
    }
    if (c->verdict == 1)
        fuzz_bytes(&c->digest, in.ptr, in.len);
    return c->verdict == 1;
}

static client answered(const client *given, weir_str stream, uint32_t cuts)
{
    client c = *given;
    uint8_t *storage = fuzz_memory(1024);
    FUZZ_REQUIRE(weir_http_init(&c.http, WEIR_HTTP_RESPONSE, storage, 1024, NULL) == 0);
    fuzz_feed(stream.ptr, stream.len, cuts, feed, &c);
    if (c.verdict == 1) {
        check_choice(&c);
        fuzz_number(&c.digest, (uint64_t)(int64_t)c.choice.protocol);
        fuzz_number(&c.digest, c.choice.deflated);
        fuzz_number(&c.digest, (uint64_t)c.choice.deflate.server_bits << 8 | c.choice.deflate.client_bits);
    }
    free(storage);
    return c;
}

static void try_input(const client *c, weir_str text, uint32_t cuts)
{
    uint8_t *stream = fuzz_memory(28 * text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool mark = text.ptr[i] == ACCEPT_MARK;
        memcpy(stream + len, mark ? (const uint8_t *)c->opening.accept_ : text.ptr + i, mark ? 28 : 1);
        len += mark ? 28 : 1;
    }
    uint64_t whole = answered(c, (weir_str){stream, len}, 0).digest.hash;
    FUZZ_REQUIRE(answered(c, (weir_str){stream, len}, cuts != 0 ? cuts : 1).digest.hash == whole);
    free(stream);
}

/* A good answer, but for the extensions that the input has chosen. */
static void try_extensions(const client *c, weir_str text, uint32_t cuts)
{
    static const char before[] = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: \x1F\r\nSec-WebSocket-Extensions: ";
    const size_t len = sizeof before - 1;
    uint8_t *answer = fuzz_memory(len + text.len + 4);
    memcpy(answer, before, len);
    memcpy(answer + len, text.ptr, text.len);
    memcpy(answer + len + text.len, "\r\n\r\n", 4);
    try_input(c, (weir_str){answer, len + text.len + 4}, cuts);
    free(answer);
}

static void try_server(const client *c, weir_str request, const weir_deflate_policy *policy, uint32_t cuts)
{
    uint8_t bytes[1024];
    weir_deflate_params params;
    int protocol;
    size_t len = serve(c, request, policy, bytes, sizeof bytes, &params, &protocol);
    client good = answered(c, (weir_str){bytes, len}, cuts);
    bool refuses = protocol < 0 && c->offer.protocol_count != 0 && !c->offer.protocol_optional;
    FUZZ_REQUIRE(good.verdict == (refuses ? WEIR_ERR_WS_CHOICE : 1));
    if (refuses)
        return;
    FUZZ_REQUIRE(good.choice.protocol == protocol && good.choice.deflated == (c->offer.deflate != NULL));
    if (!good.choice.deflated)
        return;
    /* Neither side may use a window larger than the other has, nor keep what the other forgets. */
    FUZZ_REQUIRE(params.server_bits <= good.choice.deflate.server_bits);
    FUZZ_REQUIRE(good.choice.deflate.client_bits <= params.client_bits);
    FUZZ_REQUIRE(params.server_no_takeover == good.choice.deflate.server_no_takeover);
    FUZZ_REQUIRE(!params.client_no_takeover || good.choice.deflate.client_no_takeover);
}

/* 0, the default, or 9 to 15. */
static uint8_t window(uint8_t byte)
{
    return byte % 8 != 0 ? (uint8_t)(8 + byte % 8) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"superchat", "chat", "x"};
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    uint8_t options = fuzz_byte(&input), bits = fuzz_byte(&input), bytes[1024];
    client c;
    weir_deflate_policy theirs = {0, 0, false, false};
    memset(&c, 0, sizeof c);
    c.policy.server_bits = window(bits);
    c.policy.client_bits = window(fuzz_byte(&input));
    c.policy.server_no_takeover = (options & 1) != 0;
    c.policy.client_no_takeover = (options & 2) != 0;
    c.offer.deflate = (options & 4) != 0 ? &c.policy : NULL;
    c.offer.protocol_optional = (options & 8) != 0;
    c.offer.protocols = c.protocols;
    c.offer.protocol_count = options >> 6;
    for (size_t i = 0; i < 3; i++)
        c.protocols[i] = names[(i + (options >> 4)) % 3];
    c.field = (weir_http_field){weir_cstr("Origin"), weir_cstr("http://h")};
    c.offer.fields = &c.field;
    c.offer.field_count = (options >> 5) & 1;
    theirs.server_bits = window(fuzz_byte(&input));
    theirs.client_bits = window(fuzz_byte(&input));
    theirs.server_no_takeover = (bits & 32) != 0;
    theirs.client_no_takeover = (bits & 64) != 0;
    (void)fuzz_byte(&input);
    weir_str request = {bytes, ask(&c, bytes, sizeof bytes)};
    try_server(&c, request, &theirs, cuts);
    try_input(&c, (weir_str){input.at, input.left}, cuts);
    try_extensions(&c, (weir_str){input.at, input.left}, cuts);
    return 0;
}
