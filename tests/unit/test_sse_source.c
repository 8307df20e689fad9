/* SPDX-License-Identifier: MIT */
/* test_sse_source.c - the event source against a server that follows a script, under all cuts; and the rules
 * that are better counted than listed. */
#include "check.h"
#include "sse_machine.h"
#include "sse_script.h"

#include <stdio.h>
#include <stdlib.h>

static void test_vectors(void **state)
{
    (void)state;
    assert_true(sse_script_vectors("sse_source.txt") >= 140);
}

/* ---- Tables --------------------------------------------------------------------------------------- */

/* Every status but 1xx, 200 and redirects is final, whatever the body claims to be. */
static void test_every_status(void **state)
{
    (void)state;
    for (unsigned status = 201; status <= 999; status++) {
        char stream[128], expected[160];
        if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
            continue;
        const char *err = status == 204 ? "WEIR_ERR_SSE_STOPPED" : "WEIR_ERR_SSE_STATUS";
        snprintf(stream, sizeof stream,
                 "HTTP/1.1 %u X\r\nContent-Type: text/event-stream\r\n\r\ndata: data\n\n", status);
        snprintf(expected, sizeof expected, "at 0 connect h 80 GET \"/\"\nrefused %s %u\nfinished %s\n", err,
                 status, err);
        if (status < 600 ? status % 100 < test_rounds(12) || status % 100 == 29 || status % 100 == 99
                         : status % 100 == 0)
            sse_script_check("a status", NULL, stream, expected);
    }
}

static const struct {
    const char *lines;
    bool good;
} media_types[] = {
    {"Content-Type: text/event-stream\r\n", true},
    {"Content-Type: text/event-stream;\r\n", true}, /* WPT format-mime-trailing-semicolon */
    {"Content-Type: text/event-stream; charset=utf-8\r\n", true},
    {"Content-Type: text/event-stream;charset=windows-1252\r\n", true}, /* WPT format-utf-8 */
    {"Content-Type: text/event-stream ; charset=utf-8; x=\"y;z\"\r\n", true},
    {"content-type:TEXT/Event-Stream\r\n", true},
    {"Content-Type:  \ttext/event-stream\t \r\n", true},
    {"", false},
    {"Content-Type:\r\n", false},
    {"Content-Type: ;\r\n", false},
    {"Content-Type: x bogus\r\n", false},      /* WPT format-mime-bogus */
    {"Content-Type: text/x-bogus\r\n", false}, /* WPT format-mime-valid-bogus */
    {"Content-Type: text/event-streamfoo\r\n", false},
    {"Content-Type: text/event-strea\r\n", false},
    {"Content-Type: text/event-stream charset=utf-8\r\n", false},
    {"Content-Type: text / event-stream\r\n", false},
    {"Content-Type: text/plain; x=text/event-stream\r\n", false},
    {"Content-Type: application/json\r\n", false},
    {"Content-Type: text/html, text/event-stream\r\n", false},
    {"Content-Type: text/event-stream, text/html\r\n", false},
    {"Content-Type: text/event-stream\r\nContent-Type: text/event-stream\r\n", false},
    {"Content-Type: text/html\r\nContent-Type: text/event-stream\r\n", false},
    {"Content-Type: text/event-stream\r\nContent-Encoding: br\r\n", false},
    {"Content-Type: text/event-stream\r\nContent-Encoding: identity, gzip\r\n", false},
    {"X-Content-Type: text/event-stream\r\n", false},
};

static void test_media_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof media_types / sizeof *media_types; i++) {
        char stream[256];
        snprintf(stream, sizeof stream, "HTTP/1.1 200 OK\r\n%s\r\ndata: x\n\n", media_types[i].lines);
        sse_script_check(media_types[i].lines, NULL, stream,
                         media_types[i].good
                             ? "at 0 connect h 80 GET \"/\"\nopen 200\nevent \"message\" \"x\"\n"
                             : "at 0 connect h 80 GET \"/\"\nrefused WEIR_ERR_SSE_MEDIA_TYPE 200\n"
                               "finished WEIR_ERR_SSE_MEDIA_TYPE\n");
    }
}

