/* SPDX-License-Identifier: MIT */
/*
 * receive.c - floor 3: the receiving half of a connection (RFC 6455 5 and 8.1).
 *
 * The machine is in one of three places:
 *
 *   between frames   head_[0..head_len_) are the bytes of the next header that have arrived. A header
 *                    that lies whole in the input is read there and never copied.
 *   in a frame       RX_FRAME is set, rx_left_ payload bytes are still to come. Data frames report
 *                    what the input holds of them; control frames are reported whole, from the input
 *                    or, when cut, from ctl_.
 *   after the end    the peer's Close (RECEIVED) or an error (err_): input is dropped, or refused.
 *
 * A message is not a place but a property beside it (RX_MESSAGE, RX_TEXT, rx_message_, rx_fragments_,
 * rx_utf8_): control frames come and go inside it without touching it.
 *
 * That the cut does not matter rests on two rules. header_read judges a header by its longest prefix
 * at hand and finds the same fault at the same byte whatever that prefix is. And an error inside a
 * payload first reports what was good before it: it is kept in err_due_ and returned by the next call,
 * just as if the input had been cut in front of the offending byte.
 *
 * offset_ counts the bytes taken. Once there is an error it is the error's position and stays.
 */
#include "ws.h"

#include "base/bytes.h"
#include "base/mask.h"
#include "base/utf8.h"

/* A frame header as it is read. `at` is the index of the byte that an error belongs to. */
typedef struct frame_header {
    uint64_t len;
    const uint8_t *key;
    size_t at;
    uint8_t first;
} frame_header;

static uint8_t header_opcode(const frame_header *header)
{
    return header->first & 0x0F;
}

/* Rules that byte 0 decides: reserved bits, opcode, order of fragments, counts. RSV1 marks a compressed
 * message in its first frame, once that was agreed on (RFC 7692 6). */
static int header_judge_first(const weir_ws *ws, uint8_t first)
{
    uint8_t opcode = first & 0x0F;
    bool in_message = weiri_ws_has(ws, WEIRI_WS_RX_MESSAGE);
    bool may_pack = ws->deflate_ != NULL && (opcode == WEIRI_OP_TEXT || opcode == WEIRI_OP_BINARY);
    if ((first & (may_pack ? 0x30 : 0x70)) != 0)
        return WEIR_ERR_WS_RSV;
    if ((opcode & 0x08) != 0) {
        if (opcode > WEIRI_OP_PONG)
            return WEIR_ERR_WS_OPCODE;
        if ((first & 0x80) == 0)
            return WEIR_ERR_WS_CONTROL_FIN;
        if (opcode != WEIRI_OP_CLOSE && ws->max_controls_ != 0 && ws->rx_controls_ >= ws->max_controls_)
            return WEIR_ERR_WS_CONTROLS;
        return 0;
    }
    if (opcode > WEIRI_OP_BINARY)
        return WEIR_ERR_WS_OPCODE;
    if (opcode == WEIRI_OP_CONT && !in_message)
        return WEIR_ERR_WS_CONTINUATION;
    if (opcode != WEIRI_OP_CONT && in_message)
        return WEIR_ERR_WS_INTERLEAVED;
    if (ws->rx_fragments_ >= ws->max_fragments_)
        return WEIR_ERR_WS_FRAGMENTS;
    return 0;
}

/* Rules that byte 1 decides: masking, size of control frames. */
static int header_judge_second(const weir_ws *ws, uint8_t opcode, uint8_t second)
{
    bool masked = (second & 0x80) != 0;
    if (masked == weiri_ws_has(ws, WEIRI_WS_IS_CLIENT))
        return WEIR_ERR_WS_MASKING;
    if ((opcode & 0x08) != 0 && (second & 0x7F) > 125)
        return WEIR_ERR_WS_CONTROL_SIZE;
    if (opcode == WEIRI_OP_CLOSE && (second & 0x7F) == 1)
        return WEIR_ERR_WS_CLOSE_SIZE;
    return 0;
}

/* Rules that the length decides. rx_message_ never exceeds max_message_, so nothing wraps. How long a
 * compressed message is shows only when it is inflated. */
static int header_judge_length(const weir_ws *ws, const frame_header *header, size_t length_bytes)
{
    if (length_bytes == 8 && header->len >> 63 != 0)
        return WEIR_ERR_WS_LENGTH_BIT;
    if ((length_bytes == 2 && header->len < 126) || (length_bytes == 8 && header->len <= UINT16_MAX))
        return WEIR_ERR_WS_LENGTH;
    if ((header_opcode(header) & 0x08) != 0)
        return 0;
    bool packed = (header->first & 0x40) != 0 || weiri_ws_has(ws, WEIRI_WS_RX_PACKED);
    uint64_t growth = packed ? ws->max_frame_ / 4 + 64 : 0; /* what cannot be compressed gets longer */
    if (header->len > ws->max_frame_ && header->len - ws->max_frame_ > growth)
        return WEIR_ERR_WS_FRAME_SIZE;
    if (packed)
        return 0;
    return header->len > ws->max_message_ - ws->rx_message_ ? WEIR_ERR_WS_MESSAGE_SIZE : 0;
}

