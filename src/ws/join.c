/* SPDX-License-Identifier: MIT */
/* join.c - floor 3: puts the pieces of a message together in a buffer of the caller's. */
#include "ws.h"

#include <string.h>

/* len_ of a message that did not fit: its other pieces do not fit either. */
#define TOO_LONG SIZE_MAX

int weir_ws_join(weir_ws_joiner *joiner, const weir_ws_event *ev, weir_str *message)
{
    *message = (weir_str){NULL, 0};
    if (ev->kind != WEIR_WS_DATA)
        return 0;
    if ((ev->flags & WEIR_WS_FIRST) != 0)
        joiner->len_ = 0;
    if (joiner->len_ == TOO_LONG || ev->data.len > joiner->cap - joiner->len_) {
        joiner->len_ = TOO_LONG;
        return WEIR_ERR_WS_MESSAGE_SIZE;
    }
    if ((ev->flags & WEIR_WS_WHOLE) == WEIR_WS_WHOLE) {
        *message = ev->data;
        return 1;
    }
    if (ev->data.len != 0)
        memcpy(joiner->buf + joiner->len_, ev->data.ptr, ev->data.len);
    joiner->len_ += ev->data.len;
    if ((ev->flags & WEIR_WS_LAST) == 0)
        return 0;
    *message = (weir_str){joiner->buf, joiner->len_};
    return 1;
}
