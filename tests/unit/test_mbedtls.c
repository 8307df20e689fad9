/* SPDX-License-Identifier: MIT */
/* test_mbedtls.c - the mbedTLS backend when mbedTLS fails, as only an accelerator's driver can: built with
 * MBEDTLS=1, with a SHA-1 of its own in place of the library's. */
#include "base/sha1.h"
#include "check.h"
#include "weir/ws.h"

#include <mbedtls/sha1.h>
#include <mbedtls/version.h>

static unsigned asked;

static int sha1_fails(unsigned char output[20])
{
    asked++;
    memset(output, 0x55, 20); /* a part of a digest, perhaps */
    return -1;
}

#if MBEDTLS_VERSION_MAJOR >= 3
int mbedtls_sha1(const unsigned char *input, size_t len, unsigned char output[20])
#else
int mbedtls_sha1_ret(const unsigned char *input, size_t len, unsigned char output[20])
#endif
{
    (void)input, (void)len;
    return sha1_fails(output);
}

static void test_no_digest(void **state)
{
    (void)state;
    static const uint8_t zeros[20] = {0};
    uint8_t text[64] = {0}, digest[20];
    memset(digest, 0x77, sizeof digest);
    weiri_sha1(text, digest);
    assert_int_equal(asked, 1);
    assert_memory_equal(digest, zeros, 20);
}

/* The handshake goes on with a value that no client takes. */
static void test_handshake(void **state)
{
    (void)state;
    const weir_http_field list[] = {
        {weir_cstr("upgrade"), weir_cstr("websocket")},
        {weir_cstr("connection"), weir_cstr("upgrade")},
        {weir_cstr("sec-websocket-version"), weir_cstr("13")},
        {weir_cstr("sec-websocket-key"), weir_cstr("dGhlIHNhbXBsZSBub25jZQ==")},
    };
    weir_http_head head;
    weir_ws_request req;
    memset(&head, 0, sizeof head);
    head.kind = WEIR_HTTP_REQUEST;
    head.minor = 1;
    head.method = weir_cstr("GET");
    head.target = weir_cstr("/");
    head.fields = (weir_http_fields){{NULL, 0}, list, 4};
    assert_int_equal(weir_ws_request_read(&head, &req), 0);
    assert_string_equal(req.accept, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_digest),
        cmocka_unit_test(test_handshake),
    };
    return cmocka_run_group_tests_name("mbedtls", tests, NULL, NULL);
}
