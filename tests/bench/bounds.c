/* SPDX-License-Identifier: MIT */
/*
 * bounds.c - how much memory a connection costs, whatever its peer does. No time is measured.
 *
 * The sizes of all contexts; floods and announcements that would make others grow; a compressed message that
 * inflates to half a gigabyte; the memory of compression by window and level. It fails when a bound does
 * not hold.
 */
#include "bench.h"
#include "heap.h"

#include "weir/weir.h"
#ifdef BENCH_ZLIB
#include "weir/zlib.h"
#endif

#include <stdio.h>
#include <stdlib.h>

static bool failed;

static void expect(bool good, const char *what)
{
    if (good)
        return;
    printf("FAIL: %s\n", what);
    failed = true;
}

/* ---- Sizes --------------------------------------------------------------------------------------- */

static void sizes_print(void)
{
    static const struct {
        const char *name;
        size_t size;
        const char *when;
    } sizes[] = {
        {"weir_ws", sizeof(weir_ws), "a WebSocket, as long as it lives"},
        {"weir_deflate", sizeof(weir_deflate), "its compression, beside the backend's memory below"},
        {"weir_ws_joiner", sizeof(weir_ws_joiner), "collecting messages, beside the buffer"},
        {"weir_sse_request", sizeof(weir_sse_request), "a listener of an event stream"},
        {"weir_sse_parser", sizeof(weir_sse_parser), "reading an event stream, beside its storage"},
        {"weir_sse_source", sizeof(weir_sse_source), "a client of event streams, parser included"},
        {"weir_sse_log", sizeof(weir_sse_log), "a replay log, beside its memory"},
        {"weir_sse_reader", sizeof(weir_sse_reader), "a listener's place in a replay log"},
        {"weir_pulse", sizeof(weir_pulse), "deadlines"},
        {"weir_http", sizeof(weir_http), "until the head is read, beside its storage"},
        {"weir_http_body", sizeof(weir_http_body), "while a body is read"},
        {"weir_entropy", sizeof(weir_entropy), "all clients of a thread together"},
    };
    printf("\nBytes of each context\n\n| %-18s | bytes | for |\n|--------------------|------:|-----|\n",
           "struct");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        printf("| %-18s | %5zu | %s |\n", sizes[i].name, sizes[i].size, sizes[i].when);
}

/* ---- Floods and announcements -------------------------------------------------------------------- */

enum { PINGS = 200000, PING_FRAME = 2 + 4 + 125 };

typedef struct flood {
    weir_ws ws;
    size_t pongs;    /* whole Pongs that were taken */
    size_t waiting;  /* most bytes that ever waited to be written */
    uint64_t pieces; /* bytes of messages reported */
    heap_use heap;
    int err;
} flood;

static void flood_begin(flood *f, uint64_t limit)
{
    weir_ws_cfg cfg;
    memset(f, 0, sizeof *f);
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    if (limit != 0)
        cfg.max_frame = cfg.max_message = limit;
    if (weir_ws_init(&f->ws, &cfg) != 0)
        bench_fail("weir_ws_init");
}

/* Feeds a copy of the stream; `takes` says whether the other side reads what it is sent. */
static void flood_feed(flood *f, const uint8_t *stream, size_t len, size_t piece, bool takes)
{
    uint8_t buf[4096];
    weir_ws_event ev;
    for (size_t at = 0; at < len && f->err == 0; at += piece) {
        weir_in in = {buf, len - at < piece ? len - at : piece};
        memcpy(buf, stream + at, in.len);
        int rv;
        while ((rv = weir_ws_next(&f->ws, &in, &ev)) > 0) {
            f->pieces += rv == WEIR_WS_DATA ? ev.data.len : 0;
            size_t waiting = weir_ws_out(&f->ws).len;
            f->waiting = waiting > f->waiting ? waiting : f->waiting;
            f->pongs += takes && waiting != 0;
            if (takes)
                weir_ws_out_ack(&f->ws, waiting);
        }
        f->err = rv;
    }
}

static void flood_print(const char *what, const flood *f, size_t sent)
{
    char outcome[96];
    if (f->err != 0)
        snprintf(outcome, sizeof outcome, "%s, Close %u", weir_err_lookup(f->err)->name + strlen("WEIR_ERR_"),
                 (unsigned)weir_err_lookup(f->err)->close_code);
    else
        snprintf(outcome, sizeof outcome, "goes on, %zu Pongs sent", f->pongs);
    printf("| %-44s | %9zu | %6zu | %7zu | %-26s |\n", what, sent, f->heap.bytes, f->waiting, outcome);
    expect(f->heap.calls == 0, "the heap was used");
    expect(f->waiting <= WEIR_WS_OUT_MAX, "more waits than there is room for");
}

