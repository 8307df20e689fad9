/* SPDX-License-Identifier: MIT */
/*
 * streams.c - benchmark: event streams written and read.
 *
 * To read is to receive a stream and deliver the data of each event. The floor is the copy out of the kernel
 * and one memchr over it; `memchr loop` is what one writes by hand in an hour: LF only, one field, no limits.
 */
#include "streams.h"

#include "weir/sse.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 65536 };

/* ---- Readers ------------------------------------------------------------------------------------- */

typedef struct reader {
    const stream *stream;
    void (*read)(struct reader *r, bench_source *source, bench_sink *sink);
    uint8_t buf[ROOM];
    weir_sse_parser parser;
    uint8_t *storage;
    size_t line_len; /* of the memchr loop: in storage, an unfinished line; behind it the data */
    node_peer *node;
} reader;

static bench_source source_of(const stream *s)
{
    return (bench_source){s->bytes, s->bytes + s->len, s->most};
}

static void read_memchr(reader *r, bench_source *source, bench_sink *sink)
{
    size_t n;
    (void)sink;
    while ((n = bench_receive(source, r->buf, sizeof r->buf)) != 0) {
        const uint8_t *end = r->buf + n;
        for (const uint8_t *at = r->buf; at != NULL && at < end;) {
            at = memchr(at, '\n', (size_t)(end - at));
            at = at != NULL ? at + 1 : NULL;
        }
        bench_keep(r->buf);
    }
}

static void read_weir(reader *r, bench_source *source, bench_sink *sink)
{
    size_t n;
    weir_sse_item item;
    while ((n = bench_receive(source, r->buf, sizeof r->buf)) != 0) {
        weir_in in = {r->buf, n};
        int rv;
        while ((rv = weir_sse_next(&r->parser, &in, &item)) > 0) {
            if (item.kind != WEIR_SSE_EVENT)
                continue;
            bench_deliver(sink, item.data.ptr, item.data.len);
            bench_deliver_end(sink);
        }
        if (rv < 0)
            bench_fail(weir_strerror(rv));
    }
}

/* One line of the loop written by hand. Data is kept in the upper half of the storage. */
static void loop_line(reader *r, const uint8_t *line, size_t len, size_t *data_len, bench_sink *sink)
{
    uint8_t *data = r->storage + LARGEST;
    if (len == 0) {
        if (*data_len != 0) {
            bench_deliver(sink, data, *data_len - 1);
            bench_deliver_end(sink);
        }
        *data_len = 0;
    } else if (len >= 5 && memcmp(line, "data:", 5) == 0) {
        size_t skip = len > 5 && line[5] == ' ' ? 6 : 5;
        memcpy(data + *data_len, line + skip, len - skip);
        *data_len += len - skip;
        data[(*data_len)++] = '\n';
    }
}

