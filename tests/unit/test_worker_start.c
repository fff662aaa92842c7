/* How entra-invited starts: its options, the user it runs as, and what it keeps to itself (K4, K6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <grp.h>

#include "tests/unit/worker_fixture.h"

#define NOBODY 65534

static char *first_line(const char *path)
{
    char *line = strdup(read_text(path));

    assert_non_null(line);
    line[strcspn(line, "\n")] = '\0';
    return line;
}

/* --- the command line --- */

#define WORKER(...) RUN_WORDS(program("entra-invited"), __VA_ARGS__)

static void answers_help_and_version(void **state)
{
    NEEDS_SIMULATOR();
    assert_int_equal(WORKER("--help"), 0);
    said("usage: entra-invited", true);
    said("--test", true);
    assert_int_equal(WORKER("--version"), 0);
    assert_string_equal(worker.output, "entra-invited " EI_VERSION "\n");
}

static void wrong_usage_is_exit_code_2(void **state)
{
    NEEDS_SIMULATOR();
    assert_int_equal(WORKER("--nothing"), 2);
    said("usage: entra-invited", true);
    assert_int_equal(WORKER("--config"), 2);
    assert_int_equal(WORKER("--config", TEST_CONFIG, "--test", "now"), 2);
    assert_int_equal(WORKER("--test=yes"), 2);
}

static void test_checks_and_leaves_everything_as_it_is(void **state)
{
    NEEDS_SIMULATOR();
    assert_int_equal(WORKER("--config", TEST_CONFIG, "--test"), 0);
    said("good", true);
    assert_int_equal(access(EI_STATE_DIR, F_OK), -1);
    assert_int_equal(access(EI_RUN_DIR, F_OK), -1);
}

/* Each is exit code 6, started as well as tested, and says which file, which line, which key. */
static void a_wrong_configuration_is_exit_code_6(void **state)
{
    static const struct {
        const char *lines;
        const char *named;
    } cases[] = {
        {RULES "colour = \"green\";\n", "entra-invite.conf:9: colour"},
        {RULES "max_new = \"many\";\n", "max_new"},
        {RULES "hook_wait = 61;\n", "hook_wait"},
        {"rules = ( { name = \"p\"; group = \"wheel\"; } );\n", "wheel"},
        {"rules = ( ;\n", "entra-invite.conf:8"},
    };

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_config(cases[i].lines);
        assert_int_equal(WORKER("--config", TEST_CONFIG, "--test"), 6);
        said(cases[i].named, true);
        assert_int_equal(WORKER("--config", TEST_CONFIG, "--foreground"), 6);
        said(cases[i].named, true);
    }
    assert_int_equal(WORKER("--config", AREA "/nowhere.conf", "--test"), 6);
    said(AREA "/nowhere.conf", true);
}

/* Nothing of a secret's file is ever said, whatever is wrong with it (S25, K3). */
static void a_wrong_secret_file_is_exit_code_6(void **state)
{
    char *secret;

    NEEDS_SIMULATOR();
    secret = first_line(TEST_SECRET);
    assert_int_equal(chmod(TEST_SECRET, 0640), 0);
    assert_int_equal(WORKER("--config", TEST_CONFIG, "--test"), 6);
    said(TEST_SECRET, true);
    said("0600", true);
    said(secret, false);
    assert_int_equal(chmod(TEST_SECRET, 0600), 0);
    assert_int_equal(rename(TEST_SECRET, AREA "/other"), 0);
    assert_int_equal(WORKER("--config", TEST_CONFIG, "--foreground", "--debug"), 6);
    said(TEST_SECRET, true);
    assert_int_equal(symlink(AREA "/other", TEST_SECRET), 0);
    assert_int_equal(WORKER("--config", TEST_CONFIG, "--test"), 6);
    said(secret, false);
    assert_int_equal(rename(AREA "/other", TEST_SECRET), 0);
    free(secret);
}

/* --- whom it runs as --- */

static void all_ids_are(const char *key, unsigned id)
{
    char wanted[128];

    snprintf(wanted, sizeof wanted, "\n%s:\t%u\t%u\t%u\t%u\n", key, id, id, id, id);
    if (strstr(read_proc("status"), wanted) == NULL)
        fail_msg("not %s in: %s", wanted, read_proc("status"));
}