/* RFC 3986 5.4: the base, and what a Location means; NULL where it is refused. */
static const struct {
    const char *location, *target;
} references[] = {
    {"g:h", NULL},
    {"g", "/b/c/g"},
    {"./g", "/b/c/g"},
    {"g/", "/b/c/g/"},
    {"/g", "/g"},
    {"?y", "/b/c/d;p?y"},
    {"g?y", "/b/c/g?y"},
    {"#s", "/b/c/d;p?q"},
    {"g#s", "/b/c/g"},
    {"g?y#s", "/b/c/g?y"},
    {";x", "/b/c/;x"},
    {"g;x", "/b/c/g;x"},
    {"g;x?y#s", "/b/c/g;x?y"},
    {".", "/b/c/"},
    {"./", "/b/c/"},
    {"..", "/b/"},
    {"../", "/b/"},
    {"../g", "/b/g"},
    {"../..", "/"},
    {"../../", "/"},
    {"../../g", "/g"},
    {"../../../g", "/g"},
    {"../../../../g", "/g"},
    {"/./g", "/g"},
    {"/../g", "/g"},
    {"g.", "/b/c/g."},
    {".g", "/b/c/.g"},
    {"g..", "/b/c/g.."},
    {"..g", "/b/c/..g"},
    {"./../g", "/b/g"},
    {"./g/.", "/b/c/g/"},
    {"g/./h", "/b/c/g/h"},
    {"g/../h", "/b/c/h"},
    {"g;x=1/./y", "/b/c/g;x=1/y"},
    {"g;x=1/../y", "/b/c/y"},
    {"g?y/./x", "/b/c/g?y/./x"},
    {"g?y/../x", "/b/c/g?y/../x"},
    {"g#s/./x", "/b/c/g"},
    {"g#s/../x", "/b/c/g"},
    {"http:g", NULL},
    /* and some more */
    {"//a/g", "/g"},
    {"//a", "/"},
    {"//a?y", "/?y"},
    {"http://a/b?c", "/b?c"},
    {"http://a/b/../c/./d", "/c/d"},
    {"http://a/../b?x/../y", "/b?x/../y"},
    {"//a/b/./../c", "/c"},
    {"//a/..", "/"},
    {"HTTP://a/b", "/b"},
    {"/", "/"},
    {"//", NULL},
    {"///g", NULL},
    {"/%2e%2e/g", "/%2e%2e/g"},
    {"g//h/../i", "/b/c/g//i"},
    {"a:80/x", NULL},
    {"1:2", "/b/c/1:2"},
    {"\\\\evil\\x", NULL}, /* which browsers take for another host */
    {"http://u@a/", "/"},
    {"http://a:99999/", NULL},
    {"http:///x", NULL},
    {"/\xC3\xA9", NULL},
    {"javascript:alert(1)", NULL},
    {"file:///etc/passwd", NULL},
};

static void base_change(weir_sse_source_cfg *cfg)
{
    cfg->url = weir_cstr("http://a/b/c/d;p?q");
}

static void test_locations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        char stream[256], expected[256];
        snprintf(stream, sizeof stream, "HTTP/1.1 307 M\r\nLocation: %s\r\n\r\n\x1C", references[i].location);
        if (references[i].target != NULL)
            snprintf(expected, sizeof expected,
                     "at 0 connect a 80 GET \"/b/c/d;p?q\"\nat 0 connect a 80 GET \"%s\"\n",
                     references[i].target);
        else
            snprintf(expected, sizeof expected,
                     "at 0 connect a 80 GET \"/b/c/d;p?q\"\nrefused WEIR_ERR_SSE_REDIRECT 307\n"
                     "finished WEIR_ERR_SSE_REDIRECT\n");
        sse_script_check(references[i].location, base_change, stream, expected);
    }
}

/* ---- Set-up and requests, byte by byte ------------------------------------------------------------- */

static uint8_t storage[WEIR_SSE_SOURCE_STORAGE(8192)];

