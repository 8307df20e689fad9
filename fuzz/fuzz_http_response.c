/* SPDX-License-Identifier: MIT */
/* fuzz_http_response.c - responses and their bodies: any cut gives what a slow reader of the whole stream
 * gives. */
#include "heads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    heads_try(WEIR_HTTP_RESPONSE, data, size, NULL);
    return 0;
}
