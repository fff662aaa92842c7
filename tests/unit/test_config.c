/* The configuration: what is read, the defaults, includes, who may have written the file, and the manual. */
#include "tests/unit/config_fixture.h"

#include <ctype.h>

#include "common/base/paths.h"

static void s41_defaults_are_the_designs(void **state)
{
    const struct ei_config *c = accepted(*state, GOOD);

    assert_string_equal(c->tenant, "contoso.onmicrosoft.com");
    assert_string_equal(c->client_id, "00000000-1111-2222-3333-444444444444");
    assert_string_equal(c->login_url, "https://login.microsoftonline.com");
    assert_string_equal(c->graph_url, "https://graph.microsoft.com");
    assert_null(c->ca_file);
    assert_int_equal(c->credential.type, EI_CREDENTIAL_SECRET);
    assert_string_equal(c->credential.file, "/etc/entra-invite/client-secret");
    assert_string_equal(c->invitation.redirect_url, "https://myapps.microsoft.com/");
    assert_string_equal(c->invitation.message_body, "");
    assert_string_equal(c->invitation.message_language, "en-US");
    assert_int_equal(c->invitation.cc.count, 0);
    assert_int_equal(c->invitation.user_type, EI_USER_GUEST);
    assert_int_equal(c->invitation.deliver, EI_CHANNEL_NONE);
    assert_null(c->smtp.url);
    assert_null(c->webhook.url_file);
    assert_int_equal(c->template_count, 0);
    assert_int_equal(c->rules[0].remind_after + c->rules[0].give_up_after, 0);
    assert_int_equal(c->rule_count, 1);
    assert_int_equal(c->rules[0].email_domains.count, 0);
    assert_int_equal(c->rules[0].on_account_removal, EI_REMOVAL_KEEP);
    assert_false(c->rules[0].existing_invite);
    assert_int_equal(c->account_count, 0);
    assert_int_equal(c->refresh_interval, 300);
    assert_int_equal(c->hook_wait, 5);
    assert_int_equal(c->max_new, 20);
    assert_int_equal(c->max_age, 604800);
    assert_int_equal(c->coverage.minimum_uid, 1000);
    assert_string_equal(c->state_dir, EI_STATE_DIR);
    assert_string_equal(c->socket, EI_SOCKET_PATH);
}

static void every_value_arrives(void **state)
{
    const struct ei_config *c = accepted(
        *state, "tenant = \"11111111-2222-3333-4444-555555555555\";\n" CLIENT CREDENTIAL
                "cloud = \"usgov\"; login_url = \"https://localhost:8443/\"; graph_url = \"https://[::1]:8444\";\n"
                "ca_file = \"/etc/ssl/ca.pem\";\n"
                "rules = ( { name = \"one\"; group = \"partners\";\n"
                "  email_domains = ( \"Fabrikam.COM\", \"b\303\274cher.example\" );\n"
                "  on_account_removal = \"delete\"; existing = \"invite\"; \n"
                "  entra_groups = ( \"AAAAAAAA-0000-4000-8000-00000000000a\" );\n"
                "  invitation: { user_type = \"guest\"; cc = ( ); }; } );\n"
                "accounts = ( { login = \"taylor\"; email = \"Taylor@fabrikam.com\"; } );\n"
                "invitation: { redirect_url = \"http://intranet/start?a=b#c\"; user_type = \"member\";\n"
                "  send_message = true; message_body = \"Welcome\"; message_language = \"nl-BE\";\n"
                "  cc = [ \"lead@contoso.com\" ]; sponsors = ( ); };\n"
                "refresh_interval = 5; hook_wait = 60; max_new = 0; max_age = 0; minimum_uid = 0x1f4;\n"
                "state_dir = \"/srv/state\"; socket = \"/run/s\"; store: { type = \"sqlite\"; };\n");

    assert_string_equal(c->tenant, "11111111-2222-3333-4444-555555555555");
    assert_string_equal(c->login_url, "https://localhost:8443");
    assert_string_equal(c->graph_url, "https://[::1]:8444");
    assert_string_equal(c->ca_file, "/etc/ssl/ca.pem");
    const struct ei_rule *rule = ei_config_rule(c, "one");
    assert_non_null(rule);
    assert_null(ei_config_rule(c, "two"));
    assert_int_equal(rule->email_domains.count, 2);
    assert_string_equal(rule->email_domains.items[0], "fabrikam.com");
    assert_string_equal(rule->email_domains.items[1], "xn--bcher-kva.example");
    assert_int_equal(rule->on_account_removal, EI_REMOVAL_DELETE);
    assert_true(rule->existing_invite);
    assert_int_equal(rule->entra_groups.count, 1);
    assert_string_equal(rule->entra_groups.items[0], "AAAAAAAA-0000-4000-8000-00000000000a");
    /* a rule overrides single keys of the defaults, and keeps the others */
    assert_int_equal(rule->invitation.user_type, EI_USER_GUEST);
    assert_int_equal(rule->invitation.cc.count, 0);
    assert_string_equal(rule->invitation.message_body, "Welcome");
    assert_string_equal(rule->invitation.redirect_url, "http://intranet/start?a=b#c");
    assert_int_equal(rule->invitation.deliver, EI_CHANNEL_MICROSOFT);
    assert_int_equal(c->invitation.user_type, EI_USER_MEMBER);
    assert_string_equal(c->invitation.message_language, "nl-BE");
    assert_string_equal(c->invitation.cc.items[0], "lead@contoso.com");
    assert_string_equal(ei_config_address(c, "taylor"), "Taylor@fabrikam.com");
    assert_null(ei_config_address(c, "tay"));
    assert_int_equal(c->refresh_interval, 5);
    assert_int_equal(c->hook_wait, 60);
    assert_int_equal(c->max_new, 0);
    assert_int_equal(c->max_age, 0);
    assert_int_equal(c->coverage.minimum_uid, 500);
    assert_string_equal(c->state_dir, "/srv/state");
    assert_string_equal(c->socket, "/run/s");
}

