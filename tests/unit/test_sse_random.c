/* SPDX-License-Identifier: MIT */
/* test_sse_random.c - the parser of event streams beside a slow reader, on streams that are drawn or counted
 * out; and what the writer writes, read back. */
#include "check.h"
#include "sse_machine.h"
#include "sse_reference.h"

#include <stdlib.h>

/* ---- Beside the reference ------------------------------------------------------------------------- */

static uint32_t random_next(uint32_t *x)
{
    *x = *x * 1664525u + 1013904223u;
    return *x >> 8;
}

/* Fragments from which nasty streams are made; the names and line ends come up often. */
static const struct {
    const char *bytes;
    size_t len;
} FRAGMENTS[] = {
#define FRAGMENT(literal) \
    { \
        "" literal, sizeof(literal) - 1 \
    }
    FRAGMENT("\n"),
    FRAGMENT("\n"),
    FRAGMENT("\n"),
    FRAGMENT("\n\n"),
    FRAGMENT("\n\n"),
    FRAGMENT("\r"),
    FRAGMENT("\r\r"),
    FRAGMENT("\r\n"),
    FRAGMENT("\r\n\r\n"),
    FRAGMENT("\n\r"),
    FRAGMENT("\r\r\n"),
    FRAGMENT("data"),
    FRAGMENT("data:"),
    FRAGMENT("data: "),
    FRAGMENT("data: "),
    FRAGMENT("\ndata:"),
    FRAGMENT("\ndata: x\n"),
    FRAGMENT("\rdata: y\r"),
    FRAGMENT("data: 0123456789abcdef0123456789abcdef"),
    FRAGMENT("event:"),
    FRAGMENT("\nevent: e\n"),
    FRAGMENT("\nevent\n"),
    FRAGMENT("id:"),
    FRAGMENT("\nid: 7\n"),
    FRAGMENT("\nid\n"),
    FRAGMENT("\nid: \0\n"),
    FRAGMENT("id: 1\0"),
    FRAGMENT("retry:"),
    FRAGMENT("\nretry: 10\n"),
    FRAGMENT("18446744073709551615"),
    FRAGMENT("99999999999999999999"),
    FRAGMENT("1234"),
    FRAGMENT(":"),
    FRAGMENT(": "),
    FRAGMENT(" "),
    FRAGMENT("  "),
    FRAGMENT("\t"),
    FRAGMENT("\0"),
    FRAGMENT("x"),
    FRAGMENT("da"),
    FRAGMENT("ta"),
    FRAGMENT("i"),
    FRAGMENT("d"),
    FRAGMENT("even"),
    FRAGMENT("t"),
    FRAGMENT("abcdefgh"),
    FRAGMENT("foo: bar\n"),
    FRAGMENT("\xEF\xBB\xBF"),
    FRAGMENT("\xEF\xBB"),
    FRAGMENT("\xC3\xA9"),
    FRAGMENT("\xE4\xBD\xA0"),
    FRAGMENT("\xF0\x9F\x99\x82"),
    FRAGMENT("\xF0\x9F"),
    FRAGMENT("\x99\x82"),
    FRAGMENT("\xC0\xAF"),
    FRAGMENT("\xED\xA0\x80"),
    FRAGMENT("\xF4\x90"),
    FRAGMENT("\xFF"),
    FRAGMENT("\x8D"),
    FRAGMENT("\x8A\x80"),
#undef FRAGMENT
};

enum { FRAGMENT_COUNT = sizeof FRAGMENTS / sizeof *FRAGMENTS, LONGEST = 640 };

static size_t random_stream(uint32_t *x, uint8_t *stream)
{
    size_t len = 0;
    unsigned count = random_next(x) % (random_next(x) % 8 == 0 ? 40 : 14);
    if (random_next(x) % 6 == 0) {
        memcpy(stream, "\xEF\xBB\xBF", 3);
        len = 1 + random_next(x) % 3;
    }
    for (; count != 0; count--) {
        size_t i = random_next(x) % FRAGMENT_COUNT;
        if (FRAGMENTS[i].len > LONGEST - len)
            break;
        memcpy(stream + len, FRAGMENTS[i].bytes, FRAGMENTS[i].len);
        len += FRAGMENTS[i].len;
    }
    return len;
}

