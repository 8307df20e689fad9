/* SPDX-License-Identifier: MIT */
/*
 * body.c - floor 2: bodies, read and written (RFC 9112 6 and 7).
 *
 * The reader's states (BODY_ left away). SIZED and UNTIL_CLOSE are one state each; chunked coding walks
 *
 *     SIZE [PAD] [EXT] SIZE_LF DATA DATA_CR DATA_LF SIZE ...      a chunk
 *     SIZE [PAD] [EXT] SIZE_LF TRAILER [TRAILER_NAME TRAILER_TEXT TRAILER_LF TRAILER]... END_LF END
 *
 * the second when the size is 0. `left_` is the size while it is read and then what is left of it.
 * Everything that is neither size nor data is bounded, so that no peer can keep a reader busy without
 * delivering data.
 */
#include "http.h"

#include "base/ascii.h"

#include <string.h>

#define SIZE_LINE_MAX 256 /* a chunk-size line with its extensions */
#define TRAILER_MAX 8192  /* all trailer lines together */

enum {
    BODY_SIZED,
    BODY_UNTIL_CLOSE,
    BODY_SIZE,
    BODY_PAD,
    BODY_EXT,
    BODY_SIZE_LF,
    BODY_DATA,
    BODY_DATA_CR,
    BODY_DATA_LF,
    BODY_TRAILER,
    BODY_TRAILER_NAME,
    BODY_TRAILER_TEXT,
    BODY_TRAILER_LF,
    BODY_END_LF,
    BODY_END
};

void weir_http_body_init(weir_http_body *body, weir_http_framing framing, uint64_t len)
{
    memset(body, 0, sizeof *body);
    switch (framing) {
    case WEIR_HTTP_NO_BODY:
        body->state_ = BODY_END;
        break;
    case WEIR_HTTP_SIZED:
        body->state_ = len != 0 ? BODY_SIZED : BODY_END;
        body->left_ = len;
        break;
    case WEIR_HTTP_CHUNKED:
        body->state_ = BODY_SIZE;
        break;
    case WEIR_HTTP_UNTIL_CLOSE:
    default:
        body->state_ = BODY_UNTIL_CLOSE;
        break;
    }
}

/* Goes to `state` if the byte is the one that must stand here. */
static bool body_expect(weir_http_body *body, uint8_t byte, uint8_t wanted, uint8_t state)
{
    body->state_ = state;
    return byte == wanted;
}

/* A byte of the chunk-size line before its CR. */
static bool body_size_byte(weir_http_body *body, uint8_t byte)
{
    if (++body->line_ > SIZE_LINE_MAX)
        return false;
    int digit = weiri_hex(byte);
    if (body->state_ == BODY_SIZE && digit >= 0) {
        bool fits = body->left_ >> 60 == 0; /* however many zeros are in front */
        body->left_ = body->left_ << 4 | (unsigned)digit;
        body->digits_ = 1; /* there is one */
        return fits;
    }
    if (body->digits_ == 0)
        return false;
    if (byte == '\r' && body->state_ != BODY_PAD) {
        body->state_ = BODY_SIZE_LF;
        return true;
    }
    if (body->state_ == BODY_EXT)
        return weiri_is(byte, WEIRI_VALUE);
    body->state_ = byte == ';' ? BODY_EXT : BODY_PAD;
    return byte == ';' || weiri_is_blank(byte);
}

static bool body_trailer_byte(weir_http_body *body, uint8_t byte)
{
    if (++body->trailer_ > TRAILER_MAX)
        return false;
    switch (body->state_) {
    case BODY_TRAILER:
        body->state_ = byte == '\r' ? BODY_END_LF : BODY_TRAILER_NAME;
        return byte == '\r' || weiri_is(byte, WEIRI_TOKEN);
    case BODY_TRAILER_NAME:
        if (byte == ':')
            body->state_ = BODY_TRAILER_TEXT;
        return byte == ':' || weiri_is(byte, WEIRI_TOKEN);
    case BODY_TRAILER_TEXT:
        if (byte == '\r')
            body->state_ = BODY_TRAILER_LF;
        return byte == '\r' || weiri_is(byte, WEIRI_VALUE);
    case BODY_TRAILER_LF:
        return body_expect(body, byte, '\n', BODY_TRAILER);
    default:
        return body_expect(body, byte, '\n', BODY_END);
    }
}

