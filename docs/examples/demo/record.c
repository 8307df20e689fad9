/* SPDX-License-Identifier: MIT */
/* record.c - records by name: those in use, and those that wait for a reader to come back. */
#include "record.h"

#include "../common/entropy.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_ROOM = 16 * 1024, ID_ROOM = RECORD_NAME + 1 + 20 };

static record *in_use;
static record *kept;
static size_t kept_count;
static conn *timer; /* from the first kept one on */

/* ---- The lists ---------------------------------------------------------------------------------- */

static void insert(record *r, record **list)
{
    r->next = *list;
    r->at = list;
    if (r->next != NULL)
        r->next->at = &r->next;
    *list = r;
    kept_count += list == &kept;
}

static void take_out(record *r)
{
    kept_count -= r->until != 0;
    r->until = 0;
    *r->at = r->next;
    if (r->next != NULL)
        r->next->at = r->at;
}

void record_free(record *r)
{
    take_out(r);
    r->gone(r);
    free(r);
}

/* The one that goes first; those that came last are in front. */
static record *oldest(void)
{
    record *r = kept;
    while (r != NULL && r->next != NULL)
        r = r->next;
    return r;
}

static void due(conn *c)
{
    record *r;
    while ((r = oldest()) != NULL && r->until <= loop_now(c->loop))
        record_free(r);
    conn_deadline(c, r != NULL ? r->until : WEIR_NEVER);
}

static void timer_gone(conn *c)
{
    record *r;
    (void)c;
    timer = NULL;
    while ((r = oldest()) != NULL)
        record_free(r);
}

void record_keep(record *r, loop *l)
{
    static const conn_handler waiting = {.due = due, .gone = timer_gone};
    if (timer == NULL)
        timer = loop_timer(l, &waiting, NULL);
    if (timer == NULL) {
        record_free(r);
        return;
    }
    take_out(r);
    r->until = loop_now(l) + RECORD_KEEP_MS;
    insert(r, &kept);
    if (kept_count > RECORD_KEPT_MAX)
        record_free(oldest());
    conn_deadline(timer, oldest()->until);
}

/* ---- One record --------------------------------------------------------------------------------- */

record *record_new(void)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_~";
    uint8_t random[RECORD_NAME];
    record *r = malloc(sizeof *r);
    if (r == NULL || entropy_fill(NULL, random, sizeof random) != 0 ||
        weir_sse_log_init(&r->log, r->memory, sizeof r->memory, NULL) != 0) {
        free(r);
        return NULL;
    }
    for (size_t i = 0; i < RECORD_NAME; i++)
        r->name[i] = letters[random[i] & 63];
    r->over = false;
    r->last = r->until = 0;
    insert(r, &in_use);
    return r;
}

static record *find(record *r, weir_str id)
{
    while (r != NULL && memcmp(r->name, id.ptr, RECORD_NAME) != 0)
        r = r->next;
    return r;
}

record *record_find(weir_str id)
{
    if (id.len <= RECORD_NAME || id.ptr[RECORD_NAME] != '-')
        return NULL;
    record *r = find(in_use, id);
    if (r == NULL && (r = find(kept, id)) != NULL) {
        take_out(r);
        insert(r, &in_use);
    }
    return r;
}

int record_put(record *r, const char *type, weir_str data, uint64_t now)
{
    char id[ID_ROOM];
    size_t at = sizeof id;
    for (uint64_t rest = r->last + 1; rest > 0; rest /= 10)
        id[--at] = (char)('0' + rest % 10);
    id[--at] = '-';
    at -= RECORD_NAME;
    memcpy(id + at, r->name, RECORD_NAME);
    weir_str name = {(const uint8_t *)id + at, sizeof id - at};
    uint8_t bytes[EVENT_ROOM];
    weir_out out = {bytes, sizeof bytes};
    weir_sse_event event = {.type = weir_cstr(type), .data = data, .id = name};
    int rv = weir_sse_event_write(&out, &event);
    if (rv == 0)
        rv = weir_sse_log_put(&r->log, name, (weir_str){bytes, sizeof bytes - out.len}, now);
    if (rv == 0)
        r->last++;
    return rv;
}
