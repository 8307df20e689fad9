/* SPDX-License-Identifier: MIT */
/*
 * streams.c - what hostile peers send: known weaknesses of other libraries, endless elements, floods, noise.
 *
 * A text is `before`, `unit` again and again, `after`. A flood is frames: one to begin with, then the same
 * one again and again.
 */
#include "bounded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) \
    { \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Texts --------------------------------------------------------------------------------------- */

#define REQUEST "GET / HTTP/1.1\r\nHost: h\r\n"
#define SIXTEEN "sixteen-letters-"
#define ANSWER "HTTP/1.1 200 OK\r\n"
#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

static const struct {
    const char *diet, *name;
    weir_str before, unit, after;
} texts[] = {
    {"head", "an endless method", TEXT(""), TEXT("G"), TEXT("")},
    {"head", "an endless target", TEXT("GET /"), TEXT("x"), TEXT("")},
    {"head", "an endless field", TEXT(REQUEST "X: "), TEXT("x"), TEXT("")},
    {"head", "an endless field name", TEXT(REQUEST), TEXT("x"), TEXT("")},
    {"head", "blanks without end", TEXT(REQUEST "X:"), TEXT(" \t"), TEXT("")},
    {"head", "fields without end", TEXT(REQUEST), TEXT("X: y\r\n"), TEXT("")},
    {"head", "a head of many fields", TEXT(REQUEST), TEXT("X: y\r\n"), TEXT("\r\n")},
    {"head", "empty fields without end", TEXT(REQUEST), TEXT("X:\r\n"), TEXT("")},
    {"head", "Hosts without end", TEXT(REQUEST), TEXT("Host: h\r\n"), TEXT("")},
    {"head", "a length of many digits", TEXT(REQUEST "Content-Length: "), TEXT("0"), TEXT("")},
    {"head", "codings without end", TEXT(REQUEST "Transfer-Encoding: "), TEXT("chunked, "), TEXT("")},
    {"head", "empty lines", TEXT(""), TEXT("\r\n"), TEXT("")},
    {"head", "heads in a row", TEXT(""), TEXT(REQUEST "\r\n"), TEXT("")},
    {"head", "full heads in a row", TEXT(""),
     TEXT(REQUEST "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nConnection: a, b, c\r\n\r\n"),
     TEXT("")},
    {"head", "as many fields as may be", TEXT(""),
     TEXT(REQUEST
          "1: 1\r\n2: 2\r\n3: 3\r\n4: 4\r\n5: 5\r\n6: 6\r\n7: 7\r\n8: 8\r\n9: 9\r\n10: 1\r\n11: 1\r\n12: "
          "1\r\n13: 1\r\n14: 1\r\n15: 1\r\n16: 1\r\n17: 1\r\n18: 1\r\n19: 1\r\n\r\n"),
     TEXT("")},
    {"head", "targets of 64 bytes", TEXT(""),
     TEXT("GET /" SIXTEEN SIXTEEN SIXTEEN "fifteen-letters HTTP/1.1\r\nHost: h\r\n\r\n"), TEXT("")},
    {"head", "NULs", TEXT(REQUEST "X: "), TEXT("\0"), TEXT("")},
    {"answer", "an endless reason", TEXT("HTTP/1.1 200 "), TEXT("x"), TEXT("")},
    {"answer", "an endless field", TEXT(ANSWER "X: "), TEXT("x"), TEXT("")},
    {"answer", "fields without end", TEXT(ANSWER), TEXT("X: y\r\n"), TEXT("")},
    {"answer", "interim answers", TEXT(""), TEXT("HTTP/1.1 100 Continue\r\n\r\n"), TEXT("")},
    {"body", "chunks of one byte", TEXT(""), TEXT("1\r\nx\r\n"), TEXT("0\r\n\r\n")},
    {"body", "an endless extension", TEXT("1"), TEXT(";x"), TEXT("")},
    {"body", "zeros without end", TEXT(""), TEXT("0"), TEXT("")},
    {"body", "blanks without end", TEXT("1"), TEXT(" "), TEXT("")},
    {"body", "trailers without end", TEXT("0\r\n"), TEXT("X: y\r\n"), TEXT("")},
    {"body", "an endless trailer", TEXT("0\r\nX: "), TEXT("y"), TEXT("")},
    {"body", "a size of sixteen F", TEXT("FFFFFFFFFFFFFFFF\r\n"), TEXT("x"), TEXT("")},
    {"body", "empty bodies", TEXT(""), TEXT("0\r\n\r\n"), TEXT("")},
    {"body", "a huge chunk", TEXT("10000000\r\n"), TEXT("data"), TEXT("")},
    {"events", "a line without end", TEXT("data:"), TEXT("x"), TEXT("")},
    {"events", "a comment without end", TEXT(":"), TEXT("x"), TEXT("")},
    {"events", "a field name without end", TEXT(""), TEXT("x"), TEXT("")},
    {"events", "an event without end", TEXT(""), TEXT("data:x\n"), TEXT("")},
    {"events", "empty data lines", TEXT(""), TEXT("data\n"), TEXT("\n")},
    {"events", "a type without end", TEXT("event:"), TEXT("x"), TEXT("\ndata:x\n\n")},
    {"events", "types without end", TEXT(""), TEXT("event:type\n"), TEXT("data:x\n\n")},
    {"events", "an ID without end", TEXT("id:"), TEXT("x"), TEXT("\ndata:x\n\n")},
    {"events", "IDs without end", TEXT(""), TEXT("id:x\n"), TEXT("data:x\n\n")},
    {"events", "a retry without end", TEXT("retry:"), TEXT("9"), TEXT("\n")},
    {"events", "retries without end", TEXT(""), TEXT("retry:1\n"), TEXT("")},
    {"events", "empty lines", TEXT(""), TEXT("\n"), TEXT("")},
    {"events", "carriage returns", TEXT("data:x"), TEXT("\r"), TEXT("")},
    {"events", "events of one byte", TEXT(""), TEXT("data:x\n\n"), TEXT("")},
    {"events", "empty events", TEXT(""), TEXT("data\n\n"), TEXT("")},
    {"events", "IDs, retries and comments in turn", TEXT(""), TEXT("id:1\n\nretry:2\n:c\n"), TEXT("")},
    {"events", "bytes that are not UTF-8", TEXT("data:"), TEXT("\xFF"), TEXT("\n\n")},
    {"events", "characters cut short", TEXT("data:"), TEXT("\xE2\x82"), TEXT("\n\n")},
    {"events", "IDs that are not UTF-8", TEXT(""), TEXT("id:\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\ndata:\xFF\n\n"),
     TEXT("")},
    {"events", "NULs", TEXT("data:"), TEXT("\0"), TEXT("\n\n")},
    {"events", "full events", TEXT(""),
     TEXT("event:a type of some length\nid:an ID of some length\nretry:1000\n:comment\ndata:one "
          "line\ndata:two "
          "lines\r\ndata:three\rdata\n\n"),
     TEXT("")},
    {"source", "a head without end", TEXT("HTTP/1.1 200 OK\r\n"), TEXT("X: y\r\n"), TEXT("")},
    {"source", "interim answers", TEXT(""), TEXT("HTTP/1.1 103 Early Hints\r\n\r\n"), TEXT("")},
    {"source", "redirects", TEXT(""),
     TEXT("HTTP/1.1 302 Found\r\nLocation: /a/../b?c\r\nContent-Length: 0\r\n\r\n"), TEXT("")},
    {"source", "answers of servers that are busy", TEXT(""),
     TEXT("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy"), TEXT("")},
    {"source", "a refusal without end", TEXT("HTTP/1.1 404 Not Found\r\n\r\n"), TEXT("no "), TEXT("")},
    {"source", "a comment without end", TEXT(STREAM "\r\n:"), TEXT("x"), TEXT("")},
    {"source", "an event without end", TEXT(STREAM "\r\n"), TEXT("data:x\n"), TEXT("")},
    {"source", "an ID without end", TEXT(STREAM "\r\nid:"), TEXT("x"), TEXT("")},
    {"source", "chunks of one byte", TEXT(STREAM "Transfer-Encoding: chunked\r\n\r\n7\r\ndata:x\n\r\n"),
     TEXT("1\r\n\n\r\n7\r\ndata:x\n\r\n"), TEXT("")},
    {"source", "an extension without end", TEXT(STREAM "Transfer-Encoding: chunked\r\n\r\n7;"), TEXT("x"),
     TEXT("")},
    {"source", "streams of one event", TEXT(""), TEXT(STREAM "Content-Length: 8\r\n\r\ndata:x\n\n"),
     TEXT("")},
    {"log", "IDs that are alike", TEXT(""), TEXT("a"), TEXT("")},
    {"log", "events of one byte", TEXT(""), TEXT("\xE0"), TEXT("")},
    {"log", "long and short events", TEXT(""),
     TEXT("\xEF"
          "abcdefgh\x10"),
     TEXT("")},
    {"clock", "the heartbeat, and never a sign of life", TEXT("\x01"), TEXT("\x58"), TEXT("")},
    {"clock", "signs of life", TEXT("\x01"), TEXT("\x2A"), TEXT("")},
    {"clock", "leaps", TEXT("\x01"), TEXT("\xFF\xDF\xF7"), TEXT("")},
};

/* What was asked for. */
typedef struct order {
    const char *diet;
    const char *only; /* the name of a stream, or NULL for all */
    bool masked;
    size_t size;
    stream_taker take;
    void *user;
    uint8_t *bytes; /* where streams are made */
    size_t count;
} order;

static bool wanted(const order *o, const char *diet, const char *name)
{
    return strcmp(o->diet, diet) == 0 && (o->only == NULL || strcmp(o->only, name) == 0);
}

static void hand_over(order *o, const char *name, size_t len)
{
    o->count++;
    o->take(o->user, name, o->bytes, len);
}

static size_t put(uint8_t *dst, weir_str text)
{
    if (text.len != 0)
        memcpy(dst, text.ptr, text.len);
    return text.len;
}

static void texts_each(order *o)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (!wanted(o, texts[i].diet, texts[i].name))
            continue;
        size_t len = put(o->bytes, texts[i].before);
        while (len < o->size)
            len += put(o->bytes + len, texts[i].unit);
        len += put(o->bytes + len, texts[i].after);
        hand_over(o, texts[i].name, len);
    }
}

