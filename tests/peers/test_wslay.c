/* SPDX-License-Identifier: MIT */
/* test_wslay.c - frames against the frame layer of wslay: what either writes the other reads, and both write
 * the same bytes. Built when wslay is there. */
#include "check.h"
#include "weir/ws.h"

#include <stdlib.h>

#include <wslay/wslay.h>

/* ---- Frames to be said ---------------------------------------------------------------------------- */

enum { FRAMES_MAX = 64, STREAM_MAX = 3 << 20, SEEDS = 200 };

typedef struct frame {
    uint8_t first; /* FIN and opcode */
    const uint8_t *payload;
    size_t len;
} frame;

typedef struct script {
    frame frames[FRAMES_MAX];
    size_t count;
} script;

static uint8_t noise[1 << 20];

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void script_add(script *s, uint8_t first, const uint8_t *payload, size_t len)
{
    assert_true(s->count < FRAMES_MAX);
    s->frames[s->count++] = (frame){first, payload, len};
}

/* All sizes around those at which the form of a length changes, the largest in one script only. */
static size_t script_size(uint32_t *x, bool large)
{
    static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 124, 125, 126, 127, 128, 1000};
    static const size_t larger[] = {4096, 65534, 65535, 65536, 65537};
    if (large)
        return 1 << 20;
    if (next_random(x) % 8 == 0)
        return larger[next_random(x) % 5];
    return sizes[next_random(x) % 16];
}

static const uint8_t *script_payload(uint32_t *x, bool text, size_t len)
{
    static uint8_t letters[1 << 20];
    if (!text)
        return noise + next_random(x) % (sizeof noise - len + 1);
    if (letters[0] == 0)
        for (size_t i = 0; i < sizeof letters; i++)
            letters[i] = (uint8_t)('a' + i % 26);
    return letters;
}

/* A valid stream: messages in one to four frames, control frames between and inside them, a Close at its
 * end. */
static void script_make(script *s, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 1;
    s->count = 0;
    while (s->count < 40) {
        bool text = next_random(&x) % 2 == 0;
        size_t parts = next_random(&x) % 3 != 0 ? 1 : 2 + next_random(&x) % 3;
        for (size_t i = 0; i < parts; i++) {
            size_t len = script_size(&x, seed == 1 && s->count == 0);
            unsigned opcode = i != 0 ? 0 : text ? 1 : 2;
            script_add(s, (uint8_t)(opcode | (i + 1 == parts ? 0x80u : 0)), script_payload(&x, text, len),
                       len);
            while (next_random(&x) % 3 == 0) {
                len = next_random(&x) % 126;
                script_add(s, next_random(&x) % 2 == 0 ? 0x89 : 0x8A, noise + next_random(&x) % 1000, len);
            }
        }
    }
    script_add(s, 0x88,
               (const uint8_t *)"\x03\xE8"
                                "bye",
               seed % 3 == 0   ? 0
               : seed % 3 == 1 ? 2
                               : 5);
}

/* ---- A stream, and where masking keys come from ---------------------------------------------------- */

/* wslay masks its frames with the keys that are here, in turn: those of weir's frames, or some. */
typedef struct wire {
    uint8_t *bytes;
    size_t len, read;
    uint32_t cuts; /* how it is cut into pieces */
    uint8_t keys[FRAMES_MAX][4];
    size_t key;
} wire;

static int fill_keys(void *user, uint8_t *dst, size_t len)
{
    uint32_t *x = user;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(next_random(x) >> 9);
    return 0;
}

static void wire_init(wire *w, uint32_t seed)
{
    static uint8_t bytes[2][STREAM_MAX];
    static unsigned turn;
    memset(w, 0, sizeof *w);
    w->bytes = bytes[turn++ % 2];
    w->cuts = seed * 40503u + 7;
    (void)fill_keys(&seed, w->keys[0], sizeof w->keys);
}

static int wslay_fill(uint8_t *dst, size_t len, void *user)
{
    wire *w = user;
    assert_int_equal(len, 4);
    memcpy(dst, w->keys[w->key++], 4);
    return 0;
}

/* The next piece's size. */
static size_t wire_cut(wire *w, size_t most)
{
    static const size_t scales[] = {1, 3, 17, 200, 5000, 1 << 20};
    size_t n = 1 + next_random(&w->cuts) % scales[next_random(&w->cuts) % 6];
    return n < most ? n : most;
}

