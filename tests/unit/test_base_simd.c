/* SPDX-License-Identifier: MIT */
/*
 * test_base_simd.c - the same results whatever the processor offers, from one and the same program.
 *
 * weir asks the compiler's runtime what there is. That keeps what it found in __cpu_model (libgcc and
 * compiler-rt, the same layout), where this test takes features away for a while: a program that was built
 * here and runs on an older processor.
 */
#include "base/find.h"
#include "base/mask.h"
#include "base/sha1.h"
#include "base/simd.h"
#include "base/utf8.h"
#include "check.h"
#include "harness.h"
#include "weir/http.h"
#include "weir/sse.h"

#if defined(WEIRI_AVX2) && defined(__linux__) && !defined(__AVX2__)

/* As in GCC's cpuinfo.h; the numbers of the first word are part of the ABI. */
extern struct {
    unsigned vendor, type, subtype, features[1];
} __cpu_model;
extern unsigned __cpu_features2[];

enum { SSSE3 = 6, AVX2 = 10, AVX512VBMI2 = 31 };

/* Words of further features: one of old, three since GCC 11, which is what weir wants for SHA. */
#if defined(WEIRI_SHA)
#define FEATURES2 3
#else
#define FEATURES2 1
#endif

static unsigned saved_features, saved_features2[3];

static void take_away(int what)
{
    saved_features = __cpu_model.features[0];
    memcpy(saved_features2, __cpu_features2, FEATURES2 * sizeof(unsigned));
    if (what == 0) { /* a processor of 2004 */
        __cpu_model.features[0] = 0;
        memset(__cpu_features2, 0, FEATURES2 * sizeof(unsigned));
    } else if (what == 1) {
        __cpu_model.features[0] &= ~(1u << AVX2 | 1u << AVX512VBMI2);
    } else if (what == 2) { /* as a virtual machine might: SHA, but not what it is used with */
        __cpu_model.features[0] &= ~(1u << SSSE3);
    } else if (what == 3) { /* most of today's: AVX2, but not AVX-512 */
        __cpu_model.features[0] &= ~(1u << AVX512VBMI2);
    }
}

static void give_back(void)
{
    __cpu_model.features[0] = saved_features;
    memcpy(__cpu_features2, saved_features2, FEATURES2 * sizeof(unsigned));
}
#else
static void take_away(int what)
{
    (void)what;
}

static void give_back(void)
{
}
#endif

enum { MOST = 2100, PROCESSORS = 5 };

/* Everything that depends on the processor, over one text. */
typedef struct result {
    uint8_t masked[MOST];
    uint8_t digest[20];
    uint8_t event[MOST + 16];
    uint32_t utf8, unmasked_utf8;
    size_t valid, unmasked_valid, event_len, data_len;
    size_t field_len;
    int head_rv;
    bool high, parsed;
} result;

/* A request with the text as a field's value, behind others and with one behind it. */
static void work_head(const uint8_t *text, size_t len, result *r)
{
    static const char before[] = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nX-Text: ",
                      after[] = "\r\nZ: z\r\n\r\n";
    static uint8_t bytes[MOST + 100], storage[MOST + 100];
    weir_http http;
    weir_http_head head;
    weir_str value;
    memcpy(bytes, before, sizeof before - 1);
    memcpy(bytes + sizeof before - 1, text, len);
    memcpy(bytes + sizeof before - 1 + len, after, sizeof after);
    weir_in in = {bytes, sizeof before + sizeof after - 2 + len};
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
    r->head_rv = weir_http_next(&http, &in, &head);
    if (r->head_rv == 1 && weir_http_fields_find(&head.fields, "x-text", &value)) {
        assert_int_equal(head.field_count, 4);
        r->field_len = value.len;
    }
}

static result work(const uint8_t *text, size_t len)
{
    static uint8_t storage[4 * MOST];
    uint8_t accept[64] = {0};
    result r;
    memset(&r, 0, sizeof r);
    r.high = weiri_mask(r.masked, text, len, 0x5AA51234u);
    memcpy(accept, text, len < 60 ? len : 60);
    weiri_sha1(accept, r.digest);
    r.valid = weiri_utf8_check(&r.utf8, text, len);
    uint8_t *unmasked = guard_copy(r.masked, len, false);
    r.unmasked_valid = weiri_utf8_unmask(&r.unmasked_utf8, unmasked, len, 0x5AA51234u);
    assert_memory_equal(unmasked, text, len);
    assert_int_equal(r.unmasked_valid, r.valid);
    guard_free(unmasked);

    weir_sse_event event;
    memset(&event, 0, sizeof event);
    event.data = (weir_str){text, len};
    weir_out out = {r.event, sizeof r.event};
    if (weir_sse_event_write(&out, &event) == 0)
        r.event_len = sizeof r.event - out.len;
    memset(r.event + r.event_len, 0, sizeof r.event - r.event_len); /* refused calls may use the room */

    work_head(text, len, &r);

    weir_sse_parser parser;
    weir_sse_item item;
    weir_in in = {r.event, r.event_len};
    assert_int_equal(weir_sse_parser_init(&parser, storage, sizeof storage, NULL), 0);
    r.parsed = weir_sse_next(&parser, &in, &item) == WEIR_SSE_EVENT;
    r.data_len = r.parsed ? item.data.len : 0;
    if (r.parsed)
        assert_memory_equal(item.data.ptr, text, len);
    return r;
}

