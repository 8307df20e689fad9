/* SPDX-License-Identifier: MIT */
/*
 * head.c - floor 2: the head parser (RFC 9112 2 to 5).
 *
 * Every byte goes once through a machine whose states follow the grammar:
 *
 *     START [START_LF] METHOD TARGET VERSION LINE_LF            a request line
 *     R_VERSION R_STATUS REASON LINE_LF                         a status line
 *     then FIELD [NAME VALUE VALUE_LF FIELD]... END_LF          field lines and the empty line
 *
 * Only positions are kept, counted from the head's first byte (`len_` bytes of it have been seen), so
 * it does not matter where the bytes lie. They stay in the caller's input while the head is whole
 * there; when the input ends first they are copied to the storage, and what follows is appended. The
 * size of the storage is the limit in both cases.
 *
 * A byte that no valid head continues with is refused where it stands. What can only be judged over
 * the whole head (check.c) is judged at its last byte.
 *
 * A head that lies whole in the input, with nothing wrong, is taken at once by straight.c; runs of one state
 * are taken together. Whatever else there is goes through the machine byte by byte, so these are only ever
 * faster, and can be left out.
 *
 * The fields of a whole head are listed in what room the storage has, so that each search and walk needs no
 * look at the text; without the room the text stands for them.
 */
#include "http.h"

#include "base/find.h"

#include <string.h>

enum {
    START,
    START_LF,
    METHOD,
    TARGET,
    VERSION,
    R_VERSION,
    R_STATUS,
    REASON,
    LINE_LF,
    FIELD,
    NAME,
    VALUE,
    VALUE_LF,
    END_LF
};

enum { HEAD_MORE = 0, HEAD_WHOLE = 1 };

int weir_http_init_(weir_http *http, uint32_t layout, weir_http_kind kind, void *storage, size_t storage_len,
                    const weir_http_cfg *cfg)
{
    if (layout != WEIR_LAYOUT_OF(*http))
        return WEIR_ERR_LAYOUT;
    if ((kind != WEIR_HTTP_REQUEST && kind != WEIR_HTTP_RESPONSE) || storage == NULL || storage_len < 16)
        return WEIR_ERR_ARG;
    memset(http, 0, sizeof *http);
    http->storage_ = storage;
    http->cap_ = storage_len;
    http->max_target_ = cfg != NULL && cfg->max_target != 0 ? cfg->max_target : 8000;
    http->max_fields_ = cfg != NULL && cfg->max_fields != 0 ? cfg->max_fields : 100;
    http->kind_ = (uint8_t)kind;
    http->state_ = kind == WEIR_HTTP_REQUEST ? START : R_VERSION;
    return 0;
}

/* One byte of "HTTP/1.x" at position `at`; `err` is for bytes that belong to no version. */
static int head_version(weir_http *http, size_t at, uint8_t byte, int err)
{
    size_t i = at - http->mark_;
    if (i == 5 && weiri_is_digit(byte) && byte != '1')
        return WEIR_ERR_HTTP_MAJOR;
    if (i == 7) {
        http->minor_ = (uint8_t)(byte - '0');
        return weiri_is_digit(byte) ? 0 : err;
    }
    return byte == (uint8_t) "HTTP/1."[i] ? 0 : err;
}

/* The request line's three parts. Returns 0 or the error of this byte, which head_run did not take. */
static int head_request_byte(weir_http *http, size_t at, uint8_t byte)
{
    switch (http->state_) {
    case METHOD:
        if (byte == ' ' && at != 0) {
            http->method_len_ = at;
            http->target_at_ = at + 1;
            http->state_ = TARGET;
            return 0;
        }
        return WEIR_ERR_HTTP_METHOD;
    case TARGET:
        http->target_len_ = at - http->target_at_;
        if (weiri_is(byte, WEIRI_TARGET))
            return WEIR_ERR_HTTP_TARGET_SIZE;
        if (byte != ' ' || http->target_len_ == 0)
            return WEIR_ERR_HTTP_TARGET;
        http->mark_ = at + 1;
        http->state_ = VERSION;
        return 0;
    default:
        if (at - http->mark_ < 8)
            return head_version(http, at, byte, WEIR_ERR_HTTP_VERSION);
        http->state_ = LINE_LF;
        return byte == '\r' ? 0 : byte == '\n' ? WEIR_ERR_HTTP_LINE_END : WEIR_ERR_HTTP_VERSION;
    }
}

/* "HTTP/1.1 200 OK": the reason may be empty, and the space before it then missing as some servers
 * send it (RFC 9112 4 lets a client read on). */
