/* SPDX-License-Identifier: MIT */
/* test_base_error.c - the error list: unique, in its bands, consistent, total. */
#include "check.h"

#include <limits.h>

#define ROW(name, value, text, section, code, status) \
    {WEIR_ERR_##name, "WEIR_ERR_" #name, text, section, code, status},
static const weir_err_info rows[] = {WEIR_ERR_LIST(ROW)};
#undef ROW
enum { ROWS = sizeof rows / sizeof *rows };

#define VALUE(name, value, text, section, code, status) value,
static const int values[] = {WEIR_ERR_LIST(VALUE)};
#undef VALUE

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void test_lookup_gives_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const weir_err_info *info = weir_err_lookup(rows[i].err);
        assert_int_equal(rows[i].err, values[i]);
        assert_int_equal(info->err, rows[i].err);
        assert_string_equal(info->name, rows[i].name);
        assert_string_equal(info->text, rows[i].text);
        assert_string_equal(info->section, rows[i].section);
        assert_int_equal(info->close_code, rows[i].close_code);
        assert_int_equal(info->status, rows[i].status);
        assert_ptr_equal(weir_strerror(rows[i].err), info->text);
    }
}

static void test_rows_are_distinct(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(rows[i].err, rows[j].err);
            assert_string_not_equal(rows[i].name, rows[j].name);
            assert_string_not_equal(rows[i].text, rows[j].text);
        }
    }
}

/* -1..-99 local, then one band a protocol. The order of the list is that of the values. */
static void test_bands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        int err = rows[i].err;
        const char *name = rows[i].name + strlen("WEIR_ERR_");
        assert_true(err < 0 && err > -32768);
        assert_true(i == 0 || err < rows[i - 1].err);
        if (err > -100)
            assert_false(has_prefix(name, "HTTP_"));
        else if (err > -200)
            assert_true(has_prefix(name, "HTTP_"));
        else if (err > -300)
            assert_true(has_prefix(name, "WS_"));
        else
            assert_true(has_prefix(name, "SSE_"));
    }
    assert_int_equal(WEIR_OK, 0);
}

static void test_answers_are_consistent(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const weir_err_info *row = &rows[i];
        bool local = row->err > -100;
        bool frame = row->err <= -220 && row->err > -300;
        if (local) {
            assert_int_equal(row->close_code, 1011);
            assert_int_equal(row->status, 500);
        } else if (frame) {
            assert_true(row->close_code == 1002 || (row->close_code >= 1007 && row->close_code <= 1009));
            assert_int_equal(row->status, 0);
        } else {
            assert_int_equal(row->close_code, 0);
            assert_true(row->status == 0 || (row->status >= 400 && row->status <= 505));
        }
        assert_true(local || has_prefix(row->section, "RFC ") || has_prefix(row->section, "WHATWG HTML "));
        assert_true(strlen(row->text) > 5 && strlen(row->text) < 60);
        for (const char *p = row->text; *p != '\0'; p++)
            assert_true(*p >= ' ' && *p <= '~');
    }
}

static void check_unknown(int err)
{
    const weir_err_info *info = weir_err_lookup(err);
    assert_non_null(info);
    assert_int_equal(info->err, -32768); /* no error's: their values are above it */
    assert_string_equal(info->name, "WEIR_ERR_UNKNOWN");
    assert_int_equal(info->close_code, 0);
    assert_int_equal(info->status, 0);
    assert_non_null(info->section);
    assert_true(strlen(weir_strerror(err)) != 0);
}

static void test_any_int(void **state)
{
    (void)state;
    assert_string_equal(weir_err_lookup(0)->name, "WEIR_OK");
    assert_int_equal(weir_err_lookup(0)->err, 0);
    assert_non_null(weir_strerror(0));
    size_t known = 0;
    for (int err = -70000; err <= 70000; err++) {
        const weir_err_info *info = weir_err_lookup(err);
        assert_non_null(info->text);
        if (strcmp(info->name, "WEIR_ERR_UNKNOWN") != 0) {
            assert_int_equal(info->err, err);
            known++;
        }
    }
    assert_int_equal(known, ROWS + 1);
    check_unknown(INT_MIN);
    check_unknown(INT_MAX);
    check_unknown(1);
    check_unknown(-99);
    check_unknown(-32768);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup_gives_each_row),
        cmocka_unit_test(test_rows_are_distinct),
        cmocka_unit_test(test_bands),
        cmocka_unit_test(test_answers_are_consistent),
        cmocka_unit_test(test_any_int),
    };
    return cmocka_run_group_tests_name("base_error", tests, NULL, NULL);
}
