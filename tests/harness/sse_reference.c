/* SPDX-License-Identifier: MIT */
/*
 * sse_reference.c - a slow reader of event streams that is easy to believe, to compare weir's with.
 *
 * It has the whole stream in memory, cuts it into lines, and does with each what the standard says in the
 * words of the standard: buffers that are appended to, fields that are compared as text. Nothing of it is
 * shared with src/.
 */
#include "sse_reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Texts ---------------------------------------------------------------------------------------- */

typedef struct text {
    uint8_t *bytes;
    size_t len, cap;
} text;

static void text_put(text *t, const uint8_t *bytes, size_t len)
{
    if (t->cap - t->len < len || t->bytes == NULL) {
        t->cap = (t->len + len) * 2 + 64;
        t->bytes = realloc(t->bytes, t->cap);
        if (t->bytes == NULL)
            abort();
    }
    if (len != 0)
        memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

static void text_set(text *t, const uint8_t *bytes, size_t len)
{
    t->len = 0;
    text_put(t, bytes, len);
}

/* Encoding Standard, "UTF-8 decoder", step by step; what it puts out is encoded again at once. */
size_t sse_reference_decode(uint8_t *dst, const uint8_t *bytes, size_t len)
{
    static const uint8_t replacement[] = {0xEF, 0xBF, 0xBD};
    unsigned needed = 0, seen = 0, lower = 0x80, upper = 0xBF;
    size_t out = 0, begin = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = bytes[i];
        if (needed != 0 && (byte < lower || byte > upper)) {
            memcpy(dst + out, replacement, 3);
            out += 3;
            needed = 0; /* the byte is looked at once more, as the first of a character */
        }
        if (needed == 0) {
            begin = i;
            seen = 0;
            lower = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
            upper = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
            needed = byte >= 0xC2 && byte <= 0xDF ? 1 : byte >= 0xE0 && byte <= 0xEF ? 2 : 3;
            if (byte <= 0x7F) {
                dst[out++] = byte;
                needed = 0;
            } else if (byte < 0xC2 || byte > 0xF4) {
                memcpy(dst + out, replacement, 3);
                out += 3;
                needed = 0;
            }
        } else {
            lower = 0x80;
            upper = 0xBF;
            if (++seen == needed) {
                memcpy(dst + out, bytes + begin, needed + 1);
                out += needed + 1;
                needed = 0;
            }
        }
    }
    if (needed != 0) {
        memcpy(dst + out, replacement, 3);
        out += 3;
    }
    return out;
}

/* Replaces what is not UTF-8, if `repair`. Returns whether the text is UTF-8 then. */
static bool text_decode_as(text *t, bool repair)
{
    uint8_t *decoded = malloc(3 * t->len + 1);
    if (decoded == NULL)
        abort();
    size_t len = sse_reference_decode(decoded, t->bytes, t->len);
    bool valid = len == t->len && (len == 0 || memcmp(decoded, t->bytes, len) == 0);
    if (!valid && repair)
        text_set(t, decoded, len);
    free(decoded);
    return valid || repair;
}

static weir_str text_str(const text *t)
{
    return (weir_str){t->bytes, t->len};
}

/* ---- The reader ----------------------------------------------------------------------------------- */

typedef struct reader {
    const weir_sse_parser_cfg *cfg;
    const uint8_t *stream;
    size_t len;
    sse_listener listener;
    int err;
    uint64_t offset;
    text last_id;
    /* of the block */
    text data, type, id;
    bool has_data, has_id;
    bool in_parts, part_told;
    bool skipping;
    int skip_err;
} reader;

static void tell(reader *r, weir_sse_item item)
{
    r->listener.tell(r->listener.self, &item);
}

/* A limit is passed by the byte at `at`. */
static void over(reader *r, int err, size_t at)
{
    if ((r->cfg->flags & WEIR_SSE_SKIP) == 0) {
        r->err = err;
        r->offset = at;
    } else if (!r->skipping) {
        r->skipping = true;
        r->skip_err = err;
    }
}

static void tell_part(reader *r, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint32_t first = r->part_told ? 0 : WEIR_SSE_FIRST;
        r->part_told = true;
        tell(r, (weir_sse_item){.kind = WEIR_SSE_PART, .flags = first, .data = {bytes + i, 1}});
    }
}

