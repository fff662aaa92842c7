/* One user object of Graph (contract 4.1), and the requests that name one. */
#ifndef EI_GRAPH_USER_H
#define EI_GRAPH_USER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/graph/graph.h"
#include "common/graph/request.h"

/* $select with the members of struct ei_graph_user, but for the lists of addresses. */
#define EI_USER_SELECT                                                                                                 \
    "$select=id,userPrincipalName,displayName,mail,userType,creationType,externalUserState,"                           \
    "externalUserStateChangeDateTime,accountEnabled"
/* And their addresses. */
#define EI_USER_SELECT_ADDRESSES EI_USER_SELECT ",otherMails,proxyAddresses"

enum { EI_USER_PATH_MAX = 320 };

/* Fills user with pointers into json, which stays the owner. false if it is no user object: not an object, or its id
 * is no object id. */
bool ei_user_read(const cJSON *json, struct ei_graph_user *user);

/* ei_request_start with the target prefix + id + suffix. Where id is no object id nothing is sent, since it would name
 * another resource (S41), and refused is called with EI_USAGE in place of done. */
enum ei_err ei_user_request(struct ei_graph *graph, const struct ei_request_spec *spec, const char *prefix,
                            const char *id, const char *suffix, ei_request_done *done, ei_request_done *refused,
                            void *context);

#endif
