/* Who is there and who is covered, from files as hosts have them; and what makes a reading not whole (design, "Gone
 * needs proof"). NSS is played by the functions below: the linker takes them before libc's. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/account/scan.h"

/* --- NSS, played --- */

static const char *nss_group; /* the group it has */
static char *nss_members[4];  /* NULL-terminated */
static int nss_group_error;   /* answered for every group */
static const char *nss_user;  /* the account it has, uid 5000 */
static int nss_user_error;    /* answered for every account */
static int nss_users_asked;
static size_t nss_wants_room; /* ERANGE below it */

int getgrnam_r(const char *name, struct group *gr, char *buffer, size_t size, struct group **found)
{
    static char empty[] = "";
    (void)buffer;
    *found = NULL;
    if (nss_group_error != 0)
        return nss_group_error;
    if (nss_group == NULL || strcmp(name, nss_group) != 0)
        return 0;
    if (size < nss_wants_room)
        return ERANGE;
    *gr = (struct group){.gr_name = empty, .gr_gid = 7000, .gr_mem = nss_members};
    *found = gr;
    return 0;
}

int getpwnam_r(const char *name, struct passwd *pw, char *buffer, size_t size, struct passwd **found)
{
    static char gecos[] = "Remote Example <remote@fabrikam.com>";
    nss_users_asked++;
    *found = NULL;
    if (nss_user_error != 0)
        return nss_user_error;
    if (nss_user == NULL || strcmp(name, nss_user) != 0)
        return 0;
    snprintf(buffer, size, "%s", name);
    *pw = (struct passwd){.pw_name = buffer, .pw_gecos = gecos, .pw_uid = 5000, .pw_gid = 5000};
    *found = pw;
    return 0;
}

/* Every later stat of a file says that it was written to. */
static bool tamper;

int stat(const char *path, struct stat *result)
{
    int rc = fstatat(AT_FDCWD, path, result, 0);
    if (tamper)
        result->st_mtim.tv_nsec ^= 1;
    return rc;
}

/* --- the host --- */

#define ROOT_PASSWD "root:x:0:0:root:/root:/bin/bash\n"
#define ROOT_GROUP  "root:x:0:\n"
#define TAYLOR      "taylor:x:1001:1001:Taylor Example <taylor@fabrikam.com>:/home/taylor:/bin/sh\n"
#define ROBIN       "robin:x:1002:100::/home/robin:/bin/sh\n"

static char directory[] = "/tmp/ei-scan-XXXXXX";
static char passwd_path[64];
static char group_path[64];
static char defs_path[64];
static const struct ei_scan_files files = {passwd_path, group_path, defs_path};

static const char *groups[] = {"partners", "vendors"};
static const struct ei_coverage coverage = {.groups = groups, .count = 2, .minimum_uid = 1000};

static void put(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), (ssize_t)length);
    close(fd);
}

static void host(const char *passwd, const char *group, const char *defs)
{
    put(passwd_path, passwd, strlen(passwd));
    put(group_path, group, strlen(group));
    if (defs != NULL)
        put(defs_path, defs, strlen(defs));
    else
        unlink(defs_path);
}

static struct ei_snapshot *scan(void)
{
    struct ei_snapshot *snapshot = NULL;
    assert_int_equal(ei_scan(&coverage, &files, &snapshot), EI_OK);
    assert_int_equal(snapshot->group_count, 2);
    return snapshot;
}

static int reset(void **state)
{
    (void)state;
    nss_group = NULL;
    memset(nss_members, 0, sizeof nss_members);
    nss_group_error = nss_user_error = nss_users_asked = 0;
    nss_user = NULL;
    nss_wants_room = 0;
    tamper = false;
    return 0;
}

static int rule_of(const struct ei_snapshot *snapshot, const char *login)
{
    const struct ei_entry *entry = ei_snapshot_find(snapshot, login);
    if (entry == NULL)
        return -99;
    return entry->rule;
}

/* --- tests --- */