/* One byte more of data, which is that at `at` or stands before it. */
static void data_put(reader *r, uint8_t byte, size_t at)
{
    if (r->skipping || r->err != 0)
        return;
    if (r->data.len >= r->cfg->max_event && !r->in_parts) {
        if ((r->cfg->flags & WEIR_SSE_PARTS) == 0) {
            over(r, WEIR_ERR_SSE_EVENT_SIZE, at);
            return;
        }
        r->in_parts = true;
        tell_part(r, r->data.bytes, r->data.len);
    }
    /* If it is the LF before a line that makes the data go in parts, it waits for the byte behind the colon,
     * which does not come if the stream ends here. */
    bool never = at == r->len && r->data.len == r->cfg->max_event && (r->cfg->flags & WEIR_SSE_FLUSH) == 0;
    text_put(&r->data, &byte, 1);
    if (r->in_parts && !never)
        tell_part(r, &byte, 1);
}

static void line_of_data(reader *r, size_t begin, size_t value, size_t stop)
{
    if (r->has_data)
        data_put(r, '\n', begin);
    r->has_data = true;
    for (size_t i = value; i < stop; i++)
        data_put(r, r->stream[i], i);
}

/* Collects a value of at most `most` bytes; false if it is too long. */
static bool collect(reader *r, text *t, size_t value, size_t stop, size_t most, int err)
{
    for (size_t i = value; i < stop; i++) {
        if (t->len == most) {
            if (err != 0)
                over(r, err, i);
            return false;
        }
        text_put(t, r->stream + i, 1);
        if (err == WEIR_ERR_SSE_ID_SIZE && r->stream[i] == 0)
            return false;
    }
    return true;
}

/* A type or ID, whole unless `cut`: goes to its buffer. */
static void line_of_text(reader *r, text *buffer, size_t value, size_t stop, size_t end, bool cut, int err)
{
    text t = {NULL, 0, 0};
    size_t most = err == WEIR_ERR_SSE_ID_SIZE ? r->cfg->max_id : r->cfg->max_type;
    text_set(&t, NULL, 0);
    if (collect(r, &t, value, stop, most, err) && !cut) {
        text_decode_as(&t, (r->cfg->flags & WEIR_SSE_REPAIR) != 0);
        if (t.len > most) {
            over(r, err, end);
        } else {
            text_set(buffer, t.bytes, t.len);
            r->has_id = r->has_id || err == WEIR_ERR_SSE_ID_SIZE;
        }
    }
    free(t.bytes);
}

static void line_of_comment(reader *r, size_t value, size_t end)
{
    text t = {NULL, 0, 0};
    text_set(&t, NULL, 0);
    if (collect(r, &t, value, end, r->cfg->max_comment, 0)) {
        text_decode_as(&t, (r->cfg->flags & WEIR_SSE_REPAIR) != 0);
        if (t.len <= r->cfg->max_comment)
            tell(r, (weir_sse_item){.kind = WEIR_SSE_COMMENT, .data = text_str(&t)});
    }
    free(t.bytes);
}

static void line_of_retry(reader *r, size_t value, size_t end)
{
    uint64_t number = 0;
    for (size_t i = value; i < end; i++)
        if (r->stream[i] < '0' || r->stream[i] > '9')
            return;
    for (size_t i = value; i < end; i++) {
        unsigned digit = r->stream[i] - (unsigned)'0';
        bool fits = number < UINT64_MAX / 10 || (number == UINT64_MAX / 10 && digit <= UINT64_MAX % 10);
        number = fits ? number * 10 + digit : UINT64_MAX;
    }
    if (value < end)
        tell(r, (weir_sse_item){.kind = WEIR_SSE_RETRY, .retry_ms = number});
}

static bool name_is(const reader *r, size_t begin, size_t end, const char *name)
{
    return weir_str_is((weir_str){r->stream + begin, end - begin}, name);
}

