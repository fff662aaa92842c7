/* Graph's answers, made up, for the tests of what the worker makes of them. */
#ifndef EI_TESTS_UNIT_ANSWERS_FIXTURE_H
#define EI_TESTS_UNIT_ANSWERS_FIXTURE_H

#include <fcntl.h>

#include "tests/unit/machine_fixture.h"

static const struct ei_graph_result done = {.outcome = EI_GRAPH_DONE, .status = 200, .retry_after = -1};
static const struct ei_graph_invitation invitation = {.id = OTHER,
                                                      .invite_redeem_url = URL "y",
                                                      .invited_user_id = GUEST,
                                                      .status = "PendingAcceptance",
                                                      .sent = "{}",
                                                      .notes = ""};

static inline struct ei_graph_result failed(enum ei_graph_outcome outcome, enum ei_err code, long status)
{
    struct ei_graph_result result = {.outcome = outcome, .status = status, .retry_after = -1};

    ei_fail(&result.error, code, "as the test has it");
    return result;
}

static inline struct ei_graph_user guest(const char *state)
{
    return (struct ei_graph_user){.id = GUEST,
                                  .user_principal_name = "taylor_fabrikam.com#EXT#@contoso.onmicrosoft.com",
                                  .mail = ADDRESS,
                                  .user_type = "Guest",
                                  .creation_type = "Invitation",
                                  .external_user_state = state,
                                  .has_external_user_state = true,
                                  .has_account_enabled = true,
                                  .account_enabled = true};
}

static inline struct ei_flight *checking(void)
{
    put(taylor(EI_STEP_QUEUED));
    sends("find");
    return f.flight;
}

static inline struct ei_flight *creating(void)
{
    put(taylor(EI_STEP_CREATING));
    sends("invite");
    return f.flight;
}

static inline void is_failed(enum ei_err code)
{
    stands_at(EI_STEP_FAILED);
    assert_int_equal(f.found->error.code, code);
    assert_true(f.found->error_permanent);
}

static inline void is_retried(enum ei_step step, enum ei_err code)
{
    stands_at(step);
    assert_int_equal(f.found->error.code, code);
    assert_false(f.found->error_permanent);
    assert_true(f.found->job.not_before > START);
    assert_string_equal(f.found->job.crid, "");
}

/* A store that gives a record without its address, as while its accounts wait. */
static inline enum ei_err get_without_address(struct ei_store *store, const char *id, struct ei_collaborator **ret,
                                              struct ei_error *err)
{
    enum ei_err rc = f.ops->get(store, id, ret, err);

    for (size_t i = 0; i < (*ret)->address_count; i++)
        free((*ret)->addresses[i]);
    (*ret)->address_count = 0;
    return rc;
}

/* Answers call while the record is gone, is elsewhere, has no address, or cannot be read: nothing changes. */
static inline void answer_to_nobody(enum ei_step step, const char *request, void (*answer)(struct ei_flight *flight))
{
    for (int i = 0; i < 4; i++) {
        put(taylor(step));
        sends(request);
        breaks();
        if (i == 0)
            gone();
        else if (i == 1)
            f.broken.get = get_without_address;
        else if (i == 2)
            f.broken.get = no_get;
        if (i == 3) {
            stored()->job.step = EI_STEP_IDLE;
            put_found();
        }
        answer(f.flight);
        mended();
        assert_int_equal(f.w->flight_count, 0);
        if (i == 0)
            continue;
        stands_at(i == 3 ? EI_STEP_IDLE : stored()->job.step);
        assert_int_equal(f.found->revision, i == 3 ? 3 : 2);
        gone();
    }
}

/* Whether the log says text during an answer about one user. */
static inline bool says(const char *text, struct ei_flight *flight, const struct ei_graph_user *user)
{
    char path[96], log[4096] = "";

    snprintf(path, sizeof path, "%s/log", f.dir);
    int kept = dup(STDERR_FILENO), file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(kept >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    ei_answer_checked(flight, &done, user, 1);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    assert_true(pread(file, log, sizeof log - 1, 0) >= 0);
    close(file);
    return strstr(log, text) != NULL;
}

#endif
