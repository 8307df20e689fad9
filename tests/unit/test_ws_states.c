/* SPDX-License-Identifier: MIT */
/* test_ws_states.c - from each state of a connection, each thing that can happen: one table, run in both
 * roles, under every cut of the input and four ways of writing the output. */
#include "check.h"
#include "harness.h"
#include "weir/pulse.h"
#include "weir/ws.h"

#include <stdio.h>

/* FRAGMENT_OUT stands between two frames of our message, FRAME_OUT inside one. */
enum { OPEN, FRAGMENT_IN, FRAGMENT_OUT, FRAME_OUT, CLOSE_SENT, CLOSE_RECEIVED, STATES };
enum { PEER_CLOSE, PING, DATA, END, GARBAGE, TICK, EVENTS };
static const char *const state_names[] = {"open",       "fragment in", "fragment out",
                                          "inside out", "close sent",  "close received"};
static const char *const event_names[] = {"Close", "Ping", "data", "end", "garbage", "tick"};

/* What a frame's payload is masked with, always the same, so that the table can give exact bytes. */
static const uint8_t mask[4] = {0x37, 0xFA, 0x21, 0x3D};

/* The spans of the virtual clock in milliseconds; the handshake is done at 0. */
static const weir_pulse_cfg spans = {.open_ms = 10000, .beat_ms = 30000, .grace_ms = 20000, .close_ms = 5000};
enum { CLOSED_AT = 100, HEARD_AT = 200 };

/* ---- The table ---------------------------------------------------------------------------------- */

typedef struct cell {
    int state, event;
    const char *said; /* what is reported, in order; ticks with their time */
    weir_str out;     /* what a server writes; a client the same, masked */
    unsigned sent, received;
    weir_ws_side first;
    bool clean;
    weir_ws_todo server, client; /* what to do with the transport when all is written */
    bool may_send;               /* may our next data frame begin, or a Ping or Pong be queued? */
} cell;

/* clang-format off */
#define OUT(literal) {(const uint8_t *)("" literal), sizeof(literal) - 1}
#define NOTHING {NULL, 0}
#define NOBODY WEIR_WS_NOBODY
#define LOCAL WEIR_WS_LOCAL
#define PEER WEIR_WS_PEER
#define ON WEIR_WS_CARRY_ON
#define WAIT WEIR_WS_WAIT_PEER
#define SHUT WEIR_WS_SHUTDOWN_WRITE
#define NOW WEIR_WS_CLOSE_NOW

#define ECHO OUT("\x88\x02\x0F\xA0")
#define PONG OUT("\x8A\x04ping")
#define BEAT OUT("\x89\x00")
#define FAIL OUT("\x88\x12\x03\xEAreserved bit set")

#define S_CLOSE "close 4000 \"why\"\n"
#define S_PING "ping \"ping\"\n"
#define S_DATA "first\nbinary \"data\"\nlast\n"
#define S_REST "text \"data\"\nlast\n"
#define S_1006 "end 1006 \"\"\n"
#define S_FAIL "error WEIR_ERR_WS_RSV at 0\n"
#define S_LOST "30000 beat\n50000 lost\n" S_1006
#define S_LATE "5100 unclosed\n"

