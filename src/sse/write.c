/* SPDX-License-Identifier: MIT */
/*
 * write.c - floor 3: events and comments as bytes (WHATWG HTML 9.2.5 and 9.2.6).
 *
 * Each writer first measures: one pass over each text counts its lines and sees whether it is ASCII. Then,
 * if all is allowed and fits, it writes. A text of several lines becomes as many field lines. CR LF counts
 * as one line end, as the receiver's parser counts it, so no byte of the text can end a line of ours early.
 */
#include "weir/sse.h"

#include "base/sink.h"
#include "scan.h"

#include <string.h>

#define NAME(literal) ((weir_str){(const uint8_t *)("" literal), sizeof(literal) - 1})

/* A text as lines of a field. */
typedef struct layout {
    size_t lines;
    size_t bytes; /* without the line ends */
    bool high;    /* not ASCII */
} layout;

/* Length of the line end behind the first `len` bytes. */
static size_t line_end_len(weir_str text, size_t len)
{
    if (len == text.len)
        return 0;
    return text.ptr[len] == '\r' && len + 1 < text.len && text.ptr[len + 1] == '\n' ? 2 : 1;
}

static void lay_out(weir_str text, layout *l)
{
    *l = (layout){1, text.len, false};
    for (size_t at = 0; at < text.len; l->lines++) {
        at += weiri_line_len(text.ptr + at, text.len - at, &l->high);
        size_t end = line_end_len(text, at);
        if (end == 0)
            break;
        l->bytes -= end;
        at += end;
    }
}

static inline uint8_t *line_put(uint8_t *at, weir_str name, const uint8_t *line, size_t len)
{
    memcpy(at, name.ptr, name.len);
    at += name.len;
    if (len != 0)
        memcpy(at, line, len);
    at[len] = '\n';
    return at + len + 1;
}

/* The lines of a text that was laid out. */
static inline uint8_t *lines_put(uint8_t *at, weir_str name, weir_str text, size_t lines)
{
    bool high = false;
    for (; lines > 1; lines--) {
        size_t len = weiri_line_len(text.ptr, text.len, &high);
        at = line_put(at, name, text.ptr, len);
        len += line_end_len(text, len);
        text = (weir_str){text.ptr + len, text.len - len};
    }
    return line_put(at, name, text.ptr, text.len);
}

/* Is it one line, UTF-8 and, for an ID, without NUL? Adds the field's size. */
static int line_measure(weir_str name, weir_str text, int err, size_t *size)
{
    layout l;
    lay_out(text, &l);
    if (l.lines != 1 || (err == WEIR_ERR_SSE_ID && weiri_sse_has_nul(text.ptr, text.len)))
        return err;
    if (text.len > SIZE_MAX / 64)
        return WEIR_ERR_ARG;
    *size += name.len + text.len + 1;
    return l.high && !weir_utf8_valid(text) ? WEIR_ERR_SSE_UTF8 : 0;
}

/* Measures an event. Returns 0, or why it must not be written. */
static int event_measure(const weir_sse_event *event, size_t *size, size_t *lines)
{
    layout l = {0, 0, false};
    int type = 0, id = 0;
    size_t sum = 0;
    if (event->type.ptr != NULL)
        type = line_measure(NAME("event: "), event->type, WEIR_ERR_SSE_TYPE, &sum);
    if (event->id.ptr != NULL)
        id = line_measure(NAME("id: "), event->id, WEIR_ERR_SSE_ID, &sum);
    if (type == WEIR_ERR_SSE_TYPE || id == WEIR_ERR_SSE_ID)
        return type == WEIR_ERR_SSE_TYPE ? type : id;
    if (type != 0 || id != 0)
        return type != 0 ? type : id;
    if (event->data.ptr != NULL)
        lay_out(event->data, &l);
    if (l.high && !weir_utf8_valid(event->data))
        return WEIR_ERR_SSE_UTF8;
    /* A line end of one byte can become seven bytes ("\ndata: "); the rest is under a hundred. */
    if (event->data.len > SIZE_MAX / 8)
        return WEIR_ERR_ARG;
    sum += l.lines * sizeof "data: " + l.bytes;
    if (event->has_retry) {
        weiri_sink measure = {NULL, 0};
        weiri_sink_number(&measure, event->retry_ms, 10);
        sum += sizeof "retry: " + measure.len;
    }
    *size = sum + (sum != 0);
    *lines = l.lines;
    return 0;
}

int weir_sse_event_size(const weir_sse_event *event, size_t *size)
{
    size_t lines;
    *size = 0;
    return event_measure(event, size, &lines);
}

/* The common event, one line of plain data, goes through in one pass. Returns false if it is another, or
 * there may be no room. */
static bool plain_write(weir_out *out, const weir_sse_event *event)
{
    const weir_str name = NAME("data: ");
    const weir_str data = event->data;
    const size_t room = out->len, size = name.len + data.len + 2;
    uint8_t *at = out->ptr;
    if (event->type.ptr != NULL || event->id.ptr != NULL || event->has_retry || data.ptr == NULL ||
        room < data.len || room < size || !weiri_plain_copy(at + name.len, data.ptr, data.len))
        return false;
    memcpy(at, name.ptr, name.len);
    at += size;
    at[-2] = at[-1] = '\n';
    out->ptr = at;
    out->len = room - size;
    return true;
}

/* Any event. Kept out of the function below, whose common case is over sooner than this one has begun. */
static WEIRI_SLOW int event_write(weir_out *out, const weir_sse_event *event)
{
    size_t size, lines;
    int rv = event_measure(event, &size, &lines);
    if (rv != 0)
        return rv;
    if (size > out->len)
        return WEIR_ERR_SPACE;
    if (size == 0)
        return 0;
    uint8_t *at = out->ptr;
    if (event->type.ptr != NULL)
        at = line_put(at, NAME("event: "), event->type.ptr, event->type.len);
    if (event->id.ptr != NULL)
        at = line_put(at, NAME("id: "), event->id.ptr, event->id.len);
    if (event->has_retry) {
        weiri_sink sink = {at, 0};
        weiri_sink_put(&sink, NAME("retry: "));
        weiri_sink_number(&sink, event->retry_ms, 10);
        at = sink.at;
        *at++ = '\n';
    }
    if (event->data.ptr != NULL)
        at = lines_put(at, NAME("data: "), event->data, lines);
    *at = '\n';
    *out = (weir_out){out->ptr + size, out->len - size};
    return 0;
}

int weir_sse_event_write(weir_out *out, const weir_sse_event *event)
{
    return plain_write(out, event) ? 0 : event_write(out, event);
}

int weir_sse_comment_write(weir_out *out, weir_str text)
{
    layout l;
    lay_out(text, &l);
    if (l.high && !weir_utf8_valid(text))
        return WEIR_ERR_SSE_UTF8;
    if (text.len > out->len)
        return WEIR_ERR_SPACE;
    size_t size = l.lines * sizeof ": " + l.bytes + 1;
    if (size > out->len)
        return WEIR_ERR_SPACE;
    *lines_put(out->ptr, NAME(": "), text, l.lines) = '\n';
    *out = (weir_out){out->ptr + size, out->len - size};
    return 0;
}