static void flood_row(const char *what, const uint8_t *stream, size_t len, size_t piece, bool takes)
{
    static flood f;
    flood_begin(&f, 0);
    heap_count();
    flood_feed(&f, stream, len, piece, takes);
    f.heap = heap_stop();
    flood_print(what, &f, len);
    expect(f.err == 0 && (!takes || f.pongs == PINGS), "a Ping was not answered");
}

static void announcement_row(const char *what, uint64_t limit, int err)
{
    /* The header of a masked frame of 2^62 bytes, and its first byte. */
    static const uint8_t stream[15] = {0x82, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5};
    static flood f;
    flood_begin(&f, limit);
    heap_count();
    flood_feed(&f, stream, sizeof stream, sizeof stream, false);
    f.heap = heap_stop();
    flood_print(what, &f, sizeof stream);
    expect(f.err == err && f.pieces == (err == 0), "another outcome than expected");
}

static void floods_print(void)
{
    size_t len = (size_t)PINGS * PING_FRAME;
    uint8_t *stream = bench_alloc(len);
    bench_fill(stream, len);
    for (size_t at = 0; at < len; at += PING_FRAME) {
        stream[at] = 0x89;
        stream[at + 1] = 0x80 | 125;
    }
    printf("\nWhat a hostile peer can make a connection of %zu bytes hold beside itself%s\n\n",
           sizeof(weir_ws), heap_is_seen() ? "" : " (the heap cannot be seen here: its column says nothing)");
    printf("| %-44s | %9s | %6s | %7s | %-26s |\n", "what comes", "bytes", "heap", "to send", "outcome");
    printf("|----------------------------------------------|----------:|-------:|--------:|------------------"
           "----------|\n");
    flood_row("200,000 Pings, nobody reads the Pongs", stream, len, 4096, false);
    flood_row("the same in pieces of 1460", stream, len, 1460, false);
    flood_row("the same byte by byte", stream, len, 1, false);
    flood_row("200,000 Pings, the Pongs are read", stream, len, 4096, true);
    announcement_row("a header announcing 2^62 bytes", 0, WEIR_ERR_WS_FRAME_SIZE);
    announcement_row("the same, limits set to 2^63-1", INT64_MAX, 0);
    free(stream);
}

/* ---- Compression --------------------------------------------------------------------------------- */

#ifdef BENCH_ZLIB

enum { SCRATCH = 16384, BOMB_MIB = 512, STEP = 1 << 20 };

/* zlib's backend, and how much came out of it. */
static weir_deflate_backend counting;
static uint64_t inflated;

static int inflate_counted(void *mem, weir_str *packed, weir_out *out)
{
    size_t before = out->len;
    int rv = weir_zlib.inflate(mem, packed, out);
    inflated += before - out->len;
    return rv;
}

/* One masked frame (by a key of zeros) of zeros, 512 MiB when inflated. */
static uint8_t *bomb_new(size_t *len)
{
    size_t cap = (size_t)1 << 20;
    size_t mem_len = weir_zlib.deflate_size(15, 8);
    uint8_t *bomb = bench_alloc(cap);
    uint8_t *zeros = bench_alloc(STEP);
    void *mem = bench_alloc(mem_len);
    weir_out out = {bomb + 14, cap - 14};
    if (weir_zlib.deflate_init(mem, mem_len, 15, 8, 9) != 0)
        bench_fail("deflate_init");
    for (size_t i = 0; i < BOMB_MIB; i++)
        if (weir_zlib.deflate(mem, (weir_str){zeros, STEP}, &out) != 0)
            bench_fail("deflate");
    size_t payload = cap - 14 - out.len - 4; /* without the 00 00 FF FF of the last flush */
    bomb[0] = 0xC2;
    bomb[1] = 0xFF;
    for (size_t i = 0; i < 8; i++)
        bomb[2 + i] = (uint8_t)((uint64_t)payload >> (56 - 8 * i));
    free(zeros);
    free(mem);
    *len = 14 + payload;
    return bomb;
}

