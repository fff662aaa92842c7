/* The guests that a list of the tenant showed, as small as it can be: there may be a hundred thousand. */
#ifndef EI_WORKER_GUEST_SET_H
#define EI_WORKER_GUEST_SET_H

#include <stdbool.h>
#include <stddef.h>

struct ei_guest_mark {
    unsigned char id[16];
    bool pending;
};

/* Begins as {0}. */
struct ei_guest_set {
    struct ei_guest_mark *marks;
    size_t count;
    size_t room;
    bool sorted;
};

/* id: text of an object id. One that comes twice is pending if it was both times. false when out of memory, or it is no
 * id. */
bool ei_guest_set_add(struct ei_guest_set *set, const char *id, bool pending);
/* NULL: it is not among them. Good until the next call of this set. */
const struct ei_guest_mark *ei_guest_set_find(struct ei_guest_set *set, const char *id);
void ei_guest_set_clear(struct ei_guest_set *set);

#endif
