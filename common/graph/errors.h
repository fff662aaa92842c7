/*
 * What a complete answer outside 2xx means: Graph's error object (contract 6), the invitation service's (2.7) and the
 * login service's (1.7). Pure: no transfer, no token.
 */
#ifndef EI_GRAPH_ERRORS_H
#define EI_GRAPH_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/graph/catalogue.h"
#include "common/graph/graph.h"

struct ei_answer {
    long status;
    const char *body; /* length bytes, may be NULL when length is 0 */
    size_t length;
    const char *request_id; /* of the header, NULL or "" if none came; it beats the body's */
    const char *location;   /* where a 3xx points, NULL if unknown */
    const char *challenge;  /* of the WWW-Authenticate header, NULL or "" if none came */
};

/* Fills outcome, error and user_id; leaves the rest, and client_request_id "". Branches on status and code, on the
 * message only for invitations (contract 6: nothing else tells those cases apart). The message has the cause, if the
 * catalogue knows it, and Microsoft's own text. */
void ei_graph_error_read(const struct ei_answer *answer, enum ei_about about, struct ei_graph_result *result);

/* The same for the token endpoint and the OpenID metadata. A known AADSTS number chooses the mend, else `error` does,
 * as any OAuth server sends it; EI_GRAPH_ANSWER for a 4xx without one. About a sign-in, the words that only it has come
 * first (contract 1.4). */
void ei_login_error_read(const struct ei_answer *answer, enum ei_about about, struct ei_graph_result *result);

/* The same for the managed identity service (contract 1.6): EI_TOKEN_TRANSIENT for what passes, else
 * EI_IDENTITY_REFUSED. */
void ei_identity_error_read(const struct ei_answer *answer, struct ei_graph_result *result);

/* A read whose query this tenant does not take: 400, or 501, Graph's other word for a property that no collection can
 * be filtered by (contract 6). It had no effect; a plainer query may do. */
bool ei_graph_query_refused(const struct ei_graph_result *result);

/* One line of well-formed UTF-8 from untrusted text, cut at a character to fit size: runs of blanks and control
 * characters become one blank, broken bytes a question mark. */
void ei_graph_text(char *out, size_t size, const char *in);

/* Copies a request id if it looks like one (letters, digits and '-'), else leaves "". */
void ei_graph_request_id(char out[EI_REQUEST_ID_MAX], const char *in);

/* Fills err for a 3xx: redirects are never followed. Names the host it points to only: a query may hold secrets. */
void ei_graph_redirected(const struct ei_answer *answer, struct ei_error *err);

#endif
