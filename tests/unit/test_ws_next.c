/* SPDX-License-Identifier: MIT */
/* test_ws_next.c - whole frames and pieces in one input, as they come most: what is reported of them, under
 * every kind of key, and what only looks like one. */
#include "check.h"
#include "harness.h"
#include "weir/ws.h"

enum { MOST = 400 };

static const weir_ws_role roles[] = {WEIR_WS_SERVER, WEIR_WS_CLIENT};

static int no_fill(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    memset(dst, 0, len);
    return 0;
}

static void start(weir_ws *ws, weir_ws_role role, uint32_t flags)
{
    static weir_entropy entropy;
    weir_ws_cfg cfg;
    assert_int_equal(weir_entropy_init(&entropy, no_fill, NULL), 0);
    weir_ws_cfg_init(&cfg, role);
    cfg.entropy = &entropy;
    cfg.flags = flags;
    assert_int_equal(weir_ws_init(ws, &cfg), 0);
}

/* A frame to `role`; key NULL: not masked. Returns its size. */
static size_t frame_put(uint8_t *to, uint8_t first, const uint8_t *key, const uint8_t *payload, size_t len)
{
    size_t size = 2;
    to[0] = first;
    to[1] = (uint8_t)((key != NULL ? 0x80 : 0) | (len < 126 ? len : 126));
    if (len >= 126) {
        to[size++] = (uint8_t)(len >> 8);
        to[size++] = (uint8_t)len;
    }
    if (key != NULL) {
        memcpy(to + size, key, 4);
        size += 4;
    }
    for (size_t i = 0; i < len; i++)
        to[size + i] = (uint8_t)(payload[i] ^ (key != NULL ? key[i % 4] : 0));
    return size + len;
}

/* One call of weir_ws_next. What the event's kind does not have is absent or 0, whatever was there. */
static int next(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    memset(ev, 0xDD, sizeof *ev);
    int rv = weir_ws_next(ws, in, ev);
    assert_int_equal(ev->kind, rv > 0 ? rv : (int)WEIR_WS_NONE);
    if (rv > 0)
        assert_int_equal(ev->code, 0);
    return rv;
}

static const uint8_t keys[][4] = {{0, 0, 0, 0}, {1, 0, 0, 0},    {0, 0, 0, 1},    {0, 0, 1, 0},
                                  {1, 2, 3, 4}, {0x80, 0, 0, 0}, {0, 0x80, 0, 0}, {0xFF, 0xFE, 0xFD, 0xFC}};

/* Text of 'x', of two-byte characters, or bytes of any kind. */
static void fill(uint8_t *payload, size_t len, int kind)
{
    for (size_t i = 0; i < len; i++)
        payload[i] = kind == 0   ? 'x'
                     : kind == 1 ? (uint8_t)(i % 2 == 0 ? 0xC3 : 0xA9)
                                 : (uint8_t)(i * 7 + 0x79);
}

static void check_frame(weir_ws_role role, size_t k, size_t len, uint8_t first, int kind, uint32_t flags)
{
    uint8_t payload[MOST], wire[MOST + 8];
    weir_ws ws;
    weir_ws_event ev;
    fill(payload, len, kind);
    size_t size = frame_put(wire, first, role == WEIR_WS_SERVER ? keys[k] : NULL, payload, len);
    uint8_t *copy = guard_copy(wire, size, false);
    weir_in in = {copy, size};
    start(&ws, role, flags);
    assert_int_equal(next(&ws, &in, &ev), WEIR_WS_DATA);
    assert_int_equal(ev.flags, WEIR_WS_WHOLE | (first == 0x81 ? WEIR_WS_TEXT : 0));
    assert_ptr_equal(ev.data.ptr, copy + (size - len));
    assert_int_equal(ev.data.len, len);
    if (len != 0)
        assert_memory_equal(ev.data.ptr, payload, len);
    assert_int_equal(in.len, 0);
    assert_int_equal(next(&ws, &in, &ev), 0);
    guard_free(copy);

    /* The same in two pieces that end inside the payload. */
    for (size_t cut = size - len + 1; cut < size; cut += 1 + (size - cut) / 3) {
        copy = guard_copy(wire, size, false);
        start(&ws, role, flags);
        in = (weir_in){copy, cut};
        size_t got = 0;
        while (next(&ws, &in, &ev) == WEIR_WS_DATA) {
            assert_memory_equal(ev.data.ptr, payload + got, ev.data.len);
            got += ev.data.len;
        }
        in = (weir_in){copy + cut, size - cut};
        while (next(&ws, &in, &ev) == WEIR_WS_DATA) {
            assert_memory_equal(ev.data.ptr, payload + got, ev.data.len);
            got += ev.data.len;
        }
        assert_int_equal(got, len);
        assert_int_equal(weir_ws_error(&ws, NULL), 0);
        guard_free(copy);
    }
}

