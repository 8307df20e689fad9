/* SPDX-License-Identifier: MIT */
/* reply.c - floor 2: replies (RFC 9112 4). */
#include "http.h"

#include "base/ascii.h"

const char *weir_http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {103, "Early Hints"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

bool weiri_http_field_valid(const weir_http_field *field)
{
    weir_str value = field->value;
    if (!weiri_all(field->name, WEIRI_TOKEN))
        return false;
    if (value.len == 0)
        return true;
    return weiri_all(value, WEIRI_VALUE) && weiri_trim(value).len == value.len;
}

void weiri_http_field_put(weiri_sink *sink, const weir_http_field *field)
{
    weiri_sink_put(sink, field->name);
    weiri_sink_put(sink, WEIRI_TEXT(": "));
    weiri_sink_put(sink, field->value);
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
}

static bool reply_bodiless(const weir_http_reply *reply)
{
    return reply->status < 200 || reply->status == 204 || reply->status == 304;
}

/* RFC 9110 15.3.6: a 205 must have no body either, but says so with a length of 0. */
static bool reply_empty(const weir_http_reply *reply)
{
    return reply_bodiless(reply) || reply->status == 205;
}

/* RFC 9110 8.6: never in 1xx and 204; in 304 it would speak of a body that we do not know. */
static bool reply_sized(const weir_http_reply *reply)
{
    return (reply->flags & WEIR_HTTP_NO_LENGTH) == 0 && !reply_bodiless(reply);
}

static const weiri_http_extra no_extra = {"", {NULL, 0}};

static void extra_put(weiri_sink *sink, const weiri_http_extra *extra)
{
    weiri_sink_text(sink, extra->lines);
    if (extra->allow_origin.ptr != NULL) {
        weir_http_field origin = {weir_cstr("Access-Control-Allow-Origin"), extra->allow_origin};
        weiri_http_field_put(sink, &origin);
        if (!weir_str_is(extra->allow_origin, "*"))
            weiri_sink_put(sink, WEIRI_TEXT("Vary: Origin\r\n"));
    }
}

static void reply_put(weiri_sink *sink, const weir_http_reply *reply, const weiri_http_extra *extra)
{
    weiri_sink_put(sink, WEIRI_TEXT("HTTP/1.1 "));
    weiri_sink_number(sink, reply->status, 10);
    weiri_sink_put(sink, WEIRI_TEXT(" "));
    weiri_sink_text(sink, weir_http_reason(reply->status));
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    extra_put(sink, extra);
    for (size_t i = 0; i < reply->field_count; i++)
        weiri_http_field_put(sink, &reply->fields[i]);
    if (reply_sized(reply)) {
        weiri_sink_put(sink, WEIRI_TEXT("Content-Length: "));
        weiri_sink_number(sink, reply->body.len, 10);
        weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    }
    if ((reply->flags & WEIR_HTTP_CLOSE) != 0)
        weiri_sink_put(sink, WEIRI_TEXT("Connection: close\r\n"));
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    if ((reply->flags & WEIR_HTTP_HEAD_ONLY) == 0)
        weiri_sink_put(sink, reply->body);
}

int weiri_http_reply_write(weir_out *out, const weir_http_reply *reply, const weiri_http_extra *extra)
{
    weir_http_field origin = {weir_cstr("x"), extra->allow_origin};
    if (!weiri_http_field_valid(&origin))
        return WEIR_ERR_FIELD;
    if (!weiri_http_fields_valid(reply->fields, reply->field_count))
        return WEIR_ERR_FIELD;
    weiri_sink measure = {NULL, 0};
    reply_put(&measure, reply, extra);
    weiri_sink sink;
    if (weiri_sink_claim(out, measure.len, &sink) != 0)
        return WEIR_ERR_SPACE;
    reply_put(&sink, reply, extra);
    return 0;
}

size_t weir_http_reply_size(const weir_http_reply *reply)
{
    weiri_sink measure = {NULL, 0};
    reply_put(&measure, reply, &no_extra);
    return measure.len;
}

int weir_http_reply_write(weir_out *out, const weir_http_reply *reply)
{
    if (reply->status < 100 || reply->status > 999 || (reply_empty(reply) && reply->body.len != 0))
        return WEIR_ERR_ARG;
    return weiri_http_reply_write(out, reply, &no_extra);
}

#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"

int weir_http_error_reply(weir_out *out, int err, const weir_http_reply *more)
{
    static const weir_http_reply nothing = {0, 0, NULL, 0, {NULL, 0}};
    const weir_err_info *info = weir_err_lookup(err);
    weir_http_reply reply = more != NULL ? *more : nothing;
    weiri_http_extra extra = {PLAIN, {NULL, 0}};
    reply.status = info->status != 0 ? info->status : 500;
    reply.flags = (reply.flags & WEIR_HTTP_HEAD_ONLY) | WEIR_HTTP_CLOSE;
    reply.body = weir_cstr(info->status != 0 ? info->text : "internal error");

    weir_str allow;
    weir_http_fields given = {{NULL, 0}, reply.fields, reply.field_count};
    if (reply.status == 405 && !weir_http_fields_find(&given, "allow", &allow))
        extra.lines = err == WEIR_ERR_WS_METHOD ? PLAIN "Allow: GET\r\n" : PLAIN "Allow: GET, HEAD\r\n";
    if (reply.status == 426) /* RFC 9110 7.8: whoever sends Upgrade names it in Connection too */
        extra.lines = PLAIN "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    return weiri_http_reply_write(out, &reply, &extra);
}
