/* SPDX-License-Identifier: MIT */
/*
 * echo_peers.c - those who talk to ws_echo_server.
 *
 *   good   one to four messages of any size, then waits for all of them, compares each byte, thinks, and
 *          comes again; now and then says Close and comes back
 *   slow   has 256 KiB (some: 12 MiB) on the way to itself and reads 4 KiB five times a second; compares too
 *   rude   breaks one rule in each connection: the protocol, the shape of frames, the handshake; floods with
 *          Pings; sends half a frame and is gone; never answers. It must be answered with the right Close, or
 *          be rid of in time
 *   wild   sends bytes that mean nothing
 */
#include "soak.h"

#include <stdio.h>
#include <string.h>

/* ---- Messages that are known without being kept --------------------------------------------------- */

typedef struct message {
    uint8_t opcode;
    size_t len;
    const uint8_t *bytes;
} message;

static message message_of(const peer *p, uint32_t number)
{
    uint64_t x = (p->id + 1) * 0x9E3779B97F4A7C15u + number * 0xBF58476D1CE4E5B9u;
    x ^= x >> 29;
    x *= 0x94D049BB133111EBu;
    x ^= x >> 32;
    message m = {.opcode = (uint8_t)(1 + (x & 1))};
    size_t kind = x >> 1 & 63;
    m.len = kind == 0 ? 65536 + (x >> 8) % 1000 : kind < 4 ? (x >> 8) % 20000 : (x >> 8) % 200;
    if (p->is == &slow)
        m.len = 16384;
    m.bytes = (m.opcode == 1 ? words : noise) + (x >> 24) % (NOISE - m.len);
    return m;
}

static void send_next(peer *p)
{
    message m = message_of(p, p->sent);
    p->sent_at[p->sent++ % 8] = now_us();
    p->owed += m.len;
    size_t half = m.len > 1000 && p->is == &good ? m.len / 3 : m.len;
    peer_frame(p, (uint8_t)(m.opcode | (half == m.len ? 0x80 : 0)), m.bytes, half);
    if (half < m.len && p->fd >= 0)
        peer_frame(p, 0x80, m.bytes + half, m.len - half);
}

static void check_piece(peer *p, uint8_t opcode, const uint8_t *bytes, size_t len)
{
    message m = message_of(p, p->got);
    if (p->got == p->sent || opcode != m.opcode || p->in.len != m.len) {
        fault(p, "echo %u of %u: opcode %u, %llu bytes instead of %u, %zu", p->got, p->sent, opcode,
              (unsigned long long)p->in.len, m.opcode, m.len);
        peer_leave(p, true, 1000000);
        return;
    }
    if (len > 0 && memcmp(bytes, m.bytes + p->in.at, len) != 0) {
        fault(p, "echo %u differs at byte %llu", p->got, (unsigned long long)p->in.at);
        peer_leave(p, true, 1000000);
        return;
    }
    p->owed -= len;
    if (p->in.at + len < m.len)
        return;
    if (p->is == &good)
        times_add(&echo_times, now_us() - p->sent_at[p->got % 8]);
    p->got++;
    counts_of(p)->messages++;
}

static void lost(peer *p)
{
    counts_of(p)->lost++;
    fault(p, "the server ended the connection, %u of %u echoes came", p->got, p->sent);
    p->act_at = now_us() + 1000000;
}

/* ---- Good ----------------------------------------------------------------------------------------- */

enum { TALKING, CLOSING };

static void good_act(peer *p)
{
    p->act_at = UINT64_MAX;
    if (draw(p) % 200 == 0) {
        p->mode = CLOSING;
        peer_frame(p, 0x88, (const uint8_t *)"\x03\xE8", 2);
        return;
    }
    for (uint64_t n = draw(p) % 8 == 0 ? draw_in(p, 2, 4) : 1; n > 0; n--)
        send_next(p);
}

static void good_opened(peer *p)
{
    p->mode = TALKING;
    p->act_at = now_us() + draw_in(p, 0, 1000000);
}

static void good_heard(peer *p, const uint8_t *bytes, size_t len)
{
    uint32_t before = p->got;
    if (!peer_frames(p, bytes, len, check_piece)) {
        if (p->fd >= 0 && p->mode == TALKING)
            fault(p, "Close from the server");
        return;
    }
    if (p->got != before && p->got == p->sent)
        p->act_at = now_us() + draw_in(p, 100000, 900000);
}

static void good_ended(peer *p)
{
    if (p->mode != CLOSING)
        lost(p);
    else
        p->act_at = now_us() + 1000;
}