/* Contract 0. */
static void clouds_have_their_roots(void **state)
{
    static const char *const clouds[][3] = {
        {"global", "https://login.microsoftonline.com", "https://graph.microsoft.com"},
        {"usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us"},
        {"usgov-dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
        {"china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"},
        {"china-chinacloudapi", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"},
    };
    char text[1024];

    for (size_t i = 0; i < sizeof clouds / sizeof clouds[0]; i++) {
        snprintf(text, sizeof text, GOOD "cloud = \"%s\";\n", clouds[i][0]);
        const struct ei_config *c = accepted(*state, text);
        assert_string_equal(c->login_url, clouds[i][1]);
        assert_string_equal(c->graph_url, clouds[i][2]);
    }
    /* each may be given without the other */
    const struct ei_config *alone =
        accepted(*state, GOOD "cloud = \"usgov\"; graph_url = \"https://graph.example:8443\";\n");
    assert_string_equal(alone->login_url, "https://login.microsoftonline.us");
    assert_string_equal(alone->graph_url, "https://graph.example:8443");
    const struct ei_config *c =
        accepted(*state, GOOD "cloud = \"china\"; login_url = \"https://login.chinacloudapi.cn\";\n");
    assert_string_equal(c->login_url, "https://login.chinacloudapi.cn");
    assert_string_equal(c->graph_url, "https://microsoftgraph.chinacloudapi.cn");
}

/* Two rules may name one group: the first in the file's order decides. */
static void rules_keep_their_order(void **state)
{
    const struct ei_config *c =
        accepted(*state, TENANT CLIENT CREDENTIAL "rules = ( { name = \"b\"; group = \"partners\"; },\n"
                                                  "          { name = \"a\"; group = \"partners\"; } );\n");

    assert_int_equal(c->rule_count, 2);
    assert_string_equal(c->rules[0].name, "b");
    assert_string_equal(c->rules[1].name, "a");
}

static void a_systemd_credential_is_a_file(void **state)
{
    struct config_fixture *f = *state;
    static const char by_name[] =
        TENANT CLIENT RULE "credential: { type = \"secret\"; credential_name = \"graph\"; };\n";

    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/entra-invited.service", 1);
    const struct ei_config *c = accepted(f, by_name);
    assert_string_equal(c->credential.file, "/run/credentials/entra-invited.service/graph");
    unsetenv("CREDENTIALS_DIRECTORY");
    refused(f, by_name, 4, "credential.credential_name", "LoadCredential=graph:PATH");
}

static void a_certificate_has_two_files(void **state)
{
    struct config_fixture *f = *state;
    const struct ei_config *c =
        accepted(f, TENANT CLIENT RULE "credential: { type = \"certificate\"; file = \"/etc/entra-invite/key.pem\"; "
                                       "certificate = \"/etc/entra-invite/certificate.pem\"; };\n");

    assert_int_equal(c->credential.type, EI_CREDENTIAL_CERTIFICATE);
    assert_string_equal(c->credential.file, "/etc/entra-invite/key.pem");
    assert_string_equal(c->credential.certificate, "/etc/entra-invite/certificate.pem");
    assert_null(c->credential.passphrase_file);
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/entra-invited.service", 1);
    c = accepted(f, TENANT CLIENT RULE "credential: { type = \"certificate\"; credential_name = \"key\"; "
                                       "certificate = \"/c.pem\"; passphrase_name = \"word\"; };\n");
    assert_string_equal(c->credential.file, "/run/credentials/entra-invited.service/key");
    assert_string_equal(c->credential.passphrase_file, "/run/credentials/entra-invited.service/word");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void a_person_needs_nothing_but_to_sign_in(void **state)
{
    struct config_fixture *f = *state;
    const struct ei_config *c = accepted(f, TENANT CLIENT RULE "credential: { type = \"device-code\"; };\n");

    assert_int_equal(c->credential.type, EI_CREDENTIAL_DEVICE_CODE);
    assert_null(c->credential.file);
    refused(f, TENANT RULE "credential: { type = \"device-code\"; };\n", 0, "client_id", "is missing");
}

static void a_managed_identity_needs_nothing(void **state)
{
    struct config_fixture *f = *state;
    const struct ei_config *c = accepted(f, TENANT RULE "credential: { type = \"managed-identity\"; };\n");

    assert_int_equal(c->credential.type, EI_CREDENTIAL_MANAGED_IDENTITY);
    assert_string_equal(c->client_id, "");
    assert_null(c->credential.file);
    assert_null(c->credential.endpoint);
    c = accepted(f, TENANT RULE "credential: { type = \"managed-identity\"; endpoint = \"http://127.0.0.1:1/t\"; "
                                "identity_client_id = \"12121212-3434-5656-7878-909090909090\"; };\n");
    assert_string_equal(c->credential.endpoint, "http://127.0.0.1:1/t");
    assert_string_equal(c->credential.identity_client_id, "12121212-3434-5656-7878-909090909090");
    c = accepted(f, TENANT CLIENT RULE "credential: { type = \"federated\"; file = \"/run/token\"; };\n");
    assert_int_equal(c->credential.type, EI_CREDENTIAL_FEDERATED);
    assert_string_equal(c->credential.file, "/run/token");
}

static void includes_are_relative_to_the_file(void **state)
{
    struct config_fixture *f = *state;

    write_text(f->other, "\nhook_wait = 7;\n");
    const struct ei_config *c = accepted(f, GOOD "@include \"other.conf\"\nmax_new = 3;\n");
    assert_int_equal(c->hook_wait, 7);
    assert_int_equal(c->max_new, 3);

    /* file and line are those of the included file, and behind it those of the first again */
    write_text(f->other, "\nhook_wait = 61;\n");
    assert_int_equal(load(f), EI_CONFIG);
    char where[160];
    snprintf(where, sizeof where, "%s:2: hook_wait: ", f->other);
    assert_ptr_equal(strstr(f->err.message, where), f->err.message);
    write_text(f->other, "\nhook_wait = ;\n");
    assert_int_equal(load(f), EI_CONFIG);
    snprintf(where, sizeof where, "%s:2: syntax error", f->other);
    assert_ptr_equal(strstr(f->err.message, where), f->err.message);
    write_text(f->other, "hook_wait = 7;\n");
    refused(f, GOOD "@include \"other.conf\"\nmax_new = -1;\n", 6, "max_new", "out of range");
    refused(f, GOOD "@include \"nowhere.conf\"\n", 5, "cannot open include file", "");
}

/* S26: whoever can write the file invites in the tenant's name, in its includes too. */
static void s26_files_that_others_can_write(void **state)
{
    struct config_fixture *f = *state;

    accepted(f, GOOD);
    assert_int_equal(chmod(f->path, 0664), 0);
    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, "test.conf: mode 0664 lets group or others write; chmod go-w it"));
    assert_int_equal(chmod(f->path, 0642), 0);
    assert_int_equal(load(f), EI_CONFIG);

    write_text(f->other, "hook_wait = 7;\n");
    accepted(f, GOOD "@include \"other.conf\"\n");
    assert_int_equal(chmod(f->other, 0666), 0);
    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, "other.conf: mode 0666"));
    assert_int_equal(chmod(f->other, 0644), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(f->other, 65534, 65534), 0);
        assert_int_equal(load(f), EI_CONFIG);
        assert_non_null(strstr(f->err.message, "other.conf: owned by uid 65534; chown root it"));
        assert_int_equal(chown(f->path, 65534, 65534), 0);
        assert_int_equal(load(f), EI_CONFIG);
        assert_non_null(strstr(f->err.message, "test.conf: owned by uid 65534"));
    }
}

