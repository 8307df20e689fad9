/* SPDX-License-Identifier: MIT */
/* test_ws_receive.c - frames and messages as they arrive: vectors for both roles under every cut, and
 * the rules that are better counted than listed. */
#include "harness.h"
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- A connection that writes a log ------------------------------------------------------------- */

/*
 * The log of a stream:
 *     text "..." / binary "..."   payload of a message, joined over its pieces
 *     text end / binary end       its last piece came
 *     ping "..." / pong "..." / close CODE "reason"
 *     out "..."                   a frame that weir_ws_out offered: its first two bytes, then its
 *                                 payload without masking
 *     error NAME at OFFSET
 *     closing ..., end CODE "..." with the key `end: yes`: the record before the transport ends, and
 *                                 what weir_ws_eof says
 * Keys: max_frame, max_message, max_fragments, max_controls; flags: manual_pong, no_utf8; close: CODE
 * closes before anything is received; drain: late writes weir_ws_out only when the stream has ended.
 */
typedef struct peer {
    weir_ws_cfg cfg;
    weir_ws ws;
    weir_entropy entropy;
    uint32_t keys;
    unsigned step;
    uint16_t close;
    bool late;
    bool end;
    bool in_message;
    uint32_t text;
    int err;
} peer;

static int fill_counter(void *user, uint8_t *dst, size_t len)
{
    uint32_t *next = user;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(++*next * 37u + 11u);
    return 0;
}

static void peer_start(void *self)
{
    peer *p = self;
    p->keys = 0;
    p->step = 0;
    p->in_message = false;
    p->err = 0;
    assert_int_equal(weir_entropy_init(&p->entropy, fill_counter, &p->keys), 0);
    p->cfg.entropy = p->cfg.role == WEIR_WS_CLIENT ? &p->entropy : NULL;
    memset(&p->ws, 0xDD, sizeof p->ws);
    assert_int_equal(weir_ws_init(&p->ws, &p->cfg), 0);
    if (p->close != 0)
        assert_int_equal(weir_ws_close(&p->ws, p->close, (weir_str){NULL, 0}), 0);
}

static void log_out_frames(const peer *p, uint8_t *bytes, size_t len, log *l)
{
    size_t key = p->cfg.role == WEIR_WS_CLIENT ? 4 : 0;
    while (len != 0) {
        assert_true(len >= 2 + key);
        assert_int_equal(bytes[1] >> 7, key / 4);
        size_t size = bytes[1] & 0x7F;
        assert_true(size <= 125 && len >= 2 + key + size);
        uint8_t frame[127];
        memcpy(frame, bytes, 2);
        for (size_t i = 0; i < size; i++)
            frame[2 + i] = (uint8_t)(bytes[2 + key + i] ^ (key != 0 ? bytes[2 + i % 4] : 0));
        log_line(l, "out %s", log_quote(frame, 2 + size));
        bytes += 2 + key + size;
        len -= 2 + key + size;
    }
}

/* Takes what waits in steps of different sizes, so that replies are often partly written. */
static void peer_drain(peer *p, weir_ws *ws, log *l)
{
    uint8_t bytes[2 * WEIR_WS_OUT_MAX];
    size_t len = 0;
    for (;;) {
        weir_str out = weir_ws_out(ws);
        if (out.len == 0)
            break;
        size_t n = 1 + p->step++ % 7;
        n = n < out.len ? n : out.len;
        assert_true(len + n <= sizeof bytes);
        memcpy(bytes + len, out.ptr, n);
        len += n;
        weir_ws_out_ack(ws, n);
    }
    log_out_frames(p, bytes, len, l);
}

