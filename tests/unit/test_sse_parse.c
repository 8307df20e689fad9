/* SPDX-License-Identifier: MIT */
/* test_sse_parse.c - the parser of event streams: vectors under every cut, slices, set-up and restart. */
#include "check.h"
#include "sse_machine.h"

/* ---- Vectors -------------------------------------------------------------------------------------- */

static void test_lines(void **state)
{
    (void)state;
    assert_true(sse_vectors_check("sse_lines.txt") >= 90);
}

static void test_fields(void **state)
{
    (void)state;
    assert_true(sse_vectors_check("sse_fields.txt") >= 90);
}

static void test_utf8(void **state)
{
    (void)state;
    assert_true(sse_vectors_check("sse_utf8.txt") >= 40);
}

static void test_end(void **state)
{
    (void)state;
    assert_true(sse_vectors_check("sse_end.txt") >= 50);
}

/* ---- Slices --------------------------------------------------------------------------------------- */

static weir_str left_of(const weir_in *in)
{
    return (weir_str){in->ptr, in->len};
}

static void parser_start(weir_sse_parser *p, void *storage, size_t len, uint32_t flags)
{
    const weir_sse_parser_cfg cfg = {.flags = flags};
    memset(p, 0xDD, sizeof *p);
    assert_int_equal(weir_sse_parser_init(p, storage, len, &cfg), 0);
}

/* An event in one input is a slice of it, its lines joined in place, and the storage stays untouched but for
 * type and ID. */
static void test_whole_event_is_not_copied(void **state)
{
    (void)state;
    static uint8_t storage[WEIR_SSE_STORAGE(64)], before[64];
    uint8_t bytes[] =
        "data: abc\r\nevent: t\ndata:\nother: 1\ndata: \xC3\xA9\nid: 7\ndata:x\n\ndata: next\n\n";
    weir_sse_parser p;
    weir_sse_item item;
    memset(storage, 0xA5, sizeof storage);
    memset(before, 0xA5, sizeof before);
    parser_start(&p, storage, sizeof storage, 0);
    weir_in in = {bytes, sizeof bytes - 1};
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_EVENT);
    assert_str(item.data, "abc\n\n\xC3\xA9\nx");
    assert_str(item.type, "t");
    assert_str(item.id, "7");
    assert_str(left_of(&in), "data: next\n\n");
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_EVENT);
    assert_str(item.data, "next");
    assert_ptr_equal(item.data.ptr, in.ptr - 6);
    assert_memory_equal(storage + sizeof storage - 64, before, 64);
    assert_int_equal(weir_sse_next(&p, &in, &item), 0);
}

/* A part of an event of one line is a slice of the input too. */
static void test_parts_are_not_copied(void **state)
{
    (void)state;
    static uint8_t storage[WEIR_SSE_STORAGE(8)];
    uint8_t bytes[] = "data: abcdefghij\n\n";
    weir_sse_parser p;
    weir_sse_item item;
    parser_start(&p, storage, sizeof storage, WEIR_SSE_PARTS);
    weir_in in = {bytes, sizeof bytes - 1};
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_PART);
    assert_int_equal(item.flags, WEIR_SSE_FIRST);
    assert_ptr_equal(item.data.ptr, bytes + 6);
    assert_str(item.data, "abcdefghij");
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_EVENT);
    assert_int_equal(item.flags, WEIR_SSE_IN_PARTS | WEIR_SSE_UTF8);
    assert_int_equal(item.data.len, 0);
    assert_str(item.type, "message");
}

