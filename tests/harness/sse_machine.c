/* SPDX-License-Identifier: MIT */
/* sse_machine.c - a machine over an event stream. */
#include "sse_machine.h"

#include "check.h"
#include "sse_reference.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUOTED = 1000, ROOM = 4096 };

/* ---- The log -------------------------------------------------------------------------------------- */

static const char *quote(weir_str str)
{
    return log_quote(str.len != 0 ? (const void *)str.ptr : "", str.len);
}

static const char *id_quote(weir_str id)
{
    static char text[4 * QUOTED + 8];
    text[0] = '\0';
    if (id.len != 0)
        snprintf(text, sizeof text, " id %s", quote(id));
    return text;
}

static void log_event(log *l, const weir_sse_item *item)
{
    bool in_parts = (item->flags & WEIR_SSE_IN_PARTS) != 0;
    const char *utf8 = (item->flags & WEIR_SSE_UTF8) != 0 ? "" : " not-utf8";
    const char *data = in_parts ? "parts" : item->data.len > QUOTED ? "long" : quote(item->data);
    if ((in_parts && item->data.len != 0) || item->data.len > QUOTED)
        log_bytes(l, "data", item->data.ptr, item->data.len);
    log_line(l, "event %s %s%s%s", quote(item->type), data, id_quote(item->id), utf8);
}

void sse_log_item(log *l, const weir_sse_item *item)
{
    switch (item->kind) {
    case WEIR_SSE_EVENT:
        log_event(l, item);
        break;
    case WEIR_SSE_PART:
        log_bytes(l, "data", item->data.ptr, item->data.len);
        break;
    case WEIR_SSE_SKIPPED:
        log_line(l, "skipped %s%s", weir_err_lookup(item->err)->name, id_quote(item->id));
        break;
    case WEIR_SSE_ABORTED:
        log_line(l, "aborted");
        break;
    case WEIR_SSE_COMMENT:
        log_line(l, "comment %s", quote(item->data));
        break;
    case WEIR_SSE_RETRY:
        log_line(l, "retry %" PRIu64, item->retry_ms);
        break;
    case WEIR_SSE_ID:
        log_line(l, "id %s", quote(item->id));
        break;
    default:
        log_line(l, "but what is item %d?", (int)item->kind);
    }
}

void sse_log_error(log *l, int err, uint64_t offset)
{
    log_line(l, "error %s at %" PRIu64, weir_err_lookup(err)->name, offset);
}

bool sse_item_clean(const weir_sse_item *item)
{
    enum { FLAGS = 1, TYPE = 2, DATA = 4, ID = 8, RETRY = 16, ERR = 32 };
    static const unsigned sets[] = {
        [WEIR_SSE_EVENT] = FLAGS | TYPE | DATA | ID,
        [WEIR_SSE_PART] = FLAGS | DATA,
        [WEIR_SSE_SKIPPED] = ERR | ID,
        [WEIR_SSE_ABORTED] = 0,
        [WEIR_SSE_COMMENT] = FLAGS | DATA,
        [WEIR_SSE_RETRY] = RETRY,
        [WEIR_SSE_ID] = ID,
        [WEIR_SSE_OPEN] = ID,
        [WEIR_SSE_REFUSED] = ERR,
        [WEIR_SSE_BODY] = DATA,
    };
    unsigned set = sets[item->kind];
    return ((set & FLAGS) != 0 || item->flags == 0) &&
           ((set & TYPE) != 0 || (item->type.ptr == NULL && item->type.len == 0)) &&
           ((set & DATA) != 0 || (item->data.ptr == NULL && item->data.len == 0)) &&
           ((set & ID) != 0 || (item->id.ptr == NULL && item->id.len == 0)) &&
           ((set & RETRY) != 0 || item->retry_ms == 0) && ((set & ERR) != 0 || item->err == 0);
}

/* ---- What holds for every item -------------------------------------------------------------------- */

static void *grown(void *old, size_t size)
{
    void *bytes = realloc(old, size);
    if (bytes == NULL)
        abort();
    return bytes;
}

static void parts_put(sse_machine *self, weir_str data)
{
    if (self->parts_cap - self->parts_len < data.len) {
        self->parts_cap = (self->parts_len + data.len) * 2;
        self->parts = grown(self->parts, self->parts_cap);
    }
    if (data.len != 0)
        memcpy(self->parts + self->parts_len, data.ptr, data.len);
    self->parts_len += data.len;
}

