/*
 * Microsoft Graph as the worker uses it: asynchronous requests over libcurl's multi interface, with token, pacing and
 * hold inside.
 *
 * Every request ends in exactly one call of its callback, from ei_graph_dispatch or ei_graph_free (never from the call
 * that starts it), with a result that says what is known of the effect (X5). The callback's data are good during the
 * call only. A callback may start requests; it may not call ei_graph_wait, ei_graph_dispatch or ei_graph_free. Nothing
 * here decides, retries or stores: that is the worker's. What is done besides has no effect in the directory: a token
 * is fetched when it is needed, 5 minutes before it expires, and after a complete 401, after which a read is repeated.
 *
 * One graph belongs to one thread.
 *
 * Facts cite "contract N": the project's page on what Graph documents and what was seen.
 */
#ifndef EI_GRAPH_GRAPH_H
#define EI_GRAPH_GRAPH_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/guid.h"
#include "common/graph/credential.h"

struct cJSON;
struct ei_graph;

struct ei_graph_options {
    const char *tenant;    /* domain or id */
    const char *client_id; /* "" only where the credential has its own: managed identity */
    const char *login_url; /* https://host[:port], no slash at the end (contract 0) */
    const char *graph_url;
    const char *ca_file;              /* NULL: the system's */
    struct ei_credential *credential; /* not owned, outlives the graph */
    int connections;                  /* at most so many transfers at once; 0: 32 */
    long timeout_ms;                  /* for one whole request; 0: 60 s */
};

/* All strings are copied. EI_CONFIG names the option that is wrong: a root that is not https://host[:port], a tenant
 * that is no name or id, or that names the shared authority (common, organizations, consumers). */
enum ei_err ei_graph_new(const struct ei_graph_options *options, struct ei_graph **ret_graph, struct ei_error *err);
/* Ends every request that is under way: their callbacks are called, with EI_GRAPH_NOT_SENT or EI_GRAPH_UNCLEAR. A
 * request that a callback starts then is refused with EI_BUSY. NULL is fine. */
void ei_graph_free(struct ei_graph *graph);

/* Sleeps until a transfer, one of the extra descriptors or the time-out (ms) wants attention; which, is for the caller
 * to see. The process's one place to wait. */
enum ei_err ei_graph_wait(struct ei_graph *graph, const struct curl_waitfd *extra, unsigned count, int timeout_ms);
/* Makes progress and calls the callbacks of what has ended. */
void ei_graph_dispatch(struct ei_graph *graph);
/* During a callback: the ids of the answer that it was called for, in the members for them; NULL outside. */
const struct ei_error *ei_graph_answered(const struct ei_graph *graph);
/* How many requests are under way, those that wait for a token included. */
size_t ei_graph_active(const struct ei_graph *graph);

/* --- pacing and hold: tenant-wide (contract 6) --- */

/* false: hold or pace forbid sending now; *ret_wait_ms says how long. writes: how many POST, PATCH, DELETE. Starting a
 * request takes the units from the bucket (3,000 writes per 150 s, filled continuously). Pace is the caller's to obey;
 * under a hold a request that is started, or that waited for a slot or a token, ends unsent with EI_THROTTLED. */
bool ei_graph_may_send(struct ei_graph *graph, unsigned writes, int64_t *ret_wait_ms);
/* Wall time until which a 429, or a 503 or 504 with Retry-After, holds the tenant, 0 if none; set at start from what
 * the store remembers (X8): an hour at most, and a time that has passed changes nothing. A hold is never shortened. */
int64_t ei_graph_hold_until(const struct ei_graph *graph);
void ei_graph_set_hold(struct ei_graph *graph, int64_t until);

/* Forget the token, and which lists were refused: after SIGHUP, or a permission was granted. */
void ei_graph_drop_token(struct ei_graph *graph);

/* --- results --- */

