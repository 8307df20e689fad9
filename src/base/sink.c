/* SPDX-License-Identifier: MIT */
/* sink.c - floor 1: room and numbers for sinks. */
#include "sink.h"

int weiri_sink_claim(weir_out *out, size_t need, weiri_sink *sink)
{
    *sink = (weiri_sink){out->ptr, 0};
    if (need > out->len)
        return WEIR_ERR_SPACE;
    *out = (weir_out){out->ptr + need, out->len - need};
    return 0;
}

void weiri_sink_number(weiri_sink *sink, uint64_t number, unsigned base)
{
    uint8_t digits[20]; /* UINT64_MAX has 20 decimal digits */
    size_t first = sizeof digits;
    do {
        digits[--first] = (uint8_t) "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    weiri_sink_put(sink, (weir_str){digits + first, sizeof digits - first});
}
