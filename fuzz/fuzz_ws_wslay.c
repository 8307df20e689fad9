/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ws_wslay.c - weir beside libwslay: the same frames, as a server or a client gets them, hold the same
 * messages, control frames and fault. Needs libwslay.
 *
 * Zeros follow the stream, so that wslay, which looks at a header when it is whole, comes to the fault that
 * weir has seen at its first byte. wslay does not know the codes 1012 to 1014, which were registered later:
 * there the comparison ends.
 */
#include "fuzz.h"

#include <wslay/wslay.h>

enum { MESSAGE_MOST = 1 << 16, ZEROS = 140 };

typedef struct told {
    fuzz_digest digest; /* of each message and control frame, in turn */
    size_t count;
    bool fault;
    uint64_t fault_at;
    bool odd; /* ... in a Close, which can have more than one: which code it is answered with may differ */
    unsigned close_code; /* of the fault: what the reader answers with; 0 if it does not say */
    bool closed, newer;  /* the peer's Close came; with a code that wslay does not know */
    /* the message under way */
    uint8_t bytes[MESSAGE_MOST];
    size_t len;
} told;

static void tell(told *t, unsigned opcode, unsigned code, const uint8_t *bytes, size_t len)
{
    fuzz_number(&t->digest, opcode);
    fuzz_number(&t->digest, code);
    fuzz_str(&t->digest, (weir_str){bytes, len});
    t->count++;
}

/* ---- weir ------------------------------------------------------------------------------------------- */

static void run_weir(weir_ws_role role, weir_str stream, told *t)
{
    weir_ws ws;
    weir_entropy entropy;
    weir_ws_cfg cfg;
    weir_ws_event ev;
    uint32_t random = 1;
    int rv;
    uint8_t *copy = fuzz_copy(stream.ptr, stream.len);
    weir_in in = {copy, stream.len};
    FUZZ_REQUIRE(weir_entropy_init(&entropy, fuzz_fill, &random) == 0);
    weir_ws_cfg_init(&cfg, role);
    cfg.entropy = &entropy;
    cfg.max_frame = cfg.max_message = MESSAGE_MOST;
    FUZZ_REQUIRE(weir_ws_init(&ws, &cfg) == 0);
    while ((rv = weir_ws_next(&ws, &in, &ev)) > 0) {
        weir_ws_out_ack(&ws, SIZE_MAX);
        if (rv == WEIR_WS_DATA) {
            t->len = (ev.flags & WEIR_WS_FIRST) != 0 ? 0 : t->len;
            if (ev.data.len != 0)
                memcpy(t->bytes + t->len, ev.data.ptr, ev.data.len);
            t->len += ev.data.len;
            if ((ev.flags & WEIR_WS_LAST) != 0)
                tell(t, (ev.flags & WEIR_WS_TEXT) != 0 ? 1 : 2, 0, t->bytes, t->len);
        } else {
            unsigned opcode = rv == WEIR_WS_CLOSE ? 8 : rv == WEIR_WS_PING ? 9 : 10;
            tell(t, opcode, ev.code, ev.data.ptr, ev.data.len);
            t->closed = rv == WEIR_WS_CLOSE;
            t->newer = t->closed && ev.code >= 1012 && ev.code <= 1014;
        }
    }
    t->fault = rv < 0;
    (void)weir_ws_error(&ws, &t->fault_at);
    t->close_code = rv < 0 ? weir_err_lookup(rv)->close_code : 0;
    t->odd = rv == WEIR_ERR_WS_CLOSE_CODE || rv == WEIR_ERR_WS_CLOSE_UTF8;
    free(copy);
}

/* ---- wslay ------------------------------------------------------------------------------------------ */

typedef struct peer {
    weir_str stream;
    told *told;
} peer;

