/* SPDX-License-Identifier: MIT */
/* source_script.c - an event source led by the hand: set up, fed, ended. */
#include "source_script.h"

#include "check.h"

uint8_t source_storage[WEIR_SSE_SOURCE_STORAGE(1024)];

weir_sse_source_cfg source_cfg(const char *url)
{
    weir_sse_source_cfg cfg;
    weir_sse_source_cfg_init(&cfg);
    cfg.url = weir_cstr(url);
    return cfg;
}

void source_start(weir_sse_source *s, const weir_sse_source_cfg *cfg, uint64_t now)
{
    memset(s, 0xDD, sizeof *s);
    memset(source_storage, 0xDD, sizeof source_storage);
    assert_int_equal(weir_sse_source_init(s, source_storage, sizeof source_storage, cfg), 0);
    assert_int_equal(weir_sse_source_poll(s, now), WEIR_SSE_CONNECT);
}

uint32_t source_give(weir_sse_source *s, const char *text, size_t step, uint64_t now)
{
    uint8_t bytes[1024];
    weir_sse_item item;
    uint32_t kinds = 0;
    size_t len = strlen(text);
    assert_true(len <= sizeof bytes);
    memcpy(bytes, text, len); /* NOLINT(bugprone-not-null-terminated-result) */
    for (size_t at = 0; at < len; at += step) {
        weir_in in = {bytes + at, len - at < step ? len - at : step};
        int rv;
        while ((rv = weir_sse_source_next(s, &in, now, &item)) > 0)
            kinds |= UINT32_C(1) << rv;
        assert_int_equal(rv, 0);
        assert_int_equal(in.len, 0);
    }
    return kinds;
}

uint32_t source_end(weir_sse_source *s, uint64_t now)
{
    weir_sse_item item;
    uint32_t kinds = 0;
    int rv;
    while ((rv = weir_sse_source_eof(s, now, &item)) > 0)
        kinds |= UINT32_C(1) << rv;
    assert_int_equal(rv, 0);
    return kinds;
}
