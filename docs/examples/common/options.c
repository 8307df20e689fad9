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
    printf("Usage: %s [OPTION]...\n%s\n\n", program, purpose);
    for (size_t i = 0; i < count; i++) {
        if (list[i].kind == OPTION_NOT_YET)
            continue;
        char left[40];
        snprintf(left, sizeof left, "%s %s", list[i].name, list[i].argument);
        printf("  %-22s %s", left, list[i].help);
        if (list[i].kind == OPTION_NUMBER)
            printf(" (%" PRIu64 ")", *list[i].number);
        else
            printf(" (%s)", *list[i].text);
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

static void set(const char *program, const option *o, const char *value)
{
    uint64_t number;
    if (value == NULL) {
        fprintf(stderr, "%s: %s needs a value\n", program, o->name);
        exit(2);
    }
    if (o->kind == OPTION_TEXT) {
        *o->text = value;
    } else if (number_read(value, o->min, o->max, &number)) {
        *o->number = number;
    } else {
        fprintf(stderr, "%s: %s takes a number from %" PRIu64 " to %" PRIu64 ", not '%s'\n", program, o->name,
                o->min, o->max, value);
        exit(2);
    }
}

static const option *find(const option *list, size_t count, const char *word, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i].name) == len && memcmp(list[i].name, word, len) == 0)
            return &list[i];
    return NULL;
}

void options_read(const char *program, const char *purpose, const option *list, size_t count, int argc,
                  char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        size_t len = strcspn(word, "=");
        const option *o = find(list, count, word, len);
        if (strcmp(word, "--help") == 0) {
            help(program, purpose, list, count);
            exit(0);
        }
        if (strcmp(word, "--version") == 0) {
            printf("%s (weir %s)\n", program, WEIR_VERSION);
            exit(0);
        }
        if (o == NULL) {
            bool dashed = word[0] == '-' && word[1] != '\0';
            fprintf(stderr, "%s: %s '%s' (--help lists the options)\n", program,
                    dashed ? "unknown option" : "unexpected argument", word);
            exit(2);
        }
        if (o->kind == OPTION_NOT_YET) {
            fprintf(stderr, "%s: %s is not supported yet\n", program, o->name);
            exit(2);
        }
        const char *value = word[len] == '=' ? word + len + 1 : i + 1 < argc ? argv[++i] : NULL;
        set(program, o, value);
    }
}
