/* SPDX-License-Identifier: MIT */
/* handshake.c - floor 3: the opening handshake of a server (RFC 6455 4.2). */
#include "ws.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "base/find.h"
#include "base/sha1.h"
#include "base/sink.h"
#include "extension.h"
#include "http/http.h"

#define PROTOCOLS_MAX 32

/* What the request's fields said that matters here. */
typedef struct request_facts {
    bool upgrade;
    bool connection;
    bool extensions_wrong;
    bool protocols_wrong;
    unsigned keys;
    unsigned versions;
    weir_str key;
    weir_str version;
    weir_str origin;
    size_t protocols; /* distinct subprotocols seen */
    weir_str seen[PROTOCOLS_MAX];
} request_facts;

/* `token` as weiri_is_name wants it. */
static WEIRI_FAST bool list_has(weir_str list, weir_str token)
{
    weir_str member;
    if (weiri_is_name(list, token)) /* as most are */
        return true;
    while (weir_http_list_next(&list, &member))
        if (weiri_is_name(member, token))
            return true;
    return false;
}

/* The next member of a subprotocol list; unlike other lists it has no empty ones (RFC 6455 4.1). */
static bool protocol_next(weir_str *list, weir_str *member)
{
    size_t len = weiri_find(list->ptr, list->len, ',');
    *member = weiri_trim((weir_str){list->ptr, len});
    if (len == list->len)
        *list = (weir_str){NULL, 0};
    else
        *list = (weir_str){list->ptr + len + 1, list->len - len - 1};
    return weiri_all(*member, WEIRI_TOKEN);
}

/* Are all subprotocols of a field tokens, and distinct from those seen? Each is compared with all before it,
 * so there is a bound on their number. */
static bool facts_protocols(request_facts *facts, weir_str list)
{
    do {
        weir_str member;
        if (facts->protocols == PROTOCOLS_MAX || !protocol_next(&list, &member))
            return false;
        for (size_t i = 0; i < facts->protocols; i++)
            if (weiri_equal(facts->seen[i], member))
                return false;
        facts->seen[facts->protocols++] = member;
    } while (list.ptr != NULL);
    return true;
}

static void facts_field(request_facts *facts, const weir_http_field *field)
{
    const weir_str name = field->name, value = field->value;
    switch (name.len) {
    case 6:
        if (weiri_is_name(name, WEIRI_TEXT("origin")) && facts->origin.ptr == NULL)
            facts->origin = value;
        break;
    case 7:
        if (weiri_is_name(name, WEIRI_TEXT("upgrade")))
            facts->upgrade = facts->upgrade || list_has(value, WEIRI_TEXT("websocket"));
        break;
    case 10:
        if (weiri_is_name(name, WEIRI_TEXT("connection")))
            facts->connection = facts->connection || list_has(value, WEIRI_TEXT("upgrade"));
        break;
    case 17:
        if (weiri_is_name(name, WEIRI_TEXT("sec-websocket-key"))) {
            facts->keys++;
            facts->key = value;
        }
        break;
    case 21:
        if (weiri_is_name(name, WEIRI_TEXT("sec-websocket-version"))) {
            facts->versions++;
            facts->version = value;
        }
        break;
    case 22:
        if (weiri_is_name(name, WEIRI_TEXT("sec-websocket-protocol")))
            facts->protocols_wrong = facts->protocols_wrong || !facts_protocols(facts, value);
        break;
    case 24:
        if (weiri_is_name(name, WEIRI_TEXT("sec-websocket-extensions")))
            facts->extensions_wrong = facts->extensions_wrong || !weiri_extension_list_valid(value);
        break;
    default:
        break;
    }
}

/* A missing version is answered like a wrong one: the reply names the version we speak. */
static int version_check(const request_facts *facts)
{
    uint64_t number;
    if (facts->versions == 0)
        return WEIR_ERR_WS_VERSION;
    if (facts->versions > 1 || !weiri_decimal(facts->version, &number) ||
        (facts->version.ptr[0] == '0' && facts->version.len != 1))
        return WEIR_ERR_WS_VERSION_FORM;
    return number == 13 ? 0 : WEIR_ERR_WS_VERSION;
}

/* 16 bytes in base64 (RFC 4648 4): 22 digits and the padding. */
static bool key_valid(const request_facts *facts)
{
    weir_str key = facts->key;
    return facts->keys == 1 && key.len == 24 && key.ptr[22] == '=' && key.ptr[23] == '=' &&
           weiri_class_len(key.ptr, 22, WEIRI_BASE64) == 22;
}

void weiri_ws_accept_value(char accept[29], weir_str key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[64]; /* and room for weiri_sha1 */
    uint8_t digest[20];
    memcpy(text, key.ptr, 24);
    memcpy(text + 24, guid, sizeof guid - 1);
    weiri_sha1(text, digest);
    weiri_base64_encode(accept, digest, sizeof digest);
    accept[28] = '\0';
}

