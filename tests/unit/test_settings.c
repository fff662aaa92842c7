/* How a collaborator is invited: which rule's settings, what the command line puts over them, whom a rule allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/worker/settings.h"

#define DEFAULTS "https://defaults.contoso.example/"
#define PARTNERS "https://partners.contoso.example/"
#define VENDORS  "https://vendors.contoso.example/"

static char *fabrikam[] = {(char *)"fabrikam.com"};
static char *adatum[] = {(char *)"adatum.example", (char *)"xn--bcher-kva.example"};
static char *copies[] = {(char *)"boss@contoso.example"};

static struct ei_rule rules[2];
static struct ei_config config;

static char *addresses[1];
static struct ei_account accounts[3];
static struct ei_collaborator person;
static struct ei_settings settings;
static struct ei_error error;

static int setup(void **state)
{
    (void)state;
    rules[0] = (struct ei_rule){
        .name = (char *)"partners",
        .email_domains = {fabrikam, 1},
        .invitation = {.redirect_url = (char *)PARTNERS,
                       .message_body = (char *)"Welcome, partner",
                       .message_language = (char *)"de-DE",
                       .cc = {copies, 1},
                       .user_type = EI_USER_MEMBER,
                       .deliver = EI_CHANNEL_MICROSOFT},
    };
    rules[1] = (struct ei_rule){
        .name = (char *)"vendors",
        .email_domains = {adatum, 2},
        .invitation = {.redirect_url = (char *)VENDORS,
                       .message_body = (char *)"",
                       .message_language = (char *)"en-US"},
    };
    config = (struct ei_config){
        .rules = rules,
        .rule_count = 2,
        .invitation = {.redirect_url = (char *)DEFAULTS,
                       .message_body = (char *)"",
                       .message_language = (char *)"en-US"},
    };
    memset(accounts, 0, sizeof accounts);
    addresses[0] = (char *)"taylor@fabrikam.com";
    person = (struct ei_collaborator){
        .addresses = addresses,
        .address_count = 1,
        .accounts = accounts,
        .display_name = (char *)"Taylor Example",
    };
    error = (struct ei_error){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ei_settings_clear(&settings);
    return 0;
}

static void add(const char *rule, enum ei_account_state account_state)
{
    accounts[person.account_count++] = (struct ei_account){.rule = (char *)rule, .state = account_state};
}

static void resolve(void)
{
    ei_settings_clear(&settings);
    enum ei_err rc = ei_settings_resolve(&config, &person, &settings, &error);
    if (rc != EI_OK)
        fail_msg("%s: %s", ei_err_name(rc), error.message);
}

static void refused(enum ei_err code, const char *named, const char *and_named)
{
    ei_settings_clear(&settings);
    assert_int_equal(ei_settings_resolve(&config, &person, &settings, &error), code);
    assert_int_equal(error.code, code);
    if (strstr(error.message, named) == NULL || strstr(error.message, and_named) == NULL)
        fail_msg("neither %s nor %s in: %s", named, and_named, error.message);
    assert_null(settings.overrides);
    assert_null(settings.invite.invited_user_email_address);
    assert_int_equal(ei_settings_resolve(&config, &person, &settings, NULL), code);
}

/* --- whose settings --- */

static void an_account_is_invited_by_its_rule(void **state)
{
    (void)state;
    add("partners", EI_ACCOUNT_ACTIVE);
    resolve();
    assert_string_equal(settings.invite.invited_user_email_address, "taylor@fabrikam.com");
    assert_string_equal(settings.invite.invited_user_display_name, "Taylor Example");
    assert_string_equal(settings.invite.invite_redirect_url, PARTNERS);
    assert_string_equal(settings.invite.customized_message_body, "Welcome, partner");
    assert_string_equal(settings.invite.message_language, "de-DE");
    assert_string_equal(settings.invite.cc, "boss@contoso.example");
    assert_true(settings.invite.member);
    assert_int_equal(settings.channel, EI_CHANNEL_MICROSOFT);
    /* Whether this POST carries the mail is the job's to say: the first never does (design, idea 4). */
    assert_false(settings.invite.send_invitation_message);
}

static void what_a_rule_leaves_out_is_not_sent(void **state)
{
    (void)state;
    add("vendors", EI_ACCOUNT_ACTIVE);
    addresses[0] = (char *)"kim@adatum.example";
    person.display_name = NULL;
    resolve();
    assert_null(settings.invite.invited_user_display_name);
    assert_null(settings.invite.customized_message_body);
    assert_null(settings.invite.cc);
    assert_false(settings.invite.member);
    assert_int_equal(settings.channel, EI_CHANNEL_NONE);
}

