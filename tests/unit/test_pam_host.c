/* The module as a guest: what it does to the program that it is loaded into, and what that program can do to it (T4).
 */
#include "tests/unit/pam_fixture.h"

#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/unit/descriptors_fixture.h"

enum { THREADS = 32, ROUNDS = 20, HIGH_FD = 1100, SMALL_STACK = 128 * 1024 };

/* P2, T4: what sshd gets into its address space. */
static void P2_only_libc_and_libpam_are_needed(void **state)
{
    const char *strings = NULL;
    struct link_map *map;
    int others = 0, needed = 0;
    (void)state;

    void *library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    assert_int_equal(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
    for (const ElfW(Dyn) *dyn = map->l_ld; dyn->d_tag != DT_NULL; dyn++)
        if (dyn->d_tag == DT_STRTAB)
            strings = (const char *)dyn->d_un.d_ptr;
    assert_non_null(strings);
    for (const ElfW(Dyn) *dyn = map->l_ld; dyn->d_tag != DT_NULL; dyn++) {
        if (dyn->d_tag != DT_NEEDED)
            continue;
        const char *name = strings + dyn->d_un.d_val;
        needed++;
        if (strcmp(name, "libc.so.6") != 0 && strcmp(name, "libpam.so.0") != 0) {
            others++;
            print_error("needs %s\n", name);
        }
    }
    assert_int_equal(others, 0);
    assert_int_equal(needed, 2);
    dlclose(library);
}

static void T4_only_entry_points_are_exported(void **state)
{
    static const char *const entry_points[] = {"pam_sm_acct_mgmt", "pam_sm_authenticate", "pam_sm_setcred",
                                               "pam_sm_chauthtok", "pam_sm_open_session", "pam_sm_close_session"};
    static const char *const hidden[] = {
        "ei_gate_remind",     "ei_gate_look",        "ei_view_open",     "ei_view_lookup",  "ei_gecos_address",
        "ei_address_hash",    "ei_gate_judge",       "ei_pam_options",   "ei_pam_announce", "ei_state_name",
        "ei_pam_account_get", "ei_view_read_groups", "ei_pam_in_groups",
    };
    (void)state;

    void *library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    for (size_t i = 0; i < sizeof entry_points / sizeof entry_points[0]; i++)
        assert_non_null(dlsym(library, entry_points[i]));
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        assert_null(dlsym(library, hidden[i]));
    dlclose(library);
}

typedef int entry_point(pam_handle_t *, int, int, const char **);

/* On a line of another type the module neither passes nor fails anybody; and its password part never fails (B7). */
static void B7_other_entry_points_answer_ignore(void **state)
{
    struct heard heard = {0};
    struct pam_conv conv = {converse, &heard};
    pam_handle_t *pamh;
    (void)state;

    healthy(EI_STATE_PENDING);
    void *library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    entry_point *authenticate = (entry_point *)dlsym(library, "pam_sm_authenticate");
    entry_point *setcred = (entry_point *)dlsym(library, "pam_sm_setcred");
    entry_point *chauthtok = (entry_point *)dlsym(library, "pam_sm_chauthtok");
    const char *arguments[] = {"nonsense"};
    static const char *const users[] = {"taylor", "robin", "root", "ghost", "sasha", "", NULL};
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        assert_int_equal(pam_start("ei-none", users[i], &conv, &pamh), PAM_SUCCESS);
        assert_int_equal(authenticate(pamh, 0, 0, NULL), PAM_IGNORE);
        assert_int_equal(setcred(pamh, PAM_ESTABLISH_CRED, 0, NULL), PAM_IGNORE);
        assert_int_equal(chauthtok(pamh, PAM_PRELIM_CHECK, 1, arguments), PAM_IGNORE);
        assert_int_equal(chauthtok(pamh, PAM_UPDATE_AUTHTOK | PAM_SILENT, 1, arguments), PAM_IGNORE);
        pam_end(pamh, PAM_SUCCESS);
    }
    assert_int_equal(heard.messages, 0);
    dlclose(library);
}

