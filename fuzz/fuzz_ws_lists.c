/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ws_lists.c - lists of extensions and of subprotocols, in one field or several, against a slow reader
 * of their grammar: what is well formed, what is in them, which offer is taken, and that both sides of the
 * handshake over HTTP/2 agree.
 */
#include "fuzz.h"
#include "ws/extension.h"

enum { FIELDS_MOST = 8, PARAMS_MOST = 64 };

/* ---- A slow reader (RFC 6455 9.1) ------------------------------------------------------------------- */

typedef struct param {
    weir_str name;
    bool has_value;
    char value[64]; /* without quotes and backslashes */
} param;

typedef struct extension {
    weir_str name;
    param params[PARAMS_MOST];
    size_t count;
} extension;

static bool is_token(int byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte > 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static void blanks(weir_str *text)
{
    while (text->len != 0 && (*text->ptr == ' ' || *text->ptr == '\t'))
        *text = (weir_str){text->ptr + 1, text->len - 1};
}

static int next(weir_str *text)
{
    if (text->len == 0)
        return -1;
    int byte = *text->ptr;
    *text = (weir_str){text->ptr + 1, text->len - 1};
    return byte;
}

static weir_str token(weir_str *text)
{
    weir_str found = {text->ptr, 0};
    while (text->len != 0 && is_token(*text->ptr)) {
        (void)next(text);
        found.len++;
    }
    return found;
}

/* token / quoted-string; false if it is neither, or holds what no token does. */
static bool value(weir_str *text, param *p)
{
    size_t len = 0;
    p->has_value = true;
    memset(p->value, 0, sizeof p->value);
    if (text->len == 0 || *text->ptr != '"') {
        weir_str word = token(text);
        for (; len < word.len && len < sizeof p->value - 1; len++)
            p->value[len] = (char)word.ptr[len];
        return word.len != 0;
    }
    (void)next(text);
    for (int byte = next(text); byte != '"'; byte = next(text)) {
        if (byte == '\\')
            byte = next(text);
        if (!is_token(byte))
            return false;
        if (len < sizeof p->value - 1)
            p->value[len++] = (char)byte;
    }
    return true;
}

/* Returns 1 and an extension, 0 at the end, -1 if the list is malformed. */
static int slow_next(weir_str *text, extension *e)
{
    e->count = 0;
    for (blanks(text); text->len != 0 && *text->ptr == ','; blanks(text))
        (void)next(text);
    if (text->len == 0)
        return 0;
    e->name = token(text);
    if (e->name.len == 0)
        return -1;
    for (;;) {
        blanks(text);
        int byte = next(text);
        if (byte < 0 || byte == ',')
            return 1;
        if (byte != ';')
            return -1;
        blanks(text);
        param p = {token(text), false, {0}};
        blanks(text);
        if (p.name.len == 0)
            return -1;
        if (text->len != 0 && *text->ptr == '=') {
            (void)next(text);
            blanks(text);
            if (!value(text, &p))
                return -1;
        }
        if (e->count < PARAMS_MOST)
            e->params[e->count] = p;
        e->count++;
    }
}

/* 8 to 15 without leading zeros, or 0. */
static int slow_bits(const char *text)
{
    static const char *const good[] = {"8", "9", "10", "11", "12", "13", "14", "15"};
    for (int i = 0; i < 8; i++)
        if (strcmp(text, good[i]) == 0)
            return 8 + i;
    return 0;
}

/* Can a server with this policy meet an offer (RFC 7692 7.1)? */
static bool slow_accept(const extension *e, const weir_deflate_policy *policy, weir_deflate_params *params)
{
    int seen[4] = {0, 0, 0, 0}, bits[2] = {0, 0};
    if (!weir_str_is_nocase(e->name, "permessage-deflate"))
        return false;
    for (size_t i = 0; i < e->count && i < PARAMS_MOST; i++) {
        static const char *const names[] = {"server_no_context_takeover", "client_no_context_takeover",
                                            "server_max_window_bits", "client_max_window_bits"};
        const param *p = &e->params[i];
        int which = 0;
        while (which < 4 && !weir_str_is_nocase(p->name, names[which]))
            which++;
        if (which == 4 || seen[which]++ != 0)
            return false;
        if (which < 2 && p->has_value)
            return false;
        if (which == 2 && !p->has_value)
            return false;
        if (which >= 2 && p->has_value && (bits[which - 2] = slow_bits(p->value)) == 0)
            return false;
    }
    if (bits[0] == 8 || e->count > PARAMS_MOST)
        return false;
    int server = policy->server_bits >= 8 && policy->server_bits <= 15 ? policy->server_bits : 15;
    int client = policy->client_bits >= 8 && policy->client_bits <= 15 ? policy->client_bits : 15;
    server = bits[0] != 0 && bits[0] < server ? bits[0] : server;
    client = bits[1] != 0 && bits[1] < client ? bits[1] : client;
    params->server_bits = (uint8_t)server;
    params->client_bits = seen[3] != 0 ? (uint8_t)client : 15;
    params->server_no_takeover = seen[0] != 0 || policy->server_no_takeover;
    params->client_no_takeover = seen[1] != 0 || policy->client_no_takeover;
    return true;
}

/* ---- Extensions ------------------------------------------------------------------------------------- */

/* weir's reader says the same of this list; true if it is well formed. */
static bool compare_list(weir_str text)
{
    weir_str ours = text, theirs = text;
    weiri_extension e;
    static extension slow;
    int rv, wanted;
    do {
        rv = weiri_extension_next(&ours, &e);
        wanted = slow_next(&theirs, &slow);
        FUZZ_REQUIRE(rv == wanted);
        if (rv <= 0)
            break;
        FUZZ_REQUIRE(fuzz_same(e.name, slow.name));
        weiri_param p;
        size_t count = 0;
        for (; weiri_param_next(&e.params, &p); count++) {
            if (count >= PARAMS_MOST)
                continue;
            const param *s = &slow.params[count];
            FUZZ_REQUIRE(fuzz_same(p.name, s->name) && (p.value.ptr != NULL) == s->has_value);
            int number = s->has_value ? weiri_param_number(p.value) : 0;
            FUZZ_REQUIRE(!s->has_value || (number >= 8 && number <= 15 ? number : 0) == slow_bits(s->value));
        }
        FUZZ_REQUIRE(count == slow.count);
    } while (rv > 0);
    return rv == 0;
}

/* What a server agrees to, a client that offered as much takes; the answer is in its own grammar. */
static void check_agreed(const weir_deflate_params *params, const weir_deflate_policy *theirs)
{
    uint8_t bytes[WEIR_DEFLATE_VALUE_MAX];
    weir_deflate_params read;
    weir_out out = {bytes, sizeof bytes};
    FUZZ_REQUIRE(weir_deflate_answer_write(&out, params) == 0);
    weir_http_field field = {weir_cstr("Sec-WebSocket-Extensions"), {bytes, sizeof bytes - out.len}};
    weir_http_fields answer = {{NULL, 0}, &field, 1};
    FUZZ_REQUIRE(compare_list(field.value));
    int rv = weir_deflate_check(answer, theirs, &read);
    FUZZ_REQUIRE(rv == 1 || rv == WEIR_ERR_WS_EXTENSION);
    if (rv == 1) {
        FUZZ_REQUIRE(read.server_bits == params->server_bits && read.client_bits <= params->client_bits);
        FUZZ_REQUIRE(read.server_no_takeover == params->server_no_takeover);
        FUZZ_REQUIRE(read.client_no_takeover >= params->client_no_takeover);
    }
}

static void try_extensions(weir_http_fields fields, const weir_deflate_policy *ours,
                           const weir_deflate_policy *theirs)
{
    weir_deflate_params params, wanted = {0, 0, false, false, false, false};
    static extension e;
    bool valid = true, taken = false;
    for (size_t i = 0; i < fields.count; i++)
        valid = compare_list(fields.list[i].value) && valid;
    for (size_t i = 0; i < fields.count && valid; i++)
        for (weir_str text = fields.list[i].value; !taken && slow_next(&text, &e) > 0;)
            taken = slow_accept(&e, ours, &wanted);
    int rv = weir_deflate_negotiate(fields, ours, &params);
    FUZZ_REQUIRE(rv == (valid ? taken : WEIR_ERR_WS_EXTENSION_FORM));
    if (rv == 1) {
        FUZZ_REQUIRE(params.server_bits == wanted.server_bits && params.client_bits == wanted.client_bits);
        FUZZ_REQUIRE(params.server_no_takeover == wanted.server_no_takeover);
        FUZZ_REQUIRE(params.client_no_takeover == wanted.client_no_takeover);
        check_agreed(&params, theirs);
    }
    rv = weir_deflate_check(fields, theirs, &params);
    FUZZ_REQUIRE(rv == 0 || rv == 1 || rv == WEIR_ERR_WS_EXTENSION);
    FUZZ_REQUIRE(valid || rv == WEIR_ERR_WS_EXTENSION);
    FUZZ_REQUIRE(rv != 1 || (params.server_bits >= 8 && params.client_bits >= 8));
}

/* ---- Subprotocols ----------------------------------------------------------------------------------- */

/* A list of 1 to 32 distinct tokens over all fields (RFC 6455 4.1). */
static bool slow_protocols(weir_http_fields fields, weir_str *names, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < fields.count; i++) {
        weir_str text = fields.list[i].value;
        int byte;
        do {
            blanks(&text);
            weir_str name = token(&text);
            blanks(&text);
            byte = next(&text);
            if (name.len == 0 || *count == 32 || (byte >= 0 && byte != ','))
                return false;
            for (size_t j = 0; j < *count; j++)
                if (fuzz_same(names[j], name))
                    return false;
            names[(*count)++] = name;
        } while (byte >= 0);
    }
    return true;
}

