/* The tenant as a whole: what must be known of it before jobs start, and what blocks the worker (design, "Whose
 * fault"). */
#ifndef EI_WORKER_TENANT_H
#define EI_WORKER_TENANT_H

#include "plugin/worker/worker.h"

/* Asks what is not known yet; true when jobs may start as far as the tenant is concerned. */
bool ei_tenant_ready(struct ei_worker *worker);
/* ms until it wants to ask again; INT64_MAX if an answer (or nothing) is awaited. */
int64_t ei_tenant_wait_ms(const struct ei_worker *worker);
bool ei_tenant_owns(const struct ei_worker *worker, const char *address);

/*
 * Every result of Graph passes here: a good answer unblocks, an error of the tenant's blocks (jobs stay queued, one
 * probe every 15 minutes and at SIGHUP or refresh). A 403 on a read or on the removal of a guest does not block:
 * without those permissions invitations go out all the same.
 */
enum ei_call_kind { EI_CALL_READ, EI_CALL_INVITE, EI_CALL_OFFBOARD };
void ei_tenant_note(struct ei_worker *worker, const struct ei_graph_result *result, enum ei_call_kind kind);
/* What a service answers to a read that knows no such thing, or does not give it to this app, or makes no sense: of the
 * tenant as a whole it says nothing. */
bool ei_tenant_is_refusal(const struct ei_graph_result *result);
/* Blocked by a refusal to invite: looks at redemptions go on, or nobody could come in any more. */
bool ei_tenant_writes_blocked(const struct ei_worker *worker);
/* SIGHUP, refresh: probe at once, forget what was refused, ask anew. */
void ei_tenant_probe_now(struct ei_worker *worker);
/* Somebody else may ask now: what stood in the way of the last one is forgotten, and all is asked anew. */
void ei_tenant_signed_in(struct ei_worker *worker);
/* EI_SIGN_IN_TENANT if id is not the tenant's; EI_OK where that is not known, or id is "". */
enum ei_err ei_tenant_check_id(struct ei_worker *worker, const char *id, struct ei_error *err);
void ei_tenant_close(struct ei_worker *worker);

#endif