/* S36: every condition of the view, good and bad, and no descriptor stays open. */
static void S36_no_descriptor_is_left(void **state)
{
    struct heard heard;
    (void)state;

    healthy(EI_STATE_ACCEPTED);
    int before = lowest_free();
    for (size_t i = 0; i < condition_count; i++) {
        for (int source = 0; source < SOURCES; source++) {
            world_set(&conditions[i], (enum source)source);
            write_services(module_path, source == FROM_OPTION ? "groups=" GROUP : "");
            account_session(REQUIRED, "taylor", 0, &heard);
            account_session(REQUIRED, "robin", 0, &heard);
            assert_int_equal(lowest_free(), before);
        }
    }
}

/* Runs body in a child, whose descriptors and limits are its own; its exit code must be 0. */
static void in_child(int (*body)(void))
{
    int status;

    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int judge_both(int accepted, int other)
{
    struct heard heard;

    return (account_session(REQUIRED, "taylor", 0, &heard) != accepted) +
           2 * (account_session(REQUIRED, "robin", 0, &heard) != other);
}

static int without_standard_descriptors(void)
{
    close(0), close(1), close(2);
    int failed = judge_both(PAM_SUCCESS, PAM_SUCCESS);
    return failed + 4 * (fcntl(0, F_GETFD) != -1) + 8 * (fcntl(1, F_GETFD) != -1);
}

static int with_high_descriptors(void)
{
    struct rlimit limit = {HIGH_FD + 100, HIGH_FD + 100};

    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0x40;
    for (int fd = open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0 && fd < HIGH_FD;)
        fd = dup(fd);
    return judge_both(PAM_SUCCESS, PAM_SUCCESS);
}

static int with_sigpipe_blocked(void)
{
    sigset_t set, after;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int failed = judge_both(PAM_SUCCESS, PAM_SUCCESS);
    sigprocmask(SIG_BLOCK, NULL, &after);
    return failed + 4 * !sigismember(&after, SIGPIPE) + 8 * sigismember(&after, SIGTERM);
}

static int forking_between_calls(void)
{
    for (int i = 0; i < 4; i++) {
        int status, failed = judge_both(PAM_SUCCESS, PAM_SUCCESS);
        if (failed != 0)
            return failed;
        pid_t pid = fork();
        if (pid != 0)
            return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 0x40;
    }
    return 0;
}

static void T4_a_host_without_standard_descriptors(void **state)
{
    (void)state;
    healthy(EI_STATE_ACCEPTED);
    in_child(without_standard_descriptors);
}

/* S35: descriptors beyond what select() can hold. */
static void S35_a_host_with_high_descriptors(void **state)
{
    (void)state;
    healthy(EI_STATE_ACCEPTED);
    in_child(with_high_descriptors);
}

static void T4_a_host_that_blocks_sigpipe(void **state)
{
    (void)state;
    healthy(EI_STATE_ACCEPTED);
    in_child(with_sigpipe_blocked);
}

static void T4_a_host_that_forks_between_calls(void **state)
{
    (void)state;
    healthy(EI_STATE_ACCEPTED);
    in_child(forking_between_calls);
}

/* The module's answer to a host that squeezes it from before() to after(); called by hand, since libpam itself needs
 * descriptors and memory. */
static int judge_squeezed(entry_point *judge, const char *user, const char *groups, void (*before)(int),
                          void (*after)(void), int degree)
{
    struct heard heard = {0};
    struct pam_conv conv = {converse, &heard};
    pam_handle_t *pamh;
    char view[200];
    const char *arguments[] = {view, groups};

    snprintf(view, sizeof view, "view=%s", view_path);
    if (pam_start("ei-none", user, &conv, &pamh) != PAM_SUCCESS)
        return -1;
    before(degree);
    int code = judge(pamh, PAM_SILENT, groups != NULL ? 2 : 1, arguments);
    after();
    pam_end(pamh, code);
    return code;
}

static int judge_with_few_descriptors(entry_point *judge, const char *user, const char *groups, int spare)
{
    return judge_squeezed(judge, user, groups, take_descriptors, give_descriptors, spare);
}

static int accepted_with_few_descriptors(void)
{
    void *library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    entry_point *judge = (entry_point *)dlsym(library, "pam_sm_acct_mgmt");
    int failed = 0;

    for (int spare = 0; spare < 2; spare++) {
        failed |= judge_with_few_descriptors(judge, "taylor", "groups=" GROUP, spare) != PAM_SYSTEM_ERR ? 1 : 0;
        failed |= judge_with_few_descriptors(judge, "robin", "groups=" GROUP, spare) != PAM_IGNORE ? 2 : 0;
        failed |= judge_with_few_descriptors(judge, "taylor", NULL, spare) != PAM_SYSTEM_ERR ? 4 : 0;
        failed |= judge_with_few_descriptors(judge, "robin", NULL, spare) != PAM_SYSTEM_ERR ? 8 : 0;
        failed |= judge_with_few_descriptors(judge, "root", NULL, spare) != PAM_IGNORE ? 16 : 0;
    }
    failed |= judge_with_few_descriptors(judge, "taylor", NULL, 2) != PAM_SUCCESS ? 32 : 0;
    return failed;
}

/*
 * S1, S24: `ulimit -n` is inherited through set-uid programs, so whoever asks for su decides how many descriptors it
 * has. A record that cannot be read must not become a pass, and neither must a list of groups that cannot be read.
 */
static void S1_no_descriptors_are_no_pass(void **state)
{
    (void)state;
    healthy(EI_STATE_ACCEPTED);
    in_child(accepted_with_few_descriptors);
}

#ifndef __SANITIZE_ADDRESS__ /* its allocator ends the program where there is no memory */
static struct rlimit usual_memory;
static void **hoard; /* each block begins with the address of the one before */

/* Nothing more is to be had from the system, and all that malloc() has is taken but for spare blocks. */
static void take_memory(int spare)
{
    struct rlimit none = {1, RLIM_INFINITY};
    void **given[4];

    getrlimit(RLIMIT_AS, &usual_memory);
    for (int i = 0; i < spare; i++)
        given[i] = malloc(1024);
    none.rlim_max = usual_memory.rlim_max;
    setrlimit(RLIMIT_AS, &none);
    hoard = NULL;
    for (size_t size = 1 << 20; size >= sizeof(void *); size /= 2)
        for (void **block; (block = malloc(size)) != NULL; hoard = block)
            *block = hoard;
    for (int i = 0; i < spare; i++)
        free(given[i]);
}

static void give_memory(void)
{
    setrlimit(RLIMIT_AS, &usual_memory);
    while (hoard != NULL) {
        void **block = hoard;
        hoard = *block;
        free(block);
    }
}

static int with_full_address_space(void)
{
    void *library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    entry_point *judge = (entry_point *)dlsym(library, "pam_sm_acct_mgmt");
    int failed = 0;

    for (int spare = 0; spare <= 4; spare++) {
        int refused = judge_squeezed(judge, "taylor", "groups=" GROUP, take_memory, give_memory, spare);
        int passed = judge_squeezed(judge, "robin", "groups=" GROUP, take_memory, give_memory, spare);
        int root = judge_squeezed(judge, "root", "groups=" GROUP, take_memory, give_memory, spare);
        failed |= refused != PAM_BUF_ERR && refused != PAM_SYSTEM_ERR && refused != PAM_PERM_DENIED ? 1 : 0;
        failed |= passed != PAM_BUF_ERR && passed != PAM_SYSTEM_ERR && passed != PAM_IGNORE ? 2 : 0;
        failed |= root != PAM_BUF_ERR && root != PAM_IGNORE ? 4 : 0;
    }
    failed |= judge_squeezed(judge, "taylor", NULL, take_descriptors, give_descriptors, 100) != PAM_PERM_DENIED ? 8 : 0;
    return failed;
}

/* T4, S1: a covered account without a record is refused with whatever code, never passed; another gets no verdict. */
static void T4_a_host_with_a_full_address_space(void **state)
{
    (void)state;
    healthy(0);
    in_child(with_full_address_space);
}
#endif

static void on_alarm(int number)
{
    (void)number;
}

/* Each system call that can be interrupted is, again and again; handlers without SA_RESTART, as old programs have. */
static int interrupted(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 50}, {0, 50}};
    int failed = 0;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < ROUNDS * 10; i++)
        failed |= judge_both(PAM_SUCCESS, PAM_SUCCESS);
    return failed;
}

