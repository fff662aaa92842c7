#include <errno.h>
#include <time.h>

#include "common/view/view.h"
#include "plugin/nss/module.h"

/* NULL: people in this state are in neither group. */
static const char *group_of(enum ei_state state)
{
    switch (state) {
    case EI_STATE_ACCEPTED:
        return "entra-invite-accepted";
    case EI_STATE_WAITING:
    case EI_STATE_HELD:
    case EI_STATE_QUEUED:
    case EI_STATE_PENDING:
        return "entra-invite-pending";
    case EI_STATE_FAILED:
    case EI_STATE_REMOVED:
    case EI_STATE_EXPIRED:
        break;
    }
    return NULL;
}

/* The view is closed before anything else is opened: no more than one descriptor at a time. A view that is missing,
 * unsafe or damaged says nothing about anybody. */
static enum ei_nss_answer read_view(const char *path, const char *login, struct ei_view_record *record)
{
    struct ei_view view;
    struct ei_view_header header;
    bool found = false;
    enum ei_view_status status = ei_view_open(path, &view, &header);

    if (status == EI_VIEW_OK) {
        status = ei_view_lookup(&view, login, record, &found);
        ei_view_close(&view);
    }
    if (status == EI_VIEW_OS_ERROR)
        return EI_NSS_ERROR;
    bool stale = header.not_after != 0 && (int64_t)time(NULL) >= header.not_after;
    return status == EI_VIEW_OK && found && !stale && record->uid >= header.minimum_uid ? EI_NSS_GROUP : EI_NSS_NONE;
}

/* An account of this name that has another uid is somebody else's (S32). One that is not in the local file comes from a
 * directory, whose uid cannot be asked for from here. */
static enum ei_nss_answer same_account(const char *passwd, const char *login, uint32_t uid)
{
    id_t number;

    switch (ei_nss_number(passwd, login, &number)) {
    case EI_NSS_FOUND:
        return number == uid ? EI_NSS_GROUP : EI_NSS_NONE;
    case EI_NSS_ABSENT:
        return EI_NSS_GROUP;
    case EI_NSS_FAILED:
        break;
    }
    return EI_NSS_ERROR;
}

/* S21: ids that are somebody else's whatever the local file says: root's (S19), those that systemd lends to services
 * with DynamicUser=, nobody's, and the one that is -1 in sixteen bits. That of 32 bits is no number to ei_nss_number().
 */
static bool never_given_out(id_t number)
{
    return number == 0 || (number >= 61184 && number <= 65519) || number == 65534 || number == 65535;
}

/* S17: a gid that the local file gives to another name as well would make members of that group. */
static enum ei_nss_answer own_gid(const char *path, const char *name, gid_t *ret_gid)
{
    id_t number;
    enum ei_nss_found found = ei_nss_number(path, name, &number);

    if (found == EI_NSS_FAILED)
        return EI_NSS_ERROR;
    if (found == EI_NSS_ABSENT || never_given_out(number))
        return EI_NSS_NONE;
    found = ei_nss_other_name(path, name, number);
    *ret_gid = (gid_t)number;
    return found == EI_NSS_FAILED ? EI_NSS_ERROR : found == EI_NSS_ABSENT ? EI_NSS_GROUP : EI_NSS_NONE;
}

enum ei_nss_answer ei_nss_standing(const struct ei_nss_paths *paths, const char *login, gid_t *ret_gid)
{
    struct ei_view_record record;
    enum ei_nss_answer answer = read_view(paths->view, login, &record);
    const char *group = answer == EI_NSS_GROUP ? group_of(record.state) : NULL;

    if (answer == EI_NSS_GROUP && group == NULL)
        answer = EI_NSS_NONE;
    if (answer == EI_NSS_GROUP)
        answer = same_account(paths->passwd, login, record.uid);
    if (answer == EI_NSS_GROUP)
        answer = own_gid(paths->group, group, ret_gid);
    return answer;
}
