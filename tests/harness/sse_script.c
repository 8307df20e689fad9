/* SPDX-License-Identifier: MIT */
/* sse_script.c - an event source with a clock and a server that follow a script. */
#include "sse_script.h"

#include "check.h"
#include "sse_machine.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { START = 5000, ROOM = 4096, REQUEST_MAX = 16384 };

/* ---- Requests ------------------------------------------------------------------------------------- */

static bool field_is_usual(const weir_http_field *field)
{
    return weir_str_is(field->name, "Host") ||
           (weir_str_is(field->name, "Accept") && weir_str_is(field->value, "text/event-stream")) ||
           (weir_str_is(field->name, "Cache-Control") && weir_str_is(field->value, "no-cache"));
}

static unsigned field_count(const weir_http_head *head, const char *name)
{
    weir_http_fields walk = head->fields;
    weir_str value;
    unsigned count = 0;
    while (weir_http_fields_find(&walk, name, &value))
        count++;
    return count;
}

static void text_add(char *text, const char *more)
{
    size_t len = strlen(text);
    snprintf(text + len, REQUEST_MAX - len, "%s", more);
}

/* The request as the server reads it. */
static void log_request(const sse_script *self, uint8_t *bytes, size_t len, log *l)
{
    static char text[REQUEST_MAX];
    static uint8_t storage[REQUEST_MAX];
    const weir_http_uri *uri = weir_sse_source_uri(&self->source);
    weir_http http;
    weir_http_head head;
    weir_http_field field;
    weir_in in = {bytes, len};
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
    int rv = weir_http_next(&http, &in, &head);
    if (rv != 1 || head.minor != 1) {
        log_line(l, "but the request is no request: %s", log_quote(bytes, len));
        return;
    }
    snprintf(text, sizeof text, "at %" PRIu64 " connect %.*s %u%s %.*s %s", self->now - START,
             (int)uri->host.len, (const char *)uri->host.ptr, (unsigned)uri->port, uri->secure ? " tls" : "",
             (int)head.method.len, (const char *)head.method.ptr,
             log_quote(head.target.ptr, head.target.len));
    for (weir_http_fields walk = head.fields; weir_http_fields_next(&walk, &field);) {
        if (field_is_usual(&field))
            continue;
        text_add(text, " ");
        text_add(text, log_quote(field.name.ptr, field.name.len));
        text_add(text, " ");
        text_add(text, log_quote(field.value.ptr, field.value.len));
    }
    if (in.len != 0) {
        text_add(text, " body ");
        text_add(text, log_quote(in.ptr, in.len));
    }
    log_line(l, "%s", text);
    if (field_count(&head, "accept") != 1 || field_count(&head, "cache-control") != 1 ||
        field_count(&head, "last-event-id") > 1)
        log_line(l, "but a field is missing or repeated");
    if (head.host.len != uri->authority.len || memcmp(head.host.ptr, uri->authority.ptr, head.host.len) != 0)
        log_line(l, "but Host is %s", log_quote(head.host.ptr, head.host.len));
    if (in.len != (head.framing == WEIR_HTTP_SIZED ? head.body_len : 0))
        log_line(l, "but the body has another length");
}

/* Room that is one byte short, then exactly enough. */
static void script_request(sse_script *self, log *l)
{
    size_t size = weir_sse_source_request_size(&self->source);
    assert_in_range(size, 2, REQUEST_MAX);
    uint8_t *bytes = self->request + (REQUEST_MAX - size);
    weir_out out = {bytes + 1, size - 1};
    memset(bytes, 0, size);
    if (weir_sse_source_request(&self->source, &out) != WEIR_ERR_SPACE || out.ptr != bytes + 1 ||
        out.len != size - 1 || bytes[1] != 0)
        log_line(l, "but a request was written without room");
    out = (weir_out){bytes, size};
    if (weir_sse_source_request(&self->source, &out) != 0 || out.len != 0)
        log_line(l, "but the request's size is another");
    log_request(self, bytes, size, l);
}

/* ---- Steps ---------------------------------------------------------------------------------------- */

static const char *error_name(const sse_script *self)
{
    return weir_err_lookup(weir_sse_source_error(&self->source))->name;
}

static void check_finished(sse_script *self, log *l)
{
    uint8_t bytes[16] = {0};
    weir_out out = {bytes, sizeof bytes};
    weir_in in = {bytes, sizeof bytes};
    weir_sse_item item;
    int err = weir_sse_source_error(&self->source);
    bool quiet = weir_sse_source_deadline(&self->source) == UINT64_MAX &&
                 weir_sse_source_poll(&self->source, self->now + 1000000) == WEIR_SSE_FINISHED &&
                 weir_sse_source_request(&self->source, &out) == WEIR_ERR_STATE && out.len == sizeof bytes &&
                 weir_sse_source_eof(&self->source, self->now, &item) == 0 &&
                 weir_sse_source_next(&self->source, &in, self->now, &item) == 0 && in.len == 0 &&
                 weir_sse_source_error(&self->source) == err;
    if (!quiet)
        log_line(l, "but it is not finished");
}

