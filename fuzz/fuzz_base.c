/* SPDX-License-Identifier: MIT */
/* fuzz_base.c - what has a vector path or works in words, against loops over bytes: masking, UTF-8, scans,
 * SHA-1, base64. */
#include "fuzz.h"
#include "http/lines.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "base/find.h"
#include "base/mask.h"
#include "base/sha1.h"
#include "base/utf8.h"
#include "sse/scan.h"
#include "sse_reference.h"
#include "ws_reference.h"

/* ---- Masking --------------------------------------------------------------------------------------- */

static void try_mask(weir_str text, const uint8_t key[4], unsigned phase)
{
    uint8_t *wanted = fuzz_memory(text.len), *apart = fuzz_memory(text.len);
    uint8_t *place = fuzz_copy(text.ptr, text.len);
    uint8_t seen = 0;
    for (size_t i = 0; i < text.len; i++) {
        wanted[i] = (uint8_t)(text.ptr[i] ^ key[(i + phase) % 4]);
        seen |= wanted[i];
    }
    uint32_t word = weiri_mask_word(key, phase);
    FUZZ_REQUIRE(weiri_mask(apart, text.ptr, text.len, word) == (seen > 0x7F));
    FUZZ_REQUIRE(weiri_mask(place, place, text.len, word) == (seen > 0x7F));
    FUZZ_REQUIRE(memcmp(apart, wanted, text.len) == 0 && memcmp(place, wanted, text.len) == 0);
    /* Each path for itself: the processor chooses one only. */
    bool (*paths[])(uint8_t *, const uint8_t *, size_t, uint32_t) = {
        weiri_mask_vec,
#if defined(WEIRI_AVX2)
        weiri_has_avx2() ? weiri_mask_avx2 : weiri_mask_vec,
#endif
#if defined(WEIRI_AVX512)
        weiri_has_avx512() ? weiri_mask_avx512 : weiri_mask_vec,
#endif
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths && text.len >= 64; i++) {
        memset(apart, 0, text.len);
        FUZZ_REQUIRE(paths[i](apart, text.ptr, text.len, word) == (seen > 0x7F));
        FUZZ_REQUIRE(memcmp(apart, wanted, text.len) == 0);
    }
    free(wanted);
    free(apart);
    free(place);
}

/* ---- UTF-8 ----------------------------------------------------------------------------------------- */

/* The text comes masked, in pieces, and is unmasked and checked at once. */
static void try_unmask(weir_str text, const uint8_t key[4], uint32_t cuts)
{
    bool cut;
    size_t good = ws_reference_utf8(text.ptr, text.len, &cut), at = 0;
    uint32_t state = 0, random = 0;
    while (at < text.len) {
        size_t len = fuzz_piece(cuts, &random, text.len - at);
        uint8_t *piece = fuzz_memory(len);
        for (size_t i = 0; i < len; i++)
            piece[i] = text.ptr[at + i] ^ key[(at + i) % 4];
        size_t n = weiri_utf8_unmask(&state, piece, len, weiri_mask_word(key, (unsigned)at));
        FUZZ_REQUIRE(len == 0 || memcmp(piece, text.ptr + at, len) == 0);
        free(piece);
        at += n;
        if (n < len)
            break;
    }
    FUZZ_REQUIRE(at == good && (good < text.len || (state != 0) == cut));
}

/* Each path for itself: what it says is done is the beginning of a valid text, unmasked. Only of a character
 * that is cut by its end a fault may not show yet. */
static void try_bulk(weir_str text, const uint8_t key[4])
{
    size_t (*paths[2])(uint8_t *, const uint8_t *, size_t, uint32_t) = {NULL, NULL};
    bool cut;
    size_t good = ws_reference_utf8(text.ptr, text.len, &cut);
#if defined(WEIRI_AVX2)
    if (weiri_has_avx2() && text.len >= 32)
        paths[0] = weiri_utf8_bulk_avx2;
#endif
#if defined(WEIRI_AVX512)
    if (weiri_has_avx512())
        paths[1] = weiri_utf8_bulk_avx512;
#endif
    for (size_t i = 0; i < 2; i++) {
        if (paths[i] == NULL)
            continue;
        uint8_t *bytes = fuzz_memory(text.len);
        for (size_t j = 0; j < text.len; j++)
            bytes[j] = text.ptr[j] ^ key[j % 4];
        size_t done = paths[i](bytes, bytes, text.len, weiri_mask_word(key, 0));
        FUZZ_REQUIRE(done <= good + 3 && done <= text.len && memcmp(bytes, text.ptr, done) == 0);
        for (size_t j = done; j < text.len; j++)
            FUZZ_REQUIRE(bytes[j] == (text.ptr[j] ^ key[j % 4]));
        FUZZ_REQUIRE(paths[i](NULL, text.ptr, text.len, 0) == done);
        free(bytes);
    }
}

