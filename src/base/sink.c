/* SPDX-License-Identifier: MIT */
/* sink.c - floor 1: numbers for sinks. */
#include "sink.h"

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
