/* SPDX-License-Identifier: MIT */
/* parse.h - floor 3: what the files of the parser of event streams share; parse.c explains it. */
#ifndef WEIRI_SSE_PARSE_H
#define WEIRI_SSE_PARSE_H

#include "weir/sse.h"

enum { LINE_BOM, LINE_BEGIN, LINE_NAME, LINE_SPACE, LINE_VALUE };
enum { FIELD_OTHER, FIELD_DATA, FIELD_EVENT, FIELD_ID, FIELD_RETRY, FIELD_COMMENT };

/* Bits of state_. */
#define HAS_DATA 0x0001u    /* the block has a data line, perhaps an empty one */
#define HIGH 0x0002u        /* a byte of the data is not ASCII */
#define BAD 0x0004u         /* parts: the data is not UTF-8 */
#define TYPE_BAD 0x0008u    /* the type is not */
#define SEPARATOR 0x0010u   /* a data line began behind another: LF is still to be added */
#define PARTED 0x0020u      /* the data goes out in parts */
#define PART_GIVEN 0x0040u  /* one went out */
#define SKIPPING 0x0080u    /* the block went over a limit and is left out */
#define ID_PENDING 0x0100u  /* the block has an id */
#define RETRY_DIGIT 0x0200u /* the value has a digit */
#define RETRY_BAD 0x0400u   /* and something that is none */
#define SKIP_LF 0x0800u     /* a CR was the last byte: an LF behind it belongs to it */
#define ID_SECOND 0x1000u   /* the last event ID is in the second place */
#define ID_BAD 0x2000u      /* the last event ID is not UTF-8 */
#define NEXT_ID_BAD 0x4000u /* the block's id is not */
#define ENDED 0x8000u

#define BLOCK \
    (HAS_DATA | HIGH | BAD | TYPE_BAD | SEPARATOR | PARTED | PART_GIVEN | SKIPPING | ID_PENDING | NEXT_ID_BAD)

/* The input under way. (`held` and its length are not neighbours: compilers load neighbours as one, which
 * stalls behind two stores.) */
typedef struct weiri_sse_walk {
    uint8_t *at;
    uint8_t *held; /* data of the block in this input, or NULL */
    uint8_t *end;
    uint8_t *stop; /* end of the line, if `scanned` */
    size_t held_len;
    bool scanned;
    bool high; /* a byte of it is not ASCII, if line_scan looked */
} weiri_sse_walk;

/* What nearly all lines begin with. */
static const uint8_t weiri_sse_data[] = {'d', 'a', 't', 'a', ':'};

/* The type of an event whose block has none. */
static inline weir_str weiri_sse_message(void)
{
    static const uint8_t message[] = {'m', 'e', 's', 's', 'a', 'g', 'e'};
    return (weir_str){message, sizeof message};
}

/* The areas of the storage. IDs: number 0 is the last event ID, number 1 the block's. */
static inline unsigned weiri_sse_id_place(const weir_sse_parser *p, unsigned which)
{
    return (p->state_ & ID_SECOND ? 1u : 0u) ^ which;
}

static inline uint8_t *weiri_sse_id_area(const weir_sse_parser *p, unsigned which)
{
    return p->storage_ + (size_t)weiri_sse_id_place(p, which) * p->max_id_;
}

static inline weir_str weiri_sse_id(const weir_sse_parser *p, unsigned which)
{
    return (weir_str){weiri_sse_id_area(p, which), p->id_len_[weiri_sse_id_place(p, which)]};
}

static inline uint8_t *weiri_sse_type_area(const weir_sse_parser *p)
{
    return p->storage_ + 2 * (size_t)p->max_id_;
}

static inline uint8_t *weiri_sse_scratch_area(const weir_sse_parser *p)
{
    return weiri_sse_type_area(p) + p->max_type_;
}

static inline uint8_t *weiri_sse_data_area(const weir_sse_parser *p)
{
    return weiri_sse_scratch_area(p) + p->scratch_;
}

/* weir_sse_next without its straight paths. `stop` is the end of the line that begins here, or NULL if that
 * has not been looked for. */
int weiri_sse_parse(weir_sse_parser *p, weir_in *in, weir_sse_item *item, uint8_t *stop);

/* Data that is held goes to the storage; it fits, since max_event has been looked at. */
void weiri_sse_spill(weir_sse_parser *p, weiri_sse_walk *w);

/* Copies a value of *len bytes to one of the areas and makes it UTF-8; it may lie there already. Returns
 * false if it grows over `room`. */
bool weiri_sse_repair(uint8_t *area, size_t room, const uint8_t *bytes, size_t *len);

/* The block is over a limit. Returns the error, or 0 if the block is to be left out instead. */
int weiri_sse_over(weir_sse_parser *p, weiri_sse_walk *w, int err);

/* Takes data up to `stop`, and the LF that is due before it. Stops early with a part. */
int weiri_sse_data_take(weir_sse_parser *p, weiri_sse_walk *w, uint8_t *stop, weir_sse_item *item);

/* Takes the value up to `stop`; returns an item's kind, an error, or 0 when it has reached it. */
int weiri_sse_value_take(weir_sse_parser *p, weiri_sse_walk *w, uint8_t *stop, weir_sse_item *item);

#endif
