/* Every verb and option stands in entra-invite(1) and in --help, and none stands there that does not exist. Run from
 * the top of the tree. */
#include "tests/unit/cli_run.h"

static char *read_page(void)
{
    FILE *file = fopen("plugin/cli/entra-invite.1", "r");
    char *text = calloc(1, OUTPUT_MAX);

    assert_non_null(file);
    size_t got = fread(text, 1, OUTPUT_MAX - 1, file);
    fclose(file);
    assert_true(got > 0 && got < OUTPUT_MAX - 1);
    return text;
}

/* The subsection whose heading begins with title, up to the next heading. The caller frees it. */
static char *section(const char *page, const char *title)
{
    char heading[64];

    snprintf(heading, sizeof heading, "\n.Ss %s", title);
    const char *start = strstr(page, heading);
    if (start == NULL)
        fail_msg("entra-invite.1 has no section for %s", title);
    start += strlen(heading);
    const char *end = strstr(start, "\n.S");
    while (end != NULL && end[3] != 's' && end[3] != 'h') /* .Sx, .Sq */
        end = strstr(end + 1, "\n.S");
    return strndup(start, end != NULL ? (size_t)(end - start) : strlen(start));
}

/* The items ".It Fl -name" of a section. */
static size_t documented(const char *text, const char *name)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, ".It Fl -")) != NULL;) {
        at += 8;
        size_t length = strcspn(at, " \n");
        if (name == NULL || (length == strlen(name) && strncmp(at, name, length) == 0))
            count++;
    }
    return count;
}

static void hold_options(const char *text, const char *what, const struct ei_option *options)
{
    size_t count = 0;

    for (const struct ei_option *option = options; option->name != NULL; option++, count++)
        if (documented(text, option->name) != 1)
            fail_msg("%s: --%s is not in its section of entra-invite.1 once", what, option->name);
    assert_int_equal(documented(text, NULL), count);
}

static void the_manual_has_every_option_of_every_verb(void **state)
{
    char *page = read_page();
    char *common = section(page, "Options of every verb");

    (void)state;
    hold_options(common, "every verb", ei_cli_common_options);
    free(common);
    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++) {
        char *text = section(page, verb->name);
        hold_options(text, verb->name, verb->options);
        free(text);
    }
    free(page);
}

static void help_has_every_option_of_every_verb(void **state)
{
    struct fixture *f = *state;

    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++) {
        const struct ei_option *const tables[] = {verb->options, ei_cli_common_options};
        cli(f, verb->name, "--help", NULL);
        assert_int_equal(f->exit_code, EI_EXIT_DONE);
        for (size_t i = 0; i < 2; i++) {
            for (const struct ei_option *option = tables[i]; option->name != NULL; option++) {
                char expected[64];
                snprintf(expected, sizeof expected, "\n  --%s", option->name);
                const char *at = strstr(f->out, expected);
                assert_non_null(at);
                assert_non_null(strchr(" [", at[strlen(expected)]));
                assert_non_null(strstr(f->out, option->help));
            }
        }
        cli(f, verb->name, "--version", NULL);
        assert_int_equal(f->exit_code, EI_EXIT_DONE);
        assert_true(strncmp(f->out, "entra-invite ", 13) == 0);
    }
}

static int overview(struct fixture *f, void *argument)
{
    char *words[] = {(char *)"entra-invite", argument, NULL};
    return ei_cli_run(2, words, f->view);
}

static void the_overview_has_every_verb(void **state)
{
    struct fixture *f = *state;

    run_child(f, overview, (char *)"--help");
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++) {
        char expected[64];
        snprintf(expected, sizeof expected, "\n  %s ", verb->name);
        assert_non_null(strstr(f->out, expected));
        assert_non_null(strstr(f->out, verb->summary));
    }
    run_child(f, overview, (char *)"--version");
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_true(strncmp(f->out, "entra-invite ", 13) == 0);
}

static bool is_option(const char *name, size_t length)
{
    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++)
        for (const struct ei_option *option = verb->options; option->name != NULL; option++)
            if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
                return true;
    return false;
}

/* The options of PowerShell's New-MgInvitation, as its page lists them: each has one row, and what the rows name is
 * there. */
static void each_option_of_powershell_has_its_row(void **state)
{
    static const char *const options[] = {
        "AdditionalProperties",
        "BodyParameter",
        "Break",
        "Confirm",
        "Headers",
        "HttpPipelineAppend",
        "HttpPipelinePrepend",
        "Id",
        "InviteRedeemUrl",
        "InviteRedirectUrl",
        "InvitedUser",
        "InvitedUserDisplayName",
        "InvitedUserEmailAddress",
        "InvitedUserMessageInfo",
        "InvitedUserSponsors",
        "InvitedUserType",
        "ProgressAction",
        "Proxy",
        "ProxyCredential",
        "ProxyUseDefaultCredentials",
        "ResetRedemption",
        "ResponseHeadersVariable",
        "SendInvitationMessage",
        "Status",
        "WhatIf",
    };
    char *page = read_page();
    char *start = strstr(page, "\n.Sh COMPARED WITH NEW-MGINVITATION\n");
    size_t rows = 0;

    (void)state;
    assert_non_null(start);
    char *end = strstr(start + 1, "\n.Sh ");
    assert_non_null(end);
    *end = '\0';
    for (const char *at = start; (at = strstr(at, "\n.It Fl ")) != NULL; at++)
        rows++;
    assert_int_equal(rows, sizeof options / sizeof options[0]);
    for (size_t i = 0; i < rows; i++) {
        char row[64];
        snprintf(row, sizeof row, "\n.It Fl %s Ta ", options[i]);
        const char *first = strstr(start, row);
        if (first == NULL || strstr(first + 1, row) != NULL)
            fail_msg("-%s has not one row", options[i]);
    }
    for (const char *at = start; (at = strstr(at, "Fl -")) != NULL; at += 4) {
        size_t length = strspn(at + 4, "abcdefghijklmnopqrstuvwxyz-");
        if (!is_option(at + 4, length))
            fail_msg("there is no option --%.*s", (int)length, at + 4);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_has_every_option_of_every_verb),
        cmocka_unit_test(each_option_of_powershell_has_its_row),
        CLI_TEST(help_has_every_option_of_every_verb),
        CLI_TEST(the_overview_has_every_verb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
