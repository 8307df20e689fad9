/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ws_pair.c - a server and a client that talk to each other, by calls in an order of the input's choice:
 * what one sends the other receives, whole, in order and once, however the bytes travel.
 *
 * Each direction has a wire, and two accounts: what the sender's calls said, what the receiver's events say.
 * They are compared byte by byte as events come, and in full when both wires are empty at the end. Pongs that
 * weir owes may be left out when they back up (RFC 6455 5.5.3), and are accounted for apart.
 */
#include "fuzz.h"
#if defined(FUZZ_ZLIB)
#include "weir/zlib.h"
#endif

enum { ACCOUNT_MOST = 1 << 17, PONGS_MOST = 128, MESSAGE_MOST = 1 << 14 };

/* ---- Bytes that grow ------------------------------------------------------------------------------- */

typedef struct pile {
    uint8_t *bytes;
    size_t len, cap;
} pile;

static void pile_put(pile *p, const void *bytes, size_t len)
{
    if (p->cap - p->len < len || p->bytes == NULL) {
        p->cap = 2 * (p->len + len) + 64;
        p->bytes = realloc(p->bytes, p->cap);
        FUZZ_REQUIRE(p->bytes != NULL);
    }
    if (len != 0)
        memcpy(p->bytes + p->len, bytes, len);
    p->len += len;
}

static void pile_drop(pile *p, size_t len)
{
    memmove(p->bytes, p->bytes + len, p->len - len);
    p->len -= len;
}

/* ---- A direction, and a side ----------------------------------------------------------------------- */

/* A Pong that may arrive, or must: one that was sent by a call. */
typedef struct pong {
    uint8_t len;
    uint8_t bytes[125];
    bool must;
} pong;

typedef struct direction {
    pile wire;
    pile sent;       /* of each message: its kind, its bytes; control frames are apart */
    size_t received; /* so much of it has come */
    bool open;       /* the last message in it is not finished */
    pile pings, pings_received;
    pong pongs[PONGS_MOST];
    size_t pong_count, pong_next;
    bool pong_lost; /* one came without its payload: which it was is not known */
    bool noisy;     /* bytes of nobody are in the wire: only invariants hold */
    bool closed;    /* a Close was sent, with this code and reason */
    uint16_t code;
    uint8_t reason[123];
    size_t reason_len;
} direction;

typedef struct side {
    weir_ws *ws;
    weir_deflate deflate;
    weir_entropy entropy;
    uint32_t random;
    bool client, manual_pong;
    direction *out, *in;
    /* sending */
    bool in_message, text, in_frame;
    bool packed;        /* the message under way is compressed */
    size_t message_len; /* of the message under way */
    uint64_t frame_left;
    bool frame_last;   /* the frame begun is its message's last */
    uint16_t controls; /* sent by calls */
    size_t cut;        /* bytes left of the control frame that is partly written */
    /* receiving */
    bool over;  /* a Close, an error or the end came */
    bool ended; /* the end came: nothing is given to it any more */
    bool receiving;
    size_t joined_from; /* where the message under way begins in in->sent */
    weir_ws_joiner joiner;
    uint8_t joined[4096];
    void *memory[3];
} side;

typedef struct pair {
    fuzz_input input;
    side sides[2];
    direction directions[2];
    size_t total; /* payload so far */
} pair;

/* ---- What is sent ---------------------------------------------------------------------------------- */

/* Bytes that say where they stand; text is characters of 1 to 4 bytes, over and over. */
static uint8_t payload_byte(bool text, size_t message, size_t at)
{
    static const char characters[] = "a\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x99\x82";
    if (text)
        return (uint8_t)characters[at % 10];
    return (message & 1) != 0 ? (uint8_t)((at * 2654435761u) >> 11) : (uint8_t)(at / 50);
}

