/* SPDX-License-Identifier: MIT */
/* fuzz_sse_write.c - the event-stream writer: exact size, nothing smuggled in, refusals without traces; and
 * what it writes is what a parser reads, also as the body of the reply. */
#include "fuzz.h"

static bool has_line_end(weir_str str)
{
    for (size_t i = 0; i < str.len; i++)
        if (str.ptr[i] == '\r' || str.ptr[i] == '\n')
            return true;
    return false;
}

/* Every line of the block must be one of the fields that were asked for, and only the last is empty. */
static void check_block(const weir_sse_event *ev, weir_str block)
{
    size_t begin = 0;
    for (size_t i = 0; i < block.len; i++) {
        FUZZ_REQUIRE(block.ptr[i] != '\r');
        if (block.ptr[i] != '\n')
            continue;
        weir_str line = {block.ptr + begin, i - begin};
        bool data = line.len >= 6 && memcmp(line.ptr, "data: ", 6) == 0 && ev->data.ptr != NULL;
        bool type = line.len >= 7 && memcmp(line.ptr, "event: ", 7) == 0 && ev->type.ptr != NULL;
        bool id = line.len >= 4 && memcmp(line.ptr, "id: ", 4) == 0 && ev->id.ptr != NULL;
        bool retry = line.len >= 7 && memcmp(line.ptr, "retry: ", 7) == 0 && ev->has_retry;
        FUZZ_REQUIRE(data || type || id || retry || (line.len == 0 && i + 1 == block.len));
        begin = i + 1;
    }
    FUZZ_REQUIRE(begin == block.len);
}

/* ---- What a parser makes of it ---------------------------------------------------------------------- */

/* The text with CR LF and CR as LF: what the format can carry. */
static weir_str lines_of(weir_str text, uint8_t *dst)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' && i != 0 && text.ptr[i - 1] == '\r')
            continue;
        dst[len++] = text.ptr[i] == '\r' ? '\n' : text.ptr[i];
    }
    return (weir_str){dst, len};
}

typedef struct reader {
    weir_sse_parser parser;
    const weir_sse_event *wanted;
    weir_str data; /* as it must arrive */
    weir_str rest; /* of a comment's lines */
    unsigned events, ids, retries, comments;
} reader;

static void hear(reader *r, const weir_sse_item *item)
{
    const weir_sse_event *ev = r->wanted;
    weir_str type = ev->type.len != 0 ? ev->type : weir_cstr("message");
    size_t len = 0;
    switch (item->kind) {
    case WEIR_SSE_EVENT:
        r->events++;
        FUZZ_REQUIRE(item->flags == WEIR_SSE_UTF8 && fuzz_same(item->type, type));
        FUZZ_REQUIRE(fuzz_same(item->data, r->data) && fuzz_same(item->id, ev->id));
        break;
    case WEIR_SSE_ID:
        r->ids++;
        FUZZ_REQUIRE(fuzz_same(item->id, ev->id));
        break;
    case WEIR_SSE_RETRY:
        r->retries++;
        FUZZ_REQUIRE(item->retry_ms == ev->retry_ms);
        break;
    default:
        FUZZ_REQUIRE(item->kind == WEIR_SSE_COMMENT);
        r->comments++;
        while (len < r->rest.len && r->rest.ptr[len] != '\n')
            len++;
        FUZZ_REQUIRE(fuzz_same(item->data, (weir_str){r->rest.ptr, len}));
        len += len < r->rest.len;
        r->rest = (weir_str){r->rest.ptr + len, r->rest.len - len};
    }
}

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    reader *r = self;
    weir_in in = {bytes, len};
    weir_sse_item item;
    int rv;
    while ((rv = weir_sse_next(&r->parser, &in, &item)) > 0)
        hear(r, &item);
    FUZZ_REQUIRE(rv == 0);
    return true;
}

static void read_block(reader *r, weir_str block, uint32_t cuts)
{
    const size_t size = 3 * block.len + 4096;
    weir_sse_parser_cfg cfg;
    weir_sse_item item;
    memset(&cfg, 0, sizeof cfg);
    cfg.flags = WEIR_SSE_COMMENTS;
    cfg.max_id = cfg.max_type = cfg.max_comment = (uint32_t)(block.len + 256);
    uint8_t *storage = fuzz_memory(size + 4 * (size_t)cfg.max_id);
    FUZZ_REQUIRE(weir_sse_parser_init(&r->parser, storage, size + 4 * (size_t)cfg.max_id, &cfg) == 0);
    fuzz_feed(block.ptr, block.len, cuts, feed, r);
    FUZZ_REQUIRE(weir_sse_eof(&r->parser, &item) == 0); /* nothing is left unfinished */
    free(storage);
}

static void read_event(const weir_sse_event *ev, weir_str block, uint32_t cuts)
{
    reader r;
    uint8_t *lines = fuzz_memory(ev->data.len);
    memset(&r, 0, sizeof r);
    r.wanted = ev;
    r.data = lines_of(ev->data, lines);
    read_block(&r, block, cuts);
    bool has_data = ev->data.ptr != NULL;
    FUZZ_REQUIRE(r.events == has_data && r.comments == 0);
    FUZZ_REQUIRE(r.ids == (ev->id.ptr != NULL && !has_data) && r.retries == ev->has_retry);
    free(lines);
}