static bool same(weir_str a, weir_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static void check_event(sse_machine *self, const weir_sse_item *item, log *l)
{
    bool in_parts = (item->flags & WEIR_SSE_IN_PARTS) != 0;
    weir_str data = item->data;
    if (in_parts != self->in_parts)
        log_line(l, "but IN_PARTS is wrong");
    if (in_parts) {
        parts_put(self, data);
        data = (weir_str){self->parts, self->parts_len};
    } else if (data.len > (self->cfg.max_event != 0 ? self->cfg.max_event : self->room)) {
        log_line(l, "but the data is over the limit");
    }
    bool valid = weir_utf8_valid(item->type) && weir_utf8_valid(data) && weir_utf8_valid(item->id);
    if (valid != ((item->flags & WEIR_SSE_UTF8) != 0))
        log_line(l, "but UTF8 is wrong");
    if (item->type.len == 0 || (item->type.len > self->cfg.max_type && !weir_str_is(item->type, "message")))
        log_line(l, "but the type is empty or over the limit");
}

static void check_item(sse_machine *self, const weir_sse_item *item, log *l)
{
    bool first = (item->flags & WEIR_SSE_FIRST) != 0;
    bool with_id =
        item->kind == WEIR_SSE_EVENT || item->kind == WEIR_SSE_ID || item->kind == WEIR_SSE_SKIPPED;
    if (!sse_item_clean(item))
        log_line(l, "but members are set that the kind does not have");
    if (with_id && !same(item->id, weir_sse_last_id(&self->parser)))
        log_line(l, "but the last event ID is another");
    if (item->kind == WEIR_SSE_PART) {
        if (first == self->in_parts || (item->flags & ~WEIR_SSE_FIRST) != 0 || item->data.len == 0)
            log_line(l, "but a flag is misplaced, or the part empty");
        if (first)
            self->parts_len = 0;
        self->in_parts = true;
        parts_put(self, item->data);
    } else if (item->kind == WEIR_SSE_EVENT) {
        check_event(self, item, l);
    } else if (item->kind == WEIR_SSE_COMMENT &&
               weir_utf8_valid(item->data) != ((item->flags & WEIR_SSE_UTF8) != 0)) {
        log_line(l, "but UTF8 is wrong");
    }
    if (item->kind == WEIR_SSE_EVENT || item->kind == WEIR_SSE_SKIPPED || item->kind == WEIR_SSE_ABORTED)
        self->in_parts = false;
}

/* ---- The machine ---------------------------------------------------------------------------------- */

/* What the storage holds beforehand differs from run to run, so whoever reads it says different things. */
static void sse_start(void *arg)
{
    sse_machine *self = arg;
    uint8_t *storage = self->storage[++self->turn % 2];
    memset(&self->parser, (int)(self->turn % 251), sizeof self->parser);
    memset(storage, (int)(self->turn % 253), self->storage_len);
    self->taken = 0;
    self->err = 0;
    self->in_parts = false;
    if (weir_sse_parser_init(&self->parser, storage, self->storage_len, &self->cfg) != 0)
        abort();
}

static void check_error(const sse_machine *self, int wanted, log *l)
{
    uint64_t offset = UINT64_MAX;
    if (weir_sse_error(&self->parser, &offset) != wanted || offset != self->taken)
        log_line(l, "but weir_sse_error says %s at %" PRIu64 " instead of %" PRIu64,
                 weir_err_lookup(weir_sse_error(&self->parser, NULL))->name, offset, self->taken);
}

/* Takes one item's bytes. They are overwritten behind it, and those not taken must be as they were. */
static int sse_step(sse_machine *self, weir_in *in, log *l)
{
    weir_sse_item item;
    weir_in before = *in;
    memset(&item, 0xDD, sizeof item);
    int rv = weir_sse_next(&self->parser, in, &item);
    size_t taken = before.len - in->len;
    if (taken > before.len || (before.ptr != NULL && in->ptr != before.ptr + taken)) {
        log_line(l, "but the cursor is wrong");
        *in = (weir_in){NULL, 0};
        return -1;
    }
    self->taken += taken;
    if (in->len != 0 && memcmp(in->ptr, self->copy + (self->copy_cap - in->len), in->len) != 0)
        log_line(l, "but bytes that are not taken were rewritten");
    if (rv > 0) {
        if ((int)item.kind != rv)
            log_line(l, "but the result is not the item's kind");
        sse_log_item(l, &item);
        check_item(self, &item, l);
        if (rv == WEIR_SSE_ABORTED)
            log_line(l, "but the stream has not ended");
    } else if (rv == 0 && in->len != 0) {
        log_line(l, "but input is left");
    } else if (rv < 0) {
        self->err = rv;
        sse_log_error(l, rv, self->taken);
    }
    check_error(self, self->err, l);
    if (taken != 0)
        memset(before.ptr, 0xDD, taken);
    return rv;
}

static void sse_feed(void *arg, uint8_t *bytes, size_t len, log *l)
{
    sse_machine *self = arg;
    weir_in in = {bytes, len};
    if (self->err != 0)
        return;
    self->copy_cap = len;
    if (len != 0) {
        self->copy = grown(self->copy, len);
        memcpy(self->copy, bytes, len);
    }
    while (sse_step(self, &in, l) > 0)
        continue;
}

/* Long or short, a line or a piece of one. */
static void check_takes_nothing(sse_machine *self, log *l)
{
    static const char more[] = "data: behind the end\n\n";
    for (size_t len = 1; len < sizeof more; len++) {
        uint8_t bytes[sizeof more];
        weir_sse_item item;
        memcpy(bytes, more, sizeof more);
        weir_in in = {bytes, len};
        if (weir_sse_next(&self->parser, &in, &item) != self->err || in.ptr != bytes || in.len != len ||
            memcmp(bytes, more, sizeof more) != 0)
            log_line(l, "but the parser takes bytes behind the end");
    }
}

static void sse_finish(void *arg, log *l)
{
    sse_machine *self = arg;
    weir_sse_item item;
    int rv;
    memset(&item, 0xDD, sizeof item);
    for (unsigned n = 0; (rv = weir_sse_eof(&self->parser, &item)) > 0 && n < 1000; n++) {
        if ((int)item.kind != rv)
            log_line(l, "but the result is not the item's kind");
        sse_log_item(l, &item);
        check_item(self, &item, l);
    }
    if (rv < 0 && self->err == 0) {
        self->err = rv;
        sse_log_error(l, rv, self->taken);
    }
    if (rv != self->err || weir_sse_eof(&self->parser, &item) != self->err)
        log_line(l, "but weir_sse_eof says otherwise");
    check_error(self, self->err, l);
    check_takes_nothing(self, l);
    if (self->show_last)
        log_line(l, "last %s", quote(weir_sse_last_id(&self->parser)));
}

/* ---- Set-up --------------------------------------------------------------------------------------- */

size_t sse_storage_beside(const weir_sse_parser_cfg *cfg)
{
    size_t scratch = cfg->max_id > cfg->max_type ? cfg->max_id : cfg->max_type;
    if ((cfg->flags & WEIR_SSE_COMMENTS) != 0 && cfg->max_comment > scratch)
        scratch = cfg->max_comment;
    return 2 * (size_t)cfg->max_id + cfg->max_type + scratch;
}

machine sse_machine_from(sse_machine *self, const weir_sse_parser_cfg *cfg, size_t room)
{
    memset(self, 0, sizeof *self);
    self->cfg = *cfg;
    if (self->cfg.max_id == 0)
        self->cfg.max_id = WEIR_SSE_LAST_ID_MAX;
    if (self->cfg.max_type == 0)
        self->cfg.max_type = 256;
    if (self->cfg.max_comment == 0)
        self->cfg.max_comment = 1024;
    self->room = room;
    self->storage_len = sse_storage_beside(&self->cfg) + room;
    self->storage[0] = guard_copy(NULL, self->storage_len, false);
    self->storage[1] = guard_copy(NULL, self->storage_len, true);
    return (machine){sse_start, sse_feed, sse_finish, self};
}

static size_t key_number(const vector *v, const char *key, size_t otherwise)
{
    const char *value = v == NULL ? NULL : vector_get(v, key);
    return value == NULL ? otherwise : (size_t)strtoull(value, NULL, 10);
}

static uint32_t key_flags(const vector *v)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } names[] = {{"repair", WEIR_SSE_REPAIR},
                 {"skip", WEIR_SSE_SKIP},
                 {"parts", WEIR_SSE_PARTS},
                 {"comments", WEIR_SSE_COMMENTS},
                 {"flush", WEIR_SSE_FLUSH}};
    uint32_t flags = 0;
    const char *value = v == NULL ? NULL : vector_get(v, "flags");
    for (size_t i = 0; value != NULL && i < sizeof names / sizeof *names; i++)
        if (strstr(value, names[i].name) != NULL)
            flags |= names[i].flag;
    return flags;
}

