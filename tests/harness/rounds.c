/* SPDX-License-Identifier: MIT */
/* rounds.c - the test harness's number of repetitions, fewer where machines are slow. */
#include "harness.h"

#include <stdlib.h>

size_t test_rounds(size_t full)
{
    const char *text = getenv("WEIR_TEST_ROUNDS");
    unsigned long percent = text == NULL ? 100 : strtoul(text, NULL, 10);
    if (percent >= 100)
        return full;
    size_t part = full / 100 * percent;
    return part != 0 ? part : 1;
}
