/* SPDX-License-Identifier: MIT */
/*
 * chat.h - the demo's chat: one question, an answer that streams in as Server-Sent Events.
 *
 *     chat_ask ask;
 *     int rv = chat_ask_read(&ask, &head);            while the head is there
 *     ... perhaps read a body ...
 *     chat_answer(c, &ask, prompt, prompt_len);       the connection is the chat's from here on
 *
 * On the wire each token is an event of its own, `id: 1` and `data: "token"` with the token as a JSON
 * string; the last event is `data: [DONE]`. Ids count the tokens, so that a reader that was cut off
 * says Last-Event-ID and gets the rest.
 */
#ifndef DEMO_CHAT_H
#define DEMO_CHAT_H

#include "../adapters/poll.h"

/* Longest question, in bytes, without the NUL behind it. */
#define CHAT_PROMPT_MAX 65536

/* What the head of a request asks for, copied: the head is gone when a body has come. */
typedef struct chat_ask {
    weir_sse_request request;
    unsigned last_id;  /* the reader has all up to here; 0 from the beginning */
    char language[64]; /* Accept-Language, or empty */
} chat_ask;

/* Returns 0 or the weir_err to be answered. */
int chat_ask_read(chat_ask *ask, const weir_http_head *head);

/* Takes the connection over: writes the reply's head, then token after token as time passes. */
void chat_answer(conn *c, const chat_ask *ask, const char *prompt, size_t len);

#endif