machine sse_machine_new(sse_machine *self, const vector *v)
{
    static unsigned char id[4 * WEIR_SSE_LAST_ID_MAX];
    const char *last = v == NULL ? NULL : vector_get(v, "last_id");
    weir_sse_parser_cfg cfg;
    memset(&cfg, 0, sizeof cfg);
    cfg.flags = key_flags(v);
    cfg.max_id = (uint32_t)key_number(v, "max_id", 0);
    cfg.max_type = (uint32_t)key_number(v, "max_type", 0);
    cfg.max_comment = (uint32_t)key_number(v, "max_comment", 0);
    cfg.max_event = key_number(v, "max_event", 0);
    cfg.max_line = key_number(v, "max_line", 0);
    if (last != NULL)
        cfg.last_event_id = (weir_str){id, text_decode(id, last, strlen(last))};
    size_t room = key_number(v, "room", cfg.max_event != 0 ? cfg.max_event : ROOM);
    machine m = sse_machine_from(self, &cfg, room);
    self->show_last = v != NULL && vector_get(v, "show") != NULL;
    return m;
}

void sse_machine_free(sse_machine *self)
{
    guard_free(self->storage[0]);
    guard_free(self->storage[1]);
    free(self->parts);
    free(self->copy);
}

/* ---- Vectors and the reference -------------------------------------------------------------------- */

