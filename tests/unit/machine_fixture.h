/*
 * A worker without its loop, for the tests of the state machine: a real store, a clock that stands still (X15), and in
 * place of Graph this file: what is sent is taken down, and each test calls the answer. The linker puts the functions
 * __wrap_NAME before those of the product (Makefile, WRAPPED).
 */
#ifndef EI_TESTS_UNIT_MACHINE_FIXTURE_H
#define EI_TESTS_UNIT_MACHINE_FIXTURE_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/store/store_internal.h"
#include "plugin/worker/answers.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/invite.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/refresh.h"
#include "tests/unit/clock_fixture.h"

#define ADDRESS "taylor@fabrikam.com"
#define GUEST   "11111111-2222-4333-8444-555555555555"
#define OTHER   "99999999-2222-4333-8444-555555555555"
#define URL     "https://login.microsoftonline.com/redeem?x"

enum { START = 1790000000, START_MS = 5000000 };

static struct {
    struct ei_worker *w;
    struct ei_config config;
    struct ei_rule rule;
    struct ei_credential *credential;
    const struct ei_store_ops *ops; /* the store's own */
    struct ei_store_ops broken;
    char dir[64];
    char id[EI_GUID_TEXT];         /* of the last one that was put */
    struct ei_collaborator *found; /* the last one looked at */

    const char *sent; /* the last request, NULL: none */
    size_t sent_count;
    struct ei_flight *flight; /* its; of "get" in on_user and context */
    ei_graph_user_done *on_user;
    void *context;
    bool send_fails;
    bool copy_fails;
    bool calloc_fails;
    int text_fails; /* the n-th ei_text_set from now; 0: none */
    int arm;        /* what text_fails becomes when a record was read */
    bool read_once; /* then no record can be read again */
} f;

/* --- in place of Graph --- */

static inline enum ei_err take(const char *name, void *context)
{
    if (f.send_fails)
        return EI_BUSY;
    f.sent = name;
    f.sent_count++;
    f.flight = context;
    return EI_OK;
}

#define WRAP(name, ...) __typeof__(name) __wrap_##name, __real_##name;

WRAP(ei_graph_find_users)
WRAP(ei_graph_find_deleted)
WRAP(ei_graph_get_user)
WRAP(ei_graph_get_user_addresses)
WRAP(ei_invite_send)
WRAP(ei_offboard_send)
WRAP(ei_carrier_send)
WRAP(ei_collaborator_copy)
WRAP(ei_text_set)
WRAP(calloc)

enum ei_err __wrap_ei_graph_find_users(struct ei_graph *graph, const char *address, const char *crid,
                                       ei_graph_users_done *done, void *context)
{
    (void)graph;
    assert_string_equal(address, ADDRESS);
    assert_true(ei_guid_valid(crid) && done == ei_answer_checked);
    return take("find", context);
}

enum ei_err __wrap_ei_graph_find_deleted(struct ei_graph *graph, const char *address, const char *crid,
                                         ei_graph_users_done *done, void *context)
{
    (void)graph;
    assert_string_equal(address, ADDRESS);
    assert_true(crid == NULL && done == ei_answer_deleted_found);
    return take("find deleted", context);
}

enum ei_err __wrap_ei_graph_get_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_user_done *done,
                                     void *context)
{
    (void)graph;
    (void)id;
    assert_true(ei_guid_valid(crid) && done != NULL);
    f.on_user = done;
    f.context = context;
    return take("get", context);
}

enum ei_err __wrap_ei_graph_get_user_addresses(struct ei_graph *graph, const char *id, const char *crid,
                                               ei_graph_user_done *done, void *context)
{
    (void)graph;
    (void)id;
    assert_true(ei_guid_valid(crid) && done != NULL);
    return take("get addresses", context);
}

enum ei_err __wrap_ei_invite_send(struct ei_worker *w, const struct ei_collaborator *c, struct ei_flight *flight)
{
    (void)w;
    assert_true(ei_guid_valid(c->job.crid));
    return take(c->job.step == EI_STEP_MAILING ? "mail" : "invite", flight);
}

enum ei_err __wrap_ei_offboard_send(struct ei_worker *w, const struct ei_collaborator *c, struct ei_flight *flight)
{
    (void)w;
    (void)c;
    return take("offboard", flight);
}

