/* SPDX-License-Identifier: MIT */
/* test_http_check.c - what is judged over a whole head: Host, framing, persistence. */
#include "check.h"
#include "http/http.h"
#include "http_machine.h"

static void test_framing_vectors(void **state)
{
    (void)state;
    http_vectors_check("http_framing.txt");
}

static weir_http_head head_over(const weir_http_field *list, size_t count)
{
    weir_http_head head;
    memset(&head, 0, sizeof head);
    head.kind = WEIR_HTTP_REQUEST;
    head.minor = 1;
    head.fields = (weir_http_fields){{NULL, 0}, list, count};
    head.field_count = count;
    return head;
}

/* The same check serves fields that another HTTP implementation parsed. */
static void test_fields_of_an_array(void **state)
{
    (void)state;
    const weir_http_field list[] = {
        {weir_cstr("host"), weir_cstr("a")},
        {weir_cstr("content-length"), weir_cstr("7")},
        {weir_cstr("connection"), weir_cstr("close")},
    };
    weir_http_head head = head_over(list, 3);
    assert_int_equal(weiri_http_head_check(&head), 0);
    assert_str(head.host, "a");
    assert_int_equal(head.framing, WEIR_HTTP_SIZED);
    assert_int_equal(head.body_len, 7);
    assert_false(head.keep_alive);

    head = head_over(list + 1, 2);
    assert_int_equal(weiri_http_head_check(&head), WEIR_ERR_HTTP_HOST);
}

static void test_statuses_without_a_body(void **state)
{
    (void)state;
    for (unsigned status = 100; status <= 999; status++) {
        weir_http_head head = head_over(NULL, 0);
        head.kind = WEIR_HTTP_RESPONSE;
        head.status = status;
        memset(&head.framing, 0xDD, sizeof head.framing);
        bool bodiless = status < 200 || status == 204 || status == 304;
        assert_int_equal(weiri_http_head_check(&head), 0);
        assert_int_equal(head.framing, bodiless ? WEIR_HTTP_NO_BODY : WEIR_HTTP_UNTIL_CLOSE);
        assert_int_equal(head.keep_alive, bodiless);
    }
}

/* The head's members are filled whatever they were. */
static void test_former_contents(void **state)
{
    (void)state;
    const weir_http_field list[] = {{weir_cstr("Content-Length"), weir_cstr("7")},
                                    {weir_cstr("Transfer-Encoding"), weir_cstr("chunked")}};
    for (int response = 0; response < 2; response++)
        for (int what = 0; what < 3; what++) {
            weir_http_head head = head_over(list + (what == 2), what != 0);
            head.kind = response ? WEIR_HTTP_RESPONSE : WEIR_HTTP_REQUEST;
            head.status = 200;
            head.minor = what == 2;
            if (!response && what == 2)
                continue; /* HTTP/1.1 wants Host */
            memset(&head.framing, 0xDD, sizeof head.framing);
            head.body_len = 99;
            head.keep_alive = true;
            head.host = weir_cstr("left over");
            assert_int_equal(weiri_http_head_check(&head), 0);
            assert_null(head.host.ptr);
            assert_int_equal(head.host.len, 0);
            assert_int_equal(head.framing, what == 1   ? WEIR_HTTP_SIZED
                                           : what == 2 ? WEIR_HTTP_CHUNKED
                                           : response  ? WEIR_HTTP_UNTIL_CLOSE
                                                       : WEIR_HTTP_NO_BODY);
            assert_int_equal(head.body_len, what == 1 ? 7 : 0);
            assert_int_equal(head.keep_alive, what == 2);
        }
}

/* Names as long as those that matter, of which each letter but one is the same, matter not. */
static void test_other_names(void **state)
{
    (void)state;
    static const char *const names[] = {"host", "connection", "content-length", "transfer-encoding"};
    for (size_t i = 0; i < 4; i++)
        for (size_t at = 0; at < strlen(names[i]); at++) {
            char name[32];
            strcpy(name, names[i]);
            name[at] = name[at] == 'x' ? 'y' : 'x';
            weir_http_field list[] = {{weir_cstr("Host"), weir_cstr("a")},
                                      {weir_cstr(name), weir_cstr("close")}};
            weir_http_head head = head_over(list, 2);
            assert_int_equal(weiri_http_head_check(&head), 0);
            assert_str(head.host, "a");
            assert_int_equal(head.framing, WEIR_HTTP_NO_BODY);
            assert_true(head.keep_alive);
        }
}

/* Members of Connection count wherever they stand, in one field or in several; `close` wins. */
static void test_connection(void **state)
{
    (void)state;
    static const struct {
        const char *one, *two;
        bool keep[2]; /* HTTP/1.0, HTTP/1.1 */
    } rows[] = {
        {"x", "y", {false, true}},
        {"keep-alive", "x", {true, true}},
        {"x", "keep-alive", {true, true}},
        {"Keep-Alive, x", "y", {true, true}},
        {"x, KEEP-ALIVE", "y", {true, true}},
        {"close", "x", {false, false}},
        {"x, close, y", "z", {false, false}},
        {"keep-alive", "close", {false, false}},
        {"close, keep-alive", "x", {false, false}},
        {"keep-alive-x", "closed", {false, true}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned minor = 0; minor < 2; minor++) {
            weir_http_field list[] = {{weir_cstr("Host"), weir_cstr("a")},
                                      {weir_cstr("Connection"), weir_cstr(rows[i].one)},
                                      {weir_cstr("Connection"), weir_cstr(rows[i].two)}};
            weir_http_head head = head_over(list, 3);
            head.minor = minor;
            assert_int_equal(weiri_http_head_check(&head), 0);
            assert_int_equal(head.keep_alive, rows[i].keep[minor]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing_vectors),
        cmocka_unit_test(test_fields_of_an_array),
        cmocka_unit_test(test_statuses_without_a_body),
        cmocka_unit_test(test_former_contents),
        cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_connection),
    };
    return cmocka_run_group_tests_name("http_check", tests, NULL, NULL);
}
