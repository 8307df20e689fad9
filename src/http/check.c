/* SPDX-License-Identifier: MIT */
/* check.c - floor 2: what can only be judged over a whole head: Host, framing, persistence. */
#include "http.h"

#include "base/ascii.h"

/* What the fields of a head say that matters for every head. */
typedef struct head_facts {
    unsigned hosts;
    unsigned lengths;
    unsigned encodings; /* Transfer-Encoding fields */
    unsigned chunkeds;  /* members `chunked` in them */
    unsigned unknowns;  /* other members */
    weir_str host;
    weir_str length;
    bool close;
    bool keep_alive;
} head_facts;

static void facts_coding(head_facts *facts, weir_str value)
{
    weir_str member;
    facts->encodings++;
    while (weir_http_list_next(&value, &member)) {
        if (weiri_is_name(member, WEIRI_TEXT("chunked")))
            facts->chunkeds++;
        else
            facts->unknowns++;
    }
}

static void facts_connection(head_facts *facts, weir_str value)
{
    weir_str member;
    while (weir_http_list_next(&value, &member)) {
        facts->close = facts->close || weiri_is_name(member, WEIRI_TEXT("close"));
        facts->keep_alive = facts->keep_alive || weiri_is_name(member, WEIRI_TEXT("keep-alive"));
    }
}

/* Bit n: names of n bytes matter. Most fields have others. */
#define LENGTH(n) (UINT64_C(1) << (n))
#define FACTS_LENGTHS (LENGTH(4) | LENGTH(10) | LENGTH(14) | LENGTH(17))

static void facts_add(head_facts *facts, const weir_http_field *field)
{
    switch (field->name.len) {
    case 4:
        if (weiri_is_name(field->name, WEIRI_TEXT("host"))) {
            facts->hosts++;
            facts->host = field->value;
        }
        break;
    case 10:
        if (weiri_is_name(field->name, WEIRI_TEXT("connection")))
            facts_connection(facts, field->value);
        break;
    case 14:
        if (weiri_is_name(field->name, WEIRI_TEXT("content-length"))) {
            facts->lengths++;
            facts->length = field->value;
        }
        break;
    default: /* 17, or longer than 64 */
        if (weiri_is_name(field->name, WEIRI_TEXT("transfer-encoding")))
            facts_coding(facts, field->value);
        break;
    }
}

static void facts_gather(head_facts *facts, const weir_http_fields *fields)
{
    weir_http_fields walk = *fields;
    const weir_http_field *field;
    weir_http_field room;
    while ((field = weiri_http_field_next(&walk, &room)) != NULL)
        if ((FACTS_LENGTHS >> field->name.len % 64 & 1) != 0)
            facts_add(facts, field);
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

/* Host must be right whatever it is for. RFC 9112 3.2.2 and 3.3: what a target in absolute-form says is the
 * host, and so is the target of CONNECT, which has a port (RFC 9110 9.3.6); whoever went by Host could be led
 * to another than a proxy in front of us was. */
static int head_host(weir_http_head *head, const head_facts *facts)
{
    unsigned default_port;
    weir_str authority, rest;
    if (facts->hosts > 1 || (facts->hosts == 0 && head->minor != 0))
        return WEIR_ERR_HTTP_HOST;
    if (facts->hosts == 1 && !weiri_http_host_valid(facts->host))
        return WEIR_ERR_HTTP_HOST;
    if (head->target.len == 0 || head->target.ptr[0] == '/')
        return 0;
    bool tunnel = weir_str_is(head->method, "CONNECT");
    if (tunnel)
        authority = head->target;
    else if (!weiri_http_authority(head->target, &default_port, &authority, &rest))
        return 0;
    head->host = authority;
    if (!weiri_http_host_valid(authority) || (tunnel && weiri_http_port_cut(&authority, 0) == 0))
        return WEIR_ERR_HTTP_TARGET;
    return 0;
}

int weiri_http_head_check(weir_http_head *head)
{
    head_facts gathered = {0, 0, 0, 0, 0, {NULL, 0}, {NULL, 0}, false, false};
    const head_facts *facts = &gathered;
    facts_gather(&gathered, &head->fields);
    head->host = facts->host;
    int err = head->kind == WEIR_HTTP_REQUEST ? head_host(head, facts) : 0;
    if (err == 0)
        err = head_framing(head, facts);
    if (err != 0)
        return err;
    head->keep_alive =
        !facts->close && (head->minor != 0 || facts->keep_alive) && head->framing != WEIR_HTTP_UNTIL_CLOSE;
    return 0;
}