static void log_data(peer *p, const weir_ws_event *ev, log *l)
{
    const char *name = (ev->flags & WEIR_WS_TEXT) != 0 ? "text" : "binary";
    if (((ev->flags & WEIR_WS_FIRST) != 0) == p->in_message)
        log_line(l, "FIRST misplaced");
    if (p->in_message && (ev->flags & WEIR_WS_TEXT) != p->text)
        log_line(l, "TEXT changed");
    if (ev->data.len == 0 && (ev->flags & WEIR_WS_LAST) == 0)
        log_line(l, "an empty piece");
    p->in_message = true;
    p->text = ev->flags & WEIR_WS_TEXT;
    if (ev->data.len != 0)
        log_bytes(l, name, ev->data.ptr, ev->data.len);
    if ((ev->flags & WEIR_WS_LAST) != 0) {
        p->in_message = false;
        log_line(l, "%s end", name);
    }
}

static void log_event(peer *p, const weir_ws_event *ev, log *l)
{
    const char *data = log_quote(ev->data.ptr != NULL ? (const void *)ev->data.ptr : "", ev->data.len);
    switch (ev->kind) {
    case WEIR_WS_DATA:
        log_data(p, ev, l);
        break;
    case WEIR_WS_PING:
        log_line(l, "ping %s", data);
        break;
    case WEIR_WS_PONG:
        log_line(l, "pong %s", data);
        break;
    case WEIR_WS_CLOSE:
        log_line(l, "close %u %s", (unsigned)ev->code, data);
        break;
    case WEIR_WS_END:
        log_line(l, "end %u %s", (unsigned)ev->code, data);
        break;
    default:
        log_line(l, "unknown event %d", (int)ev->kind);
    }
}

static void peer_run(peer *p, weir_ws *ws, uint8_t *bytes, size_t len, log *l)
{
    weir_in in = {bytes, len};
    weir_ws_event ev;
    int rv;
    size_t calls = 0;
    if (!p->late)
        peer_drain(p, ws, l);
    while ((rv = weir_ws_next(ws, &in, &ev)) > 0) {
        assert_int_equal(rv, ev.kind);
        assert_true(in.len <= len && in.ptr == bytes + (len - in.len));
        assert_true(++calls <= len + 2);
        log_event(p, &ev, l);
        if (!p->late)
            peer_drain(p, ws, l);
    }
    assert_int_equal(ev.kind, WEIR_WS_NONE);
    if (rv == 0 && in.len != 0)
        log_line(l, "left %zu bytes", in.len);
    if (p->err != 0 && rv != p->err)
        log_line(l, "the error did not stick");
    if (rv < 0 && p->err == 0) {
        uint64_t offset;
        assert_int_equal(weir_ws_error(ws, &offset), rv);
        log_line(l, "error %s at %llu", weir_err_lookup(rv)->name + strlen("WEIR_ERR_"),
                 (unsigned long long)offset);
        p->err = rv;
    }
    if (!p->late)
        peer_drain(p, ws, l);
}

/* Each call finds the connection at another address: it may be moved between calls. */
static void peer_feed(void *self, uint8_t *bytes, size_t len, log *l)
{
    peer *p = self;
    weir_ws *moved = malloc(sizeof *moved);
    assert_non_null(moved);
    memcpy(moved, &p->ws, sizeof *moved);
    memset(&p->ws, 0xDD, sizeof p->ws);
    peer_run(p, moved, bytes, len, l);
    memcpy(&p->ws, moved, sizeof *moved);
    memset(moved, 0xDD, sizeof *moved);
    free(moved);
}

static void peer_finish(void *self, log *l)
{
    static const char *const todos[] = {"carry-on", "wait-peer", "shutdown-write", "close-now"};
    static const char *const sides[] = {"nobody", "local", "peer"};
    peer *p = self;
    peer_drain(p, &p->ws, l);
    if (!p->end)
        return;
    weir_ws_closing c;
    weir_ws_closing_read(&p->ws, &c);
    log_line(l, "closing sent %u received %u first %s %s, %s", (unsigned)c.sent, (unsigned)c.received,
             sides[c.first], c.clean ? "clean" : "not clean", todos[weir_ws_transport(&p->ws)]);
    weir_ws_event ev;
    assert_int_equal(weir_ws_eof(&p->ws, &ev), WEIR_WS_END);
    log_event(p, &ev, l);
    assert_int_equal(weir_ws_transport(&p->ws), WEIR_WS_CLOSE_NOW);
    assert_int_equal(weir_ws_eof(&p->ws, &ev), 0);
}

