/* SPDX-License-Identifier: MIT */
/* growth.h - machines that write, fed by their own program. */
#ifndef WEIR_GROWTH_H
#define WEIR_GROWTH_H

#include "bounded.h"

/* Writes `len` bytes of payload in all, in calls of at most `most` bytes. */
typedef struct writer {
    const char *name;
    void (*start)(size_t len, size_t most);
    void (*write)(size_t len, size_t most);
} writer;

extern const writer writers[]; /* ends with a name of NULL */

/* Memory and contexts for a writer, and their end. */
void writer_start(const writer *w, size_t len, size_t most);
void writer_end(void);

#endif
