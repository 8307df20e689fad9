/* SPDX-License-Identifier: MIT */
/* ws_side.c - a connection, the frames it hears and the frames it says, one at a time. */
#include "ws_side.h"

#include "check.h"

static int side_fill(void *user, uint8_t *dst, size_t len)
{
    side *s = user;
    for (size_t i = 0; i < len && !s->broken; i++)
        dst[i] = (uint8_t)(++s->keys * 59u + 1u);
    return s->broken ? -1 : 0;
}

void side_init_flags(side *s, bool client, uint32_t flags)
{
    weir_ws_cfg cfg;
    memset(s, 0xDD, sizeof *s);
    s->keys = 0;
    s->broken = false;
    s->client = client;
    s->len = s->read = 0;
    assert_int_equal(weir_entropy_init(&s->entropy, side_fill, s), 0);
    weir_ws_cfg_init(&cfg, client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.entropy = &s->entropy;
    cfg.flags = flags;
    assert_int_equal(weir_ws_init(&s->ws, &cfg), 0);
}

void side_init(side *s, bool client)
{
    side_init_flags(s, client, 0);
}

weir_str bytes_of(const void *ptr, size_t len)
{
    return (weir_str){ptr, len};
}

/* Hands the connection a control frame from its peer. Returns what weir_ws_next said. */
int side_hear(side *s, uint8_t first, const void *payload, size_t len)
{
    uint8_t bytes[2 + 4 + 125];
    size_t key = s->client ? 0 : 4;
    weir_ws_event ev;
    bytes[0] = first;
    bytes[1] = (uint8_t)((s->client ? 0 : 0x80) | len);
    memset(bytes + 2, 0, key);
    if (len != 0)
        memcpy(bytes + 2 + key, payload, len);
    weir_in in = {bytes, 2 + key + len};
    memset(&ev, 0xDD, sizeof ev);
    int rv = weir_ws_next(&s->ws, &in, &ev);
    if (rv > 0 && rv != WEIR_WS_CLOSE) /* what the kind does not have is 0 */
        assert_true((rv == WEIR_WS_DATA || ev.flags == 0) && ev.code == 0);
    memset(bytes, 0xDD, sizeof bytes);
    return rv;
}

void side_take(side *s, size_t n)
{
    weir_str out = weir_ws_out(&s->ws);
    n = n < out.len ? n : out.len;
    assert_true(s->len + n <= sizeof s->wire);
    memcpy(s->wire + s->len, out.ptr, n);
    s->len += n;
    weir_ws_out_ack(&s->ws, n);
}

void side_take_all(side *s)
{
    while (weir_ws_out(&s->ws).len != 0)
        side_take(s, SIZE_MAX);
}

/* The next whole frame from the wire, without its mask. False at the end of the wire. */
bool side_frame(side *s, frame *f)
{
    if (s->read == s->len)
        return false;
    const uint8_t *at = s->wire + s->read;
    size_t left = s->len - s->read;
    size_t key = s->client ? 4 : 0;
    assert_true(left >= 2);
    assert_int_equal(at[1] >> 7, s->client);
    size_t head = 2;
    f->first = at[0];
    f->len = at[1] & 0x7F;
    if (f->len == 126) {
        f->len = (size_t)at[2] << 8 | at[3];
        head = 4;
    }
    assert_true(f->len <= sizeof f->payload && left >= head + key + f->len);
    for (size_t i = 0; i < f->len; i++)
        f->payload[i] = (uint8_t)(at[head + key + i] ^ (key != 0 ? at[head + i % 4] : 0));
    s->read += head + key + f->len;
    return true;
}

void expect_frame(side *s, uint8_t first, const void *payload, size_t len)
{
    frame f;
    assert_true(side_frame(s, &f));
    assert_int_equal(f.first, first);
    assert_int_equal(f.len, len);
    if (len != 0)
        assert_memory_equal(f.payload, payload, len);
}

void expect_no_frame(side *s)
{
    frame f;
    assert_false(side_frame(s, &f));
}
