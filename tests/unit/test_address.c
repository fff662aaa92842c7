/* Which addresses are refused before the network, and what is said of each (contract 2.4; design, Configuration). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/account/address.h"

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define L60 A60 "."

static void test_good(void **state)
{
    static const struct {
        const char *written;
        const char *sent;
    } table[] = {
        {"taylor@fabrikam.com", "taylor@fabrikam.com"},
        /* sent as given: only comparing folds */
        {"Taylor.Example@Fabrikam.COM", "Taylor.Example@Fabrikam.COM"},
        {"o'neil@fabrikam.com", "o'neil@fabrikam.com"},
        {"_taylor_@fabrikam.com", "_taylor_@fabrikam.com"},
        {"t@a.b", "t@a.b"},
        {"1@mail.fabrikam.co.uk", "1@mail.fabrikam.co.uk"},
        {"a-b.c-d@sub-domain.fabrikam.com", "a-b.c-d@sub-domain.fabrikam.com"},
        {A60 "aaaa@fabrikam.com", A60 "aaaa@fabrikam.com"},
        /* IDN as A-labels, IDNA 2008: the sharp s is itself, not "ss" */
        {"taylor@b\xc3\xbc"
         "cher.example",
         "taylor@xn--bcher-kva.example"},
        {"taylor@fa\xc3\x9f.example", "taylor@xn--fa-hia.example"},
        /* composed and decomposed writing are one name */
        {"taylor@bu\xcc\x88"
         "cher.example",
         "taylor@xn--bcher-kva.example"},
        {"taylor@\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", "taylor@xn--r8jz45g.xn--zckzah"},
        {"taylor@xn--bcher-kva.example", "taylor@xn--bcher-kva.example"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char address[EI_ADDRESS_SIZE];
        struct ei_error err = {0};
        if (ei_address_check(table[i].written, address, &err) != EI_OK)
            fail_msg("%s was refused: %s", table[i].written, err.message);
        assert_string_equal(address, table[i].sent);
    }
}

static void test_forbidden_characters(void **state)
{
    /* the documented list (contract 2.4), space, control characters and DEL; '@' is another row's matter */
    static const char forbidden[] = "~!#$%^&*()+=[]{}\\/|;:\"<>?, \t\n\x01\x7f";
    (void)state;
    for (const char *c = forbidden; *c != '\0'; c++) {
        char written[] = "tay?lor@fabrikam.com";
        char address[EI_ADDRESS_SIZE];
        struct ei_error err = {0};
        written[3] = *c;
        assert_int_equal(ei_address_check(written, address, &err), EI_BAD_ADDRESS);
        assert_string_equal(address, "");
        assert_non_null(strstr(err.message, "the part before '@'"));
        assert_non_null(strstr(err.message, "lor@fabrikam.com"));
        if (*c > ' ' && *c < 0x7f) {
            char named[] = "'?'";
            named[1] = *c;
            assert_non_null(strstr(err.message, named));
        }
        written[3] = 'x';
        assert_int_equal(ei_address_check(written, address, NULL), EI_OK);
    }
}

