/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ws_deflate.c - compressed messages: any cut, and any scratch, gives the same bytes, errors and
 * positions; the messages are those that plain zlib inflates, with memory of its own and all the output it
 * wants; masked or not. Needs weir-zlib.
 *
 * The stream is frames as a client gets them, or with an option one payload. A server gets the same frames
 * with masks.
 */
#include "fuzz.h"
#include "weir/zlib.h"

#define ZLIB_CONST
#include <zlib.h>

enum { INFLATED_MOST = 1 << 17, TAKEN_MOST = 1 << 16 };

typedef struct options {
    weir_ws_role role;
    weir_deflate_params params;
    uint32_t flags;
    uint32_t max_ratio;
    uint64_t max_message;
    size_t scratch;
} options;

/* ---- weir ------------------------------------------------------------------------------------------ */

typedef struct machine {
    weir_ws ws;
    weir_deflate deflate;
    weir_entropy entropy;
    uint32_t random;
    fuzz_digest digest;   /* of everything */
    fuzz_digest messages; /* of each whole message, in turn */
    fuzz_digest message;  /* of the one under way */
    size_t count;
    uint64_t total;
} machine;

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    machine *m = self;
    weir_in in = {bytes, len};
    weir_ws_event ev;
    int rv;
    while ((rv = weir_ws_next(&m->ws, &in, &ev)) > 0) {
        FUZZ_REQUIRE(in.ptr - bytes + (ptrdiff_t)in.len == (ptrdiff_t)len);
        fuzz_bytes(&m->digest, ev.data.ptr, ev.data.len);
        m->total += ev.data.len;
        if (rv != WEIR_WS_DATA || (ev.flags & WEIR_WS_LAST) != 0)
            fuzz_number(&m->digest, (uint64_t)rv << 32 | (ev.flags & ~WEIR_WS_FIRST));
        if (rv == WEIR_WS_DATA) {
            fuzz_bytes(&m->message, ev.data.ptr, ev.data.len);
            if ((ev.flags & WEIR_WS_LAST) != 0) {
                fuzz_number(&m->messages, m->message.hash);
                m->message.hash = 0;
                m->count++;
            }
        }
        weir_ws_out_ack(&m->ws, SIZE_MAX);
        if (m->total > INFLATED_MOST)
            return false;
    }
    FUZZ_REQUIRE(rv < 0 || in.len == 0);
    return rv == 0;
}

static void run(const options *o, weir_str stream, uint32_t cuts, machine *m)
{
    weir_ws_cfg cfg;
    weir_deflate_cfg dc;
    uint64_t offset;
    size_t unused;
    memset(m, 0, sizeof *m);
    memset(&dc, 0, sizeof dc);
    dc.backend = &weir_zlib;
    dc.role = o->role;
    dc.params = o->params;
    dc.max_ratio = o->max_ratio;
    weir_deflate_memory(&dc, &dc.inflate_len, &unused);
    dc.inflate_mem = fuzz_memory(dc.inflate_len);
    dc.scratch_len = o->scratch;
    dc.scratch = fuzz_memory(dc.scratch_len);
    FUZZ_REQUIRE(weir_deflate_init(&m->deflate, &dc) == 0);
    FUZZ_REQUIRE(weir_entropy_init(&m->entropy, fuzz_fill, &m->random) == 0);
    weir_ws_cfg_init(&cfg, o->role);
    cfg.deflate = &m->deflate;
    cfg.entropy = o->role == WEIR_WS_CLIENT ? &m->entropy : NULL;
    cfg.flags = o->flags;
    cfg.max_message = o->max_message;
    FUZZ_REQUIRE(weir_ws_init(&m->ws, &cfg) == 0);
    fuzz_feed(stream.ptr, stream.len, cuts, feed, m);
    fuzz_error(&m->digest, weir_ws_error(&m->ws, &offset));
    fuzz_number(&m->digest, offset);
    free(dc.inflate_mem);
    free(dc.scratch);
}

/* ---- Frames ---------------------------------------------------------------------------------------- */

/* Takes a frame off a client's stream that is whole and not a fault in itself; false for any other. */
static bool frame_take(weir_str *stream, uint8_t *first, weir_str *payload)
{
    if (stream->len < 2 || stream->ptr[1] >= 127)
        return false;
    size_t size = 2, len = stream->ptr[1];
    if (len == 126) {
        if (stream->len < 4)
            return false;
        len = (size_t)stream->ptr[2] << 8 | stream->ptr[3];
        size = 4;
        if (len < 126)
            return false;
    }
    if (stream->len - size < len)
        return false;
    *first = stream->ptr[0];
    *payload = (weir_str){stream->ptr + size, len};
    *stream = (weir_str){stream->ptr + size + len, stream->len - size - len};
    return true;
}

