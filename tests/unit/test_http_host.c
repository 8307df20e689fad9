/* SPDX-License-Identifier: MIT */
/* test_http_host.c - hosts with and without a port, and the IPv6 addresses among them. */
#include "check.h"
#include "http/http.h"
#include "http_reference.h"

#include <stdio.h>

/* uri-host [ ":" port ]; of each text its first bytes are looked at as well, with the rest behind them. */
static void test_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *valid; /* '1' for each length, from 1 on, that is valid */
    } rows[] = {
        {"ab", "11"},
        {"a%41", "1001"},
        {"%0a%a0%10", "001001001"},
        {"%41%42c", "0010011"},
        {"%0g", "000"},
        {"%g0", "000"},
        {"%41:x", "00110"},
        {"a:65535", "1111111"},
        {"a:65536", "1111110"},
        {"a:00080", "1111111"},
        {"a:1:", "1110"},
        {":1", "00"},
        {"a/", "10"},
        {"[1:2]", "00000"},
        {"[1::3]:8", "00000111"},
        {"[::]x", "00010"},
        {"[::g]", "00000"},
        {"[::1.2]", "0000000"},
        {"[::1/]", "000000"},
        {"[0000:0000:0000:0000:0000:0000:255.255.255.255]", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t len = 1; len <= strlen(rows[i].text); len++) {
            bool wanted = rows[i].valid != NULL ? rows[i].valid[len - 1] == '1' : len == strlen(rows[i].text);
            if (weiri_http_host_valid((weir_str){(const uint8_t *)rows[i].text, len}) != wanted)
                fail_msg("%.*s", (int)len, rows[i].text);
        }
    assert_false(weiri_http_host_valid((weir_str){NULL, 0}));
}

/* RFC 3986 3.2.2, the text between the brackets. */
static const char *const ipv6_good[] = {
    "::",
    "::1",
    "1::",
    "1::8",
    "1:2:3:4:5:6:7:8",
    "0001:0aF:Ffff:0000:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1:2:3::5:6:7:8",
    "1:2:3:4:5:6:0.0.0.0",
    "1:2:3:4:5::255.255.255.255",
    "::2:3:4:5:6:1.20.199.249",
    "::1.2.3.4",
    "a::1.2.3.4",
    "0000:0000:0000:0000:0000:0000:255.255.255.255",
};

static const char *const ipv6_bad[] = {
    "",
    ":",
    ":::",
    "::::",
    ":::::",
    "1",
    "1:",
    ":1",
    "1:2",
    "1:::2",
    "1::2:",
    ":1::2",
    "1::2::3",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1:2:3:4:5:6:7:8:",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::", /* no group is left for it */
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "::12345",
    "1:g::",
    "::1.2",
    "12345::1.2",
    "::1.2.3",
    "::1.2.3.",
    "::1.2.3.4.",
    "::1.2.3.4.5",
    "::.1.2.3",
    "::1..2.3",
    "::1.2.3.256",
    "::1.2.3.1000",
    "::1.4294967297.3.4",
    "::1.18446744073709551617.3.4",
    "::1.2.3.04",
    "::00.2.3.4",
    "::1.2.3.a",
    "::a.2.3.4",
    "::1.2.3.4:5", /* the last 32 bits only */
    "1.2.3.4::",
    "1.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:1.2.3.4",
    "::2:3:4:5:6:7:1.2.3.4",
    "fe80::1%25eth0", /* RFC 6874 */
    "fe80::1%eth0",
    "v1.a:b", /* IPvFuture */
    "::1 ",
    " ::1",
    "[::1",
};

static void test_ipv6(void **state)
{
    (void)state;
    const size_t good = sizeof ipv6_good / sizeof *ipv6_good, bad = sizeof ipv6_bad / sizeof *ipv6_bad;
    for (size_t i = 0; i < good + bad; i++) {
        bool wanted = i < good;
        const char *text = wanted ? ipv6_good[i] : ipv6_bad[i - good];
        char host[64];
        int len = snprintf(host, sizeof host, "[%s]", text);
        if (weiri_http_host_valid((weir_str){(const uint8_t *)host, (size_t)len}) != wanted)
            fail_msg("%s", host);
    }
}

/* Whatever can be put together of these, weir and the reference agree on. */
static void test_put_together(void **state)
{
    (void)state;
    static const char *const parts[] = {":", "::", ":1", "a:", "1:2:3", "1234", ".5", "1.2.3", ".0", "25"};
    enum { COUNT = sizeof parts / sizeof *parts, MOST = 5 };
    unsigned valid = 0;
    for (unsigned n = 0; n < 100000; n++) {
        char host[64] = "[";
        unsigned rest = n;
        for (unsigned i = 0; i < MOST; i++, rest /= COUNT)
            strcat(host, parts[rest % COUNT]);
        strcat(host, "]");
        bool reference = http_reference_host(weir_cstr(host));
        if (weiri_http_host_valid(weir_cstr(host)) != reference)
            fail_msg("%s", host);
        valid += reference;
    }
    assert_true(valid > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_put_together),
    };
    return cmocka_run_group_tests_name("http_host", tests, NULL, NULL);
}