enum ei_err __wrap_ei_carrier_send(struct ei_worker *w, const struct ei_collaborator *c, struct ei_flight *flight)
{
    (void)w;
    (void)c;
    return take("carry", flight);
}

struct ei_collaborator *__wrap_ei_collaborator_copy(const struct ei_collaborator *c)
{
    return f.copy_fails ? NULL : __real_ei_collaborator_copy(c);
}

bool __wrap_ei_text_set(char **field, const char *value)
{
    if (f.text_fails > 0 && --f.text_fails == 0)
        return false;
    return __real_ei_text_set(field, value);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return f.calloc_fails ? NULL : __real_calloc(count, size);
}

/* --- what stands in the store --- */

/* taylor, active here by the rule partners, at this step. Change it, then put it. */
static inline struct ei_collaborator *taylor(enum ei_step step)
{
    struct ei_collaborator *c = ei_collaborator_new();

    assert_non_null(c);
    assert_true(ei_collaborator_add_address(c, ADDRESS));
    assert_non_null(ei_collaborator_add_account(c, f.w->host, "taylor", 1001, "partners"));
    c->accounts[0].state = EI_ACCOUNT_ACTIVE;
    c->job.step = step;
    if (step >= EI_STEP_CREATED && step <= EI_STEP_ACCEPTED)
        assert_true(ei_text_set(&c->guest_id, GUEST) && ei_text_set(&c->redeem_url, URL));
    return c;
}

/* Stores and frees it. */
static inline void put(struct ei_collaborator *c)
{
    struct ei_error err = {0};

    if (f.ops->put(f.w->store, c, NULL, NULL, &err) != EI_OK)
        fail_msg("%s", err.message);
    memcpy(f.id, c->id, sizeof f.id);
    ei_collaborator_free(c);
}

static inline struct ei_collaborator *stored(void)
{
    struct ei_error err = {0};

    ei_collaborator_free(f.found);
    f.found = NULL;
    if (f.ops->get(f.w->store, f.id, &f.found, &err) != EI_OK)
        fail_msg("%s", err.message);
    return f.found;
}

static inline void stands_at(enum ei_step step)
{
    if (stored()->job.step != step)
        fail_msg("%s, not %s", ei_step_name(f.found->job.step), ei_step_name(step));
}

static inline void gone(void)
{
    struct ei_error err = {0};

    if (ei_store_delete(f.w->store, stored(), &err) != EI_OK)
        fail_msg("%s", err.message);
}

/* Stores f.found as the test has changed it. */
static inline void put_found(void)
{
    struct ei_error err = {0};

    if (f.ops->put(f.w->store, f.found, NULL, NULL, &err) != EI_OK)
        fail_msg("%s", err.message);
}

/* Runs the machine once; name: what it must have sent, NULL for nothing. */
static inline void sends(const char *name)
{
    f.sent = NULL;
    ei_machine_run(f.w);
    if ((f.sent == NULL) != (name == NULL) || (name != NULL && strcmp(f.sent, name) != 0))
        fail_msg("sent %s, not %s", f.sent != NULL ? f.sent : "nothing", name != NULL ? name : "nothing");
}

/* A collaborator at this step is due and is under way: its flight is f.flight. */
static inline void fly(struct ei_collaborator *c)
{
    put(c);
    f.sent = NULL;
    ei_machine_run(f.w);
    assert_non_null(f.sent);
}

/* --- a store that fails --- */

static inline enum ei_err full(struct ei_error *err)
{
    return ei_fail(err, EI_STORE_FULL, "no room");
}

static inline enum ei_err no_put(struct ei_store *store, struct ei_collaborator *c, const char *event,
                                 const char *detail, struct ei_error *err)
{
    (void)store, (void)c, (void)event, (void)detail;
    return full(err);
}

static inline enum ei_err no_get(struct ei_store *store, const char *id, struct ei_collaborator **ret,
                                 struct ei_error *err)
{
    (void)store, (void)id;
    *ret = NULL;
    return full(err);
}

static inline enum ei_err found_none(struct ei_store *store, const char *id, struct ei_collaborator **ret,
                                     struct ei_error *err)
{
    (void)store, (void)id, (void)err;
    *ret = NULL;
    return EI_NOT_FOUND;
}

static inline enum ei_err no_due(struct ei_store *store, int64_t t, char (*ids)[EI_GUID_TEXT], size_t limit,
                                 size_t *ret_count, struct ei_error *err)
{
    (void)store, (void)t, (void)ids, (void)limit;
    *ret_count = 0;
    return full(err);
}

