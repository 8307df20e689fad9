/* SPDX-License-Identifier: MIT */
/*
 * ws_reference.c - a slow reader of WebSocket frames that is easy to believe, to compare weir's with.
 *
 * It has the whole stream in memory, reads a frame's header field by field, copies its payload without the
 * mask, and keeps the whole text of a message to check it again with each frame. Nothing of it is shared with
 * src/.
 */
#include "ws_reference.h"

#include <stdlib.h>
#include <string.h>

enum { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

size_t ws_reference_utf8(const uint8_t *text, size_t len, bool *cut)
{
    *cut = false;
    for (size_t at = 0; at < len;) {
        uint8_t first = text[at];
        size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
        uint32_t least = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
        uint32_t value = size == 1 ? first : first & (0x7Fu >> size);
        if (first >= 0xF8 || (first >= 0x80 && first < 0xC0))
            return at;
        for (size_t i = 0; i < size; i++) {
            if (at + i == len) {
                *cut = true;
                return len;
            }
            if (i != 0 && (text[at + i] & 0xC0) != 0x80)
                return at + i;
            value = i != 0 ? value << 6 | (text[at + i] & 0x3F) : value;
            /* The values that are still possible: is none of them a character? */
            unsigned rest = (unsigned)(6 * (size - 1 - i));
            uint32_t from = value << rest, to = from | ((UINT32_C(1) << rest) - 1);
            if (size > 1 && (to < least || from > 0x10FFFF || (from >= 0xD800 && to <= 0xDFFF)))
                return at + i;
        }
        at += size;
    }
    return len;
}

typedef struct reader {
    const weir_ws_cfg *cfg;
    const uint8_t *stream;
    size_t len;
    ws_listener listener;
    int err;
    uint64_t offset;
    bool closed;
    /* the message under way */
    bool open, is_text, told;
    uint8_t *text;
    size_t text_len;
    uint32_t fragments;
    /* control frames since the last data frame */
    uint32_t controls;
} reader;

typedef struct header {
    bool fin;
    unsigned opcode;
    uint64_t len;
    const uint8_t *key; /* NULL if there is none */
    size_t size;
} header;

static void tell(reader *r, weir_ws_kind kind, uint32_t flags, uint16_t code, const uint8_t *bytes,
                 size_t len)
{
    weir_ws_event ev = {kind, flags, {bytes, len}, code};
    r->listener.tell(r->listener.self, &ev);
}

static bool refuse(reader *r, int err, size_t at)
{
    r->err = err;
    r->offset = at;
    return false;
}

/* What the first byte says (RFC 6455 5.2, 5.4, 5.5). */
static bool first_byte(reader *r, size_t at, header *h)
{
    uint8_t byte = r->stream[at];
    h->fin = byte >> 7 != 0;
    h->opcode = byte % 16;
    if (byte / 16 % 8 != 0)
        return refuse(r, WEIR_ERR_WS_RSV, at);
    switch (h->opcode) {
    case PING:
    case PONG:
    case CLOSE:
        if (!h->fin)
            return refuse(r, WEIR_ERR_WS_CONTROL_FIN, at);
        if (h->opcode != CLOSE && r->cfg->max_controls != 0 && r->controls == r->cfg->max_controls)
            return refuse(r, WEIR_ERR_WS_CONTROLS, at);
        return true;
    case CONTINUATION:
        if (!r->open)
            return refuse(r, WEIR_ERR_WS_CONTINUATION, at);
        break;
    case TEXT:
    case BINARY:
        if (r->open)
            return refuse(r, WEIR_ERR_WS_INTERLEAVED, at);
        break;
    default:
        return refuse(r, WEIR_ERR_WS_OPCODE, at);
    }
    return r->fragments < r->cfg->max_fragments || refuse(r, WEIR_ERR_WS_FRAGMENTS, at);
}

/* Reads a header; false if the stream ends in it or it is refused. */
static bool header_read(reader *r, size_t at, header *h)
{
    if (at == r->len || !first_byte(r, at, h) || r->len - at < 2)
        return false;
    bool control = h->opcode >= CLOSE;
    unsigned form = r->stream[at + 1] % 128;
    bool masked = r->stream[at + 1] >= 128;
    if (masked != (r->cfg->role == WEIR_WS_SERVER))
        return refuse(r, WEIR_ERR_WS_MASKING, at + 1);
    if (control && form > 125)
        return refuse(r, WEIR_ERR_WS_CONTROL_SIZE, at + 1);
    if (h->opcode == CLOSE && form == 1)
        return refuse(r, WEIR_ERR_WS_CLOSE_SIZE, at + 1);
    size_t more = form == 127 ? 8 : form == 126 ? 2 : 0;
    if (r->len - at < 2 + more)
        return false;
    h->len = more == 0 ? form : 0;
    for (size_t i = 0; i < more; i++)
        h->len = h->len * 256 + r->stream[at + 2 + i];
    size_t last = at + 1 + more;
    if (h->len > INT64_MAX)
        return refuse(r, WEIR_ERR_WS_LENGTH_BIT, last);
    if ((more == 2 && h->len <= 125) || (more == 8 && h->len <= 65535))
        return refuse(r, WEIR_ERR_WS_LENGTH, last);
    if (!control && h->len > r->cfg->max_frame)
        return refuse(r, WEIR_ERR_WS_FRAME_SIZE, last);
    if (!control && h->len + r->text_len > r->cfg->max_message)
        return refuse(r, WEIR_ERR_WS_MESSAGE_SIZE, last);
    h->key = masked ? r->stream + last + 1 : NULL;
    h->size = 2 + more + (masked ? 4 : 0);
    return r->len - at >= h->size;
}

/* What is there of a data frame's payload, unmasked. */
static void data_frame(reader *r, const header *h, const uint8_t *payload, size_t len, size_t at)
{
    size_t before = r->text_len, good;
    bool cut = false;
    if (h->opcode != CONTINUATION) {
        r->open = true;
        r->told = false;
        r->is_text = h->opcode == TEXT;
    }
    r->fragments++;
    r->controls = 0;
    if (len != 0)
        memcpy(r->text + r->text_len, payload, len);
    r->text_len = good = before + len;
    if (r->is_text && (r->cfg->flags & WEIR_WS_NO_UTF8) == 0)
        good = ws_reference_utf8(r->text, r->text_len, &cut);
    bool whole = h->fin && len == h->len && good == r->text_len;
    if (good < r->text_len)
        (void)refuse(r, WEIR_ERR_WS_UTF8, at + (good - before));
    else if (whole && cut)
        (void)refuse(r, WEIR_ERR_WS_UTF8, at + len - 1);
    bool last = whole && !cut;
    if (good != before || last)
        tell(r, WEIR_WS_DATA,
             (r->told ? 0 : WEIR_WS_FIRST) | (last ? WEIR_WS_LAST : 0) | (r->is_text ? WEIR_WS_TEXT : 0), 0,
             r->text + before, good - before);
    r->told = r->told || good != before;
    if (last) {
        r->open = false;
        r->text_len = 0;
        r->fragments = 0;
    }
}

/* RFC 6455 7.4.1 and 7.4.2, and the registry. */
static bool code_allowed(unsigned code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

static void close_frame(reader *r, const uint8_t *payload, size_t len, size_t at)
{
    unsigned code = 1005;
    bool cut = false;
    if (len != 0) {
        code = payload[0] * 256u + payload[1];
        size_t good = ws_reference_utf8(payload + 2, len - 2, &cut);
        if (!code_allowed(code)) {
            (void)refuse(r, WEIR_ERR_WS_CLOSE_CODE, at + 1);
            return;
        }
        if (good < len - 2 || cut) {
            (void)refuse(r, WEIR_ERR_WS_CLOSE_UTF8, at + 2 + (cut ? len - 3 : good));
            return;
        }
    }
    r->closed = true;
    tell(r, WEIR_WS_CLOSE, 0, (uint16_t)code, payload + (len != 0 ? 2 : 0), len != 0 ? len - 2 : 0);
}

static void read_all(reader *r)
{
    uint8_t *payload = malloc(r->len + 1);
    size_t at = 0;
    header h;
    if (payload == NULL)
        abort();
    while (r->err == 0 && !r->closed && header_read(r, at, &h)) {
        at += h.size;
        size_t len = r->len - at < h.len ? r->len - at : (size_t)h.len;
        for (size_t i = 0; i < len; i++)
            payload[i] = r->stream[at + i] ^ (h.key != NULL ? h.key[i % 4] : 0);
        if (h.opcode < CLOSE) {
            data_frame(r, &h, payload, len, at);
        } else {
            r->controls++;
            if (len < h.len)
                break;
            if (h.opcode == CLOSE)
                close_frame(r, payload, len, at);
            else
                tell(r, h.opcode == PING ? WEIR_WS_PING : WEIR_WS_PONG, 0, 0, payload, len);
        }
        at += len;
        if (len < h.len)
            break;
    }
    free(payload);
}

int ws_reference(const weir_ws_cfg *cfg, const uint8_t *stream, size_t len, ws_listener listener,
                 uint64_t *offset)
{
    reader r;
    memset(&r, 0, sizeof r);
    r.cfg = cfg;
    r.stream = stream;
    r.len = len;
    r.listener = listener;
    r.offset = len;
    r.text = malloc(len + 1);
    if (r.text == NULL)
        abort();
    read_all(&r);
    free(r.text);
    *offset = r.offset;
    return r.err;
}
