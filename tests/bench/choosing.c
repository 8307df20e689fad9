/* SPDX-License-Identifier: MIT */
/*
 * choosing.c - one event stream and n requests against one WebSocket: bytes on the wire, CPU of the server.
 *
 * For each scene and number of exchanges, a server for each way, in a process of its own, is visited over the
 * loopback, all of them in turn, ten exchanges each. Printed are medians; a TSV with all of it goes to the
 * file that the argument names. docs/choosing.md says what to make of it.
 *
 * Environment: BENCH_ROUNDS; BENCH_SCENE, the name of the only scene to play.
 */
#include "choosing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sample is one visit, or several that bring LEAST events or are VISITS. */
enum { COUNTS = 7, LEAST = 2000, VISITS = 200, TURN = 10 };

static const unsigned counts[COUNTS] = {1, 3, 10, 30, 100, 300, 1000};

/* What a way costs, for one exchange. */
typedef struct cost {
    double wire;
    double bytes;
    double segments;
    double connections;
    double cpu;
} cost;

static bool possible(const scene *s, way w)
{
#ifndef BENCH_ZLIB
    if (w == WAY_PACKED)
        return false;
#endif
    if (w == WAY_CLOSE && !s->up)
        return false; /* no requests: an event stream is all there is */
    return w != WAY_ANSWER || s->answers;
}

/* ---- One round ----------------------------------------------------------------------------------- */

/* The servers of all ways, each with its visitor. */
typedef struct stage {
    setting settings[WAYS];
    visitor visitors[WAYS];
    pid_t children[WAYS];
    bool open[WAYS];
} stage;

static void open_way(stage *st, const scene *s, way w, board *shared)
{
    int ticks[2];
    setting *set = &st->settings[w];
    if (pipe(ticks) != 0)
        bench_fail("pipe");
    *set = (setting){.scene = s, .way = w, .board = shared};
    set->listener = tcp_listen(&set->port);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        bench_fail("fork");
    if (child == 0) {
        /* Whoever holds the other end of a pipe keeps it from ending. */
        close(ticks[1]);
        for (way other = 0; other < WAYS; other++)
            if (st->open[other])
                close(st->settings[other].ticks);
        set->ticks = ticks[0];
        serve(set);
        _exit(0);
    }
    close(ticks[0]);
    close(set->listener);
    set->ticks = ticks[1];
    st->children[w] = child;
    st->visitors[w] = (visitor){.set = set};
    st->open[w] = true;
}

static cost close_way(stage *st, way w, double exchanges)
{
    const wire *total = &st->visitors[w].total;
    int status;
    close(st->settings[w].ticks);
    if (waitpid(st->children[w], &status, 0) != st->children[w] || status != 0)
        bench_fail("the server failed");
    if (total->resent != 0)
        fprintf(stderr, "choosing: %u segments were sent twice\n", (unsigned)total->resent);
    return (cost){(double)(total->bytes + total->headers) / exchanges, (double)total->bytes / exchanges,
                  (double)total->segments / exchanges, (double)total->connections / exchanges,
                  st->settings[w].board->cpu / exchanges};
}

/* Visits all servers at the same time, a few exchanges here, a few there: a slow moment of the machine then
 * meets all alike. `first` begins. */
static void visit_all(stage *st, unsigned n, unsigned first)
{
    for (way w = 0; w < WAYS; w++)
        if (st->open[w])
            visit_begin(&st->visitors[w]);
    for (unsigned done = 0; done < n; done += TURN) {
        for (unsigned i = 0; i < WAYS; i++) {
            way w = (way)((first + done / TURN + i) % WAYS);
            for (unsigned k = done; st->open[w] && k < n && k < done + TURN; k++)
                visit_exchange(&st->visitors[w]);
        }
    }
    for (way w = 0; w < WAYS; w++)
        if (st->open[w])
            visit_end(&st->visitors[w]);
}

