/* SPDX-License-Identifier: MIT */
/* test_http_target.c - request targets, and the matrix of origins. */
#include "check.h"
#include "harness.h"
#include "weir/http.h"

static void check_target(const char *target, const char *path, const char *query)
{
    uint8_t *copy = guard_copy(target, strlen(target), false);
    weir_str p, q;
    int rv = weir_http_target_split((weir_str){copy, strlen(target)}, &p, &q);
    if (rv != (path == NULL ? WEIR_ERR_HTTP_TARGET : 0))
        fail_msg("%s: %s", target, weir_err_lookup(rv)->name);
    if (path != NULL)
        assert_str(p, path);
    else
        assert_true(p.len == 0 && q.len == 0);
    if (path != NULL && query == NULL)
        assert_absent(q);
    if (query != NULL)
        assert_str(q, query);
    guard_free(copy);
}

static void test_targets(void **state)
{
    (void)state;
    check_target("/", "/", NULL);
    check_target("/a/b", "/a/b", NULL);
    check_target("/a/b?c=d", "/a/b", "c=d");
    check_target("/a?", "/a", "");
    check_target("/?a?b/c", "/", "a?b/c");
    check_target("//a/b", "//a/b", NULL);
    check_target("/%2e%2E/a%20b", "/%2e%2E/a%20b", NULL);
    check_target("/a:b@c", "/a:b@c", NULL);
    check_target("/http://a/b", "/http://a/b", NULL);
    check_target("http://a/b?c", "/b", "c");
    check_target("HTTPS://a:443/b", "/b", NULL);
    check_target("ws://a", "/", NULL);
    check_target("wss://[::1]:9/b", "/b", NULL);
    check_target("http://a?b", "/", "b");
    check_target("http://a/?", "/", "");

    check_target("", NULL, NULL);
    check_target("*", NULL, NULL);
    check_target("a", NULL, NULL);
    check_target("a:80", NULL, NULL);
    check_target("a.b:443", NULL, NULL);
    check_target("?a", NULL, NULL);
    check_target("http:", NULL, NULL);
    check_target("http:/a", NULL, NULL);
    check_target("http://", NULL, NULL);
    check_target("http:///a", NULL, NULL);
    check_target("http://:80/a", NULL, NULL);
    check_target("http://a:b/c", NULL, NULL);
    check_target("http://a:65536/c", NULL, NULL);
    check_target("http://u@a/c", NULL, NULL);
    check_target("http://[::/c", NULL, NULL);
    check_target("ftp://a/b", NULL, NULL);
    check_target("httpx://a/b", NULL, NULL);
    check_target("xhttp://a/b", NULL, NULL);
}

static void check_origin(const char *origin, const char *expected, weir_http_origin wanted)
{
    uint8_t *copy = guard_copy(origin, strlen(origin), false);
    const weir_http_field list[] = {{weir_cstr("Origin"), {copy, strlen(origin)}}};
    weir_http_fields fields = {{NULL, 0}, list, 1};
    weir_http_origin got = weir_http_origin_check(fields, weir_cstr(expected));
    guard_free(copy);
    if (got != wanted)
        fail_msg("Origin %s, expected %s: %d instead of %d", origin, expected, (int)got, (int)wanted);
}

#define SAME WEIR_HTTP_ORIGIN_SAME
#define OTHER WEIR_HTTP_ORIGIN_OTHER
#define MALFORMED WEIR_HTTP_ORIGIN_MALFORMED

static void test_same_origins(void **state)
{
    (void)state;
    check_origin("https://example.org", "https://example.org", SAME);
    check_origin("https://example.org:443", "https://example.org", SAME);
    check_origin("https://example.org", "https://example.org:443", SAME);
    check_origin("https://example.org:", "https://example.org", SAME);
    check_origin("https://example.org:0443", "https://example.org", SAME);
    check_origin("http://example.org:80", "http://example.org", SAME);
    check_origin("http://example.org:8080", "http://example.org:8080", SAME);
    check_origin("HTTPS://Example.ORG", "https://example.org", SAME);
    check_origin("https://example.org", "https://EXAMPLE.org", SAME);
    check_origin("https://example.org.", "https://example.org", SAME);
    check_origin("https://example.org", "https://example.org.:443", SAME);
    check_origin("https://example.org", "wss://example.org", SAME);
    check_origin("wss://example.org:443", "https://example.org", SAME);
    check_origin("http://a", "ws://a", SAME);
    check_origin("http://[::1]:8080", "http://[::1]:8080", SAME);
    check_origin("http://[::1]", "http://[::1]:80", SAME);
    check_origin("http://[2001:DB8::1]", "http://[2001:db8::1]", SAME);
    check_origin("http://127.0.0.1:5000", "http://127.0.0.1:5000", SAME);
}

