/* SPDX-License-Identifier: MIT */
/* fuzz_http_body.c - bodies: any cut gives what a slow reader gives, and what the writer writes in chunks
 * comes back byte by byte. */
#include "fuzz.h"
#include "http_reference.h"

typedef struct reader {
    weir_http_body body;
    fuzz_digest digest;
    uint64_t taken;
    size_t len;
} reader;

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    reader *r = self;
    weir_in in = {bytes, len};
    weir_str data;
    int rv;
    do {
        rv = weir_http_body_next(&r->body, &in, &data);
        fuzz_bytes(&r->digest, data.ptr, data.len);
        r->len += data.len;
    } while (rv == WEIR_HTTP_BODY_DATA);
    FUZZ_REQUIRE(rv != 0 || in.len == 0);
    r->taken += (size_t)(in.ptr - bytes);
    return rv == 0;
}

static reader run(weir_http_framing framing, uint64_t size, weir_str stream, uint32_t cuts)
{
    reader r;
    weir_in nothing = {NULL, 0};
    weir_str data;
    memset(&r, 0, sizeof r);
    weir_http_body_init(&r.body, framing, size);
    fuzz_feed(stream.ptr, stream.len, cuts, feed, &r);
    fuzz_number(&r.digest, r.taken);
    fuzz_error(&r.digest, weir_http_body_next(&r.body, &nothing, &data));
    fuzz_error(&r.digest, weir_http_body_eof(&r.body));
    return r;
}

static uint64_t run_reference(weir_http_framing framing, uint64_t size, weir_str stream)
{
    fuzz_digest digest = {0};
    size_t len, at;
    uint8_t *body = fuzz_memory(stream.len);
    int rv = http_reference_body_read(framing, size, stream, body, &len, &at);
    fuzz_bytes(&digest, body, len);
    fuzz_number(&digest, at);
    fuzz_error(&digest, rv);
    if (rv == 0)
        rv = framing == WEIR_HTTP_UNTIL_CLOSE ? WEIR_HTTP_BODY_END : WEIR_ERR_HTTP_BODY_CUT;
    fuzz_error(&digest, rv);
    free(body);
    return digest.hash;
}

/* Writes the bytes in chunks whose sizes follow from `cuts`, and reads them. */
static void round_trip(weir_str text, uint32_t cuts)
{
    uint8_t *bytes = fuzz_memory(text.len * (1 + WEIR_HTTP_CHUNK_OVERHEAD) + 5);
    weir_out out = {bytes, text.len * (1 + WEIR_HTTP_CHUNK_OVERHEAD) + 5};
    uint32_t state = 0;
    fuzz_digest digest = {0};
    fuzz_bytes(&digest, text.ptr, text.len);
    for (size_t at = 0; at < text.len;) {
        size_t len = fuzz_piece(cuts, &state, text.len - at);
        weir_out tight = {out.ptr, len != 0 ? len + 4 : 0}; /* less than the chunk takes */
        weir_str chunk = {text.ptr + at, len};
        FUZZ_REQUIRE(weir_http_chunk_put(&tight, chunk) == (len != 0 ? WEIR_ERR_SPACE : WEIR_ERR_ARG));
        FUZZ_REQUIRE(weir_http_chunk_put(&out, chunk) == (len != 0 ? 0 : WEIR_ERR_ARG));
        at += len;
    }
    FUZZ_REQUIRE(weir_http_chunk_end(&out) == 0);
    weir_str stream = {bytes, (size_t)(out.ptr - bytes)};
    reader r = run(WEIR_HTTP_CHUNKED, 0, stream, cuts ^ 0x155);
    FUZZ_REQUIRE(r.len == text.len && r.taken == stream.len);
    fuzz_number(&digest, r.taken);
    fuzz_error(&digest, WEIR_HTTP_BODY_END);
    fuzz_error(&digest, WEIR_HTTP_BODY_END);
    FUZZ_REQUIRE(r.digest.hash == digest.hash);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const weir_http_framing framings[] = {WEIR_HTTP_CHUNKED, WEIR_HTTP_SIZED, WEIR_HTTP_UNTIL_CLOSE,
                                                 WEIR_HTTP_NO_BODY};
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    weir_http_framing framing = framings[fuzz_byte(&input) & 3];
    uint64_t len = fuzz_limit(&input, 0);
    weir_str stream = {input.at, input.left};
    uint64_t wanted = run_reference(framing, len, stream);
    FUZZ_REQUIRE(run(framing, len, stream, 0).digest.hash == wanted);
    FUZZ_REQUIRE(run(framing, len, stream, cuts != 0 ? cuts : 1).digest.hash == wanted);
    round_trip(stream, cuts);
    return 0;
}