/* The handshake over HTTP/2, whose fields need no parser of heads. */
static void try_protocols(weir_http_field *list, size_t count, bool of_extensions)
{
    static const char *const spoken[] = {"b", "chat", "x.y"};
    weir_http_head head;
    weir_ws_request req;
    weir_str names[32];
    size_t found = 0;
    int wanted = -1;
    memset(&head, 0, sizeof head);
    head.method = weir_cstr("CONNECT");
    head.target = weir_cstr("/");
    list[count] = (weir_http_field){weir_cstr("Sec-WebSocket-Version"), weir_cstr("13")};
    head.fields = (weir_http_fields){{NULL, 0}, list, count + 1};
    int rv = weir_ws_extended_read(&head, weir_cstr("websocket"), &req);
    if (of_extensions) {
        FUZZ_REQUIRE(rv == 0 || rv == WEIR_ERR_WS_EXTENSION_FORM);
        return;
    }
    bool valid = slow_protocols((weir_http_fields){{NULL, 0}, list, count}, names, &found);
    FUZZ_REQUIRE(rv == (valid ? 0 : WEIR_ERR_WS_PROTOCOL));
    if (!valid)
        return;
    for (size_t i = 0; i < found && wanted < 0; i++)
        for (int j = 0; j < 3; j++)
            if (weir_str_is(names[i], spoken[j]))
                wanted = j;
    FUZZ_REQUIRE(weir_ws_request_protocol(&req, spoken, 3) == wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    weir_http_field list[FIELDS_MOST + 1];
    uint8_t options = fuzz_byte(&input);
    weir_deflate_policy ours = {0, 0, (options & 2) != 0, (options & 4) != 0}, theirs = ours;
    ours.server_bits = fuzz_byte(&input) % 18;
    ours.client_bits = fuzz_byte(&input) % 18;
    theirs.server_bits = fuzz_byte(&input) % 18;
    theirs.client_bits = fuzz_byte(&input) % 18;
    theirs.server_no_takeover = (options & 8) != 0;
    bool of_extensions = (options & 1) == 0;
    uint8_t *text = fuzz_copy(input.at, input.left);
    size_t count = 0, begin = 0;
    for (size_t i = 0; i <= input.left && count < FIELDS_MOST; i++) {
        if (i < input.left && text[i] != '\n')
            continue;
        list[count].name = weir_cstr(of_extensions ? "Sec-WebSocket-Extensions" : "sec-websocket-protocol");
        list[count++].value = (weir_str){text + begin, i - begin};
        begin = i + 1;
    }
    if (of_extensions)
        try_extensions((weir_http_fields){{NULL, 0}, list, count}, &ours, &theirs);
    try_protocols(list, count, of_extensions);
    free(text);
    return 0;
}
