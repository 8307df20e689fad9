/* SPDX-License-Identifier: MIT */
/*
 * next.c - floor 3: the straight paths of the parser of event streams.
 *
 * Two inputs are most of all traffic: a whole event of one line of data, and, while a long one comes in small
 * pieces, a little more of its data. They are taken here in one go, with every check that the parser in
 * parse.c makes; whatever else the input is, and whatever is wrong with it, is left to that. So these paths
 * are only ever faster, and can be left out.
 */
#include "parse.h"

#include "base/utf8.h"
#include "scan.h"

#include <string.h>

#define FEW 16

/*
 * The event that most are: one line of data and a blank line, in a block of their own, all in the input, with
 * line ends of one kind. Returns false with nothing taken if something about it is not so plain; if its line
 * has been scanned, *stop is the end then.
 */
static inline bool plain_event(weir_sse_parser *p, weir_in *in, weir_sse_item *item, uint8_t **stop)
{
    static const uint8_t lf[] = {'\n', '\n'}, crlf[] = {'\r', '\n', '\r', '\n'};
    const uint8_t *at = in->ptr;
    if ((p->state_ & (BLOCK | SKIP_LF | ID_BAD | ENDED)) != 0 || p->type_len_ != 0 ||
        in->len <= sizeof weiri_sse_data || memcmp(at, weiri_sse_data, sizeof weiri_sse_data) != 0)
        return false;
    bool high = false;
    size_t line = weiri_line_len(at, in->len, &high);
    size_t left = in->len - line;
    size_t end = left >= sizeof lf && memcmp(at + line, lf, sizeof lf) == 0         ? sizeof lf
                 : left >= sizeof crlf && memcmp(at + line, crlf, sizeof crlf) == 0 ? sizeof crlf
                                                                                    : 0;
    size_t begin = sizeof weiri_sse_data + (at[sizeof weiri_sse_data] == ' ');
    weir_str data = {at + begin, line - begin};
    bool valid = !high || (end != 0 && weir_utf8_valid(data));
    if (end == 0 || line > p->max_line_ || data.len > p->max_event_ ||
        (!valid && (p->flags_ & WEIR_SSE_REPAIR) != 0)) {
        *stop = in->ptr + line;
        p->state_ |= high ? HIGH : 0;
        return false;
    }
    item->kind = WEIR_SSE_EVENT;
    item->flags = valid ? WEIR_SSE_UTF8 : 0;
    item->type = weiri_sse_message();
    item->data = data;
    item->id = weiri_sse_id(p, 0);
    item->retry_ms = 0;
    item->err = 0;
    in->ptr += line + end;
    in->len = left - end;
    p->offset_ += line + end;
    return true;
}

/* An input of few bytes that brings nothing but more of a value that is data: true if it was taken. Only a
 * line that is passed over can be longer than max_line. */
static bool more_data(weir_sse_parser *p, weir_in *in)
{
    uint64_t all = 0;
    if (in->len > FEW || in->len == 0 || p->line_ != LINE_VALUE || p->field_ != FIELD_DATA ||
        (p->state_ & (SEPARATOR | PARTED | SKIPPING | SKIP_LF | ENDED)) != 0 ||
        in->len > p->max_event_ - p->data_len_ || in->len > p->max_line_ - p->line_len_)
        return false;
    uint8_t *to = weiri_sse_data_area(p) + p->data_len_;
    size_t at = 0;
    for (; in->len - at >= 8; at += 8) {
        uint64_t word = weiri_word(in->ptr + at);
        if (weiri_word_ends(word) != 0)
            return false;
        memcpy(to + at, &word, sizeof word);
        all |= word;
    }
    for (; at < in->len; at++) {
        if (weiri_is_line_end(in->ptr[at]))
            return false;
        to[at] = in->ptr[at];
        all |= to[at];
    }
    p->state_ |= weiri_word_wide(all) != 0 ? HIGH : 0;
    p->data_len_ += in->len;
    p->line_len_ += in->len;
    p->offset_ += in->len;
    in->ptr += in->len;
    in->len = 0;
    return true;
}

int weir_sse_next(weir_sse_parser *p, weir_in *in, weir_sse_item *item)
{
    uint8_t *stop = NULL;
    if (p->line_ == LINE_BEGIN) {
        if (plain_event(p, in, item, &stop))
            return WEIR_SSE_EVENT;
    } else if (more_data(p, in)) {
        return 0;
    }
    return weiri_sse_parse(p, in, item, stop);
}
