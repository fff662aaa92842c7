/* A growable run of bytes with a hard limit: everything that is read from outside goes into one. */
#ifndef EI_BASE_BUFFER_H
#define EI_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* data is NUL-terminated behind length (when not NULL), for the parsers that need it; the NUL does not count. The
 * owner frees it with ei_buffer_free. */
struct ei_buffer {
    char *data;
    size_t length;
    size_t capacity;
    size_t limit; /* bytes; an append beyond it fails and leaves the buffer as it was */
    bool starved; /* an append failed for want of memory, and not of the limit */
};

void ei_buffer_init(struct ei_buffer *buffer, size_t limit);
bool ei_buffer_append(struct ei_buffer *buffer, const void *data, size_t length);
bool ei_buffer_append_text(struct ei_buffer *buffer, const char *text);

/* Drops the first count bytes. */
void ei_buffer_consume(struct ei_buffer *buffer, size_t count);

/* Erases the content before it frees it: buffers carry tokens and redeem URLs (K4). */
void ei_buffer_free(struct ei_buffer *buffer);

#endif
