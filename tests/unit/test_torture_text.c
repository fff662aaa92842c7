/* What reads and writes text, where memory lacks at any point: JSON, varlink, configuration, templates, mails, files to
 * import (T2). */
#include "tests/unit/torture_fixture.h"

#include "common/base/json.h"
#include "common/config/config.h"
#include "common/deliver/message.h"
#include "common/deliver/template.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/import_file.h"

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* --- JSON and varlink --- */

static const char object[] =
    "{\"method\":\"io.entrainvite.Show\",\"parameters\":{\"list\":[1,\"two\",{\"three\":null}],"
    "\"name\":\"Taylor Example\",\"sent\":true}}";

struct spoken {
    struct ei_buffer in, out;
    char *printed;
};

static void nothing_is_said_yet(void *context)
{
    struct spoken *spoken = context;

    (void)ei_json_lacked();
    ei_buffer_init(&spoken->in, EI_VARLINK_REQUEST_MAX);
    ei_buffer_init(&spoken->out, EI_VARLINK_REPLY_MAX);
    spoken->printed = NULL;
    assert_true(ei_buffer_append(&spoken->in, object, sizeof object));
    assert_true(ei_buffer_append(&spoken->in, object, sizeof object));
}

static enum ei_err take_and_put(void *context)
{
    struct spoken *spoken = context;
    cJSON *message = NULL;
    enum ei_err rc = ei_varlink_take(&spoken->in, &message);

    if (rc != EI_OK)
        return rc;
    rc = ei_varlink_put(&spoken->out, message);
    spoken->printed = ei_json_print(message);
    ei_varlink_free(message);
    return rc == EI_OK && spoken->printed == NULL ? EI_NOMEM : rc;
}

static void what_was_put_is_whole(void *context, enum ei_err rc, bool spared)
{
    struct spoken *spoken = context;
    (void)spared;

    if (rc == EI_OK) {
        assert_string_equal(spoken->printed, object);
        assert_int_equal(spoken->out.length, sizeof object);
        assert_int_equal(spoken->in.length, sizeof object);
    }
    assert_true(spoken->out.length == 0 || spoken->out.length == sizeof object);
    free(spoken->printed);
    ei_buffer_free(&spoken->in);
    ei_buffer_free(&spoken->out);
}

static void varlink(void **state)
{
    static const enum ei_err codes[] = {EI_PROTOCOL, EI_OK};
    struct spoken spoken;
    (void)state;

    torture(&(struct scenario){nothing_is_said_yet, take_and_put, what_was_put_is_whole, codes, 0}, &spoken);
}

static void nothing_has_lacked(void *context)
{
    (void)context;
    (void)ei_json_lacked();
}

/* An incomplete object is never made a text of, whoever forgot to look whether each member was added. */
static enum ei_err tell_error(void *context)
{
    const struct ei_error error = {.code = EI_NOT_FOUND, .message = "taylor is not known", .request_id = "a-b"};
    cJSON *json = ei_json_error(&error, true);

    *(char **)context = json != NULL ? ei_json_print(json) : NULL;
    cJSON_Delete(json);
    return *(char **)context != NULL ? EI_OK : EI_NOMEM;
}

static void error_is_whole(void *context, enum ei_err rc, bool spared)
{
    char **printed = context;
    (void)spared;

    if (rc == EI_OK) {
        assert_non_null(strstr(*printed, "\"code\":\"not-found\""));
        assert_non_null(strstr(*printed, "\"message\":\"taylor is not known\""));
        assert_non_null(strstr(*printed, "\"requestId\":\"a-b\""));
        assert_non_null(strstr(*printed, "\"permanent\":true"));
    }
    free(*printed);
}

static void an_error_as_json(void **state)
{
    char *printed = NULL;
    (void)state;

    torture(&(struct scenario){nothing_has_lacked, tell_error, error_is_whole, NULL, 0}, &printed);
}

/* --- the configuration --- */

static const char settings[] =
    "tenant = \"11111111-2222-3333-4444-555555555555\";\n"
    "client_id = \"00000000-1111-2222-3333-444444444444\";\n"
    "credential: { type = \"secret\"; file = \"/etc/entra-invite/client-secret\"; };\n"
    "login_url = \"https://localhost:8443/\"; graph_url = \"https://[::1]:8444\"; ca_file = \"/etc/ssl/ca.pem\";\n"
    "rules = ( { name = \"one\"; group = \"partners\"; email_domains = ( \"Fabrikam.COM\", \"b\303\274cher.example\" "
    ");\n"
    "  on_account_removal = \"delete\"; entra_groups = ( \"AAAAAAAA-0000-4000-8000-00000000000a\" );\n"
    "  invitation: { user_type = \"guest\"; cc = ( ); deliver = \"smtp\"; }; remind_after = 7; give_up_after = 30; },\n"
    "  { name = \"two\"; group = \"vendors\"; } );\n"
    "accounts = ( { login = \"taylor\"; email = \"Taylor@fabrikam.com\"; } );\n"
    "smtp: { url = \"smtp://relay.contoso.com:587\"; from = \"Contoso IT <it@contoso.com>\"; };\n"
    "invitation: { redirect_url = \"http://intranet/start?a=b#c\"; message_body = \"Welcome\";\n"
    "  cc = [ \"lead@contoso.com\" ]; sponsors = ( \"robin@contoso.com\" ); };\n";

struct configured {
    char path[64];
    struct ei_config *config;
    struct ei_error err;
};

static enum ei_err load_config(void *context)
{
    struct configured *configured = context;

    configured->config = NULL;
    return ei_config_load(configured->path, &configured->config, &configured->err);
}