const manner good = {.name = "good",
                     .path = "/",
                     .opened = good_opened,
                     .act = good_act,
                     .heard = good_heard,
                     .ended = good_ended};

/* ---- Slow ----------------------------------------------------------------------------------------- */

/* Some of them send more than all queues on the way take: the server stops reading from them. */
enum { SLOW_OWED = 256 * 1024, MUCH_OWED = 12 * 1024 * 1024, SLOW_READ = 4096, SLOW_US = 200000 };

static void slow_act(peer *p)
{
    p->act_at = now_us() + SLOW_US;
    while (p->owed < (p->id % 25 == 0 ? MUCH_OWED : SLOW_OWED))
        send_next(p);
    peer_read(p, SLOW_READ);
}

static void slow_opened(peer *p)
{
    peer_listen(p, false);
    p->act_at = now_us() + draw_in(p, 0, SLOW_US);
}

static void slow_heard(peer *p, const uint8_t *bytes, size_t len)
{
    if (!peer_frames(p, bytes, len, check_piece) && p->fd >= 0)
        fault(p, "Close from the server");
}

const manner slow = {.name = "slow",
                     .path = "/",
                     .rcvbuf = 8192,
                     .opened = slow_opened,
                     .act = slow_act,
                     .heard = slow_heard,
                     .ended = lost};

/* ---- Rude ----------------------------------------------------------------------------------------- */

/* Bytes that break a rule, and the code of the Close that they are answered with. */
static const struct violation {
    unsigned code;
    size_t len;
    const char *bytes;
} violations[] = {
    {1002, 6, "\x83\x80\0\0\0\0"},                    /* an unknown opcode */
    {1002, 6, "\xC1\x80\0\0\0\0"},                    /* RSV1 without an extension */
    {1002, 2, "\x81\x00"},                            /* not masked */
    {1002, 6, "\x80\x80\0\0\0\0"},                    /* a continuation of nothing */
    {1002, 12, "\x01\x80\0\0\0\0\x81\x80\0\0\0\0"},   /* a message inside of a message */
    {1002, 6, "\x09\x80\0\0\0\0"},                    /* a Ping in fragments */
    {1002, 8, "\x89\xFE\0\x80\0\0\0\0"},              /* a Ping of 128 bytes */
    {1002, 8, "\x82\xFE\0\x05\0\0\0\0"},              /* a length that is not the shortest */
    {1002, 7, "\x88\x81\0\0\0\0\x03"},                /* a Close of one byte */
    {1002, 8, "\x88\x82\0\0\0\0\x03\xED"},            /* a Close with 1005 */
    {1007, 8, "\x81\x82\0\0\0\0\xC0\x80"},            /* not UTF-8 */
    {1007, 9, "\x81\x83\0\0\0\0\xED\xA0\x80"},        /* half a surrogate pair */
    {1009, 14, "\x82\xFF\0\0\0\x7F\0\0\0\0\0\0\0\0"}, /* 500 GiB */
};

enum {
    VIOLATIONS = sizeof violations / sizeof *violations,
    CUT = VIOLATIONS, /* half a frame, and is gone */
    CUT_RESET,
    FLOOD,  /* 2,000 Pings that it reads nothing of, and then all Pongs, in order */
    SILENT, /* answers nothing, not even Pings */
    MANNERS_OF_RUDE
};

enum { PINGS = 2000, ANSWER_US = 12000000 };

static void flood(peer *p)
{
    peer_listen(p, false);
    for (uint32_t i = 0; i < PINGS && p->fd >= 0; i++)
        peer_frame(p, 0x89, noise + i, 8);
    p->act_at = now_us() + 500000;
}

static void rude_opened(peer *p)
{
    p->mode = (unsigned)draw_in(p, 0, MANNERS_OF_RUDE - 1);
    if (p->mode == SILENT && draw(p) % 3 != 0)
        p->mode = CUT; /* that one takes long: not too many of them */
    p->act_at = now_us() + ANSWER_US;
    if (p->mode < VIOLATIONS)
        peer_put(p, violations[p->mode].bytes, violations[p->mode].len);
    else if (p->mode == FLOOD)
        flood(p);
    else if (p->mode == CUT || p->mode == CUT_RESET)
        peer_put(p, "\x82\xFE\x03\xE8\0\0\0\0 half of it", draw_in(p, 1, 18));
    if (p->mode == CUT || p->mode == CUT_RESET)
        p->act_at = now_us() + draw_in(p, 0, 1000000);
}