/* Half of the time generous limits, else some that are soon reached. */
static weir_sse_parser_cfg random_cfg(uint32_t *x, size_t *room)
{
    weir_sse_parser_cfg cfg;
    memset(&cfg, 0, sizeof cfg);
    bool tight = random_next(x) % 2 != 0;
    cfg.flags = random_next(x) % 32;
    if ((cfg.flags & WEIR_SSE_REPAIR) != 0)
        cfg.flags &= ~(uint32_t)WEIR_SSE_PARTS;
    cfg.max_id = tight ? 1 + random_next(x) % 12 : 600;
    cfg.max_type = tight ? 1 + random_next(x) % 12 : 600;
    cfg.max_comment = tight ? 1 + random_next(x) % 12 : 600;
    cfg.max_line = tight && random_next(x) % 2 != 0 ? 2 + random_next(x) % 24 : 0;
    cfg.max_event = tight ? 1 + random_next(x) % 40 : 0;
    *room = tight ? cfg.max_event + random_next(x) % 3 : 3 * LONGEST;
    if (random_next(x) % 4 == 0)
        cfg.last_event_id = weir_cstr("9");
    return cfg;
}

/* Streams of one configuration share a machine, whose memory is guarded. */
static void differ(uint32_t *x, unsigned streams)
{
    sse_machine self;
    size_t room;
    weir_sse_parser_cfg cfg = random_cfg(x, &room);
    machine m = sse_machine_from(&self, &cfg, room);
    self.show_last = (cfg.flags & WEIR_SSE_FLUSH) == 0;
    log *wanted = log_new(), *said = log_new();
    for (; streams != 0; streams--) {
        uint8_t stream[LONGEST], piece[LONGEST];
        size_t len = random_stream(x, stream), most = 1 + random_next(x) % 48;
        log_clear(wanted);
        log_clear(said);
        sse_reference_log(wanted, &self, stream, len);
        m.start(m.self);
        for (size_t at = 0; at < len;) {
            size_t step = streams % 4 == 0 ? len : random_next(x) % (most + 1);
            step = step < len - at ? step : len - at;
            memcpy(piece, stream + at, step);
            m.feed(m.self, piece, step, said);
            at += step;
        }
        m.finish(m.self, said);
        if (strcmp(log_text(wanted), log_text(said)) != 0)
            fail_msg(
                "%s\nflags %u max_id %u max_type %u max_comment %u max_line %zu max_event %zu room %zu:\n"
                "reference:\n%sweir:\n%s",
                log_quote(stream, len), (unsigned)cfg.flags, (unsigned)cfg.max_id, (unsigned)cfg.max_type,
                (unsigned)cfg.max_comment, cfg.max_line, cfg.max_event, room, log_text(wanted),
                log_text(said));
    }
    log_free(wanted);
    log_free(said);
    sse_machine_free(&self);
}

static void test_random_streams(void **state)
{
    (void)state;
    uint32_t x = 20250801;
    for (size_t n = test_rounds(5000); n != 0; n--)
        differ(&x, 50);
}