/* Fields as long as they may be, a byte less and a byte more. */
static void limits_each(order *o)
{
    static const struct {
        const char *diet, *name;
        weir_str before, unit, after;
        size_t most;
    } limits[] = {
        {"events", "types up to the limit", TEXT(""), TEXT("event:"), TEXT("\ndata:x\n\n"), 256},
        {"events", "IDs up to the limit", TEXT(""), TEXT("id:"), TEXT("\ndata:x\n\n"), 1024},
        {"events", "comments up to the limit", TEXT(""), TEXT(":"), TEXT("\n\n"), 1024},
        {"events", "events up to the limit", TEXT(""), TEXT("data:"), TEXT("\n\n"), 4096},
        {"source", "IDs up to the limit", TEXT(STREAM "\r\n"), TEXT("id:"), TEXT("\ndata:x\n\n"), 1024},
        {"source", "events up to the limit", TEXT(STREAM "\r\n"), TEXT("data:"), TEXT("\n\n"), 8192},
        {"source", "redirects up to the limit", TEXT(""), TEXT("HTTP/1.1 302 Found\r\nLocation: /"),
         TEXT("\r\nContent-Length: 0\r\n\r\n"), 2048 - sizeof "http://example.org"},
    };
    for (size_t i = 0; i < COUNT(limits); i++) {
        for (size_t less = 0; less < 3 && wanted(o, limits[i].diet, limits[i].name); less++) {
            size_t len = put(o->bytes, limits[i].before);
            size_t most = limits[i].most + 1 - less;
            while (len < o->size) {
                len += put(o->bytes + len, limits[i].unit);
                memset(o->bytes + len, 'x', most);
                len += most;
                len += put(o->bytes + len, limits[i].after);
            }
            hand_over(o, limits[i].name, len);
        }
    }
}