enum ei_graph_outcome {
    EI_GRAPH_DONE,     /* the success status of the call, body understood */
    EI_GRAPH_NOT_SENT, /* not one byte of the request left (resolve, connect, TLS, token): free to repeat */
    EI_GRAPH_REJECTED, /* a complete 4xx (429 included) that says it had no effect */
    EI_GRAPH_UNCLEAR,  /* time-out, reset, any 5xx, a 2xx whose body makes no sense: it may have had its effect */
};

struct ei_graph_result {
    enum ei_graph_outcome outcome;
    struct ei_error error;      /* code EI_OK when DONE */
    long status;                /* HTTP, 0 if none */
    bool has_skew;              /* the answer had a Date */
    int64_t skew;               /* seconds by which this host's clock is ahead of it */
    int64_t certificate_ends;   /* wall time; the server's, 0: not looked at */
    int64_t retry_after;        /* seconds, capped at an hour; -1: none, or none that can be read (X8) */
    char user_id[EI_GUID_TEXT]; /* the object ID in "already exists … as object ID: …" (contract 2.6), "" if none */
};

/* A user as $select asked for it; NULL: absent or null, unless a has_ member tells them apart (contract 4.1). */
struct ei_graph_user {
    const char *id;
    const char *user_principal_name;
    const char *display_name;
    const char *mail;
    const char *user_type;
    const char *creation_type;
    const char *external_user_state;
    int64_t external_user_state_changed; /* 0: none */
    bool has_external_user_state;        /* the member was in the answer, null included */
    bool has_account_enabled;
    bool account_enabled;
    const struct cJSON *other_mails; /* arrays of text; NULL unless they were asked for */
    const struct cJSON *proxy_addresses;
};

/* "#EXT#" in userPrincipalName: the account is of another directory (contract 2.4). false where no name is told. */
bool ei_graph_user_has_external_name(const struct ei_graph_user *user);

/* Calls visit for each address of mail that the user has, until it returns true; then true. One address may come more
 * than once. */
typedef bool ei_graph_address_visit(void *context, const char *address);
bool ei_graph_user_addresses(const struct ei_graph_user *user, ei_graph_address_visit *visit, void *context);

struct ei_graph_invitation {
    const char *id;
    const char *invite_redeem_url; /* secret */
    const char *invited_user_id;
    const char *status; /* not to be relied on (contract 2.2) */
    const char *sent;   /* the JSON body that this answers */
    const char *notes;  /* a line for each property that the answer tells otherwise than it was sent, "" for none */
};

typedef void ei_graph_users_done(void *context, const struct ei_graph_result *result, const struct ei_graph_user *users,
                                 size_t count);
typedef void ei_graph_user_done(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user);
typedef void ei_graph_invited(void *context, const struct ei_graph_result *result,
                              const struct ei_graph_invitation *invitation);
typedef void ei_graph_names_done(void *context, const struct ei_graph_result *result, const char *const *names,
                                 size_t count);
typedef void ei_graph_plain_done(void *context, const struct ei_graph_result *result);

/* --- requests: EI_OK means that the callback will come; EI_NOMEM or EI_BUSY (ei_graph_free runs) that it will not ---
 */
/*
 * crid: the client-request-id that is sent (X7), letters, digits and '-'; NULL: a new one. A write carries exactly this
 * one, which the caller has stored; so a write is never repeated here. A complete 401 for a token that may just have
 * ended is EI_TOKEN_TRANSIENT, EI_GRAPH_REJECTED, and retry_after 0: the next attempt gets a new one. Of a read only
 * the first request carries it; a second look-up, a further page and the repeat after a 401 carry a new one each.
 */

/*
 * Users with this address: userPrincipalName, mail, otherMails, proxyAddresses in one $filter, identities in a second
 * request (contract 3), joined by id. Once ei_graph_verified_domains has told the tenant's initial domain, also whoever
 * has the name that a guest of this address is given (contract 2.4), unless somebody has the address itself. Follows
 * nextLink on the configured root only. A tenant that refuses (400, 501) the guest's name, the identities, the
 * proxyAddresses or all but mail is asked without. EI_BAD_ADDRESS, unsent, for what can be no
 * address (S30).
 */
enum ei_err ei_graph_find_users(struct ei_graph *graph, const char *address, const char *crid,
                                ei_graph_users_done *done, void *context);