/* Decoding the stream before it is read, as the standard does, and repairing each field give the same. */
static void test_repair_is_decoding_first(void **state)
{
    (void)state;
    uint32_t x = 7;
    sse_machine repairing, plain;
    const weir_sse_parser_cfg cfg = {.max_id = 2000, .max_type = 2000, .max_comment = 2000};
    weir_sse_parser_cfg repair = cfg;
    repair.flags = WEIR_SSE_REPAIR;
    machine a = sse_machine_from(&repairing, &repair, 3 * LONGEST);
    machine b = sse_machine_from(&plain, &cfg, 3 * LONGEST);
    log *l = log_new(), *k = log_new();
    for (size_t n = test_rounds(20000); n != 0; n--) {
        uint8_t stream[LONGEST], decoded[3 * LONGEST];
        size_t len = random_stream(&x, stream);
        size_t decoded_len = sse_reference_decode(decoded, stream, len);
        bool cut_mark = len >= 1 && len < 3 && memcmp(stream, "\xEF\xBB\xBF", len) == 0;
        log_clear(l);
        log_clear(k);
        a.start(a.self);
        a.feed(a.self, stream, len, l);
        a.finish(a.self, l);
        b.start(b.self);
        b.feed(b.self, decoded, decoded_len, k);
        b.finish(b.self, k);
        if (!cut_mark)
            assert_string_equal(log_text(l), log_text(k));
    }
    log_free(l);
    log_free(k);
    sse_machine_free(&repairing);
    sse_machine_free(&plain);
}

/* Every byte at every place of a stream that has everything. */
static void test_every_byte_at_every_place(void **state)
{
    (void)state;
    static const char stream[] =
        "\xEF\xBB\xBF:c\nevent: t\rid: 1\r\ndata:a\ndata\nretry: 5\nx\n\ndata: b\r\r";
    enum { LEN = sizeof stream - 1 };
    sse_machine self;
    const weir_sse_parser_cfg cfg = {.flags = WEIR_SSE_COMMENTS};
    machine m = sse_machine_from(&self, &cfg, 64);
    log *wanted = log_new(), *said = log_new();
    for (size_t at = 0; at < LEN; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t bytes[LEN], piece;
            memcpy(bytes, stream, LEN);
            bytes[at] = (uint8_t)byte;
            log_clear(wanted);
            log_clear(said);
            sse_reference_log(wanted, &self, bytes, LEN);
            m.start(m.self);
            for (size_t i = 0; i < LEN; i++) {
                piece = bytes[i];
                m.feed(m.self, &piece, 1, said);
            }
            m.finish(m.self, said);
            assert_string_equal(log_text(wanted), log_text(said));
            log_clear(said);
            m.start(m.self);
            m.feed(m.self, bytes, LEN, said);
            m.finish(m.self, said);
            assert_string_equal(log_text(wanted), log_text(said));
        }
    }
    log_free(wanted);
    log_free(said);
    sse_machine_free(&self);
}

/* All streams of up to seven characters out of those that matter, whole and byte by byte. */
static void test_all_short_streams(void **state)
{
    (void)state;
    static const char *const words[] = {"\n", "\r", "data", "id", ":", " ", "x"};
    enum { WORDS = 7, MOST = 6 };
    sse_machine self;
    machine m = sse_machine_new(&self, NULL);
    log *wanted = log_new(), *said = log_new();
    for (size_t count = 0; count <= MOST; count++) {
        size_t total = 1;
        for (size_t i = 0; i < count; i++)
            total *= WORDS;
        for (size_t n = 0; n < total; n++) {
            uint8_t stream[4 * MOST], piece[4 * MOST];
            size_t len = 0, rest = n;
            for (size_t i = 0; i < count; i++, rest /= WORDS) {
                memcpy(stream + len, words[rest % WORDS], strlen(words[rest % WORDS]));
                len += strlen(words[rest % WORDS]);
            }
            log_clear(wanted);
            log_clear(said);
            sse_reference_log(wanted, &self, stream, len);
            m.start(m.self);
            if (n % 2 == 0)
                m.feed(m.self, memcpy(piece, stream, len), len, said);
            else
                for (size_t i = 0; i < len; i++)
                    m.feed(m.self, memcpy(piece, stream + i, 1), 1, said);
            m.finish(m.self, said);
            assert_string_equal(log_text(wanted), log_text(said));
        }
    }
    log_free(wanted);
    log_free(said);
    sse_machine_free(&self);
}

/* ---- What the writer writes ----------------------------------------------------------------------- */

enum { TEXT = 400 };