static void test_bad(void **state)
{
    static const struct {
        const char *written;
        const char *reason; /* stands in the message, as the address does */
    } table[] = {
        {"", "empty"},
        {"taylor", "no '@'"},
        {"@fabrikam.com", "nothing stands before"},
        {"taylor@", "domain is missing"},
        {"a@b@fabrikam.com", "more than one '@'"},
        {"taylor@@fabrikam.com", "more than one '@'"},
        {".taylor@fabrikam.com", "begin with"},
        {"-taylor@fabrikam.com", "begin with"},
        {"taylor.@fabrikam.com", "end with"},
        {"taylor-@fabrikam.com", "end with"},
        {"tay..lor@fabrikam.com", "two dots"},
        {"taylor+tag@fabrikam.com", "'+'"},
        {"<taylor@fabrikam.com", "'<'"},
        {A60 "aaaaa@fabrikam.com", "64 characters"},
        {"taylor@fabrikam", "no dot"},
        {"taylor@.fabrikam.com", "empty part"},
        {"taylor@fabrikam..com", "empty part"},
        {"taylor@fabrikam.com.", "empty part"},
        {"taylor@-fabrikam.com", "begins or ends with '-'"},
        {"taylor@fabrikam-.com", "begins or ends with '-'"},
        {"taylor@fabri_kam.com", "the domain must not have '_'"},
        {"taylor@fabrikam.com>", "'>'"},
        {"taylor@fabrikam .com", "a space"},
        {"taylor@[192.0.2.1]", "'['"},
        {"taylor@192.0.2.1", "ends in a number"},
        {"taylor@" A60 "aaaa.com", "63 characters"},
        {"taylor@" L60 L60 L60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaa.com", "253"},
        {"taylor@" L60 L60 L60 A60 "a.com", "254"},
        /* a non-ASCII local part is refused, never transliterated (S14) */
        {"t\xc3\xa4ylor@fabrikam.com", "'\xc3\xa4', which is not ASCII"},
        {"taylor\xef\xbc\xa0"
         "fabrikam.com",
         "no '@'"},
        {"tay\xfflor@fabrikam.com", "the byte 0xff"},
        {"tay\xc2\x85lor@fabrikam.com", "control character 0x85"},
        {"taylor@fabri\xffkam.com", "not well-formed UTF-8"},
        {"taylor@xn--a.example", "not a valid internationalised name"},
        {"taylor@fabrikam.xn--0", "not a valid internationalised name"},
        {"taylor@\xe2\x80\x8b.com", "the domain"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char address[EI_ADDRESS_SIZE];
        struct ei_error err = {0};
        if (ei_address_check(table[i].written, address, &err) != EI_BAD_ADDRESS)
            fail_msg("%s was taken", table[i].written);
        assert_int_equal(err.code, EI_BAD_ADDRESS);
        if (strstr(err.message, table[i].reason) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", table[i].written, err.message, table[i].reason);
        assert_string_equal(address, "");
    }
}

/* Whatever the length, an answer and no overrun (the sanitizers watch). */
static void test_any_length(void **state)
{
    (void)state;
    char *written = malloc(5000);
    assert_non_null(written);
    for (size_t length = 1; length < 5000; length += 61) {
        char address[EI_ADDRESS_SIZE];
        memset(written, 'a', length);
        written[length] = '\0';
        written[length / 3] = '@';
        written[length - 1] = '.';
        assert_int_equal(ei_address_check(written, address, NULL), EI_BAD_ADDRESS);
        memset(written + length / 3 + 1, 0xc3, length - length / 3 - 1);
        assert_int_equal(ei_address_check(written, address, NULL), EI_BAD_ADDRESS);
    }
    free(written);
}

static void test_listed(void **state)
{
    static const char *const domains[] = {"fabrikam.com", "xn--bcher-kva.example"};
    static const struct {
        const char *address;
        bool listed;
    } table[] = {
        {"taylor@fabrikam.com", true},          {"taylor@FABRIKAM.com", true},
        {"taylor@xn--bcher-kva.example", true}, {"taylor@sub.fabrikam.com", false},
        {"taylor@xfabrikam.com", false},        {"taylor@fabrikam.com.example", false},
        {"taylor@fabrikam.co", false},          {"taylor", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(ei_address_domain_listed(table[i].address, domains, 2), table[i].listed);
        assert_true(ei_address_domain_listed(table[i].address, NULL, 0)); /* an empty list: any */
    }
    assert_string_equal(ei_address_domain("a@b.example"), "b.example");
    assert_string_equal(ei_address_domain("nothing"), "");
}

static void test_normalize(void **state)
{
    char domain[EI_ADDRESS_SIZE];
    char small[8] = "before";
    struct ei_error err = {0};
    (void)state;

    assert_int_equal(ei_domain_normalize("Fabrikam.COM", domain, sizeof domain, &err), EI_OK);
    assert_string_equal(domain, "fabrikam.com");
    assert_int_equal(ei_domain_normalize("B\xc3\x9c"
                                         "CHER.example",
                                         domain, sizeof domain, &err),
                     EI_OK);
    assert_string_equal(domain, "xn--bcher-kva.example");
    assert_int_equal(ei_domain_normalize("*.fabrikam.com", domain, sizeof domain, &err), EI_BAD_ADDRESS);
    assert_non_null(strstr(err.message, "'*'"));
    assert_int_equal(ei_domain_normalize("@fabrikam.com", domain, sizeof domain, &err), EI_BAD_ADDRESS);
    assert_string_equal(domain, "");
    assert_int_equal(ei_domain_normalize("", domain, sizeof domain, &err), EI_BAD_ADDRESS);
    assert_int_equal(ei_domain_normalize("fabrikam.com", small, sizeof small, &err), EI_BAD_ADDRESS);
    assert_string_equal(small, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),   cmocka_unit_test(test_forbidden_characters),
        cmocka_unit_test(test_bad),    cmocka_unit_test(test_any_length),
        cmocka_unit_test(test_listed), cmocka_unit_test(test_normalize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
