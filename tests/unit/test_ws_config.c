/* SPDX-License-Identifier: MIT */
/* test_ws_config.c - set-up of a connection and of its entropy: defaults, refusals, sizes. */
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct source {
    unsigned calls;
    size_t last;
    uint8_t next;
} source;

static int source_fill(void *user, uint8_t *dst, size_t len)
{
    source *s = user;
    s->calls++;
    s->last = len;
    for (size_t i = 0; i < len; i++)
        dst[i] = s->next = (uint8_t)(s->next + 1);
    return 0;
}

static const weir_ws_role roles[] = {WEIR_WS_SERVER, WEIR_WS_CLIENT};

static void test_size(void **state)
{
    (void)state;
    if (sizeof(void *) == 8)
        assert_true(sizeof(weir_ws) <= 384);
    assert_true(sizeof(weir_ws_joiner) <= 3 * sizeof(void *));
}

static void test_defaults(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        weir_ws_cfg cfg;
        memset(&cfg, 0xDD, sizeof cfg);
        weir_ws_cfg_init(&cfg, roles[i]);
        assert_int_equal(cfg.size, sizeof cfg);
        assert_int_equal(cfg.role, roles[i]);
        assert_int_equal(cfg.flags, 0);
        assert_int_equal(cfg.max_fragments, 100000);
        assert_int_equal(cfg.max_frame, 16u << 20);
        assert_int_equal(cfg.max_message, 16u << 20);
        assert_int_equal(cfg.max_controls, 0);
        assert_null(cfg.entropy);
    }
}

/* A program built against a shorter struct does not get bytes behind it. */
static void test_cfg_init_of_another_size(void **state)
{
    (void)state;
    union {
        weir_ws_cfg cfg;
        uint8_t bytes[sizeof(weir_ws_cfg) + 16];
    } room;
    for (size_t size = sizeof(uint32_t); size <= sizeof room; size += 4) {
        memset(&room, 0xDD, sizeof room);
        weir_ws_cfg_init_(&room.cfg, size, WEIR_WS_SERVER);
        for (size_t i = size; i < sizeof room; i++)
            assert_int_equal(room.bytes[i], 0xDD);
        assert_int_equal(room.cfg.size, size);
    }
}

static void test_layout(void **state)
{
    (void)state;
    weir_ws_cfg cfg;
    weir_ws ws;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    assert_int_equal(weir_ws_init_(&ws, WEIR_LAYOUT_OF(ws), &cfg), 0);
    assert_int_equal(weir_ws_init_(&ws, WEIR_LAYOUT_OF(ws) - 8, &cfg), WEIR_ERR_LAYOUT);
    assert_int_equal(weir_ws_init_(&ws, WEIR_LAYOUT_OF(ws) + 0x10000, &cfg), WEIR_ERR_LAYOUT);
    assert_int_equal(weir_ws_init_(&ws, 0, &cfg), WEIR_ERR_LAYOUT);
    cfg.size = 0;
    assert_int_equal(weir_ws_init(&ws, &cfg), WEIR_ERR_LAYOUT);
    cfg.size = (uint32_t)sizeof cfg + 8;
    assert_int_equal(weir_ws_init(&ws, &cfg), WEIR_ERR_LAYOUT);
}

static void test_arguments(void **state)
{
    (void)state;
    static const uint32_t bad_roles[] = {0, 3, 4, 0x101, 0x10001, UINT32_MAX};
    weir_ws_cfg cfg;
    weir_ws ws;
    weir_entropy entropy;
    source s = {0, 0, 0};
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    for (size_t i = 0; i < sizeof bad_roles / sizeof *bad_roles; i++) {
        weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
        cfg.entropy = &entropy;
        cfg.role = bad_roles[i];
        assert_int_equal(weir_ws_init(&ws, &cfg), WEIR_ERR_ARG);
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        uint32_t known = WEIR_WS_MANUAL_PONG | WEIR_WS_NO_UTF8;
        weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
        cfg.flags = 1u << bit;
        assert_int_equal(weir_ws_init(&ws, &cfg), (cfg.flags & known) != 0 ? 0 : WEIR_ERR_ARG);
    }
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    cfg.flags = WEIR_WS_MANUAL_PONG | WEIR_WS_NO_UTF8;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
    assert_int_equal(s.calls, 0);
}

