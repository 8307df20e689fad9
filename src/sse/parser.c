/* SPDX-License-Identifier: MIT */
/* parser.c - floor 3: begin and end of a parser of event streams; parse.c is what lies between. */
#include "parse.h"

#include <string.h>

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static bool id_valid(weir_str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.ptr[i] == '\0' || id.ptr[i] == '\r' || id.ptr[i] == '\n')
            return false;
    return true;
}

int weir_sse_parser_init_(weir_sse_parser *p, uint32_t layout, void *storage, size_t storage_len,
                          const weir_sse_parser_cfg *cfg)
{
    static const weir_sse_parser_cfg defaults = {0, 0, 0, 0, 0, 0, {NULL, 0}};
    const uint32_t known =
        WEIR_SSE_REPAIR | WEIR_SSE_SKIP | WEIR_SSE_PARTS | WEIR_SSE_COMMENTS | WEIR_SSE_FLUSH;
    const uint32_t excluding = WEIR_SSE_PARTS | WEIR_SSE_REPAIR;
    if (layout != WEIR_LAYOUT_OF(*p))
        return WEIR_ERR_LAYOUT;
    if (cfg == NULL)
        cfg = &defaults;
    memset(p, 0, sizeof *p);
    p->max_id_ = or_default(cfg->max_id, WEIR_SSE_LAST_ID_MAX);
    p->max_type_ = or_default(cfg->max_type, 256);
    p->max_comment_ = cfg->flags & WEIR_SSE_COMMENTS ? or_default(cfg->max_comment, 1024) : 0;
    p->max_line_ = cfg->max_line != 0 ? cfg->max_line : SIZE_MAX;
    if (p->max_line_ < 2) /* half a byte order mark is taken before it is known to be a line */
        p->max_line_ = 2;
    p->scratch_ = p->max_id_ > p->max_type_ ? p->max_id_ : p->max_type_;
    if (p->max_comment_ > p->scratch_)
        p->scratch_ = p->max_comment_;
    if ((cfg->flags & ~known) != 0 || (cfg->flags & excluding) == excluding ||
        cfg->last_event_id.len > p->max_id_ || !id_valid(cfg->last_event_id))
        return WEIR_ERR_ARG;

    size_t left = storage != NULL ? storage_len : 0;
    const uint32_t areas[] = {p->max_id_, p->max_id_, p->max_type_, p->scratch_};
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
        if (left < areas[i])
            return WEIR_ERR_SPACE;
        left -= areas[i];
    }
    if (left == 0 || left < cfg->max_event)
        return WEIR_ERR_SPACE;
    p->max_event_ = cfg->max_event != 0 ? cfg->max_event : left;
    p->storage_ = storage;
    p->flags_ = (uint8_t)cfg->flags;
    if (cfg->last_event_id.len != 0)
        memcpy(weiri_sse_id_area(p, 0), cfg->last_event_id.ptr, cfg->last_event_id.len);
    p->id_len_[0] = (uint32_t)cfg->last_event_id.len;
    p->state_ = weir_utf8_valid(cfg->last_event_id) ? 0 : ID_BAD;
    return 0;
}

void weir_sse_restart(weir_sse_parser *p)
{
    p->state_ &= ID_SECOND | ID_BAD;
    p->line_ = LINE_BOM;
    p->name_len_ = 0;
    p->data_len_ = 0;
    p->type_len_ = 0;
    p->offset_ = 0;
    p->err_ = 0;
}

weir_str weir_sse_last_id(const weir_sse_parser *p)
{
    return weiri_sse_id(p, 0);
}

int weir_sse_error(const weir_sse_parser *p, uint64_t *offset)
{
    if (offset != NULL)
        *offset = p->offset_;
    return p->err_;
}

static bool in_line(const weir_sse_parser *p)
{
    return p->line_ == LINE_BOM ? p->name_len_ != 0 : p->line_ != LINE_BEGIN;
}

int weir_sse_eof(weir_sse_parser *p, weir_sse_item *item)
{
    if ((p->state_ & ENDED) != 0)
        return p->err_;
    if ((p->flags_ & WEIR_SSE_FLUSH) == 0) {
        bool unfinished = in_line(p) || (p->state_ & BLOCK & ~HIGH) != 0 || p->type_len_ != 0;
        p->state_ |= ENDED;
        if (!unfinished)
            return 0;
        memset(item, 0, sizeof *item);
        item->kind = WEIR_SSE_ABORTED;
        return WEIR_SSE_ABORTED;
    }
    /* As if a line end came, while a line is open, and then a blank line. */
    p->state_ &= (uint16_t)~SKIP_LF;
    while ((p->state_ & ENDED) == 0) {
        bool last = !in_line(p);
        uint8_t line_end[] = {'\n'};
        weir_in in = {line_end, 1};
        uint64_t offset = p->offset_;
        int rv = weir_sse_next(p, &in, item);
        p->offset_ = offset;
        if (last)
            p->state_ |= ENDED;
        if (rv != 0)
            return rv;
    }
    return 0;
}
