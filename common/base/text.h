/* Text that may be missing. */
#ifndef EI_BASE_TEXT_H
#define EI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The same bytes, or both NULL: what is not there is the same as nothing that is. */
static inline bool ei_text_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

#endif
