/* The permissions in a token against those that what is configured needs: contract 2.1, 3, 5 (K9: to warn). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "plugin/worker/permissions.h"

static cJSON *findings;
static struct ei_rule rules[2];
static struct ei_config config;

static int set_up(void **state)
{
    (void)state;
    memset(rules, 0, sizeof rules);
    config = (struct ei_config){.rules = rules, .rule_count = 2};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cJSON_Delete(findings);
    findings = NULL;
    return 0;
}

/* names: a JSON array, NULL: the token does not tell. */
static void judge(const char *names, bool delegated)
{
    cJSON *list = names != NULL ? cJSON_Parse(names) : NULL;

    cJSON_Delete(findings);
    findings = cJSON_CreateArray();
    ei_permissions_judge(&config, list, delegated, findings);
    cJSON_Delete(list);
}

static const cJSON *find(const char *check)
{
    const cJSON *finding;

    cJSON_ArrayForEach(finding, findings)
    {
        if (strcmp(ei_json_string(finding, "check"), check) == 0)
            return finding;
    }
    return NULL;
}

static void is(const char *check, const char *status)
{
    const cJSON *finding = find(check);

    if (finding == NULL)
        fail_msg("nothing about %s", check);
    if (strcmp(ei_json_string(finding, "status"), status) != 0)
        fail_msg("%s is %s, not %s: %s", check, ei_json_string(finding, "status"), status,
                 ei_json_string(finding, "what"));
}

static void says(const char *check, const char *member, const char *part)
{
    const char *text = ei_json_string(find(check), member);

    if (text == NULL || strstr(text, part) == NULL)
        fail_msg("%s of %s: %s", member, check, text != NULL ? text : "none");
}

static void the_least_is_enough(void **state)
{
    (void)state;
    judge("[\"User.Invite.All\",\"User.Read.All\"]", false);
    is("permission-invite", "ok");
    is("permission-status", "ok");
    is("permission-domains", "skipped");
    is("permission-change", "skipped");
    is("permission-excess", "ok");
    assert_null(find("permission-disable"));
    assert_null(find("permission-delete"));
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    judge("[]", false);
    is("permission-invite", "failed");
    says("permission-invite", "mend", "application permission User.Invite.All");
    is("permission-status", "failed");
    says("permission-status", "what", "the gate never opens");
    judge("[\"User.Invite.All\"]", true);
    is("permission-status", "failed");
    says("permission-status", "mend", "delegated permission User.Read.All");
    says("permission-status", "mend", "then entra-invite login");
}

static void a_higher_one_does_too(void **state)
{
    (void)state;
    judge("[\"User.ReadWrite.All\"]", false);
    is("permission-invite", "ok");
    is("permission-status", "ok");
    is("permission-change", "ok");
    is("permission-excess", "ok");
    judge("[\"User.Invite.All\",\"User.Read.All\",\"Domain.Read.All\",\"Policy.Read.All\"]", false);
    is("permission-domains", "ok");
    is("permission-excess", "ok");
}

static void removal_needs_more(void **state)
{
    (void)state;
    rules[1].on_account_removal = EI_REMOVAL_DISABLE;
    judge("[\"User.Invite.All\",\"User.Read.All\"]", false);
    is("permission-disable", "failed");
    says("permission-disable", "mend", "User.EnableDisableAccount.All");
    assert_null(find("permission-delete"));
    judge("[\"User.Invite.All\",\"User.Read.All\",\"User.EnableDisableAccount.All\"]", false);
    is("permission-disable", "ok");
    is("permission-excess", "ok");
    rules[0].on_account_removal = EI_REMOVAL_DELETE;
    judge("[\"User.Invite.All\",\"User.Read.All\",\"User.EnableDisableAccount.All\"]", false);
    is("permission-delete", "failed");
    judge("[\"User.Invite.All\",\"User.ReadWrite.All\"]", false);
    is("permission-disable", "ok");
    is("permission-delete", "ok");
}

