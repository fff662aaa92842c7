/* What the socket asks (common/ipc/io.entrainvite.varlink): dispatch, answers, calls that wait. */
#ifndef EI_WORKER_REQUESTS_H
#define EI_WORKER_REQUESTS_H

#include <cjson/cJSON.h>

#include "plugin/worker/worker.h"

/* fd: a passed listening socket, or -1 to make config->socket. */
enum ei_err ei_requests_open(struct ei_worker *worker, int listen_fd, struct ei_error *err);
void ei_requests_close(struct ei_worker *worker);
/* Answers the waiting calls whose time has come. */
void ei_requests_run(struct ei_worker *worker);
int64_t ei_requests_wait_ms(const struct ei_worker *worker);

/* --- shared by requests.c and request_*.c --- */

/*
 * Finds what LOGIN|ADDRESS means: with '@' an address, unless such a login is recorded. *ret_login is target when it is
 * a login, else NULL. EI_NOT_FOUND names the target. The caller frees the collaborator.
 */
enum ei_err ei_request_find(struct ei_worker *worker, const char *target, struct ei_collaborator **ret_collaborator,
                            const char **ret_login, struct ei_error *err);
/* {"account": Account}; NULL when out of memory. */
cJSON *ei_request_account_reply(const struct ei_worker *worker, const struct ei_collaborator *collaborator,
                                const char *login);
/* The Account object of the interface. */
cJSON *ei_request_account(const struct ei_worker *worker, const struct ei_collaborator *collaborator,
                          const struct ei_account *account);
/* Who asks, by the parameters of the call, which own the texts. */
struct ei_asker ei_request_asker(const cJSON *parameters);
cJSON *ei_request_error(const struct ei_error *error, bool permanent);
/* What keeps redemptions from being seen though nothing blocks the worker; code EI_OK: nothing. */
void ei_request_trouble(const struct ei_worker *worker, struct ei_error *ret_trouble);

/* request_settings.c: the settings among the parameters of Invite, checked, as one JSON object; NULL where there are
 * none. The caller frees it. */
enum ei_err ei_request_settings(const struct ei_worker *worker, const cJSON *parameters, char **ret_overrides,
                                struct ei_error *err);

typedef void ei_request_method(struct ei_worker *worker, struct ei_call *call, const cJSON *parameters);
/* request_change.c */
ei_request_method ei_request_announce;
/* request_invite.c */
ei_request_method ei_request_invite;

/* Somebody who is to be invited, with the settings of Invite's parameters. Begins with the first three; free the rest
 * with ei_invitee_clear, whatever came of it. */
struct ei_invitee {
    const cJSON *parameters;
    bool imagined;                        /* as it would be recorded: nothing is written */
    bool bulk;                            /* one of many: others go before */
    struct ei_collaborator *collaborator; /* as it is recorded, or would be */
    char *login;                          /* NULL: an invitation without an account */
};
/* Writes the request down, durable unless a batch is open. EI_NOT_FOUND with login NULL: there is no such account.
 * That of an account needs a batch of its own. */
enum ei_err ei_request_invite_login(struct ei_worker *worker, const char *login, struct ei_invitee *invitee,
                                    struct ei_error *err);
enum ei_err ei_request_invite_address(struct ei_worker *worker, const char *address, struct ei_invitee *invitee,
                                      struct ei_error *err);
void ei_invitee_clear(struct ei_invitee *invitee);
/* Accepted before: nothing is to be sent. */
bool ei_invitee_already(const struct ei_invitee *invitee);

/* request_import.c */
ei_request_method ei_request_import;
/* The peer of a --dry-run that waits for Graph went away. */
void ei_request_dry_run_gone(struct ei_worker *worker, struct ei_call *call);
/* request_change.c */
ei_request_method ei_request_adopt;
ei_request_method ei_request_resend;
ei_request_method ei_request_remove;
/* request_mail.c */
ei_request_method ei_request_mail;
/* request_reset.c */
ei_request_method ei_request_reset;
/* The peer of a Reset that waits for Graph went away. */
void ei_request_reset_gone(struct ei_worker *worker, struct ei_call *call);
/* request_tenant.c */
ei_request_method ei_request_list_tenant;
/* Its caller went away. */
void ei_request_list_tenant_gone(struct ei_worker *worker, const struct ei_call *call);
void ei_request_list_tenant_run(struct ei_worker *worker);
int64_t ei_request_list_tenant_wait_ms(const struct ei_worker *worker);
/* login.c */
ei_request_method ei_request_login;
/* request_restore.c */
ei_request_method ei_request_restore;
/* request_query.c */
ei_request_method ei_request_list;
ei_request_method ei_request_show;
ei_request_method ei_request_status;
/* request_events.c */
ei_request_method ei_request_events;
/* request_doctor.c */
ei_request_method ei_request_doctor;
/* The peer of a check-up that waits for Graph went away. */
void ei_request_doctor_gone(struct ei_worker *worker, struct ei_call *call);

#endif
