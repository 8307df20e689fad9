/* SPDX-License-Identifier: MIT */
/* test_nghttp2_fields.c - opening handshakes whose fields come from another HTTP implementation: names and
 * values that went through nghttp2's header coding are judged as the bytes of a head are. Built when
 * nghttp2 is there. */
#include "check.h"
#include "h2.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Fields by way of another library ------------------------------------------------------------------ */

static weir_str lower(uint8_t *dst, weir_str name)
{
    for (size_t i = 0; i < name.len; i++)
        dst[i] = (uint8_t)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32 : name.ptr[i]);
    return (weir_str){dst, name.len};
}

static void decode(const uint8_t *bytes, size_t len, h2_fields *to)
{
    nghttp2_hd_inflater *inflater;
    int flags = 0;
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
        nghttp2_nv nv;
        ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, bytes, len, 1);
        assert_true(n >= 0);
        bytes += n;
        len -= (size_t)n;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
            h2_fields_add(to, (weir_str){nv.name, nv.namelen}, (weir_str){nv.value, nv.valuelen});
    }
    assert_int_equal(nghttp2_hd_inflate_end_headers(inflater), 0);
    nghttp2_hd_inflate_del(inflater);
}

/* The fields of a walk, with names in lower case, as an HTTP/2 library would hand them over: in memory of its
 * own, which is gone when they have been copied. False if there are more than the test has room for. */
static bool carry(weir_http_fields walk, h2_fields *to)
{
    static uint8_t names[H2_TEXT], bytes[4 * H2_TEXT];
    nghttp2_nv list[H2_FIELDS];
    nghttp2_hd_deflater *deflater;
    weir_http_field field;
    size_t count = 0, names_len = 0, text_len = 0;
    memset(to, 0xDD, sizeof *to);
    to->count = to->text_len = 0;
    while (weir_http_fields_next(&walk, &field)) {
        text_len += field.name.len + field.value.len;
        if (count == H2_FIELDS || text_len > H2_TEXT)
            return false;
        union {
            const uint8_t *given;
            uint8_t *taken;
        } value = {field.value.ptr};
        weir_str name = lower(names + names_len, field.name);
        list[count++] = (nghttp2_nv){names + names_len, value.taken, name.len, field.value.len, 0};
        names_len += name.len;
    }
    assert_int_equal(nghttp2_hd_deflate_new(&deflater, 4096), 0);
    ssize_t len = nghttp2_hd_deflate_hd(deflater, bytes, sizeof bytes, list, count);
    assert_true(len >= 0);
    nghttp2_hd_deflate_del(deflater);
    decode(bytes, (size_t)len, to);
    memset(bytes, 0xDD, sizeof bytes);
    assert_int_equal(to->count, count);
    return true;
}