static inline enum ei_err no_next_due(struct ei_store *store, int64_t *ret_time, struct ei_error *err)
{
    (void)store, (void)ret_time;
    return full(err);
}

static inline enum ei_err no_claim(struct ei_store *store, const char *folded, uint32_t round, const char *crid,
                                   struct ei_error *err)
{
    (void)store, (void)folded, (void)round, (void)crid;
    return full(err);
}

static inline enum ei_err no_batch(struct ei_store *store, struct ei_error *err)
{
    (void)store;
    return full(err);
}

static inline enum ei_err get_then_arm(struct ei_store *store, const char *id, struct ei_collaborator **ret,
                                       struct ei_error *err)
{
    bool again = f.arm == 0;
    enum ei_err rc = again && f.read_once ? no_get(store, id, ret, err) : f.ops->get(store, id, ret, err);

    f.text_fails = f.arm;
    f.arm = 0;
    return rc;
}

/* What is set in f.broken is in force until mended. */
static inline void breaks(void)
{
    f.w->store->ops = &f.broken;
}

static inline void mended(void)
{
    f.broken = *f.ops;
    f.w->store->ops = f.ops;
    f.w->paused_until_ms = 0;
    f.read_once = false;
}

/* Memory runs out at the n-th text that is taken down after the next record was read. */
static inline void forgets(int n)
{
    breaks();
    f.broken.get = get_then_arm;
    f.arm = n;
}

/* --- each test --- */

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void open_graph(void)
{
    struct ei_error err = {0};
    char path[96];

    snprintf(path, sizeof path, "%s/secret", f.dir);
    FILE *secret = fopen(path, "we");
    assert_non_null(secret);
    assert_true(fputs("a secret of nobody's\n", secret) >= 0 && fclose(secret) == 0 && chmod(path, 0600) == 0);
    assert_int_equal(ei_credential_secret(path, &f.credential, &err), EI_OK);
    const struct ei_graph_options options = {.tenant = "contoso.onmicrosoft.com",
                                             .client_id = OTHER,
                                             .login_url = "https://localhost:9",
                                             .graph_url = "https://localhost:9",
                                             .credential = f.credential};
    if (ei_graph_new(&options, &f.w->graph, &err) != EI_OK)
        fail_msg("%s", err.message);
}

static inline int setup(void **state)
{
    static char *fabrikam[] = {(char *)"fabrikam.com"};
    struct ei_error err = {0};
    char path[96];
    (void)state;

    memset(&f, 0, sizeof f);
    clock_stand(START, START_MS);
    snprintf(f.dir, sizeof f.dir, "/tmp/ei-machine-XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    const struct ei_invitation_settings mailed = {.redirect_url = (char *)"https://myapps.microsoft.com",
                                                  .message_body = (char *)"",
                                                  .message_language = (char *)"en-US",
                                                  .deliver = EI_CHANNEL_MICROSOFT};
    f.rule = (struct ei_rule){
        .name = (char *)"partners", .group = (char *)"partners", .email_domains = {fabrikam, 1}, .invitation = mailed};
    f.config = (struct ei_config){
        .rules = &f.rule, .rule_count = 1, .refresh_interval = 300, .invitation = mailed, .tenant = (char *)OTHER};
    f.w = __real_calloc(1, sizeof *f.w);
    assert_non_null(f.w);
    f.w->config = &f.config;
    snprintf(f.w->host, sizeof f.w->host, "%s", OTHER);
    f.w->tenant_fact = f.w->domains_fact = EI_FACT_KNOWN;
    f.w->domains_again_ms = INT64_MAX;
    ei_pace_init(&f.w->looks, 10, 1000, clock_ms);
    snprintf(path, sizeof path, "%s/private", f.dir);
    if (ei_store_open_sqlite(path, &f.w->store, &err) != EI_OK)
        fail_msg("%s", err.message);
    f.ops = f.w->store->ops;
    f.broken = *f.ops;
    open_graph();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    mended();
    ei_collaborator_free(f.found);
    while (f.w->flights != NULL)
        ei_machine_land(f.w->flights);
    ei_machine_send_ready(f.w, false);
    ei_graph_free(f.w->graph);
    ei_credential_free(f.credential);
    ei_store_close(f.w->store);
    free(f.w);
    ei_clock_set(NULL);
    return nftw(f.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
