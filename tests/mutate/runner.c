/* SPDX-License-Identifier: MIT */
/*
 * runner.c - stands between a test program and cmocka, and runs its tests over many mutants.
 *
 * A test program is linked with this library before cmocka, so that its call of _cmocka_run_group_tests ends
 * here. MUTATE_OUT names the file to write to. Without MUTATE_PLAN each test is run once; a line says its
 * number, whether it passed, the microseconds of processor time it took and the functions of weir that ran.
 * With MUTATE_PLAN, a file of lines
 *
 *     MUTANT LIMIT TEST LIMIT TEST ...
 *
 * the program forks for each line and runs these tests over that mutant until one fails. LIMIT is in
 * milliseconds of processor time. A line says the mutant and the test that caught it, or -1.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef int run_group(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction, CMFixtureFunction);

/* The mutant that the mutated functions turn into; 0 is weir as it is. */
int weiri_mutant;

typedef struct group {
    run_group *run;
    const char *name;
    const struct CMUnitTest *tests;
    size_t count;
    CMFixtureFunction setup;
    CMFixtureFunction teardown;
} group;

static void give_up(const char *what)
{
    perror(what);
    _exit(99);
}

static FILE *open_named(const char *variable, const char *mode)
{
    const char *path = getenv(variable);
    FILE *file = path != NULL ? fopen(path, mode) : NULL;
    if (file == NULL)
        give_up(variable);
    return file;
}

static int run_one(const group *g, size_t test)
{
    return g->run(g->name, &g->tests[test], 1, g->setup, g->teardown);
}

static long long used_us(void)
{
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    return ((long long)use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 + use.ru_utime.tv_usec +
           use.ru_stime.tv_usec;
}

static void record(const group *g)
{
    FILE *out = open_named("MUTATE_OUT", "a");
    uint8_t *seen = dlsym(RTLD_DEFAULT, "weiri_seen");
    const size_t *seen_len = dlsym(RTLD_DEFAULT, "weiri_seen_len");
    if (seen == NULL || seen_len == NULL)
        give_up("weiri_seen");
    for (size_t i = 0; i < g->count; i++) {
        memset(seen, 0, *seen_len);
        long long begin = used_us();
        int failed = run_one(g, i);
        fprintf(out, "%zu %s %d %lld", i, g->tests[i].name, failed == 0, used_us() - begin);
        for (size_t n = 0; n < *seen_len; n++)
            if (seen[n] != 0)
                fprintf(out, " %zu", n);
        fputc('\n', out);
        fflush(out);
    }
    fclose(out);
}

/* Ends the process after so much processor time, or, if it should sleep, after much more of the clock's. */
static void limit(long ms)
{
    struct itimerval cpu = {{0, 0}, {ms / 1000, ms % 1000 * 1000}};
    long wall = ms * 20 + 10000;
    struct itimerval clock = {{0, 0}, {wall / 1000, wall % 1000 * 1000}};
    (void)signal(SIGPROF, SIG_DFL);
    (void)signal(SIGALRM, SIG_DFL);
    (void)setitimer(ITIMER_PROF, &cpu, NULL);
    (void)setitimer(ITIMER_REAL, &clock, NULL);
}

/* In a process of its own: runs the tests of a plan's line. *at is the one that runs. */
static int attempt(const group *g, const char *line, volatile long *at)
{
    char *rest = NULL;
    weiri_mutant = (int)strtol(line, &rest, 10);
    struct rlimit memory = {(rlim_t)4 << 30, (rlim_t)4 << 30};
    struct rlimit core = {0, 0};
    (void)setrlimit(RLIMIT_AS, &memory);
    (void)setrlimit(RLIMIT_CORE, &core);
    for (;;) {
        char *behind = NULL;
        long ms = strtol(rest, &behind, 10);
        if (behind == rest)
            return 0;
        long test = strtol(behind, &rest, 10);
        if (test < 0 || (size_t)test >= g->count)
            give_up("MUTATE_PLAN");
        *at = test;
        limit(ms);
        if (run_one(g, (size_t)test) != 0)
            return 1;
    }
}

static void try_mutants(const group *g)
{
    FILE *plan = open_named("MUTATE_PLAN", "r");
    FILE *out = open_named("MUTATE_OUT", "a");
    volatile long *at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        give_up("mmap");
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, plan) > 0) {
        *at = -1;
        pid_t child = fork();
        if (child == 0)
            _exit(attempt(g, line, at));
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child)
            give_up("fork");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
            _exit(99);
        fprintf(out, "%d %ld\n", atoi(line), status == 0 ? -1 : *at);
        fflush(out);
    }
    free(line);
    fclose(plan);
    fclose(out);
}

int _cmocka_run_group_tests(const char *group_name, const struct CMUnitTest *const tests, size_t num_tests,
                            CMFixtureFunction group_setup, CMFixtureFunction group_teardown)
{
    group g = {NULL, group_name, tests, num_tests, group_setup, group_teardown};
    *(void **)(&g.run) = dlsym(RTLD_NEXT, "_cmocka_run_group_tests");
    if (g.run == NULL)
        give_up("cmocka");
    if (getenv("MUTATE_PLAN") != NULL)
        try_mutants(&g);
    else
        record(&g);
    _exit(0);
}
