/*
 * What useradd and userdel run after their work (shadow-maint hooks): tells the worker to look at the account, and the
 * admin what became of it.
 *
 * It runs as root with the caller's whole environment, which may hold anything; so the environment goes first, and of
 * it only ACTION and SUBJECT (set by useradd) and SUDO_UID are looked at (P13, S38). It exits with 0 whatever happens:
 * another code makes useradd fail although the account is there (host-facts B3). No account depends on it: the worker
 * finds what it has missed.
 */
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/paths.h"
#include "common/base/secret.h"
#include "common/base/utf8.h"
#include "common/ipc/client.h"
#include "common/ipc/varlink.h"

enum {
    ANNOUNCE_MS = 1000, /* connecting included */
    WAIT_MAX_S = 60,    /* the most that hook_wait can be */
    FIRST_USER = 1000,
    NAME_MAX_BYTES = 256,
};

struct job {
    char action[16];
    char subject[NAME_MAX_BYTES + 1];
    char sudo_uid[16];
    bool system; /* an account of the system, made by a package as a rule: nobody waits for word of it */
};

/* One line of text for the admin: what comes from accounts or from Graph cannot move the cursor (S16). */
static void say(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(FILE *to, const char *format, ...)
{
    char line[2048];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length < 0)
        return;
    ei_utf8_one_line(line);
    fprintf(to, "entra-invite: %s\n", line);
}

