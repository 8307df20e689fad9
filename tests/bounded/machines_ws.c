/* SPDX-License-Identifier: MIT */
/* machines_ws.c - WebSocket connections of both roles, plain and compressed. */
#include "bounded.h"

#include "weir/ws.h"
#ifdef BOUNDED_ZLIB
#include "weir/zlib.h"
#endif

enum { JOINED = 4096, SCRATCH = 256, CONTROL = 125, MAX_MESSAGE = 1 << 16, LATE = 64 };

/* Places in subject.areas. */
enum { CONTEXT, ENTROPY, JOINER, JOINED_BUFFER };

static void connection_start(subject *s, weir_deflate *deflate)
{
    weir_ws_cfg cfg;
    weir_ws *ws = (void *)s->areas[CONTEXT].ptr;
    weir_entropy *entropy = (void *)s->areas[ENTROPY].ptr;
    weir_ws_joiner *joiner = (void *)s->areas[JOINER].ptr;
    weir_ws_cfg_init(&cfg, s->machine->client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.deflate = deflate;
    cfg.entropy = entropy;
    cfg.max_message = MAX_MESSAGE;
    if (s->unbounded != 0) {
        cfg.max_message = cfg.max_frame = INT64_MAX;
        cfg.max_fragments = UINT32_MAX;
    }
    *joiner = (weir_ws_joiner){s->areas[JOINED_BUFFER].ptr, JOINED, 0};
    if (weir_entropy_init(entropy, bounded_entropy, NULL) != 0 || weir_ws_init(ws, &cfg) != 0)
        bounded_fail("weir_ws_init");
}

static void ws_areas(subject *s)
{
    subject_area(s, "weir_ws", sizeof(weir_ws));
    subject_area(s, "weir_entropy", sizeof(weir_entropy));
    subject_area(s, "weir_ws_joiner", sizeof(weir_ws_joiner));
    subject_area(s, "joiner's buffer", JOINED);
}

static void ws_start(subject *s)
{
    ws_areas(s);
    connection_start(s, NULL);
}

#ifdef BOUNDED_ZLIB
static void packed_start(subject *s)
{
    weir_deflate_cfg dc = {.backend = &weir_zlib,
                           .role = s->machine->client ? WEIR_WS_CLIENT : WEIR_WS_SERVER};
    size_t unused;
    ws_areas(s);
    weir_deflate *deflate = (void *)subject_area(s, "weir_deflate", sizeof *deflate);
    dc.params.server_bits = dc.params.client_bits = 15;
    weir_deflate_memory(&dc, &dc.inflate_len, &unused);
    dc.inflate_mem = subject_area(s, "inflate_mem", dc.inflate_len);
    /* The smallest scratch asks for the most calls. It is not an area: it may be overwritten at any time. */
    static uint8_t scratch[SCRATCH];
    dc.scratch = scratch;
    dc.scratch_len = sizeof scratch;
    if (weir_deflate_init(deflate, &dc) != 0)
        bounded_fail("weir_deflate_init");
    connection_start(s, deflate);
}
#endif

static void look_at_data(subject *s, const weir_ws_event *ev, size_t taken)
{
    bool packed = (ev->flags & WEIR_WS_DEFLATE) != 0;
    weir_str message;
    s->delivered += ev->data.len;
    s->state = ((ev->flags & WEIR_WS_FIRST) != 0 ? 0 : s->state) + ev->data.len;
    if (packed) {
        s->extra++; /* what one byte inflates to comes a scratch at a time */
        subject_mark(s, "a piece of a message, inflated", SCRATCH, ev->data.len);
    } else {
        subject_mark(s, "bytes reported beyond those taken", 0,
                     ev->data.len > taken ? ev->data.len - taken : 0);
    }
    if (s->unbounded != 0)
        return;
    subject_mark(s, "a message", MAX_MESSAGE, s->state);
    weir_ws_joiner *joiner = (void *)s->areas[JOINER].ptr;
    if (weir_ws_join(joiner, ev, &message) == 1)
        subject_mark(s, "a message that was joined", JOINED, message.len);
}

/* The documented room must do for all that waits. */
static void replies_take(subject *s, weir_ws *ws)
{
    static uint8_t room[WEIR_WS_OUT_MAX];
    weir_out out = {room, sizeof room};
    if (weir_ws_out_put(ws, &out) != 0)
        bounded_fail("%s, %s: more waits than WEIR_WS_OUT_MAX", s->machine->name, s->stream);
    subject_mark(s, "waits to be written", WEIR_WS_OUT_MAX, sizeof room - out.len);
}

static int ws_step(subject *s, weir_in *in)
{
    weir_ws *ws = (void *)s->areas[CONTEXT].ptr;
    weir_ws_event ev;
    size_t before = in->len;
    int rv = weir_ws_next(ws, in, &ev);
    if (rv == WEIR_WS_DATA)
        look_at_data(s, &ev, before - in->len);
    else if (rv > 0)
        subject_mark(s, "payload of a control frame", CONTROL, ev.data.len);
    if (!s->stalled || ++s->turn % LATE == 0)
        replies_take(s, ws);
    return rv;
}

static void ws_finish(subject *s)
{
    weir_ws *ws = (void *)s->areas[CONTEXT].ptr;
    weir_ws_event ev;
    unsigned calls = 0;
    replies_take(s, ws);
    while (weir_ws_eof(ws, &ev) > 0)
        if (++calls > 1)
            bounded_fail("%s, %s: more than one end", s->machine->name, s->stream);
}

const machine machines_ws[] = {
    {"WebSocket, server", "frames", false, 0, ws_start, ws_step, ws_finish},
    {"WebSocket, client", "frames", true, 0, ws_start, ws_step, ws_finish},
#ifdef BOUNDED_ZLIB
    {"WebSocket, server, deflate", "packed", false, 0, packed_start, ws_step, ws_finish},
    {"WebSocket, client, deflate", "packed", true, 0, packed_start, ws_step, ws_finish},
#endif
    {NULL, NULL, false, 0, NULL, NULL, NULL},
};