static bool same(weir_str a, weir_str b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && a.len == b.len &&
           (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ---- Requests
 * -------------------------------------------------------------------------------------------- */

static unsigned carried, accepted, refused, failures;

static void complain(const vector *v, const char *what)
{
    print_error("%d, %s: %s differs\n", v->line, v->title, what);
    failures++;
}

/* The 101 for a request, or nothing. */
static size_t reply_to(const weir_ws_request *req, const char *protocol, uint8_t *bytes, size_t len)
{
    weir_ws_accept accept;
    weir_out out = {bytes, len};
    weir_deflate_params params;
    memset(&accept, 0, sizeof accept);
    if (protocol != NULL && weir_ws_request_protocol(req, &protocol, 1) == 0)
        accept.protocol = protocol;
    if (weir_deflate_negotiate(req->fields, NULL, &params) > 0)
        accept.deflate = &params;
    assert_int_equal(weir_ws_accept_write(&out, req, &accept), 0);
    return len - out.len;
}

static void compare_requests(const vector *v, const weir_http_head *head, const weir_http_head *other)
{
    weir_ws_request req, req2;
    uint8_t one[1024], two[1024];
    int rv = weir_ws_request_read(head, &req);
    if (weir_ws_request_read(other, &req2) != rv)
        complain(v, "verdict");
    carried++;
    refused += rv < 0;
    accepted += rv == 0;
    if (rv < 0)
        return;
    if (!same(req.target, req2.target) || !same(req.host, req2.host) || !same(req.origin, req2.origin))
        complain(v, "request");
    const char *spoken = vector_get(v, "protocols");
    char first[64] = "";
    if (spoken != NULL)
        (void)sscanf(spoken, "%63s", first);
    size_t len = reply_to(&req, spoken != NULL ? first : NULL, one, sizeof one);
    if (reply_to(&req2, spoken != NULL ? first : NULL, two, sizeof two) != len || memcmp(one, two, len) != 0)
        complain(v, "reply");
    weir_str expected = weir_cstr("https://example.com");
    if (weir_http_origin_check(req.fields, expected) != weir_http_origin_check(req2.fields, expected))
        complain(v, "origin");
}

static void check_request(const vector *v)
{
    static uint8_t storage[1 << 16];
    static h2_fields fields;
    weir_http http;
    weir_http_head head;
    weir_in in = {v->stream, v->len};
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
    if (weir_http_next(&http, &in, &head) <= 0 || !carry(head.fields, &fields))
        return; /* no head: its parser's business */
    weir_http_head other = head;
    other.fields = h2_walk(&fields);
    other.field_count = 0;
    compare_requests(v, &head, &other);
}

static void test_requests(void **state)
{
    (void)state;
    carried = accepted = refused = failures = 0;
    (void)vectors_each("ws_handshake.txt", check_request);
    assert_int_equal(failures, 0);
    assert_true(carried > 80 && accepted > 20 && refused > 40);
}

/* ---- Answers
 * --------------------------------------------------------------------------------------------- */

static int fill_abcd(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)("abcd"[i % 4]);
    return 0;
}

static void opening_start(weir_ws_opening *opening, const weir_ws_offer *offer, uint8_t *request, size_t *len)
{
    weir_entropy entropy;
    weir_http_uri uri;
    weir_out out = {request, *len};
    assert_int_equal(weir_entropy_init(&entropy, fill_abcd, NULL), 0);
    assert_int_equal(weir_http_uri_parse(weir_cstr("ws://example.org/a?b"), &uri), 0);
    assert_int_equal(weir_ws_opening_write(opening, &out, &uri, offer, &entropy), 0);
    *len -= out.len;
}

static void check_answer(const vector *v)
{
    static uint8_t storage[1 << 16];
    static h2_fields fields;
    char names[64];
    const char *protocols[4];
    uint8_t request[1024];
    size_t len = sizeof request;
    weir_ws_offer offer;
    weir_ws_opening opening, other;
    weir_http http;
    weir_http_head head;
    const char *offered = vector_get(v, "offer");
    memset(&offer, 0, sizeof offer);
    snprintf(names, sizeof names, "%s", offered != NULL ? offered : "");
    for (char *at = strtok(names, " "); at != NULL; at = strtok(NULL, " "))
        protocols[offer.protocol_count++] = at;
    offer.protocols = protocols;
    offer.protocol_optional = vector_get(v, "optional") != NULL;
    opening_start(&opening, &offer, request, &len);
    other = opening;
    weir_in in = {v->stream, v->len};
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL), 0);
    int rv = 0;
    while (rv == 0 && weir_http_next(&http, &in, &head) > 0 && carry(head.fields, &fields)) {
        weir_ws_choice choice, choice2;
        weir_http_head again = head;
        again.fields = h2_walk(&fields);
        rv = weir_ws_opening_read(&opening, &head, &choice);
        if (weir_ws_opening_read(&other, &again, &choice2) != rv)
            complain(v, "verdict");
        else if (rv == 1 && choice.protocol != choice2.protocol)
            complain(v, "choice");
        carried++;
        accepted += rv == 1;
        refused += rv < 0;
    }
}

static void test_answers(void **state)
{
    (void)state;
    carried = accepted = refused = failures = 0;
    (void)vectors_each("ws_opening.txt", check_answer);
    assert_int_equal(failures, 0);
    assert_true(carried > 40 && accepted > 8 && refused > 25);
}

/* ---- Both sides
 * ------------------------------------------------------------------------------------------- */