/* All members that a kind does not set are zero. */
static void test_items_are_whole(void **state)
{
    (void)state;
    static uint8_t storage[WEIR_SSE_STORAGE(8)];
    uint8_t bytes[] = ":c\nretry: 7\nid: 1\n\ndata: abcdefghij\n\nevent: t\ndata:x\n\ndata";
    weir_sse_parser p;
    weir_sse_item item, zero;
    memset(&zero, 0, sizeof zero);
    memset(&item, 0xDD, sizeof item);
    parser_start(&p, storage, sizeof storage, WEIR_SSE_COMMENTS | WEIR_SSE_SKIP);
    weir_in in = {bytes, sizeof bytes - 1};
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_COMMENT);
    assert_str(item.data, "c");
    assert_int_equal(item.type.len + item.id.len + item.retry_ms, 0);
    assert_int_equal(item.err, 0);
    memset(&item, 0xDD, sizeof item);
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_RETRY);
    assert_int_equal(item.retry_ms, 7);
    assert_int_equal(item.type.len + item.id.len + item.data.len, 0);
    assert_int_equal(item.err, 0);
    memset(&item, 0xDD, sizeof item);
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_ID);
    assert_str(item.id, "1");
    assert_int_equal(item.type.len + item.data.len + item.retry_ms, 0);
    memset(&item, 0xDD, sizeof item);
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_SKIPPED);
    assert_int_equal(item.err, WEIR_ERR_SSE_EVENT_SIZE);
    assert_str(item.id, "1");
    assert_int_equal(item.type.len + item.data.len + item.retry_ms, 0);
    memset(&item, 0xDD, sizeof item);
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_EVENT);
    assert_int_equal(item.flags, WEIR_SSE_UTF8);
    assert_int_equal(item.retry_ms, 0);
    assert_int_equal(item.err, 0);
    memset(&item, 0xDD, sizeof item);
    assert_int_equal(weir_sse_next(&p, &in, &item), 0);
    assert_int_equal(weir_sse_eof(&p, &item), WEIR_SSE_ABORTED);
    assert_int_equal(item.kind, WEIR_SSE_ABORTED);
    assert_int_equal(item.type.len + item.id.len + item.data.len + item.retry_ms, 0);
}

/* ---- Set-up and restart --------------------------------------------------------------------------- */

static int init(const weir_sse_parser_cfg *cfg, size_t storage_len)
{
    weir_sse_parser p;
    uint8_t *storage = guard_copy(NULL, storage_len, false);
    int rv = weir_sse_parser_init(&p, storage, storage_len, cfg);
    guard_free(storage);
    return rv;
}

static void test_init_arguments(void **state)
{
    (void)state;
    weir_sse_parser p;
    static uint8_t storage[WEIR_SSE_STORAGE(1)];
    const size_t size = sizeof storage;
    weir_sse_parser_cfg cfg;
    memset(&cfg, 0, sizeof cfg);
    assert_int_equal(weir_sse_parser_init(&p, storage, size, NULL), 0);
    assert_int_equal(weir_sse_parser_init(&p, storage, size - 1, NULL), WEIR_ERR_SPACE);
    assert_int_equal(weir_sse_parser_init(&p, NULL, 0, NULL), WEIR_ERR_SPACE);
    assert_int_equal(weir_sse_parser_init_(&p, WEIR_LAYOUT_OF(p) - 8, storage, size, NULL), WEIR_ERR_LAYOUT);
    assert_int_equal(weir_sse_parser_init_(&p, WEIR_LAYOUT_OF(p) + 0x10000, storage, size, NULL),
                     WEIR_ERR_LAYOUT);
    for (uint32_t flags = 0; flags < 64; flags++) {
        cfg.flags = flags;
        bool both = (flags & WEIR_SSE_PARTS) != 0 && (flags & WEIR_SSE_REPAIR) != 0;
        assert_int_equal(init(&cfg, size), flags >= 32 || both ? WEIR_ERR_ARG : 0);
    }
    cfg.flags = 0x80000000u;
    assert_int_equal(init(&cfg, size), WEIR_ERR_ARG);
}

/* No configuration is one of zeros. */
static void test_init_without_cfg(void **state)
{
    (void)state;
    static uint8_t storage[WEIR_SSE_STORAGE(64)];
    const weir_sse_parser_cfg zeros = {0, 0, 0, 0, 0, 0, {NULL, 0}};
    weir_sse_parser p, q;
    memset(&p, 0xDD, sizeof p);
    memset(&q, 0xEE, sizeof q);
    assert_int_equal(weir_sse_parser_init(&p, storage, sizeof storage, NULL), 0);
    assert_int_equal(weir_sse_parser_init(&q, storage, sizeof storage, &zeros), 0);
    assert_memory_equal(&p, &q, sizeof p);
}