static weir_sse_source_cfg source_cfg(const char *url)
{
    weir_sse_source_cfg cfg;
    memset(&cfg, 0xDD, sizeof cfg);
    weir_sse_source_cfg_init(&cfg);
    cfg.url = weir_cstr(url);
    return cfg;
}

static void source_start(weir_sse_source *s, const weir_sse_source_cfg *cfg, uint64_t now)
{
    memset(s, 0xDD, sizeof *s);
    assert_int_equal(weir_sse_source_init(s, storage, sizeof storage, cfg), 0);
    assert_true(weir_sse_source_deadline(s) <= now);
    assert_int_equal(weir_sse_source_poll(s, now), WEIR_SSE_CONNECT);
    assert_int_equal(weir_sse_source_poll(s, now), WEIR_SSE_CARRY_ON);
}

static void check_request(const weir_sse_source_cfg *cfg, const char *wanted)
{
    weir_sse_source s;
    uint8_t bytes[1024];
    weir_out out = {bytes, sizeof bytes};
    source_start(&s, cfg, 0);
    assert_int_equal(weir_sse_source_request_size(&s), strlen(wanted));
    assert_int_equal(weir_sse_source_request(&s, &out), 0);
    weir_str said = {bytes, sizeof bytes - out.len};
    assert_str(said, wanted);
    out = (weir_out){bytes, sizeof bytes}; /* once more, as for a connection that could not be written to */
    assert_int_equal(weir_sse_source_request(&s, &out), 0);
    said = (weir_str){bytes, sizeof bytes - out.len};
    assert_str(said, wanted);
}

static void test_requests(void **state)
{
    (void)state;
    const weir_http_field fields[] = {{weir_cstr("Authorization"), weir_cstr("Bearer x")},
                                      {weir_cstr("accept"), weir_cstr("*/*")}};
    weir_sse_source_cfg cfg = source_cfg("https://u:p@example.org:8443/a?b#c");
    check_request(&cfg, "GET /a?b HTTP/1.1\r\nHost: example.org:8443\r\nAccept: text/event-stream\r\n"
                        "Cache-Control: no-cache\r\n\r\n");
    cfg.parser.last_event_id = weir_cstr("42");
    check_request(&cfg, "GET /a?b HTTP/1.1\r\nHost: example.org:8443\r\nAccept: text/event-stream\r\n"
                        "Cache-Control: no-cache\r\nLast-Event-ID: 42\r\n\r\n");
    cfg.fields = fields;
    cfg.field_count = 2;
    cfg.body = STR_OF("{\"a\":\0}");
    weir_sse_source s;
    uint8_t bytes[1024];
    weir_out out = {bytes, sizeof bytes};
    static const char wanted[] =
        "POST /a?b HTTP/1.1\r\nHost: example.org:8443\r\nCache-Control: no-cache\r\nLast-Event-ID: 42\r\n"
        "Authorization: Bearer x\r\naccept: */*\r\nContent-Type: application/json\r\n"
        "Content-Length: 7\r\n\r\n{\"a\":\0}";
    source_start(&s, &cfg, 0);
    assert_int_equal(weir_sse_source_request(&s, &out), 0);
    assert_int_equal(sizeof bytes - out.len, sizeof wanted - 1);
    assert_memory_equal(bytes, wanted, sizeof wanted - 1);
}

static int init_with(const weir_sse_source_cfg *cfg, size_t len)
{
    weir_sse_source s;
    uint8_t *room = guard_copy(NULL, len, false);
    int rv = weir_sse_source_init(&s, room, len, cfg);
    guard_free(room);
    return rv;
}

