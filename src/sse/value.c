/* SPDX-License-Identifier: MIT */
/* value.c - floor 3: where the parser of event streams puts what a line holds; parse.c says how. */
#include "parse.h"

#include "base/find.h"
#include "base/utf8.h"

#include <string.h>

/* ---- The storage -------------------------------------------------------------------------------- */

void weiri_sse_spill(weir_sse_parser *p, weiri_sse_walk *w)
{
    if (w->held == NULL)
        return;
    memcpy(weiri_sse_data_area(p), w->held, w->held_len);
    p->data_len_ = w->held_len;
    w->held = NULL;
}

/* The text is moved to the end of the room, and written anew from its beginning: it can only grow, so that
 * what is written never reaches what is still to be read. */
bool weiri_sse_repair(uint8_t *area, size_t room, const uint8_t *bytes, size_t *len)
{
    size_t need = weiri_utf8_repair(NULL, bytes, *len);
    if (need > room)
        return false;
    uint8_t *from = area + (room - *len);
    memmove(from, bytes, *len);
    *len = weiri_utf8_repair(area, from, *len);
    return true;
}

/* ---- Limits ------------------------------------------------------------------------------------- */

int weiri_sse_over(weir_sse_parser *p, weiri_sse_walk *w, int err)
{
    if ((p->flags_ & WEIR_SSE_SKIP) == 0)
        return err;
    if ((p->state_ & SKIPPING) == 0)
        p->skip_err_ = err;
    p->state_ |= SKIPPING;
    p->data_len_ = 0;
    w->held = NULL;
    return 0;
}

/* ---- Values ------------------------------------------------------------------------------------- */

static int part(weir_sse_parser *p, weir_sse_item *item, const uint8_t *bytes, size_t len)
{
    if ((p->state_ & BAD) == 0 && weiri_utf8_check(&p->utf8_, bytes, len) != len)
        p->state_ |= BAD;
    memset(item, 0, sizeof *item);
    item->kind = WEIR_SSE_PART;
    item->flags = p->state_ & PART_GIVEN ? 0 : WEIR_SSE_FIRST;
    item->data = (weir_str){bytes, len};
    p->state_ |= PART_GIVEN;
    return WEIR_SSE_PART;
}

int weiri_sse_data_take(weir_sse_parser *p, weiri_sse_walk *w, uint8_t *stop, weir_sse_item *item)
{
    static const uint8_t line_end[] = {'\n'};
    weiri_sse_spill(p, w);
    while ((p->state_ & SKIPPING) == 0 && (w->at < stop || (p->state_ & SEPARATOR) != 0)) {
        bool separator = (p->state_ & SEPARATOR) != 0;
        const uint8_t *bytes = separator ? line_end : w->at;
        size_t len = separator ? 1 : (size_t)(stop - w->at);
        size_t room = p->max_event_ - p->data_len_;
        if ((p->state_ & PARTED) == 0 && len > room) {
            if ((p->flags_ & WEIR_SSE_PARTS) == 0) {
                w->at += separator ? 0 : room;
                int rv = weiri_sse_over(p, w, WEIR_ERR_SSE_EVENT_SIZE);
                if (rv != 0)
                    return rv;
                break;
            }
            p->state_ |= PARTED;
            p->utf8_ = 0;
            size_t gathered = p->data_len_;
            p->data_len_ = 0;
            if (gathered != 0)
                return part(p, item, weiri_sse_data_area(p), gathered);
        }
        if (separator)
            p->state_ &= (uint16_t)~SEPARATOR;
        else
            w->at = stop;
        if ((p->state_ & PARTED) != 0)
            return part(p, item, bytes, len);
        memcpy(weiri_sse_data_area(p) + p->data_len_, bytes, len);
        p->data_len_ += len;
    }
    w->at = stop;
    return 0;
}

/* Takes some of an event type, ID or comment. */
static int scratch_take(weir_sse_parser *p, weiri_sse_walk *w, uint8_t *stop, uint32_t limit, int err)
{
    size_t room = limit - p->scratch_len_;
    size_t len = (size_t)(stop - w->at);
    size_t fits = len < room ? len : room;
    int rv = 0;
    /* However long it is. */
    if (p->field_ == FIELD_ID && weiri_find(w->at, fits, 0) != fits) {
        p->field_ = FIELD_OTHER;
    } else if (len <= room) {
        memcpy(weiri_sse_scratch_area(p) + p->scratch_len_, w->at, len);
        p->scratch_len_ += (uint32_t)len;
    } else {
        if (p->field_ != FIELD_COMMENT)
            rv = weiri_sse_over(p, w, err);
        p->field_ = FIELD_OTHER;
    }
    w->at = rv != 0 ? w->at + room : stop;
    return rv;
}

static void retry_take(weir_sse_parser *p, const uint8_t *at, const uint8_t *stop)
{
    for (; at < stop; at++) {
        unsigned digit = (unsigned)*at - '0';
        p->state_ |= digit < 10 ? RETRY_DIGIT : RETRY_BAD;
        p->retry_ = p->retry_ > (UINT64_MAX - digit) / 10 ? UINT64_MAX : p->retry_ * 10 + digit;
    }
}

int weiri_sse_value_take(weir_sse_parser *p, weiri_sse_walk *w, uint8_t *stop, weir_sse_item *item)
{
    switch (p->field_) {
    case FIELD_DATA:
        return weiri_sse_data_take(p, w, stop, item);
    case FIELD_EVENT:
        return scratch_take(p, w, stop, p->max_type_, WEIR_ERR_SSE_TYPE_SIZE);
    case FIELD_ID:
        return scratch_take(p, w, stop, p->max_id_, WEIR_ERR_SSE_ID_SIZE);
    case FIELD_COMMENT:
        return scratch_take(p, w, stop, p->max_comment_, 0);
    case FIELD_RETRY:
        retry_take(p, w->at, stop);
        break;
    default:
        break;
    }
    w->at = stop;
    return 0;
}
