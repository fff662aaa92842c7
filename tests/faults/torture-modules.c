/*
 * The PAM and the NSS module under torture (T2, S1, S36): for each condition of the view and each account, each
 * fallible call that a judgement makes fails once, and from then on. Run by test-torture-modules.sh, in a lab:
 *
 *   torture-trace env LD_PRELOAD=torture-shim.so torture-modules PAM-MODULE NSS-MODULE [STRIDE [SEED]]
 *
 * STRIDE: about one fault of so many is tried (1: each), SEED says which. TORTURE_ONE="CASE" repeats one: what a line
 * of the output has behind `case:`.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <nss.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <security/pam_appl.h>
#include <security/pam_modules.h>

#include "common/base/paths.h"
#include "tests/faults/torture.h"
#include "tests/host/pam-matrix/matrix.h"

enum way { MEMORY, SYSTEM, WAYS };

/* nth 0: none. */
struct fault {
    enum way way;
    long nth;
    bool then_on;
    unsigned error;
};

/* What a program must not lose by a call into a module. */
struct belongings {
    int descriptors;
    long memory;
    sigset_t mask;
};

/* Whose login it is, and how things stand. */
struct target {
    const char *module;
    const struct account *account;
    const struct condition *condition;
    bool from_file; /* who is covered, where the view does not say it */
    char name[160];
};

typedef int entry_point(pam_handle_t *, int, int, const char **);
typedef enum nss_status initgroups(const char *, gid_t, long int *, long int *, gid_t **, long int, int *);

static entry_point *judge;
static initgroups *look_up;
static unsigned stride = 1, seed;
static const char *only;
static long runs, calls_seen, findings;

/* --- the fault --- */

static void begin(const struct fault *fault)
{
    if (fault->way == MEMORY)
        torture_memory_begin(fault->nth, fault->then_on);
    else
        syscall(TORTURE_CALL, TORTURE_BEGIN, fault->nth, fault->then_on, fault->error);
}

static long end(const struct fault *fault)
{
    return fault->way == MEMORY ? torture_memory_end() : syscall(TORTURE_CALL, TORTURE_END);
}

static struct belongings belongings(void)
{
    struct belongings found = {.memory = torture_memory_live()};

    found.descriptors = fcntl(0, F_DUPFD_CLOEXEC, 0); /* the lowest that is free */
    close(found.descriptors);
    sigprocmask(SIG_BLOCK, NULL, &found.mask);
    return found;
}

/* The name by which a fault is repeated. */
static void name_of(const struct target *target, const struct fault *fault, char name[200])
{
    snprintf(name, 200, "%s/%s-%ld%s-%u", target->name, fault->way == MEMORY ? "memory" : "call", fault->nth,
             fault->then_on ? "-on" : "", fault->error);
}

static void find(const char *what, const struct target *target, const struct fault *fault, long wanted, long got)
{
    char name[200];

    name_of(target, fault, name);
    findings++;
    printf("# %s: without the fault %ld, with it %ld; case: %s\n", what, wanted, got, name);
    if (fault->way == SYSTEM)
        syscall(TORTURE_CALL, TORTURE_TELL);
}

/* What was there before is there, and no more. */
static void compare(const struct target *target, const struct fault *fault, const struct belongings *before)
{
    struct belongings after = belongings();

    if (after.descriptors != before->descriptors)
        find("descriptors", target, fault, before->descriptors, after.descriptors);
    if (after.memory != before->memory)
        find("allocations", target, fault, before->memory, after.memory);
    if (memcmp(&after.mask, &before->mask, sizeof after.mask) != 0)
        find("signal mask", target, fault, 0, 1);
}

/* --- PAM --- */

struct judged {
    int code;
    long calls;
    bool unread; /* a file could not be read */
    int messages;
};

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
    (void)messages;
    ((struct judged *)data)->messages += count;
    *responses = calloc((size_t)count, sizeof **responses);
    return *responses != NULL ? PAM_SUCCESS : PAM_BUF_ERR;
}

static struct judged judge_once(const struct target *target, const struct fault *fault)
{
    struct judged judged = {.code = -1};
    struct pam_conv conv = {converse, &judged};
    pam_handle_t *pamh;
    char view[160];
    const char *arguments[] = {view, "groups=no-such-group," GROUP};