static void test_init_defaults(void **state)
{
    (void)state;
    const weir_sse_source_cfg cfg = source_cfg("http://h/");
    weir_sse_source s;
    assert_int_equal(cfg.size, sizeof cfg);
    assert_int_equal(cfg.flags, 0);
    assert_null(cfg.body.ptr);
    assert_string_equal(cfg.body_type, "application/json");
    assert_null(cfg.entropy);
    assert_int_equal(cfg.retry_ms, 3000);
    assert_int_equal(cfg.retry_min_ms, 100);
    assert_int_equal(cfg.retry_max_ms, 300000);
    assert_int_equal(cfg.backoff_max_ms, 30000);
    assert_int_equal(cfg.stable_ms, 10000);
    assert_int_equal(cfg.response_ms, 30000);
    assert_int_equal(cfg.idle_ms, 0);
    assert_int_equal(cfg.max_attempts, 0);
    assert_int_equal(cfg.max_redirects, 20);
    assert_int_equal(cfg.max_url, 2048);
    assert_int_equal(cfg.parser.flags, 0);
    assert_int_equal(init_with(&cfg, WEIR_SSE_SOURCE_STORAGE(256)), 0);
    assert_int_equal(init_with(&cfg, WEIR_SSE_SOURCE_STORAGE(256) - 1), WEIR_ERR_SPACE);
    assert_int_equal(init_with(&cfg, 0), WEIR_ERR_SPACE);
    assert_int_equal(weir_sse_source_init(&s, NULL, 0, &cfg), WEIR_ERR_SPACE);
    assert_int_equal(weir_sse_source_init_(&s, WEIR_LAYOUT_OF(s) + 0x10000, storage, sizeof storage, &cfg),
                     WEIR_ERR_LAYOUT);
}

/* A program built against an older, shorter struct gets the members it knows, one against a newer those that
 * there are; nothing behind them is written. */
static void test_other_sizes_of_cfg(void **state)
{
    (void)state;
    enum { MORE = 16 };
    weir_sse_source_cfg cfg, room[2];
    const uint8_t *bytes = (const uint8_t *)room;
    for (size_t size = 4; size <= sizeof cfg + MORE; size++) {
        memset(room, 0xDD, sizeof room);
        weir_sse_source_cfg_init_(room, size);
        weir_sse_source_cfg_init(&cfg);
        cfg.size = (uint32_t)size;
        size_t set = size < sizeof cfg ? size : sizeof cfg;
        assert_memory_equal(bytes, &cfg, set);
        for (size_t i = set; i < sizeof room; i++)
            assert_int_equal(bytes[i], 0xDD);
    }
}

static void test_init_arguments(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "",        "/a",          "h",      "ws://h/",     "wss://h/",     "ftp://h/",
        "http://", "http://h:0/", "http:h", "http://h/ a", "http://h\r\n/"};
    weir_sse_source_cfg cfg;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        cfg = source_cfg(urls[i]);
        assert_int_equal(init_with(&cfg, sizeof storage), WEIR_ERR_URI);
    }
    static const char *const names[] = {"",
                                        "a b",
                                        "a:",
                                        "a\r\nb",
                                        "\xC3\xA9",
                                        "Host",
                                        "LAST-EVENT-ID",
                                        "Content-Length",
                                        "Transfer-Encoding"};
    static const char *const values[] = {"a\r\nb", "a\nb", " a", "a ", "\x7F", "\x01"};
    weir_http_field fields[2] = {{weir_cstr("A"), weir_cstr("b")}, {{NULL, 0}, {NULL, 0}}};
    for (size_t i = 0; i < 9 + 6; i++) {
        cfg = source_cfg("http://h/");
        fields[1].name = weir_cstr(i < 9 ? names[i] : "X");
        fields[1].value = weir_cstr(i < 9 ? "1" : values[i - 9]);
        cfg.fields = fields;
        cfg.field_count = 2;
        assert_int_equal(init_with(&cfg, sizeof storage), WEIR_ERR_FIELD);
    }
    cfg = source_cfg("http://h/");
    cfg.body_type = "a\r\nb";
    assert_int_equal(init_with(&cfg, sizeof storage), WEIR_ERR_FIELD);
    for (uint32_t flags = 16; flags != 0; flags <<= 1) {
        cfg = source_cfg("http://h/");
        cfg.flags = flags;
        assert_int_equal(init_with(&cfg, sizeof storage), WEIR_ERR_ARG);
    }
    cfg = source_cfg("http://h/");
    cfg.parser.flags = WEIR_SSE_PARTS | WEIR_SSE_REPAIR;
    assert_int_equal(init_with(&cfg, sizeof storage), WEIR_ERR_ARG);
    cfg = source_cfg("http://h/");
    cfg.parser.last_event_id = weir_cstr("a\r\nHost: evil");
    assert_int_equal(init_with(&cfg, sizeof storage), WEIR_ERR_ARG);
    cfg = source_cfg("http://h/");
    cfg.size -= 8;
    assert_int_equal(init_with(&cfg, sizeof storage), WEIR_ERR_LAYOUT);
    cfg = source_cfg("http://h/");
    cfg.parser.max_event = 255;
    assert_int_equal(init_with(&cfg, sizeof storage), WEIR_ERR_SPACE);
    cfg.parser.max_event = 256;
    cfg.max_url = UINT32_MAX;
    assert_int_equal(init_with(&cfg, sizeof storage), WEIR_ERR_SPACE);
}