static void test_client_needs_entropy(void **state)
{
    (void)state;
    weir_ws_cfg cfg;
    weir_ws ws;
    weir_entropy entropy;
    source s = {0, 0, 0};
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    assert_int_equal(weir_ws_init(&ws, &cfg), WEIR_ERR_ARG);
    assert_int_equal(weir_entropy_init(&entropy, NULL, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_entropy_init_(&entropy, WEIR_LAYOUT_OF(entropy) - 8, source_fill, &s),
                     WEIR_ERR_LAYOUT);
    assert_int_equal(weir_entropy_init_(&entropy, WEIR_LAYOUT_OF(entropy) + 0x10000, source_fill, &s),
                     WEIR_ERR_LAYOUT);
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    cfg.entropy = &entropy;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
}

/* Keys are the source's bytes, in whole groups of four, fetched only when needed, some at a time. */
static void test_entropy_batches(void **state)
{
    (void)state;
    weir_ws_cfg cfg;
    weir_ws ws;
    weir_entropy entropy;
    source s = {0, 0, 0};
    memset(&entropy, 0xDD, sizeof entropy);
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    cfg.entropy = &entropy;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
    assert_int_equal(s.calls, 0);
    for (unsigned i = 0; i < sizeof entropy.pool_ / 4; i++) {
        uint8_t header[WEIR_WS_HEADER_MAX];
        size_t header_len;
        assert_int_equal(weir_ws_begin(&ws, WEIR_WS_WHOLE, 0, header, &header_len), 0);
        assert_int_equal(s.calls, 1);
        for (unsigned k = 1; k < 4; k++)
            assert_int_equal((uint8_t)(header[2] + k), header[2 + k]);
        assert_int_equal(header[2] % 4, 1);
    }
    assert_int_equal(s.last, sizeof entropy.pool_);
}

/* Words that do not come twice. */
static int distinct_fill(void *user, uint8_t *dst, size_t len)
{
    uint32_t *word = user;
    for (size_t i = 0; i + 4 <= len; i += 4) {
        *word ^= *word << 13;
        *word ^= *word >> 17;
        *word ^= *word << 5;
        memcpy(dst + i, word, 4);
    }
    return 0;
}

/* A key that was used is nowhere in the source any more: whoever reads its memory later cannot unmask. */
static void test_used_keys_are_wiped(void **state)
{
    (void)state;
    weir_ws_cfg cfg;
    weir_ws ws;
    weir_entropy entropy;
    uint32_t next = 1;
    assert_int_equal(weir_entropy_init(&entropy, distinct_fill, &next), 0);
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    cfg.entropy = &entropy;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
    for (unsigned i = 0; i < 600; i++) {
        uint8_t header[WEIR_WS_HEADER_MAX], memory[sizeof entropy];
        size_t header_len;
        assert_int_equal(weir_ws_begin(&ws, WEIR_WS_WHOLE, 0, header, &header_len), 0);
        memcpy(memory, &entropy, sizeof memory);
        for (size_t at = 0; at + 4 <= sizeof memory; at++)
            assert_memory_not_equal(memory + at, header + 2, 4);
        for (size_t at = entropy.left_; at < sizeof entropy.pool_; at++)
            assert_int_equal(entropy.pool_[at], 0);
    }
}

/* A server never asks for entropy, even when it has a source. */
static void test_server_ignores_entropy(void **state)
{
    (void)state;
    weir_ws_cfg cfg;
    weir_ws ws;
    weir_entropy entropy;
    source s = {0, 0, 0};
    uint8_t room[32];
    weir_out out = {room, sizeof room};
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    cfg.entropy = &entropy;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
    assert_int_equal(weir_ws_send(&ws, &out, WEIR_WS_WHOLE, weir_cstr("a")), 0);
    assert_int_equal(weir_ws_ping(&ws, weir_cstr("a")), 0);
    assert_int_equal(weir_ws_close(&ws, 1000, weir_cstr("a")), 0);
    assert_int_equal(s.calls, 0);
}

/* The configuration is copied: changing it later changes nothing. */
static void test_cfg_is_copied(void **state)
{
    (void)state;
    weir_ws ws;
    weir_ws_event ev;
    weir_ws_cfg *cfg = malloc(sizeof *cfg);
    assert_non_null(cfg);
    weir_ws_cfg_init(cfg, WEIR_WS_SERVER);
    assert_int_equal(weir_ws_init(&ws, cfg), 0);
    memset(cfg, 0, sizeof *cfg);
    free(cfg);
    uint8_t stream[] = {0x82, 0x81, 0, 0, 0, 0, 'a'};
    weir_in in = {stream, sizeof stream};
    assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_DATA);
}

