/* SPDX-License-Identifier: MIT */
/*
 * write.c - floor 3: events and comments as bytes (WHATWG HTML 9.2.5 and 9.2.6).
 *
 * Fields of one line are measured first, then written. Data and comments are written as they are scanned
 * (scan.h): a text of several lines becomes as many field lines, each of which finds its room before it
 * begins. CR LF counts as one line end, as the receiver's parser counts it, so no byte of the text can end a
 * line of ours early.
 */
#include "weir/sse.h"

#include "base/find.h"
#include "base/sink.h"
#include "scan.h"

#include <string.h>

#define NAME(literal) ((weir_str){(const uint8_t *)("" literal), sizeof(literal) - 1})

#define DATA NAME("data: ")

static const weiri_mark data_mark = {"\ndata: ", 7}, comment_mark = {"\n: ", 3};

/* Size of a text as lines of data. */
static size_t data_size(weir_str text, bool *wide)
{
    size_t at = 0, size = 0;
    for (;;) {
        size_t len = weiri_line_len(text.ptr + at, text.len - at, wide);
        size += DATA.len + len + 1;
        at += len;
        if (at == text.len)
            return size;
        at += weiri_line_end_len(text.ptr, text.len, at);
    }
}

/* Is it one line, UTF-8 and, for an ID, without NUL? Adds the field's size. */
static int line_measure(weir_str name, weir_str text, int err, size_t *size)
{
    bool wide = false;
    if (text.len > SIZE_MAX / 64)
        return WEIR_ERR_ARG;
    if (weiri_line_len(text.ptr, text.len, &wide) != text.len ||
        (err == WEIR_ERR_SSE_ID && weiri_find(text.ptr, text.len, 0) != text.len))
        return err;
    *size += name.len + text.len + 1;
    return wide && !weir_utf8_valid(text) ? WEIR_ERR_SSE_UTF8 : 0;
}

/* Measures the fields that are one line each. Returns 0, or why they must not be written. */
static int fields_measure(const weir_sse_event *event, size_t *size)
{
    int type = 0, id = 0;
    *size = 0;
    if (event->type.ptr != NULL)
        type = line_measure(NAME("event: "), event->type, WEIR_ERR_SSE_TYPE, size);
    if (event->id.ptr != NULL)
        id = line_measure(NAME("id: "), event->id, WEIR_ERR_SSE_ID, size);
    if (type == WEIR_ERR_SSE_TYPE || id == WEIR_ERR_SSE_ID)
        return type == WEIR_ERR_SSE_TYPE ? type : id;
    if (event->has_retry) {
        weiri_sink measure = {NULL, 0};
        weiri_sink_number(&measure, event->retry_ms, 10);
        *size += sizeof "retry: " + measure.len;
    }
    return type != 0 ? type : id;
}

int weir_sse_event_size(const weir_sse_event *event, size_t *size)
{
    size_t sum;
    bool wide = false;
    *size = 0;
    int rv = fields_measure(event, &sum);
    if (rv != 0)
        return rv;
    /* A line end of one byte can become seven bytes ("\ndata: "); the rest is a little beside it. */
    if (event->data.len > SIZE_MAX / 8)
        return WEIR_ERR_ARG;
    if (event->data.ptr != NULL)
        sum += data_size(event->data, &wide);
    if (wide && !weir_utf8_valid(event->data))
        return WEIR_ERR_SSE_UTF8;
    *size = sum + (sum != 0);
    return 0;
}

static uint8_t *line_put(uint8_t *at, weir_str name, weir_str value)
{
    memcpy(at, name.ptr, name.len);
    at += name.len;
    if (value.len != 0)
        memcpy(at, value.ptr, value.len);
    at[value.len] = '\n';
    return at + value.len + 1;
}

/* The fields that are one line each. */
static void fields_put(uint8_t *at, const weir_sse_event *event)
{
    if (event->type.ptr != NULL)
        at = line_put(at, NAME("event: "), event->type);
    if (event->id.ptr != NULL)
        at = line_put(at, NAME("id: "), event->id);
    if (event->has_retry) {
        weiri_sink sink = {at, 0};
        weiri_sink_put(&sink, NAME("retry: "));
        weiri_sink_number(&sink, event->retry_ms, 10);
        *sink.at = '\n';
    }
}

static int taken(weir_out *out, size_t size)
{
    out->ptr += size;
    out->len -= size;
    return 0;
}

/* A text as lines of a field, and a blank line. The first line begins already: `begin` bytes, if there is so
 * much room. */
static int text_write(weir_out *out, size_t begin, const weiri_mark *mark, weir_str text)
{
    const size_t size = begin + text.len + 2; /* if it is one line */
    size_t grown = WEIRI_NO_ROOM;
    bool wide = false;
    if (text.len <= out->len && size <= out->len)
        grown = weiri_lines_copy(out->ptr + begin, text.ptr, text.len, out->len - size, mark, &wide);
    if ((grown == WEIRI_NO_ROOM || wide) && !weir_utf8_valid(text))
        return WEIR_ERR_SSE_UTF8;
    if (grown == WEIRI_NO_ROOM)
        return WEIR_ERR_SPACE;
    uint8_t *end = out->ptr + size + grown;
    end[-2] = end[-1] = '\n';
    return taken(out, size + grown);
}

/* One line of plain data, which is the common event, goes through in one pass, behind `before` bytes of other
 * fields. Returns false if it is other data, whose first line then begins already, or there may be no room.
 * What surrounds the data is written before it is looked at: so little is kept over the call. */
static inline bool plain_write(weir_out *out, size_t before, const weir_sse_event *event)
{
    const weir_str name = DATA, data = event->data;
    const size_t room = out->len, begin = before + name.len, size = begin + data.len + 2;
    if (room < data.len || room < size)
        return false;
    uint8_t *at = out->ptr, *end = at + size;
    memcpy(at + before, name.ptr, name.len);
    end[-2] = end[-1] = '\n';
    *out = (weir_out){end, room - size};
    if (weiri_plain_copy(at + begin, data.ptr, data.len))
        return true;
    const size_t back = begin + event->data.len + 2;
    *out = (weir_out){out->ptr - back, out->len + back};
    return false;
}

/* An event with other fields than data, or without any. */
static WEIRI_APART int fields_write(weir_out *out, const weir_sse_event *event)
{
    size_t before;
    int rv = fields_measure(event, &before);
    if (rv != 0)
        return rv;
    if (before <= out->len)
        fields_put(out->ptr, event);
    if (event->data.ptr != NULL && plain_write(out, before, event))
        return 0;
    if (event->data.ptr != NULL)
        return text_write(out, before + DATA.len, &data_mark, event->data);
    if (before == 0)
        return 0;
    if (out->len <= before)
        return WEIR_ERR_SPACE;
    out->ptr[before] = '\n';
    return taken(out, before + 1);
}

int weir_sse_event_write(weir_out *out, const weir_sse_event *event)
{
    if (event->type.ptr != NULL || event->id.ptr != NULL || event->has_retry || event->data.ptr == NULL)
        return fields_write(out, event);
    return plain_write(out, 0, event) ? 0 : text_write(out, DATA.len, &data_mark, event->data);
}

int weir_sse_comment_write(weir_out *out, weir_str text)
{
    const weir_str name = NAME(": ");
    if (out->len >= name.len)
        memcpy(out->ptr, name.ptr, name.len);
    return text_write(out, name.len, &comment_mark, text);
}