static void try_utf8(weir_str text, uint32_t cuts)
{
    bool cut;
    size_t good = ws_reference_utf8(text.ptr, text.len, &cut);
    FUZZ_REQUIRE(weir_utf8_valid(text) == (good == text.len && !cut));

    uint32_t state = 0, random = 0;
    size_t at = 0;
    while (at < text.len) {
        size_t len = fuzz_piece(cuts, &random, text.len - at);
        uint8_t *piece = fuzz_copy(text.ptr + at, len);
        size_t n = weiri_utf8_check(&state, piece, len);
        free(piece);
        at += n;
        if (n < len)
            break;
    }
    FUZZ_REQUIRE(at == good && (good < text.len || (state != 0) == cut));

    uint8_t *wanted = fuzz_memory(3 * text.len);
    size_t size = sse_reference_decode(wanted, text.ptr, text.len);
    FUZZ_REQUIRE(weiri_utf8_repair(NULL, text.ptr, text.len) == size && size >= text.len);
    uint8_t *repaired = fuzz_memory(size);
    FUZZ_REQUIRE(weiri_utf8_repair(repaired, text.ptr, text.len) == size);
    FUZZ_REQUIRE(memcmp(repaired, wanted, size) == 0);
    if (text.len != 0) /* in place, behind the room that it grows by */
        memcpy(repaired + size - text.len, text.ptr, text.len);
    FUZZ_REQUIRE(weiri_utf8_repair(repaired, repaired + size - text.len, text.len) == size);
    FUZZ_REQUIRE(memcmp(repaired, wanted, size) == 0);
    free(repaired);
    free(wanted);
}

/* ---- Scans ----------------------------------------------------------------------------------------- */

/* The length of the first line, by each path. */
static void try_line_len(weir_str text, size_t line, bool line_wide)
{
    bool wide = false;
    FUZZ_REQUIRE(weiri_line_len_words(text.ptr, text.len, &wide) == line && wide == line_wide);
#if defined(WEIRI_SSE2)
    wide = false;
    if (text.len >= 32)
        FUZZ_REQUIRE(weiri_line_len_sse2(text.ptr, text.len, &wide) == line && wide == line_wide);
#endif
#if defined(WEIRI_AVX2)
    wide = false;
    if (text.len >= 64 && weiri_has_avx2())
        FUZZ_REQUIRE(weiri_line_len_avx2(text.ptr, text.len, &wide) == line && wide == line_wide);
#endif
}

/* The text with a mark for each line end, CR LF being one. Returns its length. */
static size_t slow_marked(weir_str text, const weiri_mark *mark, uint8_t *dst, bool *wide)
{
    size_t len = 0;
    for (size_t at = 0; at < text.len; at++) {
        bool end = text.ptr[at] == '\r' || text.ptr[at] == '\n';
        *wide = *wide || text.ptr[at] > 0x7F;
        memcpy(dst + len, end ? mark->bytes : text.ptr + at, end ? mark->len : 1);
        len += end ? mark->len : 1;
        at += text.ptr[at] == '\r' && at + 1 < text.len && text.ptr[at + 1] == '\n';
    }
    return len;
}