static void files_that_are_none(void **state)
{
    struct config_fixture *f = *state;

    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, "test.conf: No such file"));
    assert_int_equal(mkdir(f->path, 0755), 0);
    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, "not a regular file"));
    rmdir(f->path);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, "not a regular file"));
    write_text(f->path, "");
    assert_int_equal(truncate(f->path, 1024 * 1024 + 1), 0);
    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, "larger than"));
}

/* Loads text as the worker does, and gives what went to the log meanwhile. */
static void logged(struct config_fixture *f, const char *text, char *log, size_t size)
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);

    assert_non_null(file);
    fflush(stderr);
    assert_true(kept >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    write_text(f->path, text);
    enum ei_err rc = load(f);
    if (rc == EI_OK)
        ei_config_warn(f->config);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    log[fread(log, 1, size - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(rc, EI_OK);
}

static unsigned lines(const char *text)
{
    unsigned count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

/* Contract 2.3: an app's mail has no custom text, and a text switches the language off. Said once, not per rule. */
static void what_will_not_work_is_said(void **state)
{
    char log[4096];

    logged(*state, GOOD "invitation: { message_body = \"Hi\"; };\n", log, sizeof log);
    assert_string_equal(log, "");
    logged(*state, GOOD "invitation: { send_message = true; message_language = \"nl-BE\"; };\n", log, sizeof log);
    assert_string_equal(log, "");
    logged(*state, GOOD "invitation: { send_message = true; message_body = \"Hi\"; };\n", log, sizeof log);
    assert_int_equal(lines(log), 1);
    assert_non_null(strstr(log, "invitation: message_body: Microsoft leaves the text out"));
    logged(*state,
           TENANT CLIENT CREDENTIAL
           "rules = ( { name = \"a\"; group = \"a\"; },\n { name = \"b\"; group = \"b\";\n"
           "invitation: { send_message = true; message_body = \"Hi\"; message_language = \"nl-BE\"; }; } );\n",
           log, sizeof log);
    assert_int_equal(lines(log), 2);
    assert_non_null(strstr(log, "rule \"b\": message_body"));
    assert_non_null(strstr(log, "rule \"b\": message_language"));
}

/* Cut off anywhere, or with any byte changed, the file is read or refused, and nothing else. */
static void damaged_files_never_crash(void **state)
{
    struct config_fixture *f = *state;
    char text[] = GOOD
        "invitation: { cc = ( \"a@b.example\" ); };\naccounts = ( { login = \"t\"; email = \"t@b.example\"; } );\n";
    char cut[sizeof text];

    for (size_t i = 0; i < sizeof text - 1; i++) {
        memcpy(cut, text, i);
        cut[i] = '\0';
        write_text(f->path, cut);
        enum ei_err rc = load(f);
        assert_true(rc == EI_OK || rc == EI_CONFIG);
        memcpy(cut, text, sizeof text);
        cut[i] = (char)(cut[i] ^ (1 << i % 7));
        write_text(f->path, cut);
        rc = load(f);
        assert_true(rc == EI_OK || rc == EI_CONFIG);
        assert_true(rc == EI_OK || strstr(f->err.message, f->path) != NULL);
    }
}

static const char *source_directory(void)
{
    const char *directory = getenv("EI_SOURCE_DIR");
    return directory != NULL ? directory : ".";
}

static char *read_source(const char *name)
{
    char path[512];
    char *text = calloc(1, 65536);

    snprintf(path, sizeof path, "%s/%s", source_directory(), name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        fail_msg("%s: cannot be opened; EI_SOURCE_DIR says where the sources are", path);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

/* true if a list item of the page (.It Ic a , b) names key. */
static bool documented(const char *page, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = strstr(page, ".It "); line != NULL; line = strstr(line + 1, "\n.It ")) {
        const char *start = *line == '\n' ? line + 1 : line;
        const char *end = start + strcspn(start, "\n");
        for (const char *at = start; (at = strstr(at, key)) != NULL && at < end; at++)
            if (at[-1] == ' ' && (isspace((unsigned char)at[length]) || at[length] == '\0'))
                return true;
    }
    return false;
}

static void every_key_is_in_the_manual(void **state)
{
    (void)state;
    char *page = read_source("conf/entra-invite.conf.5");
    const char *const *keys = ei_config_keys();
    size_t count = 0;
    size_t missing = 0;

    for (; keys[count] != NULL; count++) {
        if (!documented(page, keys[count])) {
            print_error("%s is not in entra-invite.conf(5)\n", keys[count]);
            missing++;
        }
    }
    free(page);
    assert_int_equal(missing, 0);
    assert_true(count > 30);
}

/* Sponsors as Graph's URLs have them; the text of a mail from a file, in a rule too, and not from both. */
static void sponsors_and_messages(void **state)
{
    struct config_fixture *f = *state;
    char text[2048];

    write_text(f->other, "Gr\xc3\xbc\xc3\x9f Gott,\nKim\n");
    snprintf(
        text, sizeof text,
        TENANT CLIENT CREDENTIAL
        "rules = ( { name = \"a\"; group = \"a\"; invitation: { message_body_file = \"%s\"; sponsors = ( ); }; },\n"
        " { name = \"b\"; group = \"b\"; } );\n"
        "invitation: { message_body = \"Welcome\"; sponsors = ( \"requester\", \"alice@contoso.com\",\n"
        " \"0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02\", \"group:0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b03\" ); };\n"
        "requesters = ( { login = \"kim\"; upn = \"kim_b.ex#EXT#@contoso.com\"; } );\n"
        "requester_domain = \"contoso.com\";\n",
        f->other);
    const struct ei_config *c = accepted(f, text);
    assert_string_equal(c->rules[0].invitation.message_body, "Gr\xc3\xbc\xc3\x9f Gott,\nKim\n");
    assert_string_equal(c->rules[1].invitation.message_body, "Welcome");
    assert_int_equal(c->rules[0].invitation.sponsors.count, 0);
    assert_int_equal(c->rules[1].invitation.sponsors.count, 4);
    char *const *sponsors = c->rules[1].invitation.sponsors.items;
    assert_string_equal(sponsors[0], "requester");
    assert_string_equal(sponsors[1], "users/alice@contoso.com");
    assert_string_equal(sponsors[2], "users/0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02");
    assert_string_equal(sponsors[3], "groups/0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b03");
    char upn[EI_SPONSOR_SIZE];
    assert_true(ei_config_requester(c, "kim", upn));
    assert_string_equal(upn, "kim_b.ex#EXT#@contoso.com");
    assert_true(ei_config_requester(c, "alice", upn));
    assert_string_equal(upn, "alice@contoso.com");
    assert_false(ei_config_requester(c, "root", upn));

    /* Held to the owner and mode of the configuration itself. */
    assert_int_equal(chmod(f->other, 0666), 0);
    write_text(f->path, text);
    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, "lets group or others write"));
    assert_int_equal(chmod(f->other, 0644), 0);
    char *large = malloc(EI_MESSAGE_BODY_MAX + 2);
    assert_non_null(large);
    memset(large, 'x', EI_MESSAGE_BODY_MAX + 1);
    large[EI_MESSAGE_BODY_MAX + 1] = '\0';
    write_text(f->other, large);
    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, "larger than 65536 bytes"));
    large[EI_MESSAGE_BODY_MAX] = '\0';
    write_text(f->other, large);
    assert_int_equal(load(f), EI_OK);
    free(large);
}