static void test_coverage(void **state)
{
    (void)state;
    host(ROOT_PASSWD "daemon:x:1:1::/:/usr/sbin/nologin\n" TAYLOR ROBIN "sam:x:1003:2001::/home/sam:/bin/sh\n"
                     "both:x:1004:2002::/home/both:/bin/sh\n"
                     "nobody:x:65534:2001::/:/bin/false\n"
                     "low:x:999:2001::/:/bin/false\n",
         ROOT_GROUP "partners:x:2001:taylor,both,daemon\n"
                    "vendors:x:2002:taylor\n"
                    "vendors-too:x:2002:robin\n",
         NULL);
    struct ei_snapshot *s = scan();
    assert_true(s->whole);
    assert_int_equal(s->doubt.code, EI_OK);
    assert_int_equal(s->count, 4); /* from minimum_uid up, and not nobody (design: minimum_uid) */
    assert_int_equal(s->groups[0], EI_GROUP_FOUND);
    assert_int_equal(s->groups[1], EI_GROUP_FOUND);
    assert_int_equal(rule_of(s, "taylor"), 0); /* several rules: the first in file order */
    assert_int_equal(rule_of(s, "sam"), 0);    /* by primary group */
    assert_int_equal(rule_of(s, "both"), 0);
    assert_int_equal(rule_of(s, "robin"), 1); /* a second name of the same gid, as getgrouplist sees it */
    assert_int_equal(rule_of(s, "nobody"), -99);
    assert_int_equal(rule_of(s, "daemon"), -99);
    const struct ei_entry *taylor = ei_snapshot_find(s, "taylor");
    assert_true(taylor->local);
    assert_int_equal(taylor->uid, 1001);
    assert_string_equal(taylor->gecos, "Taylor Example <taylor@fabrikam.com>");
    for (size_t i = 1; i < s->count; i++)
        assert_true(strcmp(s->entries[i - 1].login, s->entries[i].login) < 0);
    ei_snapshot_free(s);
}

/* Each damage, and what the doubt says. */
static void test_not_whole(void **state)
{
    static const struct {
        const char *passwd;
        const char *group;
        const char *says;
    } table[] = {
        {ROOT_PASSWD TAYLOR "robin:x:1002:100::/home/robin:/bin/sh", ROOT_GROUP, "does not end in a newline"},
        {TAYLOR, ROOT_GROUP, "no entry for root"},
        {"", ROOT_GROUP, "empty"},
        {ROOT_PASSWD "taylor:x:1001\n", ROOT_GROUP, "line 2 is damaged"},
        {ROOT_PASSWD "taylor:x:10o1:100::/home/taylor:/bin/sh\n", ROOT_GROUP, "line 2 is damaged"},
        {ROOT_PASSWD ":x:1001:100::/home/taylor:/bin/sh\n", ROOT_GROUP, "line 2 is damaged"},
        {ROOT_PASSWD TAYLOR TAYLOR, ROOT_GROUP, "two entries for taylor"},
        {ROOT_PASSWD, ROOT_GROUP "partners:x:2001:tay", "does not end in a newline"},
        {ROOT_PASSWD, "users:x:100:\n", "no entry for root"},
        {ROOT_PASSWD, ROOT_GROUP "partners:x\n", "line 2 is damaged"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        host(table[i].passwd, table[i].group, NULL);
        struct ei_snapshot *s = scan();
        assert_false(s->whole);
        assert_int_equal(s->doubt.code, EI_PASSWD_DOUBTFUL);
        if (strstr(s->doubt.message, table[i].says) == NULL)
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, s->doubt.message, table[i].says);
        /* the file is named */
        assert_non_null(strstr(s->doubt.message, i < 7 ? passwd_path : group_path));
        ei_snapshot_free(s);
    }
}

static void test_unusable_files(void **state)
{
    static const char nul[] = ROOT_PASSWD "\0\0\0\0\n";
    (void)state;

    host(ROOT_PASSWD, ROOT_GROUP "partners:x:2001:\n", NULL);
    put(passwd_path, nul, sizeof nul - 1); /* what a power cut may leave */
    struct ei_snapshot *s = scan();
    assert_false(s->whole);
    ei_snapshot_free(s);

    unlink(passwd_path);
    s = scan();
    assert_false(s->whole);
    assert_int_equal(s->count, 0);
    ei_snapshot_free(s);

    assert_int_equal(mkfifo(passwd_path, 0600), 0);
    s = scan(); /* does not hang */
    assert_false(s->whole);
    assert_non_null(strstr(s->doubt.message, "not a regular file"));
    ei_snapshot_free(s);
    unlink(passwd_path);

    host(ROOT_PASSWD TAYLOR, ROOT_GROUP, NULL);
    unlink(group_path);
    s = scan();
    assert_false(s->whole);
    assert_int_equal(s->groups[0], EI_GROUP_UNKNOWN); /* no file: not to be taken for a missing group */
    assert_int_equal(rule_of(s, "taylor"), -1);
    ei_snapshot_free(s);
}

