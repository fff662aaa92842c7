/* What an answer to an invitation repeats, against what was sent (contract 2.2, 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/utf8.h"
#include "common/graph/echo.h"

#define SENT                                                                                                           \
    "{\"inviteRedirectUrl\":\"https://apps.contoso.example\",\"invitedUserEmailAddress\":\"Taylor@fabrikam.com\","     \
    "\"invitedUserDisplayName\":\"T\xc3\xa4ylor\",\"invitedUserType\":\"Member\",\"sendInvitationMessage\":true,"      \
    "\"invitedUserMessageInfo\":{\"customizedMessageBody\":\"Hi\nthere\",\"messageLanguage\":\"nl-BE\","               \
    "\"ccRecipients\":[{\"emailAddress\":{\"address\":\"lead@contoso.example\"}}]}}"

static char notes[EI_ECHO_NOTES_MAX];

static const char *compare(const char *sent, const char *answer)
{
    cJSON *json = answer != NULL ? cJSON_Parse(answer) : NULL;

    memset(notes, 'x', sizeof notes);
    ei_echo_compare(sent, json, notes);
    cJSON_Delete(json);
    return notes;
}

static char *escaped(void)
{
    static char text[sizeof SENT + 8];
    const char *newline = strchr(SENT, '\n');

    snprintf(text, sizeof text, "%.*s\\n%s", (int)(newline - SENT), SENT, newline + 1);
    return text;
}

static void the_same_is_no_difference(void **state)
{
    (void)state;
    assert_string_equal(compare(escaped(), escaped()), "");
    assert_string_equal(compare(escaped(), NULL), "");
    assert_string_equal(compare(escaped(), "{}"), ""); /* nothing is told */
    assert_string_equal(compare(escaped(), "{\"inviteRedirectUrl\":\"https://apps.contoso.example/\","
                                           "\"invitedUserEmailAddress\":\"taylor@FABRIKAM.com\"}"),
                        "");
}

static void each_difference_is_a_line(void **state)
{
    static const struct {
        const char *answer;
        const char *wanted;
    } cases[] = {
        {"{\"invitedUserType\":\"Guest\"}", "invitedUserType: \"Member\" was sent, Microsoft answered \"Guest\""},
        {"{\"invitedUserDisplayName\":null}",
         "invitedUserDisplayName: \"T\xc3\xa4ylor\" was sent, Microsoft answered null"},
        {"{\"inviteRedirectUrl\":\"https://apps.contoso.example/x\"}",
         "inviteRedirectUrl: \"https://apps.contoso.example\" was sent, Microsoft answered "
         "\"https://apps.contoso.example/x\""},
        {"{\"sendInvitationMessage\":false}", "sendInvitationMessage: \"true\" was sent, Microsoft answered \"false\""},
        {"{\"resetRedemption\":true}", "resetRedemption: \"false\" was sent, Microsoft answered \"true\""},
        {"{\"invitedUserMessageInfo\":{\"messageLanguage\":null,\"customizedMessageBody\":\"Hi\\nthere\"}}",
         "messageLanguage: \"nl-BE\" was sent, Microsoft answered null"},
        {"{\"invitedUserMessageInfo\":{\"customizedMessageBody\":null}}",
         "customizedMessageBody: \"Hi?there\" was sent, Microsoft answered null"},
        {"{\"invitedUserMessageInfo\":{\"ccRecipients\":[{\"emailAddress\":{\"name\":null,\"address\":null}}]}}",
         "ccRecipients: \"lead@contoso.example\" was sent, Microsoft answered null"},
        {"{\"invitedUserType\":\"Guest\",\"sendInvitationMessage\":false}",
         "invitedUserType: \"Member\" was sent, Microsoft answered \"Guest\"\n"
         "sendInvitationMessage: \"true\" was sent, Microsoft answered \"false\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(compare(escaped(), cases[i].answer), cases[i].wanted);
}

/* Whatever a server answers: lines of printable text within the room. */
static void long_and_strange_values_stay_lines(void **state)
{
    char answer[70000];
    char fill[32768];

    (void)state;
    memset(fill, 'x', sizeof fill - 1);
    fill[sizeof fill - 1] = '\0';
    snprintf(answer, sizeof answer,
             "{\"invitedUserType\":\"%s\",\"invitedUserDisplayName\":\"a\\nb\\u001b[31m\xe0\xb8\xab%s\"}", fill, fill);
    compare(escaped(), answer);
    assert_true(strlen(notes) < 700);
    char *newline = strchr(notes, '\n');
    assert_non_null(newline);
    assert_null(strchr(newline + 1, '\n'));
    *newline = ' ';
    assert_true(ei_utf8_printable(notes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_no_difference),
        cmocka_unit_test(each_difference_is_a_line),
        cmocka_unit_test(long_and_strange_values_stay_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
