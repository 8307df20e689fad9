/* SPDX-License-Identifier: MIT */
/* websocket.h - what a WebSocket codec has to offer to be measured. */
#ifndef WEIR_BENCH_WEBSOCKET_H
#define WEIR_BENCH_WEBSOCKET_H

#include "messages.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A codec. `open` gives NULL for a role that it does not play. `decode` takes the source's bytes to their
 * end, checks text, and delivers each message; streams begin and end at a message's border, so a connection
 * serves any number of them. `encode` writes one whole message as one frame and returns its length. */
typedef struct codec {
    const char *name;
    void *(*open)(bool client);
    void (*decode)(void *connection, bench_source *source, bench_sink *sink);
    size_t (*encode)(void *connection, uint8_t *dst, size_t cap, bool text, weir_str payload);
    void (*close)(void *connection);
} codec;

extern const codec weir_codec;
extern const codec weir_header_codec; /* a server's header alone, for writev: no copy of the payload */
extern const codec limit_codec;       /* what the machine allows */
extern const codec wslay_codec;       /* its event interface, without its buffering */
extern const codec wslay_frame_codec; /* its frame interface: neither state nor text is checked */

extern const codec beast_codec;       /* Boost.Beast: a server's stream over memory */
extern const codec websocketpp_codec; /* its processor for RFC 6455, without its transports */

/* Masking keys from the operating system, fetched 256 bytes at a time by every contestant. */
int bench_entropy(void *user, uint8_t *dst, size_t len);

#ifdef __cplusplus
}
#endif

#endif