static ssize_t wslay_write(const uint8_t *data, size_t len, int flags, void *user)
{
    wire *w = user;
    size_t n = wire_cut(w, len);
    (void)flags;
    assert_true(w->len + n <= STREAM_MAX);
    memcpy(w->bytes + w->len, data, n);
    w->len += n;
    return (ssize_t)n;
}

static ssize_t wslay_read(uint8_t *dst, size_t len, int flags, void *user)
{
    wire *w = user;
    size_t n = w->len - w->read;
    (void)flags;
    if (n == 0)
        return -1;
    n = wire_cut(w, n < len ? n : len);
    memcpy(dst, w->bytes + w->read, n);
    w->read += n;
    return (ssize_t)n;
}

/* ---- wslay's side ---------------------------------------------------------------------------------- */

static wslay_frame_context_ptr wslay_new(wire *w)
{
    static const struct wslay_frame_callbacks callbacks = {wslay_write, wslay_read, wslay_fill};
    wslay_frame_context_ptr ctx;
    assert_int_equal(wslay_frame_context_init(&ctx, &callbacks, w), 0);
    return ctx;
}

static void wslay_say(const script *s, wire *w, bool client)
{
    wslay_frame_context_ptr ctx = wslay_new(w);
    for (size_t i = 0; i < s->count; i++) {
        struct wslay_frame_iocb iocb = {0};
        iocb.fin = s->frames[i].first >> 7;
        iocb.opcode = s->frames[i].first & 0x0F;
        iocb.payload_length = s->frames[i].len;
        iocb.mask = client;
        iocb.data = s->frames[i].payload;
        iocb.data_length = s->frames[i].len;
        size_t sent = 0;
        ssize_t n;
        do {
            n = wslay_frame_send(ctx, &iocb);
            assert_true(n >= 0 || n == WSLAY_ERR_WANT_WRITE);
            sent += n > 0 ? (size_t)n : 0;
            iocb.data = s->frames[i].payload + sent;
            iocb.data_length = s->frames[i].len - sent;
        } while (n < 0 || sent < s->frames[i].len);
    }
    wslay_frame_context_free(ctx);
}

/* Reads the wire frame by frame and compares each with the script's. */
static void wslay_hear(const script *s, wire *w, bool masked)
{
    wslay_frame_context_ptr ctx = wslay_new(w);
    for (size_t i = 0; i < s->count; i++) {
        const frame *f = &s->frames[i];
        size_t got = 0;
        ssize_t n;
        do {
            struct wslay_frame_iocb iocb = {0};
            n = wslay_frame_recv(ctx, &iocb);
            assert_true(n >= 0 || (n == WSLAY_ERR_WANT_READ && w->read < w->len));
            if (n < 0)
                continue;
            assert_int_equal(iocb.fin << 7 | iocb.opcode, f->first);
            assert_int_equal(iocb.rsv, 0);
            assert_int_equal(iocb.mask, masked);
            assert_int_equal(iocb.payload_length, f->len);
            assert_true(got + iocb.data_length <= f->len);
            if (iocb.data_length != 0)
                assert_memory_equal(iocb.data, f->payload + got, iocb.data_length);
            got += iocb.data_length;
        } while (n < 0 || got < f->len);
    }
    assert_int_equal(w->read, w->len);
    wslay_frame_context_free(ctx);
}

/* ---- weir's side ------------------------------------------------------------------------------------ */

