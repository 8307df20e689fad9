/* SPDX-License-Identifier: MIT */
/* talker.c - a loop that listens, and a handler that writes down what it is told. */
#include "talker.h"

#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

char told[4096];
static size_t told_len;
loop *l;
conn *latest; /* the connection opened last, NULL when one has gone since */
unsigned port;
int gone_error;
int peer, other;
void (*on_bytes)(conn *c, weir_in *in);

void tell(const char *what)
{
    told_len +=
        (size_t)snprintf(told + told_len, sizeof told - told_len, "%s%s", told_len != 0 ? " " : "", what);
    assert_true(told_len < sizeof told);
}

/* What was told since the last time. */
void expect_told(const char *wanted)
{
    assert_string_equal(told, wanted);
    told_len = 0;
    told[0] = '\0';
}

static void opened(conn *c)
{
    latest = c;
    tell("opened");
}

static void readable(conn *c, weir_in *in)
{
    char text[64];
    snprintf(text, sizeof text, "\"%.*s\"", (int)(in->len < 40 ? in->len : 40), (const char *)in->ptr);
    tell(text);
    if (on_bytes != NULL)
        on_bytes(c, in);
}

static void ended(conn *c)
{
    tell("ended");
    conn_finish(c);
}

static void progress(conn *c)
{
    (void)c;
    tell("progress");
}

static void drained(conn *c)
{
    (void)c;
    tell("drained");
}

void due(conn *c)
{
    (void)c;
    tell("due");
}

static void gone(conn *c)
{
    char text[128];
    (void)strerror(EDOM); /* what others ask for in between changes no text of ours */
    const char *why = conn_fault(c);
    if (conn_error(c) != 0)
        gone_error = conn_error(c);
    snprintf(text, sizeof text, "gone%s%s", why != NULL ? ": " : "", why != NULL ? why : "");
    tell(text);
    if (latest == c)
        latest = NULL;
}

conn_handler talker;

int set_up(void **state)
{
    (void)state;
    char where[64];
    faults_reset();
    told_len = 0;
    told[0] = '\0';
    on_bytes = NULL;
    latest = NULL;
    gone_error = 0;
    peer = other = -1;
    talker = (conn_handler){.opened = opened,
                            .readable = readable,
                            .ended = ended,
                            .progress = progress,
                            .drained = drained,
                            .due = due,
                            .gone = gone};
    l = loop_new();
    assert_non_null(l);
    assert_null(loop_listen(l, "127.0.0.1", 0, &talker, where, sizeof where));
    assert_int_equal(sscanf(where, "127.0.0.1:%u", &port), 1);
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    if (peer >= 0)
        close(peer);
    if (other >= 0)
        close(other);
    faults_reset();
    loop_free(l);
    l = NULL;
    return 0;
}

void run(void (*world)(unsigned turn))
{
    fault_world = world;
    assert_int_equal(loop_run(l), 0);
}

/* The end of every world: all go at once. */
void end(void)
{
    if (latest != NULL)
        conn_abort(latest);
    loop_stop(l);
}
