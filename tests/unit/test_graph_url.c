/* What goes into a URL or a form: quoting, encoding, and the roots that may be asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/guid.h"
#include "common/graph/graph.h"
#include "common/graph/link.h"
#include "common/graph/odata.h"

enum { LIMIT = 64 * 1024 };

static char *encoded(const char *text)
{
    struct ei_buffer out;

    ei_buffer_init(&out, LIMIT);
    assert_true(ei_odata_encode(&out, text));
    return out.data != NULL ? out.data : strdup("");
}

static char *filtered(const char *pattern, const char *text)
{
    struct ei_buffer out;

    ei_buffer_init(&out, LIMIT);
    assert_true(ei_odata_filter(&out, pattern, text));
    return out.data;
}

static void test_encode(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"taylor@fabrikam.com", "taylor%40fabrikam.com"},
        {"a#EXT#b", "a%23EXT%23b"},
        {"a+b&c=d%e f", "a%2Bb%26c%3Dd%25e%20f"},
        {"-._~", "-._~"},
        {"\xc3\xa9", "%C3%A9"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *out = encoded(rows[i].in);
        assert_string_equal(out, rows[i].out);
        free(out);
    }
}

static void test_filter_doubles_quotes(void **state)
{
    (void)state;
    char *out = filtered("mail eq {} or proxyAddresses/any(x:x eq {SMTP:})", "o'neil@fabrikam.com");

    assert_string_equal(out,
                        "mail eq 'o''neil@fabrikam.com' or proxyAddresses/any(x:x eq 'SMTP:o''neil@fabrikam.com')");
    free(out);
}

/* S30: whatever the text, it stays inside its literal. */
static void test_filter_cannot_be_left(void **state)
{
    (void)state;
    char *out = filtered("mail eq {}", "x' or startswith(mail,'a");

    assert_string_equal(out, "mail eq 'x'' or startswith(mail,''a'");
    free(out);
    out = filtered("mail eq {}", "{}'{SMTP:}");
    assert_string_equal(out, "mail eq '{}''{SMTP:}'");
    free(out);
}

static char *decoded(const char *text)
{
    char *out = calloc(1, strlen(text) + 1);
    size_t used = 0;

    assert_non_null(out);
    for (; *text != '\0'; text++) {
        unsigned value = (unsigned char)*text;
        if (*text == '%') {
            assert_int_equal(sscanf(text + 1, "%2x", &value), 1);
            text += 2;
        }
        out[used++] = (char)value;
    }
    return out;
}

static void undouble(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '\'')
            assert_int_equal(*++from, '\'');
        *to++ = *from;
    }
    *to = '\0';
}

/* S30: what is quoted and encoded comes back as it was. */
static void test_round_trip(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        char text[32];
        size_t length = ei_random_below(sizeof text);
        for (size_t i = 0; i < length; i++)
            text[i] = (char)(ei_random_below(3) == 0 ? '\'' : 1 + (int)ei_random_below(255));
        text[length] = '\0';
        char *filter = filtered("{}", text);
        char *url = encoded(filter);
        assert_int_equal(strcspn(url, " '\"#&+?/"), strlen(url));
        char *back = decoded(url);
        assert_string_equal(back, filter);
        size_t back_length = strlen(back);
        assert_int_equal(back[0], '\'');
        assert_int_equal(back[back_length - 1], '\'');
        back[back_length - 1] = '\0';
        undouble(back + 1);
        assert_string_equal(back + 1, text);
        free(back);
        free(url);
        free(filter);
    }
}

static void test_buffer_limit_is_an_error(void **state)
{
    (void)state;
    struct ei_buffer out;

    ei_buffer_init(&out, 8);
    assert_false(ei_odata_encode(&out, "@@@"));
    ei_buffer_free(&out);
    ei_buffer_init(&out, 8);
    assert_false(ei_odata_filter(&out, "mail eq {}", "x"));
    ei_buffer_free(&out);
}

