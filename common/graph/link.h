/* Where a request may go: the configured roots only, for every request carries a token. */
#ifndef EI_GRAPH_LINK_H
#define EI_GRAPH_LINK_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "common/base/error.h"

enum { EI_LINK_MAX = 16 * 1024, EI_LINK_IDENTITY_MAX = 400 };

/* true if link is on root: https, the same host and port, no user name, printable ASCII, at most EI_LINK_MAX bytes. */
bool ei_link_on_root(const char *link, const char *root);

/* The link of that name, NULL where there is none (or null). false: what stands there is no text, so whether the
 * collection ends here cannot be told. The page keeps ownership. */
bool ei_link_read(const cJSON *page, const char *name, const char **ret_link);

/* Whether a chain of links leads in a circle, however long it is, with one of them kept: the first, second, fourth,
 * eighth … (Brent). Begins as {0}. */
struct ei_circle {
    char *mark;
    unsigned long steps;
    unsigned long limit;
};
/* true: link was in the chain before. It may be noticed some turns late, but always is. */
bool ei_circle_closed(struct ei_circle *circle, const char *link);
void ei_circle_clear(struct ei_circle *circle);

/* Checks a configured root: https://host[:port] and nothing behind it. EI_CONFIG names the key and the reason. */
enum ei_err ei_link_check_root(const char *key, const char *root, struct ei_error *err);

/* Checks where a managed identity service is said to be: https, or http on this machine or link-local (contract 1.6),
 * no user name, nothing behind the path. EI_CONFIG begins with what. */
enum ei_err ei_link_check_identity(const char *what, const char *url, struct ei_error *err);

#endif
