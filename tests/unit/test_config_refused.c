/* What the configuration refuses, key by key: file, line, key, reason. */
#include "tests/unit/config_fixture.h"

static void numbers(void **state)
{
    static const struct refusal list[] = {
        {"refresh_interval = \"300\";", "refresh_interval", "must be a whole number"},
        {"refresh_interval = 300.0;", "refresh_interval", "must be a whole number"},
        {"refresh_interval = 4;", "refresh_interval", "4 is out of range: 5 to 86400"},
        {"refresh_interval = 86401;", "refresh_interval", "out of range"},
        {"hook_wait = -1;", "hook_wait", "-1 is out of range: 0 to 60"},
        {"hook_wait = 61;", "hook_wait", "out of range"},
        {"hook_wait = true;", "hook_wait", "must be a whole number"},
        {"max_new = -1;", "max_new", "out of range"},
        {"max_new = ( );", "max_new", "must be a whole number"},
        {"max_age = -1;", "max_age", "out of range"},
        {"max_age = { };", "max_age", "must be a whole number"},
        {"max_age = 299;", "max_age", "must be 0 or at least refresh_interval (300)"},
        {"minimum_uid = 0;", "minimum_uid", "out of range"},
        {"minimum_uid = \"a\";", "minimum_uid", "must be a whole number"},
        /* libconfig reads the next three as 1215752191, -1 and 0 */
        {"max_age = 99999999999;", "a number is out of range", "2147483647"},
        {"max_age = 99999999999999999999999;", "a number is out of range", ""},
        {"max_age = 0x100000000;", "a number is out of range", ""},
        {"max_age = 99999999999L;", "max_age", "99999999999 is out of range"},
    };

    REFUSE_EACH(*state, list);
    /* long digits in strings, comments and names are no numbers */
    accepted(*state, GOOD "# 99999999999\n// 99999999999\n/* 99999999999 \"\n*/ max_new = 20;\n"
                          "invitation: { message_body = \"\\\"call 99999999999 # /*\"; };\n");
}

static void strings_and_blocks(void **state)
{
    static const struct refusal list[] = {
        {"cloud = \"glo\nbal;\n", "the string that begins here has no closing quote", ""},
        {"cloud = 1;", "cloud", "must be a string in quotes"},
        {"cloud = \"mars\";", "cloud", "\"mars\" is none of: global, usgov, usgov-dod, china, china-chinacloudapi"},
        {"cloud = \"\";", "cloud", "must not be empty"},
        {"login_url = \"http://localhost\";", "login_url", "is not https://HOST"},
        {"login_url = \"https://\";", "login_url", "is not https://HOST"},
        {"login_url = \"https://:443\";", "login_url", "is not https://HOST"},
        {"login_url = \"https://host:0\";", "login_url", "is not https://HOST"},
        {"login_url = \"https://host:65536\";", "login_url", "is not https://HOST"},
        {"login_url = \"https://host/path\";", "login_url", "is not https://HOST"},
        {"login_url = \"https://host?a=b\";", "login_url", "is not https://HOST"},
        {"graph_url = \"https://user@host\";", "graph_url", "is not https://HOST"},
        {"graph_url = \"https://ho st\";", "graph_url", "is not https://HOST"},
        {"graph_url = \"https://[::1\";", "graph_url", "is not https://HOST"},
        {"graph_url = [ \"https://host\" ];", "graph_url", "must be a string in quotes"},
        {"ca_file = \"ca.pem\";", "ca_file", "must be an absolute path"},
        {"ca_file = false;", "ca_file", "must be a string in quotes"},
        {"state_dir = \"var\";", "state_dir", "must be an absolute path"},
        {"state_dir = 1;", "state_dir", "must be a string in quotes"},
        {"socket = \"run\";", "socket", "must be an absolute path"},
        {"socket = 1;", "socket", "must be a string in quotes"},
        {"socket = \"/123456789012345678901234567890123456789012345678901234567890"
         "123456789012345678901234567890123456789012345678\";",
         "socket", "at most 107 bytes"},
        {"store = \"sqlite\";", "store", "must be a group: { ... }"},
        {"store: { type = 1; };", "store.type", "must be a string in quotes"},
        {"store: { type = \"etcd\"; };", "store.type", "this version cannot use \"etcd\"; it has \"sqlite\""},
        {"store: { typ = \"sqlite\"; };", "store.typ", "is type meant?"},
    };

    REFUSE_EACH(*state, list);
}