/* The same frames with masks; what is not whole stays as it is. Returns the length, at most 3 times stream's
 * and 4 more. */
static size_t masked(weir_str stream, uint8_t *dst)
{
    static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
    weir_str payload;
    uint8_t first;
    size_t n = 0;
    while (frame_take(&stream, &first, &payload)) {
        dst[n++] = first;
        dst[n++] = (uint8_t)(0x80 | (payload.len < 126 ? payload.len : 126));
        if (payload.len >= 126) {
            dst[n++] = (uint8_t)(payload.len >> 8);
            dst[n++] = (uint8_t)payload.len;
        }
        memcpy(dst + n, key, 4);
        n += 4;
        for (size_t i = 0; i < payload.len; i++)
            dst[n++] = payload.ptr[i] ^ key[i % 4];
    }
    memcpy(dst + n, stream.ptr, stream.len);
    return n + stream.len;
}

/* ---- zlib ------------------------------------------------------------------------------------------ */

typedef struct plain {
    z_stream stream;
    uint8_t *out;  /* of the message */
    size_t len;    /* so far */
    uint8_t *past; /* the last 32 KiB of all messages, for what comes behind BFINAL */
    size_t past_len;
    bool final; /* the last byte taken ended a block with BFINAL set */
} plain;

static void remember(plain *p, const uint8_t *bytes, size_t len)
{
    const size_t most = 32768;
    if (len > most) {
        bytes += len - most;
        len = most;
    }
    if (p->past_len + len > most) {
        size_t gone = p->past_len + len - most;
        memmove(p->past, p->past + gone, p->past_len - gone);
        p->past_len -= gone;
    }
    memcpy(p->past + p->past_len, bytes, len);
    p->past_len += len;
}

/* Inflates all of it. False if it is corrupt, or gives more than `most` in this message. */
static bool plain_inflate(plain *p, weir_str packed, uint64_t most)
{
    p->stream.next_in = packed.ptr;
    p->stream.avail_in = (uInt)packed.len;
    while (p->len <= most) {
        p->stream.next_out = p->out + p->len;
        p->stream.avail_out = (uInt)(INFLATED_MOST + 1 - p->len);
        uInt before = p->stream.avail_in;
        int rv = inflate(&p->stream, Z_NO_FLUSH);
        size_t len = (size_t)(p->stream.next_out - (p->out + p->len));
        remember(p, p->out + p->len, len);
        p->len += len;
        if (before != p->stream.avail_in)
            p->final = rv == Z_STREAM_END;
        if (rv == Z_STREAM_END) {
            const uint8_t *in = p->stream.next_in;
            uInt left = p->stream.avail_in;
            FUZZ_REQUIRE(inflateReset(&p->stream) == Z_OK);
            FUZZ_REQUIRE(inflateSetDictionary(&p->stream, p->past, (uInt)p->past_len) == Z_OK);
            p->stream.next_in = in;
            p->stream.avail_in = left;
        } else if (rv != Z_OK && rv != Z_BUF_ERROR) {
            return false;
        } else if (rv == Z_BUF_ERROR || p->stream.avail_in == 0) {
            return p->len <= most;
        }
    }
    return false;
}

/* The message's payload is over: with the bytes that senders leave out it must end at a block's border, and
 * these must not be taken for data (RFC 7692 7.2.2). */
static bool plain_end(plain *p)
{
    static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF};
    size_t len = p->len;
    if (p->final)
        return true;
    if (!plain_inflate(p, (weir_str){tail, sizeof tail}, INFLATED_MOST))
        return false;
    return p->len == len && (p->final || (p->stream.data_type & 128) != 0);
}

/* Reads the frames of a client's stream up to one that it does not know. Returns how many messages are whole,
 * their digest, and in *verdict what comes then: an error, 0 if nothing does, 1 if it is not known. */
