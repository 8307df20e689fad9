/* SPDX-License-Identifier: MIT */
/*
 * room.c - the live room: one program, one room.
 *
 * What a member says is encoded once (common/prepared.c: once plain, and once for each window size of
 * permessage-deflate) and queued for everybody. Nobody waits for anybody: a member that does not read is
 * dropped when QUEUE_LIMIT bytes wait for it, and that costs the others nothing. Nor can one who writes
 * fast, or who compresses much into little, flood the others: TURN_MAX is heard of it, then it is the
 * others' turn. A member is asked after BEAT_MS of silence and lost GRACE_MS later, so that one whose
 * machine has vanished is noticed within ten seconds; one whose TCP ends is noticed at once.
 *
 * A member leaves the list when its end is certain (its Close, the end of its input, a violation, no
 * answer), which is often well before its connection is gone.
 */
#include "room.h"

#include "../common/deflate.h"
#include "../common/prepared.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_MAX = 8 * 1024,
    NAME_MAX_BYTES = 40,
    STEM_MAX = 32, /* a name that gets a number is cut to this first */
    NAMESAKES_MAX = 1000,
    READ_HIGH = 64 * 1024,
    QUEUE_LIMIT = 256 * 1024,
    TURN_MAX = 32 * 1024,
    BEAT_MS = 5000,
    GRACE_MS = 4000,
    CLOSE_MS = 5000
};

typedef struct member {
    conn *c;
    weir_ws ws;
    weir_deflate *deflate; /* NULL: not agreed on */
    unsigned bits;         /* the window for what it gets, 0 without compression */
    weir_pulse pulse;
    weir_ws_joiner joiner;
    bool joined;   /* is in the list */
    bool expelled; /* nothing it says counts any more */
    size_t name_len;
    char name[NAME_MAX_BYTES + 1];
    uint8_t text[MESSAGE_MAX]; /* a message that comes in pieces */
} member;

static struct {
    member **list;
    size_t count;
    size_t cap;
} room;

/* ---- Writing JSON ------------------------------------------------------------------------------- */

typedef struct note {
    buffer *text;
    bool failed; /* no memory */
} note;

static void note_text(note *n, const char *text)
{
    n->failed |= !buffer_put(&n->text, text, strlen(text));
}

static void note_string(note *n, const char *text, size_t len)
{
    size_t size = json_string(NULL, 0, text, len);
    uint8_t *to = buffer_room(&n->text, size);
    n->failed |= to == NULL;
    if (to == NULL)
        return;
    json_string((char *)to, size, text, len);
    buffer_added(n->text, size);
}

static void note_number(note *n, size_t number)
{
    char digits[24] = {0};
    size_t at = sizeof digits - 1;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    note_text(n, digits + at);
}

/* {"type":"...","name":"..." and then whatever follows. */
static void note_about(note *n, const char *type, const member *m)
{
    note_text(n, "{\"type\":\"");
    note_text(n, type);
    note_text(n, "\",\"name\":");
    note_string(n, m->name, m->name_len);
}

/* ---- Sending ------------------------------------------------------------------------------------ */

static weir_str note_bytes(const note *n)
{
    return (weir_str){n->text->bytes + n->text->pos, buffer_size(n->text)};
}

/* To one member. The note is used up. */
static void tell(member *m, note *n)
{
    if (!n->failed) {
        weir_str data = note_bytes(n);
        weir_out out = conn_room(m->c, weir_ws_send_size(&m->ws, data.len));
        weir_ws_send(&m->ws, &out, WEIR_WS_WHOLE | WEIR_WS_TEXT, data);
        conn_wrote(m->c, out);
    }
    buffer_free(&n->text);
}

/* To all members but one (or none): one encoding for all. The note is used up. */
static void tell_all(const member *except, note *n)
{
    if (!n->failed) {
        prepared p = {.flags = WEIR_WS_TEXT, .data = note_bytes(n)};
        for (size_t i = 0; i < room.count; i++) {
            member *m = room.list[i];
            weir_str bytes;
            if (m != except && prepared_for(&p, &m->ws, m->bits, &bytes))
                conn_write(m->c, bytes.ptr, bytes.len);
        }
        prepared_free(&p);
    }
    buffer_free(&n->text);
}