/* What walks through the settings recurses: a file of 6 KB was enough to end the worker. */
static void deep_nesting(void **state)
{
    enum { LEVELS = 3000 };
    struct config_fixture *f = *state;
    static char text[2 * LEVELS + 512];

    refused(f, GOOD "x = ((((((((((((((((1))))))))))))))));", 5, "x", "no such key");
    refused(f, GOOD "x = (((((((((((((((((1)))))))))))))))));", 5, "lists and groups are nested deeper", "");
    size_t length = (size_t)snprintf(text, sizeof text, "%sx = ", GOOD);
    memset(text + length, '(', LEVELS);
    memset(text + length + LEVELS, ')', LEVELS);
    strcpy(text + length + 2 * LEVELS, ";");
    refused(f, text, 5, "lists and groups are nested deeper", "");
}

/* libconfig reads on behind it, where nothing was looked at. */
static void a_NUL(void **state)
{
    static const char text[] = GOOD "# \0\nmax_new = 99999999999;\n";
    struct config_fixture *f = *state;
    FILE *file = fopen(f->path, "w");

    assert_int_equal(fwrite(text, 1, sizeof text - 1, file), sizeof text - 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, "has a NUL in it"));
}

static void unknown_keys(void **state)
{
    static const struct refusal list[] = {
        {"refresh_intervall = 5;", "refresh_intervall", "there is no such key; is refresh_interval meant?"},
        {"tennant = \"x\";", "tennant", "is tenant meant?"},
        {"foo = 1;", "foo", "no such key in this version"},
        {"send_message = true;", "send_message", "it belongs into invitation"},
        {"remind_after = 7;", "remind_after", "it belongs into rules"},
        {"group = \"partners\";", "group", "it belongs into rules"},
        {"invitation: { mesage_body = \"\"; };", "invitation.mesage_body", "is message_body meant?"},
        {"invitation: { tenant = \"\"; };", "invitation.tenant", "no such key in this version"},
        {"accounts = ( { login = \"t\"; mail = \"t@b.example\"; } );", "accounts[0].mail", "is email meant?"},
    };

    REFUSE_EACH(*state, list);
}