/* The sample as it is installed: refused until tenant is filled in, and it says so. */
static void the_sample_asks_for_what_is_missing(void **state)
{
    struct config_fixture *f = *state;
    char *sample = read_source("conf/entra-invite.conf");

    write_text(f->path, sample);
    assert_int_equal(load(f), EI_CONFIG);
    assert_non_null(strstr(f->err.message, ": tenant: is empty; it must be the tenant's domain or id"));

    char *tenant = strstr(sample, "tenant    = \"\"");
    char *client = strstr(sample, "client_id = \"\"");
    char filled[65536];
    assert_non_null(tenant);
    assert_non_null(client);
    snprintf(filled, sizeof filled, "%.*s" TENANT "%.*s" CLIENT "%s", (int)(tenant - sample), sample,
             (int)(client - strchr(tenant, '\n')), strchr(tenant, '\n'), strchr(client, '\n'));
    for (char *c = filled; (c = strstr(c, ";\n;")) != NULL;)
        c[2] = ' ';
    accepted(f, filled);
    free(sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(s41_defaults_are_the_designs, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(every_value_arrives, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(clouds_have_their_roots, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(rules_keep_their_order, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(a_systemd_credential_is_a_file, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(a_certificate_has_two_files, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(a_person_needs_nothing_but_to_sign_in, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(a_managed_identity_needs_nothing, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(includes_are_relative_to_the_file, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(s26_files_that_others_can_write, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(files_that_are_none, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(what_will_not_work_is_said, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(damaged_files_never_crash, config_setup, config_teardown),
        cmocka_unit_test_setup_teardown(sponsors_and_messages, config_setup, config_teardown),
        cmocka_unit_test(every_key_is_in_the_manual),
        cmocka_unit_test_setup_teardown(the_sample_asks_for_what_is_missing, config_setup, config_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