static void bomb_row(const uint8_t *bomb, size_t len, uint64_t limit, uint32_t ratio)
{
    static uint8_t scratch[SCRATCH];
    static flood f;
    char what[64];
    weir_deflate deflate;
    weir_deflate_cfg dc = {.backend = &counting, .role = WEIR_WS_SERVER, .max_ratio = ratio};
    weir_ws_cfg cfg;
    size_t unused;
    dc.params.server_bits = dc.params.client_bits = 15;
    weir_deflate_memory(&dc, &dc.inflate_len, &unused);
    dc.inflate_mem = bench_alloc(dc.inflate_len);
    dc.scratch = scratch;
    dc.scratch_len = sizeof scratch;
    flood_begin(&f, 0);
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    cfg.max_message = limit;
    cfg.deflate = &deflate;
    if (weir_deflate_init(&deflate, &dc) != 0 || weir_ws_init(&f.ws, &cfg) != 0)
        bench_fail("weir_deflate_init");
    inflated = 0;
    heap_count();
    flood_feed(&f, bomb, len, 4096, false);
    f.heap = heap_stop();
    uint64_t allowed = ratio != 0 ? ratio * (uint64_t)(len - 14) : limit;
    uint64_t beyond = inflated > allowed ? inflated - allowed : 0;
    if (ratio != 0)
        snprintf(what, sizeof what, "max_ratio %u", (unsigned)ratio);
    else
        snprintf(what, sizeof what, "max_message %u KiB", (unsigned)(limit >> 10));
    printf("| %-24s | %10llu | %10llu | %8llu | %6zu | %-20s |\n", what, (unsigned long long)inflated,
           (unsigned long long)f.pieces, (unsigned long long)beyond, f.heap.bytes,
           weir_err_lookup(f.err)->name + strlen("WEIR_ERR_"));
    expect(f.heap.calls == 0, "the heap was used");
    expect(f.err == (ratio != 0 ? WEIR_ERR_WS_RATIO : WEIR_ERR_WS_MESSAGE_SIZE), "the bomb was not stopped");
    expect(f.pieces <= allowed && beyond <= SCRATCH, "more was inflated than a scratch beyond the limit");
    free(dc.inflate_mem);
}

static void bombs_print(void)
{
    size_t len;
    uint8_t *bomb = bomb_new(&len);
    counting = weir_zlib;
    counting.inflate = inflate_counted;
    printf("\nA compressed frame of %zu bytes that inflates to %d MiB, with a scratch of %d bytes\n\n", len,
           BOMB_MIB, SCRATCH);
    printf("| %-24s | %10s | %10s | %8s | %6s | %-20s |\n", "limit", "inflated", "delivered", "beyond",
           "heap", "outcome");
    printf("|--------------------------|-----------:|-----------:|---------:|-------:|----------------------|"
           "\n");
    bomb_row(bomb, len, 1 << 16, 0);
    bomb_row(bomb, len, 1 << 20, 0);
    bomb_row(bomb, len, 16 << 20, 0);
    bomb_row(bomb, len, 1 << 30, 100);
    free(bomb);
}

/* The least memory that a compressor (mem_level not 0) or decompressor can be set up in. */
static size_t least(unsigned bits, unsigned mem_level)
{
    size_t high = mem_level != 0 ? weir_zlib.deflate_size(bits, mem_level) : weir_zlib.inflate_size(bits);
    size_t low = 0;
    void *mem = bench_alloc(high);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int rv = mem_level != 0 ? weir_zlib.deflate_init(mem, middle, bits, mem_level, 6)
                                : weir_zlib.inflate_init(mem, middle, bits);
        if (rv == 0)
            high = middle;
        else
            low = middle + 1;
    }
    free(mem);
    return high;
}

static void cell_print(size_t asked, size_t used)
{
    printf(" %5.1f (%5.1f) |", (double)asked / 1024, (double)used / 1024);
    expect(used <= asked, "set-up needs more than weir_deflate_memory says");
}

static void memory_print(void)
{
    printf("\nMemory of a compressed connection, KiB: what weir_deflate_memory asks for (what zlib takes of "
           "it)\n\n");
    printf("| window bits | inflate       |");
    for (unsigned level = 1; level <= 9; level++)
        printf(" deflate, %u    |", level);
    printf("\n|------------:|--------------:|");
    for (unsigned level = 1; level <= 9; level++)
        printf("--------------:|");
    putchar('\n');
    for (unsigned bits = 8; bits <= 15; bits++) {
        weir_deflate_cfg dc = {.backend = &weir_zlib, .role = WEIR_WS_SERVER};
        size_t rx, tx;
        dc.params.server_bits = dc.params.client_bits = (uint8_t)bits;
        weir_deflate_memory(&dc, &rx, &tx);
        printf("| %11u |", bits);
        cell_print(rx, least(bits, 0));
        for (unsigned level = 1; level <= 9 && bits > 8; level++) {
            dc.mem_level = level;
            weir_deflate_memory(&dc, &rx, &tx);
            cell_print(tx, least(bits, level));
        }
        puts(bits > 8 ? "" : " (a window of 8 bits is only received) |");
    }
}

#endif

int main(void)
{
    sizes_print();
    floods_print();
#ifdef BENCH_ZLIB
    bombs_print();
    memory_print();
#else
    printf("\nbuilt without zlib: compression is left out\n");
#endif
    return failed ? 1 : 0;
}