static void try_comment(weir_str text, uint32_t cuts)
{
    static const weir_sse_event nothing = {{NULL, 0}, {NULL, 0}, {NULL, 0}, false, 0};
    size_t room = 3 * text.len + 4;
    uint8_t *bytes = fuzz_memory(room), *lines = fuzz_memory(text.len);
    weir_out out = {bytes, room};
    int rv = weir_sse_comment_write(&out, text);
    FUZZ_REQUIRE(rv == (weir_utf8_valid(text) ? 0 : WEIR_ERR_SSE_UTF8));
    if (rv == 0) {
        reader r;
        size_t size = room - out.len, count = 1;
        memset(&r, 0, sizeof r);
        r.wanted = &nothing;
        r.rest = lines_of(text, lines);
        for (size_t i = 0; i < r.rest.len; i++)
            count += r.rest.ptr[i] == '\n';
        read_block(&r, (weir_str){bytes, size}, cuts);
        FUZZ_REQUIRE(r.comments == count && r.rest.len == 0 && r.events == 0);
        weir_out tight = {bytes, size - 1};
        FUZZ_REQUIRE(weir_sse_comment_write(&tight, text) == WEIR_ERR_SPACE && tight.len == size - 1);
    }
    free(bytes);
    free(lines);
}

/* ---- The reply --------------------------------------------------------------------------------------- */

/* Head, event and end as one stream: a client's parsers find the event's bytes in it again. */
static void try_reply(weir_str block, uint8_t options)
{
    static const weir_http_field field = {{(const uint8_t *)"X-A", 3}, {(const uint8_t *)"b", 1}};
    weir_sse_request req = {{NULL, 0}, (options & 1) != 0, (options & 2) != 0, (options & 16) != 0};
    weir_sse_reply reply = {weir_cstr((options & 4) != 0 ? "https://a.b" : NULL), &field, (options >> 3) & 1};
    size_t room = WEIR_SSE_REPLY_MAX + 64 + block.len + WEIR_HTTP_CHUNK_OVERHEAD + 8, len = 0;
    uint8_t *bytes = fuzz_memory(room), storage[1024];
    weir_out out = {bytes, room};
    FUZZ_REQUIRE(weir_sse_reply_write(&out, &req, &reply) == 0);
    FUZZ_REQUIRE(weir_sse_frame(&out, &req, block) == 0 && weir_sse_end(&out, &req) == 0);
    weir_in in = {bytes, room - out.len};
    weir_http http;
    weir_http_head head;
    weir_http_body body;
    weir_str data;
    FUZZ_REQUIRE(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL) == 0);
    FUZZ_REQUIRE(weir_http_next(&http, &in, &head) == 1 && head.status == 200);
    FUZZ_REQUIRE(weir_http_fields_has(head.fields, "content-type", "text/event-stream"));
    FUZZ_REQUIRE(head.framing == (req.chunked ? WEIR_HTTP_CHUNKED : WEIR_HTTP_UNTIL_CLOSE));
    FUZZ_REQUIRE(head.keep_alive == (req.chunked && !req.close));
    weir_http_body_init(&body, req.head_only ? WEIR_HTTP_NO_BODY : head.framing, head.body_len);
    while (weir_http_body_next(&body, &in, &data) == WEIR_HTTP_BODY_DATA) {
        FUZZ_REQUIRE(block.len - len >= data.len && memcmp(block.ptr + len, data.ptr, data.len) == 0);
        len += data.len;
    }
    FUZZ_REQUIRE(in.len == 0 && len == (req.head_only ? 0 : block.len));
    FUZZ_REQUIRE(weir_http_body_eof(&body) == WEIR_HTTP_BODY_END);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    uint8_t options = fuzz_byte(&input), type_len = fuzz_byte(&input), id_len = fuzz_byte(&input);
    uint8_t shift = fuzz_byte(&input);
    weir_sse_event ev;
    memset(&ev, 0, sizeof ev);
    uint8_t *text = fuzz_copy(input.at, input.left);
    input.at = text;
    if ((options & 1) != 0)
        ev.type = fuzz_take(&input, type_len);
    if ((options & 2) != 0)
        ev.id = fuzz_take(&input, id_len);
    if ((options & 4) == 0)
        ev.data = fuzz_take(&input, SIZE_MAX);
    ev.has_retry = (options & 8) != 0;
    ev.retry_ms = (uint64_t)(type_len + 1u) << (shift & 63);

    size_t need;
    int rv = weir_sse_event_size(&ev, &need);
    FUZZ_REQUIRE(rv <= 0 && (rv == 0) == (!has_line_end(ev.type) && !has_line_end(ev.id) &&
                                          (ev.id.len == 0 || memchr(ev.id.ptr, 0, ev.id.len) == NULL) &&
                                          weir_utf8_valid(ev.type) && weir_utf8_valid(ev.id) &&
                                          weir_utf8_valid(ev.data)));
    uint8_t *bytes = fuzz_memory(need);
    weir_out out = {bytes, need};
    FUZZ_REQUIRE(weir_sse_event_write(&out, &ev) == rv);
    if (rv == 0) {
        FUZZ_REQUIRE(out.len == 0);
        check_block(&ev, (weir_str){bytes, need});
        read_event(&ev, (weir_str){bytes, need}, cuts);
        try_reply((weir_str){bytes, need}, options >> 4);
        weir_out small = {bytes, need != 0 ? need - 1 : 0};
        FUZZ_REQUIRE(weir_sse_event_write(&small, &ev) == (need != 0 ? WEIR_ERR_SPACE : 0));
    }
    if (ev.data.ptr != NULL)
        try_comment(ev.data, cuts);
    free(bytes);
    free(text);
    return 0;
}