/* Asks what to do until there is nothing to do. */
static void script_poll(sse_script *self, log *l)
{
    for (unsigned n = 0; n < 3; n++) {
        weir_sse_step what = weir_sse_source_poll(&self->source, self->now);
        if (what == WEIR_SSE_CARRY_ON)
            return;
        if (what == WEIR_SSE_CONNECT) {
            self->connected = self->fresh = true;
            script_request(self, l);
        } else if (what == WEIR_SSE_DISCONNECT) {
            self->connected = false;
            log_line(l, "disconnect %s", error_name(self));
        } else if (what == WEIR_SSE_FINISHED) {
            if (!self->finished) {
                log_line(l, "finished %s", error_name(self));
                check_finished(self, l);
            }
            self->connected = false;
            self->finished = true;
            return;
        }
    }
    log_line(l, "but there is always something to do");
}

static void log_item(sse_script *self, const weir_sse_item *item, log *l)
{
    unsigned status = weir_sse_source_head(&self->source)->status;
    if (!sse_item_clean(item))
        log_line(l, "but members are set that the kind does not have");
    if (item->kind == WEIR_SSE_OPEN && (item->id.ptr != weir_sse_source_last_id(&self->source).ptr ||
                                        item->id.len != weir_sse_source_last_id(&self->source).len))
        log_line(l, "but the last event ID is another");
    if (item->kind == WEIR_SSE_OPEN)
        log_line(l, "open %u", status);
    else if (item->kind == WEIR_SSE_REFUSED)
        log_line(l, "refused %s %u", weir_err_lookup(item->err)->name, status);
    else if (item->kind == WEIR_SSE_BODY)
        log_bytes(l, "body", item->data.ptr, item->data.len);
    else
        sse_log_item(l, item);
}

/* Bytes of the server. */
static void script_hear(sse_script *self, uint8_t *bytes, size_t len, log *l)
{
    weir_in in = {bytes, len};
    weir_sse_item item;
    int rv;
    if (!self->connected || self->fresh)
        return;
    do {
        weir_in before = in;
        memset(&item, 0xDD, sizeof item);
        rv = weir_sse_source_next(&self->source, &in, self->now, &item);
        size_t taken = before.len - in.len;
        if (taken > before.len || (before.ptr != NULL && in.ptr != before.ptr + taken)) {
            log_line(l, "but the cursor is wrong");
            return;
        }
        if (rv > 0) {
            if (rv != (int)item.kind)
                log_line(l, "but the result is not the item's kind");
            log_item(self, &item, l);
        }
        if (taken != 0)
            memset(before.ptr, 0xDD, taken);
    } while (rv > 0);
    if (rv < 0 || in.len != 0)
        log_line(l, "but the result is %d, and %zu bytes are left", rv, in.len);
    script_poll(self, l);
}

/* Up to the deadline, which is not before its time. */
static void script_wait(sse_script *self, log *l)
{
    uint64_t deadline = weir_sse_source_deadline(&self->source);
    if (deadline == UINT64_MAX) {
        if (!self->finished)
            log_line(l, "but there is no deadline");
        return;
    }
    if (deadline > self->now + 1 && weir_sse_source_poll(&self->source, deadline - 1) != WEIR_SSE_CARRY_ON)
        log_line(l, "but there was something to do before the deadline");
    self->now = deadline > self->now ? deadline : self->now;
    script_poll(self, l);
}

static void script_end(sse_script *self, log *l)
{
    weir_sse_item item;
    if (!self->connected || !self->fresh) {
        if (self->connected) {
            self->connected = false;
            while (weir_sse_source_eof(&self->source, self->now, &item) > 0)
                log_item(self, &item, l);
            if (weir_sse_source_eof(&self->source, self->now, &item) != 0)
                log_line(l, "but the end is not the end");
            log_line(l, "ended %s", error_name(self));
            script_poll(self, l);
        }
        script_wait(self, l);
    }
    self->fresh = false;
}

static void script_direct(sse_script *self, uint8_t byte, log *l)
{
    if (byte == 0x1C) {
        script_end(self, l);
    } else if (byte == 0x1D) {
        script_wait(self, l);
    } else if (byte == 0x1E) {
        self->now += self->tick;
        script_poll(self, l);
    } else {
        weir_sse_source_close(&self->source);
        script_poll(self, l);
    }
}

