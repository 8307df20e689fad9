/* SPDX-License-Identifier: MIT */
/* test_harness.c - the harness itself: it notices machines whose words depend on the cut. */
#include "check.h"
#include "harness.h"
#include "text.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#ifdef _WIN32
#include <windows.h>
#endif

/* ---- Log ------------------------------------------------------------------------------------------ */

static void test_log(void **state)
{
    (void)state;
    log *l = log_new();
    assert_string_equal(log_text(l), "");
    log_line(l, "a %d", 7);
    log_bytes(l, "data", "He", 2);
    log_bytes(l, "data", "llo", 3);
    log_bytes(l, "data", NULL, 0);
    log_bytes(l, "more", "\r\n\0\"\\\x7F\xC3~", 8);
    log_line(l, "end");
    log_bytes(l, "data", "", 0);
    assert_string_equal(log_text(l),
                        "a 7\ndata \"Hello\"\nmore \"\\x0D\\x0A\\x00\\x22\\x5C\\x7F\\xC3~\"\nend\n"
                        "data \"\"\n");
    log_clear(l);
    for (int i = 0; i < 10000; i++)
        log_bytes(l, "x", "\n", 1);
    assert_int_equal(strlen(log_text(l)), 40000 + 5);
    log_free(l);

    assert_string_equal(log_quote("a\"\n", 3), "\"a\\x22\\x0A\"");
    assert_string_equal(log_quote("", 0), "\"\"");
    assert_string_equal(log_quote(NULL, 0), "absent");
}

/* ---- Machines that are wrong in one way each ------------------------------------------------------- */

typedef struct faulty {
    enum { GOOD, PIECES, THIRD, KEEPS, EMPTY, STATEFUL } fault;
    size_t seen;
    const uint8_t *kept;
} faulty;

static void faulty_start(void *arg)
{
    faulty *f = arg;
    f->seen = f->fault == STATEFUL ? f->seen : 0;
    f->kept = NULL;
}

static void faulty_feed(void *arg, uint8_t *bytes, size_t len, log *l)
{
    faulty *f = arg;
    if (f->fault == PIECES)
        log_line(l, "piece");
    if (f->fault == EMPTY && len == 0)
        log_line(l, "nothing");
    if (f->fault == KEEPS && f->kept != NULL && len != 0)
        log_line(l, "first %c", *f->kept);
    if (f->kept == NULL && len != 0)
        f->kept = bytes;
    for (size_t i = 0; i < len; i++, f->seen++) {
        if (f->fault == THIRD && f->seen == 3 && i == 1 && len == 2)
            log_line(l, "here");
        if (bytes[i] == '!')
            log_line(l, "bang at %zu", f->seen);
    }
}

static void faulty_finish(void *arg, log *l)
{
    faulty *f = arg;
    log_line(l, "%zu bytes", f->seen);
}

static void test_machines(void **state)
{
    (void)state;
    faulty f = {GOOD, 0, NULL};
    machine_quiet = true;
    const machine m = {faulty_start, faulty_feed, faulty_finish, &f};
    static const char stream[] = "ab!cd!ef";
    static const char said[] = "bang at 2\nbang at 5\n8 bytes\n";
    for (f.fault = GOOD; f.fault <= STATEFUL; f.fault++) {
        f.seen = 0;
        assert_int_equal(machine_agrees(&m, "expected", stream, 8, said), f.fault == GOOD);
        f.seen = 0;
        assert_int_equal(machine_agrees(&m, "by itself", stream, 8, NULL), f.fault == GOOD);
    }
    f.fault = GOOD;
    assert_false(machine_agrees(&m, "another text", stream, 8, "bang at 2\n8 bytes\n"));
    assert_true(machine_agrees(&m, "empty", "", 0, "0 bytes\n"));

    uint8_t *big = malloc(10000);
    memset(big, 'x', 10000);
    big[9999] = '!';
    assert_true(machine_agrees(&m, "long", big, 10000, "bang at 9999\n10000 bytes\n"));
    free(big);
    machine_quiet = false;
}

/* ---- Guards --------------------------------------------------------------------------------------- */

#ifdef _WIN32
static bool readable(const uint8_t *at)
{
    return !IsBadReadPtr(at, 1);
}
#else
static sigjmp_buf caught;

static void on_fault(int signal)
{
    (void)signal;
    siglongjmp(caught, 1);
}

static bool readable(const uint8_t *at)
{
    struct sigaction action, old_segv, old_bus;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_fault;
    sigaction(SIGSEGV, &action, &old_segv);
    sigaction(SIGBUS, &action, &old_bus);
    volatile bool good = false;
    if (sigsetjmp(caught, 1) == 0) {
        (void)*(const volatile uint8_t *)at;
        good = true;
    }
    sigaction(SIGSEGV, &old_segv, NULL);
    sigaction(SIGBUS, &old_bus, NULL);
    return good;
}
#endif

static void test_guards(void **state)
{
    (void)state;
    bool good = true;
    for (size_t len = 0; len < 5000; len += len < 5 ? 1 : 999) {
        uint8_t *end = guard_copy(NULL, len, false), *start = guard_copy(NULL, len, true);
        good = good && !readable(end + len) && !readable(start - 1);
        good = good && (len == 0 || (readable(end + len - 1) && readable(end) && readable(start)));
        guard_free(end);
        guard_free(start);
    }
    assert_true(good);
    uint8_t *copy = guard_copy("abc", 3, false);
    assert_memory_equal(copy, "abc", 3);
    guard_free(copy);
}

/* ---- Escapes --------------------------------------------------------------------------------------- */

static void test_escapes(void **state)
{
    (void)state;
    unsigned char bytes[64];
    static const char text[] = "a\\r\\n\\t\\0\\\"\\\\\\x4a\\xFf";
    assert_int_equal(text_decode(bytes, text, sizeof text - 1), 9);
    assert_memory_equal(bytes, "a\r\n\t\0\"\\J\xFF", 9);
    assert_int_equal(text_decode(bytes, "\\", 1), (size_t)-1);
    assert_int_equal(text_decode(bytes, "\\q", 2), (size_t)-1);
    assert_int_equal(text_decode(bytes, "\\x4", 3), (size_t)-1);
    assert_int_equal(text_decode(bytes, "\\x4g", 4), (size_t)-1);
    char *canonical = text_canonical("data \"\\r\\x41\\\"\\\\\xC3\"\nb\n");
    assert_string_equal(canonical, "data \"\\x0DA\\x22\\x5C\\xC3\"\nb\n");
    free(canonical);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_escapes),
    };
    return cmocka_run_group_tests_name("harness", tests, NULL, NULL);
}