static void read_loop(reader *r, bench_source *source, bench_sink *sink)
{
    size_t n;
    size_t data_len = 0;
    while ((n = bench_receive(source, r->buf, sizeof r->buf)) != 0) {
        const uint8_t *at = r->buf;
        const uint8_t *end = at + n;
        const uint8_t *stop;
        while (at != end && (stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
            size_t len = (size_t)(stop - at);
            if (r->line_len != 0) {
                memcpy(r->storage + r->line_len, at, len);
                loop_line(r, r->storage, r->line_len + len, &data_len, sink);
                r->line_len = 0;
            } else {
                loop_line(r, at, len, &data_len, sink);
            }
            at = stop + 1;
        }
        memcpy(r->storage + r->line_len, at, (size_t)(end - at));
        r->line_len += (size_t)(end - at);
    }
}

static double run_reader(void *user, size_t times)
{
    reader *r = user;
    bench_sink sink = {0};
    if (r->node != NULL)
        return node_run(r->node, times);
    while (times-- > 0) {
        bench_source source = source_of(r->stream);
        r->read(r, &source, &sink);
    }
    return 0;
}

static reader *reader_new(const stream *s, void (*read)(reader *, bench_source *, bench_sink *))
{
    reader *r = bench_alloc(sizeof *r);
    r->stream = s;
    r->read = read;
    r->storage = bench_alloc(2 * LARGEST);
    if (weir_sse_parser_init(&r->parser, r->storage, LARGEST, NULL) != 0)
        bench_fail("weir_sse_parser_init");
    for (int i = 0; read != NULL && read != read_memchr && i < 2; i++) {
        bench_sink sink = {.rehearsal = true};
        bench_source source = source_of(s);
        read(r, &source, &sink);
        if (sink.whole != s->events || sink.bytes != s->data || sink.digest != s->digest)
            bench_fail(read == read_weir ? "weir delivers something else"
                                         : "the loop delivers something else");
    }
    return r;
}

static void read_row(bench_group *group, const char *row, content kind, size_t most, node_peer *node)
{
    if (!bench_wanted(group, row))
        return;
    stream s = stream_new(kind, most, most == 1 ? 32768 : 0);
    reader *readers[4] = {reader_new(&s, read_memchr), reader_new(&s, read_weir), reader_new(&s, read_loop),
                          NULL};
    if (node != NULL) {
        readers[3] = reader_new(&s, NULL);
        readers[3]->node = node;
        node_load(node, &s);
    }
    bench_case cases[4] = {{NULL, NULL, 0}};
    for (size_t i = 0; i < group->columns; i++)
        cases[i] = (bench_case){run_reader, readers[i], 0};
    bench_row(group, row, cases, (double)s.events, (double)s.len);
    for (size_t i = 0; i < group->columns; i++) {
        free(readers[i]->storage);
        free(readers[i]);
    }
    free(s.bytes);
}

static void read_all(void)
{
    node_peer node;
    bool has_node = node_open(&node);
    node_peer *peer = has_node ? &node : NULL;
    bench_group group = {
        .title = "read events, MB/s (times the time of copy and memchr)",
        .unit = BENCH_RATE,
        .columns = has_node ? 4 : 3,
        .names = {"copy and memchr", "weir", "memchr loop", "eventsource-parser"},
    };
    read_row(&group, "deltas in 64 KiB", DELTAS, ROOM, peer);
    read_row(&group, "deltas in 1400", DELTAS, 1400, peer);
    read_row(&group, "deltas byte by byte", DELTAS, 1, peer);
    read_row(&group, "with type and id in 64 KiB", NAMED, ROOM, peer);
    read_row(&group, "with type and id in 1400", NAMED, 1400, peer);
    read_row(&group, "tiny in 64 KiB", TINY, ROOM, peer);
    read_row(&group, "tiny in 1400", TINY, 1400, peer);
    read_row(&group, "tiny byte by byte", TINY, 1, peer);
    read_row(&group, "4 KiB in 64 KiB", LARGE, ROOM, peer);
    read_row(&group, "4 KiB in 1400", LARGE, 1400, peer);
    read_row(&group, "4 KiB, 81 lines, in 64 KiB", LINES, ROOM, peer);
    read_row(&group, "4 KiB, 81 lines, in 1400", LINES, 1400, peer);
    read_row(&group, "a line of 8 MiB in 1400", HUGE_8, 1400, peer);
    read_row(&group, "a line of 16 MiB in 1400", HUGE_16, 1400, peer);
    if (has_node)
        node_close(&node);
}

/* ---- Writers ------------------------------------------------------------------------------------- */

enum { OUTPUT = 256 * 1024, WRITES = 16 };

typedef struct writer {
    size_t (*write)(const struct writer *w, uint8_t *dst, size_t cap);
    weir_sse_event event;
    uint8_t finished[32768]; /* the event as it is written */
    size_t len;
    uint8_t *output;
} writer;

static size_t write_memcpy(const writer *w, uint8_t *dst, size_t cap)
{
    (void)cap;
    memcpy(dst, w->finished, w->len);
    return w->len;
}

static size_t write_weir(const writer *w, uint8_t *dst, size_t cap)
{
    weir_out out = {dst, cap};
    if (weir_sse_event_write(&out, &w->event) != 0)
        bench_fail("weir_sse_event_write");
    return cap - out.len;
}

/* What programs do that trust their text: no check, and wrong for more than one line. */
static size_t write_printf(const writer *w, uint8_t *dst, size_t cap)
{
    int names = w->event.id.ptr == NULL
                    ? 0
                    : snprintf((char *)dst, cap, "event: %s\nid: %s\n", (const char *)w->event.type.ptr,
                               (const char *)w->event.id.ptr);
    return (size_t)(names + snprintf((char *)dst + names, cap - (size_t)names, "data: %.*s\n\n",
                                     (int)w->event.data.len, (const char *)w->event.data.ptr));
}

static double run_writer(void *user, size_t times)
{
    const writer *w = user;
    size_t at = 0;
    for (size_t i = 0; i < times * WRITES; i++) {
        if (OUTPUT - at < sizeof w->finished)
            at = 0;
        at += w->write(w, w->output + at, OUTPUT - at);
        bench_keep(w->output);
    }
    return 0;
}

static void write_row(bench_group *group, const char *row, content kind, size_t len)
{
    static size_t (*const ways[3])(const writer *, uint8_t *, size_t) = {write_memcpy, write_weir,
                                                                         write_printf};
    static writer writers[3];
    static uint8_t data[8192];
    bench_case cases[3] = {{NULL, NULL, 0}};
    if (!bench_wanted(group, row))
        return;
    if (kind == LARGE)
        bench_text(data, len);
    else
        len = data_put(kind, 1, data);
    for (size_t i = 0; i < 3; i++) {
        writer *w = &writers[i];
        memset(w, 0, sizeof *w);
        w->write = ways[i];
        w->event.data = (weir_str){data, len};
        if (kind == NAMED) {
            w->event.type = weir_cstr("content_block_delta");
            w->event.id = weir_cstr("12345");
        }
        w->output = bench_alloc(OUTPUT);
        w->len = write_weir(w, w->finished, sizeof w->finished);
        if (i != 2 || kind != LINES)
            cases[i] = (bench_case){run_writer, w, 0};
    }
    if (kind != LINES && (write_printf(&writers[2], writers[2].output, OUTPUT) != writers[0].len ||
                          memcmp(writers[2].output, writers[0].finished, writers[0].len) != 0))
        bench_fail("the writers disagree");
    bench_row(group, row, cases, WRITES, (double)(WRITES * writers[0].len));
    for (size_t i = 0; i < 3; i++)
        free(writers[i].output);
}

static void write_all(void)
{
    bench_group group = {
        .title = "write an event, ns (times memcpy of the finished bytes)",
        .columns = 3,
        .names = {"memcpy", "weir", "snprintf"},
    };
    write_row(&group, "1 byte", TINY, 0);
    write_row(&group, "a delta", DELTAS, 0);
    write_row(&group, "with type and id", NAMED, 0);
    write_row(&group, "200 bytes", LARGE, 192);
    write_row(&group, "4 KiB", LARGE, 4 << 10);
    write_row(&group, "4 KiB, 81 lines", LINES, 0);
}

int main(void)
{
    write_all();
    read_all();
    return 0;
}
