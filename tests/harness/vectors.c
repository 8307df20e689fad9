/* SPDX-License-Identifier: MIT */
/* vectors.c - the test harness's reader of tests/vectors/. */
#include "check.h"
#include "harness.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef WEIR_VECTORS
#define WEIR_VECTORS "tests/vectors"
#endif

enum { MAX_KEYS = 16 };

/* A block under way. The public part comes first, so that vector_get finds the keys behind it. */
typedef struct block {
    vector v;
    const char *keys[MAX_KEYS];
    const char *values[MAX_KEYS];
    size_t key_count;
    size_t expected_len;
} block;

static void *vectors_grow(void *old, size_t size)
{
    void *grown = realloc(old, size);
    if (grown == NULL)
        abort();
    return grown;
}

static void vectors_fault(const char *file, int line, const char *what)
{
    fail_msg("%s:%d: %s", file, line, what);
}

const char *vector_get(const vector *v, const char *key)
{
    const block *b = (const block *)(const void *)v;
    for (size_t i = 0; i < b->key_count; i++)
        if (strcmp(b->keys[i], key) == 0)
            return b->values[i];
    return NULL;
}

/* Appends `count` times the bytes that the text stands for. False if it is malformed. */
static bool block_stream(block *b, const char *text, size_t count)
{
    size_t len = strlen(text);
    unsigned char *bytes = vectors_grow(NULL, len + 1);
    size_t n = text_decode(bytes, text, len);
    bool good = n != (size_t)-1;
    if (good && n * count != 0) {
        b->v.stream = vectors_grow(b->v.stream, b->v.len + n * count);
        for (; count != 0; count--, b->v.len += n)
            memcpy(b->v.stream + b->v.len, bytes, n);
    }
    free(bytes);
    return good;
}

static void block_expect(block *b, const char *text)
{
    size_t len = strlen(text);
    b->v.expected = vectors_grow(b->v.expected, b->expected_len + len + 2);
    memcpy(b->v.expected + b->expected_len, text, len);
    b->expected_len += len;
    memcpy(b->v.expected + b->expected_len, "\n", 2);
    b->expected_len++;
}

static char *vectors_after(char *line, size_t skip)
{
    return line + skip + (line[skip] == ' ');
}

/* One line of a block. Returns what is wrong with it, or NULL. */
static const char *block_line(block *b, char *line)
{
    if (line[0] == '=') {
        if (b->v.title != NULL)
            return "second title in a block";
        b->v.title = vectors_after(line, 1);
    } else if (b->v.title == NULL) {
        return "a block must begin with its title";
    } else if (line[0] == '>' && line[1] == '*') {
        char *text;
        unsigned long count = strtoul(line + 2, &text, 10);
        if (text == line + 2 || *text != ' ' || !block_stream(b, text + 1, count))
            return "malformed repetition";
    } else if (line[0] == '>') {
        if (!block_stream(b, vectors_after(line, 1), 1))
            return "malformed escape";
    } else if (line[0] == '<') {
        block_expect(b, vectors_after(line, 1));
    } else {
        char *colon = strchr(line, ':');
        if (colon == NULL || b->key_count == MAX_KEYS)
            return "not a line of a vector, or too many keys";
        *colon = '\0';
        b->keys[b->key_count] = line;
        b->values[b->key_count++] = vectors_after(colon + 1, 0);
    }
    return NULL;
}

static char *vectors_load(const char *file)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", WEIR_VECTORS, file);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    char *text = NULL;
    size_t len = 0, n;
    do {
        text = vectors_grow(text, len + 65536 + 1);
        n = fread(text + len, 1, 65536, f);
        len += n;
    } while (n != 0);
    fclose(f);
    text[len] = '\0';
    return text;
}

static size_t block_end(block *b, void (*each)(const vector *v))
{
    size_t ended = b->v.title != NULL;
    if (ended) {
        if (b->v.expected == NULL)
            b->v.expected = vectors_grow(NULL, 1), b->v.expected[0] = '\0';
        if (b->v.stream == NULL)
            b->v.stream = vectors_grow(NULL, 1);
        each(&b->v);
    }
    free(b->v.stream);
    free(b->v.expected);
    memset(b, 0, sizeof *b);
    return ended;
}

size_t vectors_each(const char *file, void (*each)(const vector *v))
{
    char *text = vectors_load(file);
    block b;
    memset(&b, 0, sizeof b);
    size_t count = 0;
    int number = 0;
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        number++;
        if (line[0] == '\0') {
            count += block_end(&b, each);
        } else if (line[0] != '#') {
            if (b.v.title == NULL)
                b.v.line = number;
            const char *fault = block_line(&b, line);
            if (fault != NULL)
                vectors_fault(file, number, fault);
        }
    }
    count += block_end(&b, each);
    free(text);
    if (count == 0)
        fail_msg("%s: no vectors", file);
    return count;
}
