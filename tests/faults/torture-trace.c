/*
 * torture-trace [OPTION...] COMMAND [ARGUMENT...]: runs a program, with all its threads and forks, and makes its n-th
 * fallible system call fail, from where main begins (torture.h says how it knows). By ptrace, so that those inside of
 * libc (look-ups of accounts, stdio) are among them. Other programs that it starts are left alone. Its exit code is
 * that of the program; 128 + n if signal n ended it.
 *
 *   --nth N        which call (default: none, they are only counted)
 *   --then-on      and all from then on
 *   --error I      0 to 2: which of the errors that a call of its kind may have
 *   --report FILE  "calls N", then the calls that were made to fail (from then on: the first ones)
 *
 * x86-64 and 64-bit Arm; elsewhere it says so and exits with 77.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/faults/torture.h"

enum { TASKS = 512, NAMED = 8, ERRORS = 200, NOT_HERE = 77 };

struct kind {
    long number;
    const char *name;
    int errors[TORTURE_ERRORS];
    bool happens; /* the call is made all the same: a descriptor is closed even where close fails */
};

/* Without mmap, which the shim makes fail: the loader of a program crashes without it. The third error of a call is one
 * that it may have to be made again for, where there is one. */
static const struct kind kinds[] = {
    {SYS_openat, "openat", {EMFILE, EIO, ENOMEM}, false},
    {SYS_read, "read", {EIO, EIO, EINTR}, false},
    {SYS_pread64, "pread64", {EIO, EIO, EINTR}, false},
    {SYS_readv, "readv", {EIO, EIO, EINTR}, false},
    {SYS_write, "write", {ENOSPC, EIO, EINTR}, false},
    {SYS_pwrite64, "pwrite64", {ENOSPC, EIO, EINTR}, false},
    {SYS_writev, "writev", {ENOSPC, EIO, EINTR}, false},
    {SYS_fsync, "fsync", {EIO, ENOSPC, EIO}, false},
    {SYS_fdatasync, "fdatasync", {EIO, ENOSPC, EIO}, false},
    {SYS_ftruncate, "ftruncate", {ENOSPC, EIO, EINTR}, false},
    {SYS_renameat, "renameat", {ENOSPC, EIO, ENOMEM}, false},
    {SYS_renameat2, "renameat2", {ENOSPC, EIO, ENOMEM}, false},
    {SYS_unlinkat, "unlinkat", {EIO, EROFS, ENOMEM}, false},
    {SYS_mkdirat, "mkdirat", {ENOSPC, EIO, ENOMEM}, false},
    {SYS_fchmod, "fchmod", {EIO, EROFS, EPERM}, false},
    {SYS_fchown, "fchown", {EIO, EROFS, EPERM}, false},
    {SYS_close, "close", {EIO, ENOSPC, EINTR}, true},
    {SYS_fstat, "fstat", {EIO, EIO, EIO}, false},
    {SYS_newfstatat, "newfstatat", {EIO, ENOMEM, EACCES}, false},
    {SYS_statx, "statx", {EIO, ENOMEM, EACCES}, false},
    {SYS_getdents64, "getdents64", {EIO, ENOMEM, EIO}, false},
    {SYS_fcntl, "fcntl", {EMFILE, ENOLCK, EINTR}, false},
    {SYS_dup, "dup", {EMFILE, EMFILE, EMFILE}, false},
    {SYS_socket, "socket", {EMFILE, ENOBUFS, ENOMEM}, false},
    {SYS_socketpair, "socketpair", {EMFILE, ENOBUFS, ENOMEM}, false},
    {SYS_bind, "bind", {EADDRINUSE, ENOMEM, EACCES}, false},
    {SYS_listen, "listen", {EADDRINUSE, ENOMEM, EACCES}, false},
    {SYS_setsockopt, "setsockopt", {ENOMEM, ENOPROTOOPT, EINVAL}, false},
    {SYS_getsockopt, "getsockopt", {ENOMEM, ENOPROTOOPT, EINVAL}, false},
    {SYS_connect, "connect", {ECONNREFUSED, ETIMEDOUT, EAGAIN}, false},
    {SYS_accept, "accept", {EMFILE, ECONNABORTED, EINTR}, false},
    {SYS_accept4, "accept4", {EMFILE, ECONNABORTED, EINTR}, false},
    {SYS_sendto, "sendto", {ENOBUFS, ENOMEM, EINTR}, false},
    {SYS_sendmsg, "sendmsg", {ENOBUFS, ENOMEM, EINTR}, false},
    {SYS_recvfrom, "recvfrom", {ECONNRESET, ENOMEM, EINTR}, false},
    {SYS_recvmsg, "recvmsg", {ECONNRESET, ENOMEM, EINTR}, false},
    {SYS_ppoll, "ppoll", {ENOMEM, ENOMEM, EINTR}, false},
    {SYS_epoll_create1, "epoll_create1", {EMFILE, ENOMEM, EMFILE}, false},
    {SYS_epoll_ctl, "epoll_ctl", {ENOMEM, ENOSPC, ENOMEM}, false},
    {SYS_epoll_pwait, "epoll_pwait", {EINTR, EINTR, EINTR}, false},
    {SYS_eventfd2, "eventfd2", {EMFILE, ENOMEM, EMFILE}, false},
    {SYS_pipe2, "pipe2", {EMFILE, ENFILE, EMFILE}, false},
    {SYS_inotify_init1, "inotify_init1", {EMFILE, ENOMEM, EMFILE}, false},
    {SYS_inotify_add_watch, "inotify_add_watch", {ENOSPC, ENOMEM, EACCES}, false},
    {SYS_signalfd4, "signalfd4", {EMFILE, ENOMEM, EMFILE}, false},
    {SYS_timerfd_create, "timerfd_create", {EMFILE, ENOMEM, EMFILE}, false},
    {SYS_clone, "clone", {EAGAIN, ENOMEM, EAGAIN}, false},
#ifdef SYS_clone3
    {SYS_clone3, "clone3", {EAGAIN, ENOMEM, EAGAIN}, false},
#endif
#ifdef SYS_open /* processors that have had Linux for long */
    {SYS_open, "open", {EMFILE, EIO, ENOMEM}, false},
    {SYS_stat, "stat", {EIO, ENOMEM, EACCES}, false},
    {SYS_lstat, "lstat", {EIO, ENOMEM, EACCES}, false},
    {SYS_rename, "rename", {ENOSPC, EIO, ENOMEM}, false},
    {SYS_unlink, "unlink", {EIO, EROFS, ENOMEM}, false},
    {SYS_mkdir, "mkdir", {ENOSPC, EIO, ENOMEM}, false},
    {SYS_poll, "poll", {ENOMEM, ENOMEM, EINTR}, false},
    {SYS_epoll_wait, "epoll_wait", {EINTR, EINTR, EINTR}, false},
    {SYS_pipe, "pipe", {EMFILE, ENFILE, EMFILE}, false},
#endif
};

