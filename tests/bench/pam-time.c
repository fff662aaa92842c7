/*
 * What one PAM account check costs: pam_start, pam_acct_mgmt, pam_end, which is what each login does.
 *
 *   pam-time CONFDIR LOGIN RUNS SERVICE=CODE...
 *
 * Prints one line a run: the nanoseconds of one check, service by service. Within a run the services are measured in
 * turn, many times, a few checks each, and the median is printed: each measurement is shorter than a time slice, so on
 * a machine that does other things too most of them are not interrupted. A check that does not give CODE is an error:
 * what is measured must be what is meant.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <security/pam_appl.h>

enum { SERVICES_MAX = 16, ROUNDS = 31, CALLS = 10 };

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

static void split(const char *argument, char service[64], int *code)
{
    const char *equals = strchr(argument, '=');

    if (equals == NULL) {
        fprintf(stderr, "pam-time: %s: not SERVICE=CODE\n", argument);
        exit(2);
    }
    snprintf(service, 64, "%.*s", (int)(equals - argument), argument);
    *code = atoi(equals + 1);
}

static int by_size(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

int main(int argc, char **argv)
{
    static int64_t took[SERVICES_MAX][ROUNDS];
    int services = argc - 4;

    if (services < 1 || services > SERVICES_MAX) {
        fprintf(stderr, "usage: pam-time CONFDIR LOGIN RUNS SERVICE=CODE...\n");
        return 2;
    }
    /* Run 0 only warms the caches. */
    for (int run = 0; run <= atoi(argv[3]); run++) {
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < services; i++) {
                char service[64];
                int code;
                split(argv[4 + i], service, &code);
                int64_t start = now_ns();
                for (int call = 0; call < CALLS; call++)
                    check(argv[1], service, argv[2], code);
                took[i][round] = (now_ns() - start) / CALLS;
            }
        }
        for (int i = 0; i < services; i++) {
            qsort(took[i], ROUNDS, sizeof took[i][0], by_size);
            if (run > 0)
                printf("%lld%c", (long long)took[i][ROUNDS / 2], i == services - 1 ? '\n' : ' ');
        }
    }
    return 0;
}