static int head_response_byte(weir_http *http, size_t at, uint8_t byte)
{
    switch (http->state_) {
    case R_VERSION:
        http->mark_ = 0;
        if (at < 8)
            return head_version(http, at, byte, WEIR_ERR_HTTP_STATUS);
        http->state_ = R_STATUS;
        http->status_ = 0;
        return byte == ' ' ? 0 : WEIR_ERR_HTTP_STATUS;
    case R_STATUS:
        if (at < 12) {
            http->status_ = (uint16_t)(http->status_ * 10 + (byte - '0'));
            return weiri_is_digit(byte) && !(at == 9 && byte == '0') ? 0 : WEIR_ERR_HTTP_STATUS;
        }
        http->reason_at_ = byte == ' ' ? at + 1 : at;
        http->mark_ = http->reason_at_;
        http->state_ = byte == ' ' ? REASON : LINE_LF;
        return byte == ' ' || byte == '\r' ? 0 : WEIR_ERR_HTTP_STATUS;
    default:
        if (byte == '\r') {
            http->mark_ = at;
            http->state_ = LINE_LF;
            return 0;
        }
        if (byte == '\n')
            return WEIR_ERR_HTTP_LINE_END;
        return weiri_is(byte, WEIRI_VALUE) ? 0 : WEIR_ERR_HTTP_STATUS;
    }
}

/* The first byte of a field line, or of the empty line. */
static int head_field_byte(weir_http *http, uint8_t byte)
{
    if (byte == '\r') {
        http->state_ = END_LF;
        return 0;
    }
    if (weiri_is_blank(byte))
        return WEIR_ERR_HTTP_FOLD;
    if (byte == '\n')
        return WEIR_ERR_HTTP_LINE_END;
    if (!weiri_is(byte, WEIRI_TOKEN))
        return WEIR_ERR_HTTP_NAME;
    http->state_ = NAME;
    return ++http->field_count_ <= http->max_fields_ ? 0 : WEIR_ERR_HTTP_FIELD_COUNT;
}

/* What head_scan stops at: inside a name or a value only bytes that may not stand there. */
static int head_line_byte(weir_http *http, size_t at, uint8_t byte)
{
    switch (http->state_) {
    case LINE_LF:
        http->fields_at_ = at + 1;
        http->state_ = FIELD;
        return byte == '\n' ? 0 : WEIR_ERR_HTTP_LINE_END;
    case FIELD:
        return head_field_byte(http, byte);
    case NAME:
        http->state_ = VALUE;
        return byte == ':' ? 0 : WEIR_ERR_HTTP_NAME;
    case VALUE:
        http->state_ = VALUE_LF;
        if (byte == '\n')
            return WEIR_ERR_HTTP_LINE_END;
        return byte == '\r' ? 0 : WEIR_ERR_HTTP_VALUE;
    default: /* VALUE_LF */
        http->state_ = FIELD;
        return byte == '\n' ? 0 : WEIR_ERR_HTTP_LINE_END;
    }
}

/* How many bytes from the one at position `at` on leave the state as it is, and are not refused. */
static size_t head_run(const weir_http *http, size_t at, const uint8_t *bytes, size_t len)
{
    switch (http->state_) {
    case VALUE:
        return weiri_value_len(bytes, len);
    case TARGET: {
        size_t room = http->target_at_ + http->max_target_ - at;
        return weiri_target_len(bytes, room < len ? room : len);
    }
    case METHOD:
    case NAME:
        return weiri_run(bytes, len, WEIRI_TOKEN);
    default:
        return 0;
    }
}

/* Runs the machine over new bytes of this head. *used is how many it took; on an error the index of
 * the offending byte. */
static int head_scan(weir_http *http, const uint8_t *bytes, size_t len, size_t *used)
{
    size_t i = 0;
    int err = 0;
    for (; i < len && err == 0; i++) {
        i += head_run(http, http->len_ + i, bytes + i, len - i);
        if (i == len)
            break;
        size_t at = http->len_ + i;
        if (http->state_ == END_LF) {
            *used = bytes[i] == '\n' ? i + 1 : i;
            return bytes[i] == '\n' ? HEAD_WHOLE : WEIR_ERR_HTTP_LINE_END;
        }
        if (http->state_ >= LINE_LF)
            err = head_line_byte(http, at, bytes[i]);
        else if (http->state_ >= R_VERSION)
            err = head_response_byte(http, at, bytes[i]);
        else
            err = head_request_byte(http, at, bytes[i]);
    }
    *used = err != 0 ? i - 1 : i;
    return err;
}