struct task {
    pid_t pid;
    bool foreign; /* another program, which it has started */
    bool answers; /* when it ends, answer is what it has answered */
    long answer;
};

static struct task tasks[TASKS];
static pid_t program;
static long nth, calls, named;
static long failed[ERRORS]; /* with each error */
static bool then_on, active;
static const char *report; /* NULL: none is wanted */
static unsigned error_index;
static char names[NAMED][64];

/* --- what differs from processor to processor --- */

#if defined __x86_64__
static bool set_number(pid_t pid, long number)
{
    return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), number) == 0;
}

static bool set_answer(pid_t pid, long answer)
{
    return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), answer) == 0;
}
#elif defined __aarch64__
static bool set_number(pid_t pid, long number)
{
    int value = (int)number;
    struct iovec part = {&value, sizeof value};
    return ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part) == 0;
}

static bool set_answer(pid_t pid, long answer)
{
    struct user_regs_struct all;
    struct iovec part = {&all, sizeof all};
    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) != 0)
        return false;
    all.regs[0] = (unsigned long long)answer;
    return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part) == 0;
}
#else
#define NO_PROCESSOR
static bool set_number(pid_t pid, long number)
{
    return (void)pid, (void)number, false;
}

static bool set_answer(pid_t pid, long answer)
{
    return (void)pid, (void)answer, false;
}
#endif

/* --- a system call --- */

static const struct kind *kind_of(uint64_t number)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if ((uint64_t)kinds[i].number == number)
            return &kinds[i];
    return NULL;
}

/* The flags of an open descriptor can always be read and set: libcurl, for one, goes by that. */
static bool can_fail(const struct kind *kind, const __uint64_t *arguments)
{
    return kind != NULL && (kind->number != SYS_fcntl || (arguments[1] != F_GETFD && arguments[1] != F_SETFD &&
                                                          arguments[1] != F_GETFL && arguments[1] != F_SETFL));
}

static void answer_with(struct task *task, long answer)
{
    task->answers = true;
    task->answer = answer;
}

static void tell(FILE *file, const char *before)
{
    for (long i = 0; i < named; i++)
        fprintf(file, "%s%s\n", before, names[i]);
    fflush(file);
}

static void write_report(void)
{
    FILE *file = report != NULL ? fopen(report, "we") : NULL;

    if (file == NULL) {
        if (report != NULL)
            perror(report);
        return;
    }
    fprintf(file, "calls %ld\n", calls);
    tell(file, "");
    fclose(file);
}

static void listen_to(const __uint64_t *arguments)
{
    if (arguments[0] == TORTURE_TELL)
        tell(stdout, "#     ");
    if (arguments[0] == TORTURE_TELL || arguments[0] == TORTURE_FAILED)
        return;
    active = arguments[0] != TORTURE_END;
    if (arguments[0] != TORTURE_BEGIN)
        return;
    nth = (long)arguments[1];
    then_on = arguments[2] != 0;
    error_index = (unsigned)arguments[3] % TORTURE_ERRORS;
    calls = 0;
    if (nth != 0)
        named = 0;
    memset(failed, 0, sizeof failed);
}

