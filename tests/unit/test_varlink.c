/* The codec and the check of calls against the interface file (S27: one bounded reader; S28: a reply is what was
 * written; T3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/ipc/interface.h"
#include "common/ipc/varlink.h"

static enum ei_err take_bytes(const void *bytes, size_t length, cJSON **ret_message)
{
    struct ei_buffer input;

    ei_buffer_init(&input, EI_VARLINK_REQUEST_MAX + 1);
    assert_true(ei_buffer_append(&input, bytes, length));
    enum ei_err result = ei_varlink_take(&input, ret_message);
    ei_buffer_free(&input);
    return result;
}

static void refused(const void *bytes, size_t length)
{
    cJSON *message = (cJSON *)&message;

    assert_int_equal(take_bytes(bytes, length, &message), EI_PROTOCOL);
    assert_null(message);
}

static void takes_a_message_byte_by_byte(void **state)
{
    static const char text[] = "{\"method\":\"a.B\",\"parameters\":{\"x\":\"\xc3\xa4\"}}";
    struct ei_buffer input;
    cJSON *message = NULL;

    (void)state;
    ei_buffer_init(&input, 1024);
    for (size_t i = 0; i < sizeof text; i++) {
        assert_null(message);
        assert_true(ei_buffer_append(&input, text + i, 1));
        assert_int_equal(ei_varlink_take(&input, &message), EI_OK);
    }
    assert_string_equal(ei_json_string(message, "method"), "a.B");
    assert_int_equal(input.length, 0);
    ei_varlink_free(message);
    ei_buffer_free(&input);
}

static void takes_several_messages_in_order(void **state)
{
    static const char text[] = "{\"n\":1}\0{\"n\":2}\0{\"n\":";
    struct ei_buffer input;
    cJSON *message = NULL;
    int64_t n = 0;

    (void)state;
    ei_buffer_init(&input, 1024);
    assert_true(ei_buffer_append(&input, text, sizeof text - 1));
    for (int64_t expected = 1; expected <= 2; expected++) {
        assert_int_equal(ei_varlink_take(&input, &message), EI_OK);
        assert_true(ei_json_int(message, "n", &n));
        assert_int_equal(n, expected);
        ei_varlink_free(message);
    }
    assert_int_equal(ei_varlink_take(&input, &message), EI_OK);
    assert_null(message);
    ei_buffer_free(&input);
}

static void refuses_what_is_no_object(void **state)
{
    (void)state;
    refused("", 1);
    refused("\0\0\0\0", 4);
    refused("[]", 3);
    refused("null", 5);
    refused("{", 2);
    refused("{} x", 5);
    refused("{}{}", 5);
    refused("GET / HTTP/1.1\r\n\r\n", 19);
    refused("\x16\x03\x01\x02\xff", 6);
    refused("{\"a\":\"\xff\"}", 10);         /* not UTF-8 */
    refused("{\"a\":\"\xc0\xaf\"}", 11);     /* overlong */
    refused("{\"a\":\"\xed\xa0\x80\"}", 12); /* a surrogate */
    refused("{\"a\":\"x\\u0000y\"}", 17);    /* a NUL in a string would cut it (host-facts 7) */
}

static void refuses_duplicate_names_at_every_depth(void **state)
{
    static const char top[] = "{\"method\":\"a.B\",\"method\":\"a.C\"}";
    static const char deep[] = "{\"method\":\"a.B\",\"parameters\":{\"x\":[{\"uid\":0,\"n\":1,\"uid\":1}]}}";
    static const char fine[] = "{\"method\":\"a.B\",\"Method\":\"a.C\"}";
    cJSON *message = NULL;

    (void)state;
    refused(top, sizeof top);
    refused(deep, sizeof deep);
    assert_int_equal(take_bytes(fine, sizeof fine, &message), EI_OK);
    assert_string_equal(ei_json_string(message, "method"), "a.B");
    ei_varlink_free(message);
}

static void refuses_deep_nesting(void **state)
{
    char text[2 * 2000 + 16];
    size_t used = 0;

    (void)state;
    memcpy(text, "{\"a\":", 5);
    used = 5;
    memset(text + used, '[', 2000);
    memset(text + used + 2000, ']', 2000);
    used += 4000;
    text[used++] = '}';
    text[used++] = '\0';
    refused(text, used);
}

static void put_writes_exactly_one_message(void **state)
{
    struct ei_buffer output;
    cJSON *message = cJSON_Parse("{\"parameters\":{\"x\":1}}");

    (void)state;
    ei_buffer_init(&output, 1024);
    assert_int_equal(ei_varlink_put(&output, message), EI_OK);
    assert_int_equal(output.length, strlen("{\"parameters\":{\"x\":1}}") + 1);
    assert_memory_equal(output.data, "{\"parameters\":{\"x\":1}}", output.length);
    ei_buffer_free(&output);
    cJSON_Delete(message);
}

static void put_beyond_the_limit_changes_nothing(void **state)
{
    struct ei_buffer output;
    cJSON *message = cJSON_Parse("{\"parameters\":{\"x\":1}}");

    (void)state;
    ei_buffer_init(&output, 30);
    assert_int_equal(ei_varlink_put(&output, message), EI_OK);
    size_t length = output.length;
    assert_int_equal(ei_varlink_put(&output, message), EI_NOMEM);
    assert_int_equal(output.length, length);
    ei_buffer_free(&output);
    cJSON_Delete(message);
}

