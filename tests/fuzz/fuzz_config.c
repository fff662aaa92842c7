/*
 * The configuration file (T3, S41). The input is the file, and after a byte 0x1e another one that it may include by the
 * name other.conf; a file that includes anything else is passed over.
 *
 * Whatever the file: it is taken whole or refused whole, and no descriptor is left open. Refused, there is one line for
 * people that names the file. Taken, every value is in its bounds, no rule is for a group that owns the host, all roots
 * are https without a path; and written anew by libconfig, from what libconfig read, it means the same.
 */
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/account/address.h"
#include "common/base/guid.h"
#include "common/config/config.h"
#include "common/config/source.h"
#include "common/graph/link.h"
#include "tests/fuzz/fuzz.h"

enum { END = 0x1e };

/* --- the values of one that was taken --- */

static void judge_text(const char *text)
{
    EI_MUST(text == NULL || text[0] != '\0');
}

static void judge_path(const char *path)
{
    EI_MUST(path == NULL || path[0] == '/');
}

static void judge_invitation(const struct ei_config *c, const struct ei_invitation_settings *s)
{
    EI_MUST(s->redirect_url != NULL && ei_redirect_url_valid(s->redirect_url));
    EI_MUST(s->message_language != NULL && ei_language_valid(s->message_language));
    EI_MUST(s->message_body != NULL && strlen(s->message_body) <= EI_MESSAGE_BODY_MAX);
    EI_MUST(s->cc.count <= 1 && s->sponsors.count <= EI_SPONSORS_MOST);
    for (size_t i = 0; i < s->cc.count; i++) {
        char address[EI_ADDRESS_SIZE];
        struct ei_error err;
        EI_MUST(ei_address_check(s->cc.items[i], address, &err) == EI_OK);
    }
    EI_MUST(!ei_channel_is_own(s->deliver) || c->smtp.url != NULL || c->webhook.url_file != NULL);
}

static void judge_rule(const struct ei_config *c, const struct ei_rule *rule)
{
    static const char *const owners[] = {"root", "sudo", "wheel", "adm"};

    EI_MUST(rule->name[0] != '\0' && strpbrk(rule->name, " \t\n\"/") == NULL && ei_config_rule(c, rule->name) == rule);
    EI_MUST(rule->group[0] != '\0' && strpbrk(rule->group, " \t\n:,/") == NULL);
    for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++)
        EI_MUST(strcmp(rule->group, owners[i]) != 0);
    for (size_t i = 0; i < rule->email_domains.count; i++)
        for (const char *d = rule->email_domains.items[i]; *d != '\0'; d++)
            EI_MUST((*d >= 'a' && *d <= 'z') || (*d >= '0' && *d <= '9') || *d == '-' || *d == '.');
    for (size_t i = 0; i < rule->entra_groups.count; i++)
        EI_MUST(ei_guid_valid(rule->entra_groups.items[i]));
    EI_MUST(rule->remind_after >= 0 && rule->remind_after <= 3650);
    EI_MUST(rule->give_up_after == 0 || (rule->give_up_after <= 3650 && rule->remind_after < rule->give_up_after));
    judge_invitation(c, &rule->invitation);
}

static void on_warning(void *context, const char *text)
{
    (void)context;
    EI_MUST(ei_fuzz_utf8(text, strlen(text)));
}

static void judge_config(const struct ei_config *c)
{
    struct ei_error err;

    EI_MUST(c->tenant[0] != '\0' && (c->client_id[0] != '\0' || c->credential.type == EI_CREDENTIAL_MANAGED_IDENTITY));
    EI_MUST(ei_link_check_root("login_url", c->login_url, &err) == EI_OK);
    EI_MUST(ei_link_check_root("graph_url", c->graph_url, &err) == EI_OK);
    EI_MUST(c->refresh_interval >= 5 && c->refresh_interval <= 86400 && c->hook_wait >= 0 && c->hook_wait <= 60);
    EI_MUST(c->max_new >= 0 && c->max_new <= 1000000);
    EI_MUST(c->max_age == 0 || c->max_age >= c->refresh_interval);
    EI_MUST(c->coverage.minimum_uid >= 1);
    judge_text(c->requester_domain);
    judge_path(c->state_dir);
    judge_path(c->socket);
    judge_path(c->metrics_file);
    judge_path(c->ca_file);
    EI_MUST(strlen(c->socket) < 108);
    judge_invitation(c, &c->invitation);
    for (size_t i = 0; i < c->rule_count; i++)
        judge_rule(c, &c->rules[i]);
    for (size_t i = 0; i < c->account_count; i++)
        EI_MUST(c->accounts[i].login[0] != '\0');
    ei_config_warnings(c, on_warning, NULL);
}

