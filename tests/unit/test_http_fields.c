/* SPDX-License-Identifier: MIT */
/* test_http_fields.c - walks over fields, searches, comma-separated lists. */
#include "check.h"
#include "harness.h"
#include "http/http.h"

#include <stdlib.h>

static const char LINES[] = "Host: a\r\nAccept:b\r\nEmpty:\r\naccept: \t c, d \t\r\nX::y\r\n";

static void check_next(weir_http_fields *walk, const char *name, const char *value)
{
    weir_http_field field;
    assert_true(weir_http_fields_next(walk, &field));
    assert_str(field.name, name);
    assert_str(field.value, value);
}

static void check_end(weir_http_fields *walk)
{
    weir_http_field field;
    assert_false(weir_http_fields_next(walk, &field));
    assert_false(weir_http_fields_next(walk, &field));
}

static void check_lines(weir_http_fields *walk)
{
    check_next(walk, "Host", "a");
    check_next(walk, "Accept", "b");
    check_next(walk, "Empty", "");
    check_next(walk, "accept", "c, d");
    check_next(walk, "X", ":y");
}

static void test_walk_over_text_list_and_both(void **state)
{
    (void)state;
    uint8_t *text = guard_copy(LINES, sizeof LINES - 1, false);
    const weir_http_field list[] = {{weir_cstr("one"), weir_cstr("1")}, {weir_cstr("two"), weir_cstr(NULL)}};

    weir_http_fields walk = {{text, sizeof LINES - 1}, NULL, 0};
    check_lines(&walk);
    check_end(&walk);

    walk = (weir_http_fields){{NULL, 0}, list, 2};
    check_next(&walk, "one", "1");
    weir_http_field field;
    assert_true(weir_http_fields_next(&walk, &field));
    assert_str(field.name, "two");
    assert_int_equal(field.value.len, 0);
    check_end(&walk);

    walk = (weir_http_fields){{text, sizeof LINES - 1}, list, 1};
    check_lines(&walk);
    check_next(&walk, "one", "1");
    check_end(&walk);

    walk = (weir_http_fields){{NULL, 0}, NULL, 0};
    check_end(&walk);
    guard_free(text);
}

/* A list lies behind the bytes that are kept, where a field may lie. */
static void test_list_is_aligned(void **state)
{
    (void)state;
    static union {
        weir_http_field fields[16];
        uint8_t bytes[16 * sizeof(weir_http_field)];
    } storage;
    weir_http http;
    for (size_t begin = 0; begin < 8; begin++) {
        for (size_t from = 0; from < 32; from++) {
            weir_http_fields walk;
            assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage.bytes + begin,
                                            sizeof storage.bytes - begin, NULL),
                             0);
            const weir_str text = weir_cstr(LINES);
            assert_int_equal(weiri_http_list(&http, from, text, &walk), text.len);
            size_t at = (size_t)((const uint8_t *)walk.list - storage.bytes);
            assert_int_equal(at % sizeof(void *), 0);
            assert_true(at >= begin + from && at - begin - from < sizeof(void *));
            check_lines(&walk);
            check_end(&walk);
        }
    }
}

static void test_find(void **state)
{
    (void)state;
    const weir_http_field list[] = {{weir_cstr("ACCEPT"), weir_cstr("e")}};
    const weir_http_fields fields = {{(const uint8_t *)LINES, sizeof LINES - 1}, list, 1};
    weir_http_fields walk = fields;
    weir_str value;
    assert_true(weir_http_fields_find(&walk, "aCCept", &value));
    assert_str(value, "b");
    assert_true(weir_http_fields_find(&walk, "accept", &value));
    assert_str(value, "c, d");
    assert_true(weir_http_fields_find(&walk, "accept", &value));
    assert_str(value, "e");
    assert_false(weir_http_fields_find(&walk, "accept", &value));
    assert_false(weir_http_fields_find(&walk, "host", &value));

    const weir_http_field more[] = {
        list[0], {weir_cstr("Accept"), weir_cstr(NULL)}, {weir_cstr("x"), weir_cstr("z")}};
    walk = (weir_http_fields){{NULL, 0}, more, 3};
    assert_true(weir_http_fields_find(&walk, "accept", &value));
    assert_str(value, "e");
    assert_int_equal(walk.count, 2);
    assert_ptr_equal(walk.list, more + 1);
    assert_true(weir_http_fields_find(&walk, "accept", &value));
    assert_absent(value);
    assert_false(weir_http_fields_find(&walk, "accept", &value));
    assert_int_equal(walk.count, 0);
    walk = (weir_http_fields){{NULL, 0}, more, 2};
    assert_false(weir_http_fields_find(&walk, "x", &value));

    walk = fields;
    assert_true(weir_http_fields_find(&walk, "empty", &value));
    assert_int_equal(value.len, 0);
    walk = fields;
    assert_false(weir_http_fields_find(&walk, "accep", &value));
    walk = fields;
    assert_false(weir_http_fields_find(&walk, "acceptx", &value));
    walk = fields;
    assert_true(weir_http_fields_find(&walk, "x", &value));
    assert_str(value, ":y");
}