static void weir_init(weir_ws *ws, weir_entropy *entropy, bool client)
{
    static uint32_t random = 1;
    weir_ws_cfg cfg;
    assert_int_equal(weir_entropy_init(entropy, fill_keys, &random), 0);
    weir_ws_cfg_init(&cfg, client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.entropy = entropy;
    cfg.flags = WEIR_WS_MANUAL_PONG;
    assert_int_equal(weir_ws_init(ws, &cfg), 0);
}

/* Writes what waits, byte after byte. */
static void weir_write_out(weir_ws *ws, wire *w)
{
    for (weir_str out = weir_ws_out(ws); out.len != 0; out = weir_ws_out(ws)) {
        w->bytes[w->len++] = out.ptr[0];
        weir_ws_out_ack(ws, 1);
    }
}

/* A data frame, in one call or header and payload apart. */
static void weir_say_data(weir_ws *ws, wire *w, const frame *f)
{
    uint32_t flags = (f->first & 0x80 ? WEIR_WS_LAST : 0) | (f->first & 0x0F ? WEIR_WS_FIRST : 0) |
                     ((f->first & 0x0F) == 1 ? WEIR_WS_TEXT : 0);
    weir_out out = {w->bytes + w->len, STREAM_MAX - w->len};
    if (next_random(&w->cuts) % 2 == 0) {
        assert_int_equal(weir_ws_send(ws, &out, flags, (weir_str){f->payload, f->len}), 0);
        w->len = STREAM_MAX - out.len;
        return;
    }
    size_t header_len;
    assert_int_equal(weir_ws_begin(ws, flags, f->len, out.ptr, &header_len), 0);
    w->len += header_len;
    for (size_t at = 0; at < f->len;) {
        size_t n = wire_cut(w, f->len - at);
        assert_int_equal(weir_ws_payload(ws, w->bytes + w->len, (weir_str){f->payload + at, n}), 0);
        w->len += n;
        at += n;
    }
}

static void weir_say(const script *s, wire *w, bool client)
{
    weir_ws ws;
    weir_entropy entropy;
    weir_init(&ws, &entropy, client);
    for (size_t i = 0; i < s->count; i++) {
        const frame *f = &s->frames[i];
        const uint8_t *begin = w->bytes + w->len;
        weir_str payload = {f->payload, f->len};
        if ((f->first & 0x08) == 0)
            weir_say_data(&ws, w, f);
        else if (f->first == 0x88 && f->len == 0)
            assert_int_equal(weir_ws_close(&ws, 0, payload), 0);
        else if (f->first == 0x88)
            assert_int_equal(weir_ws_close(&ws, 1000, (weir_str){f->payload + 2, f->len - 2}), 0);
        else
            assert_int_equal((f->first == 0x89 ? weir_ws_ping : weir_ws_pong)(&ws, payload), 0);
        weir_write_out(&ws, w);
        if (client)
            memcpy(w->keys[i], begin + (f->len < 126 ? 2 : f->len < 65536 ? 4 : 10), 4);
    }
}

/* Where weir's events stand in the script. */
typedef struct place {
    const script *s;
    size_t data, data_at; /* the data frame whose payload comes next, and how much of it has come */
    size_t control;
    unsigned opcode; /* of the message */
} place;

/* Moves to the next frame, data or control, at or behind i. */
static size_t place_skip(const script *s, size_t i, bool control)
{
    while (i < s->count && ((s->frames[i].first & 0x08) != 0) != control)
        i++;
    return i;
}

static void place_take_data(place *p, const weir_ws_event *ev)
{
    weir_str left = ev->data;
    p->data = place_skip(p->s, p->data, false);
    if ((ev->flags & WEIR_WS_FIRST) != 0) {
        assert_int_equal(p->data_at, 0);
        p->opcode = p->s->frames[p->data].first & 0x0F;
    }
    assert_int_equal(p->opcode, (ev->flags & WEIR_WS_TEXT) != 0 ? 1 : 2);
    while (left.len != 0) {
        const frame *f = &p->s->frames[p->data];
        size_t n = f->len - p->data_at < left.len ? f->len - p->data_at : left.len;
        if (n != 0)
            assert_memory_equal(left.ptr, f->payload + p->data_at, n);
        left = (weir_str){left.ptr + n, left.len - n};
        p->data_at += n;
        if (p->data_at == f->len && (left.len != 0 || (f->first & 0x80) == 0)) {
            assert_int_equal(f->first & 0x80, 0); /* a piece ends with its message */
            p->data = place_skip(p->s, p->data + 1, false);
            p->data_at = 0;
        }
    }
    while ((ev->flags & WEIR_WS_LAST) != 0) {
        const frame *f = &p->s->frames[p->data];
        assert_int_equal(p->data_at, f->len);
        p->data_at = 0;
        p->data = place_skip(p->s, p->data + 1, false);
        if ((f->first & 0x80) != 0)
            break;
    }
}

static void place_take_control(place *p, const weir_ws_event *ev)
{
    p->control = place_skip(p->s, p->control, true);
    const frame *f = &p->s->frames[p->control++];
    size_t code = ev->kind == WEIR_WS_CLOSE && f->len != 0 ? 2 : 0;
    assert_int_equal(f->first, ev->kind == WEIR_WS_PING ? 0x89 : ev->kind == WEIR_WS_PONG ? 0x8A : 0x88);
    assert_int_equal(ev->data.len, f->len - code);
    if (ev->data.len != 0)
        assert_memory_equal(ev->data.ptr, f->payload + code, ev->data.len);
    if (ev->kind == WEIR_WS_CLOSE)
        assert_int_equal(ev->code, code != 0 ? 1000 : 1005);
}

static void weir_hear(const script *s, wire *w, bool client)
{
    weir_ws ws;
    weir_entropy entropy;
    place p = {s, 0, 0, 0, 0};
    weir_init(&ws, &entropy, client);
    while (w->read < w->len) {
        size_t n = wire_cut(w, w->len - w->read);
        weir_in in = {w->bytes + w->read, n};
        weir_ws_event ev;
        int rv;
        while ((rv = weir_ws_next(&ws, &in, &ev)) > 0) {
            if (rv == WEIR_WS_DATA)
                place_take_data(&p, &ev);
            else
                place_take_control(&p, &ev);
        }
        assert_int_equal(rv, 0);
        assert_int_equal(in.len, 0);
        w->read += n;
    }
    assert_int_equal(place_skip(s, p.data, false), s->count);
    assert_int_equal(p.control, s->count);
}

/* ---- Tests ------------------------------------------------------------------------------------------ */

static void each_script(void (*check)(const script *s, uint32_t seed, bool client))
{
    static script s;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        script_make(&s, seed);
        check(&s, seed, false);
        check(&s, seed, true);
    }
}

