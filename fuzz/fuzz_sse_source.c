/* SPDX-License-Identifier: MIT */
/*
 * fuzz_sse_source.c - the event source and any server: any cut gives the same steps, requests and items; no
 * request is malformed; what is the caller's goes to no other origin, what describes the body with the body.
 */
#include "fuzz.h"

enum { END = 0x1C, WAIT = 0x1D, TICK = 0x1E, MOST_CONNECTIONS = 64 };

typedef struct machine {
    weir_sse_source source;
    fuzz_digest digest;
    uint64_t now;
    bool keeps_fields;
    bool encoded; /* the caller's fields say so of the body */
    bool connected;
    bool fresh; /* what still comes is from the connection before */
    bool in_bytes;
} machine;

static void digest_str(machine *m, weir_str str)
{
    fuzz_number(&m->digest, str.len);
    fuzz_bytes(&m->digest, str.ptr, str.len);
}

/* The request is well formed, of the size that was said, and holds each field as often as it may. */
static void check_request(machine *m)
{
    const weir_http_uri *uri = weir_sse_source_uri(&m->source);
    weir_http http;
    weir_http_head head;
    weir_str value;
    size_t size = weir_sse_source_request_size(&m->source);
    uint8_t *bytes = malloc(size), storage[4096];
    FUZZ_REQUIRE(bytes != NULL);
    weir_out out = {bytes, size - 1};
    FUZZ_REQUIRE(weir_sse_source_request(&m->source, &out) == WEIR_ERR_SPACE && out.len == size - 1);
    out = (weir_out){bytes, size};
    FUZZ_REQUIRE(weir_sse_source_request(&m->source, &out) == 0 && out.len == 0);
    fuzz_bytes(&m->digest, bytes, size);

    weir_in in = {bytes, size};
    FUZZ_REQUIRE(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL) == 0);
    FUZZ_REQUIRE(weir_http_next(&http, &in, &head) == 1);
    FUZZ_REQUIRE(in.len == (head.framing == WEIR_HTTP_SIZED ? head.body_len : 0));
    FUZZ_REQUIRE(weir_str_is(head.method, in.len != 0 ? "POST" : "GET"));
    FUZZ_REQUIRE(head.host.len == uri->authority.len &&
                 memcmp(head.host.ptr, uri->authority.ptr, head.host.len) == 0);
    bool home = !uri->secure && uri->port == 80 && weir_str_is_nocase(uri->host, "h");
    weir_http_fields walk = head.fields;
    bool secret = weir_http_fields_find(&walk, "authorization", &value);
    FUZZ_REQUIRE(!secret || home || m->keeps_fields);
    walk = head.fields;
    if (m->encoded)
        FUZZ_REQUIRE(weir_http_fields_find(&walk, "content-encoding", &value) == (in.len != 0));
    walk = head.fields;
    if (weir_http_fields_find(&walk, "last-event-id", &value)) {
        weir_str id = weir_sse_source_last_id(&m->source);
        FUZZ_REQUIRE(value.len == id.len && memcmp(value.ptr, id.ptr, id.len) == 0);
        FUZZ_REQUIRE(!weir_http_fields_find(&walk, "last-event-id", &value));
    }
    free(bytes);
}

static void poll_source(machine *m)
{
    for (unsigned n = 0;; n++) {
        weir_sse_step what = weir_sse_source_poll(&m->source, m->now);
        if (what == WEIR_SSE_CARRY_ON)
            return;
        m->in_bytes = false;
        fuzz_number(&m->digest, 1000 + (uint64_t)what);
        fuzz_number(&m->digest, m->now);
        fuzz_number(&m->digest, (uint64_t)(int64_t)weir_sse_source_error(&m->source));
        m->connected = m->fresh = what == WEIR_SSE_CONNECT;
        if (what == WEIR_SSE_FINISHED) {
            FUZZ_REQUIRE(weir_sse_source_deadline(&m->source) == UINT64_MAX);
            return;
        }
        if (what == WEIR_SSE_CONNECT)
            check_request(m);
        FUZZ_REQUIRE(n < 2);
    }
}

/* Borders of parts, and of a refusal's body, are left out. */
static void tell(machine *m, const weir_sse_item *item)
{
    bool bytes = item->kind == WEIR_SSE_PART || item->kind == WEIR_SSE_BODY;
    if (!bytes || !m->in_bytes)
        fuzz_number(&m->digest, (uint64_t)item->kind);
    m->in_bytes = bytes;
    if (bytes) {
        fuzz_bytes(&m->digest, item->data.ptr, item->data.len);
        return;
    }
    if (item->kind == WEIR_SSE_RETRY)
        fuzz_number(&m->digest, item->retry_ms);
    if (item->kind == WEIR_SSE_SKIPPED || item->kind == WEIR_SSE_REFUSED)
        fuzz_number(&m->digest, (uint64_t)(int64_t)item->err);
    if (item->kind == WEIR_SSE_EVENT) {
        fuzz_number(&m->digest, item->flags);
        digest_str(m, item->type);
    }
    if (item->kind == WEIR_SSE_EVENT || item->kind == WEIR_SSE_COMMENT)
        digest_str(m, item->data);
    if (item->kind == WEIR_SSE_EVENT || item->kind == WEIR_SSE_SKIPPED || item->kind == WEIR_SSE_ID)
        digest_str(m, item->id);
    if (item->kind == WEIR_SSE_OPEN || item->kind == WEIR_SSE_REFUSED)
        fuzz_number(&m->digest, weir_sse_source_head(&m->source)->status);
}

