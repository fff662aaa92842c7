/*
 * The redeem URL on its way to the partner where we carry it ourselves: by mail through a relay, or to a webhook.
 *
 * The step is MAILING as for Microsoft's mail, and so are its promises: the right to send is spent and the intent
 * written down before (X1, X9), the outcome after; where the answer is lost the mail is `unknown`, and only `resend`
 * or `mail --send` repeats it. What is known not to have been sent waits as PENDING with mail WANTED, so that a
 * redemption is noticed all the same, and is tried again behind a later look, with another right.
 *
 * What is the relay's or the webhook's fault pauses that channel for half a minute, then longer, up to a quarter of an
 * hour; one message at a time then finds out whether it goes again.
 */
#ifndef EI_WORKER_CARRIER_H
#define EI_WORKER_CARRIER_H

#include <cjson/cJSON.h>

#include "common/deliver/deliver.h"
#include "plugin/worker/worker.h"

/* Relay, webhook and templates of a configuration, which must outlive it. Errors name the configuration's file or the
 * template's, and the key. */
enum ei_err ei_carrier_load(const struct ei_config *config, struct ei_carrier **ret_carrier, struct ei_error *err);
void ei_carrier_free(struct ei_carrier *carrier);

/* Is the mail of this collaborator, in MAILING, one of ours? */
bool ei_carrier_takes(const struct ei_collaborator *collaborator);
/* Which channel is to carry the mail, by the settings in force. */
enum ei_err ei_carrier_channel(const struct ei_worker *worker, const struct ei_collaborator *collaborator,
                               enum ei_channel *ret_channel, struct ei_error *err);
/* Which channel carries the mail that is wanted, by the settings in force; written to mail_channel. false: none does
 * now, and mail says whether one will. */
bool ei_carrier_choose(struct ei_worker *worker, struct ei_collaborator *collaborator);
/* Sends what MAILING stands for; the flight is landed by the answer. */
enum ei_err ei_carrier_send(struct ei_worker *worker, const struct ei_collaborator *collaborator,
                            struct ei_flight *flight);

/* Behind a look: a mail that waits is begun again, if its channel is not paused. true: it is, and that is stored. */
bool ei_carrier_again(struct ei_worker *worker, struct ei_collaborator *collaborator);
/* Wall time at which ei_carrier_again is worth asking; INT64_MAX: never. */
int64_t ei_carrier_next(const struct ei_worker *worker, const struct ei_collaborator *collaborator);
/* Is the error about the mail, so that seeing the guest does not end it? */
bool ei_carrier_failure(enum ei_err code);

/* What came of a delivery for the channel: it is paused, or goes again. */
void ei_carrier_note(struct ei_worker *worker, enum ei_channel channel, const struct ei_deliver_result *result);
bool ei_carrier_paused(const struct ei_worker *worker, enum ei_channel channel);

/* The text as it would be sent now. EI_STATE: there is no URL. */
enum ei_err ei_carrier_text(struct ei_worker *worker, const struct ei_collaborator *collaborator,
                            struct ei_template_text *ret_text, struct ei_error *err);

/* `refresh`, SIGHUP: what was paused may go now. */
void ei_carrier_probe_now(struct ei_worker *worker);
/* Adds a line for each channel that is paused. */
void ei_carrier_notes(const struct ei_worker *worker, cJSON *notes);

#endif