static void invitations(void **state)
{
    static const struct refusal list[] = {
        {"invitation = ( );", "invitation", "must be a group: { ... }"},
        {"invitation: { redirect_url = \"\"; };", "invitation.redirect_url", "must not be empty"},
        {"invitation: { redirect_url = 1; };", "invitation.redirect_url", "must be a string"},
        {"invitation: { redirect_url = \"/start\"; };", "invitation.redirect_url", "not an absolute https:// or"},
        {"invitation: { redirect_url = \"https://\"; };", "invitation.redirect_url", "not an absolute"},
        {"invitation: { redirect_url = \"https:///x\"; };", "invitation.redirect_url", "not an absolute"},
        {"invitation: { redirect_url = \"javascript:alert(1)\"; };", "invitation.redirect_url", "not an absolute"},
        {"invitation: { redirect_url = \"https://host/a b\"; };", "invitation.redirect_url", "not an absolute"},
        {"invitation: { user_type = \"admin\"; };", "invitation.user_type", "none of: guest, member"},
        {"invitation: { user_type = 1; };", "invitation.user_type", "must be a string"},
        {"invitation: { send_message = \"yes\"; };", "invitation.send_message", "must be true or false"},
        {"invitation: { send_message = 1; };", "invitation.send_message", "must be true or false"},
        {"invitation: { message_body = 1; };", "invitation.message_body", "must be a string"},
        {"invitation: { message_language = \"english\"; };", "invitation.message_language", "such as \"en-US\""},
        {"invitation: { message_language = \"en_US\"; };", "invitation.message_language", "such as \"en-US\""},
        {"invitation: { message_language = \"en-\"; };", "invitation.message_language", "such as \"en-US\""},
        {"invitation: { cc = \"a@b.example\"; };", "invitation.cc", "must be a list: ( ... )"},
        {"invitation: { cc = ( 1 ); };", "invitation.cc[0]", "must be a string in quotes"},
        {"invitation: { cc = ( \"a@b.example\", \"c@b.example\" ); };", "invitation.cc",
         "takes one cc recipient, not 2"},
        {"invitation: { cc = ( \"a+b@b.example\" ); };", "invitation.cc", "must not have '+'"},
        {"invitation: { sponsors = ( \"alice\" ); };", "invitation.sponsors[0]", "\"alice\" is no sponsor"},
        {"invitation: { sponsors = ( \"requester\", \"alice@contoso\" ); };", "invitation.sponsors[1]",
         "a user's object id or userPrincipalName"},
        {"invitation: { sponsors = ( \"group:owners\" ); };", "invitation.sponsors[0]", "a group's object id"},
        {"invitation: { sponsors = ( \"a@b/c.example\" ); };", "invitation.sponsors[0]", "is no sponsor"},
        {"invitation: { sponsors = ( \"a@b.ex\", \"b@b.ex\", \"c@b.ex\", \"d@b.ex\", \"e@b.ex\", \"f@b.ex\" ); };",
         "invitation.sponsors", "at most 5 sponsors for a guest, not 6"},
        {"invitation: { message_body = \"a\\x07b\"; };", "invitation.message_body", "control characters"},
        {"invitation: { message_body = \"a\\xe4b\"; };", "invitation.message_body", "is not UTF-8 text"},
        {"invitation: { message_body_file = \"welcome.txt\"; };", "invitation.message_body_file",
         "must be an absolute path"},
        {"invitation: { message_body_file = \"/nonexistent/welcome\"; };", "invitation.message_body_file",
         "/nonexistent/welcome: No such file"},
        {"invitation: { message_body = \"\"; message_body_file = \"/etc/passwd\"; };", "invitation.message_body_file",
         "stands beside message_body"},
        {"requesters = ( { login = \"alice\"; } );", "requesters[0]", "needs login and upn"},
        {"requesters = ( { login = \"alice\"; upn = \"alice\"; } );", "requesters[0].upn",
         "is not a userPrincipalName"},
        {"requesters = ( { login = \"a\"; upn = \"a@b.ex\"; }, { login = \"a\"; upn = \"c@b.ex\"; } );",
         "requesters[1]", "two entries for a"},
        {"requester_domain = \"@contoso.com\";", "requester_domain", "must not have '@'"},
        {"invitation: { sponsors = \"\"; };", "invitation.sponsors", "must be a list"},
    };

    REFUSE_EACH(*state, list);
}

static void accounts(void **state)
{
    static const struct refusal list[] = {
        {"accounts = { };", "accounts", "must be a list: ( ... )"},
        {"accounts = ( \"taylor\" );", "accounts[0]", "must be a group: { ... }"},
        {"accounts = ( { login = \"t\"; } );", "accounts[0]", "an account needs login and email"},
        {"accounts = ( { login = 1; email = \"t@b.example\"; } );", "accounts[0].login", "must be a string"},
        {"accounts = ( { login = \"a:b\"; email = \"t@b.example\"; } );", "accounts[0].login", "is not a login's name"},
        {"accounts = ( { login = \"t\"; email = 1; } );", "accounts[0].email", "must be a string"},
        {"accounts = ( { login = \"t\"; email = \"no\"; } );", "accounts[0]", "it has no '@'"},
        {"accounts = ( { login = \"t\"; email = \"t@b.example\"; }, { login = \"t\"; email = \"u@b.example\"; } );",
         "accounts[1]", "there are two entries for t"},
    };

    REFUSE_EACH(*state, list);
}

