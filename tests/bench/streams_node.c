/* SPDX-License-Identifier: MIT */
/* streams_node.c - talks to streams.mjs through a pair of pipes, a line each way. */
#include "streams.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE = 512 };

static void line_write(const node_peer *node, const char *line)
{
    if (write(node->to, line, strlen(line)) != (ssize_t)strlen(line))
        bench_fail("node is gone");
}

/* One byte at a time: nothing is measured here. False if node has ended. */
static bool line_read(const node_peer *node, char line[LINE])
{
    size_t len = 0;
    while (len < LINE - 1 && read(node->from, line + len, 1) == 1 && line[len] != '\n')
        len++;
    bool whole = len < LINE - 1 && line[len] == '\n';
    line[len] = '\0';
    return whole;
}

bool node_open(node_peer *node)
{
    const char *script = getenv("BENCH_NODE_SCRIPT");
    char line[LINE];
    int down[2], up[2];
    if (script == NULL) {
        printf("BENCH_NODE_SCRIPT does not name streams.mjs: eventsource-parser is left out\n");
        return false;
    }
    signal(SIGPIPE, SIG_IGN);
    fflush(stdout);
    if (pipe(down) != 0 || pipe(up) != 0 || (node->pid = fork()) < 0)
        bench_fail("pipe, fork");
    if (node->pid == 0) {
        dup2(down[0], 0);
        dup2(up[1], 1);
        close(down[0]), close(down[1]), close(up[0]), close(up[1]);
        execlp("node", "node", script, (char *)NULL);
        _exit(127);
    }
    close(down[0]), close(up[1]);
    node->to = down[1];
    node->from = up[0];
    if (line_read(node, line) && strncmp(line, "ready ", 6) == 0) {
        printf("eventsource-parser: %s\n", line + 6);
        return true;
    }
    printf("eventsource-parser is left out: %s\n", line[0] != '\0' ? line : "node does not run");
    node_close(node);
    return false;
}

void node_load(node_peer *node, const stream *s)
{
    char line[LINE];
    unsigned long events, data;
    snprintf(line, sizeof line, "load %zu %zu\n", s->len, s->most < s->len ? s->most : s->len);
    line_write(node, line);
    for (size_t at = 0; at < s->len;) {
        ssize_t n = write(node->to, s->bytes + at, s->len - at);
        if (n <= 0)
            bench_fail("node is gone");
        at += (size_t)n;
    }
    if (!line_read(node, line) || sscanf(line, "loaded %lu %lu", &events, &data) != 2 ||
        events != s->events || data != s->data)
        bench_fail("eventsource-parser delivers something else");
}

double node_run(node_peer *node, size_t times)
{
    char line[LINE];
    double spent;
    snprintf(line, sizeof line, "run %zu\n", times);
    line_write(node, line);
    if (!line_read(node, line) || sscanf(line, "%lf", &spent) != 1 || spent <= 0)
        bench_fail("node does not answer");
    return spent;
}

void node_close(node_peer *node)
{
    close(node->to);
    close(node->from);
    waitpid(node->pid, NULL, 0);
}
