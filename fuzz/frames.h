/* SPDX-License-Identifier: MIT */
/* frames.h - a stream of WebSocket frames, for the two targets of servers and of clients. */
#ifndef WEIR_FUZZ_FRAMES_H
#define WEIR_FUZZ_FRAMES_H

#include "fuzz.h"

/* Reads the stream whole, cut, and with the slow reference, under a configuration of the input's choice, and
 * requires that all three say the same, and that the replies are those that RFC 6455 asks for. */
void frames_try(weir_ws_role role, const uint8_t *data, size_t size);

#endif