static size_t run_plain(const options *o, weir_str stream, fuzz_digest *messages, int *verdict)
{
    plain p;
    weir_str payload;
    uint8_t first;
    size_t count = 0;
    bool open = false, packed = false, good = true, known = true;
    memset(&p, 0, sizeof p);
    p.out = fuzz_memory(INFLATED_MOST + 1);
    p.past = fuzz_memory(32768);
    FUZZ_REQUIRE(inflateInit2(&p.stream, -15) == Z_OK);
    *verdict = 1;
    while (good && frame_take(&stream, &first, &payload)) {
        bool start = (first & 0x0F) == 1 || (first & 0x0F) == 2;
        if ((first & 0x30) != 0 || (!start && (first & 0x4F) != 0) || start == open) {
            known = false;
            break;
        }
        packed = start ? (first & 0x40) != 0 : packed;
        p.len = start ? 0 : p.len;
        p.final = start ? false : p.final;
        open = true;
        if (!packed && p.len + payload.len > o->max_message) {
            *verdict = WEIR_ERR_WS_MESSAGE_SIZE;
            break;
        }
        if (!packed)
            memcpy(p.out + p.len, payload.ptr, payload.len);
        p.len += packed ? 0 : payload.len;
        good = !packed || plain_inflate(&p, payload, o->max_message);
        if (!good)
            *verdict = p.len > o->max_message ? WEIR_ERR_WS_MESSAGE_SIZE : WEIR_ERR_WS_DEFLATE;
        if (good && packed && (first & 0x80) != 0 && !plain_end(&p)) {
            good = false;
            *verdict = WEIR_ERR_WS_DEFLATE;
        }
        if (good && (first & 0x80) != 0) {
            fuzz_digest message = {0};
            fuzz_bytes(&message, p.out, p.len);
            fuzz_number(messages, message.hash);
            open = false;
            count++;
            if (packed && o->params.server_no_takeover) {
                FUZZ_REQUIRE(inflateReset(&p.stream) == Z_OK);
                p.past_len = 0;
            }
        }
    }
    if (*verdict == 1 && known && stream.len == 0)
        *verdict = 0;
    inflateEnd(&p.stream);
    free(p.out);
    free(p.past);
    return count;
}

/* The payload as one compressed message, so that the fuzzer need not find the header. */
static size_t wrap(uint8_t *dst, weir_str payload)
{
    size_t n = 0;
    dst[n++] = 0xC2;
    if (payload.len < 126) {
        dst[n++] = (uint8_t)payload.len;
    } else {
        dst[n++] = 126;
        dst[n++] = (uint8_t)(payload.len >> 8);
        dst[n++] = (uint8_t)payload.len;
    }
    memcpy(dst + n, payload.ptr, payload.len);
    return n + payload.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static machine whole, cut;
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    uint8_t bits = fuzz_byte(&input), how = fuzz_byte(&input);
    options o;
    memset(&o, 0, sizeof o);
    /* With a smaller window whether a distance beyond it is refused may depend on the cut (weir/ws.h). */
    uint8_t window = bits % 8 != 0 ? (uint8_t)(8 + bits % 8) : 15;
    o.role = (how & 1) != 0 ? WEIR_WS_SERVER : WEIR_WS_CLIENT;
    o.params.server_bits = o.params.client_bits = window;
    o.params.server_no_takeover = o.params.client_no_takeover = (how & 2) != 0;
    o.flags = (how & 4) != 0 ? 0 : WEIR_WS_NO_UTF8;
    o.max_ratio = (uint32_t)fuzz_limit(&input, 0);
    o.max_message = fuzz_limit(&input, INFLATED_MOST);
    o.max_message = o.max_message < INFLATED_MOST ? o.max_message : INFLATED_MOST;
    o.scratch = 256 + (size_t)fuzz_byte(&input);
    fuzz_byte(&input);
    if (input.left > 3000)
        return 0;
    uint8_t *frames = fuzz_memory(input.left + 4);
    weir_str stream = {frames, input.left};
    if ((how & 8) != 0)
        stream.len = wrap(frames, (weir_str){input.at, input.left});
    else
        memcpy(frames, input.at, input.left);
    uint8_t *given = fuzz_memory(3 * stream.len + 4);
    weir_str bytes = {given, masked(stream, given)};
    if (o.role == WEIR_WS_CLIENT)
        bytes = stream;

    options roomy = o; /* whole, and never at the end of the scratch */
    roomy.scratch = INFLATED_MOST;
    run(&roomy, bytes, 0, &whole);
    run(&o, bytes, cuts != 0 ? cuts : 1, &cut);
    if (window == 15 && whole.total <= INFLATED_MOST)
        FUZZ_REQUIRE(cut.digest.hash == whole.digest.hash);
    if (window == 15 && o.max_ratio == 0 && o.flags != 0 && whole.total <= TAKEN_MOST) {
        fuzz_digest messages = {0};
        int verdict, err = weir_ws_error(&whole.ws, NULL);
        size_t count = run_plain(&o, stream, &messages, &verdict);
        FUZZ_REQUIRE(verdict == 1 ? whole.count >= count : whole.count == count && err == verdict);
        if (whole.count == count)
            FUZZ_REQUIRE(whole.messages.hash == messages.hash);
    }
    free(frames);
    free(given);
    return 0;
}
