/* What the answer to an invitation repeats, against what was sent: a property in a wrong shape is taken without a word
 * and ignored (contract 8), and only its echo tells. */
#ifndef EI_GRAPH_ECHO_H
#define EI_GRAPH_ECHO_H

#include <cjson/cJSON.h>

enum { EI_ECHO_NOTES_MAX = 2048 };

/* Fills notes with a line for each property of sent (JSON) that answer tells otherwise; a slash at the end of the
 * redirect URL is no difference, nor is a property that answer leaves out. "" for none, or where answer is NULL. */
void ei_echo_compare(const char *sent, const cJSON *answer, char notes[EI_ECHO_NOTES_MAX]);

#endif
