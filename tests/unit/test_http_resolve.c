/* SPDX-License-Identifier: MIT */
/* test_http_resolve.c - what a Location means: the examples of RFC 3986 5.4, and what is refused. */
#include "check.h"
#include "harness.h"
#include "http/http.h"

/* Resolves in exactly the room that is needed and with the reference in front of unmapped memory; with less
 * room nothing comes out. NULL: refused. */
static void check(const char *base_text, const char *reference_text, const char *wanted)
{
    enum { ROOM = 256 };
    weir_http_uri base;
    size_t reference_len = strlen(reference_text);
    uint8_t *reference = guard_copy(reference_text, reference_len, false);
    uint8_t *dst = guard_copy(NULL, ROOM, false);
    assert_int_equal(weir_http_uri_parse(weir_cstr(base_text), &base), 0);
    size_t len = weiri_http_uri_resolve(&base, (weir_str){reference, reference_len}, dst, ROOM);
    if (len != (wanted != NULL ? strlen(wanted) : 0) || (len != 0 && memcmp(dst, wanted, len) != 0))
        fail_msg("%s at %s: %.*s", reference_text, base_text, (int)len, (const char *)dst);
    guard_free(dst);

    /* Before dots are removed it may take more room than after, but a room is enough or not. */
    size_t worked = 0;
    for (size_t room = ROOM + 1; wanted != NULL && room-- > 0;) {
        dst = guard_copy(NULL, room, false);
        len = weiri_http_uri_resolve(&base, (weir_str){reference, reference_len}, dst, room);
        assert_true(len == strlen(wanted) || len == 0);
        if (len != 0) {
            assert_memory_equal(dst, wanted, len);
            assert_true(worked == 0 || worked == room + 1);
            worked = room;
        }
        guard_free(dst);
    }
    if (wanted != NULL)
        assert_true(strchr(reference_text, '.') != NULL ? worked >= strlen(wanted)
                                                        : worked == strlen(wanted));
    guard_free(reference);
}

static const char BASE[] = "http://a/b/c/d;p?q";

static void test_normal_examples(void **state)
{
    (void)state;
    check(BASE, "http://g", "http://g");
    check(BASE, "g", "http://a/b/c/g");
    check(BASE, "./g", "http://a/b/c/g");
    check(BASE, "g/", "http://a/b/c/g/");
    check(BASE, "/g", "http://a/g");
    check(BASE, "//g", "http://g");
    check(BASE, "?y", "http://a/b/c/d;p?y");
    check(BASE, "g?y", "http://a/b/c/g?y");
    check(BASE, "#s", "http://a/b/c/d;p?q");
    check(BASE, "g#s", "http://a/b/c/g");
    check(BASE, "g?y#s", "http://a/b/c/g?y");
    check(BASE, ";x", "http://a/b/c/;x");
    check(BASE, "g;x?y#s", "http://a/b/c/g;x?y");
    check(BASE, ".", "http://a/b/c/");
    check(BASE, "./", "http://a/b/c/");
    check(BASE, "..", "http://a/b/");
    check(BASE, "../", "http://a/b/");
    check(BASE, "../g", "http://a/b/g");
    check(BASE, "../..", "http://a/");
    check(BASE, "../../", "http://a/");
    check(BASE, "../../g", "http://a/g");
    check(BASE, "", NULL);                     /* no Location at all */
    check(BASE, "http://g.?y", "http://g.?y"); /* no path, in front of a query */
}

