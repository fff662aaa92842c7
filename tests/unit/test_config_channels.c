/* Who carries the redeem URL, in which words, and how long a partner is waited for. */
#include "tests/unit/config_fixture.h"

/* Our own mail and chat, the words for them, and how long a partner is waited for. */
static void channels_and_patience(void **state)
{
    const struct ei_config *c = accepted(
        *state, TENANT CLIENT CREDENTIAL
        "rules = ( { name = \"one\"; group = \"one\"; remind_after = 7; give_up_after = 30; on_give_up = \"delete\";\n"
        "    tell_sponsors = true; },\n"
        "  { name = \"two\"; group = \"two\"; invitation: { deliver = \"webhook\"; }; },\n"
        "  { name = \"three\"; group = \"three\"; invitation: { send_message = false; }; give_up_after = 1; } );\n"
        "invitation: { deliver = \"smtp\"; };\n"
        "smtp: { url = \"smtp://relay.contoso.com:587\"; from = \"IT <it@contoso.com>\"; reply_to = "
        "\"help@contoso.com\";\n"
        "  user = \"entra-invite\"; password_file = \"/etc/entra-invite/relay\"; ca_file = \"/etc/ssl/relay.pem\"; };\n"
        "webhook: { url_file = \"/etc/entra-invite/webhook\"; format = \"teams\"; token_file = "
        "\"/etc/entra-invite/token\"; };\n"
        "templates = ( { file = \"/etc/entra-invite/invitation.txt\"; },\n"
        "  { kind = \"reminder\"; rule = \"one\"; language = \"de\"; file = \"/etc/entra-invite/reminder.de.txt\"; } "
        ");\n");

    assert_int_equal(c->rules[0].invitation.deliver, EI_CHANNEL_SMTP);
    assert_int_equal(c->rules[1].invitation.deliver, EI_CHANNEL_WEBHOOK);
    assert_int_equal(c->rules[2].invitation.deliver, EI_CHANNEL_NONE);
    assert_int_equal(c->rules[0].remind_after, 7);
    assert_int_equal(c->rules[0].give_up_after, 30);
    assert_int_equal(c->rules[0].on_give_up, EI_REMOVAL_DELETE);
    assert_true(c->rules[0].tell_sponsors);
    assert_false(c->rules[2].tell_sponsors);
    assert_int_equal(c->rules[2].on_give_up, EI_REMOVAL_KEEP);
    assert_string_equal(c->smtp.url, "smtp://relay.contoso.com:587");
    assert_string_equal(c->smtp.from, "IT <it@contoso.com>");
    assert_string_equal(c->smtp.reply_to, "help@contoso.com");
    assert_string_equal(c->smtp.user, "entra-invite");
    assert_string_equal(c->smtp.password_file, "/etc/entra-invite/relay");
    assert_string_equal(c->smtp.ca_file, "/etc/ssl/relay.pem");
    assert_int_equal(c->smtp.tls, EI_RELAY_TLS_REQUIRED);
    assert_string_equal(c->webhook.url_file, "/etc/entra-invite/webhook");
    assert_string_equal(c->webhook.token_file, "/etc/entra-invite/token");
    assert_int_equal(c->webhook.format, EI_WEBHOOK_TEAMS);
    assert_int_equal(c->template_count, 2);
    assert_int_equal(c->templates[0].kind, EI_TEMPLATE_INVITATION);
    assert_null(c->templates[0].rule);
    assert_null(c->templates[0].language);
    assert_int_equal(c->templates[1].kind, EI_TEMPLATE_REMINDER);
    assert_string_equal(c->templates[1].rule, "one");
    assert_string_equal(c->templates[1].language, "de");
}

#define SMTP(more) "smtp: { url = \"smtp://relay.contoso.com\"; from = \"it@contoso.com\"; " more " };"