static void test_init_limits(void **state)
{
    (void)state;
    weir_sse_parser_cfg cfg = {.max_id = 5, .max_type = 3, .max_event = 7};
    assert_int_equal(init(&cfg, 5 + 5 + 3 + 5 + 7), 0);
    assert_int_equal(init(&cfg, 5 + 5 + 3 + 5 + 6), WEIR_ERR_SPACE);
    cfg.max_type = 9;
    assert_int_equal(init(&cfg, 5 + 5 + 9 + 9 + 7), 0);
    assert_int_equal(init(&cfg, 5 + 5 + 9 + 9 + 6), WEIR_ERR_SPACE);
    cfg.max_comment = 20;
    cfg.flags = WEIR_SSE_COMMENTS;
    assert_int_equal(init(&cfg, 5 + 5 + 9 + 20 + 7), 0);
    assert_int_equal(init(&cfg, 5 + 5 + 9 + 20 + 6), WEIR_ERR_SPACE);
    cfg.max_event = 0;
    assert_int_equal(init(&cfg, 5 + 5 + 9 + 20 + 1), 0);
    assert_int_equal(init(&cfg, 5 + 5 + 9 + 20), WEIR_ERR_SPACE);
    assert_int_equal(init(&cfg, 0), WEIR_ERR_SPACE);
    cfg.max_event = SIZE_MAX;
    assert_int_equal(init(&cfg, 5 + 5 + 9 + 20 + 1), WEIR_ERR_SPACE);
    cfg.max_event = 0;
    cfg.max_id = UINT32_MAX;
    assert_int_equal(init(&cfg, 1000), WEIR_ERR_SPACE);
    cfg.max_id = 5;
    cfg.max_type = UINT32_MAX;
    assert_int_equal(init(&cfg, 1000), WEIR_ERR_SPACE);
    cfg.max_type = 5;
    cfg.max_comment = UINT32_MAX;
    assert_int_equal(init(&cfg, 1000), WEIR_ERR_SPACE);
    cfg.max_id = cfg.max_type = UINT32_MAX;
    cfg.max_event = SIZE_MAX;
    assert_int_equal(init(&cfg, 1000), WEIR_ERR_SPACE);
}

/* A comment of 1,024 bytes is reported, a longer one is not; a type may be of 256. */
static void test_defaults(void **state)
{
    (void)state;
    static uint8_t storage[8192], text[2048];
    for (size_t len = 1023; len < 1026; len++) {
        weir_sse_parser_cfg cfg = {.flags = WEIR_SSE_COMMENTS};
        weir_sse_parser p;
        weir_sse_item item;
        weir_in in = {text, len + 2};
        memset(text, 'c', sizeof text);
        text[0] = ':';
        text[len + 1] = '\n';
        assert_int_equal(weir_sse_parser_init(&p, storage, sizeof storage, &cfg), 0);
        assert_int_equal(weir_sse_next(&p, &in, &item), len <= 1024 ? WEIR_SSE_COMMENT : 0);
        assert_int_equal(in.len, 0);
    }
    for (size_t len = 255; len < 258; len++) {
        weir_sse_parser p;
        weir_sse_item item;
        weir_in in = {text, 6 + len + 10};
        memcpy(text, "event:", 6);
        memset(text + 6, 't', len);
        memcpy(text + 6 + len, "\ndata:d\n\n", 10);
        assert_int_equal(weir_sse_parser_init(&p, storage, sizeof storage, NULL), 0);
        int wanted = len <= 256 ? (int)WEIR_SSE_EVENT : (int)WEIR_ERR_SSE_TYPE_SIZE;
        assert_int_equal(weir_sse_next(&p, &in, &item), wanted);
    }
}

static void test_init_last_event_id(void **state)
{
    (void)state;
    static uint8_t storage[64];
    weir_sse_parser p;
    weir_sse_parser_cfg cfg = {.max_id = 5, .max_type = 5, .last_event_id = STR_OF("abcde")};
    char id[] = "abcde";
    cfg.last_event_id = weir_cstr(id);
    assert_int_equal(weir_sse_parser_init(&p, storage, sizeof storage, &cfg), 0);
    memset(id, 'x', 5);
    assert_str(weir_sse_last_id(&p), "abcde");
    cfg.last_event_id = weir_cstr("abcdef");
    assert_int_equal(init(&cfg, sizeof storage), WEIR_ERR_ARG);
    cfg.last_event_id = weir_cstr("a\nb");
    assert_int_equal(init(&cfg, sizeof storage), WEIR_ERR_ARG);
    cfg.last_event_id = weir_cstr("ab\r");
    assert_int_equal(init(&cfg, sizeof storage), WEIR_ERR_ARG);
    cfg.last_event_id = STR_OF("\0ab");
    assert_int_equal(init(&cfg, sizeof storage), WEIR_ERR_ARG);
    cfg.last_event_id = STR_OF("");
    assert_int_equal(weir_sse_parser_init(&p, storage, sizeof storage, &cfg), 0);
    assert_int_equal(weir_sse_last_id(&p).len, 0);
}