static void complain(member *m, const char *text)
{
    note n = {0};
    note_text(&n, "{\"type\":\"error\",\"text\":");
    note_string(&n, text, strlen(text));
    note_text(&n, "}");
    tell(m, &n);
}

/* ---- Names -------------------------------------------------------------------------------------- */

/* The longest beginning of whole characters with at most `max` bytes. */
static size_t cut(const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

/* Control bytes become spaces, spaces at the ends go, and what is too long. Returns the length. */
static size_t clean(char *name, size_t len)
{
    size_t from = 0;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7F)
            name[i] = ' ';
    while (from < len && name[from] == ' ')
        from++;
    memmove(name, name + from, len - from);
    len = cut(name, len - from, NAME_MAX_BYTES);
    while (len > 0 && name[len - 1] == ' ')
        len--;
    return len;
}

/* The number behind "stem " in a name: 1 for the stem itself, 0 if it is another name. */
static unsigned namesake_number(const member *m, const char *stem, size_t len)
{
    unsigned number = 0;
    if (m->name_len < len || memcmp(m->name, stem, len) != 0)
        return 0;
    if (m->name_len == len)
        return 1;
    if (m->name[len] != ' ' || m->name[len + 1] == '0')
        return 0;
    for (size_t i = len + 1; i < m->name_len; i++) {
        if (m->name[i] < '0' || m->name[i] > '9' || number >= NAMESAKES_MAX)
            return 0;
        number = number * 10 + (unsigned)(m->name[i] - '0');
    }
    return number;
}

/* Looks for the least free number in one walk. Returns it: 1 for none; 0 if all are taken. */
static unsigned free_number(const char *stem, size_t len)
{
    bool taken[NAMESAKES_MAX] = {false};
    for (size_t i = 0; i < room.count; i++) {
        unsigned number = namesake_number(room.list[i], stem, len);
        if (number < NAMESAKES_MAX)
            taken[number] = true;
    }
    for (unsigned number = 1; number < NAMESAKES_MAX; number++)
        if (!taken[number])
            return number;
    return 0;
}

/* Gives the member this name, or one with a number behind it. False if it cannot have one. */
static bool name_member(member *m, char *name, size_t len)
{
    len = clean(name, len);
    unsigned number = len > 0 ? free_number(name, len) : 0;
    if (number > 1) {
        len = clean(name, cut(name, len, STEM_MAX));
        number = free_number(name, len);
    }
    if (number == 0)
        return false;
    memcpy(m->name, name, len);
    if (number > 1) {
        char digits[] = {' ', (char)('0' + number / 100), (char)('0' + number / 10 % 10),
                         (char)('0' + number % 10)};
        size_t zeros = number < 10 ? 2 : number < 100 ? 1 : 0;
        m->name[len++] = ' ';
        memcpy(m->name + len, digits + 1 + zeros, 3 - zeros);
        len += 3 - zeros;
    }
    m->name_len = len;
    m->name[len] = '\0';
    return true;
}

/* ---- Coming, going, speaking -------------------------------------------------------------------- */

static void join(member *m, char *name, size_t len)
{
    if (m->joined || !name_member(m, name, len)) {
        complain(m, m->joined ? "You have joined already." : "Please choose another name.");
        return;
    }
    if (room.count == room.cap) {
        size_t cap = room.cap * 2 + 16;
        member **list = realloc(room.list, cap * sizeof *list);
        if (list == NULL) {
            conn_abort(m->c);
            return;
        }
        room.list = list;
        room.cap = cap;
    }
    room.list[room.count++] = m;
    m->joined = true;

    note welcome = {0};
    note_about(&welcome, "welcome", m);
    for (size_t i = 0; i < room.count; i++) {
        note_text(&welcome, i == 0 ? ",\"online\":[" : ",");
        note_string(&welcome, room.list[i]->name, room.list[i]->name_len);
    }
    note_text(&welcome, "]}");
    tell(m, &welcome);

    note news = {0};
    note_about(&news, "join", m);
    note_text(&news, ",\"online\":");
    note_number(&news, room.count);
    note_text(&news, "}");
    tell_all(m, &news);
}

