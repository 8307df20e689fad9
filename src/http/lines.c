/* SPDX-License-Identifier: MIT */
/* lines.c - floor 2: field lines (RFC 9112 5) that lie whole in memory, as a list of fields. */
#include "lines.h"

#include "base/find.h"

/* The line in front; false if it is none. */
static bool lines_one(weiri_lines *walk)
{
    const uint8_t *bytes = walk->bytes;
    size_t colon = walk->at + weiri_run(bytes + walk->at, walk->len - walk->at, WEIRI_TOKEN);
    size_t end = colon + weiri_value_len(bytes + colon, walk->len - colon);
    return weiri_lines_put(walk, colon, end);
}

/* As many as the processor's vectors take. */
static void lines_many(weiri_lines *walk)
{
#if defined(WEIRI_AVX512)
    if (weiri_has_avx512()) {
        weiri_lines_avx512(walk);
        return;
    }
#endif
#if defined(WEIRI_AVX2)
    if (weiri_has_avx2())
        weiri_lines_avx2(walk);
#endif
    (void)walk;
}

void weiri_lines_take(weiri_lines *walk)
{
    bool more = true;
    while (more && walk->count < walk->cap) {
        if (walk->cap - walk->count >= WEIRI_LINES_STEP)
            lines_many(walk);
        more = walk->at < walk->len && walk->bytes[walk->at] != '\r' && lines_one(walk);
    }
}
