/* SPDX-License-Identifier: MIT */
/* request.c - floor 2: requests (RFC 9112 3). */
#include "http.h"

#include "base/ascii.h"

void weiri_http_request_line_put(weiri_sink *sink, const char *method, const weir_http_uri *uri)
{
    weiri_sink_text(sink, method);
    weiri_sink_put(sink, WEIRI_TEXT(" "));
    weiri_sink_put(sink, uri->path);
    if (uri->query.ptr != NULL) {
        weiri_sink_put(sink, WEIRI_TEXT("?"));
        weiri_sink_put(sink, uri->query);
    }
    weiri_sink_put(sink, WEIRI_TEXT(" HTTP/1.1\r\nHost: "));
    weiri_sink_put(sink, uri->authority);
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
}

static void request_put(weiri_sink *sink, const weir_http_request *request)
{
    weiri_http_request_line_put(sink, request->method, request->uri);
    for (size_t i = 0; i < request->field_count; i++)
        weiri_http_field_put(sink, &request->fields[i]);
    if (request->body.ptr != NULL) {
        weiri_sink_put(sink, WEIRI_TEXT("Content-Length: "));
        weiri_sink_number(sink, request->body.len, 10);
        weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    }
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    if (request->body.ptr != NULL)
        weiri_sink_put(sink, request->body);
}

bool weiri_http_fields_valid(const weir_http_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!weiri_http_field_valid(&fields[i]))
            return false;
    return true;
}

size_t weir_http_request_size(const weir_http_request *request)
{
    weiri_sink measure = {NULL, 0};
    request_put(&measure, request);
    return measure.len;
}

int weir_http_request_write(weir_out *out, const weir_http_request *request)
{
    if (!weiri_all(weir_cstr(request->method), WEIRI_TOKEN) ||
        !weiri_http_fields_valid(request->fields, request->field_count))
        return WEIR_ERR_FIELD;
    weiri_sink sink;
    if (weiri_sink_claim(out, weir_http_request_size(request), &sink) != 0)
        return WEIR_ERR_SPACE;
    request_put(&sink, request);
    return 0;
}
