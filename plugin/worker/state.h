/* What people see of a collaborator, derived from what is stored; one place, for the view, the socket and STATUS. */
#ifndef EI_WORKER_STATE_H
#define EI_WORKER_STATE_H

#include "common/store/store.h"
#include "common/view/view.h"

/* account NULL: of the collaborator itself (an invitation without an account). */
enum ei_state ei_state_of(const struct ei_collaborator *collaborator, const struct ei_account *account);

/* The same by the work alone, whatever an account or an error says: since when it is so is state_at. */
enum ei_state ei_state_of_work(const struct ei_collaborator *collaborator);

/* The account of this host that a message is about: the named login's, else the first of the host, else the first;
 * NULL if there is none. login may be NULL. */
const struct ei_account *ei_state_account(const struct ei_collaborator *collaborator, const char *host,
                                          const char *login);

#endif
