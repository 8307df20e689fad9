/* SPDX-License-Identifier: MIT */
/*
 * weir/deflate.h - permessage-deflate (RFC 7692) for WebSocket: negotiation, and the state of a
 * connection over a compression library of your choice (weir/zlib.h has the one for zlib).
 *
 *     weir_deflate_params params;                          a server, between request and 101
 *     if (weir_deflate_negotiate(head.fields, &policy, &params) > 0)
 *         accept.deflate = &params;
 *     weir_ws_accept_write(&out, &req, &accept);
 *
 *     weir_deflate_cfg dc = {.backend = &weir_zlib, .params = params, .role = WEIR_WS_SERVER};
 *     weir_deflate_memory(&dc, &inflate_len, &deflate_len);
 *     dc.inflate_mem = malloc(dc.inflate_len = inflate_len);      memory is yours, as always
 *     dc.deflate_mem = malloc(dc.deflate_len = deflate_len);
 *     dc.scratch = thread_scratch, dc.scratch_len = sizeof thread_scratch;
 *     weir_deflate_init(&c->deflate, &dc);
 *     cfg.deflate = &c->deflate;
 *     weir_ws_init(&c->ws, &cfg);
 *
 * From then on DATA events of compressed messages are slices of the scratch, and weir_ws_send compresses
 * what has the flag WEIR_WS_DEFLATE. Without a backend the extension is neither offered nor accepted.
 *
 * Compressing secrets together with text that an attacker chooses leaks the secrets by length (CRIME,
 * BREACH). Leave the flag off for such messages, or agree on no context takeover and keep them apart.
 */
#ifndef WEIR_DEFLATE_H
#define WEIR_DEFLATE_H

#include "weir/base.h"
#include "weir/http.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Negotiation -------------------------------------------------------------------------------- */

/* What we want; zero-initialised: the largest windows, context takeover both ways. */
typedef struct weir_deflate_policy {
    uint8_t server_bits;     /* largest window of what the server sends, 9..15; 0 stands for 15 */
    uint8_t client_bits;     /* largest window of what the client sends, 9..15; 0 stands for 15 */
    bool server_no_takeover; /* the server forgets its window at each message's end */
    bool client_no_takeover; /* the client does */
} weir_deflate_policy;

/* What was agreed. */
typedef struct weir_deflate_params {
    uint8_t server_bits; /* 8..15; the memory for a window is 2^bits bytes */
    uint8_t client_bits;
    bool server_no_takeover;
    bool client_no_takeover;
    bool server_bits_named_; /* for the answer: which parameters it must have */
    bool client_bits_named_;
} weir_deflate_params;

/*
 * weir_deflate_negotiate - a server chooses among a client's offers (RFC 7692 5.1, 7.1).
 *
 * Offers are taken in the client's order; one that cannot be met (unknown or repeated parameters, values
 * out of range, a window of 8 bits, with which zlib cannot compress) is passed over for the next.
 *
 * fields   the request's fields, not moved.
 * policy   what we want; NULL for the defaults. A client that does not say that it can limit its window
 *          keeps 15 bits, whatever client_bits says.
 * params   filled when the result is 1.                                                      [out]
 *
 * Returns  1    agreed: name it in weir_ws_accept.
 *          0    no offer, or none that can be met: go on without compression.
 *          WEIR_ERR_WS_EXTENSION_FORM    Sec-WebSocket-Extensions is malformed; answer 400
 */
WEIR_API int weir_deflate_negotiate(weir_http_fields fields, const weir_deflate_policy *policy,
                                    weir_deflate_params *params);

/*
 * weir_deflate_check - a client reads the server's answer (RFC 7692 5.1, 7.1).
 *
 * weir_ws_opening_read does it for you; this is for handshakes made by other means.
 *
 * fields   the response's fields, not moved.
 * policy   what was offered.
 * params   filled when the result is 1.                                                      [out]
 *
 * Returns  1    agreed.
 *          0    the server declined.
 *          WEIR_ERR_WS_EXTENSION    another extension, an unknown, repeated or malformed parameter, or
 *                                   a window larger than demanded: fail the connection
 */
WEIR_API int weir_deflate_check(weir_http_fields fields, const weir_deflate_policy *policy,
                                weir_deflate_params *params);

/* Longest value that the two functions below write. */
#define WEIR_DEFLATE_VALUE_MAX 128

/*
 * weir_deflate_offer_write - the value of a client's Sec-WebSocket-Extensions.
 * weir_deflate_answer_write - the value of a server's, for agreed parameters.
 *
 * For handshakes made by other means, as HTTP/2; weir's own write them themselves.
 *
 * Returns  0, or WEIR_ERR_SPACE with nothing written.
 */
WEIR_API int weir_deflate_offer_write(weir_out *out, const weir_deflate_policy *policy);
WEIR_API int weir_deflate_answer_write(weir_out *out, const weir_deflate_params *params);

/* ---- Backend ------------------------------------------------------------------------------------ */

/* A compression library behind weir. Each function works in the memory it is given, allocates nothing
 * and returns 0 or, where it says so, a negative number. You only name one (&weir_zlib). */
