/* What is recorded of an invitation that was answered, and how it is shown: the properties as they were sent, the
 * status as it was answered, and what Microsoft does not do although it says nothing (contract 2.2, 2.3). */
#ifndef EI_WORKER_INVITATION_H
#define EI_WORKER_INVITATION_H

#include <cjson/cJSON.h>

#include "common/config/config.h"
#include "common/graph/graph.h"
#include "common/store/store.h"

/* Takes down what was sent and answered with 201. false when out of memory. */
bool ei_invitation_record(struct ei_collaborator *collaborator, const struct ei_graph_invitation *invitation);

/* `invitation` of show --json: an object, or null where nothing was answered yet. */
cJSON *ei_invitation_json(const struct ei_collaborator *collaborator);

/* `warnings` of show --json: an array of text. */
cJSON *ei_invitation_warnings(const struct ei_config *config, const struct ei_collaborator *collaborator);

#endif