typedef struct told {
    log *log;
    weir_str last; /* as the latest item named it */
    uint8_t id[4 * WEIR_SSE_LAST_ID_MAX];
} told;

static void told_id(told *t, weir_str id)
{
    assert_true(id.len <= sizeof t->id);
    if (id.len != 0)
        memcpy(t->id, id.ptr, id.len);
    t->last = (weir_str){t->id, id.len};
}

static void tell(void *self, const weir_sse_item *item)
{
    told *t = self;
    sse_log_item(t->log, item);
    if (item->kind == WEIR_SSE_EVENT || item->kind == WEIR_SSE_ID || item->kind == WEIR_SSE_SKIPPED)
        told_id(t, item->id);
}

void sse_reference_log(log *l, const sse_machine *self, const uint8_t *stream, size_t len)
{
    static told t;
    weir_sse_parser_cfg cfg = self->cfg;
    cfg.max_event = cfg.max_event != 0 ? cfg.max_event : self->room;
    uint64_t offset;
    t.log = l;
    told_id(&t, cfg.last_event_id);
    int err = sse_reference(&cfg, stream, len, (sse_listener){tell, &t}, &offset);
    if (err != 0)
        sse_log_error(l, err, offset);
    if (self->show_last)
        log_line(l, "last %s", quote(t.last));
}

static size_t failures;

static void sse_vector(const vector *v)
{
    sse_machine self;
    machine m = sse_machine_new(&self, v);
    log *l = log_new();
    char *wanted = text_canonical(v->expected);
    sse_reference_log(l, &self, v->stream, v->len);
    if (strcmp(log_text(l), wanted) != 0) {
        print_error("%s (line %d): the reference says\n%sinstead of\n%s", v->title, v->line, log_text(l),
                    wanted);
        failures++;
    }
    free(wanted);
    log_free(l);
    if (!machine_agrees(&m, v->title, v->stream, v->len, v->expected)) {
        print_error("  in line %d\n", v->line);
        failures++;
    }
    sse_machine_free(&self);
}

size_t sse_vectors_check(const char *file)
{
    failures = 0;
    size_t count = vectors_each(file, sse_vector);
    if (failures != 0)
        fail_msg("%s: %zu of %zu vectors fail", file, failures, count);
    return count;
}
