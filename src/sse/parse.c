/* SPDX-License-Identifier: MIT */
/*
 * parse.c - floor 3: the parser of event streams (WHATWG HTML 9.2.6).
 *
 * The stream is lines, a line is a field, fields make up a block that a blank line ends. `line_` says where
 * in a line the parser stands between two inputs:
 *
 *     BOM    at the very beginning, name_len_ bytes of the byte order mark seen
 *     BEGIN  before a line
 *     NAME   in its name, of which the first bytes are in name_: more than the longest name is never kept
 *     SPACE  behind the colon, where one space is passed over
 *     VALUE  in the value of `field_`
 *
 * A line that is cut needs no room of its own, since what it is known to be decides where its bytes go:
 *
 *     data            to the end of the data so far
 *     event, id       to the scratch area, until the line's end says that the value is whole
 *     retry           into a number
 *     a comment       to the scratch area, if it is wanted and not too long
 *     anything else   nowhere
 *
 * The storage holds, in this order, two IDs (the last event ID, and the one that the next blank line
 * makes it: they change places), the event type, the scratch area, and the data.
 *
 * The data of the block so far is in one of two places: `held` in the input, joined there in place, or in
 * the storage. It is held as long as all its lines were whole in this input; whatever else happens
 * (the input ends, another item is reported, a line is cut) first moves it to the storage. So each
 * byte is copied once at most, and an event that lies in one input is not copied.
 */
#include "parse.h"

#include "base/find.h"
#include "base/utf8.h"
#include "scan.h"

#include <string.h>

/* ---- Lines -------------------------------------------------------------------------------------- */