static void config_is_whole(void *context, enum ei_err rc, bool spared)
{
    struct configured *configured = context;
    struct ei_config *config = configured->config;
    (void)spared;

    assert_true((rc == EI_OK) == (config != NULL));
    if (config != NULL) {
        assert_int_equal(config->rule_count, 2);
        assert_int_equal(config->rules[0].email_domains.count, 2);
        assert_string_equal(config->rules[0].email_domains.items[1], "xn--bcher-kva.example");
        assert_string_equal(config->rules[0].invitation.message_body, "Welcome");
        assert_int_equal(config->rules[0].invitation.cc.count, 0);
        assert_int_equal(config->rules[1].invitation.cc.count, 1);
        assert_string_equal(ei_config_address(config, "taylor"), "Taylor@fabrikam.com");
        assert_string_equal(config->smtp.url, "smtp://relay.contoso.com:587");
    }
    ei_config_free(config);
    ei_error_clear(&configured->err);
}

static void the_configuration(void **state)
{
    struct configured configured = {.path = "/tmp/ei-torture-XXXXXX"};
    (void)state;

    int fd = mkstemp(configured.path);
    assert_true(fd >= 0);
    close(fd);
    write_text(configured.path, settings);
    torture(&(struct scenario){NULL, load_config, config_is_whole, NULL, 0}, &configured);
    unlink(configured.path);
}

/* --- templates and mails --- */

#define URL "https://login.microsoftonline.com/redeem?rd=x"

struct written {
    struct ei_template *template;
    struct ei_template_text text;
    struct ei_buffer mail;
    struct ei_error err;
};

static enum ei_err write_mail(void *context)
{
    static const char *const hosts[] = {"lab1", "lab2"};
    static const struct ei_mailbox from = {.name = "Contoso IT", .address = "it@contoso.com"};
    static const struct ei_mailbox to = {.name = "T\303\244ylor Example", .address = "taylor@fabrikam.com"};
    const struct ei_template_values values = {
        .name = to.name, .login = "taylor", .url = URL, .hosts = hosts, .host_count = 2};
    struct written *written = context;

    memset(written, 0, sizeof *written);
    enum ei_err rc =
        ei_template_builtin(EI_TEMPLATE_INVITATION, "de-DE", "/nowhere", &written->template, &written->err);
    if (rc == EI_OK)
        rc = ei_template_render(written->template, &values, &written->text, &written->err);
    if (rc != EI_OK)
        return rc;
    const struct ei_message message = {.id = "attempt-1",
                                       .date = 1796056140,
                                       .from = &from,
                                       .to = &to,
                                       .language = "en",
                                       .subject = written->text.subject,
                                       .body = written->text.body};
    return ei_message_write(&message, &written->mail, &written->err);
}

static void mail_is_whole(void *context, enum ei_err rc, bool spared)
{
    struct written *written = context;
    (void)spared;

    if (rc == EI_OK) {
        assert_non_null(strstr(written->text.body, URL));
        assert_non_null(strstr(written->text.body, "lab1, lab2"));
        assert_non_null(strstr(written->mail.data, "\r\n\r\n"));
    }
    ei_template_free(written->template);
    ei_template_text_free(&written->text);
    ei_buffer_free(&written->mail);
    ei_error_clear(&written->err);
}

static void a_template_and_its_mail(void **state)
{
    struct written written;
    (void)state;

    torture(&(struct scenario){NULL, write_mail, mail_is_whole, NULL, 0}, &written);
}

/* --- import --- */

struct imported {
    char path[64];
    struct ei_import_file file;
    struct ei_error err;
};

static enum ei_err read_import(void *context)
{
    static const volatile sig_atomic_t go_on = 0;
    struct imported *imported = context;

    memset(&imported->file, 0, sizeof imported->file);
    return ei_import_file_read(imported->path, &go_on, &imported->file, &imported->err);
}

/* A row that is good must not become a bad one, which people would mend in vain. */
static void import_is_whole(void *context, enum ei_err rc, bool spared)
{
    struct imported *imported = context;
    (void)spared;

    if (rc == EI_OK) {
        assert_int_equal(imported->file.count, 3);
        assert_null(imported->file.rows[0].error);
        assert_string_equal(imported->file.rows[0].values[EI_IMPORT_EMAIL], "taylor@fabrikam.com");
        assert_null(imported->file.rows[1].error);
        assert_non_null(imported->file.rows[2].error);
    }
    ei_import_file_free(&imported->file);
    ei_error_clear(&imported->err);
}

static void a_file_to_import(void **state)
{
    struct imported imported = {.path = "/tmp/ei-torture-XXXXXX"};
    (void)state;

    int fd = mkstemp(imported.path);
    assert_true(fd >= 0);
    close(fd);
    write_text(imported.path, "email,login,rule,display_name,sponsors\n"
                              "taylor@fabrikam.com,taylor,partners,\"Example, Taylor\",robin@contoso.com\n"
                              "robin@fabrikam.com,,partners,,\nno address,,,,\n");
    torture(&(struct scenario){NULL, read_import, import_is_whole, NULL, 0}, &imported);
    unlink(imported.path);
}

int main(void)
{
    cmocka_set_test_filter(getenv("CMOCKA_TEST_FILTER"));
    const struct CMUnitTest tests[] = {
        TORTURE(varlink),           TORTURE(an_error_as_json),
        TORTURE(the_configuration), TORTURE(a_template_and_its_mail),
        TORTURE(a_file_to_import),
    };
    return cmocka_run_group_tests(tests, torture_libraries, NULL);
}
