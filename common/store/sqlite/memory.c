/* SQLite erases what it frees: rows that it builds or reads are copies of redeem URLs (K4, K7). */
#include "common/store/sqlite/sqlite_internal.h"

#include <string.h>

static sqlite3_mem_methods usual;

static void free_erased(void *memory)
{
    if (memory != NULL) {
        explicit_bzero(memory, (size_t)usual.xSize(memory));
        usual.xFree(memory);
    }
}

/* The usual one would free the old place by itself, content and all. */
static void *realloc_erased(void *memory, int size)
{
    void *moved = usual.xMalloc(size);

    if (moved != NULL && memory != NULL) {
        int old = usual.xSize(memory);
        memcpy(moved, memory, (size_t)(old < size ? old : size));
        free_erased(memory);
    }
    return moved;
}

void ei_sqlite_memory_init(void)
{
    static bool done;
    sqlite3_mem_methods erasing;

    if (done)
        return;
    done = true;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual) != SQLITE_OK)
        return;
    erasing = usual;
    erasing.xFree = free_erased;
    erasing.xRealloc = realloc_erased;
    /* Small pieces would be taken from a place that a connection keeps and never erases. */
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &erasing) == SQLITE_OK)
        (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
}