/* Moves the cursor past `len` bytes that do not belong to a head. */
static void head_skip(weir_http *http, weir_in *in, size_t len)
{
    in->ptr += len;
    in->len -= len;
    http->offset_ += len;
}

/* The one empty line that may stand before a request. */
static int head_start(weir_http *http, weir_in *in)
{
    if (http->state_ == START && in->len != 0) {
        http->state_ = *in->ptr == '\r' ? START_LF : METHOD;
        if (http->state_ == START_LF)
            head_skip(http, in, 1);
    }
    if (http->state_ == START_LF && in->len != 0) {
        if (*in->ptr != '\n')
            return WEIR_ERR_HTTP_LINE_END;
        head_skip(http, in, 1);
        http->state_ = METHOD;
    }
    return 0;
}

/* A head from the positions; what check.c judges is still to come. `text` is the head, len_ bytes. */
static weir_http_head head_report(const weir_http *http, const uint8_t *text)
{
    const bool request = http->kind_ == WEIR_HTTP_REQUEST;
    const weir_str nothing = {NULL, 0};
    return (weir_http_head){
        (weir_http_kind)http->kind_,
        http->minor_,
        request ? (weir_str){text, http->method_len_} : nothing,
        request ? (weir_str){text + http->target_at_, http->target_len_} : nothing,
        request ? 0 : http->status_,
        request ? nothing : (weir_str){text + http->reason_at_, http->mark_ - http->reason_at_},
        nothing,
        {{text + http->fields_at_, http->len_ - 2 - http->fields_at_}, NULL, 0},
        http->field_count_,
        WEIR_HTTP_NO_BODY,
        0,
        false,
    };
}

/* No head: 0, or the sticky error of the byte at position `at` of this head. */
static int head_none(weir_http *http, weir_http_head *head, int err, size_t at)
{
    memset(head, 0, sizeof *head);
    if (err != 0) {
        http->offset_ += at;
        http->err_ = err;
    }
    return err;
}

/* Takes bytes up to the end of the head, and keeps them if they are not all of it. Returns HEAD_WHOLE with
 * the head, HEAD_MORE, or an error; *used: where it is. */
static int head_take(weir_http *http, weir_in *in, size_t *used, weir_http_head *head)
{
    const uint8_t *text = in->ptr;
    size_t room = http->cap_ - http->len_;
    size_t len = in->len < room ? in->len : room;
    weir_http_fields list = {{NULL, 0}, NULL, 0};
    *used = http->len_ == 0 ? weiri_http_straight(http, text, len, &list) : 0;
    const bool straight = *used != 0;
    int rv = straight ? HEAD_WHOLE : head_scan(http, text, len, used);
    if (rv == HEAD_MORE && in->len > room)
        rv = http->state_ == TARGET ? WEIR_ERR_HTTP_TARGET_SIZE : WEIR_ERR_HTTP_HEAD_SIZE;
    if (rv < 0 || *used == 0)
        return rv;
    const bool kept = rv == HEAD_MORE || http->len_ != 0;
    if (kept) {
        memcpy(http->storage_ + http->len_, text, *used);
        text = http->storage_;
    }
    http->len_ += *used;
    in->ptr += *used;
    in->len -= *used;
    if (rv == HEAD_MORE)
        return rv;
    *head = head_report(http, text);
    const weir_str lines = head->fields.text;
    if (straight || weiri_http_list(http, kept ? http->len_ : 0, lines, &list) == lines.len)
        head->fields = list;
    return rv;
}

int weir_http_next(weir_http *http, weir_in *in, weir_http_head *head)
{
    size_t used = 0;
    if (http->err_ != 0) {
        memset(head, 0, sizeof *head);
        return http->err_;
    }
    int rv = head_start(http, in);
    if (rv != 0)
        return head_none(http, head, rv, 0);
    rv = head_take(http, in, &used, head);
    if (rv != HEAD_WHOLE)
        return head_none(http, head, rv, http->len_ + used);
    rv = weiri_http_head_check(head);
    if (rv < 0)
        return head_none(http, head, rv, http->len_ - 1);
    http->offset_ += http->len_;
    http->len_ = 0;
    http->field_count_ = 0;
    http->state_ = http->kind_ == WEIR_HTTP_REQUEST ? START : R_VERSION;
    return 1;
}

int weir_http_error(const weir_http *http, uint64_t *offset)
{
    if (offset != NULL)
        *offset = http->err_ != 0 ? http->offset_ : http->offset_ + http->len_;
    return http->err_;
}