/* The line from `begin` to `end`, not empty; `whole` if its end was seen. */
static void line_take(reader *r, size_t begin, size_t end, bool whole)
{
    size_t max_line = r->cfg->max_line == 1 ? 2 : r->cfg->max_line; /* the least there is */
    bool too_long = max_line != 0 && end - begin > max_line && !r->skipping;
    size_t stop = too_long ? begin + max_line : end;
    size_t colon = begin;
    while (colon < end && r->stream[colon] != ':')
        colon++;
    size_t value = colon < end ? colon + 1 : end;
    if (value < end && r->stream[value] == ' ')
        value++;
    bool cut = too_long || !whole;
    bool known = colon < stop || !cut;
    size_t behind_name = colon < end ? colon + 1 : end;

    if (known && name_is(r, begin, colon, "data"))
        line_of_data(r, behind_name, value, stop);
    else if (known && name_is(r, begin, colon, "event"))
        line_of_text(r, &r->type, value, stop, end, cut, WEIR_ERR_SSE_TYPE_SIZE);
    else if (known && name_is(r, begin, colon, "id"))
        line_of_text(r, &r->id, value, stop, end, cut, WEIR_ERR_SSE_ID_SIZE);
    else if (!cut && name_is(r, begin, colon, "retry"))
        line_of_retry(r, value, end);
    else if (!cut && colon == begin && (r->cfg->flags & WEIR_SSE_COMMENTS) != 0)
        line_of_comment(r, value, end);
    if (r->err == 0 && too_long)
        over(r, WEIR_ERR_SSE_LINE_SIZE, stop);
}

static void block_reset(reader *r)
{
    r->data.len = r->type.len = 0;
    r->has_data = r->has_id = r->skipping = r->in_parts = r->part_told = false;
}

/* A blank line, which ends at `at`. */
static void dispatch(reader *r, size_t at)
{
    bool repair = (r->cfg->flags & WEIR_SSE_REPAIR) != 0;
    bool valid = true;
    if (r->has_data && !r->skipping) {
        valid = text_decode_as(&r->data, repair);
        if (r->data.len > r->cfg->max_event && !r->in_parts)
            over(r, WEIR_ERR_SSE_EVENT_SIZE, at);
        if (r->err != 0)
            return;
    }
    if (r->has_id)
        text_set(&r->last_id, r->id.bytes, r->id.len);
    if (r->skipping) {
        tell(r, (weir_sse_item){.kind = WEIR_SSE_SKIPPED, .err = r->skip_err, .id = text_str(&r->last_id)});
    } else if (r->has_data) {
        valid = valid && text_decode_as(&r->type, false) && text_decode_as(&r->last_id, false);
        uint32_t flags = (valid ? WEIR_SSE_UTF8 : 0) | (r->in_parts ? WEIR_SSE_IN_PARTS : 0);
        weir_str data = r->in_parts ? (weir_str){NULL, 0} : text_str(&r->data);
        weir_str type = r->type.len != 0 ? text_str(&r->type) : weir_cstr("message");
        tell(r, (weir_sse_item){.kind = WEIR_SSE_EVENT,
                                .flags = flags,
                                .type = type,
                                .data = data,
                                .id = text_str(&r->last_id)});
    } else if (r->has_id) {
        tell(r, (weir_sse_item){.kind = WEIR_SSE_ID, .id = text_str(&r->last_id)});
    }
    block_reset(r);
}

static bool is_line_end(uint8_t byte)
{
    return byte == '\r' || byte == '\n';
}

static void read_all(reader *r)
{
    const size_t len = r->len;
    bool flush = (r->cfg->flags & WEIR_SSE_FLUSH) != 0;
    size_t begin = len >= 3 && memcmp(r->stream, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (begin < len && r->err == 0) {
        size_t end = begin;
        while (end < len && !is_line_end(r->stream[end]))
            end++;
        bool whole = end < len;
        if (end == begin)
            dispatch(r, end);
        else
            line_take(r, begin, end, whole || flush);
        if (!whole && !flush && r->err == 0) {
            tell(r, (weir_sse_item){.kind = WEIR_SSE_ABORTED});
            return;
        }
        begin = end + (end + 1 < len && memcmp(r->stream + end, "\r\n", 2) == 0 ? 2 : 1);
    }
    if (r->err == 0 && flush)
        dispatch(r, len);
    else if (r->err == 0 && (r->has_data || r->has_id || r->type.len != 0 || r->skipping))
        tell(r, (weir_sse_item){.kind = WEIR_SSE_ABORTED});
}

int sse_reference(const weir_sse_parser_cfg *cfg, const uint8_t *stream, size_t len, sse_listener listener,
                  uint64_t *offset)
{
    reader r;
    memset(&r, 0, sizeof r);
    r.cfg = cfg;
    r.stream = stream;
    r.len = len;
    r.listener = listener;
    r.offset = len;
    text *const texts[] = {&r.last_id, &r.data, &r.type, &r.id};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_set(texts[i], NULL, 0);
    text_set(&r.last_id, cfg->last_event_id.ptr, cfg->last_event_id.len);
    read_all(&r);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]->bytes);
    *offset = r.offset;
    return r.err;
}
