/* SPDX-License-Identifier: MIT */
/* heads.h - a stream of HTTP messages, heads and bodies in turn, for the two targets of requests and of
 * responses. */
#ifndef WEIR_FUZZ_HEADS_H
#define WEIR_FUZZ_HEADS_H

#include "fuzz.h"

/* Reads the stream whole, cut, and with the slow reference, under limits of the input's choice, and requires
 * that all three say the same. `use`, if not NULL, is given each head that weir reports. */
void heads_try(weir_http_kind kind, const uint8_t *data, size_t size,
               void (*use)(const weir_http_head *head, fuzz_digest *digest));

#endif
