/* Where a request may go: the configured roots only, for every request carries a token. */
#ifndef EI_GRAPH_LINK_H
#define EI_GRAPH_LINK_H

#include <stdbool.h>

#include "common/base/error.h"

enum { EI_LINK_MAX = 16 * 1024 };

/* true if link is on root: https, the same host and port, no user name, printable ASCII, at most EI_LINK_MAX bytes. */
bool ei_link_on_root(const char *link, const char *root);

/* Checks a configured root: https://host[:port] and nothing behind it. EI_CONFIG names the key and the reason. */
enum ei_err ei_link_check_root(const char *key, const char *root, struct ei_error *err);

#endif