static long answer_to(const __uint64_t *arguments)
{
    if (arguments[0] != TORTURE_FAILED)
        return calls;
    return arguments[1] < ERRORS ? failed[arguments[1]] : -EINVAL;
}

/* A call that is repeated for as long as it fails so would be repeated for ever. */
static int error_of(const struct kind *kind, const __uint64_t *arguments)
{
    int error = kind->errors[error_index];

    if (kind->number == SYS_newfstatat && (arguments[3] & AT_EMPTY_PATH) != 0) /* of an open file */
        return EIO;
    return then_on && (error == EINTR || error == EAGAIN) ? kind->errors[0] : error;
}

static void enter(struct task *task, const struct __ptrace_syscall_info *info)
{
    const struct kind *kind = kind_of(info->entry.nr);

    if (task->foreign)
        return;
    if (info->entry.nr == TORTURE_CALL) {
        answer_with(task, answer_to(info->entry.args));
        listen_to(info->entry.args);
        return;
    }
    if (!active || !can_fail(kind, info->entry.args) || ++calls < nth || nth == 0 || (calls > nth && !then_on))
        return;
    int error = error_of(kind, info->entry.args);
    if (then_on && error == EINTR) /* nothing else can become of it */
        return;
    if (named < NAMED)
        snprintf(names[named++], sizeof names[0], "%ld %s %s", calls, kind->name, strerrorname_np(error));
    failed[error]++;
    answer_with(task, -error);
    if (named == 1) /* a program that hangs leaves it as well */
        write_report();
    if (!kind->happens && !set_number(task->pid, -1))
        perror("torture-trace: skipping a call");
}

static void trap(struct task *task)
{
    struct __ptrace_syscall_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, sizeof info, &info) <= 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        enter(task, &info);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && task->answers) {
        task->answers = false;
        set_answer(task->pid, task->answer);
    }
}

/* --- processes --- */

static struct task *task_of(pid_t pid)
{
    struct task *unused = NULL;

    for (size_t i = 0; i < TASKS; i++) {
        if (tasks[i].pid == pid)
            return &tasks[i];
        if (tasks[i].pid == 0 && unused == NULL)
            unused = &tasks[i];
    }
    if (unused == NULL) {
        fprintf(stderr, "torture-trace: more than %d threads\n", TASKS);
        exit(2);
    }
    *unused = (struct task){.pid = pid};
    return unused;
}

static int exit_code(pid_t pid, int status)
{
    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    fprintf(stderr, "torture-trace: process %ld: %s\n", (long)pid, strsignal(WTERMSIG(status)));
    return 128 + WTERMSIG(status);
}

/* The signal that the task goes on with. */
static int stopped(struct task *task, int status)
{
    int signal = WSTOPSIG(status);

    if (signal == (SIGTRAP | 0x80))
        trap(task);
    else if (status >> 16 == PTRACE_EVENT_EXEC)
        task->foreign = task->pid != program;
    else if (status >> 16 == 0 && signal != SIGSTOP && signal != SIGTRAP)
        return signal;
    return 0;
}

/* Not killed by somebody. */
static bool crashed(int signal)
{
    return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGILL || signal == SIGFPE;
}

/* Until nothing is left. The exit code of the program, or that of what it started and has crashed. */
static int watch(void)
{
    int status, code = 0, other = 0;
    pid_t pid;

    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        struct task *task = task_of(pid);
        if (WIFSTOPPED(status)) {
            int signal = stopped(task, status);
            ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)signal);
            continue;
        }
        task->pid = 0;
        if (pid == program)
            code = exit_code(pid, status);
        else if (!task->foreign && WIFSIGNALED(status) && crashed(WTERMSIG(status)))
            other = exit_code(pid, status);
    }
    return other != 0 ? other : code;
}

static pid_t start(char **command)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(command[0], command);
        fprintf(stderr, "torture-trace: %s: %s\n", command[0], strerror(errno));
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return -1;
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                         PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL, options) != 0 || ptrace(PTRACE_SYSCALL, pid, NULL, NULL) != 0)
        return -1;
    return pid;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"nth", required_argument, NULL, 'n'},
                                            {"then-on", no_argument, NULL, 'o'},
                                            {"error", required_argument, NULL, 'e'},
                                            {"report", required_argument, NULL, 'r'},
                                            {0}};
    int option;

    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (option) {
        case 'n':
            nth = strtol(optarg, NULL, 10);
            break;
        case 'o':
            then_on = true;
            break;
        case 'e':
            error_index = (unsigned)strtoul(optarg, NULL, 10) % TORTURE_ERRORS;
            break;
        case 'r':
            report = optarg;
            break;
        default:
            return 2;
        }
    }
    if (optind == argc)
        return 2;
#ifdef NO_PROCESSOR
    fprintf(stderr, "torture-trace: not for this processor\n");
    return NOT_HERE;
#endif
    program = start(argv + optind);
    if (program < 0) {
        perror("torture-trace: tracing");
        return NOT_HERE;
    }
    int code = watch();
    write_report();
    return code;
}
