/* SPDX-License-Identifier: MIT */
/* test_ws_handshake_deflate.c - permessage-deflate in both opening handshakes: offer, 101, choice. */
#include "check.h"
#include "harness.h"
#include "weir/ws.h"

static int fill(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    memset(dst, 0x5A, len);
    return 0;
}

static void head_of(weir_http_head *head, weir_http_kind kind, uint8_t *bytes, size_t len)
{
    static uint8_t storage[2048];
    weir_http http;
    weir_in in = {bytes, len};
    assert_int_equal(weir_http_init(&http, kind, storage, sizeof storage, NULL), 0);
    assert_int_equal(weir_http_next(&http, &in, head), 1);
    assert_int_equal(in.len, 0);
}

/* The value of the field that is there once, or an absent one. */
static weir_str extensions_of(const weir_http_head *head)
{
    weir_http_fields walk = head->fields;
    weir_str value, second;
    if (!weir_http_fields_find(&walk, "Sec-WebSocket-Extensions", &value))
        return (weir_str){NULL, 0};
    assert_false(weir_http_fields_find(&walk, "Sec-WebSocket-Extensions", &second));
    return value;
}

/* A client with `offer` opens, a server with `policy` answers. What stands in the two heads, and what the
 * client makes of it, is what was wanted; NULL: no such field. */
static void handshake(const weir_deflate_policy *offered, const weir_deflate_policy *policy,
                      const char *offer_text, const char *answer_text)
{
    uint8_t request[1024], answer[1024];
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    weir_ws_offer offer;
    weir_http_head head;
    weir_ws_request req;
    weir_deflate_params params;
    memset(&offer, 0, sizeof offer);
    offer.deflate = offered;
    assert_int_equal(weir_entropy_init(&entropy, fill, NULL), 0);
    assert_int_equal(weir_http_uri_parse(weir_cstr("ws://h/"), &uri), 0);
    weir_out out = {request, sizeof request};
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), 0);
    head_of(&head, WEIR_HTTP_REQUEST, request, sizeof request - out.len);
    weir_str value = extensions_of(&head);
    if (offer_text == NULL)
        assert_null(value.ptr);
    else
        assert_str(value, offer_text);

    weir_ws_accept accept;
    memset(&accept, 0, sizeof accept);
    assert_int_equal(weir_ws_request_read(&head, &req), 0);
    if (policy != NULL && weir_deflate_negotiate(head.fields, policy, &params) == 1)
        accept.deflate = &params;
    out = (weir_out){answer, sizeof answer};
    assert_int_equal(weir_ws_accept_write(&out, &req, &accept), 0);
    head_of(&head, WEIR_HTTP_RESPONSE, answer, sizeof answer - out.len);
    value = extensions_of(&head);
    if (answer_text == NULL)
        assert_null(value.ptr);
    else
        assert_str(value, answer_text);

    weir_ws_choice choice;
    memset(&choice, 0x55, sizeof choice);
    assert_int_equal(weir_ws_opening_read(&opening, &head, &choice), 1);
    assert_int_equal(choice.protocol, -1);
    assert_int_equal(choice.deflated, answer_text != NULL);
    assert_int_equal(choice.deflate.server_bits, answer_text != NULL ? params.server_bits : 0);
    assert_int_equal(choice.deflate.client_bits, answer_text != NULL ? params.client_bits : 0);
    assert_int_equal(choice.deflate.server_no_takeover, answer_text != NULL && params.server_no_takeover);
    assert_int_equal(choice.deflate.client_no_takeover, answer_text != NULL && params.client_no_takeover);
}

static void test_handshakes(void **state)
{
    static const weir_deflate_policy any = {0, 0, false, false};
    static const weir_deflate_policy small = {10, 11, true, true};
    (void)state;
    handshake(NULL, NULL, NULL, NULL);
    handshake(NULL, &any, NULL, NULL);
    handshake(&any, NULL, "permessage-deflate; client_max_window_bits", NULL);
    handshake(&any, &any, "permessage-deflate; client_max_window_bits", "permessage-deflate");
    handshake(&any, &small, "permessage-deflate; client_max_window_bits",
              "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
              "server_max_window_bits=10; client_max_window_bits=11");
    handshake(&small, &any,
              "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
              "server_max_window_bits=10; client_max_window_bits=11",
              "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
              "server_max_window_bits=10; client_max_window_bits=11");
}

/* A server that answers with what was not offered. */
static void test_answer_without_offer(void **state)
{
    (void)state;
    uint8_t request[1024], answer[1024];
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    weir_http_head head;
    weir_ws_request req;
    weir_ws_choice choice;
    const weir_deflate_params params = {15, 15, false, false, false, false};
    assert_int_equal(weir_entropy_init(&entropy, fill, NULL), 0);
    assert_int_equal(weir_http_uri_parse(weir_cstr("ws://h/"), &uri), 0);
    weir_out out = {request, sizeof request};
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
    head_of(&head, WEIR_HTTP_REQUEST, request, sizeof request - out.len);
    assert_int_equal(weir_ws_request_read(&head, &req), 0);
    const weir_ws_accept accept = {.deflate = &params};
    out = (weir_out){answer, sizeof answer};
    assert_int_equal(weir_ws_accept_write(&out, &req, &accept), 0);
    head_of(&head, WEIR_HTTP_RESPONSE, answer, sizeof answer - out.len);
    assert_int_equal(weir_ws_opening_read(&opening, &head, &choice), WEIR_ERR_WS_EXTENSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshakes),
        cmocka_unit_test(test_answer_without_offer),
    };
    return cmocka_run_group_tests_name("ws_handshake_deflate", tests, NULL, NULL);
}
