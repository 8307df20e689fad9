/* SPDX-License-Identifier: MIT */
/*
 * log.c - floor 3: the replay log of an event stream, a ring of records in the caller's memory.
 *
 * A record is a header, the ID and the bytes, and lies in one piece: what does not fit behind the newest
 * goes to the beginning, and wrap_ remembers where the records left behind end. So the records fill
 *
 *     [head_, tail_)                      while wrap_ is 0
 *     [head_, wrap_) and [0, tail_)       otherwise; then tail_ <= head_
 *
 * Events are numbered from 0 on. A reader is the number of the event it wants next and the place of its
 * record. The place is where the newest record ended when the reader came there; the record that came then
 * lies there, or at 0 if that is where the ring wrapped, or at head_ if it is the oldest by now (which
 * covers rings that were emptied or unwrapped meanwhile). A number below first_ has been overtaken.
 */
#include "weir/sse.h"

#include <string.h>

typedef struct record {
    uint64_t time;
    uint64_t before; /* bytes of all events before this one */
    size_t id_len;
    size_t len;
} record;

/* The header is what WEIR_SSE_LOG_OVERHEAD says, or less where size_t is smaller. */
typedef char log_header_fits[sizeof(record) <= WEIR_SSE_LOG_OVERHEAD ? 1 : -1];

static record record_at(const weir_sse_log *log, size_t at)
{
    record r;
    memcpy(&r, log->memory_ + at, sizeof r);
    return r;
}

static size_t record_size(const record *r)
{
    return sizeof *r + r->id_len + r->len;
}

static size_t log_after(const weir_sse_log *log, size_t at, const record *r)
{
    at += record_size(r);
    return log->wrap_ != 0 && at == log->wrap_ ? 0 : at;
}

static void log_drop_oldest(weir_sse_log *log)
{
    record r = record_at(log, log->head_);
    size_t next = log_after(log, log->head_, &r);
    if (next == 0)
        log->wrap_ = 0;
    log->head_ = next;
    log->first_++;
    if (log->first_ == log->next_)
        log->head_ = log->tail_ = log->wrap_ = 0;
}

static void log_drop_old(weir_sse_log *log, uint64_t now)
{
    while (log->cfg_.max_age_ms != 0 && log->first_ != log->next_) {
        uint64_t time = record_at(log, log->head_).time;
        if (now <= time || now - time <= log->cfg_.max_age_ms)
            break;
        log_drop_oldest(log);
    }
}

/* Makes room for a record behind the newest, and goes there. */
static void log_make_room(weir_sse_log *log, size_t need)
{
    for (;;) {
        if (log->wrap_ != 0 ? log->head_ - log->tail_ >= need : log->size_ - log->tail_ >= need)
            return;
        if (log->wrap_ == 0 && log->head_ >= need) {
            log->wrap_ = log->tail_;
            log->tail_ = 0;
            return;
        }
        log_drop_oldest(log); /* an empty ring has room */
    }
}

int weir_sse_log_init_(weir_sse_log *log, uint32_t layout, void *memory, size_t size,
                       const weir_sse_log_cfg *cfg)
{
    if (layout != WEIR_LAYOUT_OF(*log))
        return WEIR_ERR_LAYOUT;
    memset(log, 0, sizeof *log);
    if (memory == NULL || size < sizeof(record))
        return WEIR_ERR_ARG;
    log->memory_ = memory;
    log->size_ = size;
    if (cfg != NULL)
        log->cfg_ = *cfg;
    return 0;
}

int weir_sse_log_put(weir_sse_log *log, weir_str id, weir_str bytes, uint64_t now)
{
    size_t room = log->size_ - sizeof(record);
    if (id.len > room || bytes.len > room - id.len)
        return WEIR_ERR_SPACE;
    log_drop_old(log, now);
    while (log->cfg_.max_events != 0 && log->next_ - log->first_ >= log->cfg_.max_events)
        log_drop_oldest(log);
    record r = {now, log->bytes_, id.len, bytes.len};
    log_make_room(log, record_size(&r));

    uint8_t *at = log->memory_ + log->tail_;
    memcpy(at, &r, sizeof r);
    if (id.len != 0)
        memcpy(at + sizeof r, id.ptr, id.len);
    if (bytes.len != 0)
        memcpy(at + sizeof r + id.len, bytes.ptr, bytes.len);
    log->tail_ += record_size(&r);
    log->next_++;
    log->bytes_ += bytes.len;
    return 0;
}

void weir_sse_log_begin(const weir_sse_log *log, weir_sse_reader *reader)
{
    *reader = (weir_sse_reader){log->first_, log->head_};
}

void weir_sse_log_end(const weir_sse_log *log, weir_sse_reader *reader)
{
    *reader = (weir_sse_reader){log->next_, log->tail_};
}

int weir_sse_log_seek(weir_sse_log *log, weir_str id, uint64_t now, weir_sse_reader *reader)
{
    int rv = WEIR_SSE_LOG_GAP;
    log_drop_old(log, now);
    weir_sse_log_begin(log, reader);
    weir_sse_reader walk = *reader;
    while (walk.number_ != log->next_) {
        record r = record_at(log, walk.at_);
        bool found = id.len != 0 && r.id_len == id.len &&
                     memcmp(log->memory_ + walk.at_ + sizeof r, id.ptr, id.len) == 0;
        walk.at_ = log_after(log, walk.at_, &r);
        walk.number_++;
        if (found) {
            *reader = walk;
            rv = 0;
        }
    }
    return rv;
}

/* Where the event that the reader wants lies, which must be in the log. */
static size_t reader_at(const weir_sse_log *log, const weir_sse_reader *reader)
{
    if (reader->number_ == log->first_)
        return log->head_;
    return log->wrap_ != 0 && reader->at_ == log->wrap_ ? 0 : reader->at_;
}

int weir_sse_log_next(const weir_sse_log *log, weir_sse_reader *reader, weir_str *bytes)
{
    *bytes = (weir_str){NULL, 0};
    if (reader->number_ >= log->next_)
        return 0;
    if (reader->number_ < log->first_) {
        weir_sse_log_begin(log, reader);
        return WEIR_SSE_LOG_GAP;
    }
    size_t at = reader_at(log, reader);
    record r = record_at(log, at);
    *bytes = (weir_str){log->memory_ + at + sizeof r + r.id_len, r.len};
    /* Not log_after: behind the newest there is no record yet, and the ring may wrap before it comes. */
    *reader = (weir_sse_reader){reader->number_ + 1, at + record_size(&r)};
    return WEIR_SSE_LOG_EVENT;
}

uint64_t weir_sse_log_behind(const weir_sse_log *log, const weir_sse_reader *reader, uint64_t *bytes)
{
    uint64_t there = 0, missed = 0;
    if (reader->number_ < log->next_) {
        missed = log->next_ - reader->number_;
        weir_sse_reader first = *reader;
        if (first.number_ < log->first_)
            weir_sse_log_begin(log, &first);
        if (first.number_ != log->next_)
            there = log->bytes_ - record_at(log, reader_at(log, &first)).before;
    }
    if (bytes != NULL)
        *bytes = there;
    return missed;
}