static void put_refuses_what_is_too_large(void **state)
{
    struct ei_buffer output;
    cJSON *message = cJSON_CreateObject();
    char *large = malloc(EI_VARLINK_REPLY_MAX + 1);

    (void)state;
    memset(large, 'x', EI_VARLINK_REPLY_MAX);
    large[EI_VARLINK_REPLY_MAX] = '\0';
    cJSON_AddStringToObject(message, "x", large);
    ei_buffer_init(&output, EI_VARLINK_REPLY_MAX + 1);
    assert_int_equal(ei_varlink_put(&output, message), EI_NOMEM);
    assert_int_equal(output.length, 0);
    ei_buffer_free(&output);
    free(large);
    cJSON_Delete(message);
}

static void put_sends_utf8_whatever_it_is_given(void **state)
{
    struct ei_buffer output;
    cJSON *message = cJSON_CreateObject();

    (void)state;
    cJSON_AddStringToObject(message, "login", "t\xf6m \xc3\xb6");
    ei_buffer_init(&output, 1024);
    assert_int_equal(ei_varlink_put(&output, message), EI_OK);
    assert_string_equal(output.data, "{\"login\":\"t?m \xc3\xb6\"}");
    ei_buffer_free(&output);
    cJSON_Delete(message);
}

static enum ei_interface_verdict check(const char *method, const char *json, char bad[EI_INTERFACE_NAME_SIZE])
{
    cJSON *parameters = cJSON_Parse(json);

    assert_non_null(parameters);
    enum ei_interface_verdict verdict =
        ei_interface_check(ei_interface_text(EI_VARLINK_INTERFACE), method, parameters, bad);
    cJSON_Delete(parameters);
    return verdict;
}

static void bad_parameter(const char *method, const char *json, const char *name)
{
    char bad[EI_INTERFACE_NAME_SIZE];

    assert_int_equal(check(method, json, bad), EI_INTERFACE_BAD_PARAMETER);
    assert_string_equal(bad, name);
}

static void calls_are_held_against_the_interface_file(void **state)
{
    char bad[EI_INTERFACE_NAME_SIZE];

    (void)state;
    assert_int_equal(check("Show", "{\"target\":\"taylor\"}", bad), EI_INTERFACE_FITS);
    assert_int_equal(check("Status", "{}", bad), EI_INTERFACE_FITS);
    assert_int_equal(check("List", "{\"states\":[\"pending\",\"failed\"],\"after\":null}", bad), EI_INTERFACE_FITS);
    assert_int_equal(check("Refresh", "{\"wait\":true,\"timeout\":60000}", bad), EI_INTERFACE_FITS);
    assert_int_equal(check("Announce", "{\"login\":\"t\",\"source\":\"useradd\"}", bad), EI_INTERFACE_FITS);

    bad_parameter("Show", "{}", "target");
    bad_parameter("Show", "{\"target\":null}", "target");
    bad_parameter("Show", "{\"target\":[\"taylor\"]}", "target");
    bad_parameter("Show", "{\"target\":\"taylor\",\"Target\":\"x\"}", "Target");
    bad_parameter("List", "{\"states\":\"pending\"}", "states");
    bad_parameter("List", "{\"states\":[\"pending\",1]}", "states");
    bad_parameter("Refresh", "{\"timeout\":1.5}", "timeout");
    bad_parameter("Refresh", "{\"timeout\":1e300}", "timeout");
    bad_parameter("Refresh", "{\"wait\":1}", "wait");
    bad_parameter("Wait", "{\"target\":\"t\",\"timeout\":\"5\"}", "timeout");
}

static void unknown_methods_are_not_found(void **state)
{
    static const char *const methods[] = {"",      "show",    "Sho",    "Showx",
                                          "Show(", "Account", "Failed", "Show(target: string) -> "};
    char bad[EI_INTERFACE_NAME_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        assert_int_equal(check(methods[i], "{}", bad), EI_INTERFACE_NO_METHOD);
}

static void the_interface_text_is_compiled_in(void **state)
{
    (void)state;
    assert_non_null(strstr(ei_interface_text(EI_VARLINK_INTERFACE), "\ninterface io.entrainvite\n"));
    assert_non_null(strstr(ei_interface_text(EI_VARLINK_INTERFACE), "\nerror Failed ("));
    assert_non_null(strstr(ei_interface_text(EI_VARLINK_SERVICE), "\ninterface org.varlink.service\n"));
    assert_null(ei_interface_text("io.systemd.UserDatabase"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_message_byte_by_byte),
        cmocka_unit_test(takes_several_messages_in_order),
        cmocka_unit_test(refuses_what_is_no_object),
        cmocka_unit_test(refuses_duplicate_names_at_every_depth),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(put_writes_exactly_one_message),
        cmocka_unit_test(put_beyond_the_limit_changes_nothing),
        cmocka_unit_test(put_refuses_what_is_too_large),
        cmocka_unit_test(put_sends_utf8_whatever_it_is_given),
        cmocka_unit_test(calls_are_held_against_the_interface_file),
        cmocka_unit_test(unknown_methods_are_not_found),
        cmocka_unit_test(the_interface_text_is_compiled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