/* ---- Frames -------------------------------------------------------------------------------------- */

size_t frame_header(uint8_t *dst, bool masked, uint8_t first, uint64_t len)
{
    size_t width = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;
    size_t at = 2 + width;
    dst[0] = first;
    dst[1] = (uint8_t)((masked ? 0x80 : 0) | (width == 8 ? 127 : width == 2 ? 126 : len));
    for (size_t i = 0; i < width; i++)
        dst[2 + i] = (uint8_t)(len >> (8 * (width - 1 - i)));
    if (masked)
        memset(dst + at, 0, 4);
    return at + (masked ? 4 : 0);
}

/* A frame of HUGE bytes stretches to the end of the stream, one of ANNOUNCED says far more. */
enum { HUGE = 0x7FFFFFFF, ANNOUNCED = 0x7FFFFFFE };

static const struct {
    const char *name;
    uint8_t begin;
    size_t begin_len;
    uint8_t unit;
    size_t unit_len;
    weir_str payload; /* again and again */
} floods[] = {
    {"one frame of text", 0, 0, 0x81, HUGE, TEXT("a")},
    {"one frame of three-byte characters", 0, 0, 0x81, HUGE, TEXT("\xE6\xB2\xB3")},
    {"one frame of four-byte characters", 0, 0, 0x81, HUGE, TEXT("\xF0\x9F\x98\x80")},
    {"one frame that is not UTF-8", 0, 0, 0x81, HUGE, TEXT("ab\xC0\x80")},
    {"one binary frame", 0, 0, 0x82, HUGE, TEXT("\xFF")},
    {"a frame of 2^62 bytes", 0, 0, 0x82, ANNOUNCED, TEXT("x")},
    {"a text of 2^62 bytes", 0, 0, 0x81, ANNOUNCED, TEXT("x")},
    {"empty messages", 0, 0, 0x82, 0, TEXT("")},
    {"messages of one byte", 0, 0, 0x81, 1, TEXT("a")},
    {"messages of 1,000 bytes", 0, 0, 0x81, 1000, TEXT("a")},
    {"messages of 65,536 bytes", 0, 0, 0x82, 65536, TEXT("a")},
    {"empty fragments", 0x01, 0, 0x00, 0, TEXT("")},
    {"fragments of one byte", 0x01, 1, 0x00, 1, TEXT("a")},
    {"fragments of 1 KiB", 0x02, 1024, 0x00, 1024, TEXT("a")},
    {"fragments that cut characters", 0x01, 0, 0x00, 1, TEXT("\xE6\xB2\xB3")},
    {"empty Pings", 0, 0, 0x89, 0, TEXT("")},
    {"Pings of 125 bytes", 0, 0, 0x89, 125, TEXT("ping")},
    {"Pings inside a message", 0x01, 3, 0x89, 125, TEXT("ping")},
    {"Pongs", 0, 0, 0x8A, 125, TEXT("pong")},
    {"a Close, and then Pings", 0x88, 0, 0x89, 4, TEXT("ping")},
    {"Closes", 0, 0, 0x88, 2, TEXT("\x03\xE8")},
    {"Closes with a long reason", 0, 0, 0x88, 125, TEXT("\x0F\xA0")},
    {"a reserved opcode", 0, 0, 0x83, 4, TEXT("x")},
    {"a reserved bit", 0, 0, 0xC1, 4, TEXT("x")},
    {"messages inside messages", 0x01, 1, 0x01, 1, TEXT("x")},
    {"control frames of 126 bytes", 0, 0, 0x89, 126, TEXT("x")},
};

