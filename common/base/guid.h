/* Random identifiers: aggregate ids and client-request-id (X7), as RFC 4122 version 4 text. */
#ifndef EI_BASE_GUID_H
#define EI_BASE_GUID_H

#include <stdbool.h>
#include <stdint.h>

enum { EI_GUID_TEXT = 37 }; /* 36 characters and the NUL */

void ei_guid_new(char out[EI_GUID_TEXT]);

/* 8-4-4-4-12 hexadecimal digits, any case. */
bool ei_guid_valid(const char *text);

/* A random number in [0, bound), for jitter. bound 0 gives 0. */
uint32_t ei_random_below(uint32_t bound);

#endif