/* Nothing happens the second time: the first reason to leave is the one that is told. */
static void leave(member *m, const char *why)
{
    if (!m->joined)
        return;
    m->joined = false;
    for (size_t i = 0; i < room.count; i++) {
        if (room.list[i] == m) {
            memmove(room.list + i, room.list + i + 1, (room.count - i - 1) * sizeof *room.list);
            room.count--;
            break;
        }
    }
    note n = {0};
    note_about(&n, "leave", m);
    note_text(&n, ",\"online\":");
    note_number(&n, room.count);
    note_text(&n, ",\"why\":\"");
    note_text(&n, why);
    note_text(&n, "\"}");
    tell_all(NULL, &n);
}

static void obey(member *m, weir_str message)
{
    char text[MESSAGE_MAX + 1];
    const char *json = (const char *)message.ptr;
    size_t len;
    if (json_member(json, message.len, "join", text, sizeof text, &len)) {
        join(m, text, len);
    } else if (!json_member(json, message.len, "say", text, sizeof text, &len)) {
        complain(m, "Expected {\"join\":\"name\"} or {\"say\":\"text\"}.");
    } else if (!m->joined) {
        complain(m, "Join first.");
    } else if (len > 0) {
        note n = {0};
        note_about(&n, "say", m);
        note_text(&n, ",\"text\":");
        note_string(&n, text, len);
        note_text(&n, "}");
        tell_all(NULL, &n);
    }
}

/* ---- The connection ----------------------------------------------------------------------------- */

static void put_control(member *m)
{
    if (weir_ws_out(&m->ws).len == 0)
        return;
    weir_out out = conn_room(m->c, WEIR_WS_OUT_MAX);
    weir_ws_out_put(&m->ws, &out);
    conn_wrote(m->c, out);
}

/* As in ws_echo_server.c; and whoever is on the way out is no longer in the room. */
static void follow(member *m)
{
    weir_ws_todo todo = weir_ws_transport(&m->ws);
    if (todo != WEIR_WS_CARRY_ON)
        leave(m, "lost");
    if (todo == WEIR_WS_WAIT_PEER)
        weir_pulse_closing(&m->pulse, loop_now(m->c->loop));
    else if (todo != WEIR_WS_CARRY_ON)
        conn_finish(m->c);
    conn_deadline(m->c, weir_pulse_deadline(&m->pulse));
}

static void expel(member *m, uint16_t code, const char *reason)
{
    m->expelled = true;
    leave(m, "left");
    weir_ws_close(&m->ws, code, weir_cstr(reason));
}

static void hear(member *m, const weir_ws_event *ev)
{
    weir_str message;
    if (m->expelled)
        return;
    if ((ev->flags & WEIR_WS_TEXT) == 0)
        expel(m, 1003, "the room speaks text");
    else if (weir_ws_join(&m->joiner, ev, &message) > 0)
        obey(m, message);
}

static void readable(conn *c, weir_in *in)
{
    member *m = c->user;
    weir_ws_event ev;
    size_t heard = 0;
    weir_pulse_alive(&m->pulse, loop_now(c->loop));
    while (heard < TURN_MAX && !conn_is_full(c) && weir_ws_next(&m->ws, in, &ev) > 0) {
        heard += ev.data.len;
        if (ev.kind == WEIR_WS_DATA)
            hear(m, &ev);
        else if (ev.kind == WEIR_WS_CLOSE)
            leave(m, "left");
        put_control(m);
    }
    if (heard >= TURN_MAX || conn_is_full(c))
        conn_later(c);
    put_control(m);
    follow(m);
}

