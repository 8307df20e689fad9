/* SPDX-License-Identifier: MIT */
/* test_base_ascii.c - byte classes against the RFCs' own words, numbers, trimming. */
#include "base/ascii.h"
#include "base/sink.h"
#include "check.h"
#include "harness.h"

static bool letter_or_digit(unsigned c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool among(unsigned c, const char *set)
{
    return c != 0 && c < 256 && strchr(set, (int)c) != NULL;
}

static void test_classes(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t byte = (uint8_t)c;
        bool token = letter_or_digit(c) || among(c, "!#$%&'*+-.^_`|~");
        bool value = c == '\t' || (c >= 0x20 && c <= 0x7E) || c >= 0x80;
        bool target = c >= 0x21 && c <= 0x7E && c != '#';
        bool host = letter_or_digit(c) || among(c, "-._~!$&'()*+,;=");
        assert_int_equal(weiri_is(byte, WEIRI_TOKEN), token);
        assert_int_equal(weiri_is(byte, WEIRI_VALUE), value);
        assert_int_equal(weiri_is(byte, WEIRI_TARGET), target);
        assert_int_equal(weiri_is(byte, WEIRI_HOST), host);
        assert_int_equal(weiri_is(byte, WEIRI_BASE64), letter_or_digit(c) || among(c, "+/"));
        assert_int_equal(weiri_is(byte, WEIRI_TOKEN | WEIRI_TARGET), token || target);
        assert_int_equal(weiri_is_digit(byte), c >= '0' && c <= '9');
        assert_int_equal(weiri_is_blank(byte), c == ' ' || c == '\t');
        assert_int_equal(weiri_lower(byte), c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
}

static void test_hex(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        int wanted = -1;
        if (c >= '0' && c <= '9')
            wanted = (int)c - '0';
        else if (c >= 'a' && c <= 'f')
            wanted = (int)c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            wanted = (int)c - 'A' + 10;
        assert_int_equal(weiri_hex((uint8_t)c), wanted);
    }
}

static void test_all_and_trim(void **state)
{
    (void)state;
    assert_true(weiri_all(weir_cstr("abc"), WEIRI_TOKEN));
    assert_false(weiri_all(weir_cstr("ab c"), WEIRI_TOKEN));
    assert_false(weiri_all(weir_cstr("abc "), WEIRI_TOKEN));
    assert_false(weiri_all(weir_cstr(" abc"), WEIRI_TOKEN));
    assert_false(weiri_all(weir_cstr(""), WEIRI_TOKEN));
    assert_false(weiri_all(weir_cstr(NULL), WEIRI_TOKEN));

    assert_str(weiri_trim(weir_cstr(" \t a b\t ")), "a b");
    assert_str(weiri_trim(weir_cstr("a")), "a");
    assert_str(weiri_trim(weir_cstr("\ra\n")), "\ra\n");
    assert_int_equal(weiri_trim(weir_cstr(" \t \t ")).len, 0);
    assert_int_equal(weiri_trim(weir_cstr(NULL)).len, 0);
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(weiri_equal(STR_OF("a\0b"), STR_OF("a\0b")));
    assert_false(weiri_equal(STR_OF("a\0b"), STR_OF("a\0c")));
    assert_true(weiri_equal((weir_str){NULL, 0}, weir_cstr("")));
    assert_true(weiri_equal_nocase(STR_OF("A\0z\xC3"), STR_OF("a\0Z\xC3")));
    assert_false(weiri_equal_nocase(STR_OF("\xC3"), STR_OF("\xE3")));
    assert_false(weiri_equal_nocase(STR_OF("a\0"), weir_cstr("a")));
    assert_false(weiri_equal_nocase(weir_cstr("a"), STR_OF("a\0")));
    assert_false(weiri_equal_nocase(weir_cstr("@"), weir_cstr("`")));
    assert_false(weiri_equal_nocase(weir_cstr("["), weir_cstr("{")));
}

/* Every pair of bytes at every place of texts of up to three words, the rest equal but for case. */
static void test_equal_nocase_everywhere(void **state)
{
    (void)state;
    static const char text[] = "sEc-wEbsOcket-Key9@[`{-aZ_";
    static const char other[] = "SeC-WeBSoCKEt-kEY9@[`{-Az_";
    uint8_t a[sizeof text], b[sizeof text];
    for (size_t len = 0; len < sizeof text; len++) {
        memcpy(a, text, len);
        memcpy(b, other, len);
        assert_true(weiri_equal_nocase((weir_str){a, len}, (weir_str){b, len}));
        for (size_t at = 0; at < len; at++) {
            for (unsigned pair = 0; pair < 65536; pair++) {
                a[at] = (uint8_t)(pair >> 8), b[at] = (uint8_t)pair;
                bool same = weiri_lower(a[at]) == weiri_lower(b[at]);
                if (weiri_equal_nocase((weir_str){a, len}, (weir_str){b, len}) != same)
                    fail_msg("%u of %u: %#x %#x", (unsigned)at, (unsigned)len, a[at], b[at]);
            }
            a[at] = (uint8_t)text[at], b[at] = (uint8_t)other[at];
        }
    }
}

/* The same for literals: only what is equal to the literal without case passes. */
static void test_names(void **state)
{
    (void)state;
    const weir_str names[] = {WEIRI_TEXT("host"),
                              WEIRI_TEXT("h-s7s"),
                              WEIRI_TEXT("upgrade"),
                              WEIRI_TEXT("websocke"),
                              WEIRI_TEXT("websocket"),
                              WEIRI_TEXT("sec-websocket-ke"),
                              WEIRI_TEXT("sec-websocket-version-13-and-more")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t text[40];
        size_t len = names[i].len;
        memcpy(text, names[i].ptr, len);
        assert_true(weiri_is_name((weir_str){text, len}, names[i]));
        assert_false(weiri_is_name((weir_str){text, len - 1}, names[i]));
        assert_false(weiri_is_name((weir_str){text, len + 1}, names[i]));
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                text[at] = (uint8_t)byte;
                assert_int_equal(weiri_is_name((weir_str){text, len}, names[i]),
                                 weiri_lower((uint8_t)byte) == names[i].ptr[at]);
            }
            text[at] = names[i].ptr[at];
        }
    }
}