static void test_frames(void **state)
{
    (void)state;
    static const size_t lens[] = {0,  1,  2,  7,   8,   15,  16,  17,  31,  32,
                                  33, 64, 65, 124, 125, 126, 127, 128, 200, 399};
    for (size_t r = 0; r < 2; r++)
        for (size_t k = 0; k < (r == 0 ? sizeof keys / sizeof *keys : 1); k++)
            for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
                for (int kind = 0; kind < 3; kind++) {
                    size_t len = kind == 1 ? lens[i] / 2 * 2 : lens[i];
                    check_frame(roles[r], k, len, 0x82, kind, 0);
                    check_frame(roles[r], k, len, 0x81, kind, kind == 2 ? WEIR_WS_NO_UTF8 : 0);
                }
}

/* A masking bit that is wrong is seen at the second byte, whatever the bytes behind look like; and so are a
 * reserved bit and an opcode at the first. */
static void test_what_looks_like_a_frame(void **state)
{
    (void)state;
    static const uint8_t lens[] = {0, 1, 2, 4, 100, 125, 126, 127};
    for (size_t r = 0; r < 2; r++)
        for (size_t i = 0; i < sizeof lens; i++)
            for (unsigned behind = 0; behind < 256; behind += 3)
                for (int what = 0; what < 3; what++) {
                    uint8_t wire[MOST];
                    weir_ws ws;
                    weir_ws_event ev;
                    uint64_t offset;
                    bool server = roles[r] == WEIR_WS_SERVER;
                    memset(wire, 0, sizeof wire);
                    wire[0] = what == 0 ? 0x82 : what == 1 ? 0xA2 : 0x83;
                    wire[1] = (uint8_t)((server == (what != 0) ? 0x80 : 0) | lens[i]);
                    wire[2] = 0;
                    wire[3] = (uint8_t)behind;
                    weir_in in = {wire, sizeof wire};
                    start(&ws, roles[r], 0);
                    assert_int_equal(next(&ws, &in, &ev), what == 0   ? WEIR_ERR_WS_MASKING
                                                          : what == 1 ? WEIR_ERR_WS_RSV
                                                                      : WEIR_ERR_WS_OPCODE);
                    assert_int_equal(weir_ws_error(&ws, &offset), what == 0   ? WEIR_ERR_WS_MASKING
                                                                  : what == 1 ? WEIR_ERR_WS_RSV
                                                                              : WEIR_ERR_WS_OPCODE);
                    assert_int_equal(offset, what == 0);
                }
}

/* A length of eight bytes is never one of two, however much is there. */
static void test_length_of_eight_bytes(void **state)
{
    (void)state;
    for (size_t r = 0; r < 2; r++)
        for (unsigned high = 0; high < 256; high++) {
            uint8_t wire[MOST];
            weir_ws ws;
            weir_ws_event ev;
            memset(wire, 0, sizeof wire);
            wire[0] = 0x82;
            wire[1] = roles[r] == WEIR_WS_SERVER ? 0xFF : 0x7F;
            wire[2] = (uint8_t)(high >> 7);
            wire[3] = (uint8_t)(high << 1 | 1);
            weir_in in = {wire, sizeof wire};
            start(&ws, roles[r], 0);
            assert_int_equal(next(&ws, &in, &ev), WEIR_ERR_WS_FRAME_SIZE);
        }
}

