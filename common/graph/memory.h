/* libcurl's memory: it keeps copies of headers and bodies in what it frees (K4), so freeing erases. */
#ifndef EI_GRAPH_MEMORY_H
#define EI_GRAPH_MEMORY_H

#include <stdbool.h>

#include <cjson/cJSON.h>

/* curl_global_init with these functions, process-wide; counted, so each call wants one curl_global_cleanup. The first
 * initialisation of the process decides: if something else has initialised libcurl before, its functions stay. */
bool ei_graph_memory_init(void);

/* cJSON_Delete, every string in it erased first. NULL is fine. */
void ei_graph_json_free(cJSON *value);

#endif