static void check_decimal(const char *text, bool good, uint64_t wanted)
{
    uint64_t number = 77;
    bool result = weiri_decimal(weir_cstr(text), &number);
    if (result != good || (good && number != wanted))
        fail_msg("\"%s\": %d %llu", text, result, (unsigned long long)number);
}

static void test_decimal(void **state)
{
    (void)state;
    check_decimal("0", true, 0);
    check_decimal("00", true, 0);
    check_decimal("1234567890", true, 1234567890);
    check_decimal("18446744073709551609", true, UINT64_MAX - 6);
    check_decimal("18446744073709551610", true, UINT64_MAX - 5);
    check_decimal("18446744073709551615", true, UINT64_MAX);
    check_decimal("000000000000000000000000018446744073709551615", true, UINT64_MAX);
    check_decimal("18446744073709551616", false, 0);
    check_decimal("18446744073709551619", false, 0);
    check_decimal("18446744073709551620", false, 0);
    check_decimal("20000000000000000000", false, 0);
    check_decimal("99999999999999999999", false, 0);
    check_decimal("184467440737095516150", false, 0);
    check_decimal("", false, 0);
    check_decimal("+1", false, 0);
    check_decimal("-1", false, 0);
    check_decimal(" 1", false, 0);
    check_decimal("1 ", false, 0);
    check_decimal("1a", false, 0);
    check_decimal("/", false, 0);
    check_decimal(":", false, 0);
    check_decimal("\xB1", false, 0);
}

/* The sink measures exactly what it then writes. */
static void test_sink(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        const char *decimal, *hex;
    } numbers[] = {
        {0, "0", "0"},
        {9, "9", "9"},
        {10, "10", "a"},
        {255, "255", "ff"},
        {4294967296, "4294967296", "100000000"},
        {UINT64_MAX, "18446744073709551615", "ffffffffffffffff"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        for (unsigned base = 10; base <= 16; base += 6) {
            const char *wanted = base == 10 ? numbers[i].decimal : numbers[i].hex;
            weiri_sink measure = {NULL, 0};
            weiri_sink_number(&measure, numbers[i].number, base);
            weiri_sink_text(&measure, "xy");
            weiri_sink_put(&measure, (weir_str){NULL, 0});
            assert_int_equal(measure.len, strlen(wanted) + 2);
            assert_null(measure.at);

            uint8_t *room = guard_copy(NULL, measure.len, false);
            weiri_sink sink = {room, 0};
            weiri_sink_number(&sink, numbers[i].number, base);
            weiri_sink_text(&sink, "xy");
            weiri_sink_put(&sink, (weir_str){NULL, 0});
            assert_int_equal(sink.len, measure.len);
            assert_ptr_equal(sink.at, room + sink.len);
            assert_true(weir_str_is_nocase((weir_str){room, sink.len - 2}, wanted));
            guard_free(room);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_all_and_trim),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_equal_nocase_everywhere),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_sink),
    };
    return cmocka_run_group_tests_name("base_ascii", tests, NULL, NULL);
}
