/* SPDX-License-Identifier: MIT */
/*
 * write.c - floor 3: events and comments as bytes (WHATWG HTML 9.2.5 and 9.2.6).
 *
 * Each writer runs twice over a sink: to measure and, if all is allowed and fits, to write. A text of
 * several lines becomes as many field lines. CR LF counts as one line end, as the receiver's parser
 * counts it, so no byte of the text can end a line of ours early.
 */
#include "weir/sse.h"

#include "base/sink.h"

/* Takes a line of *text. *more says whether a line end stood behind it. */
static weir_str line_next(weir_str *text, bool *more)
{
    size_t len = 0;
    while (len < text->len && text->ptr[len] != '\n' && text->ptr[len] != '\r')
        len++;
    weir_str line = {text->ptr, len};
    size_t end = len;
    if (end < text->len)
        end += text->ptr[end] == '\r' && end + 1 < text->len && text->ptr[end + 1] == '\n' ? 2 : 1;
    *more = end != len;
    if (end != 0) /* an absent text has no ptr */
        *text = (weir_str){text->ptr + end, text->len - end};
    return line;
}

static void lines_put(weiri_sink *sink, const char *name, weir_str text)
{
    bool more = true;
    while (more) {
        weir_str line = line_next(&text, &more);
        weiri_sink_text(sink, name);
        weiri_sink_put(sink, line);
        weiri_sink_text(sink, "\n");
    }
}

static void event_put(weiri_sink *sink, const weir_sse_event *event)
{
    size_t before = sink->len;
    if (event->type.ptr != NULL)
        lines_put(sink, "event: ", event->type);
    if (event->id.ptr != NULL)
        lines_put(sink, "id: ", event->id);
    if (event->has_retry) {
        weiri_sink_text(sink, "retry: ");
        weiri_sink_number(sink, event->retry_ms, 10);
        weiri_sink_text(sink, "\n");
    }
    if (event->data.ptr != NULL)
        lines_put(sink, "data: ", event->data);
    if (sink->len != before)
        weiri_sink_text(sink, "\n");
}

static bool has_byte(weir_str str, uint8_t byte)
{
    for (size_t i = 0; i < str.len; i++)
        if (str.ptr[i] == byte)
            return true;
    return false;
}

static int event_check(const weir_sse_event *event)
{
    if (has_byte(event->type, '\r') || has_byte(event->type, '\n'))
        return WEIR_ERR_SSE_TYPE;
    if (has_byte(event->id, '\r') || has_byte(event->id, '\n') || has_byte(event->id, '\0'))
        return WEIR_ERR_SSE_ID;
    if (!weir_utf8_valid(event->type) || !weir_utf8_valid(event->id) || !weir_utf8_valid(event->data))
        return WEIR_ERR_SSE_UTF8;
    /* A line end of one byte can become seven bytes ("\ndata: "); the rest is under a hundred. */
    if (event->data.len > SIZE_MAX / 8 || event->type.len > SIZE_MAX / 64 || event->id.len > SIZE_MAX / 64)
        return WEIR_ERR_ARG;
    return 0;
}

int weir_sse_event_size(const weir_sse_event *event, size_t *size)
{
    weiri_sink measure = {NULL, 0};
    *size = 0;
    int rv = event_check(event);
    if (rv != 0)
        return rv;
    event_put(&measure, event);
    *size = measure.len;
    return 0;
}

int weir_sse_event_write(weir_out *out, const weir_sse_event *event)
{
    size_t size;
    int rv = weir_sse_event_size(event, &size);
    if (rv != 0)
        return rv;
    weiri_sink sink;
    if (weiri_sink_claim(out, size, &sink) != 0)
        return WEIR_ERR_SPACE;
    event_put(&sink, event);
    return 0;
}

static void comment_put(weiri_sink *sink, weir_str text)
{
    lines_put(sink, ": ", text);
    weiri_sink_text(sink, "\n");
}

int weir_sse_comment_write(weir_out *out, weir_str text)
{
    if (!weir_utf8_valid(text))
        return WEIR_ERR_SSE_UTF8;
    if (text.len > out->len)
        return WEIR_ERR_SPACE;
    weiri_sink measure = {NULL, 0};
    weiri_sink sink;
    comment_put(&measure, text);
    if (weiri_sink_claim(out, measure.len, &sink) != 0)
        return WEIR_ERR_SPACE;
    comment_put(&sink, text);
    return 0;
}