static void hear(machine *m, uint8_t *bytes, size_t len)
{
    weir_in in = {bytes, len};
    weir_sse_item item;
    int rv;
    if (!m->connected || m->fresh)
        return;
    while ((rv = weir_sse_source_next(&m->source, &in, m->now, &item)) > 0) {
        FUZZ_REQUIRE((int)item.kind == rv);
        tell(m, &item);
        memset(bytes, 0xDD, (size_t)(in.ptr - bytes));
    }
    FUZZ_REQUIRE(rv == 0 && in.len == 0 && in.ptr == bytes + len);
    poll_source(m);
}

static void wait_for(machine *m)
{
    uint64_t deadline = weir_sse_source_deadline(&m->source);
    if (deadline == UINT64_MAX)
        return;
    if (deadline > m->now + 1)
        FUZZ_REQUIRE(weir_sse_source_poll(&m->source, deadline - 1) == WEIR_SSE_CARRY_ON);
    m->now = deadline > m->now ? deadline : m->now;
    poll_source(m);
}

static void direct(machine *m, uint8_t what)
{
    weir_sse_item item;
    if (what == TICK) {
        m->now += m->now < UINT64_MAX - 700 ? 700 : 0;
        poll_source(m);
    } else if (what == WAIT) {
        wait_for(m);
    } else if (m->connected && m->fresh) {
        m->fresh = false;
    } else {
        if (m->connected) {
            m->connected = false;
            while (weir_sse_source_eof(&m->source, m->now, &item) > 0)
                tell(m, &item);
            poll_source(m);
        }
        wait_for(m);
        m->fresh = false;
    }
}

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    machine *m = self;
    size_t begin = 0;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] < END || bytes[i] > TICK)
            continue;
        uint8_t what = bytes[i];
        if (i > begin)
            hear(m, bytes + begin, i - begin);
        direct(m, what);
        begin = i + 1;
    }
    if (begin < len)
        hear(m, bytes + begin, len - begin);
    return true;
}

typedef struct setting {
    weir_sse_source_cfg cfg;
    size_t room; /* for data */
    bool encoded;
} setting;

/* Choices that are all zero leave the defaults, but for smaller memory. */
static setting setting_choose(fuzz_input *input)
{
    static weir_http_field fields[3];
    setting s;
    weir_sse_source_cfg_init(&s.cfg);
    uint8_t options = fuzz_byte(input), parser = fuzz_byte(input), more = fuzz_byte(input);
    fields[0] = (weir_http_field){weir_cstr("Authorization"), weir_cstr("secret")};
    s.cfg.field_count = 1;
    if ((more & 1) != 0)
        fields[s.cfg.field_count++] = (weir_http_field){weir_cstr("Accept"), weir_cstr("*/*")};
    if ((more & 8) != 0)
        fields[s.cfg.field_count++] = (weir_http_field){weir_cstr("Content-Encoding"), weir_cstr("gzip")};
    s.cfg.url = weir_cstr((options & 0x80) != 0 ? "http://u:p@h/a/b?c" : "http://h/a");
    s.cfg.fields = fields;
    s.cfg.flags = options & 15;
    s.cfg.body = weir_cstr((options & 16) != 0 ? "body" : NULL);
    s.encoded = (more & 8) != 0 && (options & 16) != 0;
    s.cfg.retry_min_ms = fuzz_limit(input, s.cfg.retry_min_ms);
    s.cfg.retry_max_ms = fuzz_limit(input, s.cfg.retry_max_ms);
    if (s.cfg.retry_max_ms < s.cfg.retry_min_ms)
        s.cfg.retry_max_ms = s.cfg.retry_min_ms;
    s.cfg.retry_ms = fuzz_limit(input, s.cfg.retry_ms);
    s.cfg.backoff_max_ms = fuzz_limit(input, s.cfg.backoff_max_ms);
    s.cfg.stable_ms = fuzz_limit(input, s.cfg.stable_ms);
    s.cfg.response_ms = (options & 32) != 0 ? 0 : fuzz_limit(input, s.cfg.response_ms);
    s.cfg.idle_ms = fuzz_limit(input, 0);
    s.cfg.max_attempts = fuzz_byte(input);
    s.cfg.max_redirects = (more & 2) != 0 ? fuzz_byte(input) : 4;
    s.cfg.max_url = 40 + (uint32_t)fuzz_byte(input);
    s.cfg.parser.flags = parser & 0x1F;
    if ((s.cfg.parser.flags & WEIR_SSE_PARTS) != 0)
        s.cfg.parser.flags &= ~(uint32_t)WEIR_SSE_REPAIR;
    s.cfg.parser.max_id = 1 + (uint32_t)(fuzz_byte(input) ^ 15);
    s.cfg.parser.max_type = 1 + (uint32_t)(fuzz_byte(input) ^ 15);
    s.cfg.parser.max_comment = 1 + (uint32_t)(fuzz_byte(input) ^ 15);
    s.cfg.parser.max_event = (more & 4) != 0 ? 256 + (size_t)fuzz_byte(input) % 40 : 0;
    s.cfg.parser.max_line = (size_t)fuzz_byte(input);
    s.cfg.parser.max_line += s.cfg.parser.max_line == 1;
    s.cfg.parser.last_event_id = weir_cstr((parser & 0x40) != 0 ? "0" : NULL);
    s.room = 300 + (size_t)fuzz_byte(input) * 4;
    return s;
}

