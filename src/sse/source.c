/* SPDX-License-Identifier: MIT */
/*
 * source.c - floor 3: the event source, the client's side of WHATWG HTML 9.2.3 without sockets or clock.
 *
 *     WAITING ----> ASKED ----> STREAM ----> ENDING ----> WAITING ...
 *        ^            |            |
 *        +--- redirect, failure ---+         any of them ----> FINISHED, from ASKED by way of REFUSAL
 *
 * `at_` is when the present state is over: the wait, the time for the response, the silence. leave_ says that
 * the program still has a connection of which it has not been told to let go; a redirect needs no such
 * telling, since WEIR_SSE_CONNECT implies it.
 *
 * The storage holds two places for the URLs of redirects (the next is made from the one before), then the
 * parser's. While a response's head is read no event is under way, so the head lies where data will lie.
 */
#include "source.h"

#include "base/bytes.h"
#include "base/entropy.h"
#include "http/http.h"
#include "parse.h"

#include <string.h>

#define HEAD_MIN 256

/* ---- Set-up ------------------------------------------------------------------------------------- */

void weir_sse_source_cfg_init_(weir_sse_source_cfg *cfg, size_t size)
{
    weir_sse_source_cfg defaults;
    memset(&defaults, 0, sizeof defaults);
    defaults.size = (uint32_t)size;
    defaults.body_type = "application/json";
    defaults.retry_ms = 3000;
    defaults.retry_min_ms = 100;
    defaults.retry_max_ms = 300000;
    defaults.backoff_max_ms = 30000;
    defaults.stable_ms = 10000;
    defaults.response_ms = 30000;
    defaults.max_redirects = 20;
    defaults.max_url = 2048;
    memcpy(cfg, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

/* Fields that weir writes itself, or that would make the request another one than it writes. */
static bool fields_allowed(const weir_sse_source_cfg *cfg)
{
    static const char *const own[] = {"host", "last-event-id", "content-length", "transfer-encoding"};
    for (size_t i = 0; i < cfg->field_count; i++)
        for (size_t j = 0; j < sizeof own / sizeof *own; j++)
            if (weir_str_is_nocase(cfg->fields[i].name, own[j]))
                return false;
    return weiri_http_fields_valid(cfg->fields, cfg->field_count);
}

static uint64_t clamp(const weir_sse_source *s, uint64_t retry)
{
    if (retry > s->cfg_.retry_max_ms)
        retry = s->cfg_.retry_max_ms;
    return retry < s->cfg_.retry_min_ms ? s->cfg_.retry_min_ms : retry;
}

int weir_sse_source_init_(weir_sse_source *s, uint32_t layout, void *storage, size_t storage_len,
                          const weir_sse_source_cfg *cfg)
{
    const uint32_t known = WEIR_SSE_ONCE | WEIR_SSE_RETRY_BUSY | WEIR_SSE_REFUSAL_BODY | WEIR_SSE_KEEP_FIELDS;
    if (layout != WEIR_LAYOUT_OF(*s) || cfg->size != sizeof *cfg)
        return WEIR_ERR_LAYOUT;
    memset(s, 0, sizeof *s);
    s->state_ = SOURCE_FINISHED;
    if ((cfg->flags & ~known) != 0 || cfg->body_type == NULL || cfg->retry_min_ms > cfg->retry_max_ms)
        return WEIR_ERR_ARG;
    if (weir_http_uri_parse(cfg->url, &s->uri_) != 0 || s->uri_.websocket)
        return WEIR_ERR_URI;
    weir_http_field type = {weir_cstr("Content-Type"), weir_cstr(cfg->body_type)};
    if (!fields_allowed(cfg) || !weiri_http_field_valid(&type))
        return WEIR_ERR_FIELD;

    if (storage == NULL || storage_len / 2 < cfg->max_url)
        return WEIR_ERR_SPACE;
    size_t urls = 2 * (size_t)cfg->max_url;
    s->urls_ = storage;
    int rv = weir_sse_parser_init(&s->parser_, s->urls_ + urls, storage_len - urls, &cfg->parser);
    if (rv == 0 && s->parser_.max_event_ < HEAD_MIN)
        rv = WEIR_ERR_SPACE;
    if (rv != 0)
        return rv;
    s->cfg_ = *cfg;
    s->retry_ = clamp(s, cfg->retry_ms);
    s->state_ = SOURCE_WAITING;
    return 0;
}

/* ---- Endings ------------------------------------------------------------------------------------ */

static uint64_t later(uint64_t time, uint64_t span)
{
    return time > UINT64_MAX - span ? UINT64_MAX : time + span;
}

static uint64_t deadline(const weir_sse_source *s, uint64_t span)
{
    return span != 0 ? later(s->now_, span) : UINT64_MAX;
}

static void finish(weir_sse_source *s, int err)
{
    s->state_ = SOURCE_FINISHED;
    s->err_ = err;
}

/* The reconnection time, doubled for each failure after the first, and up to a quarter more. */
static uint64_t source_wait(weir_sse_source *s)
{
    uint64_t wait = s->retry_;
    uint8_t random[4];
    for (uint32_t i = 1; i < s->failures_ && wait != 0 && wait < s->cfg_.backoff_max_ms; i++)
        wait = wait <= s->cfg_.backoff_max_ms / 2 ? wait * 2 : s->cfg_.backoff_max_ms;
    if (s->cfg_.entropy != NULL && weiri_entropy_key(s->cfg_.entropy, random) == 0) {
        uint64_t quarter = wait / 4 < UINT32_MAX ? wait / 4 : UINT32_MAX;
        wait = later(wait, quarter * weiri_load32(random) >> 32);
    }
    return wait;
}

/* The attempt is over, and `failed` unless the stream was of use; another one may follow. */
static void attempt_end(weir_sse_source *s, int err, bool failed, uint64_t wait_min)
{
    s->failures_ = failed ? s->failures_ + 1 : 0;
    if ((s->cfg_.flags & WEIR_SSE_ONCE) != 0) {
        finish(s, err);
        return;
    }
    if (s->cfg_.max_attempts != 0 && s->failures_ >= s->cfg_.max_attempts) {
        finish(s, err != 0 ? err : WEIR_ERR_SSE_LOST); /* also a stream that ended whole may be a failure */
        return;
    }
    uint64_t wait = source_wait(s);
    s->err_ = err;
    s->state_ = SOURCE_WAITING;
    s->leave_ = true;
    s->at_ = later(s->now_, wait > wait_min ? wait : wait_min);
}

/* The body has ended, whole or not. Nothing is due until the program has taken what the parser still says. */
static void stream_end(weir_sse_source *s, int err)
{
    s->state_ = SOURCE_ENDING;
    s->err_ = err;
    s->at_ = UINT64_MAX;
    if (err != 0) /* what a cut body ends with is no end of an event, whatever WEIR_SSE_FLUSH says */
        s->parser_.flags_ &= (uint8_t)~WEIR_SSE_FLUSH;
}

/* What the parser has to say at the end, then the end of the attempt. */
static int ending(weir_sse_source *s, weir_sse_item *item)
{
    int rv = weir_sse_eof(&s->parser_, item);
    if (rv > 0) {
        s->fruitful_ = s->fruitful_ || rv == WEIR_SSE_EVENT;
        if (rv == WEIR_SSE_RETRY)
            s->retry_ = clamp(s, item->retry_ms);
        return rv;
    }
    bool useful = s->fruitful_ || s->now_ - s->opened_ >= s->cfg_.stable_ms;
    if (rv < 0)
        finish(s, rv);
    else
        attempt_end(s, s->err_, !useful, 0);
    return 0;
}

/* ---- Time --------------------------------------------------------------------------------------- */

static void source_clock(weir_sse_source *s, uint64_t now)
{
    if (now > s->now_)
        s->now_ = now;
}

static void attempt_begin(weir_sse_source *s)
{
    if (!s->redirected_) {
        s->redirects_ = 0;
        s->foreign_ = s->get_ = false;
        (void)weir_http_uri_parse(s->cfg_.url, &s->uri_); /* as at init */
    }
    s->state_ = SOURCE_ASKED;
    s->leave_ = s->redirected_ = s->fruitful_ = false;
    s->interims_ = 0;
    memset(&s->response_, 0, sizeof s->response_); /* the latest may lie in input that is gone */
    s->at_ = deadline(s, s->cfg_.response_ms);
    (void)weir_http_init(&s->head_, WEIR_HTTP_RESPONSE, weiri_sse_data_area(&s->parser_),
                         s->parser_.max_event_, NULL);
}

weir_sse_step weir_sse_source_poll(weir_sse_source *s, uint64_t now)
{
    weir_sse_item item;
    source_clock(s, now);
    bool due = s->at_ != UINT64_MAX && s->now_ >= s->at_;
    if (due && s->state_ == SOURCE_ASKED) {
        attempt_end(s, WEIR_ERR_SSE_SILENT, true, 0);
    } else if (due && s->state_ == SOURCE_STREAM) {
        stream_end(s, WEIR_ERR_SSE_SILENT);
        while (ending(s, &item) > 0) /* at most WEIR_SSE_ABORTED */
            ;
    } else if (due && s->state_ == SOURCE_REFUSAL) {
        finish(s, s->err_);
    }
    if (s->state_ == SOURCE_FINISHED)
        return WEIR_SSE_FINISHED;
    if (s->state_ == SOURCE_WAITING && s->now_ >= s->at_) {
        attempt_begin(s);
        return WEIR_SSE_CONNECT;
    }
    bool leave = s->leave_;
    s->leave_ = false;
    return leave ? WEIR_SSE_DISCONNECT : WEIR_SSE_CARRY_ON;
}

uint64_t weir_sse_source_deadline(const weir_sse_source *s)
{
    return s->state_ == SOURCE_FINISHED ? UINT64_MAX : s->leave_ ? 0 : s->at_;
}

/* ---- Input -------------------------------------------------------------------------------------- */

static void input_drop(weir_in *in)
{
    in->ptr = in->len != 0 ? in->ptr + in->len : in->ptr;
    in->len = 0;
}

static int refused(weir_sse_source *s, int err, weir_sse_item *item)
{
    finish(s, err);
    if ((s->cfg_.flags & WEIR_SSE_REFUSAL_BODY) != 0) {
        s->state_ = SOURCE_REFUSAL;
        s->at_ = deadline(s, s->cfg_.response_ms);
    }
    memset(item, 0, sizeof *item);
    item->kind = WEIR_SSE_REFUSED;
    item->err = err;
    return WEIR_SSE_REFUSED;
}

static int opened(weir_sse_source *s, weir_sse_item *item)
{
    s->state_ = SOURCE_STREAM;
    s->err_ = 0;
    s->opened_ = s->now_;
    s->at_ = deadline(s, s->cfg_.idle_ms);
    weir_sse_restart(&s->parser_);
    s->parser_.flags_ = (uint8_t)s->cfg_.parser.flags;
    memset(item, 0, sizeof *item);
    item->kind = WEIR_SSE_OPEN;
    item->id = weir_sse_last_id(&s->parser_);
    return WEIR_SSE_OPEN;
}

static int asked_next(weir_sse_source *s, weir_in *in, weir_sse_item *item)
{
    int err = 0;
    uint64_t wait = 0;
    int rv = weir_http_next(&s->head_, in, &s->response_);
    if (rv < 0)
        attempt_end(s, rv, true, 0);
    if (rv <= 0)
        return 0;
    weiri_sse_verdict v = weiri_sse_judge(s, &err, &wait);
    if (v == VERDICT_INTERIM)
        return 0;
    if (v == VERDICT_LATER) {
        attempt_end(s, err, true, wait < s->cfg_.retry_max_ms ? wait : s->cfg_.retry_max_ms);
        return 0;
    }
    if (v == VERDICT_FOLLOW) {
        s->state_ = SOURCE_WAITING;
        s->redirected_ = true;
        s->at_ = 0;
        return 0;
    }
    weir_http_body_init(&s->body_, s->response_.framing, s->response_.body_len);
    return v == VERDICT_OPEN ? opened(s, item) : refused(s, err, item);
}

/* The parser takes the body's pieces from the input itself, since it may stop inside one. Goes on until the
 * body says that it needs more, so that an end behind the last byte is noticed with it. */
static int stream_next(weir_sse_source *s, weir_in *in, weir_sse_item *item)
{
    size_t len;
    int rv = 0;
    while (rv == 0) {
        int body = weiri_http_body_peek(&s->body_, in, &len);
        if (body != WEIR_HTTP_BODY_DATA) {
            if (body != 0)
                stream_end(s, body < 0 ? body : 0);
            return 0;
        }
        weir_in piece = {in->ptr, len};
        rv = weir_sse_next(&s->parser_, &piece, item);
        weiri_http_body_take(&s->body_, in, len - piece.len);
    }
    if (rv == WEIR_SSE_RETRY)
        s->retry_ = clamp(s, item->retry_ms);
    if (rv == WEIR_SSE_EVENT || rv == WEIR_SSE_PART)
        s->fruitful_ = true;
    if (rv < 0)
        finish(s, rv);
    return rv > 0 ? rv : 0;
}

static int refusal_next(weir_sse_source *s, weir_in *in, weir_sse_item *item)
{
    weir_str data;
    int rv = weir_http_body_next(&s->body_, in, &data);
    if (rv != WEIR_HTTP_BODY_DATA) {
        if (rv != 0)
            finish(s, s->err_);
        return 0;
    }
    memset(item, 0, sizeof *item);
    item->kind = WEIR_SSE_BODY;
    item->data = data;
    return WEIR_SSE_BODY;
}

int weir_sse_source_next(weir_sse_source *s, weir_in *in, uint64_t now, weir_sse_item *item)
{
    int rv = 0;
    if (s->state_ == SOURCE_STREAM && in->len != 0)
        weir_sse_source_alive(s, now);
    source_clock(s, now);
    while (rv == 0) {
        switch (s->state_) {
        case SOURCE_ASKED:
            rv = asked_next(s, in, item);
            break;
        case SOURCE_STREAM:
            rv = stream_next(s, in, item);
            break;
        case SOURCE_REFUSAL:
            rv = refusal_next(s, in, item);
            break;
        case SOURCE_ENDING:
            rv = ending(s, item);
            break;
        default:
            input_drop(in);
            return 0;
        }
        /* A body of no bytes ends without any. */
        if (in->len == 0 && s->state_ != SOURCE_ENDING)
            break;
    }
    return rv;
}

int weir_sse_source_eof(weir_sse_source *s, uint64_t now, weir_sse_item *item)
{
    int rv;
    source_clock(s, now);
    switch (s->state_) {
    case SOURCE_ASKED:
        attempt_end(s, WEIR_ERR_SSE_LOST, true, 0);
        s->leave_ = false;
        return 0;
    case SOURCE_STREAM:
        rv = weir_http_body_eof(&s->body_);
        stream_end(s, rv < 0 ? rv : 0);
        break;
    case SOURCE_REFUSAL:
        finish(s, s->err_);
        break;
    default:
        break;
    }
    if (s->state_ != SOURCE_ENDING)
        return 0;
    rv = ending(s, item);
    s->leave_ = false; /* the connection is gone already */
    return rv;
}

void weir_sse_source_alive(weir_sse_source *s, uint64_t now)
{
    source_clock(s, now);
    if (s->state_ == SOURCE_STREAM)
        s->at_ = deadline(s, s->cfg_.idle_ms);
    else if (s->state_ == SOURCE_ASKED || s->state_ == SOURCE_REFUSAL)
        s->at_ = deadline(s, s->cfg_.response_ms);
}

void weir_sse_source_close(weir_sse_source *s)
{
    finish(s, 0);
}

/* ---- What it knows ------------------------------------------------------------------------------ */

const weir_http_uri *weir_sse_source_uri(const weir_sse_source *s)
{
    return &s->uri_;
}

const weir_http_head *weir_sse_source_head(const weir_sse_source *s)
{
    return &s->response_;
}

int weir_sse_source_error(const weir_sse_source *s)
{
    return s->err_;
}

weir_str weir_sse_source_last_id(const weir_sse_source *s)
{
    return weir_sse_last_id(&s->parser_);
}

uint64_t weir_sse_source_retry(const weir_sse_source *s)
{
    return s->retry_;
}
