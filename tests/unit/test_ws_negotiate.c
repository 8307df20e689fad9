/* SPDX-License-Identifier: MIT */
/* test_ws_negotiate.c - permessage-deflate: which offers and answers are accepted, and what is written. */
#include "harness.h"
#include "weir/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static weir_http_fields one_field(weir_http_field *field, weir_str value)
{
    *field = (weir_http_field){weir_cstr("Sec-WebSocket-Extensions"), value};
    return (weir_http_fields){{NULL, 0}, field, 1};
}

/* The answer of a server to an offer, as text. */
static const char *answer_to(weir_str value, const weir_deflate_policy *policy)
{
    static char text[WEIR_DEFLATE_VALUE_MAX + 1];
    weir_http_field field;
    weir_deflate_params params;
    int rv = weir_deflate_negotiate(one_field(&field, value), policy, &params);
    if (rv <= 0)
        return rv == 0 ? "none" : weir_err_lookup(rv)->name;
    weir_out out = {(uint8_t *)text, WEIR_DEFLATE_VALUE_MAX};
    assert_int_equal(weir_deflate_answer_write(&out, &params), 0);
    text[WEIR_DEFLATE_VALUE_MAX - out.len] = '\0';
    return text;
}

/* The field's bytes lie against unmapped memory at both ends: nothing is read beyond them. */
static void check_offer(const vector *v)
{
    for (int at_start = 0; at_start < 2; at_start++) {
        uint8_t *copy = guard_copy(v->stream, v->len, at_start != 0);
        const char *answer = answer_to((weir_str){copy, v->len}, NULL);
        size_t len = strlen(answer);
        if (strlen(v->expected) != len + 1 || memcmp(v->expected, answer, len) != 0)
            fail_msg("line %d, %s: %s", v->line, v->title, answer);
        guard_free(copy);
    }
}

static void test_offers(void **state)
{
    (void)state;
    assert_true(vectors_each("ws_offers.txt", check_offer) > 50);
}

static void test_server_policy(void **state)
{
    (void)state;
    weir_deflate_policy policy = {10, 11, true, true};
    assert_string_equal(answer_to(weir_cstr("permessage-deflate"), &policy),
                        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                        "server_max_window_bits=10");
    assert_string_equal(answer_to(weir_cstr("permessage-deflate; client_max_window_bits"), &policy),
                        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                        "server_max_window_bits=10; client_max_window_bits=11");
    policy = (weir_deflate_policy){0, 11, false, false};
    assert_string_equal(answer_to(weir_cstr("permessage-deflate; client_max_window_bits=9"), &policy),
                        "permessage-deflate; client_max_window_bits=9");
    assert_string_equal(answer_to(weir_cstr("permessage-deflate; server_max_window_bits=12"), &policy),
                        "permessage-deflate; server_max_window_bits=12");
}

