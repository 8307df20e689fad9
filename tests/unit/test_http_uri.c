/* SPDX-License-Identifier: MIT */
/* test_http_uri.c - http, https, ws and wss URIs. */
#include "check.h"
#include "harness.h"
#include "weir/http.h"

typedef struct uri_case {
    const char *text;
    bool secure, websocket;
    unsigned port;
    const char *userinfo, *host, *authority, *path, *query; /* NULL: absent */
} uri_case;

static void check_slice(weir_str str, const char *text)
{
    if (text == NULL)
        assert_absent(str);
    else
        assert_str(str, text);
}

static void check_uri(const uri_case *c)
{
    size_t len = strlen(c->text);
    uint8_t *copy = guard_copy(c->text, len, false);
    weir_http_uri uri;
    memset(&uri, 0x55, sizeof uri);
    int rv = weir_http_uri_parse((weir_str){copy, len}, &uri);
    if (rv != 0)
        fail_msg("%s: %s", c->text, weir_err_lookup(rv)->name);
    assert_int_equal(uri.secure, c->secure);
    assert_int_equal(uri.websocket, c->websocket);
    assert_int_equal(uri.port, c->port);
    check_slice(uri.userinfo, c->userinfo);
    check_slice(uri.host, c->host);
    check_slice(uri.authority, c->authority);
    check_slice(uri.path, c->path);
    check_slice(uri.query, c->query);
    guard_free(copy);
}