static weir_str random_text(uint32_t *x, uint8_t *room, unsigned most, const char *without)
{
    static const char *const pieces[] = {"\r",   "\n",    "\r\n",         " ",
                                         ":",    "a",     "data: ",       "id: 1",
                                         "\t",   "\n\n",  "event: x",     "retry: 5",
                                         "\x01", "[END]", "\xE4\xBD\xA0", "\xF0\x9F\x99\x82",
                                         "",     "data",  "\xEF\xBB\xBF", "0123456789abcdefghijklmnop"};
    size_t len = 0;
    for (unsigned n = random_next(x) % (most + 1); n != 0; n--) {
        const char *piece = pieces[random_next(x) % (sizeof pieces / sizeof *pieces)];
        if (without[0] == '\0' && random_next(x) % 16 == 0)
            room[len++] = '\0';
        if (without[0] != '\0' && strpbrk(piece, without) != NULL)
            continue;
        memcpy(room + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return (weir_str){room, len};
}

static void expect_event(log *wanted, const weir_sse_event *event)
{
    static uint8_t data[TEXT];
    static const weir_str before = {(const uint8_t *)"before", 6};
    size_t len = 0;
    for (size_t i = 0; i < event->data.len; i++) {
        uint8_t byte = event->data.ptr[i];
        if (byte == '\n' && i != 0 && event->data.ptr[i - 1] == '\r')
            continue;
        data[len++] = byte == '\r' ? '\n' : byte;
    }
    weir_str id = event->id.ptr != NULL ? event->id : before;
    weir_str type = event->type.len != 0 ? event->type : weir_cstr("message");
    const weir_sse_item retry = {.kind = WEIR_SSE_RETRY, .retry_ms = event->retry_ms};
    weir_sse_item item = {
        .kind = WEIR_SSE_EVENT, .flags = WEIR_SSE_UTF8, .type = type, .data = {data, len}, .id = id};
    if (event->has_retry)
        sse_log_item(wanted, &retry);
    if (event->data.ptr == NULL)
        item.kind = WEIR_SSE_ID;
    if (event->data.ptr != NULL || event->id.ptr != NULL)
        sse_log_item(wanted, &item);
}

static weir_sse_event random_event(uint32_t *x, uint8_t room[3][TEXT])
{
    weir_sse_event event = {{NULL, 0}, {NULL, 0}, {NULL, 0}, false, 0};
    if (random_next(x) % 2 != 0)
        event.type = random_text(x, room[0], 4, "\r\n");
    if (random_next(x) % 8 != 0)
        event.data = random_text(x, room[1], 12, "");
    if (random_next(x) % 2 != 0)
        event.id = random_text(x, room[2], 4, "\r\n");
    event.has_retry = random_next(x) % 4 == 0;
    event.retry_ms = random_next(x) % 3 == 0 ? UINT64_MAX - random_next(x) % 3 : random_next(x);
    return event;
}

/* An event that was written is the event that is read, the only one, and nothing of it is left; a comment
 * before it and behind it changes nothing. */
static void test_written_events(void **state)
{
    (void)state;
    uint32_t x = 99;
    sse_machine self;
    const weir_sse_parser_cfg cfg = {.last_event_id = {(const uint8_t *)"before", 6}};
    machine m = sse_machine_from(&self, &cfg, TEXT);
    log *wanted = log_new();
    for (size_t n = test_rounds(3000); n != 0; n--) {
        uint8_t room[3][TEXT], comment[TEXT], stream[12 * TEXT];
        weir_out out = {stream, sizeof stream};
        weir_sse_event event = random_event(&x, room);
        log_clear(wanted);
        if (n % 2 != 0)
            assert_int_equal(weir_sse_comment_write(&out, random_text(&x, comment, 6, "")), 0);
        assert_int_equal(weir_sse_event_write(&out, &event), 0);
        if (n % 3 != 0)
            assert_int_equal(weir_sse_comment_write(&out, random_text(&x, comment, 6, "")), 0);
        expect_event(wanted, &event);
        machine_check(&m, "a written event", stream, sizeof stream - out.len, log_text(wanted));
    }
    log_free(wanted);
    sse_machine_free(&self);
}

/* Each item of a stream, relayed as sse.h says, is what the next receiver reads: IDs that last, change and
 * are reset, types, reconnection times. */
static void test_relayed_streams(void **state)
{
    (void)state;
    uint32_t x = 31337;
    static uint8_t storage[WEIR_SSE_STORAGE(3 * LONGEST)], relayed[64 * LONGEST];
    const weir_sse_parser_cfg cfg = {.flags = WEIR_SSE_REPAIR};
    weir_sse_parser parser;
    weir_sse_item item;
    log *wanted = log_new(), *said = log_new();
    for (size_t n = test_rounds(20000); n != 0; n--) {
        uint8_t stream[LONGEST];
        weir_in in = {stream, random_stream(&x, stream)};
        weir_out out = {relayed, sizeof relayed};
        log_clear(wanted);
        log_clear(said);
        assert_int_equal(weir_sse_parser_init(&parser, storage, sizeof storage, &cfg), 0);
        while (weir_sse_next(&parser, &in, &item) > 0) {
            weir_sse_event ev = {item.type, item.data, item.id, item.kind == WEIR_SSE_RETRY, item.retry_ms};
            assert_int_equal(weir_sse_event_write(&out, &ev), 0);
            sse_log_item(wanted, &item);
        }
        in = (weir_in){relayed, sizeof relayed - out.len};
        assert_int_equal(weir_sse_parser_init(&parser, storage, sizeof storage, &cfg), 0);
        while (weir_sse_next(&parser, &in, &item) > 0)
            sse_log_item(said, &item);
        assert_string_equal(log_text(said), log_text(wanted));
    }
    log_free(wanted);
    log_free(said);
}

/* Streams one behind the other, with whatever is left of each forgotten: as new parsers that begin with the
 * ID that was the last. */
static void test_restart_is_a_new_parser(void **state)
{
    (void)state;
    uint32_t x = 4711;
    for (unsigned n = 0; n < 400; n++) {
        sse_machine self, fresh;
        size_t room;
        weir_sse_parser_cfg cfg = random_cfg(&x, &room);
        machine m = sse_machine_from(&self, &cfg, room);
        log *said = log_new(), *wanted = log_new();
        m.start(m.self);
        for (unsigned k = 0; k < 8; k++) {
            uint8_t stream[LONGEST], copy[LONGEST], id[1024];
            size_t len = random_stream(&x, stream);
            weir_str last = weir_sse_last_id(&self.parser);
            memcpy(copy, stream, len);
            memcpy(id, last.ptr, last.len);
            cfg.last_event_id = (weir_str){id, last.len};
            machine f = sse_machine_from(&fresh, &cfg, room);
            f.start(f.self);
            log_clear(said);
            log_clear(wanted);
            m.feed(m.self, stream, len, said);
            f.feed(f.self, copy, len, wanted);
            if (random_next(&x) % 2 != 0) {
                m.finish(m.self, said);
                f.finish(f.self, wanted);
            }
            assert_string_equal(log_text(said), log_text(wanted));
            sse_machine_free(&fresh);
            weir_sse_restart(&self.parser);
            self.taken = 0;
            self.err = 0;
            self.in_parts = false;
        }
        log_free(said);
        log_free(wanted);
        sse_machine_free(&self);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_streams),
        cmocka_unit_test(test_repair_is_decoding_first),
        cmocka_unit_test(test_every_byte_at_every_place),
        cmocka_unit_test(test_all_short_streams),
        cmocka_unit_test(test_written_events),
        cmocka_unit_test(test_relayed_streams),
        cmocka_unit_test(test_restart_is_a_new_parser),
    };
    return cmocka_run_group_tests_name("sse_random", tests, NULL, NULL);
}
