/* SPDX-License-Identifier: MIT */
/* machines_http.c - the readers of heads and bodies. */
#include "bounded.h"

#include "weir/http.h"

enum { STORAGE = 8192, MAX_TARGET = 64, MAX_FIELDS = 20 };

static void head_start(subject *s)
{
    weir_http *http = (void *)subject_area(s, "weir_http", sizeof *http);
    weir_http_kind kind = s->machine->variant == 0 ? WEIR_HTTP_REQUEST : WEIR_HTTP_RESPONSE;
    const weir_http_cfg cfg = {s->unbounded != 0 ? s->unbounded : MAX_TARGET,
                               s->unbounded != 0 ? s->unbounded : MAX_FIELDS};
    size_t room = s->unbounded != 0 ? s->unbounded : STORAGE;
    if (weir_http_init(http, kind, subject_area(s, "storage", room), room, &cfg) != 0)
        bounded_fail("weir_http_init");
}

static int head_step(subject *s, weir_in *in)
{
    weir_http *http = (void *)s->areas[0].ptr;
    weir_http_head head;
    int rv = weir_http_next(http, in, &head);
    if (rv > 0 && s->unbounded == 0) {
        if (head.kind == WEIR_HTTP_REQUEST)
            subject_mark(s, "request target", MAX_TARGET, head.target.len);
        subject_mark(s, "field lines", MAX_FIELDS, head.field_count);
    }
    return rv;
}

static void body_start(subject *s)
{
    weir_http_body *body = (void *)subject_area(s, "weir_http_body", sizeof *body);
    weir_http_body_init(body, WEIR_HTTP_CHUNKED, 0);
}

static int body_step(subject *s, weir_in *in)
{
    weir_http_body *body = (void *)s->areas[0].ptr;
    weir_str data;
    size_t before = in->len;
    int rv = weir_http_body_next(body, in, &data);
    if (rv == WEIR_HTTP_BODY_DATA) {
        s->delivered += data.len;
        subject_mark(s, "bytes reported beyond those taken", 0,
                     data.len > before - in->len ? data.len - (before - in->len) : 0);
    }
    if (rv == WEIR_HTTP_BODY_END) /* the next one */
        weir_http_body_init(body, WEIR_HTTP_CHUNKED, 0);
    return rv;
}

const machine machines_http[] = {
    {"HTTP request head", "head", false, 0, head_start, head_step, NULL},
    {"HTTP response head", "answer", false, 1, head_start, head_step, NULL},
    {"chunked body", "body", false, 0, body_start, body_step, NULL},
    {NULL, NULL, false, 0, NULL, NULL, NULL},
};
