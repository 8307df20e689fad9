/* SPDX-License-Identifier: MIT */
/* machines_sse.c - event streams: parser, event source, replay log; and the clock's machine, pulse. */
#include "bounded.h"

#include "weir/pulse.h"
#include "weir/sse.h"

enum { EVENT = 4096, HEAD = 8192, LOG = 16384, MAX_TYPE = 256, MAX_COMMENT = 1024, MAX_URL = 2048 };

/* ---- The parser ---------------------------------------------------------------------------------- */

static void parser_start(subject *s)
{
    weir_sse_parser_cfg cfg = {.flags = s->machine->variant};
    size_t room = WEIR_SSE_STORAGE(s->unbounded != 0 ? s->unbounded : EVENT);
    weir_sse_parser *parser = (void *)subject_area(s, "weir_sse_parser", sizeof *parser);
    if (weir_sse_parser_init(parser, subject_area(s, "storage", room), room, &cfg) != 0)
        bounded_fail("weir_sse_parser_init");
}

static void item_marks(subject *s, const weir_sse_item *item, size_t event)
{
    subject_mark(s, "event ID", WEIR_SSE_LAST_ID_MAX, item->id.len);
    switch (item->kind) {
    case WEIR_SSE_EVENT:
    case WEIR_SSE_PART:
        s->delivered += item->data.len;
        s->extra += item->kind == WEIR_SSE_PART; /* what was stored, and then the input by itself */
        if ((item->flags & WEIR_SSE_IN_PARTS) == 0 && item->kind == WEIR_SSE_EVENT)
            subject_mark(s, "data of an event", event, item->data.len);
        subject_mark(s, "event type", MAX_TYPE, item->type.len);
        break;
    case WEIR_SSE_COMMENT:
        subject_mark(s, "comment", MAX_COMMENT, item->data.len);
        break;
    default:
        break;
    }
}

static int parser_step(subject *s, weir_in *in)
{
    weir_sse_parser *parser = (void *)s->areas[0].ptr;
    weir_sse_item item;
    int rv = weir_sse_next(parser, in, &item);
    if (rv > 0)
        item_marks(s, &item, s->unbounded != 0 ? s->unbounded : EVENT);
    return rv;
}

static void parser_finish(subject *s)
{
    weir_sse_parser *parser = (void *)s->areas[0].ptr;
    weir_sse_item item;
    unsigned calls = 0;
    while (weir_sse_eof(parser, &item) > 0) {
        item_marks(s, &item, s->unbounded != 0 ? s->unbounded : EVENT);
        if (++calls > 4)
            bounded_fail("%s, %s: no end of the end", s->machine->name, s->stream);
    }
}

/* ---- The event source ---------------------------------------------------------------------------- */

/* Connects, or connects again, and writes the request. The time is kept in s->state. */
static void source_connect(subject *s)
{
    weir_sse_source *source = (void *)s->areas[0].ptr;
    static uint8_t request[8192];
    for (unsigned polls = 0; polls < 4; polls++) {
        if (weir_sse_source_poll(source, s->state) != WEIR_SSE_CONNECT) {
            uint64_t due = weir_sse_source_deadline(source);
            if (due == UINT64_MAX)
                return; /* connected, or finished */
            s->state = due > s->state ? due : s->state;
            continue;
        }
        weir_out out = {request, sizeof request};
        size_t size = weir_sse_source_request_size(source);
        if (weir_sse_source_request(source, &out) != 0 || sizeof request - out.len != size)
            bounded_fail("%s, %s: a request of %zu bytes", s->machine->name, s->stream, size);
        const weir_http_uri *uri = weir_sse_source_uri(source);
        subject_mark(s, "URL", MAX_URL, sizeof "http://" - 1 + uri->authority.len + uri->path.len);
        return;
    }
}

static void source_start(subject *s)
{
    weir_sse_source_cfg cfg;
    size_t room = WEIR_SSE_SOURCE_STORAGE(s->unbounded != 0 ? s->unbounded : HEAD);
    weir_sse_source *source = (void *)subject_area(s, "weir_sse_source", sizeof *source);
    weir_sse_source_cfg_init(&cfg);
    cfg.url = weir_cstr("http://example.org/stream");
    cfg.flags = s->machine->variant;
    cfg.response_ms = 0;
    cfg.parser.flags = s->machine->variant != 0 ? WEIR_SSE_SKIP | WEIR_SSE_COMMENTS : 0;
    if (weir_sse_source_init(source, subject_area(s, "storage", room), room, &cfg) != 0)
        bounded_fail("weir_sse_source_init");
    source_connect(s);
}

static int source_step(subject *s, weir_in *in)
{
    weir_sse_source *source = (void *)s->areas[0].ptr;
    weir_sse_item item;
    int rv = weir_sse_source_next(source, in, s->state, &item);
    if (rv > 0)
        item_marks(s, &item, s->unbounded != 0 ? s->unbounded : HEAD);
    else if (weir_sse_source_deadline(source) == 0 || weir_sse_source_error(source) != 0)
        source_connect(s); /* the next bytes are an answer to the next attempt */
    return rv;
}