/* other: a second one, 0 for none. */
static void only_groups_are(unsigned id, unsigned other)
{
    char wanted[128];

    if (other == 0)
        snprintf(wanted, sizeof wanted, "\nGroups:\t%u \n", id);
    else
        snprintf(wanted, sizeof wanted, "\nGroups:\t%u %u \n", id < other ? id : other, id < other ? other : id);
    if (strstr(read_proc("status"), wanted) == NULL)
        fail_msg("not %s in: %s", wanted, read_proc("status"));
}

/* contract 1.6: the Arc agent's keys are for the group himds. */
static void started_as_root_it_has_the_service_users_groups(void **state)
{
    NEEDS_SIMULATOR();
    must(RUN_WORDS("groupadd", "--system", "himds"));
    must(RUN_WORDS("usermod", "-a", "-G", "himds", EI_SERVICE_USER));
    gid_t agents = getgrnam("himds")->gr_gid;
    launch((struct start){0});
    wait_ready();
    only_groups_are(service_gid(), agents);
    must(RUN_WORDS("groupdel", "himds"));
}

static void started_as_root_it_runs_as_the_service_user(void **state)
{
    struct stat st;

    NEEDS_SIMULATOR();
    launch((struct start){0});
    wait_ready();
    all_ids_are("Uid", service_uid());
    all_ids_are("Gid", service_gid());
    only_groups_are(service_gid(), 0);
    assert_non_null(strstr(read_proc("status"), "\nCapPrm:\t0000000000000000\n"));
    assert_non_null(strstr(read_proc("status"), "\nCapEff:\t0000000000000000\n"));
    assert_int_equal(stat(EI_STATE_DIR "/private", &st), 0);
    assert_int_equal(st.st_uid, service_uid());
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(EI_STATE_DIR "/private/entra-invite.db", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(EI_VIEW_PATH, &st), 0);
    assert_int_equal(st.st_uid, service_uid());
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(stat(EI_SOCKET_PATH, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void started_as_the_service_user_it_just_runs(void **state)
{
    NEEDS_SIMULATOR();
    launch((struct start){0}); /* makes the directories */
    wait_ready();
    assert_int_equal(stop_worker(SIGTERM), 0);
    close(worker.notify_fd);
    assert_int_equal(chown(TEST_SECRET, service_uid(), (gid_t)-1), 0);
    must(RUN_WORDS(program("entra-invited"), "--config", TEST_CONFIG, "--test")); /* as root it may, too */
    launch((struct start){.as_service_user = true});
    wait_ready();
    all_ids_are("Uid", service_uid());
    assert_int_equal(CLI("list"), 0);
    assert_int_equal(stop_worker(SIGTERM), 0);
    assert_int_equal(chown(TEST_SECRET, 0, (gid_t)-1), 0);
}

static void as_anybody_else_it_does_not_run(void **state)
{
    NEEDS_SIMULATOR();
    assert_int_equal(chown(TEST_SECRET, NOBODY, (gid_t)-1), 0);
    assert_int_equal(RUN_WORDS("setpriv", "--reuid", "65534", "--clear-groups", program("entra-invited"), "--config",
                               TEST_CONFIG, "--foreground"),
                     1);
    said("runs as root", true);
    assert_int_equal(chown(TEST_SECRET, 0, (gid_t)-1), 0);
}

static void without_its_user_it_names_the_mend(void **state)
{
    NEEDS_SIMULATOR();
    must(RUN_WORDS("usermod", "-l", "somebody-else", EI_SERVICE_USER));
    int exit_code = WORKER("--config", TEST_CONFIG, "--foreground");
    char *output = strdup(worker.output);
    must(RUN_WORDS("usermod", "-l", EI_SERVICE_USER, "somebody-else"));
    assert_int_equal(exit_code, 1);
    assert_non_null(strstr(output, "systemd-sysusers"));
    free(output);
}

/* --- what it keeps to itself --- */

/* As the service user, whom nothing but "not dumpable" keeps from tracing its own process (K4). */
static bool opens_as_service_user(const char *path)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        become_service_user();
        _exit(open(path, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void nobody_but_root_looks_into_its_memory(void **state)
{
    char path[64];

    NEEDS_SIMULATOR();
    launch((struct start){0});
    wait_ready();
    snprintf(path, sizeof path, "/proc/%d/status", worker.pid);
    assert_true(opens_as_service_user(path));
    snprintf(path, sizeof path, "/proc/%d/mem", worker.pid);
    assert_false(opens_as_service_user(path));
    snprintf(path, sizeof path, "/proc/%d/environ", worker.pid);
    assert_false(opens_as_service_user(path));
}

static void it_leaves_no_core(void **state)
{
    int status;

    NEEDS_SIMULATOR();
    launch((struct start){0});
    wait_ready();
    assert_non_null(strstr(read_proc("limits"), "Max core file size        0                    0 "));
    assert_int_equal(kill(worker.pid, SIGQUIT), 0);
    assert_int_equal(waitpid(worker.pid, &status, 0), worker.pid);
    worker.pid = 0;
    assert_true(WIFSIGNALED(status));
    assert_false(WCOREDUMP(status));
}

static void absent(const char *where, const char *text, const char *secret)
{
    if (strstr(text, secret) != NULL)
        fail_msg("a secret is in %s", where); /* not which: this is a log, too */
}

/* K6, at the highest verbosity and after a whole life: no secret, token or redeem URL outside memory and database. */
static void no_secret_is_anywhere_it_could_be_read(void **state)
{
    char *secret;
    char *url;

    NEEDS_SIMULATOR();
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    launch((struct start){.debug = true});
    wait_status("1 pending, 0 accepted, 0 failed");
    secret = first_line(TEST_SECRET);
    must(CLI("show", "taylor", "--json"));
    cJSON *account = ei_json_parse(worker.output, strlen(worker.output));
    url = strdup(ei_json_string(account, "inviteRedeemUrl"));
    cJSON_Delete(account);
    assert_true(strlen(secret) > 8 && strlen(url) > 20);
    CTL("redeem", "taylor@fabrikam.com");
    must(CLI("refresh", "--wait"));
    wait_status("0 pending, 1 accepted, 0 failed");

    const char *const secrets[] = {secret, url, strrchr(url, '?') + 1, "eyJ"}; /* the last: how each token begins */
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        absent("its command line", read_proc("cmdline"), secrets[i]);
        absent("its environment", read_proc("environ"), secrets[i]);
        absent("the view", read_text(EI_VIEW_PATH), secrets[i]);
        absent("the groups", read_text(EI_GROUPS_PATH), secrets[i]);
        absent("STATUS", worker.status, secrets[i]);
        absent("the database, after acceptance (K7)", read_text(EI_STATE_DIR "/private/entra-invite.db"), secrets[i]);
    }
    assert_int_equal(stop_worker(SIGTERM), 0);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        absent("the log", read_text(TEST_LOG), secrets[i]);
    free(secret);
    free(url);
}

/* --- SIGHUP --- */

/* What the administrator mended is tried at once: here a permission that was granted (design, Whose fault). */
static void sighup_tries_again_at_once(void **state)
{
    NEEDS_SIMULATOR();
    CTL("set", "roles", "[\"User.Read.All\"]");
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    launch((struct start){0});
    wait_status("1 queued, 0 pending, 0 accepted, 0 failed; blocked: permission");
    CTL("set", "roles", "[\"User.Invite.All\",\"User.Read.All\"]");
    assert_int_equal(kill(worker.pid, SIGHUP), 0);
    wait_status("1 pending, 0 accepted, 0 failed");
    assert_int_equal(worker.ready, 1);
    assert_int_equal(stop_worker(SIGTERM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(answers_help_and_version),
        T(wrong_usage_is_exit_code_2),
        T(test_checks_and_leaves_everything_as_it_is),
        T(a_wrong_configuration_is_exit_code_6),
        T(a_wrong_secret_file_is_exit_code_6),
        T(started_as_root_it_runs_as_the_service_user),
        T(started_as_root_it_has_the_service_users_groups),
        T(started_as_the_service_user_it_just_runs),
        T(as_anybody_else_it_does_not_run),
        T(without_its_user_it_names_the_mend),
        T(nobody_but_root_looks_into_its_memory),
        T(it_leaves_no_core),
        T(no_secret_is_anywhere_it_could_be_read),
        T(sighup_tries_again_at_once),
    };
    return cmocka_run_group_tests(tests, lab_start, sim_stop);
}