static uint8_t *payload_new(const side *s, bool text, size_t at, size_t len)
{
    uint8_t *bytes = fuzz_memory(len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = payload_byte(text, s->out->sent.len & 1, at + i);
    return bytes;
}

/* A text may end only behind a character. */
static size_t payload_len(const pair *p, const side *s, bool text, bool last, size_t len)
{
    size_t begin = s->in_message ? s->message_len : 0;
    if (p->total + len > ACCOUNT_MOST)
        len = 0;
    while (text && last && (begin + len) % 10 != 0 && (begin + len) % 10 != 1 && (begin + len) % 10 != 3 &&
           (begin + len) % 10 != 6)
        len++;
    return len;
}

static void account(side *s, bool first, bool last, const uint8_t *bytes, size_t len)
{
    uint8_t kind = s->text ? 'T' : 'B';
    if (first)
        pile_put(&s->out->sent, &kind, 1);
    pile_put(&s->out->sent, bytes, len);
    if (last)
        pile_put(&s->out->sent, "E", 1);
    s->message_len = first ? len : s->message_len + len;
    s->in_message = s->out->open = !last;
}

/* ---- Receiving ------------------------------------------------------------------------------------- */

/* Has everything come? Of a message that is only begun nothing shows before its first byte. */
static bool all_received(const direction *d)
{
    return d->received == d->sent.len || (d->open && d->received + 1 == d->sent.len);
}

/* The next bytes of the sender's account are these. */
static void must_be_next(side *s, const void *bytes, size_t len)
{
    direction *d = s->in;
    if (d->noisy || len == 0)
        return;
    FUZZ_REQUIRE(d->sent.len - d->received >= len && memcmp(d->sent.bytes + d->received, bytes, len) == 0);
    d->received += len;
}

static void hear_data(side *s, const weir_ws_event *ev)
{
    direction *d = s->in;
    weir_str message;
    bool first = (ev->flags & WEIR_WS_FIRST) != 0, last = (ev->flags & WEIR_WS_LAST) != 0;
    FUZZ_REQUIRE(first == !s->receiving && (ev->data.len != 0 || last));
    s->receiving = !last;
    if (first)
        must_be_next(s, (ev->flags & WEIR_WS_TEXT) != 0 ? "T" : "B", 1);
    if (first)
        s->joined_from = d->received;
    must_be_next(s, ev->data.ptr, ev->data.len);
    int rv = weir_ws_join(&s->joiner, ev, &message);
    size_t len = d->received - s->joined_from;
    if (last)
        must_be_next(s, "E", 1);
    if (d->noisy)
        return;
    FUZZ_REQUIRE(rv == (len > s->joiner.cap ? WEIR_ERR_WS_MESSAGE_SIZE : last));
    if (rv == 1)
        FUZZ_REQUIRE(fuzz_same(message, (weir_str){d->sent.bytes + s->joined_from, len}));
}

static void pong_expect(direction *d, weir_str payload, bool must)
{
    if (d->pong_count == PONGS_MOST)
        d->pong_lost = true; /* too many to keep account of */
    if (d->pong_lost)
        return;
    pong *p = &d->pongs[d->pong_count++];
    p->len = (uint8_t)payload.len;
    p->must = must;
    if (payload.len != 0)
        memcpy(p->bytes, payload.ptr, payload.len);
}

static void hear_pong(direction *d, weir_str payload)
{
    for (size_t i = d->pong_next; i < d->pong_count && !d->pong_lost; i++) {
        if (fuzz_same(payload, (weir_str){d->pongs[i].bytes, d->pongs[i].len})) {
            d->pong_next = i + 1;
            return;
        }
        if (d->pongs[i].must)
            break;
    }
    FUZZ_REQUIRE(d->noisy || d->pong_lost || payload.len == 0);
    d->pong_lost = true;
}

static void hear_close(side *s, const weir_ws_event *ev)
{
    direction *d = s->in;
    s->over = true;
    if (d->noisy)
        return;
    FUZZ_REQUIRE(d->closed && ev->code == (d->code != 0 ? d->code : 1005));
    FUZZ_REQUIRE(fuzz_same(ev->data, (weir_str){d->reason, d->reason_len}));
    FUZZ_REQUIRE(all_received(d)); /* nothing overtakes, nothing follows */
}

static void hear(side *s, const weir_ws_event *ev)
{
    uint8_t len = (uint8_t)ev->data.len;
    weir_ws_closing closing;
    weir_ws_closing_read(s->ws, &closing);
    switch (ev->kind) {
    case WEIR_WS_DATA:
        hear_data(s, ev);
        break;
    case WEIR_WS_PING:
        FUZZ_REQUIRE(ev->data.len <= 125);
        pile_put(&s->in->pings_received, &len, 1);
        pile_put(&s->in->pings_received, ev->data.ptr, len);
        if (!s->manual_pong)
            pong_expect(s->out, ev->data, false);
        break;
    case WEIR_WS_PONG:
        hear_pong(s->in, ev->data);
        break;
    default:
        FUZZ_REQUIRE(ev->kind == WEIR_WS_CLOSE && closing.received == ev->code);
        if (!s->out->closed)
            s->out->code = ev->code != 1005 ? ev->code : 0;
        s->out->closed = true;
        hear_close(s, ev);
    }
}

/* Our own Close for the peer's fault. */
static void hear_error(side *s, int err)
{
    const weir_err_info *info = weir_err_lookup(err);
    FUZZ_REQUIRE(s->in->noisy && info->close_code != 0);
    if (!s->out->closed) {
        s->out->closed = true;
        s->out->code = info->close_code;
        s->out->reason_len = strlen(info->text);
        memcpy(s->out->reason, info->text, s->out->reason_len);
    }
    s->over = true;
}

/* Gives the next n bytes of the wire, in memory of their size; stops after `most` events. */
static void deliver(side *s, size_t n, unsigned most)
{
    pile *wire = &s->in->wire;
    n = n < wire->len ? n : wire->len;
    if (s->ended) {
        wire->len = 0;
        return;
    }
    uint8_t *bytes = fuzz_copy(wire->bytes, n);
    weir_in in = {bytes, n};
    weir_ws_event ev;
    int rv = 0;
    for (unsigned i = 0; i < most && (rv = weir_ws_next(s->ws, &in, &ev)) > 0; i++)
        hear(s, &ev);
    FUZZ_REQUIRE(rv != 0 || in.len == 0);
    if (rv < 0 && !s->over)
        hear_error(s, rv);
    /* What is left comes first the next time, as it is. */
    size_t taken = rv < 0 ? n : n - in.len;
    if (rv > 0 && in.len != 0)
        memcpy(wire->bytes + taken, in.ptr, in.len);
    if (taken != 0)
        pile_drop(wire, taken);
    free(bytes);
}

/* ---- Sending --------------------------------------------------------------------------------------- */

/* May a data frame begin? Nothing but what was told to this side decides it. */
static bool may_send(const side *s)
{
    weir_ws_closing closing;
    weir_ws_closing_read(s->ws, &closing);
    return closing.sent == 0 && closing.received == 0 && weir_ws_error(s->ws, NULL) == 0 && !s->in_frame &&
           s->cut == 0;
}

/* Bytes of control frames go to the wire, `n` at most. */
static void write_out(side *s, size_t n)
{
    weir_str out = weir_ws_out(s->ws);
    FUZZ_REQUIRE(!s->in_frame || s->frame_left == 0 || out.len == 0);
    n = n < out.len ? n : out.len;
    pile_put(&s->out->wire, out.ptr, n);
    for (size_t at = 0; at < n;) {
        if (s->cut == 0)
            s->cut = (size_t)(out.ptr[at + 1] & 0x7F) + (s->client ? 6 : 2);
        size_t step = n - at < s->cut ? n - at : s->cut;
        s->cut -= step;
        at += step;
    }
    weir_ws_out_ack(s->ws, n);
}

static void write_all_out(side *s)
{
    uint8_t bytes[WEIR_WS_OUT_MAX];
    weir_out out = {bytes, sizeof bytes};
    FUZZ_REQUIRE(weir_ws_out_put(s->ws, &out) == 0 && weir_ws_out(s->ws).len == 0);
    pile_put(&s->out->wire, bytes, sizeof bytes - out.len);
    s->cut = 0;
}

/* What a refusal may be, given that nothing changed. */
static void check_refusal(const side *s, int rv, bool may, bool room)
{
    if (rv == WEIR_ERR_ENTROPY)
        FUZZ_REQUIRE(s->client && s->random == UINT32_MAX);
    else
        FUZZ_REQUIRE(rv == (may ? WEIR_ERR_SPACE : WEIR_ERR_STATE) && (!may || !room));
}

static void do_send(pair *p, side *s)
{
    uint8_t options = fuzz_byte(&p->input);
    bool last = (options & 1) != 0, first = !s->in_message, packed = (options & 4) != 0;
    size_t shift = options >> 5;
    if (first)
        s->text = (options & 2) != 0;
    size_t len = payload_len(p, s, s->text, last, (size_t)fuzz_byte(&p->input) << (shift > 5 ? 0 : shift));
    uint8_t *bytes = payload_new(s, s->text, first ? 0 : s->message_len, len);
    uint32_t flags = (first ? WEIR_WS_FIRST : 0) | (last ? WEIR_WS_LAST : 0) | (s->text ? WEIR_WS_TEXT : 0) |
                     (packed ? WEIR_WS_DEFLATE : 0);
    size_t size = weir_ws_send_size(s->ws, len);
    bool tight = (options & 8) != 0;
    size_t room = tight ? (size_t)(options & 16 ? len / 2 : len + 3) : size;
    room = room < size ? room : size;
    uint8_t *frame = fuzz_memory(room);
    weir_out out = {frame, room};
    bool may = may_send(s);
    int rv = weir_ws_send(s->ws, &out, flags, (weir_str){bytes, len});
    if (rv == 0) {
        FUZZ_REQUIRE(may);
        pile_put(&s->out->wire, frame, room - out.len);
        account(s, first, last, bytes, len);
        p->total += len;
        s->packed = first ? (frame[0] & 0x40) != 0 : s->packed; /* RSV1 */
    } else {
        FUZZ_REQUIRE(out.ptr == frame && out.len == room);
        check_refusal(s, rv, may, !tight);
    }
    free(frame);
    free(bytes);
}

/* A message in as many frames as rooms of the input's choice make of it. */
static void do_send_part(pair *p, side *s)
{
    uint8_t options = fuzz_byte(&p->input);
    if (s->in_message || !may_send(s) || s->random == UINT32_MAX)
        return;
    s->text = (options & 1) != 0;
    size_t len = payload_len(p, s, s->text, true, (size_t)fuzz_byte(&p->input) << (options >> 6));
    uint8_t *bytes = payload_new(s, s->text, 0, len);
    weir_str data = {bytes, len};
    uint32_t flags =
        WEIR_WS_WHOLE | (s->text ? WEIR_WS_TEXT : 0) | ((options & 2) != 0 ? WEIR_WS_DEFLATE : 0);
    size_t most = 1 + (size_t)fuzz_byte(&p->input) * 4;
    int rv = 1;
    while (rv > 0) {
        size_t room = 64 + (size_t)fuzz_byte(&p->input), before = data.len;
        uint8_t *frame = fuzz_memory(room);
        weir_out out = {frame, room};
        rv = weir_ws_send_part(s->ws, &out, &flags, &data, most);
        FUZZ_REQUIRE(rv >= 0 && (rv == 1) == (data.len != 0));
        FUZZ_REQUIRE(before - data.len <= most && (before != data.len || rv == 0));
        pile_put(&s->out->wire, frame, room - out.len);
        free(frame);
        write_out(s, (options & 4) != 0 ? SIZE_MAX : 0);
    }
    account(s, true, true, bytes, len);
    p->total += len;
    free(bytes);
}

static void do_begin(pair *p, side *s)
{
    uint8_t options = fuzz_byte(&p->input), header[WEIR_WS_HEADER_MAX];
    bool last = (options & 1) != 0, first = !s->in_message;
    size_t header_len;
    if (first && !s->in_frame)
        s->text = (options & 2) != 0;
    size_t len = payload_len(p, s, s->text, last, (size_t)fuzz_byte(&p->input) << (options >> 6));
    uint32_t flags = (first ? WEIR_WS_FIRST : 0) | (last ? WEIR_WS_LAST : 0) | (s->text ? WEIR_WS_TEXT : 0);
    bool may = may_send(s);
    int rv = weir_ws_begin(s->ws, flags, len, header, &header_len);
    if (rv != 0) {
        FUZZ_REQUIRE(header_len == 0 && (rv == WEIR_ERR_STATE || rv == WEIR_ERR_ENTROPY));
        FUZZ_REQUIRE(rv == WEIR_ERR_STATE || (s->client && s->random == UINT32_MAX));
        FUZZ_REQUIRE(rv == WEIR_ERR_ENTROPY || !may || (!first && s->packed));
        return;
    }
    FUZZ_REQUIRE(may && header_len >= 2 && header_len <= WEIR_WS_HEADER_MAX);
    pile_put(&s->out->wire, header, header_len);
    account(s, first, last && len == 0, NULL, 0);
    s->packed = first ? false : s->packed;
    s->in_frame = len != 0;
    s->frame_left = len;
    s->frame_last = last;
    p->total += len;
}

/* Some more of the frame begun. */
static void do_payload(side *s, size_t most, bool in_place)
{
    if (!s->in_frame)
        return;
    size_t len = most < s->frame_left ? most : (size_t)s->frame_left;
    uint8_t *bytes = payload_new(s, s->text, s->message_len, len);
    uint8_t *original = fuzz_copy(bytes, len), *dst = in_place ? bytes : fuzz_memory(len);
    weir_str more = {bytes, (size_t)s->frame_left + 1};
    FUZZ_REQUIRE(weir_ws_payload(s->ws, dst, more) == WEIR_ERR_ARG);
    if (!s->client && in_place)
        FUZZ_REQUIRE(weir_ws_payload(s->ws, NULL, (weir_str){bytes, len}) == 0);
    else
        FUZZ_REQUIRE(weir_ws_payload(s->ws, dst, (weir_str){bytes, len}) == 0);
    pile_put(&s->out->wire, dst, len);
    account(s, false, false, original, len);
    s->frame_left -= len;
    if (s->frame_left == 0) {
        s->in_frame = false;
        if (s->frame_last)
            account(s, false, true, NULL, 0);
    }
    free(original);
    if (!in_place)
        free(dst);
    free(bytes);
}

static void do_prepared(pair *p, side *s)
{
    uint8_t options = fuzz_byte(&p->input), bytes[2][2048];
    weir_ws_prepared prepared = {{NULL, 0}, {NULL, 0}, 0};
    weir_str chosen;
    if (s->in_message || s->in_frame)
        return;
    s->text = (options & 1) != 0;
    size_t len = payload_len(p, s, s->text, true, (size_t)fuzz_byte(&p->input) << ((options >> 1) & 1));
    uint8_t *data = payload_new(s, s->text, 0, len);
    weir_out out = {bytes[0], sizeof bytes[0]};
    uint32_t flags = s->text ? WEIR_WS_TEXT : 0;
    FUZZ_REQUIRE(weir_ws_prepare(&out, flags, (weir_str){data, len}) == 0);
    prepared.plain = (weir_str){bytes[0], sizeof bytes[0] - out.len};
#if defined(FUZZ_ZLIB)
    unsigned bits = 9 + (options >> 4) % 7;
    size_t size = weir_zlib.deflate_size(bits, 8);
    void *mem = fuzz_memory(size);
    out = (weir_out){bytes[1], sizeof bytes[1]};
    FUZZ_REQUIRE(weir_ws_prepare_packed(&out, flags, (weir_str){data, len}, &weir_zlib, mem, size, bits) ==
                 0);
    if ((options & 8) != 0) {
        prepared.packed = (weir_str){bytes[1], sizeof bytes[1] - out.len};
        prepared.packed_bits = (uint8_t)bits;
    }
    free(mem);
#endif
    bool may = may_send(s);
    int rv = weir_ws_send_prepared(s->ws, &prepared, &chosen);
    FUZZ_REQUIRE(rv == (may && !s->client ? 0 : WEIR_ERR_STATE));
    if (rv == 0) {
        pile_put(&s->out->wire, chosen.ptr, chosen.len);
        account(s, true, true, data, len);
        p->total += len;
    }
    free(data);
}

static void do_control(pair *p, side *s, bool ping)
{
    uint8_t payload[128];
    uint8_t len = fuzz_byte(&p->input) & 0x7F;
    /* From four bytes on no two payloads are the same. */
    s->controls++;
    memset(payload, (int)(len + s->controls), sizeof payload);
    payload[0] = ping ? 'i' : 'o';
    payload[1] = (uint8_t)(s->controls >> 8);
    payload[2] = (uint8_t)s->controls;
    payload[3] = s->client;
    weir_str data = {payload, len};
    int rv = (ping ? weir_ws_ping : weir_ws_pong)(s->ws, data);
    if (rv != 0) {
        FUZZ_REQUIRE(rv == (len > 125 ? WEIR_ERR_ARG : rv));
        FUZZ_REQUIRE(rv != WEIR_ERR_ENTROPY || s->random == UINT32_MAX);
        return;
    }
    FUZZ_REQUIRE(len <= 125 && !(ping ? s->out->closed : s->over));
    if (ping) {
        pile_put(&s->out->pings, &len, 1);
        pile_put(&s->out->pings, payload, len);
    } else if (!s->out->closed) { /* behind our Close nobody listens */
        pong_expect(s->out, data, len >= 4);
    }
}

static void do_close(pair *p, side *s)
{
    static const uint16_t codes[] = {0, 1000, 1001, 1011, 3000, 4999, 1005, 999};
    uint16_t code = codes[fuzz_byte(&p->input) & 7];
    uint8_t reason[128];
    size_t len = fuzz_byte(&p->input) & 0x7F;
    memset(reason, 'r', sizeof reason);
    int rv = weir_ws_close(s->ws, code, (weir_str){reason, len});
    bool bad = code == 1005 || code == 999;
    FUZZ_REQUIRE(!bad || rv == WEIR_ERR_CLOSE_CODE);
    FUZZ_REQUIRE(bad || (len <= 123 && (code != 0 || len == 0)) || rv == WEIR_ERR_CLOSE_REASON);
    FUZZ_REQUIRE(rv != WEIR_ERR_SPACE || len != 0);
    FUZZ_REQUIRE(rv != WEIR_ERR_ENTROPY || s->random == UINT32_MAX);
    if (rv != 0 || s->out->closed)
        return;
    s->out->closed = true;
    s->out->code = code;
    s->out->reason_len = len;
    memcpy(s->out->reason, reason, len);
}

static void do_noise(pair *p, side *s)
{
    weir_str noise = fuzz_take(&p->input, fuzz_byte(&p->input) & 31);
    s->out->noisy = true;
    pile_put(&s->out->wire, noise.ptr, noise.len);
}

static void do_eof(side *s)
{
    weir_ws_event ev;
    weir_ws_closing closing;
    if (weir_ws_eof(s->ws, &ev) == WEIR_WS_END) {
        weir_ws_closing_read(s->ws, &closing);
        FUZZ_REQUIRE(ev.code == (closing.received != 0 ? closing.received : 1006));
    }
    s->over = s->ended = true;
    s->in->noisy = true;      /* nothing is expected any more */
    s->out->pong_lost = true; /* a Ping that is cut here may have taken the place of one before it */
}

/* A connection may be moved in memory between calls. */
static void do_move(side *s)
{
    weir_ws *moved = fuzz_memory(sizeof *moved);
    memcpy(moved, s->ws, sizeof *moved);
    memset(s->ws, 0xDD, sizeof *s->ws);
    free(s->ws);
    s->ws = moved;
}

static void step(pair *p)
{
    uint8_t what = fuzz_byte(&p->input);
    side *s = &p->sides[what >> 7];
    switch (what & 15) {
    case 0:
    case 1:
        do_send(p, s);
        break;
    case 2:
        do_send_part(p, s);
        break;
    case 3:
        do_begin(p, s);
        break;
    case 4:
        do_payload(s, fuzz_byte(&p->input), (what & 16) != 0);
        break;
    case 5:
        do_prepared(p, s);
        break;
    case 6:
    case 7:
        do_control(p, s, (what & 1) == 0);
        break;
    case 8:
        write_out(s, fuzz_byte(&p->input));
        break;
    case 9:
    case 10:
        deliver(s, 1 + (size_t)fuzz_byte(&p->input), (what & 16) != 0 ? 1 : UINT32_MAX);
        break;
    case 11:
        deliver(s, SIZE_MAX, UINT32_MAX);
        break;
    case 12:
        if ((what & 0x70) == 0)
            do_close(p, s);
        break;
    case 13:
        s->random = s->random == UINT32_MAX ? 7 : UINT32_MAX;
        break;
    case 14:
        if ((what & 0x70) == 0)
            do_noise(p, s);
        else if ((what & 0x70) == 0x10)
            do_eof(s);
        else
            do_move(s);
        break;
    default:
        write_all_out(s);
    }
}

/* ---- Beginning and end ----------------------------------------------------------------------------- */

static void side_start(pair *p, unsigned which, weir_deflate_params params, bool packs)
{
    side *s = &p->sides[which];
    weir_ws_cfg cfg;
    uint8_t options = fuzz_byte(&p->input);
    s->client = which == 1;
    s->out = &p->directions[which];
    s->in = &p->directions[1 - which];
    s->manual_pong = (options & 1) != 0;
    s->joiner = (weir_ws_joiner){s->joined, (size_t)options * 16, 0};
    FUZZ_REQUIRE(weir_entropy_init(&s->entropy, fuzz_fill, &s->random) == 0);
    weir_ws_cfg_init(&cfg, s->client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.flags = (options & 1 ? WEIR_WS_MANUAL_PONG : 0) | (options & 2 ? WEIR_WS_NO_UTF8 : 0);
    cfg.entropy = s->client ? &s->entropy : NULL;
#if defined(FUZZ_ZLIB)
    if (packs) {
        weir_deflate_cfg dc;
        memset(&dc, 0, sizeof dc);
        dc.backend = &weir_zlib;
        dc.params = params;
        dc.role = cfg.role;
        dc.mem_level = 1 + (options >> 2) % 3;
        dc.level = 1 + (options >> 4) % 3 * 4;
        dc.threshold = (options & 0x80) != 0 ? 40 : 0;
        dc.scratch_len = 256 + (size_t)(options & 0x40) * 4;
        weir_deflate_memory(&dc, &dc.inflate_len, &dc.deflate_len);
        dc.inflate_mem = s->memory[0] = fuzz_memory(dc.inflate_len);
        dc.deflate_mem = s->memory[1] = fuzz_memory(dc.deflate_len);
        dc.scratch = s->memory[2] = fuzz_memory(dc.scratch_len);
        FUZZ_REQUIRE(weir_deflate_init(&s->deflate, &dc) == 0);
        cfg.deflate = &s->deflate;
    }
#else
    (void)params;
    (void)packs;
#endif
    s->ws = fuzz_memory(sizeof *s->ws);
    FUZZ_REQUIRE(weir_ws_init(s->ws, &cfg) == 0);
}

/* Whatever is under way is ended, as far as it may be. */
static void settle(pair *p, side *s)
{
    s->random = s->random == UINT32_MAX ? 3 : s->random;
    do_payload(s, SIZE_MAX, false);
    write_all_out(s);
    if (s->in_message && may_send(s)) {
        size_t len = payload_len(p, s, s->text, true, 0);
        uint8_t frame[512];
        uint8_t *bytes = payload_new(s, s->text, s->message_len, len);
        weir_out out = {frame, sizeof frame};
        FUZZ_REQUIRE(weir_ws_send(s->ws, &out, WEIR_WS_LAST, (weir_str){bytes, len}) == 0);
        pile_put(&s->out->wire, frame, sizeof frame - out.len);
        account(s, false, true, bytes, len);
        free(bytes);
    }
}

/* Everything that was sent has come. */
static void check_arrived(const side *s)
{
    const direction *d = s->in;
    if (s->over || d->noisy)
        return;
    FUZZ_REQUIRE(all_received(d) && (d->open || !s->receiving));
    FUZZ_REQUIRE(fuzz_same((weir_str){d->pings.bytes, d->pings.len},
                           (weir_str){d->pings_received.bytes, d->pings_received.len}));
    /* The newest Ping is answered, and every Pong that was sent by a call has come. */
    if (d->pong_count == 0 || d->pong_lost)
        return;
    FUZZ_REQUIRE(d->pong_next != 0);
    const pong *came = &d->pongs[d->pong_next - 1], *newest = &d->pongs[d->pong_count - 1];
    FUZZ_REQUIRE(fuzz_same((weir_str){came->bytes, came->len}, (weir_str){newest->bytes, newest->len}));
    for (size_t i = d->pong_next; i < d->pong_count; i++)
        FUZZ_REQUIRE(!d->pongs[i].must);
}

static void finish(pair *p)
{
    for (unsigned i = 0; i < 2; i++)
        settle(p, &p->sides[i]);
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 2; i++) {
            deliver(&p->sides[i], SIZE_MAX, UINT32_MAX);
            write_all_out(&p->sides[i]);
        }
    }
    bool good = !p->directions[0].noisy && !p->directions[1].noisy;
    for (unsigned i = 0; i < 2; i++)
        check_arrived(&p->sides[i]);
    if (!good)
        return;
    (void)weir_ws_close(p->sides[0].ws, 1001, (weir_str){NULL, 0});
    p->directions[0].code = p->directions[0].closed ? p->directions[0].code : 1001;
    p->directions[0].closed = true;
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 2; i++) {
            write_all_out(&p->sides[i]);
            deliver(&p->sides[i], SIZE_MAX, UINT32_MAX);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        weir_ws_closing closing;
        weir_ws_closing_read(p->sides[i].ws, &closing);
        FUZZ_REQUIRE(closing.clean && p->directions[i].wire.len == 0);
        FUZZ_REQUIRE(weir_ws_transport(p->sides[i].ws) ==
                     (i == 0 ? WEIR_WS_SHUTDOWN_WRITE : WEIR_WS_WAIT_PEER));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pair p;
    memset(&p, 0, sizeof p);
    p.input = (fuzz_input){data, size};
    uint8_t options = fuzz_byte(&p.input), bits = fuzz_byte(&p.input);
    weir_deflate_params params = {(uint8_t)(9 + bits % 7),
                                  (uint8_t)(8 + (bits >> 4) % 8),
                                  (options & 2) != 0,
                                  (options & 4) != 0,
                                  false,
                                  false};
    for (unsigned i = 0; i < 2; i++)
        side_start(&p, i, params, (options & 1) != 0);
    for (unsigned i = 0; i < 400 && p.input.left != 0; i++)
        step(&p);
    finish(&p);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; j < 3; j++)
            free(p.sides[i].memory[j]);
        free(p.sides[i].ws);
        free(p.directions[i].wire.bytes);
        free(p.directions[i].sent.bytes);
        free(p.directions[i].pings.bytes);
        free(p.directions[i].pings_received.bytes);
    }
    return 0;
}