static void parse(weir_http_kind kind, uint8_t *bytes, size_t len, weir_http_head *head)
{
    static uint8_t storage[2][2048];
    weir_http http;
    weir_in in = {bytes, len};
    assert_int_equal(weir_http_init(&http, kind, storage[kind - 1], sizeof storage[0], NULL), 0);
    assert_int_equal(weir_http_next(&http, &in, head), 1);
    assert_int_equal(in.len, 0);
}

/* weir offers, nghttp2 carries the fields, weir accepts, nghttp2 carries the answer's, weir reads them. */
static void test_both_sides(void **state)
{
    static const char *const names[] = {"chat", "superchat"};
    static const weir_deflate_policy policy = {12, 11, true, false};
    static h2_fields asked, answered;
    (void)state;
    for (int packed = 0; packed < 2; packed++)
        for (size_t spoken = 0; spoken < 2; spoken++) {
            uint8_t request[1024], reply[1024];
            size_t len = sizeof request;
            weir_ws_offer offer;
            weir_ws_opening opening;
            weir_ws_request req;
            weir_ws_choice choice;
            weir_http_head head;
            memset(&offer, 0, sizeof offer);
            offer.protocols = names;
            offer.protocol_count = 2;
            offer.deflate = packed ? &policy : NULL;
            opening_start(&opening, &offer, request, &len);
            parse(WEIR_HTTP_REQUEST, request, len, &head);
            assert_true(carry(head.fields, &asked));
            /* What any server knows of a request: nothing of it is weir's. */
            weir_http_head given;
            memset(&given, 0, sizeof given);
            given.kind = WEIR_HTTP_REQUEST;
            given.minor = 1;
            given.method = weir_cstr("GET");
            given.target = weir_cstr("/a?b");
            given.host = weir_cstr("example.org");
            given.fields = h2_walk(&asked);
            assert_int_equal(weir_ws_request_read(&given, &req), 0);
            len = reply_to(&req, names[spoken], reply, sizeof reply);
            parse(WEIR_HTTP_RESPONSE, reply, len, &head);
            assert_true(carry(head.fields, &answered));
            memset(&given, 0, sizeof given);
            given.kind = WEIR_HTTP_RESPONSE;
            given.minor = 1;
            given.status = 101;
            given.fields = h2_walk(&answered);
            assert_int_equal(weir_ws_opening_read(&opening, &given, &choice), 1);
            assert_int_equal(choice.protocol, spoken);
            assert_int_equal(choice.deflated, packed);
            assert_true(!packed || (choice.deflate.server_bits == 12 && choice.deflate.client_bits <= 11 &&
                                    choice.deflate.server_no_takeover));
        }
}

/* Each field that is needed left away, or there twice, and the status that the refusal has. */
static void test_refusals(void **state)
{
    static const struct {
        const char *name;
        unsigned without, twice;
    } rows[] = {
        {"upgrade", 426, 0},
        {"connection", 400, 0},
        {"sec-websocket-version", 426, 400},
        {"sec-websocket-key", 400, 400},
    };
    static h2_fields fields;
    (void)state;
    uint8_t request[1024];
    size_t len = sizeof request;
    weir_ws_opening opening;
    weir_http_head head;
    weir_ws_request req;
    opening_start(&opening, NULL, request, &len);
    parse(WEIR_HTTP_REQUEST, request, len, &head);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_http_field list[H2_FIELDS], field;
        weir_http_fields walk;
        size_t count = 0, found = H2_FIELDS;
        assert_true(carry(head.fields, &fields));
        for (walk = h2_walk(&fields); weir_http_fields_next(&walk, &field); count++) {
            list[count] = field;
            found = weir_str_is(field.name, rows[i].name) ? count : found;
        }
        assert_true(found < count);
        weir_http_head given = head;
        list[count] = list[found];
        given.fields = (weir_http_fields){{NULL, 0}, list, count + 1};
        int rv = weir_ws_request_read(&given, &req);
        assert_int_equal(rv != 0 ? weir_err_lookup(rv)->status : 0, rows[i].twice);
        list[found] = list[count - 1];
        given.fields.count = count - 1;
        rv = weir_ws_request_read(&given, &req);
        assert_int_equal(weir_err_lookup(rv)->status, rows[i].without);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_both_sides),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("nghttp2_fields", tests, NULL, NULL);
}