static void source_finish(subject *s)
{
    weir_sse_source *source = (void *)s->areas[0].ptr;
    weir_sse_item item;
    unsigned calls = 0;
    while (weir_sse_source_eof(source, s->state, &item) > 0) {
        item_marks(s, &item, s->unbounded != 0 ? s->unbounded : HEAD);
        if (++calls > 4)
            bounded_fail("%s, %s: no end of the end", s->machine->name, s->stream);
    }
}

/* ---- The replay log ------------------------------------------------------------------------------ */

static void log_start(subject *s)
{
    weir_sse_log *log = (void *)subject_area(s, "weir_sse_log", sizeof *log);
    weir_sse_reader *reader = (void *)subject_area(s, "weir_sse_reader", sizeof *reader);
    if (weir_sse_log_init(log, subject_area(s, "memory", LOG), LOG, NULL) != 0)
        bounded_fail("weir_sse_log_init");
    weir_sse_log_begin(log, reader);
}

/* The stream is events of lengths that its own bytes choose, with IDs that clients may ask for. */
static int log_step(subject *s, weir_in *in)
{
    weir_sse_log *log = (void *)s->areas[0].ptr;
    weir_sse_reader *reader = (void *)s->areas[1].ptr;
    weir_sse_reader behind;
    weir_str bytes;
    if (in->len == 0)
        return 0;
    size_t most = (size_t)(in->ptr[0] & 0x0F) << (in->ptr[0] >> 5);
    size_t len = most + 1 < in->len ? most + 1 : in->len;
    weir_str event = {in->ptr, len};
    if (weir_sse_log_put(log, (weir_str){in->ptr, len < 12 ? len : 12}, event, s->state++) != 0)
        bounded_fail("%s, %s: weir_sse_log_put", s->machine->name, s->stream);
    if (s->state % 8 == 0)
        weir_sse_log_seek(log, (weir_str){in->ptr, len < 3 ? len : 3}, s->state, &behind);
    for (unsigned reads = 0; s->state % 3 == 0 && weir_sse_log_next(log, reader, &bytes) > 0;)
        if (++reads > 4)
            bounded_fail("%s, %s: reads more than was put", s->machine->name, s->stream);
    uint64_t there;
    weir_sse_log_begin(log, &behind);
    weir_sse_log_behind(log, &behind, &there);
    subject_mark(s, "bytes of all events", LOG, there);
    s->delivered += len;
    in->ptr += len;
    in->len -= len;
    return 1;
}

/* ---- The clock ----------------------------------------------------------------------------------- */

enum { OPEN = 100, BEAT = 50, GRACE = 30, CLOSING = 70 };

static void pulse_start(subject *s)
{
    weir_pulse *pulse = (void *)subject_area(s, "weir_pulse", sizeof *pulse);
    const weir_pulse_cfg cfg = {OPEN, BEAT, GRACE, CLOSING};
    weir_pulse_init(pulse, &cfg, 0);
}

/* Each byte is a call and a span of time. */
static int pulse_step(subject *s, weir_in *in)
{
    weir_pulse *pulse = (void *)s->areas[0].ptr;
    if (in->len == 0)
        return 0;
    s->state += (uint64_t)(in->ptr[0] >> 3) << (in->ptr[0] & 7);
    switch (in->ptr[0] & 0x1F) {
    case 1:
        weir_pulse_opened(pulse, s->state);
        break;
    case 31:
        weir_pulse_closing(pulse, s->state);
        break;
    case 2:
    case 10:
        weir_pulse_alive(pulse, s->state);
        break;
    case 3:
        weir_pulse_answered(pulse, s->state);
        break;
    }
    unsigned beats = 0;
    while (weir_pulse_poll(pulse, s->state) == WEIR_PULSE_BEAT && beats < 9)
        beats++;
    subject_mark(s, "heartbeats asked for at one time", 1, beats);
    in->ptr++;
    in->len--;
    return 1;
}

const machine machines_sse[] = {
    {"event parser", "events", false, 0, parser_start, parser_step, parser_finish},
    {"event parser, skip, comments", "events", false, WEIR_SSE_SKIP | WEIR_SSE_COMMENTS, parser_start,
     parser_step, parser_finish},
    {"event parser, parts, skip", "events", false, WEIR_SSE_PARTS | WEIR_SSE_SKIP, parser_start, parser_step,
     parser_finish},
    {"event parser, repair, flush", "events", false, WEIR_SSE_REPAIR | WEIR_SSE_SKIP | WEIR_SSE_FLUSH,
     parser_start, parser_step, parser_finish},
    {"event source", "source", false, 0, source_start, source_step, source_finish},
    {"event source, refusals, skip", "source", false, WEIR_SSE_RETRY_BUSY | WEIR_SSE_REFUSAL_BODY,
     source_start, source_step, source_finish},
    {"replay log", "log", false, 0, log_start, log_step, NULL},
    {"pulse", "clock", false, 0, pulse_start, pulse_step, NULL},
    {NULL, NULL, false, 0, NULL, NULL, NULL},
};