static uint64_t key_number(const vector *v, const char *key, uint64_t otherwise)
{
    const char *text = vector_get(v, key);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static size_t vectors_failed;

static void check_vector(const vector *v)
{
    peer p;
    memset(&p, 0, sizeof p);
    const char *role = vector_get(v, "role");
    const char *flags = vector_get(v, "flags");
    assert_non_null(role);
    weir_ws_cfg_init(&p.cfg, strcmp(role, "client") == 0 ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    p.cfg.max_frame = key_number(v, "max_frame", p.cfg.max_frame);
    p.cfg.max_message = key_number(v, "max_message", p.cfg.max_message);
    p.cfg.max_fragments = (uint32_t)key_number(v, "max_fragments", p.cfg.max_fragments);
    p.cfg.max_controls = (uint32_t)key_number(v, "max_controls", p.cfg.max_controls);
    if (flags != NULL && strstr(flags, "manual_pong") != NULL)
        p.cfg.flags |= WEIR_WS_MANUAL_PONG;
    if (flags != NULL && strstr(flags, "no_utf8") != NULL)
        p.cfg.flags |= WEIR_WS_NO_UTF8;
    p.close = (uint16_t)key_number(v, "close", 0);
    p.late = vector_get(v, "drain") != NULL;
    p.end = vector_get(v, "end") != NULL;
    machine m = {peer_start, peer_feed, peer_finish, &p};
    char title[256];
    snprintf(title, sizeof title, "ws_%s.txt:%d: %s", role, v->line, v->title);
    if (!machine_agrees(&m, title, v->stream, v->len, v->expected))
        vectors_failed++;
}

static void test_vectors_server(void **state)
{
    (void)state;
    vectors_failed = 0;
    vectors_each("ws_server.txt", check_vector);
    assert_int_equal(vectors_failed, 0);
}

static void test_vectors_client(void **state)
{
    (void)state;
    vectors_failed = 0;
    vectors_each("ws_client.txt", check_vector);
    assert_int_equal(vectors_failed, 0);
}

/* ---- Rules that are counted --------------------------------------------------------------------- */

static const uint8_t some_key[4] = {0x37, 0xFA, 0x21, 0x3D};

/* Writes a frame with its length in the shortest form; returns its size. */
static size_t put_frame(uint8_t *dst, uint8_t first, bool masked, const void *payload, size_t len)
{
    const uint8_t *from = payload;
    uint8_t *at = dst;
    *at++ = first;
    *at = (uint8_t)(masked ? 0x80 : 0);
    if (len < 126) {
        *at++ |= (uint8_t)len;
    } else if (len < 65536) {
        *at++ |= 126;
        *at++ = (uint8_t)(len >> 8);
        *at++ = (uint8_t)len;
    } else {
        *at++ |= 127;
        for (unsigned i = 0; i < 8; i++)
            *at++ = (uint8_t)((uint64_t)len >> (56 - 8 * i));
    }
    if (masked) {
        memcpy(at, some_key, 4);
        at += 4;
    }
    for (size_t i = 0; i < len; i++)
        *at++ = (uint8_t)(from[i] ^ (masked ? some_key[i % 4] : 0));
    return (size_t)(at - dst);
}

static void server_init(weir_ws *ws)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    assert_int_equal(weir_ws_init(ws, &cfg), 0);
}

/* What RFC 6455 5.2 to 5.5 say about a frame's first byte. */
static bool first_byte_good(unsigned byte, bool in_message, int *err)
{
    unsigned opcode = byte & 15;
    bool control = opcode >= 8;
    *err = 0;
    if ((byte & 0x70) != 0)
        *err = WEIR_ERR_WS_RSV;
    else if ((opcode >= 3 && opcode <= 7) || opcode >= 11)
        *err = WEIR_ERR_WS_OPCODE;
    else if (control && (byte & 0x80) == 0)
        *err = WEIR_ERR_WS_CONTROL_FIN;
    else if (opcode == 0 && !in_message)
        *err = WEIR_ERR_WS_CONTINUATION;
    else if (!control && opcode != 0 && in_message)
        *err = WEIR_ERR_WS_INTERLEAVED;
    return *err == 0;
}

static void test_every_first_byte(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 512; i++) {
        weir_ws ws;
        weir_ws_event ev;
        uint64_t offset;
        int err;
        uint8_t stream[16];
        bool in_message = i >= 256;
        size_t before = in_message ? put_frame(stream, 0x02, true, "a", 1) : 0;
        stream[before] = (uint8_t)i;
        weir_in in = {stream, before + 1};
        server_init(&ws);
        if (in_message)
            assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_DATA);
        bool good = first_byte_good(i & 255, in_message, &err);
        int rv = weir_ws_next(&ws, &in, &ev);
        if (good) {
            assert_int_equal(rv, 0);
            continue;
        }
        assert_int_equal(rv, err);
        assert_int_equal(weir_ws_error(&ws, &offset), err);
        assert_int_equal(offset, before);
        weir_str out = weir_ws_out(&ws);
        assert_true(out.len >= 4 && out.ptr[0] == 0x88 && out.ptr[2] == 0x03 && out.ptr[3] == 0xEA);
    }
}

