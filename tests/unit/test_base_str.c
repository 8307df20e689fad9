/* SPDX-License-Identifier: MIT */
/* test_base_str.c - slices, cursors, version. */
#include "check.h"
#include "harness.h"

#include <stdio.h>

static void test_cstr(void **state)
{
    (void)state;
    assert_str(weir_cstr("abc"), "abc");
    assert_str(weir_cstr(""), "");
    assert_non_null(weir_cstr("").ptr);
    assert_absent(weir_cstr(NULL));
    assert_int_equal(weir_cstr(NULL).len, 0);
}

static void test_is(void **state)
{
    (void)state;
    assert_true(weir_str_is(weir_cstr("abc"), "abc"));
    assert_false(weir_str_is(weir_cstr("abC"), "abc"));
    assert_false(weir_str_is(weir_cstr("ab"), "abc"));
    assert_false(weir_str_is(weir_cstr("abcd"), "abc"));
    assert_true(weir_str_is(weir_cstr(""), ""));
    assert_true(weir_str_is(weir_cstr(NULL), ""));
    assert_false(weir_str_is(weir_cstr(NULL), "a"));
    assert_false(weir_str_is(STR_OF("a\0b"), "a"));
}

/* Only A-Z equal a-z; no other pair of bytes that differ in one bit does. */
static void test_is_nocase(void **state)
{
    (void)state;
    assert_true(weir_str_is_nocase(weir_cstr("SEC-WebSocket-Key09"), "sec-wEBsOCKET-kEY09"));
    assert_false(weir_str_is_nocase(weir_cstr("abc"), "abcd"));
    assert_false(weir_str_is_nocase(STR_OF("abc\0"), "abc"));
    for (unsigned a = 1; a < 256; a++) {
        for (unsigned b = 1; b < 256; b++) {
            uint8_t one = (uint8_t)a;
            char two[2] = {(char)b, '\0'};
            bool letters = (a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
            assert_int_equal(weir_str_is_nocase((weir_str){&one, 1}, two), a == b || letters);
            assert_int_equal(weir_str_is((weir_str){&one, 1}, two), a == b);
        }
    }
}

/* A slice is not read beyond its length. */
static void test_slices_are_not_over_read(void **state)
{
    (void)state;
    for (size_t len = 0; len < 20; len++) {
        uint8_t *bytes = guard_copy("aaaaaaaaaaaaaaaaaaaa", len, false);
        assert_int_equal(weir_str_is((weir_str){bytes, len}, "aaaaaaaaaa"), len == 10);
        assert_int_equal(weir_str_is_nocase((weir_str){bytes, len}, "AAAAAAAAAA"), len == 10);
        guard_free(bytes);
    }
}

static void test_out_put(void **state)
{
    (void)state;
    uint8_t *room = guard_copy(NULL, 5, false);
    weir_out out = {room, 5};
    assert_int_equal(weir_out_put(&out, weir_cstr("abc")), 0);
    assert_ptr_equal(out.ptr, room + 3);
    assert_int_equal(out.len, 2);
    assert_int_equal(weir_out_put(&out, weir_cstr("def")), WEIR_ERR_SPACE);
    assert_ptr_equal(out.ptr, room + 3);
    assert_int_equal(out.len, 2);
    assert_memory_equal(room, "abc\0\0", 5);
    assert_int_equal(weir_out_put(&out, weir_cstr(NULL)), 0);
    assert_int_equal(weir_out_put(&out, weir_cstr("de")), 0);
    assert_int_equal(out.len, 0);
    assert_int_equal(weir_out_put(&out, weir_cstr("")), 0);
    assert_int_equal(weir_out_put(&out, weir_cstr("f")), WEIR_ERR_SPACE);
    assert_memory_equal(room, "abcde", 5);
    guard_free(room);

    out = (weir_out){NULL, 0};
    assert_int_equal(weir_out_put(&out, (weir_str){NULL, 0}), 0);
    assert_int_equal(weir_out_put(&out, weir_cstr("a")), WEIR_ERR_SPACE);
}

static void test_version(void **state)
{
    (void)state;
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH);
    assert_string_equal(text, WEIR_VERSION);
    assert_int_equal(weir_version(), WEIR_VERSION_NUM);
    assert_int_equal(WEIR_VERSION_NUM,
                     WEIR_VERSION_MAJOR * 10000 + WEIR_VERSION_MINOR * 100 + WEIR_VERSION_PATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cstr),      cmocka_unit_test(test_is),
        cmocka_unit_test(test_is_nocase), cmocka_unit_test(test_slices_are_not_over_read),
        cmocka_unit_test(test_out_put),   cmocka_unit_test(test_version),
    };
    return cmocka_run_group_tests_name("base_str", tests, NULL, NULL);
}