static void test_link_on_root(void **state)
{
    (void)state;
    static const char root[] = "https://graph.microsoft.com";
    static const struct {
        const char *link;
        bool on_root;
    } rows[] = {
        {"https://graph.microsoft.com/v1.0/users?$skiptoken=x", true},
        {"https://graph.microsoft.com:443/v1.0/users", true},
        {"https://GRAPH.microsoft.com/v1.0/users", true},
        {"http://graph.microsoft.com/v1.0/users", false},
        {"https://graph.microsoft.com:8443/v1.0/users", false},
        {"https://graph.microsoft.com.fabrikam.com/v1.0/users", false},
        {"https://graph.microsoft.com@fabrikam.com/v1.0/users", false},
        {"https://user@graph.microsoft.com/v1.0/users", false},
        {"https://fabrikam.com/?https://graph.microsoft.com", false},
        {"https://graph.microsoft.com/a b", false},
        {"https://graph.microsoft.com/\r\nHost: fabrikam.com", false},
        {"//graph.microsoft.com/v1.0/users", false},
        {"/v1.0/users", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (ei_link_on_root(rows[i].link, root) != rows[i].on_root)
            fail_msg("%s", rows[i].link);
    assert_true(ei_link_on_root("https://localhost:8443/v1.0/x", "https://localhost:8443"));
    assert_false(ei_link_on_root("https://localhost/v1.0/x", "https://localhost:8443"));
    char *longer = malloc(EI_LINK_MAX + 64);
    assert_non_null(longer);
    memset(longer, 'a', EI_LINK_MAX + 63);
    longer[EI_LINK_MAX + 63] = '\0';
    memcpy(longer, "https://graph.microsoft.com/", 28);
    assert_false(ei_link_on_root(longer, root));
    free(longer);
}

static void test_roots_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"http://graph.microsoft.com",
                                      "https://graph.microsoft.com/",
                                      "https://graph.microsoft.com/v1",
                                      "https://a:b@graph.microsoft.com",
                                      "https://graph.microsoft.com?x",
                                      "ftp://graph.microsoft.com",
                                      "graph.microsoft.com",
                                      ""};
    struct ei_error err;

    assert_int_equal(ei_link_check_root("graph_url", "https://localhost:8443", &err), EI_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ei_link_check_root("graph_url", bad[i], &err), EI_CONFIG);
        assert_non_null(strstr(err.message, "graph_url"));
    }
}

/* contract 1.1: never a shared authority; and nothing that would be another path of the login root. */
static void test_options_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"common", "Organizations", "consumers", "", "a/b", "../x", "a b", "a?b", NULL};
    struct ei_graph *graph = NULL;
    struct ei_error err;
    struct ei_graph_options options = {.tenant = "contoso.onmicrosoft.com",
                                       .client_id = "99999999-8888-7777-6666-555555555555",
                                       .login_url = "https://localhost",
                                       .graph_url = "https://localhost"};

    assert_int_equal(ei_graph_new(&options, &graph, &err), EI_OK);
    ei_graph_free(graph);
    ei_graph_free(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.tenant = bad[i];
        assert_int_equal(ei_graph_new(&options, &graph, &err), EI_CONFIG);
        assert_memory_equal(err.message, "tenant:", 7);
    }
    options.tenant = "contoso.onmicrosoft.com";
    options.client_id = "a b";
    assert_int_equal(ei_graph_new(&options, &graph, &err), EI_CONFIG);
    options.client_id = "99999999-8888-7777-6666-555555555555";
    options.login_url = "http://localhost";
    assert_int_equal(ei_graph_new(&options, &graph, &err), EI_CONFIG);
    assert_memory_equal(err.message, "login_url:", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_filter_doubles_quotes),
        cmocka_unit_test(test_filter_cannot_be_left),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_buffer_limit_is_an_error),
        cmocka_unit_test(test_link_on_root),
        cmocka_unit_test(test_roots_are_checked),
        cmocka_unit_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