static size_t frame_put(uint8_t *dst, bool masked, uint8_t first, size_t len, size_t left, weir_str payload,
                        size_t *turn)
{
    /* Its text ends with a character. */
    size_t real = len == ANNOUNCED || len == HUGE ? left - left % payload.len : len;
    size_t at = frame_header(dst, masked, first, len == ANNOUNCED ? UINT64_C(1) << 62 : real);
    for (size_t i = 0; i < real; i++)
        dst[at + i] = payload.ptr[(*turn)++ % payload.len];
    return at + real;
}

static void floods_each(order *o)
{
    for (size_t i = 0; i < COUNT(floods); i++) {
        size_t turn = 0, len = 0;
        if (!wanted(o, o->diet, floods[i].name))
            continue;
        if (floods[i].begin != 0)
            len = frame_put(o->bytes, o->masked, floods[i].begin, floods[i].begin_len, o->size,
                            floods[i].payload, &turn);
        while (len < o->size - o->size % 12)
            len += frame_put(o->bytes + len, o->masked, floods[i].unit, floods[i].unit_len, o->size,
                             floods[i].payload, &turn);
        hand_over(o, floods[i].name, len);
    }
}

/* Whole frames of any kind; most of them allowed, so that the stream goes on. */
static size_t random_frames(uint8_t *bytes, bool masked, size_t size)
{
    static const uint8_t firsts[] = {0x81, 0x82, 0x89, 0x8A, 0x01, 0x00, 0x80, 0x82};
    bool inside = false;
    size_t len = 0;
    while (len < size) {
        uint8_t first = firsts[bounded_random() % sizeof firsts];
        bool control = (first & 8) != 0, begins = (first & 0x0F) != 0;
        if (!control && begins == inside && bounded_random() % 4096 != 0)
            continue;
        if (!control)
            inside = (first & 0x80) == 0;
        size_t payload = bounded_random() % (control ? 126 : bounded_random() % 8 == 0 ? 5000 : 40);
        size_t header = frame_header(bytes + len, masked, first, payload);
        if (masked)
            bounded_entropy(NULL, bytes + len + header - 4, 4);
        for (size_t i = 0; i < payload; i++)
            bytes[len + header + i] = (uint8_t)('a' ^ (masked ? bytes[len + header - 4 + i % 4] : 0));
        len += header + payload;
    }
    return len;
}

