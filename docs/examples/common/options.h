/* SPDX-License-Identifier: MIT */
/*
 * options.h - the example programs' command line: long options, `--port 9000` or `--port=9000`, and operands.
 *
 *     static uint64_t port = 8080, quick;
 *     static const char *url;
 *     static const option list[] = {
 *         {NULL, "URL", "where to", OPTION_TEXT, &url, NULL, 0, 0},
 *         {"--port", "P", "port, 0 picks a free one", OPTION_NUMBER, NULL, &port, 0, 65535},
 *         {"--quick", NULL, "do not wait", OPTION_FLAG, NULL, &quick, 0, 0},
 *     };
 *     options_read("my_program", "what it is for", list, 3, argc, argv);
 */
#ifndef EXAMPLE_OPTIONS_H
#define EXAMPLE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

typedef enum option_kind {
    OPTION_TEXT,   /* *text is set */
    OPTION_NUMBER, /* decimal, min to max: *number is set */
    OPTION_FLAG,   /* *number becomes 1 */
    OPTION_MANY,   /* may be repeated: the next of text[0..max) is set, *number counts them */
    OPTION_NOT_YET /* known by name and refused */
} option_kind;

typedef struct option {
    const char *name;     /* with its two dashes; NULL for an operand, which must be there */
    const char *argument; /* its name in the help; NULL for a flag */
    const char *help;
    option_kind kind;
    const char **text;
    uint64_t *number;
    uint64_t min;
    uint64_t max;
} option;

/*
 * Reads the command line. --help and --version are answered on stdout with exit status 0; anything
 * that is not understood gets one line on stderr and exit status 2.
 */
void options_read(const char *program, const char *purpose, const option *list, size_t count, int argc,
                  char **argv);

#endif
