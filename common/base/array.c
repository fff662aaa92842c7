#include "common/base/array.h"

#include <stdlib.h>

void *ei_array_room(void *array, size_t count, size_t *room, size_t size)
{
    enum { FIRST = 64 };

    if (count < *room)
        return array;
    size_t more = *room != 0 ? *room * 2 : FIRST;
    void *grown = reallocarray(array, more, size);
    if (grown != NULL)
        *room = more;
    return grown;
}
