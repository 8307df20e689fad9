/* SPDX-License-Identifier: MIT */
/* lines.c - floor 1: field lines (RFC 9112 5) that lie whole in memory. */
#include "lines.h"

#include "find.h"

/* One line that begins at `at`; false if it is none. */
static bool field_line_take(const uint8_t *bytes, size_t len, size_t at, weiri_line *line)
{
    size_t colon = at;
    while (colon < len && weiri_is(bytes[colon], WEIRI_TOKEN))
        colon++;
    if (colon == at || colon == len || bytes[colon] != ':')
        return false;
    size_t end = colon + 1 + weiri_value_len(bytes + colon + 1, len - colon - 1);
    *line = (weiri_line){at, colon, end};
    return len - end >= 2 && bytes[end] == '\r' && bytes[end + 1] == '\n';
}

size_t weiri_lines(const uint8_t *bytes, size_t len, weiri_line *lines, size_t cap)
{
    size_t count = 0;
    size_t at = 0;
    while (count < cap) {
#if defined(WEIRI_AVX2)
        if (weiri_has_avx2()) {
            count += weiri_lines_avx2(bytes, len, at, lines + count, cap - count);
            if (count == cap)
                break;
            at = count != 0 ? lines[count - 1].end + 2 : 0;
        }
#endif
        if (!field_line_take(bytes, len, at, &lines[count]))
            break;
        at = lines[count++].end + 2;
    }
    return count;
}
