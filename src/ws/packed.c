/* SPDX-License-Identifier: MIT */
/*
 * packed.c - floor 3: compressed messages, received and sent (RFC 7692 6 and 7.2).
 *
 * Receiving. The input's part of a frame is unmasked in place and inflated into the scratch, at most one
 * scratch full a call; what was unmasked but not taken by the inflater yet (`ready_`, in front of the
 * input) is not unmasked again. A frame is over when its payload is taken and the inflater has no more to
 * give; the message is over when its last frame is and the data stopped at a block's border. A message cut
 * inside a block would inflate to garbage with the tail that senders leave out, so it is refused there.
 *
 * That the cut does not matter needs care, since an inflater takes input in its own pace. Bytes reported
 * before a fault are those in front of it, whatever the pieces; limits stop at an exact byte; the ratio is
 * judged by the payload announced, not by the payload taken; and the position of a fault is its frame's
 * first payload byte.
 *
 * Sending. A frame's payload is compressed to a byte border, which ends in 00 00 FF FF; in the message's
 * last frame these four bytes are left out. When there is nothing to compress the flush yields nothing
 * either, and an empty stored block stands for it: its header is 00.
 */
#include "ws.h"

#include "base/mask.h"
#include "base/utf8.h"

#include <string.h>

void weir_deflate_memory(const weir_deflate_cfg *cfg, size_t *inflate_len, size_t *deflate_len)
{
    bool server = cfg->role == WEIR_WS_SERVER;
    unsigned ours = server ? cfg->params.server_bits : cfg->params.client_bits;
    unsigned theirs = server ? cfg->params.client_bits : cfg->params.server_bits;
    *inflate_len = cfg->backend->inflate_size(theirs);
    *deflate_len = cfg->backend->deflate_size(ours < 9 ? 9 : ours, cfg->mem_level != 0 ? cfg->mem_level : 8);
}

static bool packed_cfg_valid(const weir_deflate_cfg *cfg)
{
    return cfg->backend != NULL && (cfg->role == WEIR_WS_SERVER || cfg->role == WEIR_WS_CLIENT) &&
           cfg->params.server_bits >= 8 && cfg->params.server_bits <= 15 && cfg->params.client_bits >= 8 &&
           cfg->params.client_bits <= 15 && cfg->inflate_mem != NULL && cfg->scratch != NULL &&
           cfg->scratch_len >= 256 && cfg->mem_level <= 9 && cfg->level >= 0 && cfg->level <= 9;
}

int weir_deflate_init_(weir_deflate *deflate, uint32_t layout, const weir_deflate_cfg *cfg)
{
    if (layout != WEIR_LAYOUT_OF(*deflate))
        return WEIR_ERR_LAYOUT;
    if (!packed_cfg_valid(cfg))
        return WEIR_ERR_ARG;
    bool server = cfg->role == WEIR_WS_SERVER;
    const weir_deflate_params *params = &cfg->params;
    unsigned ours = server ? params->server_bits : params->client_bits;
    unsigned theirs = server ? params->client_bits : params->server_bits;
    memset(deflate, 0, sizeof *deflate);
    deflate->backend_ = cfg->backend;
    deflate->inflater_ = cfg->inflate_mem;
    deflate->scratch_ = cfg->scratch;
    deflate->scratch_len_ = cfg->scratch_len;
    deflate->threshold_ = cfg->threshold;
    deflate->max_ratio_ = cfg->max_ratio;
    deflate->rx_forget_ = server ? params->client_no_takeover : params->server_no_takeover;
    deflate->tx_bits_ = (uint8_t)ours;
    deflate->tx_forget_ = server ? params->server_no_takeover : params->client_no_takeover;
    if (cfg->backend->inflate_init(cfg->inflate_mem, cfg->inflate_len, theirs) != 0)
        return WEIR_ERR_SPACE;
    if (cfg->deflate_mem == NULL || ours < 9)
        return 0;
    deflate->deflater_ = cfg->deflate_mem;
    return cfg->backend->deflate_init(cfg->deflate_mem, cfg->deflate_len, ours,
                                      cfg->mem_level != 0 ? cfg->mem_level : 8,
                                      cfg->level != 0 ? cfg->level : 6) == 0
               ? 0
               : WEIR_ERR_SPACE;
}

void weiri_ws_packed_begin(weir_ws *ws, uint64_t frame_len, bool first)
{
    weir_deflate *deflate = ws->deflate_;
    deflate->packed_ = (first ? 0 : deflate->packed_) + frame_len;
    deflate->frame_len_ = frame_len;
    deflate->ready_ = 0;
}

void weiri_ws_packed_fault(weir_ws *ws, int err)
{
    if (ws->err_due_ == 0)
        ws->offset_ -= ws->deflate_->frame_len_ - ws->rx_left_;
    ws->err_due_ = (int16_t)err;
}

