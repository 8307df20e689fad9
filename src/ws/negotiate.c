/* SPDX-License-Identifier: MIT */
/* negotiate.c - floor 3: which permessage-deflate two sides agree on (RFC 7692 5 and 7.1). */
#include "weir/deflate.h"

#include "base/sink.h"
#include "extension.h"

/* The parameters of one offer or answer. */
typedef struct deflate_terms {
    bool server_no_takeover;
    bool client_no_takeover;
    bool server_named;
    bool client_named;
    int server_bits; /* 0 if not named */
    int client_bits; /* 0 if not named, or named without a value */
} deflate_terms;

static bool terms_flag(bool *flag, const weiri_param *param)
{
    bool good = !*flag && param->value.ptr == NULL;
    *flag = true;
    return good;
}

/* A window's size. Only an offer may name the client's without a value. */
static bool terms_bits(bool *named, int *bits, const weiri_param *param, bool value_optional)
{
    if (*named || (param->value.ptr == NULL && !value_optional))
        return false;
    *named = true;
    *bits = param->value.ptr != NULL ? weiri_param_number(param->value) : 0;
    return param->value.ptr == NULL || (*bits >= 8 && *bits <= 15);
}

static bool terms_read(deflate_terms *terms, weir_str params, bool is_offer)
{
    weiri_param param;
    *terms = (deflate_terms){false, false, false, false, 0, 0};
    while (weiri_param_next(&params, &param)) {
        bool good = false;
        if (weir_str_is_nocase(param.name, "server_no_context_takeover"))
            good = terms_flag(&terms->server_no_takeover, &param);
        else if (weir_str_is_nocase(param.name, "client_no_context_takeover"))
            good = terms_flag(&terms->client_no_takeover, &param);
        else if (weir_str_is_nocase(param.name, "server_max_window_bits"))
            good = terms_bits(&terms->server_named, &terms->server_bits, &param, false);
        else if (weir_str_is_nocase(param.name, "client_max_window_bits"))
            good = terms_bits(&terms->client_named, &terms->client_bits, &param, is_offer);
        if (!good)
            return false;
    }
    return true;
}

static int least_bits(int wanted, int asked)
{
    if (wanted < 8 || wanted > 15)
        wanted = 15;
    return asked != 0 && asked < wanted ? asked : wanted;
}

static const weir_deflate_policy policy_default = {0, 0, false, false};

/* A window of 8 bits is declined: zlib cannot compress with one, and would not say so. */
static bool offer_accept(weir_str offer, const weir_deflate_policy *policy, weir_deflate_params *params)
{
    deflate_terms terms;
    if (!terms_read(&terms, offer, true) || terms.server_bits == 8)
        return false;
    params->server_bits = (uint8_t)least_bits(policy->server_bits, terms.server_bits);
    params->client_bits =
        terms.client_named ? (uint8_t)least_bits(policy->client_bits, terms.client_bits) : 15;
    params->server_no_takeover = terms.server_no_takeover || policy->server_no_takeover;
    params->client_no_takeover = terms.client_no_takeover || policy->client_no_takeover;
    params->server_bits_named_ = terms.server_named || params->server_bits < 15;
    params->client_bits_named_ = terms.client_named && params->client_bits < 15;
    return true;
}

int weir_deflate_negotiate(weir_http_fields fields, const weir_deflate_policy *policy,
                           weir_deflate_params *params)
{
    weir_str list;
    weiri_extension extension;
    if (policy == NULL)
        policy = &policy_default;
    if (!weiri_extensions_valid(fields))
        return WEIR_ERR_WS_EXTENSION_FORM;
    while (weir_http_fields_find(&fields, "sec-websocket-extensions", &list))
        while (weiri_extension_next(&list, &extension) > 0)
            if (weir_str_is_nocase(extension.name, "permessage-deflate") &&
                offer_accept(extension.params, policy, params))
                return 1;
    return 0;
}

/* The server may limit the client's window only because every offer of ours names it. */
static bool answer_accept(weir_str answer, const weir_deflate_policy *policy, weir_deflate_params *params)
{
    deflate_terms terms;
    if (!terms_read(&terms, answer, false))
        return false;
    int server_most = least_bits(policy->server_bits, 0);
    int client_most = least_bits(policy->client_bits, 0);
    if (terms.client_bits > client_most || (policy->server_no_takeover && !terms.server_no_takeover))
        return false;
    if (terms.server_bits > server_most || (terms.server_bits == 0 && server_most < 15))
        return false;
    params->server_bits = (uint8_t)(terms.server_named ? terms.server_bits : 15);
    params->client_bits = (uint8_t)(terms.client_named ? terms.client_bits : client_most);
    params->server_no_takeover = terms.server_no_takeover;
    params->client_no_takeover = terms.client_no_takeover || policy->client_no_takeover;
    params->server_bits_named_ = terms.server_named;
    params->client_bits_named_ = terms.client_named;
    return true;
}

int weir_deflate_check(weir_http_fields fields, const weir_deflate_policy *policy,
                       weir_deflate_params *params)
{
    weir_str list;
    weiri_extension extension;
    bool agreed = false;
    while (weir_http_fields_find(&fields, "sec-websocket-extensions", &list)) {
        int rv;
        while ((rv = weiri_extension_next(&list, &extension)) > 0) {
            if (agreed || policy == NULL || !weir_str_is_nocase(extension.name, "permessage-deflate") ||
                !answer_accept(extension.params, policy, params))
                return WEIR_ERR_WS_EXTENSION;
            agreed = true;
        }
        if (rv < 0)
            return WEIR_ERR_WS_EXTENSION;
    }
    return agreed;
}

static void terms_put(weiri_sink *sink, const deflate_terms *terms)
{
    weiri_sink_put(sink, WEIRI_TEXT("permessage-deflate"));
    if (terms->server_no_takeover)
        weiri_sink_put(sink, WEIRI_TEXT("; server_no_context_takeover"));
    if (terms->client_no_takeover)
        weiri_sink_put(sink, WEIRI_TEXT("; client_no_context_takeover"));
    if (terms->server_named) {
        weiri_sink_put(sink, WEIRI_TEXT("; server_max_window_bits="));
        weiri_sink_number(sink, (uint64_t)terms->server_bits, 10);
    }
    if (terms->client_named)
        weiri_sink_put(sink, WEIRI_TEXT("; client_max_window_bits"));
    if (terms->client_named && terms->client_bits != 0) {
        weiri_sink_put(sink, WEIRI_TEXT("="));
        weiri_sink_number(sink, (uint64_t)terms->client_bits, 10);
    }
}

static int terms_write(weir_out *out, const deflate_terms *terms)
{
    uint8_t value[WEIR_DEFLATE_VALUE_MAX];
    weiri_sink sink = {value, 0};
    terms_put(&sink, terms);
    return weir_out_put(out, (weir_str){value, sink.len});
}

int weir_deflate_offer_write(weir_out *out, const weir_deflate_policy *policy)
{
    int server_bits = least_bits(policy->server_bits, 0);
    int client_bits = least_bits(policy->client_bits, 0);
    deflate_terms terms = {
        policy->server_no_takeover,        policy->client_no_takeover, server_bits < 15, true, server_bits,
        client_bits < 15 ? client_bits : 0};
    return terms_write(out, &terms);
}

int weir_deflate_answer_write(weir_out *out, const weir_deflate_params *params)
{
    deflate_terms terms = {params->server_no_takeover, params->client_no_takeover, params->server_bits_named_,
                           params->client_bits_named_, params->server_bits,        params->client_bits};
    return terms_write(out, &terms);
}