static void run_round(const scene *s, unsigned n, unsigned round, cost samples[WAYS])
{
    stage st = {0};
    unsigned visits = LEAST / (n * s->down);
    visits = visits < 1 ? 1 : visits > VISITS ? VISITS : visits;
    board *boards =
        mmap(NULL, WAYS * sizeof *boards, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (boards == MAP_FAILED)
        bench_fail("mmap");
    for (way w = 0; w < WAYS; w++)
        if (possible(s, w))
            open_way(&st, s, w, &boards[w]);
    for (unsigned i = 0; i < visits; i++)
        visit_all(&st, n, round + i);
    for (way w = 0; w < WAYS; w++)
        if (st.open[w])
            samples[w] = close_way(&st, w, (double)visits * n);
    munmap(boards, WAYS * sizeof *boards);
}

/* ---- Medians and tables -------------------------------------------------------------------------- */

static cost median(const cost *samples, size_t rounds)
{
    double values[5][BENCH_ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++) {
        values[0][i] = samples[i].wire;
        values[1][i] = samples[i].bytes;
        values[2][i] = samples[i].segments;
        values[3][i] = samples[i].connections;
        values[4][i] = samples[i].cpu;
    }
    for (size_t i = 0; i < 5; i++)
        values[i][0] = bench_median(values[i], rounds);
    return (cost){values[0][0], values[1][0], values[2][0], values[3][0], values[4][0]};
}

static void play(const scene *s, unsigned n, size_t rounds, cost costs[WAYS])
{
    static cost samples[BENCH_ROUNDS_MAX][WAYS];
    cost of_way[BENCH_ROUNDS_MAX];
    for (size_t round = 0; round < rounds; round++)
        run_round(s, n, (unsigned)round, samples[round]);
    for (way w = 0; w < WAYS; w++) {
        for (size_t round = 0; round < rounds; round++)
            of_way[round] = samples[round][w];
        costs[w] = median(of_way, rounds);
    }
}

static void print_cells(const scene *s, unsigned n, const cost costs[WAYS], bool cpu)
{
    printf("| %4u |", n);
    for (way w = 0; w < WAYS; w++) {
        double value = cpu ? costs[w].cpu / 1000 : costs[w].wire;
        double base = cpu ? costs[WAY_SOCKET].cpu / 1000 : costs[WAY_SOCKET].wire;
        if (possible(s, w))
            printf(" %15.*f (%5.2fx) |", cpu ? 1 : 0, value, value / base);
        else
            printf(" %24s |", "");
    }
    putchar('\n');
}

static void print_table(const scene *s, cost costs[COUNTS][WAYS], bool cpu)
{
    printf("\n%s (%s): %s for each exchange (times the WebSocket)\n\n|    n |", s->name, s->what,
           cpu ? "microseconds of the server's CPU"
               : "bytes on the wire, both directions, headers included,");
    for (way w = 0; w < WAYS; w++)
        printf(" %24s |", way_names[w]);
    printf("\n|-----:|");
    for (way w = 0; w < WAYS; w++)
        printf("-------------------------:|");
    putchar('\n');
    for (size_t i = 0; i < COUNTS; i++)
        print_cells(s, counts[i], costs[i], cpu);
}

static void write_tsv(FILE *file, const scene *s, cost costs[COUNTS][WAYS])
{
    for (size_t i = 0; i < COUNTS; i++)
        for (way w = 0; w < WAYS; w++)
            if (possible(s, w))
                fprintf(file, "%s\t%s\t%u\t%.1f\t%.1f\t%.3f\t%.4f\t%.0f\n", s->name, way_names[w], counts[i],
                        costs[i][w].wire, costs[i][w].bytes, costs[i][w].segments, costs[i][w].connections,
                        costs[i][w].cpu);
    fflush(file);
}

int main(int argc, char **argv)
{
    static cost costs[COUNTS][WAYS];
    const char *only = getenv("BENCH_SCENE");
    size_t rounds = bench_env("BENCH_ROUNDS", 5);
    if (argc != 2 || rounds > BENCH_ROUNDS_MAX)
        bench_fail("usage: choosing FILE.tsv");
    FILE *file = fopen(argv[1], "w");
    if (file == NULL)
        bench_fail(argv[1]);
    one_processor();
    fprintf(file, "scene\tway\tn\twire_bytes\tprogram_bytes\tsegments\tconnections\tcpu_ns\n");
    fflush(file); /* not once more by each child */
#ifndef BENCH_ZLIB
    printf("built without zlib: the compressed WebSocket is left out\n");
#endif
    for (size_t k = 0; k < SCENES; k++) {
        if (only != NULL && strcmp(only, scenes[k].name) != 0)
            continue;
        for (size_t i = 0; i < COUNTS; i++)
            play(&scenes[k], counts[i], rounds, costs[i]);
        print_table(&scenes[k], costs, false);
        print_table(&scenes[k], costs, true);
        write_tsv(file, &scenes[k], costs);
    }
    return fclose(file) == 0 ? 0 : 1;
}