/* A short conversation; writes all it says into `said`. */
static size_t converse(weir_ws *ws, const weir_ws_cfg *cfg, uint8_t said[512])
{
    uint8_t stream[] = {0x01, 0x01, 'a', 0x89, 0x02, 'p', 'q', 0x80, 0x00, 0x88, 0x03, 0x03, 0xE8, 'x'};
    weir_out out = {said, 512};
    weir_ws_event ev;
    assert_int_equal(weir_ws_init(ws, cfg), 0);
    assert_int_equal(weir_ws_out(ws).len, 0);
    assert_int_equal(weir_ws_error(ws, NULL), 0);
    assert_int_equal(weir_ws_transport(ws), WEIR_WS_CARRY_ON);
    assert_int_equal(weir_ws_send(ws, &out, WEIR_WS_FIRST, weir_cstr("part")), 0);
    for (size_t i = 0; i < sizeof stream; i++) {
        weir_in in = {stream + i, 1};
        while (weir_ws_next(ws, &in, &ev) > 0)
            assert_int_equal(weir_out_put(&out, ev.data), 0);
        assert_int_equal(weir_ws_error(ws, NULL), 0);
        if (i < 4)
            assert_int_equal(weir_ws_ping(ws, weir_cstr("ping")), 0);
        assert_int_equal(weir_ws_out_put(ws, &out), 0);
    }
    return 512 - out.len;
}

/* Former contents do not matter, and an object may be set up again after an error. */
static void test_former_contents(void **state)
{
    (void)state;
    static const uint8_t fillings[] = {0x00, 0xFF, 0xA5, 0x01};
    uint8_t said[2][512];
    size_t len[2] = {0, 0};
    for (size_t i = 0; i < sizeof fillings; i++) {
        weir_ws ws;
        weir_ws_cfg cfg;
        weir_entropy entropy;
        source s = {0, 0, 0};
        memset(&entropy, fillings[i], sizeof entropy);
        memset(&ws, fillings[i], sizeof ws);
        assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
        weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
        cfg.entropy = &entropy;
        size_t slot = i == 0 ? 0 : 1;
        len[slot] = converse(&ws, &cfg, said[slot]);
        if (i == 0)
            continue;
        assert_int_equal(len[0], len[1]);
        assert_memory_equal(said[0], said[1], len[0]);
        s.next = 0;
        assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
        len[1] = converse(&ws, &cfg, said[1]);
        assert_int_equal(len[0], len[1]);
        assert_memory_equal(said[0], said[1], len[0]);
    }
}

/* A limit of zero is one: no frame of a message may come, or none with a payload. */
static void test_limits_of_zero(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        uint8_t frames[] = {0x82, 0x80, 0, 0, 0, 0, 0x82, 0x81, 0, 0, 0, 0, 'x'};
        weir_in in = {frames, sizeof frames};
        weir_ws_cfg cfg;
        weir_ws ws;
        weir_ws_event ev;
        uint64_t offset;
        weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
        if (which == 0)
            cfg.max_fragments = 0;
        else if (which == 1)
            cfg.max_frame = 0;
        else
            cfg.max_message = 0;
        assert_int_equal(weir_ws_init(&ws, &cfg), 0);
        if (which != 0) {
            assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_DATA);
            assert_int_equal(ev.flags, WEIR_WS_WHOLE);
            assert_int_equal(ev.data.len, 0);
        }
        static const int errors[] = {WEIR_ERR_WS_FRAGMENTS, WEIR_ERR_WS_FRAME_SIZE, WEIR_ERR_WS_MESSAGE_SIZE};
        assert_int_equal(weir_ws_next(&ws, &in, &ev), errors[which]);
        assert_int_equal(weir_ws_error(&ws, &offset), errors[which]);
        assert_int_equal(offset, which == 0 ? 0 : 7);
        weir_ws_closing closing;
        weir_ws_closing_read(&ws, &closing);
        assert_int_equal(closing.sent, which == 0 ? 1008 : 1009);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_cfg_init_of_another_size),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_client_needs_entropy),
        cmocka_unit_test(test_entropy_batches),
        cmocka_unit_test(test_used_keys_are_wiped),
        cmocka_unit_test(test_server_ignores_entropy),
        cmocka_unit_test(test_cfg_is_copied),
        cmocka_unit_test(test_former_contents),
        cmocka_unit_test(test_limits_of_zero),
    };
    return cmocka_run_group_tests_name("ws_config", tests, NULL, NULL);
}
