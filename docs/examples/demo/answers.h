/* SPDX-License-Identifier: MIT */
/*
 * answers.h - the demo's built-in generator: a fixed answer in the visitor's language, as tokens.
 *
 *     demo_answer answer;
 *     demo_answer_init(&answer, prompt, prompt_len, accept_language);
 *     for (unsigned i = 0; demo_answer_token(&answer, i, &token, &len); i++)
 *         ... send `len` bytes at `token` ...
 *
 * The same prompt and languages give the same tokens.
 */
#ifndef DEMO_ANSWERS_H
#define DEMO_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

/* One answer. Both texts are static: the struct may be copied and needs no release. */
typedef struct demo_answer {
    const char *text; /* the tokens, with cut marks; read it through demo_answer_token */
    const char *lang; /* its language, as in a lang attribute: "en", "zh" */
} demo_answer;

/*
 * demo_answer_init - choose the answer.
 *
 * By the prompt's script; for Latin script by its commonest words; if they say nothing, by
 * Accept-Language; else English.
 *
 * a                the answer.                                                               [out]
 * prompt           `len` bytes, meant to be UTF-8; other bytes are passed over.
 * accept_language  the field's value, NUL-terminated, or NULL.
 */
void demo_answer_init(demo_answer *a, const char *prompt, size_t len, const char *accept_language);

/*
 * demo_answer_token - the token at `index`, counted from 0.
 *
 * Returns  true, with *token and *len set: whole characters, at least one byte, static storage;
 *          false past the last token.
 * Cost     one walk over the answer, at most 2 KiB.
 */
bool demo_answer_token(const demo_answer *a, unsigned index, const char **token, size_t *len);

#endif