/* Deleted users with this mail or other mail, as far as the tenant tells (contract 5, [I]). EI_BAD_ADDRESS as above. */
enum ei_err ei_graph_find_deleted(struct ei_graph *graph, const char *address, const char *crid,
                                  ei_graph_users_done *done, void *context);

/* GET /users/{id}?$select=… (contract 4.1). A 404 with a Graph error object, whatever its code, is EI_GRAPH_REJECTED
 * with EI_GRAPH_NOT_FOUND; another (an HTML page of somebody else) is EI_GRAPH_ANSWER. For all that take an id: both
 * of this, and one that is no object id ends unsent, EI_USAGE. */
enum ei_err ei_graph_get_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_user_done *done,
                              void *context);

/* GET /users/{userPrincipalName}?$select=id,mail: the user has these, and nothing else. 404 as above. */
enum ei_err ei_graph_find_user_id(struct ei_graph *graph, const char *user_principal_name, const char *crid,
                                  ei_graph_user_done *done, void *context);

/* The same with the user's addresses. */
enum ei_err ei_graph_get_user_addresses(struct ei_graph *graph, const char *id, const char *crid,
                                        ei_graph_user_done *done, void *context);

/* Ids of users that may have changed; several calls for one request, each during a dispatch. Replays happen. */
typedef void ei_graph_changes_page(void *context, const char *const *ids, size_t count);
/* link: pass it the next time, NULL unless result is DONE. */
typedef void ei_graph_changes_done(void *context, const struct ei_graph_result *result, const char *link);
/*
 * GET /users/delta (contract 4.3): which users' externalUserState, accountEnabled or userType changed, or who was
 * deleted, since link was given; NULL, or a link that is not on the configured root: from now on, with no ids. What
 * changed is not told: the page is a hint, and GET /users/{id} the truth. EI_RESYNC: the link is too old, changes are
 * lost. Whether a redemption is among the changes is nowhere promised.
 */
enum ei_err ei_graph_changes(struct ei_graph *graph, const char *link, ei_graph_changes_page *page,
                             ei_graph_changes_done *done, void *context);

/* GET /directory/deletedItems/{id}: DONE means it is there, soft-deleted; 404 as above. */
enum ei_err ei_graph_get_deleted(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                 void *context);

/* The body of an invitation, by Graph's names. The first two are required; what is NULL or "" is left out of the body,
 * and so is what describes the mail where none is sent. Caller owns all; it is only read. */
struct ei_graph_invite {
    const char *invited_user_email_address;
    const char *invite_redirect_url;
    const char *invited_user_display_name;
    bool member;                  /* invitedUserType "Member", else "Guest" */
    bool send_invitation_message; /* then: a fresh connection, HTTP/1.1, never used again, no Expect (X6) */
    const char *customized_message_body;
    const char *message_language;
    const char *cc; /* one address (contract 2.3) */
    /* "users/ID", "users/UPN" or "groups/ID", at most five (contract 2.2); NULL and 0: none are named. */
    const char *const *sponsors;
    size_t sponsor_count;
    /* An object id: resetRedemption of this user, who must have the address among their own (contract 2.6). NULL: an
     * invitation. X4: only ever at a person's word. On a fresh connection, like a mail (X6). */
    const char *reset_user_id;
};

/* POST /invitations (contract 2). DONE only with an https inviteRedeemUrl and the invited user's id in the answer; a
 * 2xx without them is EI_GRAPH_UNCLEAR with EI_GRAPH_ANSWER. */
enum ei_err ei_graph_invite(struct ei_graph *graph, const struct ei_graph_invite *invite, const char *crid,
                            ei_graph_invited *done, void *context);
/* The same body as JSON, for --dry-run; the caller deletes it. graph_url: the root of the sponsors' URLs. NULL when out
 * of memory. */
struct cJSON *ei_graph_invite_body(const struct ei_graph_invite *invite, const char *graph_url);

