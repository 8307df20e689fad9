/* SPDX-License-Identifier: MIT */
/* ws_side.h - a connection, the frames it hears and the frames it says, one at a time. */
#ifndef WEIR_TEST_WS_SIDE_H
#define WEIR_TEST_WS_SIDE_H

#include "weir/ws.h"

typedef struct side {
    weir_ws ws;
    weir_entropy entropy;
    uint32_t keys;
    bool broken; /* the entropy source fails */
    bool client;
    uint8_t wire[1 << 16];
    size_t len;
    size_t read;
} side;

typedef struct frame {
    uint8_t first;
    size_t len;
    uint8_t payload[1024];
} frame;

void side_init_flags(side *s, bool client, uint32_t flags);
void side_init(side *s, bool client);
weir_str bytes_of(const void *ptr, size_t len);
int side_hear(side *s, uint8_t first, const void *payload, size_t len);
void side_take(side *s, size_t n);
void side_take_all(side *s);
bool side_frame(side *s, frame *f);
void expect_frame(side *s, uint8_t first, const void *payload, size_t len);
void expect_no_frame(side *s);

#endif