static uint8_t field_of(const weir_sse_parser *p)
{
    static const struct {
        uint8_t name[5], len, field;
    } fields[] = {{{'d', 'a', 't', 'a'}, 4, FIELD_DATA},
                  {{'e', 'v', 'e', 'n', 't'}, 5, FIELD_EVENT},
                  {{'i', 'd'}, 2, FIELD_ID},
                  {{'r', 'e', 't', 'r', 'y'}, 5, FIELD_RETRY}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (p->name_len_ == fields[i].len && memcmp(p->name_, fields[i].name, fields[i].len) == 0)
            return fields[i].field;
    return FIELD_OTHER;
}

/* The field is known. Returns as value_take: a part may be due before the line goes on. */
static int field_begin(weir_sse_parser *p, weiri_sse_walk *w, uint8_t field, weir_sse_item *item)
{
    p->field_ = field;
    p->scratch_len_ = 0;
    p->retry_ = 0;
    p->state_ &= (uint16_t) ~(RETRY_DIGIT | RETRY_BAD);
    if (field != FIELD_DATA)
        return 0;
    p->state_ |= p->state_ & HAS_DATA ? SEPARATOR : HAS_DATA;
    return weiri_sse_data_take(p, w, w->at, item);
}

/* Takes the bytes of a line's name up to `stop`, and its colon. */
static int name_take(weir_sse_parser *p, weiri_sse_walk *w, const uint8_t *stop, weir_sse_item *item)
{
    while (w->at < stop && *w->at != ':' && p->name_len_ < sizeof p->name_)
        p->name_[p->name_len_++] = *w->at++;
    if (p->name_len_ == sizeof p->name_) {
        p->line_ = LINE_VALUE;
        return field_begin(p, w, FIELD_OTHER, item);
    }
    if (w->at == stop)
        return 0;
    w->at++;
    p->line_ = LINE_SPACE;
    bool comment = p->name_len_ == 0;
    bool wanted = (p->flags_ & WEIR_SSE_COMMENTS) != 0;
    return field_begin(p, w, !comment ? field_of(p) : wanted ? FIELD_COMMENT : FIELD_OTHER, item);
}

/* Takes what the input has of a line, up to `stop`. */
static int line_take(weir_sse_parser *p, weiri_sse_walk *w, uint8_t *stop, weir_sse_item *item)
{
    int rv = 0;
    if (p->line_ == LINE_NAME)
        rv = name_take(p, w, stop, item);
    if (rv == 0 && p->line_ == LINE_SPACE && w->at < stop) {
        w->at += *w->at == ' ';
        p->line_ = LINE_VALUE;
    }
    if (rv == 0 && p->line_ == LINE_VALUE)
        rv = weiri_sse_value_take(p, w, stop, item);
    return rv;
}

/* The same within max_line. */
static int line_take_limited(weir_sse_parser *p, weiri_sse_walk *w, uint8_t *stop, weir_sse_item *item)
{
    const uint8_t *from = w->at;
    size_t room = p->line_len_ < p->max_line_ ? p->max_line_ - p->line_len_ : 0;
    bool too_long = (size_t)(stop - w->at) > room && (p->state_ & SKIPPING) == 0;
    int rv = line_take(p, w, too_long ? w->at + room : stop, item);
    p->line_len_ += (size_t)(w->at - from);
    if (rv == 0 && too_long) {
        rv = weiri_sse_over(p, w, WEIR_ERR_SSE_LINE_SIZE);
        if (rv == 0) {
            p->line_ = LINE_VALUE;
            p->field_ = FIELD_OTHER;
            w->at = stop;
        }
    }
    return rv;
}

/* The block has a type. */
static void type_keep(weir_sse_parser *p, weir_str type, bool valid)
{
    memcpy(weiri_sse_type_area(p), type.ptr, type.len);
    p->type_len_ = (uint32_t)type.len;
    p->state_ = (uint16_t)((p->state_ & ~TYPE_BAD) | (valid ? 0 : TYPE_BAD));
}

/* The block has an ID. */
static void id_keep(weir_sse_parser *p, weir_str id, bool valid)
{
    memcpy(weiri_sse_id_area(p, 1), id.ptr, id.len);
    p->id_len_[weiri_sse_id_place(p, 1)] = (uint32_t)id.len;
    p->state_ = (uint16_t)((p->state_ & ~NEXT_ID_BAD) | ID_PENDING | (valid ? 0 : NEXT_ID_BAD));
}

/* The value in the scratch area is whole. Returns an item's kind, an error, or 0. */
static int scratch_end(weir_sse_parser *p, weiri_sse_walk *w, weir_sse_item *item)
{
    bool comment = p->field_ == FIELD_COMMENT;
    size_t limit = comment ? p->max_comment_ : p->field_ == FIELD_ID ? p->max_id_ : p->max_type_;
    size_t len = p->scratch_len_;
    uint8_t *scratch = weiri_sse_scratch_area(p);
    bool valid = weir_utf8_valid((weir_str){scratch, len});
    if (!valid && (p->flags_ & WEIR_SSE_REPAIR) != 0) {
        valid = weiri_sse_repair(scratch, limit, scratch, &len);
        if (!valid)
            return comment ? 0
                           : weiri_sse_over(
                                 p, w, p->field_ == FIELD_ID ? WEIR_ERR_SSE_ID_SIZE : WEIR_ERR_SSE_TYPE_SIZE);
    }
    if (comment) {
        memset(item, 0, sizeof *item);
        item->kind = WEIR_SSE_COMMENT;
        item->flags = valid ? WEIR_SSE_UTF8 : 0;
        item->data = (weir_str){scratch, len};
        return WEIR_SSE_COMMENT;
    }
    if (p->field_ == FIELD_ID)
        id_keep(p, (weir_str){scratch, len}, valid);
    else
        type_keep(p, (weir_str){scratch, len}, valid);
    return 0;
}

/* The field's line has ended. */
static int field_end(weir_sse_parser *p, weiri_sse_walk *w, weir_sse_item *item)
{
    switch (p->field_) {
    case FIELD_EVENT:
    case FIELD_ID:
    case FIELD_COMMENT:
        return scratch_end(p, w, item);
    case FIELD_RETRY:
        if ((p->state_ & (RETRY_DIGIT | RETRY_BAD)) != RETRY_DIGIT)
            return 0;
        memset(item, 0, sizeof *item);
        item->kind = WEIR_SSE_RETRY;
        item->retry_ms = p->retry_;
        return WEIR_SSE_RETRY;
    default:
        return 0;
    }
}

/* Takes CR, LF, or CR LF; an LF that is still to come is passed over then. */
static void line_end_take(weir_sse_parser *p, weiri_sse_walk *w)
{
    p->line_ = LINE_BEGIN;
    w->scanned = false;
    if (*w->at++ == '\n')
        return;
    if (w->at == w->end)
        p->state_ |= SKIP_LF;
    else if (*w->at == '\n')
        w->at++;
}

static int line_finish(weir_sse_parser *p, weiri_sse_walk *w, weir_sse_item *item)
{
    int rv = 0;
    uint8_t *at = w->at;
    if (p->line_ == LINE_NAME) { /* no colon: the whole line is the name */
        p->line_ = LINE_VALUE;
        rv = field_begin(p, w, field_of(p), item);
    } else if (p->field_ == FIELD_DATA) {
        rv = weiri_sse_data_take(p, w, at, item);
    }
    if (rv != 0)
        return rv;
    rv = field_end(p, w, item);
    if (rv >= 0)
        line_end_take(p, w);
    return rv;
}

/* ---- Blocks ------------------------------------------------------------------------------------- */

static void block_reset(weir_sse_parser *p)
{
    p->state_ &= (uint16_t)~BLOCK;
    p->data_len_ = 0;
    p->type_len_ = 0;
}

/* The block's data, repaired if asked. Returns 0, or an error. */
static int event_data(weir_sse_parser *p, weiri_sse_walk *w, weir_sse_item *item, bool *valid)
{
    const uint8_t *data = w->held;
    size_t len = w->held_len;
    if (data == NULL) {
        data = weiri_sse_data_area(p);
        len = p->data_len_;
    }
    if ((p->state_ & PARTED) != 0)
        *valid = (p->state_ & BAD) == 0 && p->utf8_ == 0;
    else
        *valid = (p->state_ & HIGH) == 0 || weir_utf8_valid((weir_str){data, len});
    item->data.ptr = data;
    item->data.len = len;
    if (*valid || (p->flags_ & WEIR_SSE_REPAIR) == 0)
        return 0;
    item->data.ptr = weiri_sse_data_area(p);
    *valid = weiri_sse_repair(weiri_sse_data_area(p), p->max_event_, data, &item->data.len);
    return *valid ? 0 : weiri_sse_over(p, w, WEIR_ERR_SSE_EVENT_SIZE);
}

/* The blank line: returns an item's kind, an error, or 0 if the block comes to nothing. */
static int block_end(weir_sse_parser *p, weiri_sse_walk *w, weir_sse_item *item)
{
    bool valid = true;
    uint16_t state = p->state_;
    if ((state & (HAS_DATA | SKIPPING | ID_PENDING)) == 0) {
        block_reset(p);
        return 0;
    }
    memset(item, 0, sizeof *item);
    if ((state & HAS_DATA) != 0 && (state & SKIPPING) == 0) {
        int rv = event_data(p, w, item, &valid);
        if (rv != 0)
            return rv;
        state = p->state_; /* which may be SKIPPING now */
    }
    if ((state & ID_PENDING) != 0)
        p->state_ = (uint16_t)(((p->state_ ^ ID_SECOND) & ~ID_BAD) | (state & NEXT_ID_BAD ? ID_BAD : 0));
    item->id = weiri_sse_id(p, 0);
    item->kind = WEIR_SSE_ID;
    if ((state & SKIPPING) != 0) {
        item->kind = WEIR_SSE_SKIPPED;
        item->err = p->skip_err_;
        item->data = (weir_str){NULL, 0}; /* repair may have found it too long */
    } else if ((state & HAS_DATA) != 0) {
        item->kind = WEIR_SSE_EVENT;
        item->type =
            p->type_len_ != 0 ? (weir_str){weiri_sse_type_area(p), p->type_len_} : weiri_sse_message();
        valid = valid && (state & TYPE_BAD) == 0 && (p->state_ & ID_BAD) == 0;
        item->flags = (valid ? WEIR_SSE_UTF8 : 0) | (state & PART_GIVEN ? WEIR_SSE_IN_PARTS : 0);
    }
    block_reset(p);
    w->held = NULL;
    return (int)item->kind;
}

/* ---- The stream --------------------------------------------------------------------------------- */

static void bom_take(weir_sse_parser *p, weiri_sse_walk *w)
{
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF};
    while (w->at < w->end && p->line_ == LINE_BOM) {
        if (*w->at != mark[p->name_len_]) {
            /* What looked like a mark is the beginning of a name. */
            memcpy(p->name_, mark, sizeof mark);
            p->line_len_ = p->name_len_;
            p->line_ = p->name_len_ != 0 ? LINE_NAME : LINE_BEGIN;
        } else {
            w->at++;
            p->line_ = ++p->name_len_ == sizeof mark ? LINE_BEGIN : LINE_BOM;
        }
    }
}

