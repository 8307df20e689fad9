/* SPDX-License-Identifier: MIT */
/*
 * upstream.h - an answer from a language model: one request to an OpenAI-compatible chat-completions
 * endpoint, read as an event stream, token by token.
 *
 *     upstream_api api = {.model = "m", .timeout_ms = 60000};
 *     const char *fault = upstream_api_init(&api, "http://127.0.0.1:8080/v1", getenv("UPSTREAM_API_KEY"));
 *     u = upstream_ask(l, &api, prompt, len, &mine, user);
 *
 * What is understood as a stream: events whose data is a chat.completion.chunk (choice 0's delta.content is
 * the token, all else in it is passed over), ended by `data: [DONE]` or by the end of the response after a
 * finish_reason; line ends of any kind, comments, a missing last blank line. What ends it as a fault: an
 * `event: error` or a chunk with `error`, a status other than 200, any other media type, a response that
 * breaks off or is silent for timeout_ms, and what is not JSON. An event may have UPSTREAM_EVENT_MAX bytes.
 */
#ifndef DEMO_UPSTREAM_H
#define DEMO_UPSTREAM_H

#include "../adapters/poll.h"

#define UPSTREAM_EVENT_MAX (4 * 1024 * 1024)

typedef struct upstream_api {
    const char *model;
    uint64_t timeout_ms; /* silence of the server that ends an answer, before its first byte and between */
    char url[2048];      /* of the endpoint */
    char authorization[1024]; /* value of that field, or empty */
} upstream_api;

typedef struct upstream upstream;

/* What to do with an answer. */
typedef struct upstream_handler {
    void (*token)(void *user, const char *text, size_t len); /* UTF-8, not empty */
    void (*over)(void *user,
                 const char *fault); /* the last, once: NULL if the answer is whole, else a sentence
                                                    for people. The upstream is gone then */
} upstream_handler;

/*
 * upstream_api_init - set url and authorization.
 *
 * base     the endpoint's whole URL, or what stands before `/chat/completions` in it. A query stays last.
 * key      sent as `Authorization: Bearer KEY`, and never to another origin; NULL or empty for none.
 *
 * Returns  NULL, or what is wrong.
 */
const char *upstream_api_init(upstream_api *api, const char *base, const char *key);

/* Asks. `api` must stay. Returns NULL without memory; `over` is not called then. */
upstream *upstream_ask(loop *l, const upstream_api *api, const char *prompt, size_t len,
                       const upstream_handler *on, void *user);

/* Reads no more from the server meanwhile. At most one token still comes. */
void upstream_pause(upstream *u, bool pause);

/* Closes the connection at once; `over` is not called. Not to be called from `token` or `over`. */
void upstream_leave(upstream *u);

#endif
