#include "plugin/worker/guest_set.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/guid.h"

static unsigned digit(char c)
{
    return isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)(tolower((unsigned char)c) - 'a' + 10);
}

static bool read_id(const char *text, unsigned char id[16])
{
    if (text == NULL || !ei_guid_valid(text))
        return false;
    for (size_t i = 0; i < 16; i++) {
        text += *text == '-';
        id[i] = (unsigned char)(digit(text[0]) << 4 | digit(text[1]));
        text += 2;
    }
    return true;
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct ei_guest_mark *)a)->id, ((const struct ei_guest_mark *)b)->id, 16);
}

bool ei_guest_set_add(struct ei_guest_set *set, const char *id, bool pending)
{
    struct ei_guest_mark mark = {.pending = pending};

    if (!read_id(id, mark.id))
        return false;
    void *grown = ei_array_room(set->marks, set->count, &set->room, sizeof *set->marks);
    if (grown == NULL)
        return false;
    set->marks = grown;
    set->marks[set->count++] = mark;
    set->sorted = false;
    return true;
}

/* qsort promises no order of equal ones, so of two that contradict each other neither counts as pending: whoever is
 * waited for is read then. */
static void sort(struct ei_guest_set *set)
{
    size_t kept = 0;

    if (set->count != 0)
        qsort(set->marks, set->count, sizeof *set->marks, by_id);
    for (size_t i = 0; i < set->count; i++) {
        if (kept != 0 && by_id(&set->marks[kept - 1], &set->marks[i]) == 0)
            set->marks[kept - 1].pending = set->marks[kept - 1].pending && set->marks[i].pending;
        else
            set->marks[kept++] = set->marks[i];
    }
    set->count = kept;
    set->sorted = true;
}

const struct ei_guest_mark *ei_guest_set_find(struct ei_guest_set *set, const char *id)
{
    struct ei_guest_mark wanted = {0};

    if (!read_id(id, wanted.id))
        return NULL;
    if (!set->sorted)
        sort(set);
    return set->count != 0 ? bsearch(&wanted, set->marks, set->count, sizeof *set->marks, by_id) : NULL;
}

void ei_guest_set_clear(struct ei_guest_set *set)
{
    free(set->marks);
    *set = (struct ei_guest_set){0};
}