static const cell cells[] = {
    {OPEN,           PEER_CLOSE, S_CLOSE,       ECHO,    4000, 4000, PEER,   true,  SHUT, WAIT, false},
    {OPEN,           PING,       S_PING,        PONG,       0,    0, NOBODY, false, ON,   ON,   true},
    {OPEN,           DATA,       S_DATA,        NOTHING,    0,    0, NOBODY, false, ON,   ON,   true},
    {OPEN,           END,        S_1006,        NOTHING,    0, 1006, NOBODY, false, NOW,  NOW,  false},
    {OPEN,           GARBAGE,    S_FAIL,        FAIL,    1002,    0, LOCAL,  false, SHUT, SHUT, false},
    {OPEN,           TICK,       S_LOST,        BEAT,       0, 1006, NOBODY, false, NOW,  NOW,  false},

    {FRAGMENT_IN,    PEER_CLOSE, S_CLOSE,       ECHO,    4000, 4000, PEER,   true,  SHUT, WAIT, false},
    {FRAGMENT_IN,    PING,       S_PING,        PONG,       0,    0, NOBODY, false, ON,   ON,   true},
    {FRAGMENT_IN,    DATA,       S_REST,        NOTHING,    0,    0, NOBODY, false, ON,   ON,   true},
    {FRAGMENT_IN,    END,        S_1006,        NOTHING,    0, 1006, NOBODY, false, NOW,  NOW,  false},
    {FRAGMENT_IN,    GARBAGE,    S_FAIL,        FAIL,    1002,    0, LOCAL,  false, SHUT, SHUT, false},
    {FRAGMENT_IN,    TICK,       S_LOST,        BEAT,       0, 1006, NOBODY, false, NOW,  NOW,  false},

    {FRAGMENT_OUT,   PEER_CLOSE, S_CLOSE,       ECHO,    4000, 4000, PEER,   true,  SHUT, WAIT, false},
    {FRAGMENT_OUT,   PING,       S_PING,        PONG,       0,    0, NOBODY, false, ON,   ON,   true},
    {FRAGMENT_OUT,   DATA,       S_DATA,        NOTHING,    0,    0, NOBODY, false, ON,   ON,   true},
    {FRAGMENT_OUT,   END,        S_1006,        NOTHING,    0, 1006, NOBODY, false, NOW,  NOW,  false},
    {FRAGMENT_OUT,   GARBAGE,    S_FAIL,        FAIL,    1002,    0, LOCAL,  false, SHUT, SHUT, false},
    {FRAGMENT_OUT,   TICK,       S_LOST,        BEAT,       0, 1006, NOBODY, false, NOW,  NOW,  false},

    {FRAME_OUT,      PEER_CLOSE, S_CLOSE,       ECHO,    4000, 4000, PEER,   true,  SHUT, WAIT, false},
    {FRAME_OUT,      PING,       S_PING,        PONG,       0,    0, NOBODY, false, ON,   ON,   true},
    {FRAME_OUT,      DATA,       S_DATA,        NOTHING,    0,    0, NOBODY, false, ON,   ON,   true},
    {FRAME_OUT,      END,        S_1006,        NOTHING,    0, 1006, NOBODY, false, NOW,  NOW,  false},
    {FRAME_OUT,      GARBAGE,    S_FAIL,        FAIL,    1002,    0, LOCAL,  false, SHUT, SHUT, false},
    {FRAME_OUT,      TICK,       S_LOST,        BEAT,       0, 1006, NOBODY, false, NOW,  NOW,  false},

    /* Our Close has the code 1001. Data still arrives, Pings are still answered (RFC 6455 5.5.1, 5.5.2). */
    {CLOSE_SENT,     PEER_CLOSE, S_CLOSE,       NOTHING, 1001, 4000, LOCAL,  true,  SHUT, WAIT, false},
    {CLOSE_SENT,     PING,       S_PING,        PONG,    1001,    0, LOCAL,  false, WAIT, WAIT, false},
    {CLOSE_SENT,     DATA,       S_DATA,        NOTHING, 1001,    0, LOCAL,  false, WAIT, WAIT, false},
    {CLOSE_SENT,     END,        S_1006,        NOTHING, 1001, 1006, LOCAL,  false, NOW,  NOW,  false},
    {CLOSE_SENT,     GARBAGE,    S_FAIL,        NOTHING, 1001,    0, LOCAL,  false, SHUT, SHUT, false},
    {CLOSE_SENT,     TICK,       S_LATE S_1006, NOTHING, 1001, 1006, LOCAL,  false, NOW,  NOW,  false},

    /* The peer's Close had the code 1000 and the reason "bye"; what follows it is dropped unread. */
    {CLOSE_RECEIVED, PEER_CLOSE, "",            NOTHING, 1000, 1000, PEER,   true,  SHUT, WAIT, false},
    {CLOSE_RECEIVED, PING,       "",            NOTHING, 1000, 1000, PEER,   true,  SHUT, WAIT, false},
    {CLOSE_RECEIVED, DATA,       "",            NOTHING, 1000, 1000, PEER,   true,  SHUT, WAIT, false},
    {CLOSE_RECEIVED, END,        "end 1000 \"bye\"\n",
                                                NOTHING, 1000, 1000, PEER,   true,  NOW,  NOW,  false},
    {CLOSE_RECEIVED, GARBAGE,    "",            NOTHING, 1000, 1000, PEER,   true,  SHUT, WAIT, false},
    {CLOSE_RECEIVED, TICK,       S_LATE "end 1000 \"bye\"\n",
                                                NOTHING, 1000, 1000, PEER,   true,  NOW,  NOW,  false},
};
/* clang-format on */

/* ---- A connection in one of the states ---------------------------------------------------------- */

/* How what waits is written: all at once behind each event; one byte after another behind each event; one
 * byte for each piece of input; not before the input's end. */
