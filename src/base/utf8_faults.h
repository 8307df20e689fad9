/* SPDX-License-Identifier: MIT */
/*
 * utf8_faults.h - floor 1: tables for the validation of UTF-8, a vector a step (after Keiser and Lemire,
 * "Validating UTF-8 in less than one instruction per byte", 2021).
 *
 * Every fault shows in two neighbouring bytes, but for missing third and fourth bytes. Three tables give,
 * for the high and the low half of the first byte and the high half of the second, the faults that each
 * allows; a fault is one that all three allow. TWO_CONTS is set for two continuation bytes in a row, which
 * is right exactly where the byte two or three places before begins a character of three or four bytes.
 *
 * A fault shows at the later byte, so a character that is cut at the end is none, and neither is a byte there
 * that begins no character (C0, C1, F5..FF): whoever goes on from the end looks at its last bytes again.
 */
#ifndef WEIRI_UTF8_FAULTS_H
#define WEIRI_UTF8_FAULTS_H

#include "simd.h"

#include <stdint.h>

/* Included without conditions, as the library in one file has each header only where it is first included. */
#if defined(WEIRI_AVX2) || defined(WEIRI_NEON)

enum {
    TOO_SHORT = 1 << 0,  /* a first byte, then no continuation byte */
    TOO_LONG = 1 << 1,   /* ASCII, then a continuation byte */
    OVERLONG_3 = 1 << 2, /* E0 80..9F */
    TOO_LARGE = 1 << 3,  /* F4 90..BF, F5..FF 90..BF */
    SURROGATE = 1 << 4,  /* ED A0..BF */
    OVERLONG_2 = 1 << 5, /* C0, C1 */
    OVERLONG_4 = 1 << 6, /* F0 80..8F; F5..FF 80..8F are too large */
    TWO_CONTS = 1 << 7,
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTS, /* what the low half says nothing about */
    ABOVE_F4 = ANY_LOW | TOO_LARGE | OVERLONG_4,
    ANY_CONT = TOO_LONG | OVERLONG_2 | TWO_CONTS
};

/* clang-format off */
static const uint8_t utf8_first_high[16] = {
    TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,   /* 00..7F */
    TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS,                                       /* 80..BF */
    TOO_SHORT | OVERLONG_2,                                                           /* C0..CF */
    TOO_SHORT,                                                                        /* D0..DF */
    TOO_SHORT | OVERLONG_3 | SURROGATE,                                               /* E0..EF */
    TOO_SHORT | TOO_LARGE | OVERLONG_4};                                              /* F0..FF */

static const uint8_t utf8_first_low[16] = {
    ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,                                   /* C0, E0, F0 */
    ANY_LOW | OVERLONG_2,                                                             /* C1 */
    ANY_LOW, ANY_LOW,
    ANY_LOW | TOO_LARGE,                                                              /* F4 */
    ABOVE_F4, ABOVE_F4, ABOVE_F4, ABOVE_F4, ABOVE_F4, ABOVE_F4, ABOVE_F4, ABOVE_F4,
    ABOVE_F4 | SURROGATE,                                                             /* ED */
    ABOVE_F4, ABOVE_F4};

static const uint8_t utf8_second_high[16] = {
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    ANY_CONT | OVERLONG_3 | OVERLONG_4,                                               /* 80..8F */
    ANY_CONT | OVERLONG_3 | TOO_LARGE,                                                /* 90..9F */
    ANY_CONT | SURROGATE | TOO_LARGE, ANY_CONT | SURROGATE | TOO_LARGE,               /* A0..BF */
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT};
/* clang-format on */

/* What is taken from the bytes two and three places before: the rest has its high bit set only for E0 and
 * above, or for F0 and above. */
enum { UTF8_BELOW_THREE = 0xE0 - 0x80, UTF8_BELOW_FOUR = 0xF0 - 0x80 };

#endif
#endif