/* Reads one message that comes in a given number of reads; checks that it is what was sent. */
static void check_sizes(bool server, size_t len, size_t step)
{
    weir_ws ws;
    weir_ws_cfg cfg;
    weir_entropy entropy;
    weir_ws_event ev;
    uint32_t keys = 0;
    assert_int_equal(weir_entropy_init(&entropy, fill_counter, &keys), 0);
    weir_ws_cfg_init(&cfg, server ? WEIR_WS_SERVER : WEIR_WS_CLIENT);
    cfg.entropy = &entropy;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);

    uint8_t *payload = malloc(len + 1);
    uint8_t *stream = malloc(len + WEIR_WS_HEADER_MAX);
    assert_true(payload != NULL && stream != NULL);
    for (size_t i = 0; i < len; i++)
        payload[i] = (uint8_t)(i * 7 + i / 251);
    size_t size = put_frame(stream, 0x82, server, payload, len);
    size_t got = 0;
    bool last = false;
    for (size_t at = 0; at < size; at += step) {
        weir_in in = {stream + at, size - at < step ? size - at : step};
        while (weir_ws_next(&ws, &in, &ev) > 0) {
            assert_int_equal(ev.kind, WEIR_WS_DATA);
            assert_false(last);
            assert_true(ev.data.len <= len - got);
            if (ev.data.len != 0)
                assert_memory_equal(ev.data.ptr, payload + got, ev.data.len);
            got += ev.data.len;
            last = (ev.flags & WEIR_WS_LAST) != 0;
        }
        assert_int_equal(weir_ws_error(&ws, NULL), 0);
    }
    assert_true(last);
    assert_int_equal(got, len);
    free(payload);
    free(stream);
}

static void test_every_length_form(void **state)
{
    static const size_t sizes[] = {0, 1, 125, 126, 127, 128, 255, 256, 65535, 65536, 65537, 100003, 1u << 20};
    static const size_t steps[] = {1, 3, 4, 5, 8, 13, 64, 4096, SIZE_MAX / 2};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
            check_sizes(true, sizes[i], steps[k]);
            check_sizes(false, sizes[i], steps[k]);
        }
}

/* A plain reading of RFC 3629 4, one byte after another: the index of the first byte that no valid
 * text has there, or len. *whole says whether the text ends at a character's border. */