static void check_text(const uint8_t *text, size_t len)
{
    const uint32_t word = 0x5AA51234u;
    uint8_t key[4];
    memcpy(key, &word, sizeof key);
    result wanted = work(text, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(wanted.masked[i], text[i] ^ key[i % 4]);
    for (int processor = 0; processor < PROCESSORS - 1; processor++) {
        take_away(processor);
        result got = work(text, len);
        give_back();
        assert_memory_equal(&got, &wanted, sizeof got);
    }
}

static void test_any_processor(void **state)
{
    static const size_t lens[] = {0,   1,   31,  32,  63,  64,  65,  95,  96,   97,   127,  128, 159,
                                  160, 161, 255, 256, 257, 300, 319, 320, 1000, 1024, 1400, 2047};
    /* What stands at one place of a text that is plain else. */
    static const char *const odd[] = {"",     "\t",  "\x7F", "\xC3\xA9", "\xE4\xBD\xA0", "\xF0\x9F\x99\x82",
                                      "\xFF", "\xE4"};
    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        for (size_t k = 0; k < sizeof odd / sizeof *odd; k++)
            for (size_t part = 0; part <= 8; part++) {
                size_t odd_len = strlen(odd[k]);
                uint8_t *text = guard_copy(NULL, lens[i], false);
                for (size_t j = 0; j < lens[i]; j++)
                    text[j] = (uint8_t)('a' + j % 26);
                if (lens[i] >= odd_len && odd_len != 0)
                    memcpy(text + (lens[i] - odd_len) * part / 8, odd[k], odd_len);
                check_text(text, lens[i]);
                guard_free(text);
            }
}

/* As memchr and a loop over the table do, at every length and place, without a byte beyond. */
static void test_find(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 70; len++)
        for (size_t place = 0; place <= len; place++) {
            uint8_t *text = guard_copy(NULL, len, false);
            memset(text, 'a', len);
            if (place < len)
                text[place] = ':';
            assert_int_equal(weiri_find(text, len, ':'), place);
            assert_int_equal(weiri_find_either(text, len, ':', '/'), place);
            assert_int_equal(weiri_find_either(text, len, '/', ':'), place);
            if (place < len)
                text[place] = (uint8_t)(place % 2 == 0 ? '\r' : 0x7F);
            assert_int_equal(weiri_value_len(text, len), place);
            guard_free(text);
        }
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t place = 0; place < 20; place += 19) {
            uint8_t text[20];
            memset(text, ' ', sizeof text);
            text[place] = (uint8_t)byte;
            bool stops = (byte < 0x20 && byte != '\t') || byte == 0x7F;
            assert_int_equal(weiri_value_len(text, sizeof text), stops ? place : sizeof text);
        }
}

/* Each byte at each place, among others of its class and among letters. */
static void test_class_len(void **state)
{
    (void)state;
    static const unsigned classes[] = {WEIRI_TOKEN, WEIRI_HOST, WEIRI_BASE64};
    enum { LEN = 37 };
    uint8_t *text = guard_copy(NULL, LEN, false);
    for (size_t c = 0; c < 3; c++)
        for (unsigned byte = 0; byte < 256; byte++)
            for (size_t place = 0; place < LEN; place++) {
                memset(text, byte % 2 == 0 ? 'z' : '+', LEN);
                text[place] = (uint8_t)byte;
                assert_int_equal(weiri_class_len(text, LEN, classes[c]), weiri_run(text, LEN, classes[c]));
            }
    guard_free(text);
    for (size_t len = 0; len < LEN; len++) {
        text = guard_copy(NULL, len, false);
        memset(text, '0', len);
        assert_int_equal(weiri_class_len(text, len, WEIRI_TOKEN), len);
        guard_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_processor),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_class_len),
    };
    return cmocka_run_group_tests_name("base_simd", tests, NULL, NULL);
}