/* Any byte of chunked coding that is not data. */
static bool body_chunk_byte(weir_http_body *body, uint8_t byte)
{
    switch (body->state_) {
    case BODY_SIZE:
    case BODY_PAD:
    case BODY_EXT:
        return body_size_byte(body, byte);
    case BODY_SIZE_LF:
        body->digits_ = 0;
        body->line_ = 0;
        return body_expect(body, byte, '\n', body->left_ != 0 ? BODY_DATA : BODY_TRAILER);
    case BODY_DATA_CR:
        return body_expect(body, byte, '\r', BODY_DATA_LF);
    case BODY_DATA_LF:
        return body_expect(body, byte, '\n', BODY_SIZE);
    default:
        return body_trailer_byte(body, byte);
    }
}

int weiri_http_body_peek(weir_http_body *body, weir_in *in, size_t *len)
{
    if (body->err_ != 0)
        return body->err_;
    while (body->state_ != BODY_END) {
        if (in->len == 0)
            return 0;
        if (body->state_ == BODY_DATA || body->state_ == BODY_SIZED || body->state_ == BODY_UNTIL_CLOSE) {
            bool all = body->state_ == BODY_UNTIL_CLOSE || in->len <= body->left_;
            *len = all ? in->len : (size_t)body->left_;
            return WEIR_HTTP_BODY_DATA;
        }
        if (!body_chunk_byte(body, *in->ptr))
            return body->err_ = WEIR_ERR_HTTP_CHUNK;
        in->ptr++;
        in->len--;
    }
    return WEIR_HTTP_BODY_END;
}

void weiri_http_body_take(weir_http_body *body, weir_in *in, size_t len)
{
    in->ptr += len;
    in->len -= len;
    if (body->state_ == BODY_UNTIL_CLOSE)
        return;
    body->left_ -= len;
    if (body->left_ == 0)
        body->state_ = body->state_ == BODY_DATA ? BODY_DATA_CR : BODY_END;
}

int weir_http_body_next(weir_http_body *body, weir_in *in, weir_str *data)
{
    size_t len = 0;
    *data = (weir_str){NULL, 0};
    int rv = weiri_http_body_peek(body, in, &len);
    if (rv == WEIR_HTTP_BODY_DATA) {
        *data = (weir_str){in->ptr, len};
        weiri_http_body_take(body, in, len);
    }
    return rv;
}

int weir_http_body_eof(weir_http_body *body)
{
    if (body->err_ == 0 && body->state_ != BODY_END && body->state_ != BODY_UNTIL_CLOSE)
        body->err_ = WEIR_ERR_HTTP_BODY_CUT;
    if (body->err_ != 0)
        return body->err_;
    body->state_ = BODY_END;
    return WEIR_HTTP_BODY_END;
}

static void chunk_put(weiri_sink *sink, weir_str data)
{
    weiri_sink_number(sink, data.len, 16);
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    weiri_sink_put(sink, data);
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
}

int weir_http_chunk_put(weir_out *out, weir_str data)
{
    if (data.len == 0)
        return WEIR_ERR_ARG;
    if (data.len > out->len)
        return WEIR_ERR_SPACE;
    weiri_sink measure = {NULL, 0};
    chunk_put(&measure, data);
    weiri_sink sink;
    if (weiri_sink_claim(out, measure.len, &sink) != 0)
        return WEIR_ERR_SPACE;
    chunk_put(&sink, data);
    return 0;
}

int weir_http_chunk_end(weir_out *out)
{
    return weir_out_put(out, weir_cstr("0\r\n\r\n"));
}
