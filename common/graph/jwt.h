/* Reading a JWT (RFC 7519) without judging it: its signature is not looked at. So what it says counts only where the
 * way it came vouches for it, or where nothing is decided by it (S23). */
#ifndef EI_GRAPH_JWT_H
#define EI_GRAPH_JWT_H

#include <cjson/cJSON.h>

/* The claims, an object, to be freed with ei_graph_json_free; NULL if the text is no JWT. */
cJSON *ei_jwt_claims(const char *jwt);

#endif
