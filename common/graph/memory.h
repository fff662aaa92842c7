/* libcurl's and libcrypto's memory: they keep copies of headers, bodies and keys in what they free (K4), so freeing
 * erases. */
#ifndef EI_GRAPH_MEMORY_H
#define EI_GRAPH_MEMORY_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "common/base/error.h"

/* curl_global_init with these functions, process-wide; counted, so each call wants one curl_global_cleanup. The first
 * initialisation of the process decides: if something else has initialised libcurl before, its functions stay. */
bool ei_graph_memory_init(void);

/* The same for libcrypto: to be called before anything in the process uses it, then its memory is erased, and it does
 * not crash where there is none. EI_NOMEM: there is none, and libcrypto must not be used. Later calls change nothing.
 */
enum ei_err ei_crypto_memory_init(struct ei_error *err);

/* cJSON_Delete, every string in it erased first. NULL is fine. */
void ei_graph_json_free(cJSON *value);

#endif