/* Finds the end of the line, unless that is known. */
static void line_scan(weir_sse_parser *p, weiri_sse_walk *w)
{
    bool high = false;
    if (w->scanned)
        return;
    w->stop = w->at + weiri_line_len(w->at, (size_t)(w->end - w->at), &high);
    w->scanned = true;
    w->high = high;
    p->state_ |= high ? HIGH : 0;
}

/* Takes a line of data that is whole in the input, if no limit is near: behind what the block has, wherever
 * that lies. */
static void data_line(weir_sse_parser *p, weiri_sse_walk *w)
{
    size_t line = (size_t)(w->stop - w->at);
    if (w->stop == w->end || line < sizeof weiri_sse_data ||
        memcmp(w->at, weiri_sse_data, sizeof weiri_sse_data) != 0 || (p->state_ & (SKIPPING | PARTED)) != 0)
        return;
    uint8_t *value = w->at + sizeof weiri_sse_data;
    value += *value == ' ';
    size_t len = (size_t)(w->stop - value);
    bool first = (p->state_ & HAS_DATA) == 0;
    bool stored = !first && w->held == NULL;
    size_t before = first ? 0 : (stored ? p->data_len_ : w->held_len) + 1;
    if (len > p->max_event_ || before > p->max_event_ - len || line > p->max_line_)
        return;
    if (first) {
        w->held = value;
    } else {
        uint8_t *to = (stored ? weiri_sse_data_area(p) : w->held) + before;
        to[-1] = '\n';
        memmove(to, value, len);
    }
    *(stored ? &p->data_len_ : &w->held_len) = before + len;
    p->state_ |= HAS_DATA;
    w->at = w->stop;
    line_end_take(p, w);
}