/* ---- Noise --------------------------------------------------------------------------------------- */

/* Bytes drawn from an alphabet that this diet knows, or from all. */
static void noise_put(const char *diet, uint8_t *bytes, size_t len, unsigned seed)
{
    static const struct {
        const char *diet, *alphabet;
    } known[] = {{"head", "GET / HTTP/1.1\r\n: Xx,;=\"\\"},
                 {"answer", "HTTP/1.1 200\r\n: Xx"},
                 {"body", "0123aF;= \r\nx"},
                 {"events", "data:eventidry0\r\n\n x\xE2\x82\xAC"},
                 {"source", "HTTP/1.1 200\r\n: Xx"},
                 {"frames", "\x81\x82\x80\x84\x01\x89\x88\x7E\x7F"}};
    const char *alphabet = NULL;
    for (size_t i = 0; i < COUNT(known) && seed % 2 == 1; i++)
        if (strcmp(known[i].diet, diet) == 0)
            alphabet = known[i].alphabet;
    size_t letters = alphabet != NULL ? strlen(alphabet) : 0;
    for (size_t i = 0; i < len; i++) {
        uint32_t value = bounded_random();
        bytes[i] = alphabet != NULL ? (uint8_t)alphabet[value % letters] : (uint8_t)value;
    }
}

static void noise_each(order *o)
{
    static const struct {
        const char *diet, *start;
    } starts[] = {{"head", REQUEST}, {"source", STREAM "\r\n"}, {"answer", ANSWER}};
    enum { SEEDS = 16 };
    for (unsigned seed = 0; seed < SEEDS && wanted(o, o->diet, "noise"); seed++) {
        size_t len = 0;
        for (size_t i = 0; i < COUNT(starts) && seed / 4 % 2 != 0; i++)
            if (strcmp(starts[i].diet, o->diet) == 0)
                len = put(o->bytes, weir_cstr(starts[i].start));
        noise_put(o->diet, o->bytes + len, o->size, seed);
        hand_over(o, "noise", len + o->size);
    }
}

static void streams_make(order *o)
{
    bool packed = strcmp(o->diet, "packed") == 0;
    /* The last unit may stand out. */
    o->bytes = malloc(2 * o->size + 200000);
    if (o->bytes == NULL)
        bounded_fail("out of memory");
    texts_each(o);
    limits_each(o);
    if (packed || strcmp(o->diet, "frames") == 0) {
        floods_each(o);
        for (unsigned i = 0; i < 4 && wanted(o, o->diet, "frames of all kinds"); i++)
            hand_over(o, "frames of all kinds", random_frames(o->bytes, o->masked, o->size));
    }
    noise_each(o);
    free(o->bytes);
    if (packed)
        o->count += streams_packed_each(!o->masked, o->only, o->size, o->take, o->user);
}

size_t streams_each(const char *diet, bool client, size_t size, stream_taker take, void *user)
{
    order o = {diet, NULL, !client, size, take, user, NULL, 0};
    streams_make(&o);
    return o.count;
}

void streams_one(const char *diet, bool client, const char *name, size_t size, stream_taker take, void *user)
{
    order o = {diet, name, !client, size, take, user, NULL, 0};
    streams_make(&o);
    if (o.count == 0)
        bounded_fail("there is no stream \"%s\" for %s", name, diet);
}