/* All lines, by each path, with room that is just enough, or more, or a byte too little. */
static void try_lines_copy(weir_str text, size_t spare)
{
    static const weiri_mark marks[] = {{"\n: ", 3}, {"\ndata: ", 7}};
    size_t (*paths[])(uint8_t *, const uint8_t *, size_t, size_t, const weiri_mark *, bool *) = {
        weiri_lines_words,
#if defined(WEIRI_SSE2)
        text.len >= 32 ? weiri_lines_sse2 : weiri_lines_words,
#endif
    };
    uint8_t *wanted = fuzz_memory(7 * text.len);
    for (size_t i = 0; i < 2 * sizeof paths / sizeof *paths; i++) {
        const weiri_mark *mark = &marks[i % 2];
        bool any_wide = false, wide = false;
        size_t len = slow_marked(text, mark, wanted, &any_wide), grows = len - text.len;
        size_t room = grows + ((spare & 1) != 0 ? 0 : spare);
        uint8_t *to = fuzz_memory(text.len + room + 2);
        FUZZ_REQUIRE(paths[i / 2](to, text.ptr, text.len, room, mark, &wide) == grows);
        FUZZ_REQUIRE(wide == any_wide && memcmp(to, wanted, len) == 0);
        FUZZ_REQUIRE(grows == 0 ||
                     paths[i / 2](to, text.ptr, text.len, grows - 1, mark, &wide) == WEIRI_NO_ROOM);
        free(to);
    }
    free(wanted);
}

/* A name compared in words is a name compared in bytes. */
static void try_names(weir_str text)
{
    static const char *const names[] = {"host", "upgrade", "connection", "content-length",
                                        "sec-websocket-extensions"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        weir_str name = weir_cstr(names[i]);
        for (size_t at = 0; at + name.len <= text.len && at < 64; at++) {
            weir_str part = {text.ptr + at, name.len};
            FUZZ_REQUIRE(weiri_is_name(part, name) == weir_str_is_nocase(part, names[i]));
        }
    }
}

static void try_scans(weir_str text, uint8_t byte)
{
    size_t find = 0, value = 0, line = 0;
    bool line_high = false, plain = true, nul = false, high = false;
    while (find < text.len && text.ptr[find] != byte)
        find++;
    while (value < text.len &&
           (text.ptr[value] == '\t' || (text.ptr[value] >= 0x20 && text.ptr[value] != 0x7F)))
        value++;
    for (; line < text.len && text.ptr[line] != '\r' && text.ptr[line] != '\n'; line++)
        line_high = line_high || text.ptr[line] > 0x7F;
    for (size_t i = 0; i < text.len; i++) {
        plain = plain && text.ptr[i] >= 14 && text.ptr[i] < 0x80;
        nul = nul || text.ptr[i] == 0;
    }
    FUZZ_REQUIRE(weiri_find(text.ptr, text.len, byte) == find);
    FUZZ_REQUIRE(weiri_value_len(text.ptr, text.len) == value);
    FUZZ_REQUIRE(weiri_line_len(text.ptr, text.len, &high) == line && high == line_high);
    high = true;
    FUZZ_REQUIRE(weiri_line_len(text.ptr, text.len, &high) == line && high);
    FUZZ_REQUIRE((weiri_find(text.ptr, text.len, 0) != text.len) == nul);
    uint8_t *copy = fuzz_memory(text.len);
    FUZZ_REQUIRE(weiri_plain_copy_words(copy, text.ptr, text.len) == plain);
    FUZZ_REQUIRE(!plain || memcmp(copy, text.ptr, text.len) == 0);
#if defined(WEIRI_SSE2)
    memset(copy, 0, text.len);
    FUZZ_REQUIRE(text.len < 16 || weiri_plain_copy_sse2(copy, text.ptr, text.len) == plain);
    FUZZ_REQUIRE(text.len < 16 || !plain || memcmp(copy, text.ptr, text.len) == 0);
#endif
    try_line_len(text, line, line_high);
    try_lines_copy(text, byte);
    try_names(text);
    FUZZ_REQUIRE(weiri_plain_copy(copy, text.ptr, text.len) == plain);
    FUZZ_REQUIRE(!plain || memcmp(copy, text.ptr, text.len) == 0);
    free(copy);
}

/* ---- SHA-1, base64, field lines ------------------------------------------------------------------ */