static void channels(void **state)
{
    static const struct refusal list[] = {
        {"invitation: { deliver = \"pigeon\"; };", "invitation.deliver", "none of: none, microsoft, smtp, webhook"},
        {"invitation: { deliver = true; };", "invitation.deliver", "must be a string"},
        {"invitation: { deliver = \"none\"; send_message = true; };", "invitation.deliver", "beside send_message"},
        {"invitation: { deliver = \"smtp\"; };", "invitation", "needs the group smtp"},
        {"invitation: { deliver = \"webhook\"; };", "invitation", "needs the group webhook"},
        {"smtp: { from = \"it@contoso.com\"; };", "smtp", "url is missing"},
        {"smtp: { url = \"smtp://relay.contoso.com\"; };", "smtp", "from is missing"},
        {"smtp: { url = \"relay.contoso.com\"; };", "smtp.url", "is not smtp://HOST[:PORT]"},
        {"smtp: { url = \"smtp://relay.contoso.com/x\"; };", "smtp.url", "is not smtp://HOST[:PORT]"},
        {"smtp: { url = \"smtp://relay:99999\"; };", "smtp.url", "is not smtp://HOST[:PORT]"},
        {"smtp: { url = \"https://relay.contoso.com\"; };", "smtp.url", "is not smtp://HOST[:PORT]"},
        {SMTP("tls = \"perhaps\";"), "smtp.tls", "none of: required, opportunistic, none"},
        {"smtp: { url = \"smtps://relay\"; from = \"it@contoso.com\"; tls = \"none\"; };", "smtp.tls",
         "no effect with smtps"},
        {SMTP("user = \"u\";"), "smtp.user", "need each other"},
        {SMTP("password_file = \"/p\";"), "smtp", "need each other"},
        {SMTP("user = \"u\"; password_file = \"p\";"), "smtp.password_file", "must be an absolute path"},
        {SMTP("user = \"u\"; password_file = \"/p\"; password_name = \"p\";"), "smtp.password_name",
         "beside password_file"},
        {SMTP("user = \"u\"; password_name = \"../p\";"), "smtp.password_name", "is not the name of a credential"},
        {SMTP("user = \"u\"; password_name = \"p\";"), "smtp.password_name", "LoadCredential=p:PATH"},
        {SMTP("ca_file = \"ca.pem\";"), "smtp.ca_file", "must be an absolute path"},
        {SMTP("password = \"secret\";"), "smtp.password", "there is no such key"},
        {"webhook: { };", "webhook", "needs url_file or url_name"},
        {"webhook: { url = \"https://x.example/\"; };", "webhook.url", "there is no such key"},
        {"webhook: { url_file = \"/u\"; format = \"irc\"; };", "webhook.format", "none of: json, slack, teams"},
        {"webhook: { url_file = \"u\"; };", "webhook.url_file", "must be an absolute path"},
        {"templates = ( { } );", "templates[0]", "file is missing"},
        {"templates = ( { file = \"x\"; } );", "templates[0].file", "must be an absolute path"},
        {"templates = ( { file = \"/x\"; kind = \"poem\"; } );", "templates[0].kind",
         "none of: invitation, reminder, sponsor"},
        {"templates = ( { file = \"/x\"; rule = \"nobody\"; } );", "templates[0].rule", "there is no rule \"nobody\""},
        {"templates = ( { file = \"/x\"; language = \"german\"; } );", "templates[0].language", "is not a language"},
        {"templates = ( { file = \"/x\"; }, { file = \"/y\"; } );", "templates[1]", "two templates of this kind"},
    };

    REFUSE_EACH(*state, list);
}

#define RULE_WITH(more) TENANT CLIENT CREDENTIAL "\nrules = ( { name = \"a\"; group = \"a\"; " more " } );\n"

static void patience(void **state)
{
    static const struct {
        const char *text;
        const char *key;
        const char *saying;
    } list[] = {
        {RULE_WITH("remind_after = 7;"), "rules[0].remind_after", "needs a way to the partner"},
        {RULE_WITH("remind_after = 30; give_up_after = 30; invitation: { send_message = true; };"),
         "rules[0].remind_after", "must be less than give_up_after (30 days)"},
        {RULE_WITH("tell_sponsors = true;"), "rules[0].tell_sponsors", "no effect without remind_after or"},
        {RULE_WITH("tell_sponsors = true; give_up_after = 1;"), "rules[0].tell_sponsors", "needs the group smtp"},
        {RULE_WITH("on_give_up = \"delete\";"), "rules[0].on_give_up", "no effect without give_up_after"},
        {RULE_WITH("give_up_after = 1; on_give_up = \"forget\";"), "rules[0].on_give_up",
         "none of: keep, disable, delete"},
        {RULE_WITH("give_up_after = 3651;"), "rules[0].give_up_after", "out of range"},
        {RULE_WITH("remind_after = -1;"), "rules[0].remind_after", "out of range"},
        {RULE_WITH("give_up_after = \"30d\";"), "rules[0].give_up_after", "must be a whole number"},
    };

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        refused(*state, list[i].text, 5, list[i].key, list[i].saying);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(channels_and_patience, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(channels, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(patience, config_setup, config_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