static void T4_a_host_that_interrupts(void **state)
{
    (void)state;
    healthy(EI_STATE_ACCEPTED);
    in_child(interrupted);
}

static void *judge_in_thread(void *unused)
{
    intptr_t failed = 0;
    (void)unused;

    for (int i = 0; i < ROUNDS; i++)
        failed |= judge_both(PAM_SUCCESS, PAM_SUCCESS);
    return (void *)failed;
}

/* S36: no static mutable state. */
static void T4_a_host_with_32_threads(void **state)
{
    pthread_t threads[THREADS];
    void *failed;
    (void)state;

    healthy(EI_STATE_ACCEPTED);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, SMALL_STACK);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], &attributes, judge_in_thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

/* Counts the system calls of a child between its first and its second SIGSTOP. */
static int count_calls(const char *user)
{
    struct heard heard = {0};
    struct pam_conv conv = {converse, &heard};
    pam_handle_t *pamh;
    char confdir[160];
    int status, stops = 0, counting = 0;

    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        snprintf(confdir, sizeof confdir, "%s/pam.d", base);
        pam_start_confdir("required", user, &conv, confdir, &pamh);
        pam_acct_mgmt(pamh, 0); /* libpam reads its files and loads the module */
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        if (user != NULL)
            pam_acct_mgmt(pamh, 0);
        raise(SIGSTOP);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        if (WSTOPSIG(status) == SIGSTOP)
            counting++;
        else if (WSTOPSIG(status) == (SIGTRAP | 0x80))
            stops += counting == 1;
        ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(intptr_t)PTRACE_O_TRACESYSGOOD);
        ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    }
    return counting == 2 ? (stops + 1) / 2 : -1;
}

