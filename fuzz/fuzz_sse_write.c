/* SPDX-License-Identifier: MIT */
/* fuzz_sse.c - the event-stream writer: exact size, nothing smuggled in, refusals without traces. */
#include "fuzz.h"

static bool has_line_end(weir_str str)
{
    for (size_t i = 0; i < str.len; i++)
        if (str.ptr[i] == '\r' || str.ptr[i] == '\n')
            return true;
    return false;
}

/* Every line of the block must be one of the fields that were asked for, and only the last is empty. */
static void check_block(const weir_sse_event *ev, weir_str block)
{
    size_t begin = 0;
    for (size_t i = 0; i < block.len; i++) {
        FUZZ_REQUIRE(block.ptr[i] != '\r');
        if (block.ptr[i] != '\n')
            continue;
        weir_str line = {block.ptr + begin, i - begin};
        bool data = line.len >= 6 && memcmp(line.ptr, "data: ", 6) == 0 && ev->data.ptr != NULL;
        bool type = line.len >= 7 && memcmp(line.ptr, "event: ", 7) == 0 && ev->type.ptr != NULL;
        bool id = line.len >= 4 && memcmp(line.ptr, "id: ", 4) == 0 && ev->id.ptr != NULL;
        bool retry = line.len >= 7 && memcmp(line.ptr, "retry: ", 7) == 0 && ev->has_retry;
        FUZZ_REQUIRE(data || type || id || retry || (line.len == 0 && i + 1 == block.len));
        begin = i + 1;
    }
    FUZZ_REQUIRE(begin == block.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    size_t a = data[1] % (size - 3), b = data[2] % (size - 3);
    size_t first = a < b ? a : b, second = a < b ? b : a;
    const uint8_t *text = data + 3;
    weir_sse_event ev;
    memset(&ev, 0, sizeof ev);
    if ((data[0] & 1) != 0)
        ev.type = (weir_str){text, first};
    if ((data[0] & 2) != 0)
        ev.id = (weir_str){text + first, second - first};
    if ((data[0] & 4) != 0)
        ev.data = (weir_str){text + second, size - 3 - second};
    ev.has_retry = (data[0] & 8) != 0;
    ev.retry_ms = (uint64_t)data[1] << (data[2] & 63);

    size_t need;
    int rv = weir_sse_event_size(&ev, &need);
    FUZZ_REQUIRE(rv <= 0 &&
                 (rv == 0) == (!has_line_end(ev.type) && !has_line_end(ev.id) &&
                               memchr(text + first, 0, ev.id.len) == NULL && weir_utf8_valid(ev.type) &&
                               weir_utf8_valid(ev.id) && weir_utf8_valid(ev.data)));
    uint8_t *bytes = malloc(need + 1);
    FUZZ_REQUIRE(bytes != NULL);
    weir_out out = {bytes, need};
    FUZZ_REQUIRE(weir_sse_event_write(&out, &ev) == rv);
    if (rv == 0) {
        FUZZ_REQUIRE(out.len == 0);
        check_block(&ev, (weir_str){bytes, need});
        weir_out small = {bytes, need != 0 ? need - 1 : 0};
        FUZZ_REQUIRE(weir_sse_event_write(&small, &ev) == (need != 0 ? WEIR_ERR_SPACE : 0));
    }
    free(bytes);
    return 0;
}
