/* SPDX-License-Identifier: MIT */
/* check.c - floor 2: what can only be judged over a whole head: Host, framing, persistence. */
#include "http.h"

#include "base/ascii.h"

/* "[" IPv6 "]": at least two colons, hexadecimal digits, dots of an embedded IPv4 address. */
static bool host_ipv6_valid(weir_str inside)
{
    unsigned colons = 0;
    for (size_t i = 0; i < inside.len; i++) {
        uint8_t c = inside.ptr[i];
        if (c == ':')
            colons++;
        else if (c != '.' && weiri_hex(c) < 0)
            return false;
    }
    return colons >= 2 && inside.len <= 45;
}

static bool host_name_valid(weir_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (weiri_is(name.ptr[i], WEIRI_HOST))
            continue;
        if (name.ptr[i] != '%' || name.len - i < 3 || weiri_hex(name.ptr[i + 1]) < 0 ||
            weiri_hex(name.ptr[i + 2]) < 0)
            return false;
        i += 2;
    }
    return name.len != 0;
}

bool weiri_http_host_valid(weir_str host)
{
    size_t end = 0;
    if (host.len != 0 && host.ptr[0] == '[') {
        while (end < host.len && host.ptr[end] != ']')
            end++;
        if (end == host.len || !host_ipv6_valid((weir_str){host.ptr + 1, end - 1}))
            return false;
        end++;
    } else {
        while (end < host.len && host.ptr[end] != ':')
            end++;
        if (!host_name_valid((weir_str){host.ptr, end}))
            return false;
    }
    if (end == host.len)
        return true;
    if (host.ptr[end] != ':')
        return false;
    uint64_t port = 0;
    weir_str digits = {host.ptr + end + 1, host.len - end - 1};
    return digits.len == 0 || (weiri_decimal(digits, &port) && port <= 65535);
}

/* What the fields said that matter here. */
typedef struct head_facts {
    unsigned hosts;
    unsigned lengths;
    unsigned encodings; /* Transfer-Encoding fields */
    unsigned chunkeds;  /* members `chunked` in them */
    unsigned unknowns;  /* other members */
    weir_str length;
    bool close;
    bool keep_alive;
} head_facts;

static void facts_coding(head_facts *facts, weir_str value)
{
    weir_str member;
    facts->encodings++;
    while (weir_http_list_next(&value, &member)) {
        if (weir_str_is_nocase(member, "chunked"))
            facts->chunkeds++;
        else
            facts->unknowns++;
    }
}

static void facts_connection(head_facts *facts, weir_str value)
{
    weir_str member;
    while (weir_http_list_next(&value, &member)) {
        facts->close = facts->close || weir_str_is_nocase(member, "close");
        facts->keep_alive = facts->keep_alive || weir_str_is_nocase(member, "keep-alive");
    }
}

static head_facts facts_gather(weir_http_head *head)
{
    head_facts facts = {0, 0, 0, 0, 0, {NULL, 0}, false, false};
    weir_http_fields walk = head->fields;
    weir_http_field field;
    while (weir_http_fields_next(&walk, &field)) {
        switch (field.name.len) {
        case 4:
            if (weir_str_is_nocase(field.name, "host")) {
                facts.hosts++;
                head->host = field.value;
            }
            break;
        case 10:
            if (weir_str_is_nocase(field.name, "connection"))
                facts_connection(&facts, field.value);
            break;
        case 14:
            if (weir_str_is_nocase(field.name, "content-length")) {
                facts.lengths++;
                facts.length = field.value;
            }
            break;
        case 17:
            if (weir_str_is_nocase(field.name, "transfer-encoding"))
                facts_coding(&facts, field.value);
            break;
        default:
            break;
        }
    }
    return facts;
}

static bool status_has_body(unsigned status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* RFC 9112 6.3, with every contradiction refused: each is a way to make two readers of one stream
 * disagree about where the next message begins. */
static int head_framing(weir_http_head *head, const head_facts *facts)
{
    if (facts->lengths > 1 || (facts->lengths == 1 && !weiri_decimal(facts->length, &head->body_len)))
        return WEIR_ERR_HTTP_LENGTH;
    if (facts->encodings != 0) {
        if (facts->lengths != 0 || head->minor == 0)
            return WEIR_ERR_HTTP_FRAMING;
        if (facts->unknowns != 0)
            return WEIR_ERR_HTTP_CODING;
        if (facts->chunkeds != 1)
            return WEIR_ERR_HTTP_FRAMING;
    }
    if (head->kind == WEIR_HTTP_RESPONSE && !status_has_body(head->status))
        head->framing = WEIR_HTTP_NO_BODY;
    else if (facts->encodings != 0)
        head->framing = WEIR_HTTP_CHUNKED;
    else if (facts->lengths != 0)
        head->framing = WEIR_HTTP_SIZED;
    else
        head->framing = head->kind == WEIR_HTTP_RESPONSE ? WEIR_HTTP_UNTIL_CLOSE : WEIR_HTTP_NO_BODY;
    if (head->framing != WEIR_HTTP_SIZED)
        head->body_len = 0;
    return 0;
}

int weiri_http_head_check(weir_http_head *head)
{
    head_facts facts = facts_gather(head);
    if (head->kind == WEIR_HTTP_REQUEST) {
        if (facts.hosts > 1 || (facts.hosts == 0 && head->minor != 0))
            return WEIR_ERR_HTTP_HOST;
        if (facts.hosts == 1 && !weiri_http_host_valid(head->host))
            return WEIR_ERR_HTTP_HOST;
    }
    int err = head_framing(head, &facts);
    if (err != 0)
        return err;
    head->keep_alive =
        !facts.close && (head->minor != 0 || facts.keep_alive) && head->framing != WEIR_HTTP_UNTIL_CLOSE;
    return 0;
}