static void ended(conn *c)
{
    member *m = c->user;
    weir_ws_event ev;
    weir_ws_eof(&m->ws, &ev);
    follow(m);
}

static void progress(conn *c)
{
    member *m = c->user;
    weir_pulse_alive(&m->pulse, loop_now(c->loop));
    conn_deadline(c, weir_pulse_deadline(&m->pulse));
}

static void due(conn *c)
{
    member *m = c->user;
    weir_pulse_due what = weir_pulse_poll(&m->pulse, loop_now(c->loop));
    if (what == WEIR_PULSE_BEAT) {
        weir_ws_ping(&m->ws, (weir_str){NULL, 0});
        put_control(m);
    } else if (what != WEIR_PULSE_NONE) {
        conn_abort(c);
    }
    conn_deadline(c, weir_pulse_deadline(&m->pulse));
}

static void stopping(conn *c)
{
    member *m = c->user;
    m->joined = false; /* everybody leaves: nobody is told */
    room.count = 0;
    m->expelled = true;
    weir_ws_close(&m->ws, 1001, weir_cstr("server is going away"));
    put_control(m);
    follow(m);
}

static void gone(conn *c)
{
    member *m = c->user;
    leave(m, "lost");
    free(m->deflate);
    free(m);
    if (room.count == 0) {
        prepared_rest();
        free(room.list);
        room.list = NULL;
        room.cap = 0;
    }
}

static const conn_handler in_room = {
    .high = READ_HIGH,
    .limit = QUEUE_LIMIT,
    .readable = readable,
    .ended = ended,
    .progress = progress,
    .due = due,
    .stopping = stopping,
    .gone = gone,
};

/* Members only receive what is prepared for all: no compressor of their own, and no need of its window. */
static int agree_on_deflate(member *m, const weir_ws_request *request, weir_deflate_params *params)
{
    weir_deflate_policy policy = deflate_small;
    policy.server_no_takeover = true;
    int rv = deflate_backend != NULL ? weir_deflate_negotiate(request->fields, &policy, params) : 0;
    if (rv <= 0)
        return rv;
    m->deflate = deflate_new(params, WEIR_WS_SERVER, false, 0);
    m->bits = m->deflate != NULL ? params->server_bits : 0;
    return 0;
}

static int accept_member(member *m, const weir_ws_request *request)
{
    weir_ws_cfg cfg;
    weir_deflate_params params;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    int rv = agree_on_deflate(m, request, &params);
    if (rv < 0)
        return rv;
    cfg.max_message = cfg.max_frame = MESSAGE_MAX;
    cfg.deflate = m->deflate;
    rv = weir_ws_init(&m->ws, &cfg);
    if (rv < 0)
        return rv;
    weir_ws_accept accept = {.deflate = m->deflate != NULL ? &params : NULL};
    weir_out out = conn_room(m->c, WEIR_WS_ACCEPT_MAX);
    rv = weir_ws_accept_write(&out, request, &accept);
    conn_wrote(m->c, out);
    return rv;
}

int room_enter(conn *c, const weir_ws_request *request)
{
    static const weir_pulse_cfg spans = {.beat_ms = BEAT_MS, .grace_ms = GRACE_MS, .close_ms = CLOSE_MS};
    member *m = calloc(1, sizeof *m);
    if (m == NULL)
        return WEIR_ERR_SPACE;
    m->c = c;
    m->joiner = (weir_ws_joiner){.buf = m->text, .cap = sizeof m->text};
    int rv = accept_member(m, request);
    if (rv < 0) {
        free(m->deflate);
        free(m);
        return rv;
    }
    weir_pulse_init(&m->pulse, &spans, loop_now(c->loop));
    weir_pulse_opened(&m->pulse, loop_now(c->loop));
    c->on = &in_room;
    c->user = m;
    conn_deadline(c, weir_pulse_deadline(&m->pulse));
    return 0;
}