/* Reads a header from the n bytes that are there. Returns how many it needs to go on: at most n when
 * the header is whole; or an error, with header->at. */
static int header_read(const weir_ws *ws, const uint8_t *p, size_t n, frame_header *header)
{
    if (n == 0)
        return 2;
    header->first = p[0];
    header->at = 0;
    int err = header_judge_first(ws, p[0]);
    if (err != 0 || n == 1)
        return err != 0 ? err : 2;

    header->at = 1;
    err = header_judge_second(ws, header_opcode(header), p[1]);
    if (err != 0)
        return err;
    uint8_t short_len = p[1] & 0x7F;
    size_t length_bytes = short_len == 127 ? 8 : short_len == 126 ? 2 : 0;
    size_t size = 2 + length_bytes;
    if (n < size)
        return (int)size;
    header->len = length_bytes == 8   ? weiri_load64(p + 2)
                  : length_bytes == 2 ? (uint64_t)((unsigned)p[2] << 8 | p[3])
                                      : short_len;
    header->at = size - 1;
    err = header_judge_length(ws, header, length_bytes);
    if (err != 0)
        return err;
    header->key = p + size;
    return (int)(weiri_ws_has(ws, WEIRI_WS_IS_CLIENT) ? size : size + 4);
}

/* Ends the receiving for good and queues the Close that tells the peer why. */
static int receive_fail(weir_ws *ws, int err)
{
    ws->err_ = (int16_t)err;
    ws->err_due_ = 0;
    if (!weiri_ws_has(ws, WEIRI_WS_SENT)) {
        weiri_ws_set(ws, WEIRI_WS_FAILED);
        weiri_ws_reply_close(ws, weir_err_lookup(err)->close_code);
    }
    return err;
}

void weiri_ws_frame_begin(weir_ws *ws, uint8_t first, uint64_t len, const uint8_t *key)
{
    weiri_ws_set(ws, WEIRI_WS_RX_FRAME);
    ws->rx_left_ = len;
    ws->rx_opcode_ = first & 0x0F;
    if (!weiri_ws_has(ws, WEIRI_WS_IS_CLIENT))
        memcpy(ws->rx_key_, key, 4);
    if ((ws->rx_opcode_ & 0x08) != 0) {
        if (ws->max_controls_ != 0)
            ws->rx_controls_++;
        return;
    }
    bool new_message = ws->rx_opcode_ != WEIRI_OP_CONT;
    if (new_message)
        weiri_ws_set(ws, WEIRI_WS_RX_MESSAGE | WEIRI_WS_RX_FIRST |
                             (ws->rx_opcode_ == WEIRI_OP_TEXT ? WEIRI_WS_RX_TEXT : 0) |
                             ((first & 0x40) != 0 ? WEIRI_WS_RX_PACKED : 0));
    if ((first & 0x80) != 0)
        weiri_ws_set(ws, WEIRI_WS_RX_FIN);
    ws->rx_controls_ = 0;
    ws->rx_fragments_++;
    if (weiri_ws_has(ws, WEIRI_WS_RX_PACKED))
        weiri_ws_packed_begin(ws, len, new_message);
    else
        ws->rx_message_ += len;
}

/* Takes a header. Returns 1 when a frame has begun, 0 for more input, or an error. Beyond the second byte
 * there is nothing to judge before head_need_ bytes are there. */
static int receive_header(weir_ws *ws, weir_in *in)
{
    frame_header header = {0, in->ptr, 0, 0};
    if (ws->head_len_ == 0) {
        int size = header_read(ws, in->ptr, in->len, &header);
        if (size > 0 && (size_t)size <= in->len) {
            weiri_ws_frame_begin(ws, header.first, header.len, header.key);
            weiri_ws_advance(ws, in, (size_t)size);
            return 1;
        }
        ws->head_need_ = (uint8_t)(size > 0 ? size : 2);
    }
    while (in->len != 0) {
        size_t n = (size_t)(ws->head_need_ - ws->head_len_);
        n = in->len < n ? in->len : n;
        memcpy(ws->head_ + ws->head_len_, in->ptr, n);
        ws->head_len_ = (uint8_t)(ws->head_len_ + n);
        weiri_ws_advance(ws, in, n);
        if (ws->head_len_ < ws->head_need_ && ws->head_len_ > 1)
            return 0;
        int size = header_read(ws, ws->head_, ws->head_len_, &header);
        if (size < 0) {
            ws->offset_ = ws->offset_ - ws->head_len_ + header.at;
            return receive_fail(ws, size);
        }
        if (size <= ws->head_len_) {
            ws->head_len_ = 0;
            weiri_ws_frame_begin(ws, header.first, header.len, header.key);
            return 1;
        }
        ws->head_need_ = (uint8_t)size;
    }
    return 0;
}