/* A cut-off last line names somebody else; a file that is being written in place is not believed at all. */
static void test_torn(void **state)
{
    (void)state;
    host(ROOT_PASSWD TAYLOR "tay:x:1009:100::/home/tay:/bin/sh\n", ROOT_GROUP "partners:x:2001:tay", NULL);
    struct ei_snapshot *s = scan();
    assert_int_equal(rule_of(s, "tay"), -1);
    ei_snapshot_free(s);

    host(ROOT_PASSWD TAYLOR, ROOT_GROUP "partners:x:2001:taylor\n", NULL);
    tamper = true;
    s = scan();
    assert_false(s->whole);
    assert_non_null(strstr(s->doubt.message, "changed while it was read"));
    assert_int_equal(s->count, 0);
    assert_int_equal(s->groups[0], EI_GROUP_UNKNOWN);
    ei_snapshot_free(s);
    tamper = false;
    s = scan();
    assert_true(s->whole);
    assert_int_equal(rule_of(s, "taylor"), 0);
    ei_snapshot_free(s);
}

/* NSS compat entries, comments and blank lines are no damage, and no accounts. */
static void test_compat(void **state)
{
    (void)state;
    host(ROOT_PASSWD "\n# a comment\n" TAYLOR "+robin\n-sam\n+@netgroup\n+::::::\n", ROOT_GROUP "+\n+:::\n", NULL);
    struct ei_snapshot *s = scan();
    assert_true(s->whole);
    assert_int_equal(s->count, 1);
    ei_snapshot_free(s);
}

static void test_duplicate(void **state)
{
    (void)state;
    /* the first counts, even where it is one that does not count as a collaborator */
    host(ROOT_PASSWD "taylor:x:5:5:system:/:/bin/false\n" TAYLOR, ROOT_GROUP "partners:x:2001:taylor\n", NULL);
    struct ei_snapshot *s = scan();
    assert_int_equal(s->count, 0);
    assert_false(s->whole);
    ei_snapshot_free(s);
}

static void test_missing_group(void **state)
{
    (void)state;
    host(ROOT_PASSWD TAYLOR, ROOT_GROUP "vendors:x:2002:\n", NULL);
    struct ei_snapshot *s = scan();
    assert_true(s->whole);
    assert_int_equal(s->groups[0], EI_GROUP_ABSENT);
    assert_int_equal(s->groups[1], EI_GROUP_FOUND); /* a local group may be empty */
    ei_snapshot_free(s);

    nss_group_error = ETIMEDOUT;
    s = scan();
    assert_int_equal(s->groups[0], EI_GROUP_UNKNOWN);
    ei_snapshot_free(s);
}

static void test_group_elsewhere(void **state)
{
    (void)state;
    host(ROOT_PASSWD TAYLOR "prim:x:1005:7000::/:/bin/sh\n", ROOT_GROUP "vendors:x:2002:remote,ghost\n", NULL);
    nss_group = "partners";
    nss_wants_room = 100000; /* the buffer grows */
    struct ei_snapshot *s = scan();
    assert_int_equal(s->groups[0], EI_GROUP_UNKNOWN); /* answers without members: says nothing */
    assert_int_equal(rule_of(s, "prim"), 0);
    ei_snapshot_free(s);

    nss_members[0] = (char *)"taylor";
    nss_members[1] = (char *)"remote";
    nss_user = "remote";
    s = scan();
    assert_int_equal(s->groups[0], EI_GROUP_FOUND);
    assert_int_equal(rule_of(s, "taylor"), 0);
    assert_int_equal(rule_of(s, "remote"), 0); /* also in vendors: the first rule */
    assert_false(ei_snapshot_find(s, "remote")->local);
    assert_int_equal(ei_snapshot_find(s, "remote")->uid, 5000);
    assert_true(ei_snapshot_unresolved(s, "ghost"));
    assert_false(ei_snapshot_unresolved(s, "remote"));
    ei_snapshot_free(s);
}

static void test_source_fails(void **state)
{
    (void)state;
    host(ROOT_PASSWD TAYLOR, ROOT_GROUP "partners:x:2001:taylor\nvendors:x:2002:r1,r2,r3,r4\n", NULL);
    nss_user_error = ECONNREFUSED;
    struct ei_snapshot *s = scan();
    assert_int_equal(s->groups[0], EI_GROUP_FOUND);
    assert_int_equal(s->groups[1], EI_GROUP_UNKNOWN);
    assert_int_equal(rule_of(s, "taylor"), 0);
    assert_int_equal(nss_users_asked, 1); /* not once per member: each may cost a time-out */
    assert_true(ei_snapshot_unresolved(s, "r3"));
    ei_snapshot_free(s);
}

