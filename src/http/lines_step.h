/* SPDX-License-Identifier: MIT */
/*
 * lines_step.h - floor 2: field lines, 64 bytes a step.
 *
 * A step gets two words with a bit for each byte, which vectors have made: what may not stand in a name,
 * and what may not stand in a value. In a line's bits the first of the former is its colon, the first of
 * the latter its CR, or else the line is malformed:
 *
 *     bytes      H o s t : SP a CR LF X : b CR LF          (bit 0 is the first)
 *     not_name   . . . . 1  1 .  1  1 . 1 .  1  1
 *     not_value  . . . . .  . .  1  1 . . .  1  1
 *
 * Then the line's bits are cleared. So no byte is looked at twice but these two and LF.
 */
#ifndef WEIRI_LINES_STEP_H
#define WEIRI_LINES_STEP_H

#include "lines.h"

/* What a byte is: what the entry of its low half and that of its high half have in common. One of five bits
 * for rows of tokens (0x60..0x6F is what rows 0x40 and 0x50 allow together), one of three for what may not
 * stand in a value. Bytes from 0x80 on have none. */
enum {
    ROW_2 = 1 << 0,
    ROW_3 = 1 << 1,
    ROW_4 = 1 << 2,
    ROW_5 = 1 << 3,
    ROW_7 = 1 << 4,
    TOKEN = ROW_2 | ROW_3 | ROW_4 | ROW_5 | ROW_7,
    CONTROL_0 = 1 << 5, /* 0x00..0x0F but HTAB */
    CONTROL_1 = 1 << 6, /* 0x10..0x1F */
    DELETE = 1 << 7,    /* 0x7F */
    CONTROL = CONTROL_0 | CONTROL_1,
    STOP = CONTROL | DELETE
};

static const uint8_t lines_low[16] = {
    /* 0 */ ROW_3 | ROW_5 | ROW_7 | CONTROL,
    /* 1 */ TOKEN | CONTROL,
    /* 2 */ ROW_3 | ROW_4 | ROW_5 | ROW_7 | CONTROL,
    /* 3 */ TOKEN | CONTROL,
    /* 4 */ TOKEN | CONTROL,
    /* 5 */ TOKEN | CONTROL,
    /* 6 */ TOKEN | CONTROL,
    /* 7 */ TOKEN | CONTROL,
    /* 8 */ ROW_3 | ROW_4 | ROW_5 | ROW_7 | CONTROL,
    /* 9 */ ROW_3 | ROW_4 | ROW_5 | ROW_7 | CONTROL_1,
    /* A */ ROW_2 | ROW_4 | ROW_5 | ROW_7 | CONTROL,
    /* B */ ROW_2 | ROW_4 | CONTROL,
    /* C */ ROW_4 | ROW_7 | CONTROL,
    /* D */ ROW_2 | ROW_4 | CONTROL,
    /* E */ ROW_2 | ROW_4 | ROW_5 | ROW_7 | CONTROL,
    /* F */ ROW_4 | ROW_5 | CONTROL | DELETE,
};

static const uint8_t lines_high[16] = {
    CONTROL_0, CONTROL_1, ROW_2, ROW_3, ROW_4, ROW_5, ROW_4 | ROW_5, ROW_7 | DELETE, 0, 0, 0, 0, 0, 0, 0, 0,
};

/* Bit i says what byte i is. */
typedef struct lines_bits {
    uint64_t not_name; /* may not stand in a name; all that may not stand in a value are among these */
    uint64_t not_value;
} lines_bits;

#define LINES_NO_COLON SIZE_MAX

/* Takes the lines that end in a step of bytes from `at` on. *colon is that of the line under way, once it was
 * seen, and is carried from step to step. Returns false in front of a line that is malformed. */
static WEIRI_FAST bool lines_step(weiri_lines *walk, size_t *colon, size_t at, lines_bits bits)
{
    /* The line before ends with this step's first byte, its LF, at most. */
    uint64_t unread = ~(uint64_t)0 << (walk->at > at ? 1 : 0);
    bits.not_name &= unread;
    bits.not_value &= unread;
    while (bits.not_value != 0) {
        unsigned bit = (unsigned)__builtin_ctzll(bits.not_value);
        size_t end = at + bit;
        if (*colon == LINES_NO_COLON)
            *colon = at + (unsigned)__builtin_ctzll(bits.not_name);
        if (!weiri_lines_put(walk, *colon, end))
            return false;
        *colon = LINES_NO_COLON;
        unread = ~(uint64_t)3 << bit; /* from behind CR LF on, which may be in the next step */
        bits.not_name &= unread;
        bits.not_value &= unread;
    }
    if (*colon == LINES_NO_COLON && bits.not_name != 0)
        *colon = at + (unsigned)__builtin_ctzll(bits.not_name);
    return true;
}

#endif
