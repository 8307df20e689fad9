/* SPDX-License-Identifier: MIT */
/* fuzz_ws_client.c - frames as a client gets them: any cut gives the events, errors and replies that a slow
 * reader of the whole stream asks for. */
#include "frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    frames_try(WEIR_WS_CLIENT, data, size);
    return 0;
}