/*
 * L1, L2, L3: what an account check costs beside the look-up of the account: open and fstat of directory and file,
 * three reads, two closes. No socket, no lock, no write, and so nothing that could wait. The programs' own raise() is
 * in both counts.
 */
static void L1_nine_system_calls(void **state)
{
    (void)state;
    healthy(EI_STATE_ACCEPTED);
    int nothing = count_calls("root"), check = count_calls("taylor");
    assert_true(nothing > 0);
    assert_int_equal(check - nothing, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MODULE(P2_only_libc_and_libpam_are_needed),
        WITH_MODULE(T4_only_entry_points_are_exported),
        WITH_MODULE(B7_other_entry_points_answer_ignore),
        WITH_MODULE(S36_no_descriptor_is_left),
        WITH_MODULE(T4_a_host_without_standard_descriptors),
        WITH_MODULE(S35_a_host_with_high_descriptors),
        WITH_MODULE(T4_a_host_that_blocks_sigpipe),
        WITH_MODULE(T4_a_host_that_forks_between_calls),
        WITH_MODULE(S1_no_descriptors_are_no_pass),
#ifndef __SANITIZE_ADDRESS__
        WITH_MODULE(T4_a_host_with_a_full_address_space),
#endif
        WITH_MODULE(T4_a_host_that_interrupts),
        WITH_MODULE(T4_a_host_with_32_threads),
        WITH_MODULE(L1_nine_system_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
