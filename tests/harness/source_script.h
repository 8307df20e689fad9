/* SPDX-License-Identifier: MIT */
/* source_script.h - an event source led by the hand: set up, fed, ended. */
#ifndef WEIR_TEST_SOURCE_SCRIPT_H
#define WEIR_TEST_SOURCE_SCRIPT_H

#include "weir/sse.h"

extern uint8_t source_storage[WEIR_SSE_SOURCE_STORAGE(1024)];

/* The defaults. */
weir_sse_source_cfg source_cfg(const char *url);

/* Sets up in source_storage, up to the first WEIR_SSE_CONNECT. */
void source_start(weir_sse_source *s, const weir_sse_source_cfg *cfg, uint64_t now);

/* Gives the text in pieces of at most `step` bytes. Returns which kinds of items came, each as a bit
 * 1 << kind. */
uint32_t source_give(weir_sse_source *s, const char *text, size_t step, uint64_t now);

/* Ends the connection. Returns as source_give. */
uint32_t source_end(weir_sse_source *s, uint64_t now);

#endif