/* How many bytes the message may still grow by, and what it is refused with beyond them. */
static uint64_t packed_room(const weir_ws *ws, int *err)
{
    const weir_deflate *deflate = ws->deflate_;
    uint64_t most = ws->max_message_;
    *err = WEIR_ERR_WS_MESSAGE_SIZE;
    if (deflate->max_ratio_ != 0 && deflate->packed_ <= UINT64_MAX / deflate->max_ratio_ &&
        deflate->packed_ * deflate->max_ratio_ < most) {
        most = deflate->packed_ * deflate->max_ratio_;
        *err = WEIR_ERR_WS_RATIO;
    }
    return most > ws->rx_message_ ? most - ws->rx_message_ : 0;
}

/* Inflates what the input holds of the frame into the scratch. Returns what came out; *drained says that
 * the inflater has nothing more to give for this input. One byte more than allowed is asked for, to know
 * whether there is one. */
static weir_str packed_inflate(weir_ws *ws, weir_in *in, uint64_t allowed, bool *drained)
{
    weir_deflate *deflate = ws->deflate_;
    size_t n = in->len < ws->rx_left_ ? in->len : (size_t)ws->rx_left_;
    if (!weiri_ws_has(ws, WEIRI_WS_IS_CLIENT) && n > deflate->ready_) {
        size_t fresh = n - deflate->ready_;
        (void)weiri_mask(in->ptr + deflate->ready_, in->ptr + deflate->ready_, fresh,
                         weiri_mask_word(ws->rx_key_, 0));
        weiri_ws_turn_key(ws->rx_key_, fresh);
    }
    size_t room = allowed < deflate->scratch_len_ ? (size_t)allowed + 1 : deflate->scratch_len_;
    weir_str packed = {in->ptr, n};
    weir_out out = {deflate->scratch_, room};
    if (deflate->backend_->inflate(deflate->inflater_, &packed, &out) != 0)
        weiri_ws_packed_fault(ws, WEIR_ERR_WS_DEFLATE);
    size_t taken = n - packed.len;
    deflate->ready_ = n > deflate->ready_ ? packed.len : deflate->ready_ - taken;
    if (taken != 0) {
        in->ptr += taken;
        in->len -= taken;
        ws->rx_left_ -= taken;
    }
    if (ws->err_due_ == 0)
        ws->offset_ += taken;
    *drained = out.len != 0;
    return (weir_str){deflate->scratch_, room - out.len};
}

weir_str weiri_ws_packed_take(weir_ws *ws, weir_in *in, bool *over)
{
    int beyond;
    bool drained;
    uint64_t allowed = packed_room(ws, &beyond);
    weir_str piece = packed_inflate(ws, in, allowed, &drained);
    if (piece.len > allowed) {
        piece.len = (size_t)allowed;
        weiri_ws_packed_fault(ws, beyond);
    }
    ws->rx_message_ += piece.len;
    *over = ws->rx_left_ == 0 && drained;
    return piece;
}

bool weiri_ws_packed_end(weir_ws *ws)
{
    const weir_deflate *deflate = ws->deflate_;
    if (deflate->backend_->inflate_end(deflate->inflater_) != 0)
        return false;
    if (deflate->rx_forget_)
        deflate->backend_->inflate_reset(deflate->inflater_);
    return true;
}

bool weiri_ws_packed_wanted(const weir_ws *ws, uint32_t flags, size_t len)
{
    const weir_deflate *deflate = ws->deflate_;
    if ((flags & WEIR_WS_FIRST) == 0)
        return weiri_ws_has(ws, WEIRI_WS_TX_PACKED);
    return (flags & WEIR_WS_DEFLATE) != 0 && deflate != NULL && deflate->deflater_ != NULL &&
           ((flags & WEIR_WS_LAST) == 0 || len >= deflate->threshold_);
}

size_t weiri_ws_packed_bound(const weir_ws *ws, size_t len)
{
    return ws->deflate_->backend_->deflate_bound(ws->deflate_->deflater_, len);
}

int weiri_packed_put(const weir_deflate_backend *backend, void *mem, weir_str data, bool last, weir_out *out)
{
    static const uint8_t empty_block[] = {0x00};
    size_t before = out->len;
    if (backend->deflate(mem, data, out) != 0)
        return WEIR_ERR_STATE;
    if (last && before - out->len >= 4) {
        out->ptr -= 4;
        out->len += 4;
    } else if (last) {
        (void)weir_out_put(out, (weir_str){empty_block, 1});
    }
    return 0;
}

int weiri_ws_packed_put(weir_ws *ws, weir_str data, bool last, weir_out *out)
{
    weir_deflate *deflate = ws->deflate_;
    deflate->tx_used_ = true;
    int rv = weiri_packed_put(deflate->backend_, deflate->deflater_, data, last, out);
    if (rv == 0 && last && deflate->tx_forget_)
        weiri_ws_packed_forget(deflate);
    return rv;
}

void weiri_ws_packed_forget(weir_deflate *deflate)
{
    if (deflate->tx_used_)
        deflate->backend_->deflate_reset(deflate->deflater_);
    deflate->tx_used_ = false;
}
