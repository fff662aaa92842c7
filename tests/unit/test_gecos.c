/* The address in GECOS: who an account belongs to. A wrong reading here invites, or lets in, the wrong person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/account/gecos.h"

static void expect_address(const char *gecos, bool trust_first, const char *expected)
{
    char address[EI_ADDRESS_SIZE];
    bool found = ei_gecos_address(gecos, trust_first, address);

    if (expected == NULL) {
        if (found)
            fail_msg("\"%s\" gave the address \"%s\"", gecos, address);
        assert_string_equal(address, "");
        return;
    }
    if (!found)
        fail_msg("\"%s\" gave no address", gecos);
    assert_string_equal(address, expected);
}

static void first_part_gives_the_address(void **state)
{
    (void)state;
    expect_address("Taylor Example <taylor@fabrikam.com>", true, "taylor@fabrikam.com");
    expect_address("<taylor@fabrikam.com>", true, "taylor@fabrikam.com");
    expect_address("taylor@fabrikam.com", true, "taylor@fabrikam.com");
    expect_address("  taylor@fabrikam.com\t", true, "taylor@fabrikam.com");
    expect_address("Taylor <\t taylor@fabrikam.com >  ", true, "taylor@fabrikam.com");
    expect_address("Taylor<taylor@fabrikam.com>", true, "taylor@fabrikam.com");
    expect_address("J\xc3\xbcrgen M\xc3\xbcller <juergen@fabrikam.com>", true, "juergen@fabrikam.com");
    expect_address("\xe6\x9d\x8e <li@fabrikam.com>", true, "li@fabrikam.com");
    /* As written: case and an internationalised domain are the address check's business. */
    expect_address("Taylor.Example+Lab@Fabrikam.COM", true, "Taylor.Example+Lab@Fabrikam.COM");
    expect_address("Taylor <taylor@b\xc3\xbc"
                   "cher.example>",
                   true,
                   "taylor@b\xc3\xbc"
                   "cher.example");
}

static void padding_of_adduser_and_chfn_is_skipped(void **state)
{
    (void)state;
    expect_address("Taylor Example <taylor@fabrikam.com>,,,", true, "taylor@fabrikam.com");
    expect_address("Taylor Example <taylor@fabrikam.com>,,,,", true, "taylor@fabrikam.com");
    expect_address("taylor@fabrikam.com,Room 1,555,556", true, "taylor@fabrikam.com");
    expect_address("taylor@fabrikam.com ,x", true, "taylor@fabrikam.com");
    expect_address(",,,", true, NULL);
    expect_address("", true, NULL);
    expect_address(",", true, NULL);
}

static void a_name_is_no_address(void **state)
{
    (void)state;
    expect_address("Taylor Example", true, NULL);
    expect_address("Taylor Example,,,", true, NULL);
    expect_address("I <3 Linux", true, NULL);
    expect_address("a > b", true, NULL);
    expect_address("Taylor <>", true, NULL);
    expect_address("Taylor <  >", true, NULL);
}

static void parts_that_users_may_change_are_not_looked_at(void **state)
{
    (void)state;
    /* Room, work and home phone: any user may chfn them (CHFN_RESTRICT rwh). */
    expect_address("Taylor,mail=evil@contoso.com,,", true, NULL);
    expect_address("Taylor,,evil@contoso.com,", true, NULL);
    expect_address("Taylor,,,<evil@contoso.com>", true, NULL);
    expect_address("Taylor,,,mail=evil@contoso.com", true, NULL);
    expect_address("Taylor <taylor@fabrikam.com>,evil@contoso.com,mail=evil@contoso.com,x@contoso.com", true,
                   "taylor@fabrikam.com");
}

static void the_fifth_part_beats_the_first(void **state)
{
    (void)state;
    expect_address("Taylor,,,,mail=taylor@fabrikam.com", true, "taylor@fabrikam.com");
    expect_address("Taylor <old@fabrikam.com>,,,,mail=taylor@fabrikam.com", true, "taylor@fabrikam.com");
    expect_address(",,,,  mail= taylor@fabrikam.com  ", true, "taylor@fabrikam.com");
    expect_address("Taylor,,,,mail=taylor@fabrikam.com,mail=second@fabrikam.com", true, "taylor@fabrikam.com");
    /* Explicit, so returned as written even where it cannot be one: the check says what is wrong with it. */
    expect_address("Taylor <a@fabrikam.com>,,,,mail=taylor", true, "taylor");
    /* Nothing behind the key: the first part counts. */
    expect_address("Taylor <a@fabrikam.com>,,,,mail=", true, "a@fabrikam.com");
    expect_address("Taylor <a@fabrikam.com>,,,,mail=   ,x", true, "a@fabrikam.com");
    /* Another key, another case, an address without a key, a sixth part. */
    expect_address("Taylor,,,,umask=022", true, NULL);
    expect_address("Taylor,,,,MAIL=taylor@fabrikam.com", true, NULL);
    expect_address("Taylor,,,,taylor@fabrikam.com", true, NULL);
    expect_address("Taylor,,,,xmail=taylor@fabrikam.com", true, NULL);
    expect_address("Taylor,,,,,mail=taylor@fabrikam.com", true, NULL);
}