/* Takes up to rx_left_ payload bytes and unmasks them in place. With `checked` they are text: *good becomes
 * how many of them are, else all. */
static weir_in receive_payload(weir_ws *ws, weir_in *in, bool checked, size_t *good)
{
    weir_in piece = {in->ptr, in->len < ws->rx_left_ ? in->len : (size_t)ws->rx_left_};
    uint32_t word = weiri_mask_word(ws->rx_key_, 0);
    *good = piece.len;
    if (checked)
        *good = weiri_utf8_unmask(&ws->rx_utf8_, piece.ptr, piece.len, word);
    else if (word != 0)
        (void)weiri_mask(piece.ptr, piece.ptr, piece.len, word);
    weiri_ws_turn_key(ws->rx_key_, piece.len);
    ws->rx_left_ -= piece.len;
    weiri_ws_advance(ws, in, piece.len);
    return piece;
}

/* A fault in a data frame that showed `back` bytes before the input's front. */
static void receive_fault(weir_ws *ws, int err, uint64_t back)
{
    if (weiri_ws_has(ws, WEIRI_WS_RX_PACKED)) {
        weiri_ws_packed_fault(ws, err);
        return;
    }
    ws->err_due_ = (int16_t)err;
    ws->offset_ -= back;
}

/* The message's last frame is over: may the message end here? */
static bool receive_may_end(weir_ws *ws, bool checked)
{
    if (weiri_ws_has(ws, WEIRI_WS_RX_PACKED) && !weiri_ws_packed_end(ws))
        receive_fault(ws, WEIR_ERR_WS_DEFLATE, 0);
    else if (checked && ws->rx_utf8_ != 0)
        receive_fault(ws, WEIR_ERR_WS_UTF8, 1);
    return ws->err_due_ == 0;
}

/* Takes what there is of a data frame. Returns WEIR_WS_DATA, 0 if nothing is to be reported, or an
 * error. */
static int receive_data(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    bool checked = weiri_ws_has(ws, WEIRI_WS_RX_TEXT) && (ws->cfg_flags_ & WEIR_WS_NO_UTF8) == 0;
    bool packed = weiri_ws_has(ws, WEIRI_WS_RX_PACKED);
    bool over = false;
    bool last = false;
    size_t good;
    weir_str piece;
    if (packed) {
        piece = weiri_ws_packed_take(ws, in, &over);
        good = checked ? weiri_utf8_check(&ws->rx_utf8_, piece.ptr, piece.len) : piece.len;
    } else {
        weir_in plain = receive_payload(ws, in, checked, &good);
        piece = (weir_str){plain.ptr, plain.len};
        over = ws->rx_left_ == 0;
    }
    if (good < piece.len) {
        receive_fault(ws, WEIR_ERR_WS_UTF8, piece.len - good);
    } else if (over && ws->err_due_ == 0) {
        weiri_ws_clear(ws, WEIRI_WS_RX_FRAME);
        last = weiri_ws_has(ws, WEIRI_WS_RX_FIN) && receive_may_end(ws, checked);
    }
    if (good == 0 && !last)
        return ws->err_due_ != 0 ? receive_fail(ws, ws->err_due_) : 0;

    ev->kind = WEIR_WS_DATA;
    ev->data = (weir_str){piece.ptr, good};
    ev->flags = (weiri_ws_has(ws, WEIRI_WS_RX_FIRST) ? WEIR_WS_FIRST : 0) |
                (weiri_ws_has(ws, WEIRI_WS_RX_TEXT) ? WEIR_WS_TEXT : 0) | (last ? WEIR_WS_LAST : 0) |
                (packed ? WEIR_WS_DEFLATE : 0);
    weiri_ws_clear(ws, WEIRI_WS_RX_FIRST);
    if (last)
        weiri_ws_message_end(ws);
    return WEIR_WS_DATA;
}

/* Takes what there is of a control payload. True when it is whole, in *payload. While a reply waits in
 * ctl_ a newer Ping or a Close takes its place, but a Pong must not cost the peer its answer: its
 * payload is dropped instead. That needs a reply half written, another large one waiting, and a Pong
 * that arrives in pieces. */