static uint32_t turn(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* RFC 3174 6.1, of 60 bytes. */
static void slow_sha1(const uint8_t text[60], uint8_t digest[20])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t bytes[128] = {0};
    memcpy(bytes, text, 60);
    bytes[60] = 0x80;
    weiri_store64(bytes + 120, 480);
    for (size_t at = 0; at < sizeof bytes; at += 64) {
        uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (unsigned t = 0; t < 80; t++) {
            w[t] = t < 16 ? weiri_load32(bytes + at + 4 * t)
                          : turn(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
            uint32_t f = t < 20   ? ((b & c) | (~b & d)) + 0x5A827999
                         : t < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
                         : t < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
                                  : (b ^ c ^ d) + 0xCA62C1D6;
            uint32_t next = turn(a, 5) + f + e + w[t];
            e = d, d = c, c = turn(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (unsigned i = 0; i < 5; i++)
        weiri_store32(digest + 4 * i, h[i]);
}

/* Of the first bytes, and zeros if there are fewer. */
static void try_sha1(weir_str text)
{
    uint8_t bytes[64] = {0}, digest[20], wanted[20];
    memcpy(bytes, text.ptr, text.len < 60 ? text.len : 60);
    slow_sha1(bytes, wanted);
    weiri_sha1(bytes, digest);
    FUZZ_REQUIRE(memcmp(digest, wanted, sizeof digest) == 0);
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Six bits at a time; dst has room for them all. */
static size_t slow_base64(char *dst, weir_str text)
{
    size_t len = 0;
    for (size_t bit = 0; bit < 8 * text.len; bit += 6) {
        unsigned six = 0;
        for (size_t i = bit; i < bit + 6; i++)
            six = six << 1 | (i / 8 < text.len ? text.ptr[i / 8] >> (7 - i % 8) & 1u : 0);
        dst[len++] = alphabet[six];
    }
    while (len % 4 != 0)
        dst[len++] = '=';
    return len;
}

/* The field line at `*at`, by one byte at a time, and *at moved behind it; false if it is none. */
static bool slow_line(weir_str text, size_t *at, weir_http_field *field)
{
    size_t i = *at, value;
    while (i < text.len && weiri_is(text.ptr[i], WEIRI_TOKEN))
        i++;
    field->name = (weir_str){text.ptr + *at, i - *at};
    if (i == *at || i == text.len || text.ptr[i++] != ':')
        return false;
    value = i;
    while (i < text.len && weiri_is(text.ptr[i], WEIRI_VALUE))
        i++;
    field->value = weiri_trim((weir_str){text.ptr + value, i - value});
    if (text.len - i < 2 || text.ptr[i] != '\r' || text.ptr[i + 1] != '\n')
        return false;
    *at = i + 2;
    return true;
}

/* All lines, with room for `cap` of them at a time. */
static void try_lines(weir_str text, size_t cap)
{
    weir_http_field wanted, *list = fuzz_memory(cap * sizeof *list);
    weiri_lines walk = {text.ptr, text.len, 0, list, 0, cap};
    size_t at = 0;
    do {
        walk.count = 0;
        weiri_lines_take(&walk);
        for (size_t i = 0; i < walk.count; i++) {
            FUZZ_REQUIRE(slow_line(text, &at, &wanted));
            FUZZ_REQUIRE(memcmp(&list[i], &wanted, sizeof wanted) == 0);
        }
        FUZZ_REQUIRE(walk.at == at);
    } while (walk.count == cap);
    FUZZ_REQUIRE(!slow_line(text, &at, &wanted));
    free(list);
}

static void try_base64(weir_str text)
{
    size_t size = (text.len + 2) / 3 * 4;
    char *wanted = fuzz_memory(size), *coded = fuzz_memory(size);
    FUZZ_REQUIRE(slow_base64(wanted, text) == size);
    weiri_base64_encode(coded, text.ptr, text.len);
    FUZZ_REQUIRE(memcmp(coded, wanted, size) == 0);
    free(wanted);
    free(coded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    uint8_t key[4];
    for (unsigned i = 0; i < 4; i++)
        key[i] = fuzz_byte(&input);
    unsigned phase = fuzz_byte(&input);
    uint8_t *copy = fuzz_copy(input.at, input.left);
    weir_str text = {copy, input.left};
    try_mask(text, key, phase & 3);
    try_utf8(text, cuts);
    try_unmask(text, key, cuts);
    try_bulk(text, key);
    try_scans(text, key[0]);
    try_sha1(text);
    try_lines(text, 1 + (phase >> 2));
    try_base64(text);
    free(copy);
    return 0;
}
