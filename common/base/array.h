/* Arrays that grow. */
#ifndef EI_BASE_ARRAY_H
#define EI_BASE_ARRAY_H

#include <stddef.h>

/* array, which holds count elements of size bytes and has room for *room, with room for one more; *room is then what it
 * has room for. NULL when out of memory: array and *room are as they were. */
void *ei_array_room(void *array, size_t count, size_t *room, size_t size);

#endif
