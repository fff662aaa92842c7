/*
 * Fills the worker's store with collaborators whom a host has had for a while, by the store's own interface.
 *
 *   make-store DIRECTORY COUNT FIRST-UID
 *
 * user0 … with an account of that name here, as tests/bench/lib.sh adds them to the account files. Nine of ten are
 * accepted, each tenth is invited and has a redeem URL. None is to be looked at within the next day.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/account/gecos.h"
#include "common/store/store.h"
#include "plugin/worker/host_id.h"

enum { IN_BATCH = 5000, LATER = 24 * 60 * 60 };

static char host[EI_GUID_TEXT];

static enum ei_err fill(struct ei_collaborator *c, unsigned number, uid_t uid, int64_t now)
{
    char login[32], address[64], guest[EI_GUID_TEXT], text[400];
    bool pending = number % 10 == 0;

    snprintf(login, sizeof login, "user%u", number);
    snprintf(address, sizeof address, "user%u@fabrikam.com", number);
    if (!ei_collaborator_add_address(c, address))
        return EI_NOMEM;
    struct ei_account *account = ei_collaborator_add_account(c, host, login, uid, "partners");
    if (account == NULL)
        return EI_NOMEM;
    account->state = EI_ACCOUNT_ACTIVE;
    account->source = EI_SOURCE_GECOS;
    account->address_hash = ei_address_hash(address);
    account->since = now - LATER;
    account->local = true;
    c->job.step = pending ? EI_STEP_PENDING : EI_STEP_ACCEPTED;
    c->job.resume = c->job.step;
    c->job.not_before = now + LATER;
    c->requested_at = c->state_at = c->state_changed_at = now - LATER;
    c->checked_at = now;
    ei_guid_new(guest);
    snprintf(text, sizeof text, "user%u_fabrikam.com#EXT#@contoso.onmicrosoft.com", number);
    bool set = ei_text_set(&c->guest_id, guest) && ei_text_set(&c->user_principal_name, text) &&
               ei_text_set(&c->user_type, "Guest") && ei_text_set(&c->requested_by, "root") &&
               ei_text_set(&c->external_user_state, pending ? "PendingAcceptance" : "Accepted");
    snprintf(text, sizeof text, "User %u", number);
    set = set && ei_text_set(&c->display_name, text);
    if (pending) {
        /* As long as Microsoft's are. */
        snprintf(text, sizeof text,
                 "https://login.microsoftonline.com/redeem?rd=https%%3a%%2f%%2finvitations.microsoft.com%%2fredeem%%2f"
                 "%%3ftenant%%3d%s%%26user%%3d%s%%26ticket%%3d%s%%25253d%%26ver%%3d2.0",
                 guest, c->id, guest);
        set = set && ei_text_set(&c->redeem_url, text);
        c->url_at = now - LATER;
    }
    return set ? EI_OK : EI_NOMEM;
}

static enum ei_err put_all(struct ei_store *store, unsigned count, uid_t first_uid, struct ei_error *err)
{
    enum ei_err rc = EI_OK;
    int64_t now = time(NULL);

    for (unsigned i = 0; i < count && rc == EI_OK; i++) {
        if (i % IN_BATCH == 0)
            rc = ei_store_batch_begin(store, err);
        struct ei_collaborator *c = ei_collaborator_new();
        if (c == NULL)
            return ei_fail(err, EI_NOMEM, "out of memory");
        if (rc == EI_OK)
            rc = fill(c, i, first_uid + i, now);
        if (rc == EI_OK)
            rc = ei_store_put(store, c, "invited", NULL, err);
        ei_collaborator_free(c);
        if (rc == EI_OK && (i % IN_BATCH == IN_BATCH - 1 || i == count - 1))
            rc = ei_store_batch_end(store, err);
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct ei_store *store = NULL;
    struct ei_error err = {0};

    if (argc != 4) {
        fprintf(stderr, "usage: make-store DIRECTORY COUNT FIRST-UID\n");
        return 2;
    }
    enum ei_err rc = ei_host_id(NULL, host, &err);
    if (rc == EI_OK)
        rc = ei_store_open_sqlite(argv[1], &store, &err);
    if (rc == EI_OK)
        rc = put_all(store, (unsigned)strtoul(argv[2], NULL, 10), (uid_t)strtoul(argv[3], NULL, 10), &err);
    ei_store_close(store);
    if (rc != EI_OK)
        fprintf(stderr, "make-store: %s\n", err.message);
    return rc != EI_OK;
}