static ssize_t peer_read(wslay_event_context_ptr ctx, uint8_t *dst, size_t len, int flags, void *user)
{
    peer *p = user;
    size_t n = len < p->stream.len ? len : p->stream.len;
    (void)flags;
    if (n == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(dst, p->stream.ptr, n);
    p->stream = (weir_str){p->stream.ptr + n, p->stream.len - n};
    return (ssize_t)n;
}

static ssize_t peer_write(wslay_event_context_ptr ctx, const uint8_t *bytes, size_t len, int flags,
                          void *user)
{
    (void)ctx;
    (void)bytes;
    (void)flags;
    (void)user;
    return (ssize_t)len;
}

static int peer_key(wslay_event_context_ptr ctx, uint8_t *dst, size_t len, void *user)
{
    (void)ctx;
    (void)user;
    memset(dst, 0x5A, len);
    return 0;
}

static void peer_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg,
                         void *user)
{
    peer *p = user;
    (void)ctx;
    if (arg->opcode != WSLAY_CONNECTION_CLOSE) {
        tell(p->told, arg->opcode, 0, arg->msg, arg->msg_length);
        return;
    }
    if (arg->msg_length == 1) { /* which wslay reports, and answers without a code */
        p->told->odd = true;
        return;
    }
    size_t code = arg->msg_length != 0 ? 2 : 0;
    const uint8_t *reason = code != 0 ? arg->msg + code : arg->msg;
    tell(p->told, 8, code != 0 ? arg->status_code : 1005, reason, arg->msg_length - code);
    p->told->closed = true;
}

static void run_wslay(weir_ws_role role, weir_str stream, told *t)
{
    struct wslay_event_callbacks callbacks;
    wslay_event_context_ptr ctx;
    peer p = {stream, t};
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.recv_callback = peer_read;
    callbacks.send_callback = peer_write;
    callbacks.genmask_callback = peer_key;
    callbacks.on_msg_recv_callback = peer_message;
    FUZZ_REQUIRE((role == WEIR_WS_SERVER ? wslay_event_context_server_init
                                         : wslay_event_context_client_init)(&ctx, &callbacks, &p) == 0);
    wslay_event_config_set_max_recv_msg_length(ctx, MESSAGE_MOST);
    int rv = wslay_event_recv(ctx);
    while (wslay_event_want_write(ctx))
        FUZZ_REQUIRE(wslay_event_send(ctx) == 0);
    t->fault = !t->closed && (rv != 0 || wslay_event_get_close_sent(ctx));
    if (t->fault && rv == 0 && !t->odd)
        t->close_code = wslay_event_get_status_code_sent(ctx);
    wslay_event_context_free(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static told ours, theirs;
    fuzz_input input = {data, size};
    weir_ws_role role = (fuzz_byte(&input) & 1) != 0 ? WEIR_WS_SERVER : WEIR_WS_CLIENT;
    uint8_t *bytes = fuzz_memory(input.left + ZEROS);
    weir_str stream = {bytes, input.left + ZEROS};
    memcpy(bytes, input.at, input.left);
    memset(bytes + input.left, 0, ZEROS);
    memset(&ours, 0, offsetof(told, bytes));
    memset(&theirs, 0, offsetof(told, bytes));
    if (stream.len <= MESSAGE_MOST) {
        run_weir(role, stream, &ours);
        run_wslay(role, stream, &theirs);
    }
    free(bytes);
    if (ours.newer)
        return 0;
    FUZZ_REQUIRE(ours.count == theirs.count && ours.digest.hash == theirs.digest.hash);
    /* A payload may have swallowed the zeros, and left less than a header of them. */
    bool early = ours.fault && !theirs.fault && ours.fault_at + WEIR_WS_HEADER_MAX > stream.len;
    FUZZ_REQUIRE(ours.closed == theirs.closed && (early || ours.fault == theirs.fault));
    FUZZ_REQUIRE(ours.odd || theirs.close_code == 0 || ours.close_code == theirs.close_code);
    return 0;
}
