/* What the published view tells of everybody. */
#include <string.h>

#include "plugin/cli/check.h"

struct walk {
    const struct ei_view *view;
    struct ei_check_view *result;
};

static bool take_login(void *context, const char *login)
{
    struct walk *walk = context;
    struct ei_check_view *result = walk->result;
    struct ei_check_account account;
    bool found = false;

    result->status = ei_view_lookup(walk->view, login, &account.record, &found);
    if (result->status != EI_VIEW_OK)
        return false;
    enum ei_state state = account.record.state;
    if (!found || (unsigned)state >= EI_STATES) /* of a later minor version */
        return true;
    result->counts[state]++;
    if (state == EI_STATE_QUEUED && account.record.changed_at != 0 &&
        (result->oldest_queued == 0 || account.record.changed_at < result->oldest_queued))
        result->oldest_queued = account.record.changed_at;
    if (state == EI_STATE_FAILED && result->failed_count < EI_CHECK_NAMED_MAX) {
        strcpy(account.login, login); /* ei_view_each gives no longer one */
        result->failed[result->failed_count++] = account;
    }
    return true;
}

void ei_check_read_view(const char *path, struct ei_check_view *ret_view)
{
    struct ei_view view;
    struct walk walk = {&view, ret_view};

    memset(ret_view, 0, sizeof *ret_view);
    ret_view->status = ei_view_open(path, &view, &ret_view->header);
    if (ret_view->status != EI_VIEW_OK)
        return;
    enum ei_view_status status = ei_view_each(&view, &ret_view->header, take_login, &walk);
    if (ret_view->status == EI_VIEW_OK)
        ret_view->status = status;
    ei_view_close(&view);
}
