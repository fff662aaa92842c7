/*
 * Waits until the worker is so far, and prints when that was: microseconds since 1970.
 *
 *   wait-for answer                        it answers on its socket
 *   wait-for view PREFIX FIRST LAST STATE  the published view has PREFIXfirst … PREFIXlast in this state
 *
 * Gives up after ten minutes. The look takes microseconds and is repeated every millisecond or two, so what is waited
 * for is hardly disturbed: of many accounts, only the first that is not so far is looked up again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/paths.h"
#include "common/ipc/client.h"
#include "common/ipc/varlink.h"
#include "common/view/view.h"

enum { LIMIT_MS = 10 * 60 * 1000, PAUSE_NS = 1000 * 1000, ANSWER_MS = 60 * 1000 };

static bool answers(void)
{
    cJSON *reply = NULL;
    bool answered = ei_client_call(EI_SOCKET_PATH, "Status", NULL, ANSWER_MS, &reply, NULL) == EI_OK;

    ei_varlink_free(reply);
    return answered;
}

/* Moves *next on; true once it is past last. */
static bool all_in_state(const char *prefix, unsigned *next, unsigned last, enum ei_state state)
{
    struct ei_view view;
    struct ei_view_header header;

    if (ei_view_open(EI_VIEW_PATH, &view, &header) != EI_VIEW_OK)
        return false;
    for (; *next <= last; (*next)++) {
        struct ei_view_record record;
        char login[64];
        bool found = false;
        snprintf(login, sizeof login, "%s%u", prefix, *next);
        if (ei_view_lookup(&view, login, &record, &found) != EI_VIEW_OK || !found || record.state != state)
            break;
    }
    ei_view_close(&view);
    return *next > last;
}

int main(int argc, char **argv)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    int64_t until = ei_monotonic_ms() + LIMIT_MS;
    enum ei_state state = EI_STATE_PENDING;
    struct timespec now;
    bool view = argc == 6 && strcmp(argv[1], "view") == 0;

    if (!view && (argc != 2 || strcmp(argv[1], "answer") != 0)) {
        fprintf(stderr, "usage: wait-for answer | wait-for view PREFIX FIRST LAST STATE\n");
        return 2;
    }
    if (view && !ei_state_from_name(argv[5], &state)) {
        fprintf(stderr, "wait-for: %s: no such state\n", argv[5]);
        return 2;
    }
    unsigned next = view ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    unsigned last = view ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
    while (!(view ? all_in_state(argv[2], &next, last, state) : answers())) {
        if (ei_monotonic_ms() >= until) {
            fprintf(stderr, "wait-for: %s: not within ten minutes\n", argv[1]);
            return 1;
        }
        nanosleep(&pause, NULL);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    printf("%" PRId64 "\n", (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    return 0;
}