/* Of the two sizes the smaller one; what is no size stands for 15. */
static void test_least_windows(void **state)
{
    (void)state;
    static const struct {
        uint8_t server, client;
        const char *answer;
    } rows[] = {
        {0, 0, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=13"},
        {10, 11, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11"},
        {13, 14, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=13"},
        {9, 9, "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9"},
        {8, 8, "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8"},
        {7, 7, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=13"},
        {16, 16, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=13"},
        {255, 255, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=13"},
    };
    static const struct {
        uint8_t bits;
        const char *answer;
    } unasked[] = {
        {14, "permessage-deflate; server_max_window_bits=14; client_max_window_bits=14"},
        {15, "permessage-deflate"},
        {16, "permessage-deflate"},
        {17, "permessage-deflate"},
    };
    weir_str both = weir_cstr("permessage-deflate; server_max_window_bits=12; client_max_window_bits=13");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_deflate_policy policy = {rows[i].server, rows[i].client, false, false};
        assert_string_equal(answer_to(both, &policy), rows[i].answer);
    }
    for (size_t i = 0; i < sizeof unasked / sizeof *unasked; i++) {
        weir_deflate_policy policy = {unasked[i].bits, unasked[i].bits, false, false};
        assert_string_equal(answer_to(weir_cstr("permessage-deflate; client_max_window_bits"), &policy),
                            unasked[i].answer);
    }
}

static void test_params_of_an_offer(void **state)
{
    (void)state;
    weir_http_field field;
    weir_deflate_params params;
    weir_str offer = weir_cstr("permessage-deflate; server_max_window_bits=10; client_max_window_bits=9");
    assert_int_equal(weir_deflate_negotiate(one_field(&field, offer), NULL, &params), 1);
    assert_int_equal(params.server_bits, 10);
    assert_int_equal(params.client_bits, 9);
    assert_false(params.server_no_takeover || params.client_no_takeover);
    /* A client that did not say it could limit its window may use all of it, whatever we wish. */
    weir_deflate_policy policy = {0, 9, false, false};
    assert_int_equal(
        weir_deflate_negotiate(one_field(&field, weir_cstr("permessage-deflate")), &policy, &params), 1);
    assert_int_equal(params.client_bits, 15);
    policy = (weir_deflate_policy){16, 16, false, false}; /* there is no such window */
    weir_str open = weir_cstr("permessage-deflate; client_max_window_bits");
    assert_int_equal(weir_deflate_negotiate(one_field(&field, open), &policy, &params), 1);
    assert_int_equal(params.server_bits, 15);
    assert_int_equal(params.client_bits, 15);
}

/* Offers may stand in several fields (RFC 6455 9.1). */
static void test_offers_in_two_fields(void **state)
{
    (void)state;
    weir_deflate_params params;
    weir_http_field fields[] = {
        {weir_cstr("sec-websocket-extensions"), weir_cstr("permessage-deflate; server_max_window_bits=8")},
        {weir_cstr("host"), weir_cstr("a")},
        {weir_cstr("SEC-WEBSOCKET-EXTENSIONS"), weir_cstr("permessage-deflate; client_no_context_takeover")},
    };
    assert_int_equal(weir_deflate_negotiate((weir_http_fields){{NULL, 0}, fields, 3}, NULL, &params), 1);
    assert_true(params.client_no_takeover);
    assert_int_equal(params.server_bits, 15);
}

static void test_client_offer(void **state)
{
    (void)state;
    uint8_t bytes[WEIR_DEFLATE_VALUE_MAX];
    static const struct {
        weir_deflate_policy policy;
        const char *offer;
    } rows[] = {
        {{0, 0, false, false}, "permessage-deflate; client_max_window_bits"},
        {{10, 0, true, false},
         "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits"},
        {{14, 14, false, false}, "permessage-deflate; server_max_window_bits=14; client_max_window_bits=14"},
        {{16, 7, false, false}, "permessage-deflate; client_max_window_bits"},
        {{15, 12, true, true},
         "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
         "client_max_window_bits=12"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = strlen(rows[i].offer);
        weir_out out = {bytes, sizeof bytes};
        assert_int_equal(weir_deflate_offer_write(&out, &rows[i].policy), 0);
        assert_int_equal(sizeof bytes - out.len, len);
        assert_memory_equal(bytes, rows[i].offer, len);
        out = (weir_out){bytes, len - 1};
        assert_int_equal(weir_deflate_offer_write(&out, &rows[i].policy), WEIR_ERR_SPACE);
        assert_int_equal(out.len, len - 1);
    }
}

static void test_client_reads_the_answer(void **state)
{
    (void)state;
    static const weir_deflate_policy any = {0, 0, false, false};
    static const weir_deflate_policy tight = {10, 10, true, false};
    static const weir_deflate_policy almost = {14, 14, false, false};
    static const struct {
        const char *answer;
        const weir_deflate_policy *policy;
        int rv;
    } rows[] = {
        {"permessage-deflate", &any, 1},
        {"permessage-deflate; server_max_window_bits=8", &any, 1},
        {"permessage-deflate; server_max_window_bits=15; client_max_window_bits=8", &any, 1},
        {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", &any, 1},
        {"", &any, 0},
        {"permessage-deflate", NULL, WEIR_ERR_WS_EXTENSION},
        {"x-other", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate, permessage-deflate", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; foo", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; client_max_window_bits", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; client_max_window_bits=16", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; client_max_window_bits=0", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=7", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=08", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=99999999999", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=-9", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=x", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=1.", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=.L", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=\"9 ;server_no_context_takeover", &any,
         WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=\"9,", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=\"\"", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate;", &any, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate", &almost, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_max_window_bits=14", &almost, 1},
        {"permessage-deflate; server_max_window_bits=15", &almost, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_no_context_takeover; server_max_window_bits=10", &tight, 1},
        {"permessage-deflate; server_no_context_takeover; server_max_window_bits=9; "
         "client_max_window_bits=10",
         &tight, 1},
        {"permessage-deflate; server_max_window_bits=10", &tight, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_no_context_takeover", &tight, WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_no_context_takeover; server_max_window_bits=11", &tight,
         WEIR_ERR_WS_EXTENSION},
        {"permessage-deflate; server_no_context_takeover; server_max_window_bits=10; "
         "client_max_window_bits=11",
         &tight, WEIR_ERR_WS_EXTENSION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_http_field field;
        weir_deflate_params params;
        weir_http_fields fields = one_field(&field, weir_cstr(rows[i].answer));
        int rv = weir_deflate_check(fields, rows[i].policy, &params);
        if (rv != rows[i].rv)
            fail_msg("%s: %s", rows[i].answer, weir_err_lookup(rv)->name);
    }
}

/* What a client has to do by an answer: what it says, and what the client itself had offered. */
static void test_params_of_an_answer(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        weir_deflate_policy policy;
        weir_deflate_params params;
    } rows[] = {
        {"permessage-deflate", {0, 0, false, false}, {15, 15, false, false, false, false}},
        {"permessage-deflate", {0, 10, false, false}, {15, 10, false, false, false, false}},
        {"permessage-deflate", {0, 0, false, true}, {15, 15, false, true, false, false}},
        {"permessage-deflate; server_max_window_bits=9",
         {0, 0, false, false},
         {9, 15, false, false, true, false}},
        {"permessage-deflate; server_max_window_bits=15",
         {0, 12, false, false},
         {15, 12, false, false, true, false}},
        {"permessage-deflate; client_max_window_bits=9",
         {0, 0, false, false},
         {15, 9, false, false, false, true}},
        {"permessage-deflate; client_max_window_bits=8",
         {0, 12, false, false},
         {15, 8, false, false, false, true}},
        {"permessage-deflate; server_no_context_takeover",
         {0, 0, false, false},
         {15, 15, true, false, false, false}},
        {"permessage-deflate; client_no_context_takeover",
         {0, 0, false, false},
         {15, 15, false, true, false, false}},
        {"permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
         "server_max_window_bits=10; client_max_window_bits=11",
         {10, 12, true, true},
         {10, 11, true, true, true, true}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_http_field field;
        weir_deflate_params params;
        memset(&params, 0x55, sizeof params);
        weir_http_fields fields = one_field(&field, weir_cstr(rows[i].answer));
        assert_int_equal(weir_deflate_check(fields, &rows[i].policy, &params), 1);
        assert_memory_equal(&params, &rows[i].params, sizeof params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_server_policy),
        cmocka_unit_test(test_params_of_an_offer),
        cmocka_unit_test(test_offers_in_two_fields),
        cmocka_unit_test(test_client_offer),
        cmocka_unit_test(test_client_reads_the_answer),
        cmocka_unit_test(test_least_windows),
        cmocka_unit_test(test_params_of_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