    snprintf(view, sizeof view, "view=%s", view_path);
    if (pam_start("ei-none", target->account->login, &conv, &pamh) != PAM_SUCCESS)
        return judged;
    begin(fault);
    judged.code = judge(pamh, 0, target->from_file ? 1 : 2, arguments);
    judged.calls = end(fault);
    judged.unread = fault->way == SYSTEM && (syscall(TORTURE_CALL, TORTURE_FAILED, EIO) > 0 ||
                                             syscall(TORTURE_CALL, TORTURE_FAILED, EINTR) > 0);
    pam_end(pamh, judged.code);
    return judged;
}

static bool refuses(int code)
{
    return code != PAM_SUCCESS && code != PAM_IGNORE;
}

/*
 * Rule by rule. Whoever is refused stays refused, and whoever is let in is let in, or is told that this process lacks
 * memory or descriptors, or has a disk that fails (S1; pam_entra_invite(8) names these), or that there is no such
 * account, which is what libc makes of an accounts file that it cannot read. Where the view cannot be read, the groups
 * say who is covered; and a group file that cannot be read, which libc takes for one without the group, covers nobody.
 */
static bool right(const struct judged *got, const struct judged *plain, const struct target *target)
{
    if (target->account->uid == 0) /* the break-glass */
        return got->code == PAM_IGNORE;
    if (got->code == plain->code || (got->code == PAM_IGNORE && !refuses(plain->code)))
        return true;
    if (got->code == PAM_SYSTEM_ERR || got->code == PAM_BUF_ERR || got->code == PAM_USER_UNKNOWN)
        return true;
    if (refuses(got->code))
        return got->code == PAM_AUTHINFO_UNAVAIL && refuses(plain->code);
    return got->code == PAM_IGNORE && (target->account->class == NOT_COVERED || got->unread);
}

/* --- NSS --- */

struct looked_up {
    enum nss_status status;
    long calls;
    gid_t gid; /* 0: none was added */
    int error;
    int errno_after;
};

static struct looked_up look_up_once(const struct target *target, const struct fault *fault)
{
    struct looked_up result = {.errno_after = -1};
    long int start = 1, size = 1;
    gid_t *groups = malloc(sizeof *groups);

    if (groups == NULL)
        abort();
    groups[0] = 100;
    begin(fault);
    errno = EDOM;
    result.status = look_up(target->account->login, 100, &start, &size, &groups, -1, &result.error);
    result.errno_after = errno;
    result.calls = end(fault);
    if (start > 1)
        result.gid = groups[start - 1];
    if (start < 1 || start > 2 || size < start || groups[0] != 100)
        result.errno_after = -1;
    free(groups);
    return result;
}

static bool right_answer(const struct looked_up *got, const struct looked_up *plain, const struct fault *fault)
{
    if (got->errno_after != EDOM)
        return false;
    if (got->status == plain->status)
        return got->gid == plain->gid;
    if (got->gid != 0)
        return false;
    if (fault->way == MEMORY)
        return got->status == NSS_STATUS_TRYAGAIN && got->error == ENOMEM;
    return got->status == NSS_STATUS_UNAVAIL ? got->error != 0 && got->error != EDOM
                                             : got->status == NSS_STATUS_NOTFOUND && got->error == 0;
}

/* --- each n --- */

/* A module's work on one account, with and without a fault: how many fallible calls it made. */
typedef long suffering(const struct target *target, const struct fault *fault);

static long pam_work(const struct target *target, const struct fault *fault)
{
    static struct judged plain;

    if (fault->nth == 0)
        return (plain = judge_once(target, fault)).calls;
    struct belongings before = belongings();
    struct judged got = judge_once(target, fault);
    compare(target, fault, &before);
    struct judged after = judge_once(target, &(struct fault){.way = fault->way});
    if (after.code != plain.code)
        find("PAM code afterwards", target, fault, plain.code, after.code);
    if (!right(&got, &plain, target))
        find("PAM code", target, fault, plain.code, got.code);
    if (got.messages > 1)
        find("messages", target, fault, plain.messages, got.messages);
    return got.calls;
}

