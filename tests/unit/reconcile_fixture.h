/*
 * A host, a clock and a real store for the tests of the reconciler. What the host looks like is a table here; how it is
 * read is test_scan.c's matter.
 */
#ifndef EI_TESTS_UNIT_RECONCILE_FIXTURE_H
#define EI_TESTS_UNIT_RECONCILE_FIXTURE_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/account/gecos.h"
#include "plugin/worker/reconcile.h"
#include "tests/unit/clock_fixture.h"

#define HERE  "host-one"
#define THERE "host-two"

/* --- the config, the host --- */

static char *fabrikam[] = {(char *)"fabrikam.com", (char *)"xn--bcher-kva.example"};
static struct ei_rule rules[2];
static struct ei_config config;

enum { HOST_MAX = 6000 };
static struct ei_entry host_entries[HOST_MAX];
static size_t host_count;
static enum ei_group_status host_groups[2];
static bool host_whole;
static char *host_unresolved[2];
static size_t host_unresolved_count;

static struct ei_store *store;
static char directory[64];
static struct ei_reconcile_context ctx;
static struct ei_reconcile_report report;
static struct ei_reconcile_answer answer;

static inline void account(const char *login, uid_t uid, const char *gecos, int rule)
{
    struct ei_entry entry = {.login = (char *)login, .gecos = (char *)gecos, .uid = uid, .rule = rule, .local = true};
    for (size_t i = 0; i < host_count; i++) {
        if (strcmp(host_entries[i].login, login) == 0) {
            host_entries[i] = entry;
            return;
        }
    }
    assert_true(host_count < HOST_MAX);
    host_entries[host_count++] = entry;
}

static inline void taylor_exists(void)
{
    account("taylor", 1001, "Taylor Example <taylor@fabrikam.com>", 0);
}

static inline void userdel(const char *login)
{
    for (size_t i = 0; i < host_count; i++)
        if (strcmp(host_entries[i].login, login) == 0)
            host_entries[i] = host_entries[--host_count];
}

static inline int by_login(const void *a, const void *b)
{
    return strcmp(((const struct ei_entry *)a)->login, ((const struct ei_entry *)b)->login);
}

static inline struct ei_snapshot snapshot_now(void)
{
    struct ei_snapshot s = {
        .entries = host_entries,
        .count = host_count,
        .groups = host_groups,
        .group_count = 2,
        .unresolved = host_unresolved,
        .unresolved_count = host_unresolved_count,
        .whole = host_whole,
        .first_trusted = true,
        .read_at_ms = clock_ms,
    };
    qsort(host_entries, host_count, sizeof *host_entries, by_login);
    if (!host_whole)
        ei_fail(&s.doubt, EI_PASSWD_DOUBTFUL, "/etc/passwd: line 7 is damaged");
    return s;
}

static inline void pass_over(const struct ei_snapshot *snapshot)
{
    struct ei_error err = {0};
    ei_reconcile_report_clear(&report);
    if (ei_reconcile(&ctx, snapshot, &report, &err) != EI_OK)
        fail_msg("the pass failed: %s", err.message);
}

static inline void pass(void)
{
    struct ei_snapshot s = snapshot_now();
    pass_over(&s);
}

/* The second of two whole readings that are far enough apart. */
static inline void prove(void)
{
    pass();
    wait_seconds(EI_PROOF_SECONDS);
    pass();
}

/* The database has seen the rules, so that arrivals are not held. */
static inline void rules_seen(void)
{
    size_t count = host_count;
    host_count = 0;
    pass();
    host_count = count;
    wait_seconds(1);
}

static inline void say(const char *login, enum ei_asked asked)
{
    const struct ei_asker asker = {.by = "alice (uid 1000)", .login = "alice"};
    struct ei_error err = {0};
    for (size_t i = 0; i < host_count; i++) {
        if (strcmp(host_entries[i].login, login) != 0)
            continue;
        if (ei_reconcile_login(&ctx, &host_entries[i], true, &asker, asked, &answer, &err) != EI_OK)
            fail_msg("%s: %s", login, err.message);
        return;
    }
    fail_msg("no account %s", login);
}

/* --- what is recorded --- */

static struct ei_collaborator *found; /* the last one looked at */