enum { PROMPT, BYTEWISE, SLOW, LATE, WRITERS };
static const char *const writer_names[] = {"prompt", "byte by byte", "slow", "late"};

typedef struct run {
    const cell *c;
    bool client;
    int writer;
    weir_ws ws;
    weir_entropy entropy;
    weir_pulse pulse;
    uint64_t began; /* stream position when the state was reached */
    bool failed;
    uint8_t wire[WEIR_WS_OUT_MAX];
    size_t wire_len;
} run;

static int fill_mask(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        dst[i] = mask[i % 4];
    return 0;
}

/* A frame as the peer of `client` sends it; returns its size. */
static size_t put_frame(uint8_t *dst, bool client, uint8_t first, const char *payload, size_t len)
{
    size_t key = client ? 0 : 4;
    dst[0] = first;
    dst[1] = (uint8_t)(len | (client ? 0 : 0x80));
    memcpy(dst + 2, mask, key);
    for (size_t i = 0; i < len; i++)
        dst[2 + key + i] = (uint8_t)((uint8_t)payload[i] ^ (client ? 0 : mask[i % 4]));
    return 2 + key + len;
}

static int run_hear(run *r, uint8_t first, const char *payload, size_t len)
{
    uint8_t bytes[64];
    weir_in in = {bytes, put_frame(bytes, r->client, first, payload, len)};
    weir_ws_event ev;
    return weir_ws_next(&r->ws, &in, &ev);
}

static void run_enter(run *r)
{
    uint8_t room[64];
    weir_out out = {room, sizeof room};
    size_t header_len;
    switch (r->c->state) {
    case FRAGMENT_IN:
        assert_int_equal(run_hear(r, 0x01, "begun ", 6), WEIR_WS_DATA);
        break;
    case FRAGMENT_OUT:
        assert_int_equal(weir_ws_send(&r->ws, &out, WEIR_WS_FIRST, weir_cstr("begun")), 0);
        break;
    case FRAME_OUT:
        assert_int_equal(weir_ws_begin(&r->ws, WEIR_WS_FIRST, 5, room, &header_len), 0);
        assert_int_equal(weir_ws_payload(&r->ws, room, weir_cstr("be")), 0);
        break;
    case CLOSE_SENT:
        assert_int_equal(weir_ws_close(&r->ws, 1001, weir_cstr("")), 0);
        weir_pulse_closing(&r->pulse, CLOSED_AT);
        break;
    case CLOSE_RECEIVED:
        assert_int_equal(run_hear(r, 0x88,
                                  "\x03\xE8"
                                  "bye",
                                  5),
                         WEIR_WS_CLOSE);
        weir_pulse_closing(&r->pulse, CLOSED_AT);
        break;
    default:
        break;
    }
    weir_ws_out_ack(&r->ws, SIZE_MAX);
    assert_int_equal(weir_ws_out(&r->ws).len, 0);
    weir_ws_error(&r->ws, &r->began);
}