/* The rule is line 4. */
static void refuse_rule(struct config_fixture *f, const char *rule, const char *key, const char *saying)
{
    char text[2048];

    snprintf(text, sizeof text, TENANT CLIENT CREDENTIAL "rules = ( %s );\n", rule);
    refused(f, text, 4, key, saying);
}

static void rules(void **state)
{
    struct config_fixture *f = *state;
    static const char *const owners[] = {"root", "sudo", "wheel", "adm"};
    char rule[256];

    refuse_rule(f, "", "rules", "is empty; it must be");
    refuse_rule(f, "\"partners\"", "rules[0]", "must be a group: { ... }");
    refuse_rule(f, "{ name = \"p\"; }", "rules[0]", "a rule needs name and group");
    refuse_rule(f, "{ group = \"p\"; }", "rules[0]", "a rule needs name and group");
    refuse_rule(f, "{ name = 1; group = \"p\"; }", "rules[0].name", "must be a string");
    refuse_rule(f, "{ name = \"a b\"; group = \"p\"; }", "rules[0].name", "letters, digits and . _ - only");
    refuse_rule(f, "{ name = \"p\"; group = \"\"; }", "rules[0].group", "must not be empty");
    refuse_rule(f, "{ name = \"p\"; group = 1; }", "rules[0].group", "must be a string");
    refuse_rule(f, "{ name = \"p\"; group = \"a:b\"; }", "rules[0].group", "is not a group's name");
    refuse_rule(f, "{ name = \"p\"; group = \"a\\tb\"; }", "rules[0].group", "is not a group's name");
    refuse_rule(f, "{ name = \"p\"; group = \"-a\"; }", "rules[0].group", "is not a group's name");
    for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
        snprintf(rule, sizeof rule, "{ name = \"p\"; group = \"%s\"; }", owners[i]);
        refuse_rule(f, rule, "rules[0].group", "is never for collaborators");
    }
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; }, { name = \"p\"; group = \"b\"; }", "rules[1].name",
                "there are two rules \"p\"");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; email_domains = \"b.example\"; }", "rules[0].email_domains",
                "must be a list");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; email_domains = ( \"b.example\", \"*.c.example\" ); }",
                "rules[0].email_domains[1]", "*.c.example");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; entra_groups = ( \"Partners\" ); }", "rules[0].entra_groups[0]",
                "is not the object id of a group");
    refuse_rule(f,
                "{ name = \"p\"; group = \"a\"; entra_groups = ( \"aaaaaaaa-0000-4000-8000-00000000000a\", "
                "\"aaaaaaaa-0000-4000-8000-00000000000a/x\" ); }",
                "rules[0].entra_groups[1]", "is not the object id of a group");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; entra_groups = \"aaaaaaaa-0000-4000-8000-00000000000a\"; }",
                "rules[0].entra_groups", "must be a list");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; on_account_removal = \"drop\"; }", "rules[0].on_account_removal",
                "none of: keep, disable, delete");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; existing = true; }", "rules[0].existing", "must be a string");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; existing = \"no\"; }", "rules[0].existing", "none of: hold, invite");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; invitation: { cc = ( \"x\" ); }; }", "rules[0].invitation.cc",
                "it has no '@'");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; emaildomains = ( ); }", "rules[0].emaildomains",
                "is email_domains meant?");
    refuse_rule(f, "{ name = \"p\"; group = \"a\"; hook_wait = 1; }", "rules[0].hook_wait", "no such key");
}