static long nss_work(const struct target *target, const struct fault *fault)
{
    static struct looked_up plain;

    if (fault->nth == 0)
        return (plain = look_up_once(target, fault)).calls;
    struct belongings before = belongings();
    struct looked_up got = look_up_once(target, fault);
    compare(target, fault, &before);
    struct looked_up after = look_up_once(target, &(struct fault){.way = fault->way});
    if (after.status != plain.status || after.gid != plain.gid)
        find("NSS status afterwards", target, fault, plain.status, after.status);
    if (!right_answer(&got, &plain, fault))
        find("NSS status", target, fault, plain.status, got.status);
    return got.calls;
}

static bool chosen(const struct target *target, const struct fault *fault)
{
    unsigned hash = seed * 2654435761u;
    char name[200];

    name_of(target, fault, name);
    if (only != NULL)
        return strcmp(name, only) == 0;
    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return (hash >> 8) % stride == 0;
}

static void each_fault(suffering *work, const struct target *target, enum way way)
{
    work(target, &(struct fault){.way = way}); /* libraries and caches come now */
    long calls = work(target, &(struct fault){.way = way});

    calls_seen += calls;
    for (long nth = 1; nth <= calls; nth++) {
        for (unsigned kind = 0; kind < 2 * TORTURE_ERRORS; kind++) {
            struct fault fault = {way, nth, kind % 2 != 0, kind / 2};
            if ((way == MEMORY && fault.error != 0) || !chosen(target, &fault))
                continue;
            runs++;
            work(target, &fault);
        }
    }
}

/* What the NSS module reads is where it is installed. */
static void install_view(void)
{
    char bytes[65536];
    int from = open(view_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);

    unlink(EI_VIEW_PATH);
    if (from < 0)
        return;
    ssize_t length = read(from, bytes, sizeof bytes);
    close(from);
    int to = open(EI_VIEW_PATH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (to < 0 || length < 0 || write(to, bytes, (size_t)length) != length)
        abort();
    close(to);
}

static void suffer(suffering *work, const char *module, const struct condition *condition, enum source source)
{
    for (size_t i = 0; i < account_count; i++) {
        struct target target = {module, &accounts[i], condition, source != FROM_OPTION, ""};
        snprintf(target.name, sizeof target.name, "%s/%s/%s/%s", module, condition->name, source_names[source],
                 accounts[i].login);
        if (only != NULL && strncmp(only, target.name, strlen(target.name)) != 0)
            continue;
        each_fault(work, &target, MEMORY);
        each_fault(work, &target, SYSTEM);
    }
}

static void each_account(const struct condition *condition, enum source source)
{
    world_set(condition, source);
    install_view();
    suffer(pam_work, "pam", condition, source);
    if (source == FROM_OPTION) /* the NSS module knows no other */
        suffer(nss_work, "nss", condition, source);
}

int main(int argc, char **argv)
{
    void *pam = argc > 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void *nss = argc > 2 ? dlopen(argv[2], RTLD_NOW | RTLD_LOCAL) : NULL;

    if (pam == NULL || nss == NULL) {
        fprintf(stderr, "usage: %s PAM-MODULE NSS-MODULE [STRIDE [SEED]]; %s\n", argv[0], dlerror());
        return 2;
    }
    judge = (entry_point *)dlsym(pam, "pam_sm_acct_mgmt");
    look_up = (initgroups *)dlsym(nss, "_nss_entra_invite_initgroups_dyn");
    if (judge == NULL || look_up == NULL || !world_open())
        return 2;
    stride = argc > 3 && atoi(argv[3]) > 0 ? (unsigned)atoi(argv[3]) : 1;
    seed = argc > 4 ? (unsigned)atoi(argv[4]) : 0;
    only = getenv("TORTURE_ONE");
    if (only != NULL && *only == '\0')
        only = NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < condition_count; i++) {
        each_account(&conditions[i], FROM_OPTION);
        each_account(&conditions[i], FROM_FILE);
    }
    world_close();
    printf("%s - the modules: %ld fallible calls, %ld faults, %ld findings\n",
           findings == 0 && runs > 0 ? "ok" : "not ok", calls_seen, runs, findings);
    return findings != 0;
}