/* What holds over every version of HTTP: extensions, subprotocols. Fills what they share. */
static int request_common(const weir_http_head *head, weir_ws_request *req, request_facts *facts)
{
    weir_http_fields walk = head->fields;
    const weir_http_field *field;
    weir_http_field room;
    facts->upgrade = facts->connection = facts->extensions_wrong = facts->protocols_wrong = false;
    facts->keys = facts->versions = 0;
    facts->key = facts->version = facts->origin = (weir_str){NULL, 0};
    facts->protocols = 0;
    while ((field = weiri_http_field_next(&walk, &room)) != NULL)
        facts_field(facts, field);
    req->target = head->target;
    req->host = head->host;
    req->origin = facts->origin;
    req->fields = head->fields;
    req->accept[0] = '\0';
    if (facts->extensions_wrong)
        return WEIR_ERR_WS_EXTENSION_FORM;
    return facts->protocols_wrong ? WEIR_ERR_WS_PROTOCOL : 0;
}

/* What HTTP/1.1 asks for beside, in the order in which faults are reported. */
static int request_check(const weir_http_head *head, const request_facts *facts)
{
    bool empty = head->framing == WEIR_HTTP_SIZED && head->body_len == 0;
    if (!facts->upgrade)
        return WEIR_ERR_WS_UPGRADE;
    if (!facts->connection)
        return WEIR_ERR_WS_CONNECTION;
    int rv = version_check(facts);
    if (rv != 0)
        return rv;
    if (!key_valid(facts))
        return WEIR_ERR_WS_KEY;
    return head->framing == WEIR_HTTP_NO_BODY || empty ? 0 : WEIR_ERR_WS_BODY;
}

int weir_ws_request_read(const weir_http_head *head, weir_ws_request *req)
{
    request_facts facts;
    weir_str path, query;
    int common = request_common(head, req, &facts);
    if (!weir_str_is(head->method, "GET"))
        return WEIR_ERR_WS_METHOD;
    if (head->minor == 0)
        return WEIR_ERR_WS_HTTP;
    if (weir_http_target_split(head->target, &path, &query) != 0)
        return WEIR_ERR_HTTP_TARGET;
    int rv = request_check(head, &facts);
    if (rv != 0 || common != 0)
        return rv != 0 ? rv : common;
    weiri_ws_accept_value(req->accept, facts.key);
    return 0;
}

int weir_ws_extended_read(const weir_http_head *head, weir_str protocol, weir_ws_request *req)
{
    request_facts facts;
    int common = request_common(head, req, &facts);
    if (!weir_str_is(head->method, "CONNECT"))
        return WEIR_ERR_WS_METHOD;
    if (!weir_str_is(protocol, "websocket"))
        return WEIR_ERR_WS_TUNNEL;
    if (head->target.len == 0 || head->target.ptr[0] != '/')
        return WEIR_ERR_HTTP_TARGET;
    int rv = version_check(&facts);
    return rv != 0 ? rv : common;
}

int weir_ws_request_protocol(const weir_ws_request *req, const char *const *supported, size_t count)
{
    weir_http_fields walk = req->fields;
    weir_str list, member;
    while (weir_http_fields_find(&walk, "sec-websocket-protocol", &list))
        while (weir_http_list_next(&list, &member))
            for (size_t i = 0; i < count; i++)
                if (weir_str_is(member, supported[i]))
                    return (int)i;
    return -1;
}

static void accept_put(weiri_sink *sink, const weir_ws_request *req, const weir_ws_accept *accept)
{
    const weir_str accept_value = {(const uint8_t *)req->accept, sizeof req->accept - 1};
    weiri_sink_put(sink, WEIRI_TEXT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                    "Connection: Upgrade\r\nSec-WebSocket-Accept: "));
    weiri_sink_put(sink, accept_value);
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    if (accept->protocol != NULL) {
        weiri_sink_put(sink, WEIRI_TEXT("Sec-WebSocket-Protocol: "));
        weiri_sink_text(sink, accept->protocol);
        weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
    }
    if (accept->deflate != NULL) {
        uint8_t value[WEIR_DEFLATE_VALUE_MAX];
        weir_out out = {value, sizeof value};
        (void)weir_deflate_answer_write(&out, accept->deflate);
        weir_http_field field = {weir_cstr("Sec-WebSocket-Extensions"), {value, sizeof value - out.len}};
        weiri_http_field_put(sink, &field);
    }
    for (size_t i = 0; i < accept->field_count; i++)
        weiri_http_field_put(sink, &accept->fields[i]);
    weiri_sink_put(sink, WEIRI_TEXT("\r\n"));
}

int weir_ws_accept_write(weir_out *out, const weir_ws_request *req, const weir_ws_accept *accept)
{
    static const weir_ws_accept nothing = {NULL, NULL, 0, NULL};
    if (accept == NULL)
        accept = &nothing;
    if (req->accept[0] == '\0')
        return WEIR_ERR_ARG;
    if (accept->protocol != NULL && weir_ws_request_protocol(req, &accept->protocol, 1) < 0)
        return WEIR_ERR_FIELD;
    if (!weiri_http_fields_valid(accept->fields, accept->field_count))
        return WEIR_ERR_FIELD;
    weiri_sink measure = {NULL, 0};
    accept_put(&measure, req, accept);
    weiri_sink sink;
    if (weiri_sink_claim(out, measure.len, &sink) != 0)
        return WEIR_ERR_SPACE;
    accept_put(&sink, req, accept);
    return 0;
}
