/*
 * cJSON with the edges taken off (host-facts 7): names are case-sensitive, trailing bytes are an error, ids stay
 * strings, and a value of another type counts as absent.
 */
#ifndef EI_BASE_JSON_H
#define EI_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

/* Parses exactly length bytes: one value, nothing behind it but white space, no NUL inside, at most 64 levels deep
 * and half a million values. NULL if it is not that. The caller frees with cJSON_Delete. */
cJSON *ei_json_parse(const char *text, size_t length);

/* NULL where the member is absent, null or of another type. The object keeps ownership. */
const char *ei_json_string(const cJSON *object, const char *name);
const cJSON *ei_json_object(const cJSON *object, const char *name);
const cJSON *ei_json_array(const cJSON *object, const char *name);

bool ei_json_bool(const cJSON *object, const char *name, bool fallback);

/* A whole number, sent as a JSON number or as a string of digits (contract 1.6: managed identity sends strings). */
bool ei_json_int(const cJSON *object, const char *name, int64_t *ret_value);

/* true if the member is there at all, null included (contract 4.1: null and absent differ). */
bool ei_json_has(const cJSON *object, const char *name);

/* Adds name: value, or name: null where value is NULL. false when out of memory. */
bool ei_json_add_text(cJSON *object, const char *name, const char *value);

/* Adds an RFC 3339 time, null for t == 0. */
bool ei_json_add_time(cJSON *object, const char *name, int64_t t);

/* Adds item, which is taken over, whether it can be added or not (NULL: it found no memory). false: it was not. */
bool ei_json_add_item(cJSON *object, const char *name, cJSON *item);
bool ei_json_push(cJSON *array, cJSON *item);

/*
 * cJSON leaves out a member for which there is no memory. So that not everybody who puts together an answer of many
 * members has to look at each of them: no text is made of an object while an allocation of cJSON's has failed in this
 * thread since a text was last asked for; it is then as if the text itself had found no memory.
 *
 * This says the same of a text that somebody else makes, and ends it.
 */
bool ei_json_lacked(void);

/* {code, message, mend, requestId, clientRequestId, permanent}, the shape in which every interface tells an error; NULL
 * when out of memory. permanent: nothing happens until somebody acts. */
cJSON *ei_json_error(const struct ei_error *error, bool permanent);

/* Unformatted text on the heap, NULL when out of memory. Erase it with ei_free_erased if it may hold a secret. */
char *ei_json_print(const cJSON *value);

/* Appends the unformatted text. Unlike cJSON's own printing it leaves no copies of a secret in freed memory. false when
 * out of memory or beyond the buffer's limit; the buffer is then as it was. */
bool ei_json_append(struct ei_buffer *out, const cJSON *value);

#endif
