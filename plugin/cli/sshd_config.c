#include "plugin/cli/sshd_config.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"

enum { DEPTH_MAX = 16, PATH_SIZE = 1024, OUTPUT_MAX = 64 * 1024, RUN_MS = 5000 };

static const char folder[] = "/etc/ssh";

/* --- what sshd says --- */

/* false: it took too long, or said too much. */
static bool read_all(int fd, struct ei_buffer *output)
{
    int64_t deadline = ei_monotonic_ms() + RUN_MS;
    char chunk[4096];

    for (;;) {
        int64_t left = deadline - ei_monotonic_ms();
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        if (left <= 0 || (poll(&poller, 1, (int)left) < 0 && errno != EINTR))
            return false;
        if (poller.revents == 0)
            continue;
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        if (!ei_buffer_append(output, chunk, (size_t)got))
            return false;
    }
}

static bool run(struct ei_buffer *output)
{
    char *const argv[] = {(char *)"sshd", (char *)"-T", NULL};
    char *const envp[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    posix_spawn_file_actions_t actions;
    int fds[2];
    int status = 0;
    pid_t child = -1;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    bool good = posix_spawn(&child, "/usr/sbin/sshd", &actions, NULL, argv, envp) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    if (good) {
        good = read_all(fds[0], output);
        if (!good)
            kill(child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            continue;
        good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    close(fds[0]);
    return good;
}

bool ei_sshd_says_use_pam(bool *ret_use_pam)
{
    struct ei_buffer output;

    ei_buffer_init(&output, OUTPUT_MAX);
    bool good = run(&output) && output.data != NULL;
    const char *line = good ? strstr(output.data, "usepam ") : NULL;
    if (line != NULL)
        *ret_use_pam = strncmp(line, "usepam yes", strlen("usepam yes")) == 0;
    ei_buffer_free(&output);
    return line != NULL;
}

/* --- what its configuration says --- */

enum verdict { SILENT, SAYS_YES, SAYS_NO, MATCH };

static enum verdict read_file(const char *root, const char *path, int depth);

static enum verdict include(const char *root, const char *pattern, int depth)
{
    char path[2 * PATH_SIZE];
    enum verdict verdict = SILENT;
    glob_t found;

    if (*pattern == '/')
        snprintf(path, sizeof path, "%s%s", root, pattern);
    else
        snprintf(path, sizeof path, "%s%s/%s", root, folder, pattern);
    if (depth >= DEPTH_MAX || glob(path, 0, NULL, &found) != 0)
        return SILENT;
    for (size_t i = 0; i < found.gl_pathc && (verdict == SILENT || verdict == MATCH); i++)
        verdict = read_file(root, found.gl_pathv[i], depth + 1);
    globfree(&found);
    return verdict == MATCH ? SILENT : verdict; /* a Match ends with the file that it is in */
}

/* "Keyword value" and "Keyword=value" are the same. */
static enum verdict take_line(const char *root, char *line, int depth)
{
    static const char blanks[] = " \t=\"\n";
    char *save = NULL;
    enum verdict verdict = SILENT;
    const char *keyword = strtok_r(line, blanks, &save);
    const char *value = keyword != NULL ? strtok_r(NULL, blanks, &save) : NULL;

    if (keyword == NULL || *keyword == '#' || value == NULL)
        return SILENT;
    if (strcasecmp(keyword, "UsePAM") == 0)
        return strcasecmp(value, "yes") == 0 ? SAYS_YES : SAYS_NO;
    if (strcasecmp(keyword, "Match") == 0)
        return MATCH; /* UsePAM cannot stand behind it */
    if (strcasecmp(keyword, "Include") != 0)
        return SILENT;
    for (; value != NULL && verdict == SILENT; value = strtok_r(NULL, blanks, &save))
        verdict = include(root, value, depth);
    return verdict;
}

static enum verdict read_file(const char *root, const char *path, int depth)
{
    char line[2048];
    enum verdict verdict = SILENT;
    FILE *file = fopen(path, "re");

    while (file != NULL && verdict == SILENT && fgets(line, sizeof line, file) != NULL)
        verdict = take_line(root, line, depth);
    if (file != NULL)
        fclose(file);
    return verdict;
}

bool ei_sshd_reads_use_pam(const char *root, bool *ret_use_pam)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s%s/sshd_config", root, folder);
    if (access(path, R_OK) < 0)
        return false;
    *ret_use_pam = read_file(root, path, 0) == SAYS_YES;
    return true;
}