/* ---- The machine ---------------------------------------------------------------------------------- */

static int script_fill(void *user, uint8_t *dst, size_t len)
{
    const sse_script *self = user;
    memset(dst, self->entropy_byte, len);
    return self->entropy_fails ? -1 : 0;
}

static void script_start(void *arg)
{
    sse_script *self = arg;
    uint8_t *storage = self->storage[++self->turn % 2];
    memset(&self->source, (int)(self->turn % 251), sizeof self->source);
    memset(storage, (int)(self->turn % 253), self->storage_len);
    assert_int_equal(weir_entropy_init(&self->entropy, script_fill, self), 0);
    self->now = START;
    self->begun = self->connected = self->fresh = self->finished = false;
    int rv = weir_sse_source_init(&self->source, storage, self->storage_len, &self->cfg);
    if (rv != 0)
        fail_msg("weir_sse_source_init: %s", weir_err_lookup(rv)->name);
}

static void script_begin(sse_script *self, log *l)
{
    uint8_t byte = 0;
    weir_out out = {&byte, 1};
    self->begun = true;
    if (weir_sse_source_deadline(&self->source) > self->now)
        log_line(l, "but the first attempt is not due at once");
    if (weir_sse_source_request(&self->source, &out) != WEIR_ERR_STATE)
        log_line(l, "but there is a request before the attempt");
    script_poll(self, l);
    self->fresh = false;
}

static void script_feed(void *arg, uint8_t *bytes, size_t len, log *l)
{
    sse_script *self = arg;
    size_t begin = 0;
    if (!self->begun)
        script_begin(self, l);
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] < 0x1C || bytes[i] > 0x1F)
            continue;
        uint8_t what = bytes[i];
        if (i > begin)
            script_hear(self, bytes + begin, i - begin, l);
        script_direct(self, what, l);
        begin = i + 1;
    }
    if (begin < len || len == 0)
        script_hear(self, len != 0 ? bytes + begin : bytes, len - begin, l);
}

static void script_finish(void *arg, log *l)
{
    sse_script *self = arg;
    if (!self->begun)
        script_begin(self, l);
    const char *show = self->show != NULL ? self->show : "";
    weir_str id = weir_sse_source_last_id(&self->source);
    uint64_t deadline = weir_sse_source_deadline(&self->source);
    if (strstr(show, "last") != NULL)
        log_line(l, "last %s", log_quote(id.len != 0 ? (const void *)id.ptr : "", id.len));
    if (strstr(show, "retry") != NULL)
        log_line(l, "retry %" PRIu64, weir_sse_source_retry(&self->source));
    if (strstr(show, "deadline") != NULL && deadline == UINT64_MAX)
        log_line(l, "deadline none");
    else if (strstr(show, "deadline") != NULL)
        log_line(l, "deadline %" PRIu64, deadline < START ? 0 : deadline - START);
}

/* ---- Set-up --------------------------------------------------------------------------------------- */

static uint64_t key_number(const vector *v, const char *key, uint64_t otherwise)
{
    const char *value = v == NULL ? NULL : vector_get(v, key);
    return value == NULL ? otherwise : strtoull(value, NULL, 10);
}

static weir_str key_text(const vector *v, const char *key, unsigned char room[4096])
{
    const char *value = v == NULL ? NULL : vector_get(v, key);
    if (value == NULL)
        return (weir_str){NULL, 0};
    return (weir_str){room, text_decode(room, value, strlen(value))};
}

static void key_fields(sse_script *self, const vector *v)
{
    static const char *const keys[] = {"field", "field2", "field3"};
    for (size_t i = 0; v != NULL && i < sizeof keys / sizeof *keys; i++) {
        const char *value = vector_get(v, keys[i]);
        const char *colon = value != NULL ? strstr(value, ": ") : NULL;
        if (colon == NULL)
            continue;
        self->fields[self->cfg.field_count++] =
            (weir_http_field){{(const uint8_t *)value, (size_t)(colon - value)}, weir_cstr(colon + 2)};
    }
    self->cfg.fields = self->fields;
}

static void key_flags(sse_script *self, const vector *v)
{
    static const struct {
        const char *name;
        uint32_t flag, parser_flag;
    } names[] = {{"once", WEIR_SSE_ONCE, 0},
                 {"busy", WEIR_SSE_RETRY_BUSY, 0},
                 {"refusal", WEIR_SSE_REFUSAL_BODY, 0},
                 {"keep", WEIR_SSE_KEEP_FIELDS, 0},
                 {"repair", 0, WEIR_SSE_REPAIR},
                 {"skip", 0, WEIR_SSE_SKIP},
                 {"parts", 0, WEIR_SSE_PARTS},
                 {"comments", 0, WEIR_SSE_COMMENTS},
                 {"flush", 0, WEIR_SSE_FLUSH}};
    const char *value = v == NULL ? NULL : vector_get(v, "flags");
    for (size_t i = 0; value != NULL && i < sizeof names / sizeof *names; i++)
        if (strstr(value, names[i].name) != NULL) {
            self->cfg.flags |= names[i].flag;
            self->cfg.parser.flags |= names[i].parser_flag;
        }
}