static void the_first_rule_of_the_file_wins(void **state)
{
    (void)state;
    add("vendors", EI_ACCOUNT_ACTIVE);
    add("partners", EI_ACCOUNT_ACTIVE);
    resolve();
    assert_string_equal(settings.invite.invite_redirect_url, PARTNERS);
}

static void only_active_accounts_have_a_say(void **state)
{
    (void)state;
    addresses[0] = (char *)"kim@adatum.example";
    add("partners", EI_ACCOUNT_HELD);
    add("partners", EI_ACCOUNT_REMOVED);
    add("vendors", EI_ACCOUNT_ACTIVE);
    resolve();
    assert_string_equal(settings.invite.invite_redirect_url, VENDORS);
}

static void a_rule_that_was_named_beats_the_accounts(void **state)
{
    (void)state;
    add("vendors", EI_ACCOUNT_ACTIVE);
    person.job.rule = (char *)"partners";
    resolve();
    assert_string_equal(settings.invite.invite_redirect_url, PARTNERS);
}

static void an_empty_name_is_the_default_block(void **state)
{
    (void)state;
    person.job.rule = (char *)"";
    resolve();
    assert_string_equal(settings.invite.invite_redirect_url, DEFAULTS);
    add("partners", EI_ACCOUNT_ACTIVE);
    resolve();
    assert_string_equal(settings.invite.invite_redirect_url, DEFAULTS);
}

static void the_rule_of_the_command_line_beats_all(void **state)
{
    (void)state;
    add("vendors", EI_ACCOUNT_ACTIVE);
    person.job.rule = (char *)"";
    person.job.overrides = (char *)"{\"rule\":\"partners\"}";
    resolve();
    assert_string_equal(settings.invite.invite_redirect_url, PARTNERS);
}

/* Renamed or taken out of the configuration between the request and its execution (design, The store's unit). */
static void a_rule_that_is_gone_is_an_error(void **state)
{
    (void)state;
    person.job.rule = (char *)"subcontractors";
    refused(EI_INVITATION_REFUSED, "taylor@fabrikam.com", "\"subcontractors\"");
    person.job.rule = NULL;
    person.job.overrides = (char *)"{\"rule\":\"subcontractors\"}";
    refused(EI_INVITATION_REFUSED, "taylor@fabrikam.com", "\"subcontractors\"");
}

static void an_account_whose_rule_is_gone_gets_the_defaults(void **state)
{
    (void)state;
    add("subcontractors", EI_ACCOUNT_ACTIVE);
    resolve();
    assert_string_equal(settings.invite.invite_redirect_url, DEFAULTS);
    addresses[0] = (char *)"taylor@northwind.example"; /* never wider than what the rules allow (S41) */
    refused(EI_DOMAIN_NOT_ALLOWED, "taylor@northwind.example", "no rule lists");
}

/* --- over them: the command line --- */

static void each_option_reaches_the_body(void **state)
{
    (void)state;
    add("partners", EI_ACCOUNT_ACTIVE);
    person.job.overrides = (char *)"{\"displayName\":\"T. Example\",\"redirectUrl\":\"https://x.example/\","
                                   "\"message\":\"Hello\",\"language\":\"fr-FR\",\"cc\":\"kim@contoso.example\","
                                   "\"type\":\"guest\",\"sendMessage\":false}";
    resolve();
    assert_string_equal(settings.invite.invited_user_display_name, "T. Example");
    assert_string_equal(settings.invite.invite_redirect_url, "https://x.example/");
    assert_string_equal(settings.invite.customized_message_body, "Hello");
    assert_string_equal(settings.invite.message_language, "fr-FR");
    assert_string_equal(settings.invite.cc, "kim@contoso.example");
    assert_false(settings.invite.member);
    assert_int_equal(settings.channel, EI_CHANNEL_NONE);
    assert_string_equal(settings.invite.invited_user_email_address, "taylor@fabrikam.com");
}

static void one_option_leaves_the_others_as_the_rule_has_them(void **state)
{
    (void)state;
    add("vendors", EI_ACCOUNT_ACTIVE);
    addresses[0] = (char *)"kim@adatum.example";
    person.job.overrides = (char *)"{\"type\":\"member\"}";
    resolve();
    assert_true(settings.invite.member);
    assert_int_equal(settings.channel, EI_CHANNEL_NONE);
    assert_string_equal(settings.invite.invite_redirect_url, VENDORS);
    person.job.overrides = (char *)"{\"sendMessage\":true}";
    resolve();
    assert_false(settings.invite.member);
    assert_int_equal(settings.channel, EI_CHANNEL_MICROSOFT);
    assert_false(settings.invite.send_invitation_message);
}