/* ---- The stream's bytes, as the parser alone reads them -------------------------------------------- */

static uint32_t random_next(uint32_t *x)
{
    *x = *x * 1664525u + 1013904223u;
    return *x >> 8;
}

static size_t random_body(uint32_t *x, char *body, size_t cap)
{
    static const char *const pieces[] = {"data: a\n",  "data\n",     "\n",           "\r\n", "id: 7\n",
                                         "event: e\n", "retry: 9\r", ": c\n",        "\n\n", "foo\n",
                                         "data: ",     "xyz",        "\xC3\xA9\n\n", "\xFF", "data:\r",
                                         "\r",         "id\n",       "data: b\n\n"};
    size_t len = 0;
    for (unsigned n = random_next(x) % 20; n != 0; n--) {
        const char *piece = pieces[random_next(x) % (sizeof pieces / sizeof *pieces)];
        if (len + strlen(piece) >= cap)
            break;
        strcpy(body + len, piece);
        len += strlen(piece);
    }
    body[len] = '\0';
    return len;
}

/* The body in chunks of random sizes. */
static void chunk(uint32_t *x, char *out, const char *body, size_t len)
{
    while (len != 0) {
        size_t size = 1 + random_next(x) % 9;
        size = size < len ? size : len;
        out += sprintf(out, "%x\r\n%.*s\r\n", (unsigned)size, (int)size, body);
        body += size;
        len -= size;
    }
    strcpy(out, "0\r\n\r\n");
}

static void comments_change(weir_sse_source_cfg *cfg)
{
    cfg->parser.flags = WEIR_SSE_COMMENTS;
}

static void test_random_chunks(void **state)
{
    (void)state;
    uint32_t x = 31;
    sse_machine self;
    const weir_sse_parser_cfg cfg = {.flags = WEIR_SSE_COMMENTS};
    machine m = sse_machine_from(&self, &cfg, 4096);
    for (unsigned n = 0; n < 60; n++) {
        char body[160] = "", stream[2048], expected[8192];
        size_t len = random_body(&x, body, sizeof body);
        uint8_t copy[160];
        log *l = log_new();
        m.start(m.self);
        memcpy(copy, body, sizeof copy);
        m.feed(m.self, copy, len, l);
        m.finish(m.self, l);
        snprintf(expected, sizeof expected, "at 0 connect h 80 GET \"/\"\nopen 200\n%sdisconnect WEIR_OK\n",
                 log_text(l));
        log_free(l);
        int head = sprintf(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n");
        chunk(&x, stream + head, body, len);
        sse_script_check("chunks", comments_change, stream, expected);
    }
    sse_machine_free(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_status),
        cmocka_unit_test(test_media_types),
        cmocka_unit_test(test_locations),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_init_defaults),
        cmocka_unit_test(test_init_arguments),
        cmocka_unit_test(test_random_chunks),
        cmocka_unit_test(test_other_sizes_of_cfg),
    };
    return cmocka_run_group_tests_name("sse_source", tests, NULL, NULL);
}