static void test_other_origins(void **state)
{
    (void)state;
    check_origin("http://example.org", "https://example.org", OTHER);
    check_origin("ws://example.org", "wss://example.org", OTHER);
    check_origin("http://example.org:443", "https://example.org", OTHER);
    check_origin("https://example.org:80", "http://example.org", OTHER);
    check_origin("https://example.org:8443", "https://example.org", OTHER);
    check_origin("https://example.org", "https://example.org:8443", OTHER);
    check_origin("https://example.com", "https://example.org", OTHER);
    check_origin("https://example.org.evil.com", "https://example.org", OTHER);
    check_origin("https://evil-example.org", "https://example.org", OTHER);
    check_origin("https://sub.example.org", "https://example.org", OTHER);
    check_origin("https://example.or", "https://example.org", OTHER);
    check_origin("https://example.org..", "https://example.org", OTHER);
    check_origin("http://[::1]", "http://[::2]", OTHER);
    check_origin("http://[::1]:8080", "http://[::1]", OTHER);
    check_origin("http://[::1]", "http://[0:0:0:0:0:0:0:1]", OTHER);
    check_origin("http://127.0.0.1", "http://localhost", OTHER);
    check_origin("https://example.org", "example.org", OTHER);
    check_origin("https://example.org", "", OTHER);
    check_origin("https://example.org", "*", OTHER);
    check_origin("https://example.org", "null", OTHER);
    check_origin("chrome-extension://abcdef", "https://example.org", OTHER);
    check_origin("capacitor://localhost", "https://example.org", OTHER);
}

/* Pages of apps and extensions have schemes of their own; a server may list them. */
static void test_origins_of_other_schemes(void **state)
{
    (void)state;
    check_origin("capacitor://localhost", "capacitor://localhost", SAME);
    check_origin("chrome-extension://abcdef", "chrome-extension://abcdef", SAME);
    check_origin("chrome-extension://abcdef", "moz-extension://abcdef", OTHER);
    check_origin("capacitor://localhost", "http://localhost", OTHER);
    check_origin("app://localhost:1", "app://localhost", OTHER);
    check_origin("app://localhosx", "app://localhosy", OTHER);
    check_origin("a1+-.z://localhost", "A1+-.Z://localhost", SAME);
    check_origin("z://localhost", "z://localhost", SAME);
    check_origin("a+://localhost", "a-://localhost", OTHER);
    check_origin("1app://localhost", "app://localhost", MALFORMED);
    check_origin("+app://localhost", "app://localhost", MALFORMED);
    check_origin("a_b://localhost", "a_b://localhost", MALFORMED);
    check_origin("a{://localhost", "a{://localhost", MALFORMED);
    check_origin("a,://localhost", "a,://localhost", MALFORMED);
    check_origin("a/://localhost", "a/://localhost", MALFORMED);
    check_origin("~://localhost", "~://localhost", MALFORMED);
    check_origin("app:x/localhost", "app:x/localhost", MALFORMED);
    check_origin("app:/xlocalhost", "app:/xlocalhost", MALFORMED);
    check_origin("app", "app", MALFORMED);
    check_origin("app:", "app:", MALFORMED);
    check_origin("app:/", "app:/", MALFORMED);
    check_origin("app://", "app://", MALFORMED);
    check_origin("://localhost", "app://localhost", MALFORMED);
}

static void test_malformed_origins(void **state)
{
    (void)state;
    static const char *const origins[] = {
        "",
        "example.org",
        "//example.org",
        "https:example.org",
        "https:/example.org",
        "https://",
        "https://:443",
        "https://example.org/",
        "https://example.org/path",
        "https://example.org?a",
        "https://example.org#a",
        "https://u@example.org",
        "https://u:p@example.org",
        "https://example.org:x",
        "https://example.org:65536",
        "https://example.org:99999999999999999999",
        "https://example.org:44 3",
        "https://a b",
        "https://a, https://b",
        "https://example.org https://example.org",
        "https://ex\xC3\xA4mple.org",
        "https://[::1",
        "https://::1",
        "https://[::1]x",
        "*",
        "file:",
    };
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        check_origin(origins[i], "https://example.org", MALFORMED);
        check_origin(origins[i], origins[i], MALFORMED);
    }
}

static void test_absent_opaque_repeated(void **state)
{
    (void)state;
    const weir_http_field list[] = {
        {weir_cstr("X-Origin"), weir_cstr("https://a")},
        {weir_cstr("oRIGIN"), weir_cstr("https://a")},
        {weir_cstr("Origin"), weir_cstr("https://a")},
    };
    weir_str a = weir_cstr("https://a");
    assert_int_equal(weir_http_origin_check((weir_http_fields){{NULL, 0}, list, 0}, a),
                     WEIR_HTTP_ORIGIN_ABSENT);
    assert_int_equal(weir_http_origin_check((weir_http_fields){{NULL, 0}, list, 1}, a),
                     WEIR_HTTP_ORIGIN_ABSENT);
    assert_int_equal(weir_http_origin_check((weir_http_fields){{NULL, 0}, list, 2}, a),
                     WEIR_HTTP_ORIGIN_SAME);
    assert_int_equal(weir_http_origin_check((weir_http_fields){{NULL, 0}, list, 3}, a), MALFORMED);

    check_origin("null", "https://example.org", WEIR_HTTP_ORIGIN_OPAQUE);
    check_origin("null", "null", WEIR_HTTP_ORIGIN_OPAQUE);
    check_origin("NULL", "https://example.org", MALFORMED);
    check_origin("nullx", "https://example.org", MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),           cmocka_unit_test(test_same_origins),
        cmocka_unit_test(test_other_origins),     cmocka_unit_test(test_origins_of_other_schemes),
        cmocka_unit_test(test_malformed_origins), cmocka_unit_test(test_absent_opaque_repeated),
    };
    return cmocka_run_group_tests_name("http_target", tests, NULL, NULL);
}