/* deliver names the channel; sendMessage knows two of them. A name that no version has, changes nothing. */
static void a_channel_of_the_command_line(void **state)
{
    static const struct {
        const char *overrides;
        enum ei_channel channel;
    } rows[] = {
        {"{\"deliver\":\"smtp\"}", EI_CHANNEL_SMTP},
        {"{\"deliver\":\"webhook\"}", EI_CHANNEL_WEBHOOK},
        {"{\"deliver\":\"none\"}", EI_CHANNEL_NONE},
        {"{\"deliver\":\"none\",\"sendMessage\":true}", EI_CHANNEL_NONE},
        {"{\"deliver\":\"pigeon\"}", EI_CHANNEL_MICROSOFT},
        {"{\"sendMessage\":false}", EI_CHANNEL_NONE},
    };

    (void)state;
    add("partners", EI_ACCOUNT_ACTIVE);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        person.job.overrides = (char *)rows[i].overrides;
        resolve();
        assert_int_equal(settings.channel, rows[i].channel);
        assert_string_equal(settings.rule->name, "partners");
    }
}

static void an_empty_message_is_no_message(void **state)
{
    (void)state;
    add("partners", EI_ACCOUNT_ACTIVE);
    person.job.overrides = (char *)"{\"message\":\"\"}";
    resolve();
    assert_null(settings.invite.customized_message_body);
}

static void damaged_options_change_nothing(void **state)
{
    static const char *const damaged[] = {"", "{", "[]", "null", "{\"type\":7,\"sendMessage\":\"yes\",\"cc\":null}"};

    (void)state;
    add("partners", EI_ACCOUNT_ACTIVE);
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        person.job.overrides = (char *)damaged[i];
        resolve();
        assert_string_equal(settings.invite.invite_redirect_url, PARTNERS);
        assert_string_equal(settings.invite.cc, "boss@contoso.example");
        assert_true(settings.invite.member);
        assert_int_equal(settings.channel, EI_CHANNEL_MICROSOFT);
    }
}

/* --- whom a rule allows --- */