static void an_untrusted_first_part_counts_for_nothing(void **state)
{
    (void)state;
    expect_address("Taylor <taylor@fabrikam.com>", false, NULL);
    expect_address("taylor@fabrikam.com,,,", false, NULL);
    expect_address("evil@contoso.com,,,,mail=taylor@fabrikam.com", false, "taylor@fabrikam.com");
    expect_address("evil@contoso.com,,,,mail=", false, NULL);
}

/* S14: what is malformed is refused by the address check and not repaired here, so the malformed text must come out. */
static void S14_malformed_brackets_are_not_guessed_at(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "Taylor <taylor@fabrikam.com",
        "Taylor taylor@fabrikam.com>",
        "Taylor <<taylor@fabrikam.com>>",
        "Taylor <<taylor@fabrikam.com>",
        "Taylor <a@fabrikam.com> <b@fabrikam.com>",
        "Taylor <taylor@fabrikam.com> (lab)",
        "Taylor >taylor@fabrikam.com<",
        "Taylor <taylor@fabrikam.com>>",
        "><@",
    };

    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        expect_address(malformed[i], true, malformed[i]);
    expect_address("><", true, NULL);
    expect_address("<", true, NULL);
    expect_address(">", true, NULL);
}

static void S14_more_than_an_address_is_returned_whole(void **state)
{
    (void)state;
    expect_address("a@b@fabrikam.com", true, "a@b@fabrikam.com");
    expect_address("Taylor <a@b@fabrikam.com>", true, "a@b@fabrikam.com");
    expect_address("a@fabrikam.com b@fabrikam.com", true, "a@fabrikam.com b@fabrikam.com");
    expect_address("Taylor taylor@fabrikam.com", true, "Taylor taylor@fabrikam.com");
    expect_address("a@fabrikam.com;b@fabrikam.com", true, "a@fabrikam.com;b@fabrikam.com");
}

static void length_is_bounded(void **state)
{
    char gecos[2100], expected[EI_ADDRESS_SIZE];
    (void)state;

    memset(expected, 'a', sizeof expected);
    memcpy(expected + EI_ADDRESS_SIZE - 5, "@b.c", 5);
    memcpy(gecos, expected, sizeof expected);
    expect_address(gecos, true, expected);

    memset(gecos, 'a', EI_ADDRESS_SIZE);
    memcpy(gecos + EI_ADDRESS_SIZE - 4, "@b.c", 5);
    expect_address(gecos, true, NULL);

    /* Too long where it counts most: no falling back to another part. */
    strcpy(gecos, "Taylor <taylor@fabrikam.com>,,,,mail=");
    memset(gecos + strlen(gecos), 'a', 2000);
    gecos[2050] = '\0';
    memcpy(gecos + 2040, "@b.c", 4);
    gecos[2044] = '\0';
    expect_address(gecos, true, NULL);
}

static void expect_name(const char *gecos, const char *expected)
{
    char name[EI_NAME_SIZE];

    ei_gecos_name(gecos, name);
    assert_string_equal(name, expected);
}

static void the_name_is_what_is_before_the_address(void **state)
{
    (void)state;
    expect_name("Taylor Example <taylor@fabrikam.com>", "Taylor Example");
    expect_name("  Taylor Example\t<taylor@fabrikam.com>,,,", "Taylor Example");
    expect_name("Taylor Example,,,,mail=taylor@fabrikam.com", "Taylor Example");
    expect_name("J\xc3\xbcrgen <j@fabrikam.com>", "J\xc3\xbcrgen");
    expect_name("taylor@fabrikam.com", "");
    expect_name("<taylor@fabrikam.com>", "");
    expect_name("taylor@fabrikam.com,Room", "");
    expect_name("", "");
    expect_name(",,,", "");
    expect_name("Taylor <broken", "Taylor");
}

static void a_name_that_is_not_utf8_is_dropped(void **state)
{
    (void)state;
    expect_name("J\xfcrgen <j@fabrikam.com>", "");
    expect_name("Tay\x1blor <j@fabrikam.com>", "");
    expect_name("\xc0\xaf <j@fabrikam.com>", "");
}

static void a_long_name_is_cut_between_characters(void **state)
{
    char gecos[400], name[EI_NAME_SIZE];
    (void)state;

    for (size_t before = 0; before < 4; before++) {
        memset(gecos, 'x', before);
        for (size_t i = before; i + 3 < 390; i += 3)
            memcpy(gecos + i, "\xe2\x82\xac", 4);
        ei_gecos_name(gecos, name);
        assert_true(strlen(name) >= EI_NAME_SIZE - 4 && strlen(name) <= EI_NAME_SIZE - 1);
        assert_int_equal((strlen(name) - before) % 3, 0);
    }
}