static void groups_need_their_own(void **state)
{
    (void)state;
    rules[1].entra_groups.count = 1;
    judge("[\"User.Invite.All\",\"User.Read.All\"]", false);
    is("permission-groups", "failed");
    says("permission-groups", "mend", "GroupMember.ReadWrite.All");
    judge("[\"User.Invite.All\",\"User.Read.All\",\"GroupMember.ReadWrite.All\"]", false);
    is("permission-groups", "ok");
    is("permission-excess", "ok");
    rules[1].entra_groups.count = 0;
    judge("[\"User.Invite.All\",\"User.Read.All\",\"GroupMember.ReadWrite.All\"]", false);
    assert_null(find("permission-groups"));
    is("permission-excess", "warning");
}

/* An invitation never fails for its sponsors. */
static void sponsors_may_be_added_later(void **state)
{
    (void)state;
    judge("[\"User.Invite.All\",\"User.Read.All\"]", false);
    assert_null(find("permission-sponsors"));
    rules[0].invitation.sponsors.count = 1;
    judge("[\"User.Invite.All\",\"User.Read.All\"]", false);
    is("permission-sponsors", "skipped");
    judge("[\"User.Invite.All\",\"User.ReadWrite.All\"]", false);
    is("permission-sponsors", "ok");
}

static void more_than_needed_is_a_warning(void **state)
{
    (void)state;
    judge("[\"Directory.ReadWrite.All\"]", false);
    is("permission-invite", "ok");
    is("permission-excess", "warning");
    judge("[\"User.Invite.All\",\"User.Read.All\",\"RoleManagement.ReadWrite.Directory\",\"Mail.Read\"]", false);
    is("permission-excess", "warning");
    says("permission-excess", "what", "RoleManagement.ReadWrite.Directory, Mail.Read");
    /* of no use as long as no rule disables */
    judge("[\"User.Invite.All\",\"User.Read.All\",\"User.EnableDisableAccount.All\"]", false);
    is("permission-excess", "warning");
}

/* Who signed in may always read the domains of their own organisation. */
static void delegated_names_are_known(void **state)
{
    (void)state;
    judge("[\"openid\",\"profile\",\"email\",\"offline_access\",\"User.Read\",\"User.Invite.All\",\"User.Read.All\"]",
          true);
    is("permission-domains", "ok");
    is("permission-excess", "ok");
    judge("[\"User.Read\",\"User.Invite.All\",\"User.Read.All\"]", false);
    is("permission-domains", "skipped");
}

static void least_is(const char *names)
{
    struct ei_permission permissions[EI_PERMISSIONS_MAX];
    char found[512] = "";
    size_t count = ei_permissions_least(&config, permissions);

    for (size_t i = 0; i < count; i++)
        strcat(strcat(found, permissions[i].name), " ");
    assert_string_equal(found, names);
}

/* Whoever signs in is asked for what the configuration needs, and for no more. */
static void a_person_is_asked_for_the_least(void **state)
{
    (void)state;
    least_is("User.Invite.All User.Read.All ");
    rules[0].entra_groups.count = 1;
    least_is("User.Invite.All User.Read.All GroupMember.ReadWrite.All ");
    rules[1].on_account_removal = EI_REMOVAL_DISABLE;
    least_is("User.Invite.All User.Read.All User.EnableDisableAccount.All GroupMember.ReadWrite.All ");
    rules[1].on_account_removal = EI_REMOVAL_DELETE;
    rules[0].entra_groups.count = 0;
    least_is("User.Invite.All User.Read.All User.ReadWrite.All ");
}

/* A token is opaque by Microsoft's word: what cannot be read is no failure. */
static void a_silent_token_is_no_failure(void **state)
{
    (void)state;
    rules[0].on_account_removal = EI_REMOVAL_DELETE;
    judge(NULL, false);
    is("permission-invite", "skipped");
    is("permission-status", "skipped");
    is("permission-delete", "skipped");
    assert_null(find("permission-excess"));
}

#define PERMISSION_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PERMISSION_TEST(the_least_is_enough),           PERMISSION_TEST(what_is_missing_is_named),
        PERMISSION_TEST(a_higher_one_does_too),         PERMISSION_TEST(removal_needs_more),
        PERMISSION_TEST(sponsors_may_be_added_later),   PERMISSION_TEST(groups_need_their_own),
        PERMISSION_TEST(more_than_needed_is_a_warning), PERMISSION_TEST(delegated_names_are_known),
        PERMISSION_TEST(a_silent_token_is_no_failure),  PERMISSION_TEST(a_person_is_asked_for_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