/* A name service that hangs must not hold useradd up. */
static void on_alarm(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

static bool take_variable(const char *name, char *out, size_t size)
{
    const char *value = getenv(name);

    if (value == NULL || strlen(value) >= size)
        return false;
    memcpy(out, value, strlen(value) + 1);
    return true;
}

/* useradd's own names are narrower; these are the characters that end a field or a line somewhere. */
static bool plausible_name(const char *name)
{
    return *name != '\0' && strpbrk(name, ":\n") == NULL && ei_utf8_printable(name);
}

static void guard_process(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const struct sigaction alarmed = {.sa_handler = on_alarm};

    clearenv();
    ei_secret_harden_process(); /* the worker's answer holds the redeem URL */
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGALRM, &alarmed, NULL);
    /* A closed stdout would otherwise become the socket, and our line part of the protocol. */
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            /* cppcheck-suppress leakReturnValNotUsed ; it is to stay open */
            (void)!open("/dev/null", O_RDWR);
    close_range(3, ~0U, 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(ANNOUNCE_MS / 1000 + 2);
}

static const char *text_or(const cJSON *object, const char *name, const char *fallback)
{
    const char *text = ei_json_string(object, name);
    return text != NULL ? text : fallback;
}

static void say_failed(const char *login, const char *email, const cJSON *error)
{
    say(stdout, "%s%s is not invited: %s; %s", login, email, text_or(error, "message", "see entra-invite show"),
        text_or(error, "mend", ""));
}

static void say_queued(const char *login, const char *email, const cJSON *error)
{
    if (error != NULL)
        say(stdout, "%s%s is queued: %s", login, email, text_or(error, "message", ""));
    else
        say(stdout, "%s%s is queued; 'entra-invite status %s' tells when it is invited", login, email, login);
}

static void say_outcome(const char *login, const cJSON *account)
{
    const char *state = text_or(account, "state", "");
    const char *address = ei_json_string(account, "email");
    const cJSON *error = ei_json_object(account, "error");
    char email[400] = "";

    if (address != NULL)
        snprintf(email, sizeof email, " <%s>", address);
    if (strcmp(state, "pending") == 0)
        say(stdout, "%s%s is invited; 'entra-invite show %s' has the redeem URL", login, email, login);
    else if (strcmp(state, "accepted") == 0)
        say(stdout, "%s%s is a guest already", login, email);
    else if (strcmp(state, "waiting") == 0)
        say(stdout, "%s has no address yet; it is invited once its comment holds one: Name <name@company.example>",
            login);
    else if (strcmp(state, "held") == 0)
        say(stdout, "%s%s is held; 'entra-invite adopt %s' lets it go on", login, email, login);
    else if (strcmp(state, "removed") == 0)
        say(stdout, "%s%s was removed; 'entra-invite invite %s' invites it again", login, email, login);
    else if (strcmp(state, "failed") == 0)
        say_failed(login, email, error);
    else
        say_queued(login, email, error);
}

static cJSON *wait_for_account(const char *login, int64_t until_ms)
{
    int64_t left = until_ms - ei_monotonic_ms();
    cJSON *parameters = cJSON_CreateObject();
    cJSON *reply = NULL;

    /* The answer shall arrive before this end gives up, so that a timeout tells the state. */
    if (left > 100 && cJSON_AddStringToObject(parameters, "target", login) != NULL &&
        cJSON_AddNumberToObject(parameters, "timeout", (double)(left - 100)) != NULL)
        (void)ei_client_call(EI_SOCKET_PATH, "Wait", parameters, (int)left, &reply, NULL);
    cJSON_Delete(parameters);
    return reply;
}

static void report(const char *login, const cJSON *reply, int64_t started_ms)
{
    const cJSON *account = ei_json_object(reply, "account");
    int64_t wait = 0;
    cJSON *waited = NULL;

    if (!ei_json_bool(reply, "covered", false) || account == NULL)
        return;
    if (ei_json_int(reply, "wait", &wait) && wait > 0) {
        wait = wait < WAIT_MAX_S ? wait : WAIT_MAX_S;
        alarm((unsigned)wait + 1);
        waited = wait_for_account(login, started_ms + wait * 1000);
        if (ei_json_object(waited, "account") != NULL)
            account = ei_json_object(waited, "account");
    }
    say_outcome(login, account);
    ei_varlink_free(waited);
}

static void announce(const struct job *job)
{
    char by[EI_REQUESTER_SIZE];
    char requester[EI_REQUESTER_SIZE];
    const char *sudo_uid = job->sudo_uid[0] != '\0' ? job->sudo_uid : NULL;
    struct ei_error err;
    cJSON *reply = NULL;
    cJSON *parameters = cJSON_CreateObject();
    int64_t started_ms = ei_monotonic_ms();
    bool added = strcmp(job->action, "useradd") == 0;

    ei_error_clear(&err);
    ei_client_requester(sudo_uid, by);
    ei_client_requester_login(sudo_uid, requester);
    if (parameters == NULL || !ei_json_add_text(parameters, "login", job->subject) ||
        !ei_json_add_text(parameters, "source", job->action) || !ei_json_add_text(parameters, "requestedBy", by) ||
        (requester[0] != '\0' && !ei_json_add_text(parameters, "requester", requester)))
        goto out;
    if (ei_client_call(EI_SOCKET_PATH, "Announce", parameters, ANNOUNCE_MS, &reply, &err) == EI_OK) {
        if (added)
            report(job->subject, reply, started_ms);
    } else if (job->system) {
        goto out;
    } else if (err.code == EI_WORKER_DOWN && access(EI_GROUPS_PATH, F_OK) < 0) {
        goto out; /* it never ran: installed, but not set up */
    } else if (err.code == EI_WORKER_DOWN) {
        say(stderr, "entra-invited is not running; it looks at %s when it starts", job->subject);
    } else {
        say(stderr, "%s: %s; entra-invited finds out by itself", job->subject, err.message);
    }
out:
    ei_varlink_free(reply);
    cJSON_Delete(parameters);
}

/* With useradd --prefix the hooks of this host run for an account of another tree (host-facts 1). */
static bool concerns_this_host(struct job *job)
{
    const struct passwd *account = getpwnam(job->subject);

    job->system = account != NULL && account->pw_uid < FIRST_USER;
    if (strcmp(job->action, "useradd") == 0)
        return account != NULL && account->pw_uid != 0;
    return strcmp(job->action, "userdel") == 0 && account == NULL;
}

static int answer_options(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};

    opterr = 0; /* its own message has the argument as it is (S16) */
    switch (getopt_long(argc, argv, "hV", options, NULL)) {
    case 'h':
        printf("usage: ACTION=useradd|userdel SUBJECT=LOGIN entra-invite-hook\n\n"
               "Run by useradd and userdel through /etc/shadow-maint; see entra-invite-hook(8).\n");
        return 0;
    case 'V':
        printf("entra-invite-hook %s\n", EI_VERSION);
        return 0;
    default:
        fprintf(stderr, "entra-invite-hook: takes no arguments; see --help\n");
        return 2;
    }
}

int main(int argc, char **argv)
{
    struct job job = {0};

    if (argc > 1)
        return answer_options(argc, argv);
    bool complete = take_variable("ACTION", job.action, sizeof job.action) &&
                    take_variable("SUBJECT", job.subject, sizeof job.subject);
    if (!take_variable("SUDO_UID", job.sudo_uid, sizeof job.sudo_uid))
        job.sudo_uid[0] = '\0';
    guard_process();
    if (complete && plausible_name(job.subject) && concerns_this_host(&job))
        announce(&job);
    return 0;
}
