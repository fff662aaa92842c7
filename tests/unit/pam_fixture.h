/*
 * The built PAM module under a real libpam, over accounts that this program makes up: its getpwnam_r, getgrnam_r and
 * getgrouplist come before the C library's for libpam and the module alike. So no test needs an account, and look-ups
 * fail when a test wants them to.
 */
#ifndef EI_TESTS_UNIT_PAM_FIXTURE_H
#define EI_TESTS_UNIT_PAM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <security/pam_appl.h>
#include <security/pam_modules.h>

#include "tests/host/pam-matrix/matrix.h"

#include "tests/host/pam-matrix/accounts.c"
#include "tests/host/pam-matrix/conditions.c"
#include "tests/host/pam-matrix/session.c"

enum { FILLER_GID = 50000 };

/* What the databases do besides answering. All zero: they are well. */
static struct fake {
    int passwd_error, group_error;
    bool list_fails, list_short; /* short: it quietly has the primary group only, as glibc's when memory lacks */
    bool lists_members;          /* the covered group's entry names its members */
    int list_calls;
    size_t passwd_size, group_size; /* buffers smaller than that are too small for an entry */
    int more_groups;                /* that every account is in, before the covered one */
    bool covered_first;             /* or behind it */
} fake;

static int no_room(struct passwd **passwd, struct group **group)
{
    if (passwd != NULL)
        *passwd = NULL;
    if (group != NULL)
        *group = NULL;
    return ERANGE;
}

/* As directories do, names are compared without case, and the entry has the directory's own spelling. */
int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size, struct passwd **result)
{
    *result = NULL;
    if (fake.passwd_error != 0)
        return fake.passwd_error;
    for (size_t i = 0; i < account_count; i++) {
        if (strcasecmp(name, accounts[i].login) != 0 || accounts[i].class == UNKNOWN)
            continue;
        if (size < fake.passwd_size || size < 512)
            return no_room(result, NULL);
        *entry = (struct passwd){.pw_uid = accounts[i].uid,
                                 .pw_gid = strcmp(accounts[i].login, "kim") == 0 ? GROUP_GID : 100,
                                 .pw_name = buffer,
                                 .pw_gecos = buffer + 64,
                                 .pw_passwd = buffer + 32,
                                 .pw_dir = buffer + 32,
                                 .pw_shell = buffer + 32};
        strcpy(buffer, accounts[i].login);
        strcpy(buffer + 32, "x");
        strcpy(buffer + 64, accounts[i].gecos);
        *result = entry;
        return 0;
    }
    return 0;
}

int getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size, struct group **result)
{
    *result = NULL;
    if (fake.group_error != 0)
        return fake.group_error;
    if (strcmp(name, GROUP) != 0)
        return 0;
    if (size < fake.group_size)
        return no_room(NULL, result);
    static char *members[] = {(char *)"sasha", (char *)"taylor", NULL};
    *entry = (struct group){.gr_gid = GROUP_GID, .gr_name = buffer, .gr_passwd = buffer + 32};
    entry->gr_mem = fake.lists_members ? members : NULL;
    strcpy(buffer, name);
    strcpy(buffer + 32, "x");
    *result = entry;
    return 0;
}

int getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
{
    int room = *count, used = 0;
    bool member =
        !fake.list_short && (strcmp(user, "taylor") == 0 || strcmp(user, "sasha") == 0 || strcmp(user, "root") == 0);

    fake.list_calls++;
    if (fake.list_fails)
        return -1;
    for (int i = -1; i < fake.more_groups; i++, used++)
        if (used < room)
            groups[used] = i < 0 ? fake.covered_first && member ? GROUP_GID : group : FILLER_GID + (gid_t)i;
    if (member && used++ < room)
        groups[used - 1] = GROUP_GID;
    *count = used;
    return used <= room ? used : -1;
}

static char module_path[100];

/*
 * By a link in the world's directory: the line of a PAM service cannot name a path that has a space in it. tests/run
 * says where the build is; by hand, the program lies in its folder test/.
 */
static inline bool link_module(void)
{
    const char *build = getenv("EI_BUILD_DIR");
    char self[PATH_MAX] = {0}, wanted[PATH_MAX + 32], built[PATH_MAX];

    if (build == NULL) {
        if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
            return false;
        for (int up = 0; up < 2 && strrchr(self, '/') != NULL; up++)
            *strrchr(self, '/') = '\0';
        build = self;
    }
    snprintf(wanted, sizeof wanted, "%s/pam_entra_invite.so", build);
    snprintf(module_path, sizeof module_path, "%s/pam_entra_invite.so", base);
    if (realpath(wanted, built) != NULL && symlink(built, module_path) == 0)
        return true;
    fprintf(stderr, "%s: build it first\n", wanted);
    return false;
}

static inline int set_up(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    return world_open() && link_module() ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    world_close();
    return 0;
}

/* A healthy view with this state for everybody (0: no records), groups from the option, deny. */
static inline void healthy(enum ei_state state)
{
    struct condition good = {.make = NULL};

    for (size_t i = 0; i < condition_count; i++)
        if (strcmp(conditions[i].name, "missing") == 0)
            good = conditions[i];
    world_set(&good, FROM_FILE);
    make_view(state);
    write_services(module_path, "groups=" GROUP);
}

/* The view is gone; source says who is covered. */
static inline void without_view(enum source source)
{
    healthy(EI_STATE_ACCEPTED);
    unlink(view_path);
    if (source == FROM_FILE)
        write_services(module_path, "");
}

static inline int code_of(const char *login)
{
    struct heard heard;
    return module_code(login, 0, &heard);
}

#define WITH_MODULE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