static void test_abnormal_examples(void **state)
{
    (void)state;
    check(BASE, "../../../g", "http://a/g");
    check(BASE, "../../../../g", "http://a/g");
    check(BASE, "/./g", "http://a/g");
    check(BASE, "/../g", "http://a/g");
    check(BASE, "g.", "http://a/b/c/g.");
    check(BASE, ".g", "http://a/b/c/.g");
    check(BASE, "g..", "http://a/b/c/g..");
    check(BASE, "..g", "http://a/b/c/..g");
    check(BASE, ".g.", "http://a/b/c/.g.");
    check(BASE, "...", "http://a/b/c/...");
    check(BASE, ".0", "http://a/b/c/.0");
    check(BASE, "./../g", "http://a/b/g");
    check(BASE, "./g/.", "http://a/b/c/g/");
    check(BASE, "g/./h", "http://a/b/c/g/h");
    check(BASE, "g/../h", "http://a/b/c/h");
    check(BASE, "g;x=1/./y", "http://a/b/c/g;x=1/y");
    check(BASE, "g;x=1/../y", "http://a/b/c/y");
    check(BASE, "g?y/./x", "http://a/b/c/g?y/./x");
    check(BASE, "g?y/../x", "http://a/b/c/g?y/../x");
    check(BASE, "g#s/../x", "http://a/b/c/g");
    check(BASE, "g//h", "http://a/b/c/g//h");
    check(BASE, "g//../h", "http://a/b/c/g/h");
    check(BASE, "http:g", NULL); /* of strict parsers */
}

static void test_schemes_and_authorities(void **state)
{
    (void)state;
    check("https://a:8/b", "//c:9/d", "https://c:9/d");
    check("https://a:8/b", "d", "https://a:8/d");
    check("https://a:8", "d", "https://a:8/d");
    check("https://a:8", "?d", "https://a:8/?d");
    check("https://a:443/b?c", "#", "https://a/b?c");
    check("http://a/b", "https://c", "https://c");
    check("http://a/b", "HTTPS://c/..", "HTTPS://c/");
    check("http://a/b", "http://c?d/../e", "http://c?d/../e");
    check("http://a/b", "http://c/d/./?e", "http://c/d/?e");
    check("http://a/b", "http://c/../?", "http://c/?");
    check("http://[::1]:8/b", "/c", "http://[::1]:8/c");
    check("http://u@a/b", "c", "http://a/c");
    check("http://a/b", "#", "http://a/b");
    check("http://a/b?", "#", "http://a/b?");
    check("http://a/b", "/", "http://a/");
    check("http://a/b", "//", NULL);
    check("http://a/b", "///c", NULL);
    check("http://a/b", "ws://c/", NULL);
    check("http://a/b", "wss://c/", NULL);
    check("http://a/b", "ftp://c/", NULL);
    check("http://a/b", "data:,x", NULL);
    check("http://a/b", "z:x", NULL);
    check("http://a/b", "a+b:x", NULL);
    check("http://a/b", "a-b:x", NULL);
    check("http://a/b", "a.b:x", NULL);
    check("http://a/b", "a1:x", NULL);
    /* No schemes: a colon in a path. */
    check("http://a/b", "1a:x", "http://a/1a:x");
    check("http://a/b", "+a:x", "http://a/+a:x");
    check("http://a/b", ":x", "http://a/:x");
    check("http://a/b", "./a:x", "http://a/a:x");
    check("http://a/b", "a_:x", "http://a/a_:x");
    check("http://a/b", "a,:x", "http://a/a,:x");
    check("http://a/b", "a/:x", "http://a/a/:x");
    check("http://a/b", "{:x", "http://a/{:x");
    check("http://a/b", "a", "http://a/a");
    check("http://a/b", "zz", "http://a/zz");
}

static void test_refused_bytes(void **state)
{
    (void)state;
    check("http://a/b", "\\\\evil/c", NULL);
    check("http://a/b", "/\\evil/c", NULL);
    check("http://a/b", "c\\", NULL);
    check("http://a/b", "c]d", "http://a/c]d"); /* the byte behind it */
    check("http://a/b", "c d", NULL);
    check("http://a/b", "c\td", NULL);
    check("http://a/b", "c\x80", NULL);
    check("http://a/b", "//u\xE4@c", NULL);
    check("http://a/b", "//u%zz@c", NULL);
    check("http://a/b", "//u%40@c", "http://u%40@c");
    check("http://a/b", "//c%", NULL);
    check("http://a/b", "//[:::::]/", NULL);
    check("http://a/b", "100%?%zz", "http://a/100%?%zz"); /* as browsers have it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal_examples),
        cmocka_unit_test(test_abnormal_examples),
        cmocka_unit_test(test_schemes_and_authorities),
        cmocka_unit_test(test_refused_bytes),
    };
    return cmocka_run_group_tests_name("http_resolve", tests, NULL, NULL);
}
