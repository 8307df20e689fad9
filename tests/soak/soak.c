/* SPDX-License-Identifier: MIT */
/*
 * soak.c - many connections of all manners to ws_echo_server and demo_server, for as long as it is told.
 *
 *     soak ECHO_PORT ECHO_PID DEMO_PORT DEMO_PID CONNECTIONS SECONDS
 *
 * Prints a line for each check, `ok` or `FAIL`, and tables of what happened: what the peers exchanged, the
 * times of the good ones, memory and descriptors of the servers. These are sampled each second; the means of
 * two spans are compared, one behind the warm-up and one at the end. Nothing is judged by the time it took.
 */
#include "soak.h"

#include <inttypes.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    TICK_MS = 10,
    LONG_S = 240,
    CONNECTS_A_TICK = 20,
    ANSWER_US = 10000000,
    SAMPLES_MAX = 100000,
    FAULTS_SHOWN = 20
};

struct counts counts[MANNERS];
times echo_times, room_times;

static peer *peers;
static unsigned peer_count;
static unsigned faults, failed;

typedef struct server {
    const char *name;
    long pid;
    long fds_before;
    unsigned count;
    double rss[SAMPLES_MAX];
    double fds[SAMPLES_MAX]; /* descriptors for each connection that a peer has */
} server;

static server servers[2] = {{.name = "ws_echo_server"}, {.name = "demo_server"}};

uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

struct counts *counts_of(const peer *p)
{
    struct counts *c = counts;
    while (c->is != p->is)
        c++;
    return c;
}

void fault(peer *p, const char *format, ...)
{
    va_list args;
    counts_of(p)->faults++;
    if (faults++ >= FAULTS_SHOWN)
        return;
    printf("fault: %s %u: ", p->is->name, p->id);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* The first TIMES_MAX, then each in the place of any other. */
void times_add(times *t, uint64_t us)
{
    static uint64_t x = 7;
    x = x * 6364136223846793005u + 1442695040888963407u;
    size_t at = (size_t)(t->count < TIMES_MAX ? t->count : (x >> 33) % TIMES_MAX);
    t->us[at] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
    t->count++;
}

/* ---- The servers, from outside ------------------------------------------------------------------- */

static double rss_kib(long pid)
{
    char path[64], line[256];
    double kib = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "VmRSS: %lf", &kib) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return kib;
}

static long descriptors(long pid)
{
    char path[64];
    long count = -2; /* . and .. */
    snprintf(path, sizeof path, "/proc/%ld/fd", pid);
    DIR *d = opendir(path);
    if (d == NULL)
        return -1;
    while (readdir(d) != NULL)
        count++;
    closedir(d);
    return count;
}

static void sample(server *s)
{
    if (s->count == SAMPLES_MAX)
        return;
    s->rss[s->count] = rss_kib(s->pid);
    double own = 1;
    for (unsigned i = 0; i < peer_count; i++)
        own += peers[i].fd >= 0 && peers[i].is->demo == (s == &servers[1]);
    s->fds[s->count++] = (double)(descriptors(s->pid) - s->fds_before) / own;
}

/* ---- The peers ----------------------------------------------------------------------------------- */

/* Out of each hundred; what is left are the good. */
static const struct share {
    const manner *is;
    unsigned percent;
    unsigned max;
} shares[] = {{&slow, 10, 400}, {&rude, 18, 2000}, {&wild, 8, 2000}, {&member, 2, 48},
              {&loud, 2, 24},   {&reader, 4, 200}, {&drowsy, 2, 60}};

static void make(const manner *is, unsigned number)
{
    struct counts *c = counts;
    while (c->is != NULL && c->is != is)
        c++;
    c->is = is;
    c->peers += number;
    for (unsigned i = 0; i < number; i++) {
        peer *p = &peers[peer_count];
        p->is = is;
        p->id = peer_count++;
        p->fd = -1;
        p->random = (p->id + 1) * 0x9E3779B97F4A7C15u;
        p->mode = is == &member ? i : 0;
    }
}

static void populate(unsigned connections)
{
    peers = calloc(connections, sizeof *peers);
    if (peers == NULL)
        abort();
    unsigned rest = connections;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        unsigned number = connections * shares[i].percent / 100;
        number = number < shares[i].max ? number : shares[i].max;
        make(shares[i].is, number);
        rest -= number;
    }
    make(&good, rest);
}

static void tick(void)
{
    uint64_t now = now_us();
    unsigned connects = 0;
    for (unsigned i = 0; i < peer_count; i++) {
        peer *p = &peers[i];
        if (p->act_at > now)
            continue;
        if (p->fd < 0 && connects++ < CONNECTS_A_TICK) {
            peer_connect(p);
            if (!p->open && p->act_at == UINT64_MAX)
                p->act_at = now + ANSWER_US;
        } else if (p->fd >= 0 && p->open) {
            p->act_at = UINT64_MAX;
            p->is->act(p);
        } else if (p->fd >= 0) {
            fault(p, "no answer to the handshake in 10 s");
            peer_leave(p, true, 1000000);
        }
    }
}