static void chfn_restrict_decides_about_the_first_part(void **state)
{
    (void)state;
    assert_true(ei_gecos_first_trusted(""));
    assert_true(ei_gecos_first_trusted("UMASK 022\n"));
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICT\t\trwh\n"));
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICT rwh"));
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICT \"rwh\"\n"));
    assert_false(ei_gecos_first_trusted("CHFN_RESTRICT frwh\n"));
    assert_false(ei_gecos_first_trusted("CHFN_RESTRICT\tf\n"));
    assert_false(ei_gecos_first_trusted("  CHFN_RESTRICT\t \"frwh\"\t\n"));
    assert_false(ei_gecos_first_trusted("UMASK 022\nCHFN_RESTRICT rwhf\nUID_MIN 1000\n"));
    assert_false(ei_gecos_first_trusted("CHFN_RESTRICT frwh"));
}

/* login.defs(5): "yes is equivalent to rwh and no is equivalent to frwh". */
static void the_old_yes_and_no_of_chfn_restrict(void **state)
{
    (void)state;
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICT yes\n"));
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICT rw\n"));
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICT  \n"));
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICT \"\"\n"));
    assert_false(ei_gecos_first_trusted("CHFN_RESTRICT no\n"));
    assert_false(ei_gecos_first_trusted("CHFN_RESTRICT \"no\" \n"));
}

static void comments_and_other_keys_of_login_defs(void **state)
{
    (void)state;
    assert_true(ei_gecos_first_trusted("#CHFN_RESTRICT frwh\n"));
    assert_true(ei_gecos_first_trusted("  # CHFN_RESTRICT frwh\nCHFN_RESTRICT rwh\n"));
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICTED frwh\n"));
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICT\n"));
    assert_true(ei_gecos_first_trusted("CHFN_RESTRICT   \n"));
    assert_true(ei_gecos_first_trusted("CHFN_AUTH f\n"));
    /* A remark behind the value belongs to the value for chfn, which finds its f there. */
    assert_false(ei_gecos_first_trusted("CHFN_RESTRICT rwh # not the full name\n"));
    /* Two lines: readers differ in which one counts. */
    assert_false(ei_gecos_first_trusted("CHFN_RESTRICT rwh\nCHFN_RESTRICT frwh\n"));
    assert_false(ei_gecos_first_trusted("CHFN_RESTRICT frwh\nCHFN_RESTRICT rwh\n"));
}

static void folding_is_ascii_only(void **state)
{
    char out[32], same[] = "Taylor@FABRIKAM.com";
    (void)state;

    assert_true(ei_address_fold("AZaz09@[`{\xc3\x9c", out, sizeof out));
    assert_string_equal(out, "azaz09@[`{\xc3\x9c");
    assert_true(ei_address_fold(same, same, sizeof same));
    assert_string_equal(same, "taylor@fabrikam.com");
    assert_true(ei_address_fold("abc", out, 4));
    assert_false(ei_address_fold("abcd", out, 4));
    assert_string_equal(out, "");
    assert_false(ei_address_fold("", out, 0));
}

static void the_hash_tells_addresses_apart(void **state)
{
    (void)state;
    /* FNV-1a, 64 bits, of "a" and "foobar": the published test vectors. */
    assert_true(ei_address_hash("a") == 0xaf63dc4c8601ec8cu);
    assert_true(ei_address_hash("foobar") == 0x85944171f73967e8u);
    assert_true(ei_address_hash("Taylor@Fabrikam.com") == ei_address_hash("taylor@fabrikam.com"));
    assert_true(ei_address_hash("taylor@fabrikam.com") != ei_address_hash("tailor@fabrikam.com"));
    assert_true(ei_address_hash("") != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_part_gives_the_address),
        cmocka_unit_test(padding_of_adduser_and_chfn_is_skipped),
        cmocka_unit_test(a_name_is_no_address),
        cmocka_unit_test(parts_that_users_may_change_are_not_looked_at),
        cmocka_unit_test(the_fifth_part_beats_the_first),
        cmocka_unit_test(an_untrusted_first_part_counts_for_nothing),
        cmocka_unit_test(S14_malformed_brackets_are_not_guessed_at),
        cmocka_unit_test(S14_more_than_an_address_is_returned_whole),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(the_name_is_what_is_before_the_address),
        cmocka_unit_test(a_name_that_is_not_utf8_is_dropped),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
        cmocka_unit_test(chfn_restrict_decides_about_the_first_part),
        cmocka_unit_test(the_old_yes_and_no_of_chfn_restrict),
        cmocka_unit_test(comments_and_other_keys_of_login_defs),
        cmocka_unit_test(folding_is_ascii_only),
        cmocka_unit_test(the_hash_tells_addresses_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
