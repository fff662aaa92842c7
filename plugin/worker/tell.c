#include "plugin/worker/tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/worker/state.h"

static struct ei_log_about facts_of(const struct ei_worker *w, enum ei_log_id id, const struct ei_collaborator *c)
{
    const struct ei_account *account = ei_state_account(c, w->host, NULL);
    struct ei_log_about about = {
        .id = id,
        .email = c->address_count != 0 ? c->addresses[0] : NULL,
        .rule = account != NULL ? account->rule : c->job.rule,
        .state = ei_state_name(ei_state_of(c, account)),
    };

    for (size_t i = 0; i < c->account_count && about.login_count < EI_LOG_LOGINS_MAX; i++)
        if (strcmp(c->accounts[i].host, w->host) == 0)
            about.logins[about.login_count++] = c->accounts[i].login;
    return about;
}

static const char *name_of(const struct ei_log_about *about)
{
    if (about->email != NULL)
        return about->email;
    return about->login_count != 0 ? about->logins[0] : "a collaborator";
}

void ei_tell(const struct ei_worker *w, int priority, enum ei_log_id id, const struct ei_collaborator *c,
             const struct ei_error *ids, const char *format, ...)
{
    struct ei_log_about facts = facts_of(w, id, c);
    char text[1024];
    va_list args;

    facts.error = ids;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length >= 0)
        ei_log_about(priority, &facts, "%s: %s", name_of(&facts), text);
}

void ei_tell_error(const struct ei_worker *w, int priority, enum ei_log_id id, const struct ei_collaborator *c,
                   const struct ei_error *err)
{
    struct ei_log_about facts = facts_of(w, id, c);

    facts.error = err;
    ei_log_error_about(priority, &facts, name_of(&facts));
}

void ei_tell_note(const struct ei_worker *w, const struct ei_note *note)
{
    struct ei_collaborator *c = NULL;
    struct ei_log_about about = {.id = note->id};
    struct ei_error err;

    /* Of one account and not of all that the person has; who is gone may have no record any more. */
    if (note->collaborator[0] != '\0' && ei_store_get(w->store, note->collaborator, &c, &err) == EI_OK) {
        const struct ei_account *account = ei_state_account(c, w->host, note->login);
        about = facts_of(w, note->id, c);
        about.rule = account != NULL ? account->rule : about.rule;
        about.state = ei_state_name(ei_state_of(c, account));
    }
    about.login_count = note->login != NULL;
    about.logins[0] = note->login;
    ei_fail(&err, note->code, "%s", note->text);
    about.error = &err;
    if (note->code != EI_OK)
        ei_log_error_about(LOG_WARNING, &about, note->login);
    else
        ei_log_about(LOG_INFO, &about, "%s", note->text);
    ei_collaborator_free(c);
}