/* Members of a list in brackets, one after the other. */
static void check_list(weir_str list, const char *wanted)
{
    uint8_t *copy = guard_copy(list.ptr, list.len, false);
    weir_str rest = {copy, list.len}, member;
    char got[256] = "";
    while (weir_http_list_next(&rest, &member)) {
        assert_int_not_equal(member.len, 0);
        assert_true(member.ptr >= copy && member.ptr + member.len <= copy + list.len);
        strcat(got, "[");
        strncat(got, (const char *)member.ptr, member.len);
        strcat(got, "]");
    }
    assert_false(weir_http_list_next(&rest, &member));
    assert_string_equal(got, wanted);
    guard_free(copy);
}

static void test_list(void **state)
{
    (void)state;
    static const char *const lists[][2] = {
        {"", ""},
        {"a", "[a]"},
        {"a,b", "[a][b]"},
        {" a , b\t,\tc ", "[a][b][c]"},
        {",", ""},
        {" , ,, \t,", ""},
        {",a,,b,", "[a][b]"},
        {"a b", "[a b]"},
        {"a;q=1, b;c=d", "[a;q=1][b;c=d]"},
        {"\"a,b\", c", "[\"a,b\"][c]"},
        {"x=\"a,b\";y, c", "[x=\"a,b\";y][c]"},
        {"\"a\\\",b\", c", "[\"a\\\",b\"][c]"},
        {"\"a\\\\\",b", "[\"a\\\\\"][b]"},
        {"a\\,b", "[a\\][b]"},
        {"\"a,b", "[\"a,b]"},
        {"\"a\\", "[\"a\\]"},
        {"\"\"", "[\"\"]"},
        {"a\"b\"c\",\"d,e", "[a\"b\"c\",\"d][e]"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        check_list(weir_cstr(lists[i][0]), lists[i][1]);
    check_list((weir_str){NULL, 0}, "");
}

static bool has(const char *text, const char *name, const char *token)
{
    weir_http_fields fields = {weir_cstr(text), NULL, 0};
    return weir_http_fields_has(fields, name, token);
}

static void test_has(void **state)
{
    (void)state;
    assert_true(has("Connection: keep-alive, Upgrade\r\n", "connection", "upgrade"));
    assert_true(has("Connection: keep-alive\r\nCONNECTION: ,UPGRADE,\r\n", "connection", "upgrade"));
    assert_false(has("Connection: keep-alive\r\nX: upgrade\r\n", "connection", "upgrade"));
    assert_false(has("Connection: notupgrade, upgrades, up grade\r\n", "connection", "upgrade"));
    assert_false(has("Connection: \"upgrade\"\r\n", "connection", "upgrade"));
    assert_false(has("Connection:\r\n", "connection", "upgrade"));
    assert_false(has("", "connection", "upgrade"));
}

/* CVE-2021-32640, CVE-2020-7662: a hostile value costs its length, not its square. Quadratic work on
 * this much would take minutes. */
static void test_long_lists_are_linear(void **state)
{
    (void)state;
    enum { LEN = 4 << 20 };
    static const char *const units[] = {" ", ",", " ,", "\t,\t", "\"", "\\\"", "a,", "\", \""};
    char *text = malloc(LEN);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        size_t unit = strlen(units[u]), count = 0;
        for (size_t i = 0; i < LEN; i++)
            text[i] = units[u][i % unit];
        weir_str list = {(const uint8_t *)text, LEN}, member;
        while (weir_http_list_next(&list, &member))
            count++;
        assert_int_equal(list.len, 0);
        if (u == 6)
            assert_int_equal(count, LEN / 2);
        if (u < 4)
            assert_int_equal(count, 0);
    }
    free(text);
}

/* Searches end where the lines end, wherever that is in a step of theirs. */
static void test_guarded_ends(void **state)
{
    (void)state;
    char line[128];
    for (size_t len = 0; len <= 80; len++) {
        memset(line, 'v', sizeof line);
        memcpy(line, "a:", 2);
        memcpy(line + 2 + len, "\r\n", 2);
        uint8_t *text = guard_copy(line, len + 4, false);
        weir_http_fields walk = {{text, len + 4}, NULL, 0};
        weir_http_field field;
        weir_str value;
        assert_true(weir_http_fields_next(&walk, &field));
        assert_int_equal(field.value.len, len);
        check_end(&walk);
        for (size_t name = 0; name <= len + 4; name++) {
            char wanted[128] = {0};
            memset(wanted, 'b', name);
            walk = (weir_http_fields){{text, len + 4}, NULL, 0};
            assert_false(weir_http_fields_find(&walk, wanted, &value));
        }
        guard_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_over_text_list_and_both),
        cmocka_unit_test(test_list_is_aligned),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_has),
        cmocka_unit_test(test_long_lists_are_linear),
        cmocka_unit_test(test_guarded_ends),
    };
    return cmocka_run_group_tests_name("http_fields", tests, NULL, NULL);
}
