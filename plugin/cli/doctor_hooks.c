/* doctor: the hooks that useradd and userdel run. Without them accounts are found all the same, a little later; but one
 * file that cannot be run makes useradd fail after it has made the account (host-facts B3). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/cli/doctor.h"

static const char *const folders[] = {"/etc/shadow-maint/useradd-post.d", "/etc/shadow-maint/userdel-post.d"};
static const char hook_name[] = "entra-invite";

static int search_file(int fd, const char *mark)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (st.st_size == 0)
        return 0;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return -1;
    int found = memmem(map, (size_t)st.st_size, mark, strlen(mark)) != NULL;
    munmap(map, (size_t)st.st_size);
    return found;
}

/* 1 if the tool runs what is in the folder, 0 if not: releases before 4.9, and some builds. -1 and errno: it cannot be
 * read. */
static int tool_has_hooks(const char *tool)
{
    int fd = open(tool, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    int has = search_file(fd, "/etc/shadow-maint/");
    int saved = errno;
    close(fd);
    errno = saved;
    return has;
}

/* The program that the script tests for and runs: "[ -x PROGRAM ] && …". "" if it does not. */
static void read_program(const char *path, char program[EI_DOCTOR_PATH])
{
    static const char mark[] = "[ -x /";
    char text[4096];
    FILE *file = fopen(path, "re");

    program[0] = '\0';
    if (file == NULL)
        return;
    size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[got] = '\0';
    const char *at = strstr(text, mark);
    if (at == NULL)
        return;
    at += strlen(mark) - 1;
    snprintf(program, EI_DOCTOR_PATH, "%.*s", (int)strcspn(at, " \n"), at);
}

static void add_program(struct ei_doctor *doctor, const char *hook)
{
    static const struct ei_check check = {"hooks", "hook-program"};
    char program[EI_DOCTOR_PATH];
    char path[EI_DOCTOR_PATH];

    read_program(hook, program);
    ei_doctor_path(doctor, program, path);
    if (program[0] == '\0')
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING, "install entra-invite again",
                       "%s is not the script that belongs to entra-invite", hook);
    else if (access(path, X_OK) < 0)
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING, "install entra-invite again",
                       "%s, which the hook runs: %s", path, strerror(errno));
}

/* Ours: there, and such that only root can change what root runs. */
static void add_hook(struct ei_doctor *doctor, const char *folder)
{
    static const struct ei_check check = {"hooks", "hook"};
    char relative[EI_DOCTOR_PATH];
    char path[EI_DOCTOR_PATH];
    char mend[2 * EI_DOCTOR_PATH + 64];
    struct stat st;

    snprintf(relative, sizeof relative, "%s/%s", folder, hook_name);
    ei_doctor_path(doctor, relative, path);
    snprintf(mend, sizeof mend, "chown root '%s' && chmod 0755 '%s'", path, path);
    if (stat(path, &st) < 0)
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING,
                       "install entra-invite again; until then accounts are found a little later, and useradd says "
                       "nothing of the invitation",
                       "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 0022) != 0)
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, mend,
                       "%s, which root runs, can be changed by others (uid %u, mode %04o)", path, st.st_uid,
                       st.st_mode & 07777);
    else if ((st.st_mode & 0111) == 0)
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, mend,
                       "%s cannot be run: useradd and userdel fail after they have done their work", path);
    else {
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "%s is in place", path);
        add_program(doctor, path);
    }
}

/* A script without "#!" or a program; anything else cannot be executed. */
static bool can_be_run(const char *path, const struct stat *st)
{
    char head[4] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd >= 0 ? read(fd, head, sizeof head) : -1;

    if (fd >= 0)
        close(fd);
    return (st->st_mode & 0111) != 0 &&
           ((got >= 2 && memcmp(head, "#!", 2) == 0) || (got >= 4 && memcmp(head, "\177ELF", 4) == 0));
}

/* Whatever else lies there is run too, without a filter on names. */
static void add_others(struct ei_doctor *doctor, const char *folder)
{
    static const struct ei_check check = {"hooks", "hook-folder"};
    char directory[EI_DOCTOR_PATH];
    char path[2 * EI_DOCTOR_PATH];
    const struct dirent *entry;
    struct stat st;

    ei_doctor_path(doctor, folder, directory);
    DIR *dir = opendir(directory);
    if (dir == NULL && errno != ENOENT)
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING, "make it readable, and run doctor again",
                       "%s: %s; what else runs with the hook is not known", directory, strerror(errno));
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        bool there = stat(path, &st) == 0;
        if (strcmp(entry->d_name, hook_name) == 0 || (there && S_ISDIR(st.st_mode)))
            continue;
        if (!there || !can_be_run(path, &st))
            ei_finding_add(
                doctor->findings, check, EI_FINDING_FAILED, "remove it from this folder, or make it a program",
                "%s cannot be run: the tool fails after it has done its work, and runs no hook behind it", path);
    }
    if (dir != NULL)
        closedir(dir);
}

void ei_doctor_hooks(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"hooks", "hooks"};
    char useradd[EI_DOCTOR_PATH];

    ei_doctor_path(doctor, "/usr/sbin/useradd", useradd);
    int has = tool_has_hooks(useradd);
    if (has < 0) {
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING, "make it readable, and run doctor again",
                       "%s: %s; whether it runs hooks is not known", useradd, strerror(errno));
        return;
    }
    if (has == 0) {
        ei_finding_add(doctor->findings, check, EI_FINDING_SKIPPED, NULL,
                       "this useradd runs no hooks; accounts are found when the account files change");
        return;
    }
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        add_hook(doctor, folders[i]);
        add_others(doctor, folders[i]);
    }
}
