/* SPDX-License-Identifier: MIT */
/* test_http_check.c - what is judged over a whole head: Host, framing, persistence. */
#include "check.h"
#include "http/http.h"
#include "http_machine.h"

static int check(weir_http_head *head)
{
    weiri_http_facts facts = weiri_http_facts_gather(head->fields);
    return weiri_http_head_check(head, &facts);
}

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
    assert_int_equal(check(&head), 0);
    assert_str(head.host, "a");
    assert_int_equal(head.framing, WEIR_HTTP_SIZED);
    assert_int_equal(head.body_len, 7);
    assert_false(head.keep_alive);

    head = head_over(list + 1, 2);
    assert_int_equal(check(&head), WEIR_ERR_HTTP_HOST);
}

static void test_statuses_without_a_body(void **state)
{
    (void)state;
    for (unsigned status = 100; status <= 999; status++) {
        weir_http_head head = head_over(NULL, 0);
        head.kind = WEIR_HTTP_RESPONSE;
        head.status = status;
        bool bodiless = status < 200 || status == 204 || status == 304;
        assert_int_equal(check(&head), 0);
        assert_int_equal(head.framing, bodiless ? WEIR_HTTP_NO_BODY : WEIR_HTTP_UNTIL_CLOSE);
        assert_int_equal(head.keep_alive, bodiless);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing_vectors),
        cmocka_unit_test(test_fields_of_an_array),
        cmocka_unit_test(test_statuses_without_a_body),
    };
    return cmocka_run_group_tests_name("http_check", tests, NULL, NULL);
}
