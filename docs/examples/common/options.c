/* SPDX-License-Identifier: MIT */
/* options.c - reads long options; says in one line what it does not understand. */
#include "options.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

static void help(const char *program, const char *purpose, const option *list, size_t count)
{
    printf("Usage: %s [OPTION]...", program);
    for (size_t i = 0; i < count; i++)
        if (list[i].name == NULL)
            printf(" %s", list[i].argument);
    printf("\n%s\n\n", purpose);
    for (size_t i = 0; i < count; i++) {
        const option *o = &list[i];
        if (o->kind == OPTION_NOT_YET)
            continue;
        char left[40];
        snprintf(left, sizeof left, "%s%s%s", o->name != NULL ? o->name : "",
                 o->name != NULL && o->argument != NULL ? " " : "", o->argument != NULL ? o->argument : "");
        printf("  %-22s %s", left, o->help);
        if (o->kind == OPTION_NUMBER)
            printf(" (%" PRIu64 ")", *o->number);
        else if (o->kind == OPTION_TEXT && *o->text != NULL)
            printf(" (%s)", *o->text);
        putchar('\n');
    }
    printf("  %-22s %s\n  %-22s %s\n", "--help", "show this and exit", "--version",
           "show the version and exit");
}

/* Digits only: strtoull would let signs, white space and wrapping through. */
static bool number_read(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *number = value;
    return value >= min && value <= max;
}

static const char *shown(const option *o)
{
    return o->name != NULL ? o->name : o->argument;
}

static void set(const char *program, const option *o, const char *value)
{
    uint64_t number;
    if (value == NULL) {
        fprintf(stderr, "%s: %s needs a value\n", program, shown(o));
        exit(2);
    }
    if (o->kind == OPTION_TEXT) {
        *o->text = value;
    } else if (o->kind == OPTION_MANY) {
        if (*o->number == o->max) {
            fprintf(stderr, "%s: %s more than %" PRIu64 " times\n", program, shown(o), o->max);
            exit(2);
        }
        o->text[(*o->number)++] = value;
    } else if (number_read(value, o->min, o->max, &number)) {
        *o->number = number;
    } else {
        fprintf(stderr, "%s: %s takes a number from %" PRIu64 " to %" PRIu64 ", not '%s'\n", program,
                shown(o), o->min, o->max, value);
        exit(2);
    }
}

static const option *find(const option *list, size_t count, const char *word, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].name != NULL && strlen(list[i].name) == len && memcmp(list[i].name, word, len) == 0)
            return &list[i];
    return NULL;
}

/* The first operand at `from` or behind it. */
static const option *operand(const option *list, size_t count, size_t from)
{
    for (size_t i = from; i < count; i++)
        if (list[i].name == NULL)
            return &list[i];
    return NULL;
}

static void refuse(const char *program, const char *what, const char *word)
{
    fprintf(stderr, "%s: %s '%s' (--help lists the options)\n", program, what, word);
    exit(2);
}

/* argv[i] is an option. Returns how many words were taken. */
static int read_option(const char *program, const option *o, char **words)
{
    const char *equals = strchr(words[0], '=');
    if (o->kind == OPTION_NOT_YET) {
        fprintf(stderr, "%s: %s is not supported yet\n", program, o->name);
        exit(2);
    }
    if (o->kind == OPTION_FLAG) {
        if (equals != NULL)
            refuse(program, "no value belongs to", words[0]);
        *o->number = 1;
        return 1;
    }
    set(program, o, equals != NULL ? equals + 1 : words[1]);
    return equals != NULL ? 1 : 2;
}

static void answer(const char *program, const char *purpose, const option *list, size_t count,
                   const char *word)
{
    if (strcmp(word, "--help") == 0)
        help(program, purpose, list, count);
    else if (strcmp(word, "--version") == 0)
        printf("%s (weir %s)\n", program, WEIR_VERSION);
    else
        return;
    exit(0);
}

void options_read(const char *program, const char *purpose, const option *list, size_t count, int argc,
                  char **argv)
{
    const option *next = operand(list, count, 0);
    for (int i = 1; i < argc;) {
        const char *word = argv[i];
        bool dashed = word[0] == '-' && word[1] != '\0';
        const option *o = dashed ? find(list, count, word, strcspn(word, "=")) : next;
        answer(program, purpose, list, count, word);
        if (o == NULL)
            refuse(program, dashed ? "unknown option" : "unexpected argument", word);
        if (dashed) {
            i += read_option(program, o, argv + i);
        } else {
            set(program, o, word);
            next = operand(list, count, (size_t)(o - list) + 1);
            i++;
        }
    }
    if (next != NULL) {
        fprintf(stderr, "%s: %s is missing (--help lists the options)\n", program, next->argument);
        exit(2);
    }
}
