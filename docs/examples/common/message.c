/* SPDX-License-Identifier: MIT */
/* message.c - collects a message behind room for its header. */
#include "message.h"

#include <string.h>

bool message_add(buffer **message, weir_str piece)
{
    static const uint8_t header_room[WEIR_WS_HEADER_MAX];
    if (*message == NULL && !buffer_put(message, header_room, sizeof header_room))
        return false;
    return buffer_put(message, piece.ptr, piece.len);
}

weir_str message_payload(buffer *message)
{
    return (weir_str){buffer_bytes(message) + WEIR_WS_HEADER_MAX, buffer_size(message) - WEIR_WS_HEADER_MAX};
}

int message_frame(buffer **message, weir_ws *ws, uint32_t flags)
{
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    weir_str payload = message_payload(*message);
    int rv = weir_ws_begin(ws, flags, payload.len, header, &header_len);
    if (rv != 0)
        return rv;
    weir_ws_payload(ws, buffer_bytes(*message) + WEIR_WS_HEADER_MAX, payload);
    buffer_take(message, WEIR_WS_HEADER_MAX - header_len);
    memcpy(buffer_bytes(*message), header, header_len);
    return 0;
}