static void who_asks(void **state)
{
    struct config_fixture *f = *state;

    refused(f, CLIENT CREDENTIAL RULE, 0, "tenant", "is missing; it must be the tenant's domain or id");
    refused(f, TENANT CREDENTIAL RULE, 0, "client_id", "is missing; it must be the app registration's");
    refused(f, TENANT CLIENT RULE, 0, "credential", "is missing; it must be { type = \"secret\"");
    refused(f, TENANT CLIENT CREDENTIAL, 0, "rules", "is missing");
    refused(f, "tenant = 1;\n" CLIENT CREDENTIAL RULE, 1, "tenant", "must be a string");
    refused(f, "tenant = \"\";\n" CLIENT CREDENTIAL RULE, 1, "tenant", "is empty");
    refused(f, "tenant = \"contoso\";\n" CLIENT CREDENTIAL RULE, 1, "tenant", "neither a domain name nor");
    refused(f, "tenant = \"common\";\n" CLIENT CREDENTIAL RULE, 1, "tenant", "neither a domain name nor");
    refused(f, "tenant = \"a.b/c\";\n" CLIENT CREDENTIAL RULE, 1, "tenant", "neither a domain name nor");
    refused(f, TENANT "client_id = \"my app\";\n" CREDENTIAL RULE, 2, "client_id", "00000000-0000");
    refused(f, TENANT "client_id = 5;\n" CREDENTIAL RULE, 2, "client_id", "must be a string");
    refused(f, TENANT TENANT CLIENT CREDENTIAL RULE, 2, "duplicate setting name", "");
    refused(f, TENANT "client_id = ;\n" CREDENTIAL RULE, 2, "syntax error", "");
}

/* The credential is line 4. */
static void refuse_credential(struct config_fixture *f, const char *credential, const char *key, const char *saying)
{
    char text[1024];

    snprintf(text, sizeof text, TENANT CLIENT RULE "%s\n", credential);
    refused(f, text, 4, key, saying);
}

static void certificates(void **state)
{
    struct config_fixture *f = *state;
#define CERTIFICATE "credential: { type = \"certificate\"; "

    refuse_credential(f, CERTIFICATE "certificate = \"/c\"; };", "credential", "either file or credential_name");
    refuse_credential(f, CERTIFICATE "file = \"/k\"; };", "credential", "certificate is missing");
    refuse_credential(f, CERTIFICATE "file = \"/k\"; certificate = \"c\"; };", "credential.certificate",
                      "absolute path");
    refuse_credential(f, CERTIFICATE "file = \"/k\"; certificate = 1; };", "credential.certificate",
                      "must be a string");
    refuse_credential(f, CERTIFICATE "file = \"/k\"; certificate = \"/c\"; passphrase_name = \"a/b\"; };",
                      "credential.passphrase_name", "is not the name of a credential");
    refuse_credential(f, CERTIFICATE "file = \"/k\"; certificate = \"/c\"; passphrase_name = \"p\"; };",
                      "credential.passphrase_name", "LoadCredential=p:PATH");
    refuse_credential(f, CERTIFICATE "file = \"/k\"; certificate = \"/c\"; endpoint = \"https://x\"; };",
                      "credential.endpoint", "is for managed-identity; this credential's type is \"certificate\"");
    refuse_credential(f, "credential: { type = \"secret\"; file = \"/s\"; certificate = \"/c\"; };",
                      "credential.certificate", "is for certificate; this credential's type is \"secret\"");
    refuse_credential(f, "credential: { type = \"secret\"; file = \"/s\"; passphrase_name = \"p\"; };",
                      "credential.passphrase_name", "is for certificate");
}