static size_t utf8_reference(const uint8_t *text, size_t len, bool *whole)
{
    size_t i = 0;
    while (i < len) {
        uint8_t lead = text[i];
        size_t more = lead < 0x80   ? 0
                      : lead < 0xC2 ? 9
                      : lead < 0xE0 ? 1
                      : lead < 0xF0 ? 2
                      : lead < 0xF5 ? 3
                                    : 9;
        if (more == 9)
            return i;
        uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        for (size_t k = 1; k <= more; k++, low = 0x80, high = 0xBF) {
            if (i + k == len) {
                *whole = false;
                return len;
            }
            if (text[i + k] < low || text[i + k] > high)
                return i + k;
        }
        i += more + 1;
    }
    *whole = true;
    return len;
}

static void check_text(const uint8_t *text, size_t len, size_t cut)
{
    weir_ws ws;
    weir_ws_event ev;
    uint8_t stream[64], got[64];
    size_t have = 0;
    bool whole = false, last = false;
    size_t good = utf8_reference(text, len, &whole);
    size_t size = put_frame(stream, 0x81, true, text, len);
    int rv = 0;
    server_init(&ws);
    for (unsigned part = 0; part < 2 && rv == 0; part++) {
        weir_in in = {part == 0 ? stream : stream + 6 + cut, part == 0 ? 6 + cut : size - 6 - cut};
        while ((rv = weir_ws_next(&ws, &in, &ev)) > 0) {
            memcpy(got + have, ev.data.ptr, ev.data.len);
            have += ev.data.len;
            last = (ev.flags & WEIR_WS_LAST) != 0;
        }
    }
    assert_int_equal(have, good);
    assert_memory_equal(got, text, good);
    assert_int_equal(last, good == len && whole);
    if (last) {
        assert_int_equal(rv, 0);
    } else {
        uint64_t offset;
        assert_int_equal(rv, WEIR_ERR_WS_UTF8);
        weir_ws_error(&ws, &offset);
        assert_int_equal(offset, 6 + (good < len ? good : len - 1));
    }
}

/* Every pair of first bytes, with followers from both sides of every border. */
static void test_utf8_borders(void **state)
{
    static const uint8_t third[] = {0x00, 0x7F, 0x80, 0x8F, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    (void)state;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (size_t c = 0; c < sizeof third; c++) {
                uint8_t text[6] = {(uint8_t)a, (uint8_t)b, third[c], third[(b + c) % sizeof third], 'x', 'y'};
                size_t len = 1 + (a + b + c) % 6;
                check_text(text, len, (a + b) % len);
            }
}

/* After an error nothing is taken back, nothing more is said, and the position stands. */
static void test_errors_stick(void **state)
{
    (void)state;
    weir_ws ws;
    weir_ws_event ev;
    uint64_t offset;
    uint8_t stream[64];
    uint8_t room[WEIR_WS_OUT_MAX];
    server_init(&ws);
    size_t size = put_frame(stream, 0x81, true, "ok", 2);
    size += put_frame(stream + size, 0x83, true, "no", 2);
    size += put_frame(stream + size, 0x81, true, "after", 5);
    weir_in in = {stream, size};
    assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_DATA);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_ERR_WS_OPCODE);
        assert_int_equal(ev.kind, WEIR_WS_NONE);
        assert_int_equal(weir_ws_error(&ws, &offset), WEIR_ERR_WS_OPCODE);
        assert_int_equal(offset, 8);
    }
    weir_out out = {room, sizeof room};
    assert_int_equal(weir_ws_out_put(&ws, &out), 0);
    assert_true(out.len < sizeof room);
    size = put_frame(stream, 0x89, true, "ping", 4);
    in = (weir_in){stream, size};
    assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_ERR_WS_OPCODE);
    assert_int_equal(weir_ws_out(&ws).len, 0);
}