/* Is the line this field, whole in the input and ASCII, with no limit near? */
static inline bool plain_field(const weir_sse_parser *p, const weiri_sse_walk *w, weir_str name, size_t limit,
                               weir_str *value)
{
    size_t line = (size_t)(w->stop - w->at);
    if (w->stop == w->end || w->high || line > p->max_line_ || line < name.len ||
        memcmp(w->at, name.ptr, name.len) != 0)
        return false;
    const uint8_t *from = w->at + name.len;
    from += *from == ' ';
    *value = (weir_str){from, (size_t)(w->stop - from)};
    return value->len <= limit;
}

/* Takes a line of the event type or the ID, if it is so plain. */
static void naming_line(weir_sse_parser *p, weiri_sse_walk *w)
{
    static const uint8_t event_name[] = {'e', 'v', 'e', 'n', 't', ':'}, id_name[] = {'i', 'd', ':'};
    weir_str value;
    if (plain_field(p, w, (weir_str){event_name, sizeof event_name}, p->max_type_, &value))
        type_keep(p, value, true);
    else if (plain_field(p, w, (weir_str){id_name, sizeof id_name}, p->max_id_, &value) &&
             weiri_find(value.ptr, value.len, 0) == value.len)
        id_keep(p, value, true);
    else
        return;
    w->at = w->stop;
    line_end_take(p, w);
}

/* A line begins: takes all of it if that is simple, and leaves it to line_go_on else. */
static void line_begin(weir_sse_parser *p, weiri_sse_walk *w)
{
    p->line_ = LINE_NAME;
    p->name_len_ = 0;
    p->line_len_ = 0;
    if (*w->at == 'd')
        data_line(p, w);
    else
        naming_line(p, w);
}

static int line_go_on(weir_sse_parser *p, weiri_sse_walk *w, weir_sse_item *item)
{
    int rv = line_take_limited(p, w, w->stop, item);
    return rv == 0 && w->at < w->end ? line_finish(p, w, item) : rv;
}

static int parse(weir_sse_parser *p, weiri_sse_walk *w, weir_sse_item *item)
{
    int rv = 0;
    while (rv == 0 && w->at < w->end) {
        if ((p->state_ & SKIP_LF) != 0) {
            p->state_ &= (uint16_t)~SKIP_LF;
            w->at += *w->at == '\n';
        } else if (p->line_ == LINE_BEGIN && weiri_is_line_end(*w->at)) {
            rv = block_end(p, w, item);
            if (rv >= 0)
                line_end_take(p, w);
        } else if (p->line_ == LINE_BOM) {
            bom_take(p, w);
        } else {
            line_scan(p, w);
            if (p->line_ == LINE_BEGIN)
                line_begin(p, w);
            else
                rv = line_go_on(p, w, item);
        }
    }
    return rv;
}

int weiri_sse_parse(weir_sse_parser *p, weir_in *in, weir_sse_item *item, uint8_t *stop)
{
    if ((p->state_ & ENDED) != 0)
        return p->err_;
    if (in->len == 0) /* ptr may be NULL */
        return 0;
    weiri_sse_walk w = {in->ptr, NULL, in->ptr + in->len, NULL, 0, stop != NULL, false};
    w.stop = stop;
    int rv = parse(p, &w, item);
    if (w.held != NULL)
        weiri_sse_spill(p, &w);
    size_t taken = (size_t)(w.at - in->ptr);
    p->offset_ += taken;
    in->ptr += taken;
    in->len -= taken;
    if (rv < 0) {
        p->err_ = rv;
        p->state_ |= ENDED;
    }
    return rv;
}