static void federated_tokens(void **state)
{
    struct config_fixture *f = *state;
#define FEDERATED "credential: { type = \"federated\"; "

    refuse_credential(f, FEDERATED "};", "credential", "file is missing");
    refuse_credential(f, FEDERATED "file = \"t\"; };", "credential.file", "absolute path");
    refuse_credential(f, FEDERATED "credential_name = \"t\"; };", "credential.credential_name",
                      "is fixed while the service runs");
    refuse_credential(f, FEDERATED "file = \"/t\"; credential_name = \"t\"; };", "credential.credential_name",
                      "is fixed while the service runs");
    refuse_credential(f, FEDERATED "file = \"/t\"; certificate = \"/c\"; };", "credential.certificate",
                      "is for certificate");
}

static void managed_identities(void **state)
{
    struct config_fixture *f = *state;
#define MANAGED "credential: { type = \"managed-identity\"; "

    refuse_credential(f, MANAGED "file = \"/t\"; };", "credential.file", "is for secret, certificate and federated");
    refuse_credential(f, MANAGED "endpoint = \"169.254.169.254\"; };", "credential.endpoint", "must be a URL");
    refuse_credential(f, MANAGED "endpoint = 1; };", "credential.endpoint", "must be a string");
    refuse_credential(f, MANAGED "identity_client_id = \"mine\"; };", "credential.identity_client_id",
                      "is not a client id");
    refuse_credential(f, "credential: { type = \"secret\"; file = \"/s\"; identity_client_id = \"x\"; };",
                      "credential.identity_client_id", "is for managed-identity");
    refused(f, TENANT RULE MANAGED "};\nclient_id = \"x\";\n", 4, "client_id", "is not an Application");
    refused(f, TENANT RULE CREDENTIAL, 0, "client_id", "is missing");
}

static void credentials(void **state)
{
    struct config_fixture *f = *state;

    refuse_credential(f, "credential = \"secret\";", "credential", "must be a group");
    refuse_credential(f, "credential: { file = \"/s\"; };", "credential", "type is missing");
    refuse_credential(f, "credential: { type = 1; };", "credential.type", "must be a string");
    refuse_credential(f, "credential: { type = \"password\"; file = \"/s\"; };", "credential.type",
                      "it is one of \"secret\", \"certificate\", \"federated\", \"managed-identity\", \"device-code\"");
    refuse_credential(f, "credential: { type = \"device-code\"; file = \"/t\"; };", "credential.file",
                      "this credential's type is \"device-code\"");
    refuse_credential(f, "credential: { type = \"device-code\"; credential_name = \"t\"; };",
                      "credential.credential_name", "this credential's type is \"device-code\"");
    refuse_credential(f, "credential: { type = \"device-code\"; endpoint = \"https://h\"; };", "credential.endpoint",
                      "is for managed-identity");
    refuse_credential(f, "credential: { type = \"secret\"; };", "credential", "either file or credential_name");
    refuse_credential(f, "credential: { type = \"secret\"; file = \"/s\"; credential_name = \"s\"; };", "credential",
                      "not both");
    refuse_credential(f, "credential: { type = \"secret\"; file = \"s\"; };", "credential.file", "absolute path");
    refuse_credential(f, "credential: { type = \"secret\"; file = 1; };", "credential.file", "must be a string");
    refuse_credential(f, "credential: { type = \"secret\"; credential_name = 1; };", "credential.credential_name",
                      "must be a string");
    refuse_credential(f, "credential: { type = \"secret\"; credential_name = \"../s\"; };",
                      "credential.credential_name", "is not the name of a credential");
    refuse_credential(f, "credential: { type = \"secret\"; file = \"/s\"; endpoint = \"http://x\"; };",
                      "credential.endpoint", "is for managed-identity");
    refuse_credential(f, "credential: { type = \"secret\"; file = \"/s\"; endpoint = 1; };", "credential.endpoint",
                      "must be a string");
    refuse_credential(f, "credential: { type = \"secret\"; secret = \"x\"; };", "credential.secret", "no such key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(strings_and_blocks, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(deep_nesting, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(a_NUL, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(unknown_keys, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(invitations, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(accounts, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(rules, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(who_asks, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(certificates, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(federated_tokens, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(managed_identities, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(credentials, config_setup, config_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
