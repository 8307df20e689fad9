/* SPDX-License-Identifier: MIT */
/* response.c - floor 3: what an event source makes of a response (WHATWG HTML 9.2.3), and its requests. */
#include "source.h"

#include "base/ascii.h"
#include "http/http.h"

#define INTERIMS_MAX 16

/* ---- The request -------------------------------------------------------------------------------- */

static bool sends_body(const weir_sse_source *s)
{
    return s->cfg_.body.ptr != NULL && !s->get_;
}

/* Fields that say what the body is (Fetch: request-body-header names). */
static bool is_of_body(weir_str name)
{
    return weir_str_is_nocase(name, "content-type") || weir_str_is_nocase(name, "content-encoding") ||
           weir_str_is_nocase(name, "content-language") || weir_str_is_nocase(name, "content-location");
}

/* Does this field of the caller go to this host? Those of the body go where it goes, and no further (RFC 9110
 * 15.4). */
static bool field_goes(const weir_sse_source *s, weir_str name)
{
    if (s->cfg_.body.ptr != NULL && is_of_body(name))
        return sends_body(s);
    return !s->foreign_ || (s->cfg_.flags & WEIR_SSE_KEEP_FIELDS) != 0;
}

static bool has_field(const weir_sse_source *s, const char *name)
{
    for (size_t i = 0; i < s->cfg_.field_count; i++)
        if (weir_str_is_nocase(s->cfg_.fields[i].name, name))
            return field_goes(s, s->cfg_.fields[i].name);
    return false;
}

static void default_put(weiri_sink *sink, const weir_sse_source *s, const char *name, const char *value)
{
    weir_http_field field = {weir_cstr(name), weir_cstr(value)};
    if (!has_field(s, name))
        weiri_http_field_put(sink, &field);
}

static void source_request_put(weiri_sink *sink, const weir_sse_source *s)
{
    bool post = sends_body(s);
    weiri_http_request_line_put(sink, post ? "POST" : "GET", &s->uri_);
    default_put(sink, s, "Accept", "text/event-stream");
    default_put(sink, s, "Cache-Control", "no-cache");
    weir_http_field id = {weir_cstr("Last-Event-ID"), weir_sse_last_id(&s->parser_)};
    if (id.value.len != 0 && weiri_http_field_valid(&id) && weir_utf8_valid(id.value))
        weiri_http_field_put(sink, &id);
    for (size_t i = 0; i < s->cfg_.field_count; i++)
        if (field_goes(s, s->cfg_.fields[i].name))
            weiri_http_field_put(sink, &s->cfg_.fields[i]);
    if (post) {
        default_put(sink, s, "Content-Type", s->cfg_.body_type);
        weiri_sink_put(sink, WEIRI_TEXT("Content-Length: "));
        weiri_sink_number(sink, s->cfg_.body.len, 10);
        weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    }
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    if (post)
        weiri_sink_put(sink, s->cfg_.body);
}

size_t weir_sse_source_request_size(const weir_sse_source *source)
{
    weiri_sink measure = {NULL, 0};
    source_request_put(&measure, source);
    return measure.len;
}

int weir_sse_source_request(weir_sse_source *source, weir_out *out)
{
    weiri_sink sink;
    if (source->state_ != SOURCE_ASKED)
        return WEIR_ERR_STATE;
    if (weiri_sink_claim(out, weir_sse_source_request_size(source), &sink) != 0)
        return WEIR_ERR_SPACE;
    source_request_put(&sink, source);
    return 0;
}

/* ---- The response ------------------------------------------------------------------------------- */

/* text/event-stream, with any parameters, and not compressed: weir could not read it. */
static bool is_event_stream(weir_http_fields fields)
{
    weir_str value;
    weir_http_fields walk = fields;
    while (weir_http_fields_find(&walk, "content-encoding", &value))
        if (value.len != 0 && !weir_str_is_nocase(value, "identity"))
            return false;
    if (!weiri_http_field_only(fields, "content-type", &value))
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == ';')
            value.len = i;
    return weir_str_is_nocase(weiri_trim(value), "text/event-stream");
}

static bool same_origin(const weir_http_uri *a, const weir_http_uri *b)
{
    return a->secure == b->secure && a->port == b->port && weiri_equal_nocase(a->host, b->host);
}

/* The new URL goes to the one of two places where the old one is not. Returns 0 or the error. */
static int follow(weir_sse_source *s)
{
    weir_str location;
    weir_http_uri target, first;
    uint8_t *place = s->redirects_ % 2 == 0 ? s->urls_ : s->urls_ + s->cfg_.max_url;
    if (s->redirects_ >= s->cfg_.max_redirects ||
        !weiri_http_field_only(s->response_.fields, "location", &location))
        return WEIR_ERR_SSE_REDIRECT;
    size_t len = weiri_http_uri_resolve(&s->uri_, location, place, s->cfg_.max_url);
    if (len == 0)
        return WEIR_ERR_SSE_REDIRECT;
    (void)weir_http_uri_parse((weir_str){place, len}, &target); /* as when it was resolved, */
    (void)weir_http_uri_parse(s->cfg_.url, &first);             /* and at init */
    if (s->uri_.secure && !target.secure)
        return WEIR_ERR_SSE_REDIRECT;
    s->redirects_++;
    s->uri_ = target;
    s->foreign_ = s->foreign_ || !same_origin(&first, &target);
    s->get_ = s->get_ || s->response_.status <= 303;
    return 0;
}

/* Retry-After as seconds, in milliseconds; as a date it would need a calendar. What 64 bits cannot hold is
 * their most, as in a retry field. */
static uint64_t retry_after(weir_http_fields fields)
{
    weir_str value;
    uint64_t seconds;
    if (!weiri_http_field_only(fields, "retry-after", &value) || value.len == 0)
        return 0;
    for (size_t i = 0; i < value.len; i++)
        if (!weiri_is_digit(value.ptr[i]))
            return 0;
    bool fits = weiri_decimal(value, &seconds) && seconds < UINT64_MAX / 1000;
    return fits ? seconds * 1000 : UINT64_MAX;
}

weiri_sse_verdict weiri_sse_judge(weir_sse_source *s, int *err, uint64_t *wait)
{
    switch (s->response_.status) {
    case 200:
        *err = WEIR_ERR_SSE_MEDIA_TYPE;
        return is_event_stream(s->response_.fields) ? VERDICT_OPEN : VERDICT_REFUSED;
    case 204:
        *err = WEIR_ERR_SSE_STOPPED;
        return VERDICT_REFUSED;
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        *err = follow(s);
        return *err == 0 ? VERDICT_FOLLOW : VERDICT_REFUSED;
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        *err = WEIR_ERR_SSE_STATUS;
        *wait = retry_after(s->response_.fields);
        return s->cfg_.flags & WEIR_SSE_RETRY_BUSY ? VERDICT_LATER : VERDICT_REFUSED;
    default:
        *err = WEIR_ERR_SSE_STATUS;
        if (s->response_.status >= 200 || s->response_.status == 101 || ++s->interims_ > INTERIMS_MAX)
            return VERDICT_REFUSED;
        return VERDICT_INTERIM;
    }
}
