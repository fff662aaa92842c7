/*
 * What one PAM account check costs: pam_start, pam_acct_mgmt, pam_end, which is what each login does.
 *
 *   pam-time CONFDIR LOGIN ROUNDS CALLS SERVICE=CODE...
 *
 * In each round every service is measured once, in turn, by CALLS checks of LOGIN, so that what else the machine does
 * hits all alike. Prints one line a round: the nanoseconds of one check, service by service. A check that does not give
 * CODE is an error: what is measured must be what is meant.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <security/pam_appl.h>

static int say_nothing(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
    (void)messages, (void)data;
    *responses = calloc((size_t)count, sizeof **responses);
    return *responses != NULL ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void check(const char *confdir, const char *service, const char *login, int wanted)
{
    struct pam_conv conv = {say_nothing, NULL};
    pam_handle_t *pamh = NULL;

    int code = pam_start_confdir(service, login, &conv, confdir, &pamh);
    if (code == PAM_SUCCESS) {
        code = pam_acct_mgmt(pamh, 0);
        pam_end(pamh, code);
    }
    if (code != wanted) {
        fprintf(stderr, "pam-time: %s for %s: code %d, not %d\n", service, login, code, wanted);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: pam-time CONFDIR LOGIN ROUNDS CALLS SERVICE=CODE...\n");
        return 2;
    }
    const char *confdir = argv[1], *login = argv[2];
    int rounds = atoi(argv[3]), calls = atoi(argv[4]);

    /* Round 0 only warms the caches. */
    for (int round = 0; round <= rounds; round++) {
        for (int i = 5; i < argc; i++) {
            char service[64];
            const char *equals = strchr(argv[i], '=');
            if (equals == NULL)
                return 2;
            snprintf(service, sizeof service, "%.*s", (int)(equals - argv[i]), argv[i]);
            int64_t start = now_ns();
            for (int call = 0; call < calls; call++)
                check(confdir, service, login, atoi(equals + 1));
            if (round > 0)
                printf("%lld%c", (long long)((now_ns() - start) / calls), i == argc - 1 ? '\n' : ' ');
        }
    }
    return 0;
}