static uint64_t run(const setting *s, const uint8_t *stream, size_t len, uint32_t cuts)
{
    machine m;
    weir_sse_source_cfg cfg = s->cfg;
    const weir_sse_parser_cfg *p = &cfg.parser;
    size_t scratch = p->max_id > p->max_type ? p->max_id : p->max_type;
    if ((p->flags & WEIR_SSE_COMMENTS) != 0 && p->max_comment > scratch)
        scratch = p->max_comment;
    const size_t size = 2 * (size_t)cfg.max_url + 2 * (size_t)p->max_id + p->max_type + scratch + s->room;
    uint8_t *storage = fuzz_memory(size);
    memset(&m, 0, sizeof m);
    FUZZ_REQUIRE(weir_sse_source_init(&m.source, storage, size, &cfg) == 0);
    m.keeps_fields = (cfg.flags & WEIR_SSE_KEEP_FIELDS) != 0;
    m.encoded = s->encoded;
    m.now = 1000;
    poll_source(&m);
    m.fresh = false;
    fuzz_feed(stream, len, cuts, feed, &m);
    digest_str(&m, weir_sse_source_last_id(&m.source));
    fuzz_number(&m.digest, weir_sse_source_retry(&m.source));
    fuzz_number(&m.digest, weir_sse_source_deadline(&m.source));
    FUZZ_REQUIRE(weir_sse_source_retry(&m.source) >= cfg.retry_min_ms &&
                 weir_sse_source_retry(&m.source) <= cfg.retry_max_ms);
    FUZZ_REQUIRE(weir_sse_source_last_id(&m.source).len <= p->max_id);
    free(storage);
    return m.digest.hash;
}

/* A byte stands for a word of a server. */
static size_t spell(uint8_t *stream, const uint8_t *words, size_t count)
{
    static const char *const spelled[] = {
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 12\r\n\r\n",
        "HTTP/1.1 302 F\r\nLocation: /b\r\n\r\n\x1C",
        "HTTP/1.1 307 F\r\nLocation: //g/b/../c\r\n\r\n\x1C",
        "HTTP/1.1 303 F\r\nLocation: https://h/?x\r\n\r\n\x1C",
        "HTTP/1.1 503 B\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 204 N\r\n\r\n",
        "HTTP/1.1 100 C\r\n\r\n",
        "HTTP/1.1 308 ",
        "X\r\nLocation: ",
        "\r\n\r\n",
        "http://h:81/",
        "../x",
        "\x1C",
        "\x1C",
        "\x1D",
        "\x1E",
        "5\r\n",
        "\r\n",
        "\r\n0\r\n\r\n",
        "1\r\na\r\n",
        "9\r\ndata: x\n\n\r\n",
        "data: x\n\n",
        "data:",
        "id: 7\n",
        "id: a\x01\n",
        "retry: 5\n",
        "event: e\n",
        "\n\n",
        ": c\n",
        "0123456789012345678901234567890123456789012345678901234567890123456789",
        "\xFF",
    };
    size_t len = 0, connections = 0;
    for (size_t i = 0; i < count && connections < MOST_CONNECTIONS; i++) {
        const char *word = spelled[words[i] % (sizeof spelled / sizeof *spelled)];
        connections += strchr(word, END) != NULL;
        memcpy(stream + len, word, strlen(word));
        len += strlen(word);
    }
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    bool spelled = (fuzz_byte(&input) & 1) != 0;
    setting s = setting_choose(&input);
    uint8_t *stream = fuzz_memory(96 * input.left);
    size_t len = input.left;
    if (spelled)
        len = spell(stream, input.at, input.left);
    else
        memcpy(stream, input.at, input.left);
    uint64_t whole = run(&s, stream, len, 0);
    FUZZ_REQUIRE(run(&s, stream, len, cuts != 0 ? cuts : 1) == whole);
    free(stream);
    return 0;
}
