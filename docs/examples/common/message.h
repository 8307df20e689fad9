/* SPDX-License-Identifier: MIT */
/*
 * message.h - a WebSocket message that comes in pieces is collected, and leaves as one frame from where
 * it lies.
 *
 *     buffer *message = NULL;
 *     if (!message_add(&message, piece)) ...                          for each piece; memory grows only
 *     if (message_frame(&message, &ws, WEIR_WS_WHOLE) == 0)           with bytes that have really come
 *         conn_give(c, &message);
 *     buffer_free(&message);                                          if it was not to be
 */
#ifndef EXAMPLE_MESSAGE_H
#define EXAMPLE_MESSAGE_H

#include "buffer.h"

#include <weir/weir.h>

/* Adds a piece; the first one also makes room for a frame's header in front. False without memory. */
bool message_add(buffer **message, weir_str piece);

/* What has been collected. */
weir_str message_payload(buffer *message);

/* Makes it a frame, masked in place if we are the client. Returns 0, or what weir_ws_begin returned. */
int message_frame(buffer **message, weir_ws *ws, uint32_t flags);

#endif