static bool receive_control_payload(weir_ws *ws, weir_in *in, weir_str *payload)
{
    bool whole = in->len >= ws->rx_left_;
    size_t good;
    if (in->len == 0 && !whole)
        return false;
    weir_in piece = receive_payload(ws, in, false, &good);
    if (!weiri_ws_has(ws, WEIRI_WS_RX_CUT)) {
        *payload = (weir_str){piece.ptr, piece.len};
        if (whole)
            return true;
        weiri_ws_set(ws, WEIRI_WS_RX_CUT);
        if (ws->wait_ == WEIRI_OP_PONG && ws->rx_opcode_ == WEIRI_OP_PONG)
            weiri_ws_set(ws, WEIRI_WS_RX_SKIP);
        else if (ws->wait_ == WEIRI_OP_PONG)
            ws->wait_ = 0;
        if (!weiri_ws_has(ws, WEIRI_WS_RX_SKIP))
            ws->ctl_len_ = 0;
    }
    *payload = (weir_str){ws->ctl_, 0};
    if (!weiri_ws_has(ws, WEIRI_WS_RX_SKIP)) {
        memcpy(ws->ctl_ + ws->ctl_len_, piece.ptr, piece.len);
        ws->ctl_len_ = (uint8_t)(ws->ctl_len_ + piece.len);
        payload->len = ws->ctl_len_;
    }
    if (whole)
        weiri_ws_clear(ws, WEIRI_WS_RX_CUT | WEIRI_WS_RX_SKIP);
    return whole;
}

/* The peer's Close (RFC 6455 5.5.1): judge it, keep the reason, answer it. */
static int receive_close(weir_ws *ws, weir_str payload, weir_ws_event *ev)
{
    uint16_t code = 0;
    weir_str reason = {payload.ptr, 0};
    if (payload.len != 0) {
        uint64_t start = ws->offset_ - payload.len;
        uint32_t state = 0;
        code = (uint16_t)(payload.ptr[0] << 8 | payload.ptr[1]);
        reason = (weir_str){payload.ptr + 2, payload.len - 2};
        size_t good = weiri_utf8_check(&state, reason.ptr, reason.len);
        if (!weiri_ws_code_valid(code)) {
            ws->offset_ = start + 1;
            return receive_fail(ws, WEIR_ERR_WS_CLOSE_CODE);
        }
        if (good < reason.len || state != 0) {
            ws->offset_ = start + 2 + (good < reason.len ? good : reason.len - 1);
            return receive_fail(ws, WEIR_ERR_WS_CLOSE_UTF8);
        }
        memmove(ws->ctl_, reason.ptr, reason.len);
    }
    ws->ctl_len_ = (uint8_t)reason.len;
    ws->wait_ = ws->wait_ == WEIRI_OP_PONG ? 0 : ws->wait_;
    ws->close_received_ = code != 0 ? code : 1005;
    weiri_ws_set(ws, WEIRI_WS_RECEIVED | (weiri_ws_has(ws, WEIRI_WS_SENT) ? 0 : WEIRI_WS_PEER_FIRST));
    if (!weiri_ws_has(ws, WEIRI_WS_SENT))
        weiri_ws_reply_close(ws, code);
    ev->kind = WEIR_WS_CLOSE;
    ev->code = ws->close_received_;
    ev->data = (weir_str){ws->ctl_, ws->ctl_len_};
    return WEIR_WS_CLOSE;
}

static int receive_control(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    weir_str payload;
    if (!receive_control_payload(ws, in, &payload))
        return 0;
    weiri_ws_clear(ws, WEIRI_WS_RX_FRAME);
    if (ws->rx_opcode_ == WEIRI_OP_CLOSE)
        return receive_close(ws, payload, ev);
    ev->kind = ws->rx_opcode_ == WEIRI_OP_PING ? WEIR_WS_PING : WEIR_WS_PONG;
    ev->data = payload;
    if (ev->kind == WEIR_WS_PING && (ws->cfg_flags_ & WEIR_WS_MANUAL_PONG) == 0)
        weiri_ws_reply_pong(ws, payload);
    return (int)ev->kind;
}

int weiri_ws_receive(weir_ws *ws, weir_in *in, weir_ws_event *ev)
{
    *ev = (weir_ws_event){WEIR_WS_NONE, 0, {NULL, 0}, 0};
    if (ws->wait_ != 0)
        weiri_ws_settle(ws);
    if (ws->err_ != 0)
        return ws->err_;
    if (ws->err_due_ != 0)
        return receive_fail(ws, ws->err_due_);
    for (;;) {
        if (weiri_ws_has(ws, WEIRI_WS_RECEIVED)) {
            weiri_ws_advance(ws, in, in->len);
            return 0;
        }
        if (!weiri_ws_has(ws, WEIRI_WS_RX_FRAME)) {
            int rv = receive_header(ws, in);
            if (rv <= 0)
                return rv;
        }
        int rv = (ws->rx_opcode_ & 0x08) != 0 ? receive_control(ws, in, ev) : receive_data(ws, in, ev);
        if (rv != 0 || weiri_ws_has(ws, WEIRI_WS_RX_FRAME))
            return rv;
    }
}