/* Limits, of which 0 stands for none. */
typedef struct bounds {
    size_t frame, message;
    uint32_t fragments;
} bounds;

/* What fragment number i of `len` bytes each comes to. */
static int fragment_due(const bounds *b, size_t i, size_t len)
{
    if (b->fragments != 0 && i >= b->fragments)
        return WEIR_ERR_WS_FRAGMENTS;
    if (b->frame != 0 && len > b->frame)
        return WEIR_ERR_WS_FRAME_SIZE;
    return b->message != 0 && (i + 1) * len > b->message ? (int)WEIR_ERR_WS_MESSAGE_SIZE : (int)WEIR_WS_DATA;
}

/* A message in three fragments that lie in one input, with a Ping in front of the last. */
static void check_fragments(weir_ws_role role, uint8_t opcode, size_t len, const bounds *b)
{
    uint8_t payload[MOST], wire[4 * MOST];
    const uint8_t *key = role == WEIR_WS_SERVER ? keys[4] : NULL;
    const uint32_t text = opcode == 1 ? WEIR_WS_TEXT : 0;
    static weir_entropy entropy;
    weir_ws ws;
    weir_ws_cfg cfg;
    weir_ws_event ev;
    weir_ws_cfg_init(&cfg, role);
    assert_int_equal(weir_entropy_init(&entropy, no_fill, NULL), 0);
    cfg.entropy = &entropy;
    cfg.max_frame = b->frame != 0 ? b->frame : cfg.max_frame;
    cfg.max_message = b->message != 0 ? b->message : cfg.max_message;
    cfg.max_fragments = b->fragments != 0 ? b->fragments : cfg.max_fragments;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
    fill(payload, len, opcode == 1 ? 0 : 2);
    size_t size = frame_put(wire, opcode, key, payload, len);
    size += frame_put(wire + size, 0, key, payload, len);
    size += frame_put(wire + size, 0x89, key, payload, 1);
    size += frame_put(wire + size, 0x80, key, payload, len);
    uint8_t *copy = guard_copy(wire, size, false);
    weir_in in = {copy, size};
    for (size_t i = 0; i < 3; i++) {
        int due = fragment_due(b, i, len);
        assert_true(i != 2 || next(&ws, &in, &ev) == WEIR_WS_PING);
        assert_int_equal(next(&ws, &in, &ev), due);
        if (due < 0)
            break;
        assert_int_equal(ev.flags, text | (i == 0 ? WEIR_WS_FIRST : 0) | (i == 2 ? WEIR_WS_LAST : 0));
        assert_int_equal(ev.data.len, len);
        assert_memory_equal(ev.data.ptr, payload, len);
    }
    guard_free(copy);
}

static void test_fragments(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 2, 7, 125, 126, 127, 300};
    for (size_t r = 0; r < 2; r++)
        for (uint8_t opcode = 1; opcode <= 2; opcode++)
            for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
                const size_t len = lens[i];
                const bounds all[] = {{0, 0, 0},       {len, 0, 0},       {len - 1, 0, 0},     {0, len, 0},
                                      {0, 2 * len, 0}, {0, 3 * len, 0},   {0, 3 * len - 1, 0}, {0, 0, 1},
                                      {0, 0, 2},       {len, 3 * len, 3}, {0, len - 1, 0}};
                for (size_t k = 0; k < sizeof all / sizeof *all; k++)
                    check_fragments(roles[r], opcode, len, &all[k]);
            }
}

