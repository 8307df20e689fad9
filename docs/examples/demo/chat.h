/* SPDX-License-Identifier: MIT */
/*
 * chat.h - the demo's chat: one question, an answer that streams in as Server-Sent Events.
 *
 *     chat_ask ask;
 *     int rv = chat_ask_read(&ask, &head);            while the head is there
 *     ... perhaps read a body ...
 *     chat_answer(c, &ask, prompt, prompt_len);       the connection is the chat's from here on
 *
 * On the wire each token is an event of its own: `id: ...`, and `data: "token"`, the token as a JSON string.
 * What else there is:
 *
 *   data: [DONE]                  the last event of a whole answer
 *   event: error, data: "..."     the last event of one that failed; the sentence is for people
 *   event: gap, data: ""          the first event, if the reader cannot get what it asked for by its
 *                                 Last-Event-ID, and the answer begins anew: forget what there was
 *
 * An answer that was cut off goes on behind Last-Event-ID for two minutes after its last reader has gone;
 * from an upstream only if it was complete by then: no language model works for somebody who is not there.
 */
#ifndef DEMO_CHAT_H
#define DEMO_CHAT_H

#include "../adapters/poll.h"

#include "upstream.h"

/* Longest question, in bytes, without the NUL behind it. */
#define CHAT_PROMPT_MAX 65536

/* Longest ID of an event of ours, in bytes. */
#define CHAT_ID_MAX 40

/* What the head of a request asks for, copied: the head is gone when a body has come. */
typedef struct chat_ask {
    weir_sse_request request;
    bool resumes;              /* there was a Last-Event-ID */
    char last_id[CHAT_ID_MAX]; /* that, if it can be one of ours; else empty */
    size_t last_id_len;
    char language[64]; /* Accept-Language, or empty */
} chat_ask;

/* Answers come from there instead of from the built-in generator; `api` must stay. */
void chat_upstream(const upstream_api *api);

/* Returns 0 or the weir_err to be answered. */
int chat_ask_read(chat_ask *ask, const weir_http_head *head);

/* Takes the connection over: writes the reply's head, then token after token as they are made. */
void chat_answer(conn *c, const chat_ask *ask, const char *prompt, size_t len);

#endif