static void key_entropy(sse_script *self, const vector *v)
{
    const char *value = v == NULL ? NULL : vector_get(v, "entropy");
    if (value == NULL)
        return;
    self->cfg.entropy = &self->entropy;
    self->entropy_fails = strcmp(value, "fails") == 0;
    self->entropy_byte = (uint8_t)strtoul(value, NULL, 0);
}

static void script_storage(sse_script *self)
{
    weir_sse_parser_cfg limits = self->cfg.parser;
    limits.max_id = limits.max_id != 0 ? limits.max_id : WEIR_SSE_LAST_ID_MAX;
    limits.max_type = limits.max_type != 0 ? limits.max_type : 256;
    limits.max_comment = limits.max_comment != 0 ? limits.max_comment : 1024;
    self->storage_len = sse_storage_beside(&limits) + 2 * (size_t)self->cfg.max_url +
                        (limits.max_event != 0 ? limits.max_event : ROOM);
    self->storage[0] = guard_copy(NULL, self->storage_len, false);
    self->storage[1] = guard_copy(NULL, self->storage_len, true);
    self->request = guard_copy(NULL, REQUEST_MAX, false);
}

machine sse_script_new(sse_script *self, const vector *v)
{
    memset(self, 0, sizeof *self);
    weir_sse_source_cfg *cfg = &self->cfg;
    weir_sse_source_cfg_init(cfg);
    const char *url = v == NULL ? NULL : vector_get(v, "url");
    cfg->url = weir_cstr(url != NULL ? url : "http://h/");
    cfg->body = key_text(v, "body", self->texts[0]);
    cfg->body_type =
        v != NULL && vector_get(v, "body_type") != NULL ? vector_get(v, "body_type") : cfg->body_type;
    cfg->parser.last_event_id = key_text(v, "last_id", self->texts[1]);
    cfg->retry_ms = key_number(v, "retry", cfg->retry_ms);
    cfg->retry_min_ms = key_number(v, "retry_min", cfg->retry_min_ms);
    cfg->retry_max_ms = key_number(v, "retry_max", cfg->retry_max_ms);
    cfg->backoff_max_ms = key_number(v, "backoff", cfg->backoff_max_ms);
    cfg->stable_ms = key_number(v, "stable", cfg->stable_ms);
    cfg->response_ms = key_number(v, "response", cfg->response_ms);
    cfg->idle_ms = key_number(v, "idle", cfg->idle_ms);
    cfg->max_attempts = (uint32_t)key_number(v, "attempts", cfg->max_attempts);
    cfg->max_redirects = (uint32_t)key_number(v, "redirects", cfg->max_redirects);
    cfg->max_url = (uint32_t)key_number(v, "max_url", cfg->max_url);
    cfg->parser.max_event = (size_t)key_number(v, "max_event", 0);
    self->tick = key_number(v, "tick", 0);
    self->show = v != NULL ? vector_get(v, "show") : NULL;
    key_fields(self, v);
    key_flags(self, v);
    key_entropy(self, v);
    script_storage(self);
    return (machine){script_start, script_feed, script_finish, self};
}

void sse_script_free(sse_script *self)
{
    guard_free(self->storage[0]);
    guard_free(self->storage[1]);
    guard_free(self->request);
}

static size_t failures;

static void script_vector(const vector *v)
{
    static sse_script self;
    machine m = sse_script_new(&self, v);
    if (!machine_agrees(&m, v->title, v->stream, v->len, v->expected)) {
        print_error("  in line %d\n", v->line);
        failures++;
    }
    sse_script_free(&self);
}

size_t sse_script_vectors(const char *file)
{
    failures = 0;
    size_t count = vectors_each(file, script_vector);
    if (failures != 0)
        fail_msg("%s: %zu of %zu vectors fail", file, failures, count);
    return count;
}

void sse_script_check(const char *title, void (*change)(weir_sse_source_cfg *cfg), const char *stream,
                      const char *expected)
{
    static sse_script self;
    machine m = sse_script_new(&self, NULL);
    if (change != NULL) {
        sse_script_free(&self);
        change(&self.cfg);
        script_storage(&self);
    }
    machine_check(&m, title, stream, strlen(stream), expected);
    sse_script_free(&self);
}
