/* SPDX-License-Identifier: MIT */
/* fuzz_sse_parse.c - the parser of event streams: any cut gives what a slow reader of the whole stream
 * gives. */
#include "fuzz.h"
#include "sse_reference.h"

/* What was told, and how the data that goes in parts goes on. */
typedef struct told {
    fuzz_digest digest;
    bool in_parts;
} told;

static void told_str(told *t, weir_str str)
{
    fuzz_number(&t->digest, str.len);
    fuzz_bytes(&t->digest, str.ptr, str.len);
}

/* The borders of parts are left out. */
static void told_item(void *self, const weir_sse_item *item)
{
    told *t = self;
    if (item->kind == WEIR_SSE_PART) {
        FUZZ_REQUIRE(item->data.len != 0);
        if (!t->in_parts)
            fuzz_number(&t->digest, item->kind + (uint64_t)item->flags * 256);
        t->in_parts = true;
        fuzz_bytes(&t->digest, item->data.ptr, item->data.len);
        return;
    }
    t->in_parts = false;
    fuzz_number(&t->digest, (uint64_t)item->kind);
    switch (item->kind) {
    case WEIR_SSE_EVENT:
        fuzz_number(&t->digest, item->flags);
        told_str(t, item->type);
        told_str(t, item->data);
        told_str(t, item->id);
        break;
    case WEIR_SSE_SKIPPED:
        fuzz_number(&t->digest, (uint64_t)(int64_t)item->err);
        told_str(t, item->id);
        break;
    case WEIR_SSE_COMMENT:
        told_str(t, item->data);
        break;
    case WEIR_SSE_RETRY:
        fuzz_number(&t->digest, item->retry_ms);
        break;
    case WEIR_SSE_ID:
        told_str(t, item->id);
        break;
    default:
        FUZZ_REQUIRE(item->kind == WEIR_SSE_ABORTED);
    }
}

typedef struct machine {
    weir_sse_parser parser;
    told told;
    uint64_t taken;
} machine;

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    machine *m = self;
    weir_in in = {bytes, len};
    weir_sse_item item;
    uint64_t offset;
    int rv;
    do {
        uint8_t *at = in.ptr;
        rv = weir_sse_next(&m->parser, &in, &item);
        m->taken += (size_t)(in.ptr - at);
        FUZZ_REQUIRE(in.ptr - bytes + (ptrdiff_t)in.len == (ptrdiff_t)len);
        FUZZ_REQUIRE(weir_sse_error(&m->parser, &offset) == (rv < 0 ? rv : 0) && offset == m->taken);
        FUZZ_REQUIRE(rv != 0 || in.len == 0);
        if (rv > 0) {
            FUZZ_REQUIRE((int)item.kind == rv && rv != WEIR_SSE_ABORTED);
            told_item(&m->told, &item);
            memset(bytes, 0xDD, (size_t)(in.ptr - bytes));
        }
    } while (rv > 0);
    return rv == 0;
}

static uint64_t run(const uint8_t *stream, size_t len, const weir_sse_parser_cfg *cfg, size_t room,
                    uint32_t cuts)
{
    machine m;
    weir_sse_item item;
    uint64_t offset;
    memset(&m, 0, sizeof m);
    size_t scratch = cfg->max_id > cfg->max_type ? cfg->max_id : cfg->max_type;
    if ((cfg->flags & WEIR_SSE_COMMENTS) != 0 && cfg->max_comment > scratch)
        scratch = cfg->max_comment;
    size_t size = 2 * (size_t)cfg->max_id + cfg->max_type + scratch + room;
    uint8_t *storage = malloc(size);
    FUZZ_REQUIRE(storage != NULL);
    FUZZ_REQUIRE(weir_sse_parser_init(&m.parser, storage, size, cfg) == 0);
    fuzz_feed(stream, len, cuts, feed, &m);
    int rv;
    while ((rv = weir_sse_eof(&m.parser, &item)) > 0)
        told_item(&m.told, &item);
    FUZZ_REQUIRE(weir_sse_error(&m.parser, &offset) == rv && offset == m.taken);
    fuzz_number(&m.told.digest, (uint64_t)(int64_t)rv);
    fuzz_number(&m.told.digest, offset);
    free(storage);
    return m.told.digest.hash;
}

static uint64_t run_reference(const uint8_t *stream, size_t len, weir_sse_parser_cfg cfg, size_t room)
{
    told t;
    uint64_t offset;
    memset(&t, 0, sizeof t);
    cfg.max_event = cfg.max_event != 0 ? cfg.max_event : room;
    int rv = sse_reference(&cfg, stream, len, (sse_listener){told_item, &t}, &offset);
    fuzz_number(&t.digest, (uint64_t)(int64_t)rv);
    fuzz_number(&t.digest, offset);
    return t.digest.hash;
}

/* So that inputs without a dictionary reach the depths too: a byte stands for a word. */
static size_t spell(uint8_t *stream, const uint8_t *words, size_t count)
{
    static const char *const spelled[] = {
        "\n",         "\n",       "\r",       "\r\n",   "\n\n", "data",     "data:",        "data: ",
        "\ndata:x\n", "event:",   "id:",      "retry:", "id\n", "event\n",  "\nid: 7\n",    ":",
        " ",          ": c\n",    "9999999",  "12",     "x",    "abcdefgh", "\xEF\xBB\xBF", "\xEF\xBB",
        "\xC3\xA9",   "\xF0\x9F", "\x99\x82", "\xFF",   "\xE4", "\xBD\xA0", "da",           "ta",
        "foo",        "\t"};
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        size_t which = words[i] % (sizeof spelled / sizeof *spelled + 1);
        if (which == 0) {
            stream[len++] = 0;
            continue;
        }
        size_t size = strlen(spelled[which - 1]);
        memcpy(stream + len, spelled[which - 1], size);
        len += size;
    }
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    uint8_t options = fuzz_byte(&input);
    weir_sse_parser_cfg cfg;
    memset(&cfg, 0, sizeof cfg);
    cfg.flags = options & 0x1F;
    if ((cfg.flags & WEIR_SSE_PARTS) != 0)
        cfg.flags &= ~(uint32_t)WEIR_SSE_REPAIR;
    cfg.last_event_id = weir_cstr((options & 0x20) != 0 ? "0" : NULL);
    cfg.max_id = 1 + (uint32_t)(fuzz_byte(&input) ^ 63);
    cfg.max_type = 1 + (uint32_t)(fuzz_byte(&input) ^ 63);
    cfg.max_comment = 1 + (uint32_t)(fuzz_byte(&input) ^ 63);
    cfg.max_event = fuzz_byte(&input);
    cfg.max_line = fuzz_byte(&input);
    cfg.max_line += cfg.max_line == 1;
    fuzz_byte(&input);
    uint8_t *stream = fuzz_memory(9 * input.left);
    size_t len = input.left;
    if ((options & 0x80) != 0)
        len = spell(stream, input.at, input.left);
    else
        memcpy(stream, input.at, input.left);
    size_t room = cfg.max_event != 0 ? cfg.max_event : 4 * len + 1;

    uint64_t wanted = run_reference(stream, len, cfg, room);
    FUZZ_REQUIRE(run(stream, len, &cfg, room, 0) == wanted);
    FUZZ_REQUIRE(run(stream, len, &cfg, room, cuts != 0 ? cuts : 1) == wanted);
    free(stream);
    return 0;
}