static void run(uint64_t seconds)
{
    uint64_t begin = now_us(), next = begin;
    for (uint64_t now = begin; now < begin + seconds * 1000000; now = now_us()) {
        wire_wait(TICK_MS);
        tick();
        if (now < next)
            continue;
        sample(&servers[0]);
        sample(&servers[1]);
        next += 1000000;
    }
}

/* ---- What came of it ----------------------------------------------------------------------------- */

static void check(bool good_so, const char *format, ...)
{
    va_list args;
    failed += !good_so;
    fputs(good_so ? "ok   " : "FAIL ", stdout);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static double mean(const double *values, unsigned from, unsigned to)
{
    double sum = 0;
    for (unsigned i = from; i < to; i++)
        sum += values[i];
    return to > from ? sum / (to - from) : 0;
}

/* Growth is what the last quarter has above the one behind the warm-up. A few pages are no growth. The demo
 * keeps answers for who may come back for them: how many are there says nothing before LONG_S. */
static void check_growth(const server *s)
{
    unsigned from = s->count / 4, to = s->count / 2, last = s->count - s->count / 4;
    double rss[2] = {mean(s->rss, from, to), mean(s->rss, last, s->count)};
    double fds[2] = {mean(s->fds, from, to), mean(s->fds, last, s->count)};
    if (s == &servers[1] && s->count < LONG_S)
        printf("note %s: resident memory %.0f KiB, then %.0f KiB, too short to judge\n", s->name, rss[0],
               rss[1]);
    else
        check(rss[0] > 0 && rss[1] <= rss[0] * 1.1 + 512,
              "%s: resident memory %.0f KiB, then %.0f KiB [ratio %.3f]", s->name, rss[0], rss[1],
              rss[1] / rss[0]);
    check(fds[0] > 0 && fds[1] <= fds[0] * 1.05,
          "%s: descriptors for each connection %.3f, then %.3f [ratio %.3f]", s->name, fds[0], fds[1],
          fds[1] / fds[0]);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *what, times *t)
{
    size_t n = (size_t)(t->count < TIMES_MAX ? t->count : TIMES_MAX);
    if (n == 0)
        return;
    qsort(t->us, n, sizeof *t->us, by_value);
    printf("%-18s %10" PRIu64 "   p50 %7.2f ms   p99 %7.2f ms   max %7.2f ms\n", what, t->count,
           t->us[n / 2] / 1e3, t->us[n * 99 / 100] / 1e3, t->us[n - 1] / 1e3);
}

/* Resident memory in tenths of the time. */
static void print_memory(const server *s)
{
    printf("%-14s KiB", s->name);
    for (unsigned i = 0; i < 10; i++)
        printf(" %6.0f", mean(s->rss, s->count * i / 10, s->count * (i + 1) / 10));
    putchar('\n');
}

static void report(void)
{
    printf("\n%-8s %6s %12s %12s %8s %6s\n", "peers", "", "connections", "messages", "faults", "lost");
    for (struct counts *c = counts; c < counts + MANNERS && c->is != NULL; c++)
        printf("%-8s %6u %12" PRIu64 " %12" PRIu64 " %8" PRIu64 " %6" PRIu64 "\n", c->is->name, c->peers,
               c->connections, c->messages, c->faults, c->lost);
    putchar('\n');
    print_times("echo to the good", &echo_times);
    print_times("said in the room", &room_times);
    print_memory(&servers[0]);
    print_memory(&servers[1]);
    putchar('\n');
    for (struct counts *c = counts; c < counts + MANNERS && c->is != NULL; c++)
        check(c->messages > 0 && c->faults == 0 && c->lost == 0,
              "%s: %" PRIu64 " messages or answers, %" PRIu64 " faults, %" PRIu64 " lost", c->is->name,
              c->messages, c->faults, c->lost);
    check_growth(&servers[0]);
    check_growth(&servers[1]);
}

/* All peers leave: the servers give everything back. */
static void leave(void)
{
    for (unsigned i = 0; i < peer_count; i++)
        peer_close(&peers[i], i % 2 == 0);
    uint64_t begin = now_us();
    for (int i = 0; i < 2; i++) {
        server *s = &servers[i];
        while (descriptors(s->pid) > s->fds_before && now_us() < begin + 10000000)
            wire_wait(50);
        long now = descriptors(s->pid);
        check(now >= 0 && now <= s->fds_before, "%s: descriptors when all have left: %ld, before: %ld",
              s->name, now, s->fds_before);
    }
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fputs("usage: soak ECHO_PORT ECHO_PID DEMO_PORT DEMO_PID CONNECTIONS SECONDS\n", stderr);
        return 2;
    }
    int ports[2] = {atoi(argv[1]), atoi(argv[3])};
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < 2; i++) {
        servers[i].pid = atol(argv[2 + 2 * i]);
        servers[i].fds_before = descriptors(servers[i].pid);
    }
    wire_init(ports);
    populate((unsigned)atoi(argv[5]));
    run((uint64_t)atoll(argv[6]));
    report();
    leave();
    return failed == 0 ? 0 : 1;
}
