#include "common/graph/multi.h"

#include <string.h>
#include <sys/select.h>

enum {
    WAITS_MAX = 256,
    CROWDED_MS = 20, /* when not all could be waited for */
};

bool ei_multi_open(struct ei_multi *multi)
{
    multi->together = curl_multi_init();
    multi->apart = curl_multi_init();
    return multi->together != NULL && multi->apart != NULL;
}

void ei_multi_close(struct ei_multi *multi)
{
    curl_multi_cleanup(multi->together);
    curl_multi_cleanup(multi->apart);
    *multi = (struct ei_multi){0};
}

bool ei_multi_renew(struct ei_multi *multi)
{
    CURLM *fresh = curl_multi_init();

    if (fresh == NULL)
        return false;
    curl_multi_cleanup(multi->together);
    multi->together = fresh;
    return true;
}

bool ei_multi_add(struct ei_multi *multi, CURL *easy, bool apart)
{
    return curl_multi_add_handle(apart ? multi->apart : multi->together, easy) == CURLM_OK;
}

void ei_multi_remove(struct ei_multi *multi, CURL *easy, bool apart)
{
    (void)curl_multi_remove_handle(apart ? multi->apart : multi->together, easy);
}

void ei_multi_perform(struct ei_multi *multi)
{
    int running;

    (void)curl_multi_perform(multi->together, &running);
    (void)curl_multi_perform(multi->apart, &running);
}

CURLMsg *ei_multi_ended(struct ei_multi *multi)
{
    int left;
    CURLMsg *message = curl_multi_info_read(multi->together, &left);

    return message != NULL ? message : curl_multi_info_read(multi->apart, &left);
}

/* What the second handle waits for, behind the caller's. Returns how many there are now; *ret_all: none was left out.
 */
static unsigned add_apart(CURLM *apart, struct curl_waitfd *waits, unsigned count, bool *ret_all)
{
    fd_set readable, writable, exceptional;
    int highest = -1;

    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_ZERO(&exceptional);
    *ret_all = curl_multi_fdset(apart, &readable, &writable, &exceptional, &highest) == CURLM_OK;
    for (int fd = 0; fd <= highest; fd++) {
        short events = (short)((FD_ISSET(fd, &readable) ? CURL_WAIT_POLLIN : 0) |
                               (FD_ISSET(fd, &writable) ? CURL_WAIT_POLLOUT : 0));
        if (events == 0)
            continue;
        if (count == WAITS_MAX)
            *ret_all = false;
        else
            waits[count++] = (struct curl_waitfd){.fd = fd, .events = events};
    }
    return count;
}

CURLMcode ei_multi_wait(struct ei_multi *multi, const struct curl_waitfd *extra, unsigned count, int timeout_ms)
{
    struct curl_waitfd waits[WAITS_MAX];
    bool all = false;
    long due_ms = -1;
    int ready;

    if (count > WAITS_MAX)
        return CURLM_BAD_FUNCTION_ARGUMENT;
    if (count != 0)
        memcpy(waits, extra, count * sizeof *waits);
    unsigned together = add_apart(multi->apart, waits, count, &all);
    if (!all && timeout_ms > CROWDED_MS)
        timeout_ms = CROWDED_MS;
    if (curl_multi_timeout(multi->apart, &due_ms) == CURLM_OK && due_ms >= 0 && due_ms < timeout_ms)
        timeout_ms = (int)due_ms;
    return curl_multi_poll(multi->together, waits, together, timeout_ms, &ready);
}