static void rude_act(peer *p)
{
    p->act_at = UINT64_MAX;
    if (p->mode == FLOOD && p->deaf) {
        peer_listen(p, true);
        p->act_at = now_us() + ANSWER_US;
        return;
    }
    if (p->mode == CUT || p->mode == CUT_RESET)
        counts_of(p)->messages++;
    else if (p->mode < VIOLATIONS)
        fault(p, "violation %u was not answered in 12 s", p->mode);
    else
        fault(p, p->mode == FLOOD ? "Pongs are missing" : "was not noticed in 12 s");
    peer_leave(p, p->mode == CUT_RESET, draw_in(p, 100000, 1500000));
}

/* The server's own Pings, which come when the machine is so busy that silence was seen, are passed over. */
static bool passes(peer *p, uint8_t byte)
{
    bool ping = p->owed != 0 || byte == 0x89;
    p->owed = ping && p->owed == 0;
    return ping;
}

/* All Pongs, in the order of the Pings. */
static void flood_heard(peer *p, const uint8_t *bytes, size_t len)
{
    for (; len > 0; bytes++, len--) {
        uint32_t number = p->got / 10, at = p->got % 10;
        uint8_t expected = at == 0 ? 0x8A : at == 1 ? 8 : noise[number + at - 2];
        if (at == 0 && passes(p, *bytes))
            continue;
        if (*bytes != expected) {
            fault(p, "Pong %u differs at byte %u: %02X instead of %02X", number, at, *bytes, expected);
            peer_leave(p, true, 1000000);
            return;
        }
        if (++p->got == PINGS * 10) {
            counts_of(p)->messages++;
            peer_leave(p, true, draw_in(p, 100000, 1500000));
            return;
        }
    }
}

/* A Close with the right code. */
static void violation_heard(peer *p, const uint8_t *bytes, size_t len)
{
    for (; p->got < 4 && len > 0; bytes++, len--)
        if (p->got != 0 || !passes(p, *bytes))
            p->line[p->got++] = (char)*bytes;
    if (p->got != 4)
        return;
    unsigned code = (unsigned)(uint8_t)p->line[2] << 8 | (uint8_t)p->line[3];
    if ((uint8_t)p->line[0] != 0x88 || code != violations[p->mode].code)
        fault(p, "violation %u: %02X with code %u instead of a Close with %u", p->mode, (uint8_t)p->line[0],
              code, violations[p->mode].code);
    p->got = 5; /* once */
}

static void rude_heard(peer *p, const uint8_t *bytes, size_t len)
{
    if (p->mode == FLOOD)
        flood_heard(p, bytes, len);
    else if (p->mode < VIOLATIONS)
        violation_heard(p, bytes, len);
}

static void rude_ended(peer *p)
{
    if (p->mode == SILENT || (p->mode < VIOLATIONS && p->got == 5))
        counts_of(p)->messages++;
    else
        fault(p, "ended without an answer, in mode %u", p->mode);
    p->act_at = now_us() + draw_in(p, 100000, 1500000);
}

const manner rude = {.name = "rude",
                     .path = "/",
                     .opened = rude_opened,
                     .act = rude_act,
                     .heard = rude_heard,
                     .ended = rude_ended};

/* ---- Wild ----------------------------------------------------------------------------------------- */

/* Bytes of all sorts, with and without a handshake before them, for as long as the server bears it. */
static void wild_opened(peer *p)
{
    static const char handshake[] =
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    p->mode = (unsigned)draw_in(p, 0, 3);
    if (p->mode == 0)
        peer_put(p, handshake, (size_t)draw_in(p, 1, sizeof handshake - 2));
    else if (p->mode > 1)
        peer_put(p, handshake, sizeof handshake - 1);
    p->act_at = now_us() + draw_in(p, 0, 300000);
}

static void wild_act(peer *p)
{
    p->act_at = now_us() + draw_in(p, 0, 300000);
    if (p->sent++ > 8 || p->out_len > 100000) {
        peer_leave(p, draw(p) % 2 == 0, draw_in(p, 100000, 1500000));
        counts_of(p)->messages++;
        return;
    }
    size_t len = (size_t)draw_in(p, 1, 3000);
    const uint8_t *bytes = noise + draw(p) % (NOISE - len);
    if (p->mode == 3 && draw(p) % 4 != 0)
        peer_frame(p, (uint8_t)(0x80 | (1 + draw(p) % 2)), words + draw(p) % (NOISE - len), len);
    else
        peer_put(p, bytes, len);
}

static void wild_ended(peer *p)
{
    counts_of(p)->messages++;
    p->act_at = now_us() + draw_in(p, 100000, 1500000);
}

const manner wild = {.name = "wild", .opened = wild_opened, .act = wild_act, .ended = wild_ended};