static void test_offset_without_error(void **state)
{
    (void)state;
    weir_ws ws;
    weir_ws_event ev;
    uint64_t offset = 99;
    uint8_t stream[32];
    server_init(&ws);
    assert_int_equal(weir_ws_error(&ws, &offset), 0);
    assert_int_equal(offset, 0);
    size_t size = put_frame(stream, 0x81, true, "Hello", 5);
    for (size_t i = 0; i < size; i++) {
        weir_in in = {stream + i, 1};
        while (weir_ws_next(&ws, &in, &ev) > 0)
            continue;
        assert_int_equal(weir_ws_error(&ws, &offset), 0);
        assert_int_equal(offset, i + 1);
    }
}

/* The slices of DATA lie in the caller's bytes: nothing is copied. */
static void test_payload_in_place(void **state)
{
    (void)state;
    weir_ws ws;
    weir_ws_event ev;
    uint8_t stream[32];
    server_init(&ws);
    size_t size = put_frame(stream, 0x81, true, "Hello", 5);
    weir_in in = {stream, size};
    assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_DATA);
    assert_ptr_equal(ev.data.ptr, stream + 6);
    assert_int_equal(ev.flags, WEIR_WS_WHOLE | WEIR_WS_TEXT);
    assert_memory_equal(stream + 6, "Hello", 5);
    assert_int_equal(in.len, 0);
}

/* A text in one frame with a byte that cannot stand there: what is good before it is reported, with its
 * bytes, and the byte is named; unless nobody asked for the check. */
static void check_bad_byte(bool server, size_t len, size_t bad, uint32_t flags)
{
    weir_ws ws;
    weir_ws_event ev;
    weir_ws_cfg cfg;
    weir_entropy entropy;
    uint8_t text[1000], stream[1016];
    uint64_t offset;
    uint32_t keys = 0;
    weir_entropy_init(&entropy, fill_counter, &keys);
    weir_ws_cfg_init(&cfg, server ? WEIR_WS_SERVER : WEIR_WS_CLIENT);
    cfg.flags = flags;
    cfg.entropy = &entropy;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
    memset(text, 'a', len);
    text[bad] = 0xFF;
    size_t size = put_frame(stream, 0x81, server, text, len);
    weir_in in = {stream, size};
    bool checked = flags == 0;
    if (!checked || bad != 0) {
        assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_DATA);
        assert_int_equal(ev.flags, WEIR_WS_TEXT | (checked ? WEIR_WS_FIRST : WEIR_WS_WHOLE));
        assert_int_equal(ev.data.len, checked ? bad : len);
        assert_memory_equal(ev.data.ptr, text, ev.data.len);
    }
    assert_int_equal(weir_ws_next(&ws, &in, &ev), checked ? WEIR_ERR_WS_UTF8 : 0);
    weir_ws_error(&ws, &offset);
    assert_int_equal(offset, checked ? size - len + bad : size);
}

static void test_bad_byte(void **state)
{
    static const size_t lens[] = {1, 20, 125, 126, 129, 400, 1000};
    (void)state;
    for (unsigned i = 0; i < sizeof lens / sizeof *lens; i++)
        for (size_t bad = 0; bad < lens[i]; bad += 1 + lens[i] / 7)
            for (unsigned kind = 0; kind < 4; kind++)
                check_bad_byte(kind % 2 == 0, lens[i], bad, kind < 2 ? 0 : WEIR_WS_NO_UTF8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_server),
        cmocka_unit_test(test_vectors_client),
        cmocka_unit_test(test_every_first_byte),
        cmocka_unit_test(test_every_length_form),
        cmocka_unit_test(test_utf8_borders),
        cmocka_unit_test(test_errors_stick),
        cmocka_unit_test(test_offset_without_error),
        cmocka_unit_test(test_payload_in_place),
        cmocka_unit_test(test_bad_byte),
    };
    return cmocka_run_group_tests_name("ws_receive", tests, NULL, NULL);
}