static void test_first_trusted(void **state)
{
    static const struct {
        const char *defs;
        bool trusted;
    } table[] = {{NULL, true}, {"UMASK 022\nCHFN_RESTRICT\trwh\n", true}, {"CHFN_RESTRICT frwh\n", false}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        host(ROOT_PASSWD TAYLOR, ROOT_GROUP, table[i].defs);
        struct ei_snapshot *s = scan();
        assert_int_equal(s->first_trusted, table[i].trusted);
        ei_snapshot_free(s);
    }
    unlink(defs_path);
    assert_int_equal(mkdir(defs_path, 0700), 0); /* cannot be read: not trusted */
    struct ei_snapshot *s = scan();
    assert_false(s->first_trusted);
    assert_true(s->whole);
    ei_snapshot_free(s);
    rmdir(defs_path);
}

static void look(const char *login, int rule)
{
    struct ei_entry entry;
    bool trusted = false;
    struct ei_error err = {0};
    assert_int_equal(ei_scan_login(&coverage, &files, login, &entry, &trusted, &err), EI_OK);
    assert_string_equal(entry.login, login);
    assert_int_equal(entry.rule, rule);
    assert_true(entry.local);
    assert_true(trusted);
    ei_entry_clear(&entry);
}

static void test_login(void **state)
{
    struct ei_entry entry;
    bool trusted;
    struct ei_error err = {0};
    (void)state;

    host(ROOT_PASSWD "low:x:999:2001::/:/bin/sh\n" TAYLOR ROBIN "sam:x:1003:2002::/home/sam:/bin/sh\n",
         ROOT_GROUP "vendors:x:2002:taylor,remote\nmore:x:2002:robin\n", NULL);
    nss_group = "partners";
    nss_members[0] = (char *)"taylor";
    nss_user = "remote";
    look("taylor", 1); /* partners is not local: the next reading tells */
    look("sam", 1);
    look("robin", 1);
    look("low", -1);
    assert_int_equal(ei_scan_login(&coverage, &files, "nosuch", &entry, &trusted, &err), EI_NOT_FOUND);
    assert_non_null(strstr(err.message, "nosuch"));
    assert_int_equal(ei_scan_login(&coverage, &files, "remote", &entry, &trusted, &err), EI_NOT_FOUND);
    assert_int_equal(nss_users_asked, 0); /* a source that hangs must not hold up the loop */
    /* never a path or a shell word (S13; host-facts, section 1) */
    assert_int_equal(ei_scan_login(&coverage, &files, "../../etc/x $(id)", &entry, &trusted, &err), EI_NOT_FOUND);
}

/* 100,000 accounts, all of them members: what is quadratic would not end within the test's time. */
static void test_large(void **state)
{
    enum { MANY = 100000 };
    (void)state;
    FILE *passwd = fopen(passwd_path, "we");
    FILE *group = fopen(group_path, "we");
    assert_non_null(passwd);
    assert_non_null(group);
    fputs(ROOT_PASSWD, passwd);
    fputs(ROOT_GROUP "vendors:x:2002:\npartners:x:2001:u0", group);
    for (int i = 0; i < MANY; i++)
        fprintf(passwd, "u%d:x:%d:100:User <u%d@fabrikam.com>:/home/u:/bin/sh\n", i, 100000 + i, i);
    for (int i = 1; i < MANY; i++)
        fprintf(group, ",u%d", i);
    fputs("\n", group);
    fclose(passwd);
    fclose(group);
    struct ei_snapshot *s = scan();
    assert_true(s->whole);
    assert_int_equal(s->count, MANY);
    assert_int_equal(rule_of(s, "u99999"), 0);
    assert_int_equal(nss_users_asked, 0);
    ei_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_coverage, reset),       cmocka_unit_test_setup(test_not_whole, reset),
        cmocka_unit_test_setup(test_unusable_files, reset), cmocka_unit_test_setup(test_torn, reset),
        cmocka_unit_test_setup(test_compat, reset),         cmocka_unit_test_setup(test_duplicate, reset),
        cmocka_unit_test_setup(test_missing_group, reset),  cmocka_unit_test_setup(test_group_elsewhere, reset),
        cmocka_unit_test_setup(test_source_fails, reset),   cmocka_unit_test_setup(test_first_trusted, reset),
        cmocka_unit_test_setup(test_login, reset),          cmocka_unit_test_setup(test_large, reset),
    };
    if (mkdtemp(directory) == NULL)
        return 1;
    snprintf(passwd_path, sizeof passwd_path, "%s/passwd", directory);
    snprintf(group_path, sizeof group_path, "%s/group", directory);
    snprintf(defs_path, sizeof defs_path, "%s/login.defs", directory);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(passwd_path);
    unlink(group_path);
    unlink(defs_path);
    rmdir(directory);
    return failed;
}