static void test_uris(void **state)
{
    (void)state;
    static const uri_case cases[] = {
        {"http://a", false, false, 80, NULL, "a", "a", "/", NULL},
        {"https://a", true, false, 443, NULL, "a", "a", "/", NULL},
        {"ws://a", false, true, 80, NULL, "a", "a", "/", NULL},
        {"wss://a", true, true, 443, NULL, "a", "a", "/", NULL},
        {"WSS://A.Example/B", true, true, 443, NULL, "A.Example", "A.Example", "/B", NULL},
        {"http://a:80/", false, false, 80, NULL, "a", "a", "/", NULL},
        {"http://a:443/", false, false, 443, NULL, "a", "a:443", "/", NULL},
        {"https://a:443/", true, false, 443, NULL, "a", "a", "/", NULL},
        {"https://a:80/", true, false, 80, NULL, "a", "a:80", "/", NULL},
        {"ws://a:/b", false, true, 80, NULL, "a", "a", "/b", NULL},
        {"ws://a:0009/b", false, true, 9, NULL, "a", "a:0009", "/b", NULL},
        {"ws://a:65535", false, true, 65535, NULL, "a", "a:65535", "/", NULL},
        {"http://a/b/c?d=e?f", false, false, 80, NULL, "a", "a", "/b/c", "d=e?f"},
        {"http://a?d", false, false, 80, NULL, "a", "a", "/", "d"},
        {"http://a/?", false, false, 80, NULL, "a", "a", "/", ""},
        {"http://a/b#c", false, false, 80, NULL, "a", "a", "/b", NULL},
        {"http://a/b#", false, false, 80, NULL, "a", "a", "/b", NULL},
        {"http://a#c?d/e", false, false, 80, NULL, "a", "a", "/", NULL},
        {"https://a/b?c#d?e/f", true, false, 443, NULL, "a", "a", "/b", "c"},
        {"http://a/b@c:d", false, false, 80, NULL, "a", "a", "/b@c:d", NULL},
        {"http://u@a/b", false, false, 80, "u", "a", "a", "/b", NULL},
        {"http://u:p%40@a:8/b", false, false, 8, "u:p%40", "a", "a:8", "/b", NULL},
        {"http://%41%42:%43%44:@a/", false, false, 80, "%41%42:%43%44:", "a", "a", "/", NULL},
        {"http://:@a/", false, false, 80, ":", "a", "a", "/", NULL},
        {"http://@a/", false, false, 80, "", "a", "a", "/", NULL},
        {"http://[::1]", false, false, 80, NULL, "::1", "[::1]", "/", NULL},
        {"ws://[::1]:80/b", false, true, 80, NULL, "::1", "[::1]", "/b", NULL},
        {"ws://u@[fe80::a]:81/b?c", false, true, 81, "u", "fe80::a", "[fe80::a]:81", "/b", "c"},
        {"http://a/100%?%zz#%", false, false, 80, NULL, "a", "a", "/100%", "%zz"}, /* browsers send it so */
        {"http://a/\"<>^`{|}?\"<>", false, false, 80, NULL, "a", "a", "/\"<>^`{|}", "\"<>"},
        {"http://80", false, false, 80, NULL, "80", "80", "/", NULL}, /* a name, no port */
        {"ws://443:80/b", false, true, 80, NULL, "443", "443", "/b", NULL},
        {"http://127.0.0.1:1", false, false, 1, NULL, "127.0.0.1", "127.0.0.1:1", "/", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_uri(&cases[i]);
}

static void assert_refused(weir_str text)
{
    weir_http_uri uri;
    memset(&uri, 0x55, sizeof uri);
    int rv = weir_http_uri_parse(text, &uri);
    if (rv != WEIR_ERR_URI)
        fail_msg("\"%.*s\": %s", (int)text.len, (const char *)text.ptr, weir_err_lookup(rv)->name);
    assert_false(uri.secure || uri.websocket || uri.port != 0);
    const weir_str parts[] = {uri.userinfo, uri.host, uri.authority, uri.path, uri.query};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_true(parts[i].ptr == NULL && parts[i].len == 0);
}

static const char *const bad[] = {
    "",
    "a",
    "/a",
    "//a/b",
    "http",
    "http:",
    "http:/a",
    "http://",
    "http:///b",
    "http://:80",
    "http://?a",
    "http://#a",
    "http://u@",
    "http://u@/b",
    "ftp://a",
    "httpss://a",
    " http://a",
    "http://a ",
    "http://a b",
    "http://a/b c",
    "http://a/b\r\nHost: c",
    "http://a\r\n",
    "http://a/\t",
    "http://a/\x7F",
    "http://a/\xC3\xA9",
    "http://\xC3\xA9/",
    "http://a?\xC3\xA9",
    "http://u\xC3\xA9@a/",
    "http://u\r\n@a/",
    "http://a/b#c#d",
    "http://a/b#c d",
    "http://a/b# ",
    "http://a/b#\r\n",
    "http://a/b#\xC3\xA9",
    "http://a:0",
    "http://a:65536",
    "http://a:99999999999999999999999",
    "http://a:8x",
    "http://a:-8",
    "http://a:+8",
    "http://a:8:8",
    "http://[::1",
    "http://::1",
    "http://[::1]8",
    "http://[]",
    "http://[a]",
    "http://a%zz/",
    "http://%@a/",
    "http://u%4@a/",
    "http://u%zz@a/",
    "http://u%4g@a/",
    "http://u:p%@a/",
    "http://u:%4:p@a/",
    "http://u:p/@a%/",
    "http://u\\@a/",
    "http://u@v@a/",
    "http://[:::::]/",
    "http://[12345::1.2]/",
    "http://u@[1:2]:8/",
    "http://[fe80::1%25eth0]/",
    "http://[v1.a]/",
    "ws://a/b#c",
    "ws://a/b#",
    "wss://a#",
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t *copy = guard_copy(bad[i], strlen(bad[i]), false);
        assert_refused((weir_str){copy, strlen(bad[i])});
        guard_free(copy);
    }
    assert_refused(STR_OF("http://a/\0b"));
    assert_refused(weir_cstr(NULL));
}

/* What two readers could take for two hosts: the last '@' before the path ends the user information
 * for everybody, and a backslash, which browsers take for a slash, is refused. */
static void test_confusing_authorities(void **state)
{
    (void)state;
    weir_http_uri uri;
    assert_int_equal(weir_http_uri_parse(weir_cstr("http://good.example@evil.example/"), &uri), 0);
    assert_str(uri.host, "evil.example");
    assert_int_equal(weir_http_uri_parse(weir_cstr("http://good.example/@evil.example/"), &uri), 0);
    assert_str(uri.host, "good.example");
    assert_int_equal(weir_http_uri_parse(weir_cstr("http://good.example?@evil.example/"), &uri), 0);
    assert_str(uri.host, "good.example");
    assert_int_equal(weir_http_uri_parse(weir_cstr("http://good.example#@evil.example/"), &uri), 0);
    assert_str(uri.host, "good.example");
    assert_int_equal(weir_http_uri_parse(weir_cstr("http://good.example\\@evil.example/"), &uri),
                     WEIR_ERR_URI);
    assert_int_equal(weir_http_uri_parse(weir_cstr("http://good.example\\evil.example/"), &uri),
                     WEIR_ERR_URI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uris),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_confusing_authorities),
    };
    return cmocka_run_group_tests_name("http_uri", tests, NULL, NULL);
}
