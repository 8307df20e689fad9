/* SPDX-License-Identifier: MIT */
/*
 * attacks_origin.c - known weaknesses in telling whose page opens a connection (RFC 6455 10.2), one test
 * each.
 *
 * Which origins may connect is the program's to say; a server that asks nobody can be used by any page.
 * What is tested is that the verdict it decides by cannot be fooled.
 */
#include "check.h"
#include "weir/ws.h"

#include <stdio.h>

static weir_http_origin origin_verdict(const char *origin, const char *expected)
{
    weir_http_field list[] = {{weir_cstr("origin"), weir_cstr(origin)}};
    weir_http_fields fields = {{NULL, 0}, list, origin != NULL ? 1 : 0};
    return weir_http_origin_check(fields, weir_cstr(expected));
}

/* Any page acts as the visitor (cross-site hijacking): scheme, host and port all count, and no Origin is
 * a verdict of its own. */
static void test_origin(void **state)
{
    static const struct {
        const char *origin, *expected;
        weir_http_origin verdict;
    } rows[] = {
        {NULL, "https://h", WEIR_HTTP_ORIGIN_ABSENT},
        {"https://h", "https://h", WEIR_HTTP_ORIGIN_SAME},
        {"https://h:443", "https://h", WEIR_HTTP_ORIGIN_SAME},
        {"https://H", "https://h", WEIR_HTTP_ORIGIN_SAME},
        {"https://h.", "https://h", WEIR_HTTP_ORIGIN_SAME},
        {"http://h:8080", "http://h:8080", WEIR_HTTP_ORIGIN_SAME},
        {"http://[::1]:8080", "http://[::1]:8080", WEIR_HTTP_ORIGIN_SAME},
        {"http://h", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"https://h:444", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"http://h:443", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"http://[::1]", "http://[::1]:8080", WEIR_HTTP_ORIGIN_OTHER},
        {"https://h.evil", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"https://evilh", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"https://sub.h", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"null", "https://h", WEIR_HTTP_ORIGIN_OPAQUE},
        {"", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
        {"h", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
        {"https://h/", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
        {"https://h https://evil", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
        {"https://evil@h", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (origin_verdict(rows[i].origin, rows[i].expected) != rows[i].verdict)
            fail_msg("origin %s", rows[i].origin != NULL ? rows[i].origin : "absent");
}

/* Two fields, of which one reader takes the first and another the last; and names of the field that only
 * differ in case. */
static void test_origin_twice(void **state)
{
    weir_http_field list[] = {{weir_cstr("Origin"), weir_cstr("https://h")},
                              {weir_cstr("oRIGIN"), weir_cstr("https://evil")},
                              {weir_cstr("Origin2"), weir_cstr("https://evil")}};
    (void)state;
    assert_int_equal(weir_http_origin_check((weir_http_fields){{NULL, 0}, list, 1}, weir_cstr("https://h")),
                     WEIR_HTTP_ORIGIN_SAME);
    assert_int_equal(weir_http_origin_check((weir_http_fields){{NULL, 0}, list, 2}, weir_cstr("https://h")),
                     WEIR_HTTP_ORIGIN_MALFORMED);
    assert_int_equal(
        weir_http_origin_check((weir_http_fields){{NULL, 0}, list, 2}, weir_cstr("https://evil")),
        WEIR_HTTP_ORIGIN_MALFORMED);
    list[1] = list[0];
    assert_int_equal(weir_http_origin_check((weir_http_fields){{NULL, 0}, list, 2}, weir_cstr("https://h")),
                     WEIR_HTTP_ORIGIN_MALFORMED);
    list[1] = list[2];
    assert_int_equal(weir_http_origin_check((weir_http_fields){{NULL, 0}, list, 2}, weir_cstr("https://h")),
                     WEIR_HTTP_ORIGIN_SAME);
}

/* A prefix or a suffix of the name is taken for it: every neighbour of the expected origin is another one. */
static void test_neighbours_are_others(void **state)
{
    static const char expected[] = "https://example.org:8443";
    size_t len = strlen(expected);
    (void)state;
    assert_int_equal(origin_verdict(expected, expected), WEIR_HTTP_ORIGIN_SAME);
    for (size_t i = 0; i <= len; i++)
        for (const char *extra = "a.0-"; *extra != '\0'; extra++) {
            char text[64];
            snprintf(text, sizeof text, "%.*s%c%s", (int)i, expected, *extra, expected + i);
            bool dot_at_end = *extra == '.' && i == strlen("https://example.org");
            bool zero_before = *extra == '0' && i == strlen("https://example.org:");
            weir_http_origin verdict = origin_verdict(text, expected);
            if (dot_at_end)
                assert_int_equal(verdict, WEIR_HTTP_ORIGIN_SAME);
            else if (!zero_before)
                assert_int_not_equal(verdict, WEIR_HTTP_ORIGIN_SAME);
            snprintf(text, sizeof text, "%.*s%s", (int)i, expected, i < len ? expected + i + 1 : "");
            if (i < len)
                assert_int_not_equal(origin_verdict(text, expected), WEIR_HTTP_ORIGIN_SAME);
        }
}

/* The field is nothing but what a request says: over HTTP/2 the same rules judge the same list, and the check
 * of the handshake does not judge the origin by itself. */
static void test_origin_over_extended_connect(void **state)
{
    weir_http_field list[] = {{weir_cstr("sec-websocket-version"), weir_cstr("13")},
                              {weir_cstr("origin"), weir_cstr("https://evil")}};
    weir_http_head head = {.method = weir_cstr("CONNECT"),
                           .target = weir_cstr("/"),
                           .host = weir_cstr("h"),
                           .fields = {{NULL, 0}, list, 2}};
    weir_ws_request req;
    (void)state;
    assert_int_equal(weir_ws_extended_read(&head, weir_cstr("websocket"), &req), 0);
    assert_str(req.origin, "https://evil");
    assert_int_equal(weir_http_origin_check(req.fields, weir_cstr("https://h")), WEIR_HTTP_ORIGIN_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_origin_twice),
        cmocka_unit_test(test_neighbours_are_others),
        cmocka_unit_test(test_origin_over_extended_connect),
    };
    return cmocka_run_group_tests_name("attacks_origin", tests, NULL, NULL);
}