typedef struct weir_deflate_backend {
    /* Memory for a compressor or decompressor. mem_level is 1..9 as zlib's. */
    size_t (*deflate_size)(unsigned bits, unsigned mem_level);
    size_t (*inflate_size)(unsigned bits);
    /* Set-up; negative if len is too small or bits out of range. */
    int (*deflate_init)(void *mem, size_t len, unsigned bits, unsigned mem_level, int level);
    int (*inflate_init)(void *mem, size_t len, unsigned bits);
    /* Room that `deflate` needs at most for len bytes. */
    size_t (*deflate_bound)(void *mem, size_t len);
    /* Compresses all of data and flushes to a byte border, 00 00 FF FF at the end. */
    int (*deflate)(void *mem, weir_str data, weir_out *out);
    /* Decompresses until `packed` is used up or `out` is full; negative for corrupt data. Blocks with
     * BFINAL set do not end a message nor lose the window. */
    int (*inflate)(void *mem, weir_str *packed, weir_out *out);
    /* The message is over: negative if it stopped inside a block. */
    int (*inflate_end)(void *mem);
    /* Forgets the window. */
    void (*deflate_reset)(void *mem);
    void (*inflate_reset)(void *mem);
} weir_deflate_backend;

/* ---- A connection's compression ----------------------------------------------------------------- */

/* Set-up of a connection's compression; zero-initialise it first. */
typedef struct weir_deflate_cfg {
    const weir_deflate_backend *backend;
    weir_deflate_params params; /* as agreed */
    uint32_t role;              /* a weir_ws_role: which side we are */
    uint32_t max_ratio;         /* inflated bytes of a message at most for each payload byte that the headers
                                   of its frames have announced so far; 0: no limit. Deflate itself cannot
                                   exceed 1032. Over it 1009 */
    void *inflate_mem;          /* memory for what we receive, inflate_len bytes, aligned as malloc's. Must
                                   stay where it is while the connection lives */
    size_t inflate_len;
    void *deflate_mem; /* the same for what we send. NULL: we never compress (what we receive may be). If
                          our side agreed to no context takeover, and messages are sent whole, connections
                          of one thread that agreed on the same window may share it */
    size_t deflate_len;
    uint8_t *scratch; /* where inflated bytes go before they are reported, scratch_len bytes (256 at least,
                         16 KiB is good); may be shared by all connections of a thread */
    size_t scratch_len;
    unsigned mem_level; /* 1..9, 0 stands for 8: more memory compresses better and faster */
    int level;          /* 1..9, 0 stands for 6: more work compresses better */
    size_t threshold;   /* whole messages shorter than this are sent uncompressed; default 0 */
} weir_deflate_cfg;

/* Private; visible for its size. */
typedef struct weir_deflate {
    const weir_deflate_backend *backend_;
    void *inflater_;
    void *deflater_;
    uint8_t *scratch_;
    size_t scratch_len_;
    size_t threshold_;
    size_t ready_;       /* bytes in front of the input that are unmasked but not yet inflated */
    uint64_t frame_len_; /* payload bytes of the frame being received */
    uint64_t packed_;    /* payload bytes of the message, as announced so far */
    uint32_t max_ratio_;
    bool rx_forget_;
    bool tx_forget_;
    uint8_t tx_bits_; /* window the peer has for what we send */
    bool tx_used_;    /* the compressor's window holds text */
} weir_deflate;

/*
 * weir_deflate_memory - how much memory a connection's compression needs.
 *
 * cfg          backend, params, role and mem_level are read.
 * inflate_len  bytes for inflate_mem: over zlib about 7 KiB and the peer's window.           [out]
 * deflate_len  bytes for deflate_mem: over zlib 279 KiB at 15 bits and mem_level 8, 10 KiB at 9 and 1. [out]
 *
 * They are those of the library that is linked at run time: ask there, and allocate what it says. zlib-ng in
 * zlib's place takes 42 KiB whatever the window, and 343 KiB and 138 KiB.
 */
WEIR_API void weir_deflate_memory(const weir_deflate_cfg *cfg, size_t *inflate_len, size_t *deflate_len);

/*
 * weir_deflate_init - set up a connection's compression, to be named in weir_ws_cfg.deflate.
 *
 * deflate  the object; must stay where it is and outlive the connection's use.               [out]
 * cfg      copied, except for the memory it points to.
 *
 * Returns  0, or
 *          WEIR_ERR_ARG       a value out of range, or missing memory
 *          WEIR_ERR_SPACE     inflate_mem or deflate_mem is too small
 *          WEIR_ERR_LAYOUT    the program was built with another weir_deflate or minor version
 *
 * If our window was agreed to be 8 bits, which only a client can be asked for, deflate_mem is not used:
 * all messages are sent uncompressed, which is allowed (RFC 7692 7.2.1).
 */
#define weir_deflate_init(deflate, cfg) weir_deflate_init_((deflate), WEIR_LAYOUT_OF(*(deflate)), (cfg))
WEIR_API int weir_deflate_init_(weir_deflate *deflate, uint32_t layout, const weir_deflate_cfg *cfg);

#ifdef __cplusplus
}
#endif
#endif
