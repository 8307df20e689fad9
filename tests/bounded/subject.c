/* SPDX-License-Identifier: MIT */
/* subject.c - a machine at work: its memory, its calls, its marks. */
#include "bounded.h"

uint8_t *subject_area(subject *s, const char *name, size_t len)
{
    if (s->area_count == AREAS_MAX)
        bounded_fail("%s: too many areas", s->machine->name);
    area *a = &s->areas[s->area_count++];
    if (a->ptr == NULL)
        *a = area_new(name, len, s->paint);
    else
        area_paint(a, s->paint);
    return a->ptr;
}

void subject_mark(subject *s, const char *what, uint64_t documented, uint64_t measured)
{
    mark *m = s->marks;
    while (m != s->marks + s->mark_count && m->what != what)
        m++;
    if (m == s->marks + s->mark_count) {
        if (++s->mark_count > MARKS_MAX)
            bounded_fail("%s: too many marks", s->machine->name);
        *m = (mark){what, documented, 0, ""};
    }
    if (measured > m->measured) {
        m->measured = measured;
        m->by = s->stream;
    }
}

void subject_start(subject *s)
{
    s->area_count = 0;
    s->calls = s->delivered = s->extra = s->state = 0;
    s->err = 0;
    s->machine->start(s);
}

void subject_feed(subject *s, uint8_t *bytes, size_t len)
{
    weir_in in = {bytes, len};
    uint64_t calls = 0;
    int rv;
    s->extra = 0;
    do {
        if (s->err != 0)
            return;
        const weir_in before = in;
        rv = s->machine->step(s, &in);
        calls++;
        if (in.ptr + in.len != bytes + len || in.len > before.len)
            bounded_fail("%s, %s: the cursor went astray", s->machine->name, s->stream);
        /* Whoever reports without end, without taking anything, is found here. */
        if (calls > len + 1 + s->extra)
            bounded_fail("%s, %s: %llu calls for an input of %zu bytes", s->machine->name, s->stream,
                         (unsigned long long)calls, len);
    } while (rv > 0);
    if (rv == 0 && in.len != 0)
        bounded_fail("%s, %s: asks for more but left %zu bytes", s->machine->name, s->stream, in.len);
    s->err = rv;
    s->calls += calls;
    subject_mark(s, "calls beyond one a byte, in one input", 1,
                 calls > len + s->extra ? calls - len - s->extra : 0);
}

void subject_finish(subject *s)
{
    if (s->machine->finish != NULL)
        s->machine->finish(s);
    for (size_t i = 0; i < s->area_count; i++) {
        area *a = &s->areas[i];
        if (!area_front_clean(a))
            bounded_fail("%s, %s: wrote in front of its %s", s->machine->name, s->stream, a->name);
        subject_mark(s, a->name, a->len, area_used(a));
    }
}

void subject_free(subject *s)
{
    for (size_t i = 0; i < s->area_count; i++)
        area_free(&s->areas[i]);
    s->area_count = 0;
}