static void check_weir_to_wslay(const script *s, uint32_t seed, bool client)
{
    wire w;
    wire_init(&w, seed);
    weir_say(s, &w, client);
    wslay_hear(s, &w, client);
}

static void test_weir_to_wslay(void **state)
{
    (void)state;
    each_script(check_weir_to_wslay);
}

static void check_wslay_to_weir(const script *s, uint32_t seed, bool client)
{
    wire w;
    wire_init(&w, seed);
    wslay_say(s, &w, client);
    weir_hear(s, &w, !client);
}

static void test_wslay_to_weir(void **state)
{
    (void)state;
    each_script(check_wslay_to_weir);
}

/* With the same keys a client's streams are the same too. */
static void check_same_bytes(const script *s, uint32_t seed, bool client)
{
    wire a, b;
    wire_init(&a, seed);
    wire_init(&b, seed);
    weir_say(s, &a, client);
    memcpy(b.keys, a.keys, sizeof b.keys);
    wslay_say(s, &b, client);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.bytes, b.bytes, a.len);
}

static void test_same_bytes(void **state)
{
    (void)state;
    each_script(check_same_bytes);
}

/* The scripts have what they should: each form of a length, both kinds, fragments, controls inside
 * messages. */
static void test_scripts_are_varied(void **state)
{
    size_t forms[4] = {0, 0, 0, 0}, kinds[16] = {0}, inside = 0, megabytes = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        script s;
        bool open = false;
        script_make(&s, seed);
        for (size_t i = 0; i < s.count; i++) {
            const frame *f = &s.frames[i];
            forms[f->len == 0 ? 0 : f->len < 126 ? 1 : f->len < 65536 ? 2 : 3]++;
            kinds[f->first & 0x0F]++;
            megabytes += f->len == 1 << 20;
            if ((f->first & 0x08) == 0)
                open = (f->first & 0x80) == 0;
            else
                inside += open;
        }
    }
    for (size_t i = 0; i < 4; i++)
        assert_true(forms[i] > 100);
    for (size_t i = 0; i < 3; i++)
        assert_true(kinds[i] > 500 && kinds[8 + i] >= SEEDS);
    assert_true(inside > 500);
    assert_int_equal(megabytes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts_are_varied),
        cmocka_unit_test(test_weir_to_wslay),
        cmocka_unit_test(test_wslay_to_weir),
        cmocka_unit_test(test_same_bytes),
    };
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(next_random(&x) >> 11);
    return cmocka_run_group_tests_name("wslay", tests, NULL, NULL);
}