/* --- written anew --- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_strings(const struct ei_strings *a, const struct ei_strings *b)
{
    for (size_t i = 0; i < a->count && a->count == b->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return a->count == b->count;
}

static bool same_invitation(const struct ei_invitation_settings *a, const struct ei_invitation_settings *b)
{
    return same_text(a->redirect_url, b->redirect_url) && same_text(a->message_body, b->message_body) &&
           same_text(a->message_language, b->message_language) && same_strings(&a->cc, &b->cc) &&
           same_strings(&a->sponsors, &b->sponsors) && a->user_type == b->user_type && a->deliver == b->deliver;
}

static bool same_rule(const struct ei_rule *a, const struct ei_rule *b)
{
    return same_text(a->name, b->name) && same_text(a->group, b->group) &&
           same_strings(&a->email_domains, &b->email_domains) && same_strings(&a->entra_groups, &b->entra_groups) &&
           same_invitation(&a->invitation, &b->invitation) && a->on_account_removal == b->on_account_removal &&
           a->existing_invite == b->existing_invite && a->remind_after == b->remind_after &&
           a->give_up_after == b->give_up_after && a->on_give_up == b->on_give_up &&
           a->tell_sponsors == b->tell_sponsors;
}

static bool same_config(const struct ei_config *a, const struct ei_config *b)
{
    bool same = same_text(a->tenant, b->tenant) && same_text(a->client_id, b->client_id) &&
                same_text(a->login_url, b->login_url) && same_text(a->graph_url, b->graph_url) &&
                same_text(a->ca_file, b->ca_file) && a->credential.type == b->credential.type &&
                same_invitation(&a->invitation, &b->invitation) && same_text(a->smtp.url, b->smtp.url) &&
                same_text(a->smtp.from, b->smtp.from) && same_text(a->webhook.url_file, b->webhook.url_file) &&
                a->template_count == b->template_count && a->rule_count == b->rule_count &&
                a->account_count == b->account_count && a->requester_count == b->requester_count &&
                same_text(a->requester_domain, b->requester_domain) && a->refresh_interval == b->refresh_interval &&
                a->hook_wait == b->hook_wait && a->max_new == b->max_new && a->max_age == b->max_age &&
                a->coverage.minimum_uid == b->coverage.minimum_uid && same_text(a->state_dir, b->state_dir) &&
                same_text(a->socket, b->socket) && same_text(a->metrics_file, b->metrics_file);

    for (size_t i = 0; i < a->rule_count && same; i++)
        same = same_rule(&a->rules[i], &b->rules[i]);
    for (size_t i = 0; i < a->account_count && same; i++)
        same = same_text(a->accounts[i].login, b->accounts[i].login) &&
               same_text(a->accounts[i].email, b->accounts[i].email);
    for (size_t i = 0; i < a->requester_count && same; i++)
        same = same_text(a->requesters[i].login, b->requesters[i].login) &&
               same_text(a->requesters[i].upn, b->requesters[i].upn);
    return same;
}

static void write_anew(const char *path, const struct ei_config *wanted)
{
    struct ei_source_file source = {0};
    struct ei_config *again = NULL;
    struct ei_error err;
    config_t parsed;
    char other[96];

    snprintf(other, sizeof other, "%s", ei_fuzz_path("b"));
    config_init(&parsed);
    EI_MUST(ei_source_read(&source, path, &parsed, &err) == EI_OK);
    unlink(other);
    EI_MUST(config_write_file(&parsed, other) == CONFIG_TRUE);
    config_destroy(&parsed);
    ei_source_free(&source);
    EI_MUST(ei_config_load(other, &again, &err) == EI_OK);
    EI_MUST(same_config(wanted, again));
    ei_config_free(again);
}

/* --- */

/* libconfig opens what is included, be it a device that never ends. And the text of the mail may be in a file that is
 * read at once; which, is no part of this. */
static bool reads_only_ours(const char *text, size_t length)
{
    static const char word[] = "@include", ours[] = "@include \"other.conf\"";
    const char *end = text + length;

    for (const char *at = text; (at = memmem(at, (size_t)(end - at), word, strlen(word))) != NULL; at++)
        if ((size_t)(end - at) < strlen(ours) || memcmp(at, ours, strlen(ours)) != 0)
            return false;
    return memmem(text, length, "body_file", strlen("body_file")) == NULL;
}

/* Of the leak sanitizer, where there is one. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* libconfig 1.5 keeps the string that it was in when it found a mistake: its leak, and no reason to look for none. */
static bool parses(const char *path)
{
    config_t parsed;
    char *directory = strndup(path, (size_t)(strrchr(path, '/') - path));

    config_init(&parsed);
    config_set_include_dir(&parsed, directory);
    free(directory);
    bool good = config_read_file(&parsed, path) == CONFIG_TRUE;
    config_destroy(&parsed);
    return good;
}

static enum ei_err load_alone(const char *path, struct ei_config **ret_config, struct ei_error *err)
{
    if (__lsan_disable != NULL)
        __lsan_disable();
    bool leaks = !parses(path);
    if (__lsan_enable != NULL && !leaks)
        __lsan_enable();
    enum ei_err rc = ei_config_load(path, ret_config, err);
    if (__lsan_enable != NULL && leaks)
        __lsan_enable();
    return rc;
}

static void load(const char *text, size_t length)
{
    char path[96];
    struct ei_config *config = NULL;
    struct ei_error err = {0};
    int before = ei_fuzz_free_descriptor();

    snprintf(path, sizeof path, "%s", ei_fuzz_file("a", text, length));
    enum ei_err rc = load_alone(path, &config, &err);
    EI_MUST(ei_fuzz_free_descriptor() == before);
    EI_MUST(rc == EI_OK || rc == EI_CONFIG);
    EI_MUST((config != NULL) == (rc == EI_OK));
    if (rc != EI_OK) {
        ei_fuzz_judge_error(rc, &err);
        EI_MUST(strncmp(err.message, path, strlen(path) - 1) == 0);
        return;
    }
    EI_MUST(memchr(text, '\0', length) == NULL);
    judge_config(config);
    write_anew(path, config);
    ei_config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size != 0 ? memchr(data, END, size) : NULL;
    const char *text = size != 0 ? (const char *)data : "";
    size_t length = end != NULL ? (size_t)(end - data) : size, behind = end != NULL ? size - length - 1 : 0;
    const char *included = end != NULL ? (const char *)end + 1 : "";

    if (!reads_only_ours(text, length) || !reads_only_ours(included, behind))
        return 0;
    ei_fuzz_listen();
    ei_fuzz_file("other.conf", included, behind);
    load(text, length);
    char *said = ei_fuzz_heard();
    EI_MUST(said[0] == '\0');
    free(said);
    return 0;
}
