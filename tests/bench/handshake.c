/* SPDX-License-Identifier: MIT */
/*
 * handshake.c - benchmark: the opening handshake of a server, for a browser's request.
 *
 * accept key: Sec-WebSocket-Accept of a key. parse: the head read and checked for an upgrade, the key found.
 * whole: all of it, with the 101. The floor is the copy of the bytes that are read or written, and one
 * memchr to each line's end: what nobody can do without.
 */
#include "handshake.h"

#include <stdio.h>

static const handshaker *const handshakers[] = {
    &weir_handshaker,
#ifdef BENCH_BEAST
    &beast_handshaker,
#endif
#ifdef BENCH_WEBSOCKETPP
    &websocketpp_handshaker,
#endif
};

enum { HANDSHAKERS = sizeof handshakers / sizeof *handshakers, ROOM = 2048 };

typedef enum task { ACCEPT_KEY, PARSE, WHOLE, TASKS } task;

typedef struct job {
    const handshaker *who; /* NULL: the floor */
    task what;
    char request[ROOM], answer[ROOM];
} job;

static size_t request_len;

static size_t floor_do(job *j)
{
    if (j->what == ACCEPT_KEY) {
        memcpy(j->answer, browser_key, HANDSHAKE_KEY);
        return HANDSHAKE_KEY;
    }
    const char *end = j->request + request_len;
    for (const char *at = j->request; at != NULL && at < end;) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    if (j->what == WHOLE)
        memcpy(j->answer, browser_request, 129); /* as long as the shortest 101 */
    return 129;
}

static size_t job_do(job *j)
{
    /* The copy out of the kernel. */
    if (j->what != ACCEPT_KEY)
        memcpy(j->request, browser_request, request_len);
    if (j->who == NULL)
        return floor_do(j);
    switch (j->what) {
    case ACCEPT_KEY:
        j->who->accept_key(browser_key, j->answer);
        return HANDSHAKE_ACCEPT;
    case PARSE:
        return j->who->parse(j->request, request_len, j->answer) ? HANDSHAKE_KEY : 0;
    default:
        return j->who->whole(j->request, request_len, j->answer, ROOM - 1);
    }
}

static double run_job(void *user, size_t times)
{
    job *j = user;
    while (times-- > 0) {
        if (job_do(j) == 0)
            bench_fail("a handshake was refused");
        bench_keep(j->answer);
    }
    return 0;
}

static void rehearse(job *j)
{
    static const char *const expected[TASKS] = {browser_accept, browser_key, browser_accept};
    memset(j->answer, 0, sizeof j->answer);
    if (job_do(j) == 0 || strstr(j->answer, expected[j->what]) == NULL)
        bench_fail(j->who->name);
}

static void task_row(bench_group *group, task what)
{
    static const char *const names[TASKS] = {"accept key", "parse", "whole"};
    static job jobs[1 + HANDSHAKERS];
    bench_case cases[1 + HANDSHAKERS] = {{NULL, NULL, 0}};
    if (!bench_wanted(group, names[what]))
        return;
    for (size_t i = 0; i <= HANDSHAKERS; i++) {
        jobs[i].who = i == 0 ? NULL : handshakers[i - 1];
        jobs[i].what = what;
        if (i != 0 && what == ACCEPT_KEY && jobs[i].who->accept_key == NULL)
            continue;
        cases[i] = (bench_case){run_job, &jobs[i], 0};
        if (i != 0)
            rehearse(&jobs[i]);
    }
    bench_row(group, names[what], cases, 1, (double)request_len);
}

int main(void)
{
    bench_group group = {.title = "opening handshake, ns (times copy and memchr)",
                         .columns = 1 + HANDSHAKERS,
                         .names = {"copy and memchr"}};
    request_len = strlen(browser_request);
    for (size_t i = 0; i < HANDSHAKERS; i++)
        group.names[1 + i] = handshakers[i]->name;
    for (task what = ACCEPT_KEY; what < TASKS; what++)
        task_row(&group, what);
    return 0;
}
