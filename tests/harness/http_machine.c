/* SPDX-License-Identifier: MIT */
/* http_machine.c - a machine over a stream of HTTP messages: heads and bodies in turn. */
#include "check.h"
#include "http_machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void http_start(void *arg)
{
    http_machine *self = arg;
    self->in_body = self->behind = self->inside = false;
    self->err = 0;
    memset(&self->http, 0xA5, sizeof self->http);
    memset(self->storage, 0xA5, self->storage_len);
    if (weir_http_init(&self->http, self->kind, self->storage, self->storage_len, &self->cfg) != 0)
        abort();
}

static void http_log_head(const http_machine *self, const weir_http_head *head, log *l)
{
    static const char *const framings[] = {"no-body", "sized", "chunked", "until-close"};
    const char *keep = head->keep_alive ? "keep" : "close";
    char framing[48];
    if (head->framing == WEIR_HTTP_SIZED)
        snprintf(framing, sizeof framing, "sized %" PRIu64, head->body_len);
    else
        snprintf(framing, sizeof framing, "%s", framings[head->framing]);

    if (head->kind == WEIR_HTTP_REQUEST)
        log_line(l, "request %s %s HTTP/1.%u host %s fields %zu %s %s",
                 log_quote(head->method.ptr, head->method.len), log_quote(head->target.ptr, head->target.len),
                 head->minor, log_quote(head->host.ptr, head->host.len), head->field_count, framing, keep);
    else
        log_line(l, "response %u %s HTTP/1.%u fields %zu %s %s", head->status,
                 log_quote(head->reason.ptr, head->reason.len), head->minor, head->field_count, framing,
                 keep);

    weir_http_fields walk = head->fields;
    weir_http_field field;
    size_t count = 0;
    for (; weir_http_fields_next(&walk, &field); count++)
        if (self->show_fields)
            log_line(l, "field %s %s", log_quote(field.name.ptr, field.name.len),
                     log_quote(field.value.ptr, field.value.len));
    if (count != head->field_count)
        log_line(l, "but the walk finds %zu fields", count);
}

static void http_log_error(http_machine *self, int err, uint64_t offset, log *l)
{
    self->err = err;
    log_line(l, "error %s at %" PRIu64, weir_err_lookup(err)->name, offset);
}

static bool is_zero(const void *object, size_t size)
{
    const uint8_t *bytes = object;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* One message's head. False when more input is needed or nothing goes on. */
static bool http_head(http_machine *self, weir_in *in, log *l)
{
    weir_http_head head;
    weir_in before = *in;
    memset(&head, 0xDD, sizeof head);
    int rv = weir_http_next(&self->http, in, &head);
    uint64_t offset = 0;
    if (rv != 1 && !is_zero(&head, sizeof head))
        log_line(l, "but there is something in a head that is none");
    if (rv < 0) {
        if (weir_http_error(&self->http, &offset) != rv)
            log_line(l, "but weir_http_error says otherwise");
        http_log_error(self, rv, offset, l);
        return false;
    }
    size_t taken = before.len - in->len;
    if (weir_http_error(&self->http, NULL) != 0 ||
        (taken != 0 ? in->ptr != before.ptr + taken : in->ptr != before.ptr))
        log_line(l, "but the cursor or the error are wrong");
    if (rv == 0) {
        if (in->len != 0 || head.kind != 0)
            log_line(l, "but input is left or a head is given");
        self->inside = self->inside || before.len != 0;
        return false;
    }
    self->inside = false;
    http_log_head(self, &head, l);
    self->behind = self->raw_behind;
    self->in_body = head.framing != WEIR_HTTP_NO_BODY && !self->behind;
    if (self->in_body)
        weir_http_body_init(&self->body, head.framing, head.body_len);
    return true;
}

static bool http_body(http_machine *self, weir_in *in, log *l)
{
    weir_str data;
    int rv = weir_http_body_next(&self->body, in, &data);
    if (rv == WEIR_HTTP_BODY_DATA) {
        log_bytes(l, "body", data.ptr, data.len);
    } else if (rv == WEIR_HTTP_BODY_END) {
        log_line(l, "end");
        self->in_body = false;
    } else if (rv < 0) {
        log_line(l, "error %s in body", weir_err_lookup(rv)->name);
        self->err = rv;
    }
    return rv > 0;
}

static void http_feed(void *arg, uint8_t *bytes, size_t len, log *l)
{
    http_machine *self = arg;
    weir_in in = {bytes, len};
    bool go_on = true;
    while (go_on && self->err == 0 && !self->behind)
        go_on = self->in_body ? http_body(self, &in, l) : http_head(self, &in, l);
    if (self->behind && in.len != 0)
        log_bytes(l, "behind", in.ptr, in.len);
}

static void http_finish(void *arg, log *l)
{
    http_machine *self = arg;
    weir_http_head head;
    weir_str data;
    uint8_t byte = 'x';
    weir_in in = {&byte, 1};
    if (self->err != 0) {
        int again = self->in_body ? weir_http_body_next(&self->body, &in, &data)
                                  : weir_http_next(&self->http, &in, &head);
        if (again != self->err)
            log_line(l, "but the error is not sticky");
    } else if (self->in_body) {
        int rv = weir_http_body_eof(&self->body);
        log_line(l, "%s", rv == WEIR_HTTP_BODY_END ? "end" : rv == WEIR_ERR_HTTP_BODY_CUT ? "cut" : "?");
    } else if (self->inside) {
        log_line(l, "more");
    }
}

static size_t http_number(const vector *v, const char *key, size_t otherwise)
{
    const char *value = v == NULL ? NULL : vector_get(v, key);
    return value == NULL ? otherwise : (size_t)strtoull(value, NULL, 10);
}

static bool http_key_is(const vector *v, const char *key, const char *wanted)
{
    const char *value = v == NULL ? NULL : vector_get(v, key);
    return value != NULL && strcmp(value, wanted) == 0;
}

machine http_machine_new(http_machine *self, const vector *v)
{
    memset(self, 0, sizeof *self);
    self->kind = http_key_is(v, "kind", "response") ? WEIR_HTTP_RESPONSE : WEIR_HTTP_REQUEST;
    self->storage_len = http_number(v, "storage", 8192);
    self->cfg.max_target = http_number(v, "max_target", 0);
    self->cfg.max_fields = http_number(v, "max_fields", 0);
    self->show_fields = http_key_is(v, "show", "fields");
    self->raw_behind = http_key_is(v, "after", "raw");
    self->storage = guard_copy(NULL, self->storage_len, false);
    return (machine){http_start, http_feed, http_finish, self};
}

void http_machine_free(http_machine *self)
{
    guard_free(self->storage);
}

static size_t http_failures;

static void http_vector(const vector *v)
{
    http_machine self;
    machine m = http_machine_new(&self, v);
    http_failures += !machine_agrees(&m, v->title, v->stream, v->len, v->expected);
    http_machine_free(&self);
}

void http_vectors_check(const char *file)
{
    http_failures = 0;
    size_t count = vectors_each(file, http_vector);
    if (http_failures != 0)
        fail_msg("%s: %zu of %zu vectors fail", file, http_failures, count);
}