static void run_start(void *self)
{
    run *r = self;
    weir_ws_cfg cfg;
    memset(&r->ws, 0xDD, sizeof r->ws);
    r->failed = false;
    r->wire_len = 0;
    assert_int_equal(weir_entropy_init(&r->entropy, fill_mask, NULL), 0);
    weir_ws_cfg_init(&cfg, r->client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.entropy = &r->entropy;
    assert_int_equal(weir_ws_init(&r->ws, &cfg), 0);
    weir_pulse_init(&r->pulse, &spans, 0);
    weir_pulse_opened(&r->pulse, 0);
    run_enter(r);
}

/* Writes at most `most` bytes, `step` of them at a time. While any wait there is something to do. */
static void run_write(run *r, size_t most, size_t step)
{
    while (most != 0 && weir_ws_out(&r->ws).len != 0) {
        weir_str out = weir_ws_out(&r->ws);
        size_t n = out.len < step ? out.len : step;
        assert_int_equal(weir_ws_transport(&r->ws), WEIR_WS_CARRY_ON);
        assert_true(r->wire_len + n <= sizeof r->wire);
        memcpy(r->wire + r->wire_len, out.ptr, n);
        r->wire_len += n;
        weir_ws_out_ack(&r->ws, n);
        most -= n < most ? n : most;
    }
}

static void run_write_events(run *r)
{
    if (r->writer == PROMPT)
        run_write(r, SIZE_MAX, SIZE_MAX);
    else if (r->writer == BYTEWISE)
        run_write(r, SIZE_MAX, 1);
}

static void log_event(const weir_ws_event *ev, log *l)
{
    static const char *const names[] = {"none", "data", "ping", "pong", "close", "end"};
    const char *data = log_quote(ev->data.ptr != NULL ? ev->data.ptr : (const uint8_t *)"", ev->data.len);
    if (ev->kind == WEIR_WS_CLOSE || ev->kind == WEIR_WS_END) {
        log_line(l, "%s %u %s", names[ev->kind], (unsigned)ev->code, data);
    } else if (ev->kind != WEIR_WS_DATA) {
        log_line(l, "%s %s", names[ev->kind], data);
    } else {
        if ((ev->flags & WEIR_WS_FIRST) != 0)
            log_line(l, "first");
        log_bytes(l, (ev->flags & WEIR_WS_TEXT) != 0 ? "text" : "binary", ev->data.ptr, ev->data.len);
        if ((ev->flags & WEIR_WS_LAST) != 0)
            log_line(l, "last");
    }
}

static void run_feed(void *self, uint8_t *bytes, size_t len, log *l)
{
    run *r = self;
    weir_in in = {bytes, len};
    weir_ws_event ev;
    int rv;
    if (len != 0)
        weir_pulse_alive(&r->pulse, HEARD_AT);
    while ((rv = weir_ws_next(&r->ws, &in, &ev)) > 0) {
        log_event(&ev, l);
        run_write_events(r);
    }
    if (rv < 0 && !r->failed) {
        uint64_t offset;
        r->failed = true;
        assert_int_equal(weir_ws_error(&r->ws, &offset), rv);
        log_line(l, "error %s at %u", weir_err_lookup(rv)->name, (unsigned)(offset - r->began));
    }
    run_write_events(r);
    if (r->writer == SLOW)
        run_write(r, 1, 1);
}

/* The rest of the frame begun: until then nothing else may leave. */
static void run_end_frame(run *r)
{
    uint8_t room[8];
    if (r->c->state != FRAME_OUT)
        return;
    assert_int_equal(weir_ws_out(&r->ws).len, 0);
    assert_int_equal(r->wire_len, 0);
    assert_int_equal(weir_ws_payload(&r->ws, room, weir_cstr("gun")), 0);
}

static void run_eof(run *r, log *l)
{
    weir_ws_event ev;
    assert_int_equal(weir_ws_eof(&r->ws, &ev), WEIR_WS_END);
    log_event(&ev, l);
    assert_int_equal(weir_ws_eof(&r->ws, &ev), 0);
}

/* Nothing comes from the peer any more: the clock goes from deadline to deadline, and each is answered as
 * weir/pulse.h says. */
static void run_ticks(run *r, log *l)
{
    static const char *const dues[] = {"none", "beat", "unopened", "lost", "unclosed"};
    for (;;) {
        uint64_t when = weir_pulse_deadline(&r->pulse);
        assert_true(when != WEIR_NEVER && when < 1000000);
        assert_int_equal(weir_pulse_poll(&r->pulse, when - 1), WEIR_PULSE_NONE);
        weir_pulse_due due = weir_pulse_poll(&r->pulse, when);
        log_line(l, "%u %s", (unsigned)when, dues[due]);
        if (due != WEIR_PULSE_BEAT)
            break;
        assert_int_equal(weir_ws_ping(&r->ws, weir_cstr("")), 0);
        run_end_frame(r);
        run_write(r, SIZE_MAX, r->writer == BYTEWISE ? 1 : SIZE_MAX);
    }
    run_eof(r, l);
}

static void log_end(log *l, const weir_ws_closing *closing, weir_ws_todo todo)
{
    static const char *const sides[] = {"nobody", "local", "peer"};
    static const char *const todos[] = {"carry on", "wait for the peer", "shut down writing", "close now"};
    log_line(l, "sent %u received %u first %s, %s, %s", (unsigned)closing->sent, (unsigned)closing->received,
             sides[closing->first], closing->clean ? "clean" : "not clean", todos[todo]);
}

static void run_finish(void *self, log *l)
{
    run *r = self;
    weir_ws_closing closing;
    uint8_t room[64];
    weir_out out = {room, sizeof room};
    bool in_message = r->c->state == FRAGMENT_OUT || r->c->state == FRAME_OUT;
    if (r->c->event == END)
        run_eof(r, l);
    if (r->c->event == TICK)
        run_ticks(r, l);
    else
        run_end_frame(r);
    run_write(r, SIZE_MAX, r->writer == PROMPT ? SIZE_MAX : 1);
    log_bytes(l, "out", r->wire, r->wire_len);
    weir_ws_closing_read(&r->ws, &closing);
    log_end(l, &closing, weir_ws_transport(&r->ws));
    weir_ws copy = r->ws;
    int ping = weir_ws_ping(&copy, weir_cstr("")), pong = weir_ws_pong(&copy, weir_cstr(""));
    int rv = weir_ws_send(&r->ws, &out, in_message ? WEIR_WS_LAST : WEIR_WS_WHOLE, weir_cstr("next"));
    assert_true(rv == 0 || rv == WEIR_ERR_STATE);
    assert_int_equal(ping, rv);
    /* Behind our own Close Pings are still answered. */
    bool answers = weir_ws_error(&r->ws, NULL) == 0 && closing.received == 0 && r->c->event != END;
    assert_true(pong == 0 ? rv == 0 || answers : pong == WEIR_ERR_STATE && !answers);
    log_line(l, rv == 0 ? "may send" : "may not send");
    if (r->c->event != END && r->c->event != TICK) {
        weir_ws_event ev;
        assert_int_equal(weir_ws_eof(&r->ws, &ev), WEIR_WS_END);
        assert_int_equal(ev.code, r->c->received != 0 ? r->c->received : 1006);
        assert_int_equal(weir_ws_transport(&r->ws), WEIR_WS_CLOSE_NOW);
    }
}

/* ---- Running the table --------------------------------------------------------------------------- */

static size_t put_stream(uint8_t *dst, const cell *c, bool client)
{
    switch (c->event) {
    case PEER_CLOSE:
        return put_frame(dst, client, 0x88, "\x0F\xA0why", 5);
    case PING:
        return put_frame(dst, client, 0x89, "ping", 4);
    case DATA:
        return put_frame(dst, client, c->state == FRAGMENT_IN ? 0x80 : 0x82, "data", 4);
    case GARBAGE:
        return put_frame(dst, client, 0xFF, "garbage", 7);
    default:
        return 0;
    }
}

/* What the cell says, as the log that the run must write. */
static void put_expected(log *l, const cell *c, bool client)
{
    uint8_t out[64];
    size_t len = 0;
    weir_ws_closing closing = {(uint16_t)c->sent, (uint16_t)c->received, {NULL, 0}, c->first, c->clean};
    if (c->out.len != 0 && client) {
        len = put_frame(out, false, c->out.ptr[0], (const char *)c->out.ptr + 2, c->out.len - 2);
    } else if (c->out.len != 0) {
        len = c->out.len;
        memcpy(out, c->out.ptr, len);
    }
    log_bytes(l, "out", out, len);
    log_end(l, &closing, client ? c->client : c->server);
    log_line(l, c->may_send ? "may send" : "may not send");
}

static void check_cell(const cell *c, bool client, int writer)
{
    char title[100], expected[512];
    uint8_t stream[64];
    run r = {.c = c, .client = client, .writer = writer};
    machine m = {run_start, run_feed, run_finish, &r};
    log *l = log_new();
    put_expected(l, c, client);
    snprintf(expected, sizeof expected, "%s%s", c->said, log_text(l));
    snprintf(title, sizeof title, "%s, then %s: %s, written %s", state_names[c->state], event_names[c->event],
             client ? "client" : "server", writer_names[writer]);
    machine_check(&m, title, stream, put_stream(stream, c, client), expected);
    log_free(l);
}

static void check_cells(int writer)
{
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        check_cell(&cells[i], false, writer);
        check_cell(&cells[i], true, writer);
    }
}

static void test_the_table_is_whole(void **state)
{
    (void)state;
    assert_int_equal(sizeof cells / sizeof *cells, STATES * EVENTS);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_int_equal(cells[i].state * EVENTS + cells[i].event, i);
}

static void test_written_at_once(void **state)
{
    (void)state;
    check_cells(PROMPT);
}

static void test_written_byte_by_byte(void **state)
{
    (void)state;
    check_cells(BYTEWISE);
}

static void test_written_slowly(void **state)
{
    (void)state;
    check_cells(SLOW);
}

static void test_written_late(void **state)
{
    (void)state;
    check_cells(LATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_is_whole),   cmocka_unit_test(test_written_at_once),
        cmocka_unit_test(test_written_byte_by_byte), cmocka_unit_test(test_written_slowly),
        cmocka_unit_test(test_written_late),
    };
    return cmocka_run_group_tests_name("ws_states", tests, NULL, NULL);
}