/* GET /users/{id}/sponsors. names: the object id of each, and the userPrincipalName of those that have one. */
enum ei_err ei_graph_sponsors(struct ei_graph *graph, const char *user_id, const char *crid, ei_graph_names_done *done,
                              void *context);
/* POST /users/{id}/sponsors/$ref. sponsor: as in struct ei_graph_invite. DONE also for whoever is one already. */
enum ei_err ei_graph_add_sponsor(struct ei_graph *graph, const char *user_id, const char *sponsor, const char *crid,
                                 ei_graph_plain_done *done, void *context);

/* Names of the tenant's verified domains, folded: GET /organization, on 403 GET /domains (contract 3). */
enum ei_err ei_graph_verified_domains(struct ei_graph *graph, const char *crid, ei_graph_names_done *done,
                                      void *context);

/* The tenant's GUID from the login root's OpenID metadata, without a token: one name, folded. No usable metadata is
 * EI_GRAPH_ANSWER with the status: REJECTED for a 4xx (but 408 and 429, which pass), UNCLEAR for a 2xx whose issuer
 * holds no GUID. Of the tenant's faults only EI_TENANT_UNKNOWN, EI_WRONG_CLOUD, EI_TLS_TRUST and EI_REDIRECTED come
 * from here. */
enum ei_err ei_graph_tenant_id(struct ei_graph *graph, ei_graph_names_done *done, void *context);

/*
 * POST /groups/{group}/members/$ref (contract 5). DONE: the user is a member, by this call or before: after a 400,
 * whose text alone would tell, POST /users/{user}/checkMemberGroups decides. That makes it idempotent: it may be
 * repeated after any outcome. EI_ENTRA_GROUP_REFUSED: no member can be added there (a dynamic or synchronised group);
 * EI_ENTRA_GROUP_DENIED: 403; EI_GRAPH_NOT_FOUND: group or user are not known, which a new user is for a while
 * (contract 7).
 */
enum ei_err ei_graph_add_member(struct ei_graph *graph, const char *group, const char *user, const char *crid,
                                ei_graph_plain_done *done, void *context);

/* --- what only a check-up asks --- */

/*
 * Whether a root answers at all, whatever it says: a GET without a token, on a connection of its own, with
 * certificate_ends in the result. DONE, or the error of the way there; of what the login service says only that there
 * is no such tenant.
 */
enum ei_err ei_graph_reach(struct ei_graph *graph, ei_graph_plain_done *done, void *context);
enum ei_err ei_graph_reach_login(struct ei_graph *graph, ei_graph_plain_done *done, void *context);

/* Wall time at which the last certificate of a file of trusted ones ends; 0: it cannot be read. */
int64_t ei_graph_ca_ends(const char *path);

/* value: NULL unless result is DONE. */
typedef void ei_graph_text_done(void *context, const struct ei_graph_result *result, const char *value);
/* allowInvitesFrom of GET /policies/authorizationPolicy (contract 2.7). */
enum ei_err ei_graph_invite_policy(struct ei_graph *graph, ei_graph_text_done *done, void *context);

/* The permissions that the token names, an array of strings that the caller deletes: application permissions, or those
 * of the user who signed in (*ret_delegated). To Graph's clients a token is opaque by Microsoft's word: NULL, where
 * there is none or it cannot be read, says nothing at all. */
struct cJSON *ei_graph_token_permissions(const struct ei_graph *graph, bool *ret_delegated);

/* PATCH accountEnabled=false, DELETE /users/{id} (contract 5). A 404 on delete counts as DONE: it is gone. */
enum ei_err ei_graph_disable_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                  void *context);
enum ei_err ei_graph_delete_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                 void *context);

/* The way back (contract 5): PATCH accountEnabled=true; POST /directory/deletedItems/{id}/restore, within 30 days of
 * the deletion. EI_GRAPH_NOT_FOUND there: it is not among the deleted ones, be it gone for good or restored already.
 * EI_RESTORE_REFUSED: 400 or 409, as when somebody else has its address by now. */
enum ei_err ei_graph_enable_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                 void *context);
enum ei_err ei_graph_restore_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                  void *context);

#endif