static int give(weir_sse_parser *p, const char *text, weir_sse_item *item)
{
    static uint8_t bytes[256];
    size_t len = strlen(text);
    assert_true(len <= sizeof bytes);
    memcpy(bytes, text, len);
    weir_in in = {bytes, len};
    int rv = weir_sse_next(p, &in, item);
    assert_true(rv != 0 || in.len == 0);
    return rv;
}

/* Whatever was under way is forgotten; the ID stays, the BOM is looked for anew, offsets begin at 0. */
static void test_restart(void **state)
{
    (void)state;
    static const char *const befores[] = {
        "",
        "data: x",
        "data: x\n",
        "data: x\r",
        "da",
        "id: 2",
        "id: 2\n",
        "retry:",
        "event: t\n",
        ":c",
        "foo",
        "\xEF",
        "\xEF\xBB",
        "\xEF\xBB\xBF",
        "\r",
        "data: \xFF\n",
        "id: \xFF\n",
        "event: \xFF\n",
        "data",
        "data: ",
        "event: t\ndata: abc\n",
        "id:2\r",
        "data: 01234567\n",
    };
    const size_t count = sizeof befores / sizeof *befores;
    for (size_t n = 0; n < 4 * count; n++) {
        static uint8_t storage[WEIR_SSE_STORAGE(9)];
        size_t i = n / 4;
        weir_sse_parser p;
        weir_sse_item item;
        uint64_t offset;
        parser_start(&p, storage, sizeof storage, 0);
        assert_int_equal(give(&p, "id: 1\n\n", &item), WEIR_SSE_ID);
        assert_int_equal(give(&p, befores[i], &item), 0);
        if (n % 2 != 0)
            while (weir_sse_eof(&p, &item) > 0)
                continue;
        weir_sse_restart(&p);
        assert_int_equal(weir_sse_error(&p, &offset), 0);
        assert_int_equal(offset, 0);
        assert_str(weir_sse_last_id(&p), "1");
        if (n % 4 < 2) /* a blank line in front of the event would hide what is left over */
            assert_int_equal(give(&p, "\xEF\xBB\xBF\n", &item), 0);
        assert_int_equal(give(&p, "data: y\n\n", &item), WEIR_SSE_EVENT);
        assert_str(item.data, "y");
        assert_str(item.type, "message");
        assert_str(item.id, "1");
        assert_int_equal(item.flags, WEIR_SSE_UTF8);
        assert_int_equal(weir_sse_eof(&p, &item), 0);
    }
}

/* The last event ID stays, and so does what it is. */
static void test_restart_with_a_bad_id(void **state)
{
    (void)state;
    static uint8_t storage[WEIR_SSE_STORAGE(9)];
    weir_sse_parser p;
    weir_sse_item item;
    parser_start(&p, storage, sizeof storage, 0);
    assert_int_equal(give(&p, "id: \xFF\n\n", &item), WEIR_SSE_ID);
    weir_sse_restart(&p);
    assert_int_equal(give(&p, "data: y\n\n", &item), WEIR_SSE_EVENT);
    assert_str(item.id, "\xFF");
    assert_int_equal(item.flags, 0);
    assert_int_equal(give(&p, "id: 1\n\n", &item), WEIR_SSE_ID);
    weir_sse_restart(&p);
    assert_int_equal(give(&p, "data: y\n\n", &item), WEIR_SSE_EVENT);
    assert_int_equal(item.flags, WEIR_SSE_UTF8);
}