static void a_rule_allows_the_domains_it_lists(void **state)
{
    static const struct {
        const char *address;
        const char *rule; /* NULL: the default block */
        bool allowed;
    } cases[] = {
        {"taylor@fabrikam.com", "partners", true},
        {"Taylor@FABRIKAM.com", "partners", true},
        {"taylor@adatum.example", "partners", false}, /* another rule's domain */
        {"taylor@evilfabrikam.com", "partners", false},
        {"taylor@fabrikam.com.evil.example", "partners", false},
        {"taylor@sub.fabrikam.com", "partners", false},
        {"taylor@fabrikam.com", "vendors", false},
        {"taylor@xn--bcher-kva.example", "vendors", true},
        {"taylor@fabrikam.com", NULL, true}, /* without a rule: what any rule lists */
        {"taylor@adatum.example", NULL, true},
        {"taylor@northwind.example", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        addresses[0] = (char *)cases[i].address;
        person.job.rule = (char *)(cases[i].rule != NULL ? cases[i].rule : "");
        if (cases[i].allowed)
            resolve();
        else
            refused(EI_DOMAIN_NOT_ALLOWED, cases[i].address, cases[i].rule != NULL ? cases[i].rule : "no rule");
    }
}

static void an_empty_list_allows_any_domain(void **state)
{
    (void)state;
    rules[1].email_domains = (struct ei_strings){0};
    addresses[0] = (char *)"taylor@northwind.example";
    person.job.rule = (char *)"vendors";
    resolve();
    person.job.rule = (char *)"";
    resolve();
    person.job.rule = (char *)"partners";
    refused(EI_DOMAIN_NOT_ALLOWED, "partners", "northwind.example");
}

static void without_rules_nobody_is_invited(void **state)
{
    (void)state;
    config.rule_count = 0;
    person.job.rule = (char *)"";
    refused(EI_DOMAIN_NOT_ALLOWED, "taylor@fabrikam.com", "no rule");
}

static void without_an_address_there_is_nobody_to_invite(void **state)
{
    (void)state;
    person.address_count = 0;
    add("partners", EI_ACCOUNT_ACTIVE);
    refused(EI_NO_ADDRESS, "no address", "");
}

static void the_first_address_is_the_one_that_counts(void **state)
{
    char *two[] = {(char *)"kim@adatum.example", (char *)"taylor@fabrikam.com"};

    (void)state;
    person.addresses = two;
    person.address_count = 2;
    add("partners", EI_ACCOUNT_ACTIVE);
    refused(EI_DOMAIN_NOT_ALLOWED, "kim@adatum.example", "partners");
}

/* --- sponsors --- */

static char *owners[] = {(char *)"users/boss@contoso.example", (char *)"requester",
                         (char *)"groups/0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"};

static void sponsored_by(const char *wanted)
{
    char got[512] = "";

    for (size_t i = 0; i < settings.invite.sponsor_count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", settings.invite.sponsors[i]);
    assert_string_equal(got, wanted);
}

static void sponsors_are_the_rules_and_requester_is_mapped(void **state)
{
    struct ei_requester known[] = {{(char *)"alice", (char *)"Alice@contoso.example"},
                                   {(char *)"root", (char *)"admin@contoso.example"}};

    (void)state;
    rules[0].invitation.sponsors = (struct ei_strings){owners, 3};
    config.requesters = known;
    config.requester_count = 2;
    config.requester_domain = (char *)"contoso.example";
    person.requester = (char *)"alice";
    add("partners", EI_ACCOUNT_ACTIVE);
    resolve();
    sponsored_by("users/boss@contoso.example users/Alice@contoso.example "
                 "groups/0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02 ");
    person.requester = (char *)"kim";
    resolve();
    sponsored_by("users/boss@contoso.example users/kim@contoso.example groups/0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02 ");
    assert_string_equal(settings.sponsor_note, "");
    person.requester = (char *)"root";
    resolve();
    sponsored_by("users/boss@contoso.example users/admin@contoso.example groups/0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02 ");
    /* Once is enough, and the case of letters makes nobody else. */
    person.requester = (char *)"BOSS";
    resolve();
    sponsored_by("users/boss@contoso.example groups/0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02 ");
}

static void a_requester_who_is_nobody_is_left_out_and_said(void **state)
{
    (void)state;
    rules[0].invitation.sponsors = (struct ei_strings){owners, 2};
    add("partners", EI_ACCOUNT_ACTIVE);
    resolve();
    sponsored_by("users/boss@contoso.example ");
    assert_non_null(strstr(settings.sponsor_note, "not known who asked"));
    person.requester = (char *)"kim";
    resolve();
    sponsored_by("users/boss@contoso.example ");
    assert_non_null(strstr(settings.sponsor_note, "who kim is in the tenant"));
    config.requester_domain = (char *)"contoso.example";
    person.requester = (char *)"root"; /* nobody in particular */
    resolve();
    sponsored_by("users/boss@contoso.example ");
    person.requester = (char *)"kim example"; /* what no userPrincipalName can hold */
    resolve();
    sponsored_by("users/boss@contoso.example ");
}

static void sponsors_of_the_command_line_beat_the_rules(void **state)
{
    (void)state;
    rules[0].invitation.sponsors = (struct ei_strings){owners, 3};
    add("partners", EI_ACCOUNT_ACTIVE);
    person.job.overrides = (char *)"{\"sponsors\":[\"users/kim@contoso.example\",7,\"requester\"]}";
    person.requester = (char *)"kim";
    config.requester_domain = (char *)"contoso.example";
    resolve();
    sponsored_by("users/kim@contoso.example ");
    person.job.overrides = (char *)"{\"sponsors\":[]}";
    resolve();
    sponsored_by("");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_account_is_invited_by_its_rule),
        T(what_a_rule_leaves_out_is_not_sent),
        T(the_first_rule_of_the_file_wins),
        T(only_active_accounts_have_a_say),
        T(a_rule_that_was_named_beats_the_accounts),
        T(an_empty_name_is_the_default_block),
        T(the_rule_of_the_command_line_beats_all),
        T(a_rule_that_is_gone_is_an_error),
        T(an_account_whose_rule_is_gone_gets_the_defaults),
        T(each_option_reaches_the_body),
        T(one_option_leaves_the_others_as_the_rule_has_them),
        T(a_channel_of_the_command_line),
        T(an_empty_message_is_no_message),
        T(damaged_options_change_nothing),
        T(a_rule_allows_the_domains_it_lists),
        T(an_empty_list_allows_any_domain),
        T(without_rules_nobody_is_invited),
        T(without_an_address_there_is_nobody_to_invite),
        T(the_first_address_is_the_one_that_counts),
        T(sponsors_are_the_rules_and_requester_is_mapped),
        T(a_requester_who_is_nobody_is_left_out_and_said),
        T(sponsors_of_the_command_line_beat_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