/* A fragment that is none, or in the wrong place, in front of much else. */
static void test_fragments_out_of_place(void **state)
{
    (void)state;
    static const struct {
        uint8_t begun, first;
        int due;
    } rows[] = {{0, 0x00, WEIR_ERR_WS_CONTINUATION}, {0, 0x80, WEIR_ERR_WS_CONTINUATION},
                {1, 0x01, WEIR_ERR_WS_INTERLEAVED},  {1, 0x81, WEIR_ERR_WS_INTERLEAVED},
                {2, 0x82, WEIR_ERR_WS_INTERLEAVED},  {2, 0x02, WEIR_ERR_WS_INTERLEAVED},
                {1, 0x40, WEIR_ERR_WS_RSV},          {0, 0x11, WEIR_ERR_WS_RSV},
                {2, 0x03, WEIR_ERR_WS_OPCODE},       {0, 0x03, WEIR_ERR_WS_OPCODE}};
    for (size_t r = 0; r < 2; r++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            uint8_t payload[MOST] = {0}, wire[2 * MOST];
            const uint8_t *key = roles[r] == WEIR_WS_SERVER ? keys[4] : NULL;
            weir_ws ws;
            weir_ws_event ev;
            size_t size = rows[i].begun != 0 ? frame_put(wire, rows[i].begun, key, payload, 9) : 0;
            size += frame_put(wire + size, rows[i].first, key, payload, 200);
            weir_in in = {wire, size};
            start(&ws, roles[r], 0);
            if (rows[i].begun != 0)
                assert_int_equal(next(&ws, &in, &ev), WEIR_WS_DATA);
            assert_int_equal(next(&ws, &in, &ev), rows[i].due);
        }
}

/* The shortest form of a length, and the masking bit, are asked for inside a message too. */
static void test_fragments_of_wrong_form(void **state)
{
    (void)state;
    for (size_t r = 0; r < 2; r++)
        for (unsigned len = 0; len < 128; len++)
            for (int what = 0; what < 2; what++) {
                const uint8_t payload[9] = {0};
                uint8_t wire[2 * MOST] = {0};
                bool masked = roles[r] == WEIR_WS_SERVER;
                weir_ws ws;
                weir_ws_event ev;
                size_t begun = frame_put(wire, 2, masked ? keys[4] : NULL, payload, sizeof payload);
                if (what == 0) {
                    wire[begun + 1] = masked ? 0xFE : 0x7E;
                    wire[begun + 3] = (uint8_t)len;
                } else {
                    wire[begun + 1] = (uint8_t)((masked ? 0 : 0x80) | len);
                }
                weir_in in = {wire, sizeof wire};
                start(&ws, roles[r], 0);
                assert_int_equal(next(&ws, &in, &ev), WEIR_WS_DATA);
                assert_int_equal(next(&ws, &in, &ev), what != 0   ? WEIR_ERR_WS_MASKING
                                                      : len < 126 ? (int)WEIR_ERR_WS_LENGTH
                                                                  : (int)WEIR_WS_DATA);
            }
}

/* A single byte that is not ASCII is found in a text of any length, at its end. */
static void test_texts_with_one_byte(void **state)
{
    (void)state;
    for (size_t r = 0; r < 2; r++)
        for (size_t len = 1; len < 40; len++)
            for (unsigned byte = 0x78; byte < 256; byte++) {
                uint8_t payload[MOST] = {0}, wire[MOST + 8];
                weir_ws ws;
                weir_ws_event ev;
                payload[len - 1] = (uint8_t)byte;
                weir_in in = {
                    wire, frame_put(wire, 0x81, roles[r] == WEIR_WS_SERVER ? keys[4] : NULL, payload, len)};
                int rv;
                start(&ws, roles[r], 0);
                while ((rv = next(&ws, &in, &ev)) > 0)
                    assert_int_equal((ev.flags & WEIR_WS_LAST) != 0, byte < 0x80);
                assert_int_equal(rv, byte < 0x80 ? 0 : WEIR_ERR_WS_UTF8);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_what_looks_like_a_frame),
        cmocka_unit_test(test_length_of_eight_bytes),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_fragments_out_of_place),
        cmocka_unit_test(test_fragments_of_wrong_form),
        cmocka_unit_test(test_texts_with_one_byte),
    };
    return cmocka_run_group_tests_name("ws_next", tests, NULL, NULL);
}