/* Half a byte order mark is the beginning of a name, to which nothing of an earlier one belongs. */
static void test_restart_with_half_a_mark(void **state)
{
    (void)state;
    static uint8_t storage[WEIR_SSE_STORAGE(9)];
    weir_sse_parser p;
    weir_sse_item item;
    parser_start(&p, storage, sizeof storage, 0);
    assert_int_equal(give(&p, "data", &item), 0);
    assert_int_equal(give(&p, ": x\n\n", &item), WEIR_SSE_EVENT);
    weir_sse_restart(&p);
    assert_int_equal(give(&p, "\xEF\xBBta: y\n\n", &item), 0);
    weir_sse_restart(&p);
    assert_int_equal(give(&p,
                          "\xEF"
                          "ata: y\n\n",
                          &item),
                     0);
}

static void test_restart_after_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *stream;
        uint32_t flags;
        int err;
    } cases[] = {{"data: 0123456789\n", 0, WEIR_ERR_SSE_EVENT_SIZE},
                 {"id: 012345\n", 0, WEIR_ERR_SSE_ID_SIZE},
                 {"event: 012345\n", 0, WEIR_ERR_SSE_TYPE_SIZE},
                 {"foo: 01234567890123456789\n", 0, WEIR_ERR_SSE_LINE_SIZE},
                 {"data: 0123456789\nevent: 012345\n", WEIR_SSE_PARTS, WEIR_ERR_SSE_TYPE_SIZE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static uint8_t storage[64];
        weir_sse_parser p;
        weir_sse_item item;
        uint64_t offset;
        const weir_sse_parser_cfg cfg = {
            .flags = cases[i].flags, .max_id = 5, .max_type = 5, .max_event = 9, .max_line = 20};
        assert_int_equal(weir_sse_parser_init(&p, storage, sizeof storage, &cfg), 0);
        assert_int_equal(give(&p, "id: 1\n\n", &item), WEIR_SSE_ID);
        int rv = give(&p, cases[i].stream, &item);
        if (rv == WEIR_SSE_PART)
            rv = give(&p, "\nevent: 012345\n", &item);
        assert_int_equal(rv, cases[i].err);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(give(&p, "data: x\n\n", &item), cases[i].err);
            assert_int_equal(weir_sse_eof(&p, &item), cases[i].err);
            assert_int_equal(weir_sse_error(&p, NULL), cases[i].err);
        }
        assert_str(weir_sse_last_id(&p), "1");
        weir_sse_restart(&p);
        assert_int_equal(weir_sse_error(&p, &offset), 0);
        assert_int_equal(offset, 0);
        assert_int_equal(give(&p, "data: y\n\n", &item), WEIR_SSE_EVENT);
        assert_str(item.data, "y");
        assert_str(item.id, "1");
        assert_str(item.type, "message");
        assert_int_equal(item.flags, WEIR_SSE_UTF8);
    }
}

/* Kinds can be passed over and the reading stopped at any item: nothing of what follows is looked at. */
static void test_stop_behind_an_item(void **state)
{
    (void)state;
    static uint8_t storage[WEIR_SSE_STORAGE(16)];
    weir_sse_parser p;
    weir_sse_item item;
    uint64_t offset;
    uint8_t bytes[] = "id: 99\ndata: 1\n\nid: 100\ndata: 2\n\n";
    parser_start(&p, storage, sizeof storage, 0);
    weir_in in = {bytes, sizeof bytes - 1};
    assert_int_equal(weir_sse_next(&p, &in, &item), WEIR_SSE_EVENT);
    assert_str(left_of(&in), "id: 100\ndata: 2\n\n");
    assert_str(weir_sse_last_id(&p), "99");
    assert_int_equal(weir_sse_error(&p, &offset), 0);
    assert_int_equal(offset, 16);
    assert_int_equal(weir_sse_eof(&p, &item), 0);
    assert_int_equal(weir_sse_next(&p, &in, &item), 0);
    assert_int_equal(in.len, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_whole_event_is_not_copied),
        cmocka_unit_test(test_parts_are_not_copied),
        cmocka_unit_test(test_items_are_whole),
        cmocka_unit_test(test_init_arguments),
        cmocka_unit_test(test_init_without_cfg),
        cmocka_unit_test(test_init_limits),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_init_last_event_id),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_restart_with_a_bad_id),
        cmocka_unit_test(test_restart_with_half_a_mark),
        cmocka_unit_test(test_restart_after_an_error),
        cmocka_unit_test(test_stop_behind_an_item),
    };
    return cmocka_run_group_tests_name("sse_parse", tests, NULL, NULL);
}