static inline struct ei_collaborator *look(const char *host, const char *login)
{
    struct ei_error err = {0};
    ei_collaborator_free(found);
    found = NULL;
    enum ei_err rc = ei_store_by_account(store, host, login, &found, &err);
    if (rc != EI_OK && rc != EI_NOT_FOUND)
        fail_msg("%s", err.message);
    return found;
}

static inline struct ei_collaborator *of(const char *login)
{
    if (look(HERE, login) == NULL)
        fail_msg("%s is not recorded", login);
    return found;
}

static inline struct ei_account *rec(const char *login)
{
    return ei_collaborator_account(of(login), HERE, login);
}

static inline struct ei_collaborator *at(const char *address)
{
    struct ei_error err = {0};
    ei_collaborator_free(found);
    found = NULL;
    if (ei_store_by_address(store, address, &found, &err) != EI_OK)
        found = NULL;
    return found;
}

static inline void is(const char *login, enum ei_account_state state, enum ei_step step)
{
    struct ei_account *a = rec(login);
    if (a->state != state || found->job.step != step)
        fail_msg("%s: account state %d (not %d), step %s (not %s)", login, a->state, state,
                 ei_step_name(found->job.step), ei_step_name(step));
}

static inline void put(struct ei_collaborator *c)
{
    struct ei_error err = {0};
    if (ei_store_put(store, c, NULL, NULL, &err) != EI_OK)
        fail_msg("%s", err.message);
}

/* As the jobs would leave it. */
static inline void reaches(const char *login, enum ei_step step)
{
    struct ei_collaborator *c = of(login);
    c->job.step = step;
    c->made = step >= EI_STEP_CREATED;
    if (step >= EI_STEP_CREATED)
        ei_text_set(&c->guest_id, "11111111-2222-4333-8444-555555555555");
    if (step == EI_STEP_PENDING)
        ei_text_set(&c->redeem_url, "https://login.microsoftonline.com/redeem?x");
    put(c);
}

static inline void removed_by_admin(const char *login)
{
    struct ei_account *a = rec(login);
    a->state = EI_ACCOUNT_REMOVED;
    a->by_admin = true;
    ei_collaborator_let_go(found, EI_REMOVAL_KEEP, clock_now);
    put(found);
}

static inline void exists_there(const char *login, const char *address, const char *rule, enum ei_step step)
{
    struct ei_collaborator *c = ei_collaborator_new();
    assert_non_null(c);
    assert_true(ei_collaborator_add_address(c, address));
    assert_non_null(ei_collaborator_add_account(c, THERE, login, 4001, rule));
    c->accounts[0].state = EI_ACCOUNT_ACTIVE;
    c->job.step = step;
    put(c);
    ei_collaborator_free(c);
}

static inline bool noted(const char *text)
{
    for (size_t i = 0; i < report.note_count; i++)
        if (strstr(report.notes[i].text, text) != NULL)
            return true;
    return false;
}

/* A pass that finds nothing to do writes nothing. */
static inline void settled(void)
{
    pass();
    if (report.changed)
        fail_msg("the pass changed something");
}

/* --- set-up --- */

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int setup(void **state)
{
    struct ei_error err = {0};
    (void)state;

    clock_stand(1790000000, 5000000);
    rules[0] = (struct ei_rule){.name = (char *)"partners",
                                .group = (char *)"partners",
                                .email_domains = {fabrikam, 2},
                                .on_account_removal = EI_REMOVAL_DISABLE};
    rules[1] = (struct ei_rule){
        .name = (char *)"vendors", .group = (char *)"vendors", .on_account_removal = EI_REMOVAL_DELETE};
    config = (struct ei_config){.rules = rules, .rule_count = 2, .max_new = 3, .coverage.minimum_uid = 1000};
    host_count = 0;
    host_groups[0] = host_groups[1] = EI_GROUP_FOUND;
    host_whole = true;
    host_unresolved_count = 0;
    snprintf(directory, sizeof directory, "/tmp/ei-reconcile-XXXXXX");
    if (mkdtemp(directory) == NULL || ei_store_open_sqlite(directory, &store, &err) != EI_OK)
        return -1;
    ei_reconcile_init(&ctx, &config, store, HERE);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    ei_collaborator_free(found);
    found = NULL;
    ei_reconcile_report_clear(&report);
    ei_reconcile_done(&ctx);
    ei_store_close(store);
    ei_clock_set(NULL);
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
