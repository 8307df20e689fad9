/* SPDX-License-Identifier: MIT */
/* upstream.c - from the events of a chat-completions endpoint to tokens, or to a sentence why not. */
#include "upstream.h"

#include "../common/sse_client.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REFUSAL_MAX = 8192, DETAIL_MAX = 300 };

static const char completions[] = "/chat/completions";

struct upstream {
    sse_client client;
    const upstream_handler *on;
    void *user;
    char *body; /* of the request */
    weir_http_field fields[1];
    bool any;                /* there has been a token */
    bool finished;           /* there has been a finish_reason: only figures may follow */
    bool done;               /* there has been [DONE] */
    char detail[DETAIL_MAX]; /* what the server says is wrong, or empty */
    const char *why;         /* what is wrong, if it was not the connection */
    buffer *refusal;         /* the body of a refused response */
};

/* ---- The endpoint ------------------------------------------------------------------------------- */

static bool ends_with(weir_str text, const char *end)
{
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.ptr + text.len - len, end, len) == 0;
}

const char *upstream_api_init(upstream_api *api, const char *base, const char *key)
{
    weir_http_uri uri;
    if (weir_http_uri_parse(weir_cstr(base), &uri) != 0 || uri.websocket)
        return "not an http URL";
    if (uri.secure)
        return "this program has no TLS: put a proxy that has it in between, and give the proxy's http URL";
    if (uri.userinfo.ptr != NULL)
        return "a user in the URL is not sent; give the key in the environment";
    size_t path_len = uri.path.len;
    while (path_len > 0 && uri.path.ptr[path_len - 1] == '/')
        path_len--;
    weir_str path = {uri.path.ptr, path_len};
    int size = snprintf(api->url, sizeof api->url, "http://%.*s%.*s%s%s%.*s", (int)uri.authority.len,
                        (const char *)uri.authority.ptr, (int)path.len, (const char *)path.ptr,
                        ends_with(path, completions) ? "" : completions, uri.query.ptr != NULL ? "?" : "",
                        (int)uri.query.len, uri.query.ptr != NULL ? (const char *)uri.query.ptr : "");
    if (size < 0 || (size_t)size >= sizeof api->url)
        return "the URL is too long";
    if (key == NULL || *key == '\0')
        return NULL;
    for (const char *c = key; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return "the key in the environment has a character that no key has";
    size = snprintf(api->authorization, sizeof api->authorization, "Bearer %s", key);
    return size > 0 && (size_t)size < sizeof api->authorization ? NULL
                                                                : "the key in the environment is too long";
}

/* ---- The end ------------------------------------------------------------------------------------ */

void upstream_leave(upstream *u)
{
    sse_client_stop(&u->client);
    buffer_free(&u->refusal);
    free(u->body);
    free(u);
}

/* Whole characters only. */
static void note_detail(upstream *u, const char *text, size_t len)
{
    size_t n = len < DETAIL_MAX ? len : DETAIL_MAX - 1;
    while (n > 0 && n < len && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    memcpy(u->detail, text, n);
    u->detail[n] = '\0';
}

static bool note_string(upstream *u, json_value value)
{
    size_t len = 0;
    char *text = malloc(value.len + 1);
    bool is_string = text != NULL && json_text(value, text, &len);
    if (is_string)
        note_detail(u, text, len);
    free(text);
    return is_string;
}

/* {"error":{"message":"..."}}, {"error":"..."}, {"message":"..."}, {"detail":"..."}: all are in use. */
static void note_error(upstream *u, json_value all)
{
    json_value error, message;
    if (json_get(all, "error", &error)) {
        if (!(json_get(error, "message", &message) && note_string(u, message)))
            note_string(u, error);
    } else if (json_get(all, "message", &message) || json_get(all, "detail", &message)) {
        note_string(u, message);
    }
}

static void over(sse_client *s)
{
    upstream *u = s->user;
    char fault[80 + sizeof s->fault + DETAIL_MAX];
    json_value body;
    bool whole = u->done || (u->finished && u->why == NULL);
    if (buffer_size(u->refusal) > 0 &&
        json_read((const char *)buffer_bytes(u->refusal), buffer_size(u->refusal), &body))
        note_error(u, body);
    const char *why = u->why != NULL ? u->why : s->fault[0] != '\0' ? s->fault : "the server ended it early";
    snprintf(fault, sizeof fault, "%s: %s%s%s%s",
             u->any ? "The answer broke off" : "The language model did not answer", why,
             u->detail[0] != '\0' ? " (" : "", u->detail, u->detail[0] != '\0' ? ")" : "");
    u->on->over(u->user, whole ? NULL : fault);
    upstream_leave(u);
}

/* ---- Events ------------------------------------------------------------------------------------- */

/* Nothing more is read; `over` follows. */
static void fail(upstream *u, const char *why)
{
    u->why = why;
    weir_sse_source_close(&u->client.source);
}

/* The choice that was asked for: who asks for one may get others beside it. */
static bool first_choice(json_value all, json_value *choice)
{
    json_value choices, index;
    if (!json_get(all, "choices", &choices))
        return false;
    while (json_next(&choices, choice))
        if (!json_get(*choice, "index", &index) || json_is(index, "0"))
            return true;
    return false;
}

static void give(upstream *u, json_value content)
{
    size_t len = 0;
    char *text = malloc(content.len);
    if (text == NULL) {
        fail(u, "out of memory");
    } else if (json_text(content, text, &len) && len > 0) {
        u->any = true;
        u->on->token(u->user, text, len);
    }
    free(text);
}

static void read_chunk(upstream *u, weir_str data)
{
    json_value all, error, choice, delta, content, reason;
    if (!json_read((const char *)data.ptr, data.len, &all) || all.text[0] != '{') {
        fail(u, "the server sent something that is not JSON");
        return;
    }
    if (json_get(all, "error", &error) && !json_is(error, "null")) {
        note_error(u, all);
        fail(u, "the server reported an error");
        return;
    }
    if (!first_choice(all, &choice))
        return;
    if (json_get(choice, "delta", &delta) && json_get(delta, "content", &content))
        give(u, content);
    if (json_get(choice, "finish_reason", &reason) && !json_is(reason, "null"))
        u->finished = true;
}

static void read_event(sse_client *s, const weir_sse_item *item)
{
    upstream *u = s->user;
    json_value all;
    if (item->data.len >= 6 && memcmp(item->data.ptr, "[DONE]", 6) == 0) {
        u->done = true;
        weir_sse_source_close(&s->source);
    } else if (weir_str_is(item->type, "error")) {
        if (json_read((const char *)item->data.ptr, item->data.len, &all))
            note_error(u, all);
        fail(u, "the server reported an error");
    } else {
        read_chunk(u, item->data);
    }
}

static void item(sse_client *s, const weir_sse_item *found)
{
    upstream *u = s->user;
    if (found->kind == WEIR_SSE_EVENT && !u->done && u->why == NULL)
        read_event(s, found);
    else if (found->kind == WEIR_SSE_BODY && buffer_size(u->refusal) + found->data.len <= REFUSAL_MAX)
        buffer_put(&u->refusal, found->data.ptr, found->data.len);
}

/* ---- The request -------------------------------------------------------------------------------- */

static char *write_body(const char *model, const char *prompt, size_t len)
{
    static const char before[] = "{\"model\":";
    static const char between[] = ",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":";
    static const char behind[] = "}]}";
    size_t cap = sizeof before + sizeof between + sizeof behind + 6 * (strlen(model) + len) + 8;
    char *body = malloc(cap);
    if (body == NULL)
        return NULL;
    size_t at = 0;
    memcpy(body, before, sizeof before - 1);
    at += sizeof before - 1;
    at += json_string(body + at, cap - at, model, strlen(model));
    memcpy(body + at, between, sizeof between - 1);
    at += sizeof between - 1;
    at += json_string(body + at, cap - at, prompt, len);
    memcpy(body + at, behind, sizeof behind);
    return body;
}

upstream *upstream_ask(loop *l, const upstream_api *api, const char *prompt, size_t len,
                       const upstream_handler *on, void *user)
{
    static const sse_client_handler reading = {.item = item, .over = over};
    weir_sse_source_cfg cfg;
    upstream *u = calloc(1, sizeof *u);
    if (u == NULL)
        return NULL;
    u->on = on;
    u->user = user;
    u->body = write_body(api->model, prompt, len);
    u->client = (sse_client){.on = &reading, .user = u};
    u->fields[0] = (weir_http_field){weir_cstr("Authorization"), weir_cstr(api->authorization)};
    weir_sse_source_cfg_init(&cfg);
    cfg.flags = WEIR_SSE_ONCE | WEIR_SSE_REFUSAL_BODY;
    cfg.url = weir_cstr(api->url);
    cfg.body = weir_cstr(u->body);
    cfg.fields = u->fields;
    cfg.field_count = api->authorization[0] != '\0' ? 1 : 0;
    cfg.response_ms = cfg.idle_ms = api->timeout_ms;
    cfg.parser.flags = WEIR_SSE_REPAIR | WEIR_SSE_FLUSH;
    if (u->body == NULL || sse_client_start(&u->client, l, &cfg, UPSTREAM_EVENT_MAX) != 0) {
        upstream_leave(u);
        return NULL;
    }
    return u;
}

void upstream_pause(upstream *u, bool pause)
{
    sse_client_pause(&u->client, pause);
}
