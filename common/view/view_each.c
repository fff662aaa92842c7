#include <string.h>

#include "common/view/view.h"
#include "common/view/view_format.h"

/* Read in pieces, so that a walk over many thousands is a few hundred reads. */
enum { WINDOW = 64 * 1024, HEAD_MAX = EI_VIEW_RECORD_HEAD + EI_VIEW_KEY_MAX };

struct walk {
    const struct ei_view *view;
    uint64_t end; /* of the records: where the first table begins */
    uint64_t position;
    unsigned char bytes[WINDOW];
    uint64_t window_at;
    size_t window_length;
};

static uint64_t end_of_records(const struct ei_view *view)
{
    uint64_t end = view->size;

    for (const unsigned char *at = view->table; at < view->table + sizeof view->table; at += EI_VIEW_SLOT) {
        uint64_t table = ei_view_get(at, 4);
        if (ei_view_get(at + 4, 4) != 0 && table < end)
            end = table;
    }
    return end;
}

/* The record at the position: its head and as much of its key as there is. */
static enum ei_view_status look(struct walk *walk, const unsigned char **ret_bytes)
{
    uint64_t wanted = walk->end - walk->position < HEAD_MAX ? walk->end - walk->position : HEAD_MAX;
    enum ei_view_status status = EI_VIEW_OK;

    if (wanted < EI_VIEW_RECORD_HEAD)
        return EI_VIEW_CORRUPT;
    if (walk->position + wanted > walk->window_at + walk->window_length) {
        uint64_t left = walk->end - walk->position;
        walk->window_at = walk->position;
        walk->window_length = left < WINDOW ? (size_t)left : WINDOW;
        status = ei_view_read_at(walk->view->fd, walk->bytes, walk->window_length, walk->position);
    }
    *ret_bytes = walk->bytes + (walk->position - walk->window_at);
    return status;
}

/* Moves behind the record. login is "" for the header. */
static enum ei_view_status next_login(struct walk *walk, char login[EI_VIEW_LOGIN_MAX + 1])
{
    const unsigned char *bytes;
    unsigned char key[EI_VIEW_KEY_MAX];
    enum ei_view_status status = look(walk, &bytes);

    login[0] = '\0';
    if (status != EI_VIEW_OK)
        return status;
    uint64_t length = ei_view_get(bytes, 4);
    uint64_t data = ei_view_get(bytes + 4, 4);
    if (length + data > walk->end - walk->position - EI_VIEW_RECORD_HEAD)
        return EI_VIEW_CORRUPT;
    bytes += EI_VIEW_RECORD_HEAD;
    walk->position += EI_VIEW_RECORD_HEAD + length + data;
    if (length == 1 && bytes[0] == 'H')
        return EI_VIEW_OK;
    if (length <= 2 + EI_VIEW_SPREAD_SIZE || length > EI_VIEW_KEY_MAX)
        return EI_VIEW_CORRUPT;
    size_t login_length = (size_t)length - 2 - EI_VIEW_SPREAD_SIZE;
    memcpy(login, bytes + 2, login_length);
    login[login_length] = '\0';
    (void)ei_view_key(login, login_length, key);
    if (strlen(login) != login_length || memcmp(key, bytes, (size_t)length) != 0)
        return EI_VIEW_CORRUPT;
    return EI_VIEW_OK;
}

enum ei_view_status ei_view_each(const struct ei_view *view, const struct ei_view_header *header, ei_view_visit *visit,
                                 void *context)
{
    struct walk walk = {.view = view, .end = end_of_records(view), .position = EI_VIEW_TABLE_SIZE};
    char login[EI_VIEW_LOGIN_MAX + 1];
    uint64_t seen = 0;

    if (walk.end < EI_VIEW_TABLE_SIZE)
        return EI_VIEW_CORRUPT;
    while (seen < header->count) {
        enum ei_view_status status = next_login(&walk, login);
        if (status != EI_VIEW_OK)
            return status;
        if (login[0] == '\0')
            continue;
        seen++;
        if (!visit(context, login))
            break;
    }
    return EI_VIEW_OK;
}
