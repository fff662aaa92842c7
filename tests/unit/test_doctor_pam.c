/* doctor's reading of PAM stacks, sshd_config, hooks and nsswitch.conf, in a host that is made up of files
 * (host-facts B3, B5, B6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "plugin/cli/doctor.h"
#include "plugin/cli/pam_stack.h"
#include "plugin/cli/sshd_config.h"

#define GATE   "account [success=ignore ignore=ignore module_unknown=ignore default=die] pam_entra_invite.so\n"
#define UNIX   "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"
#define DENY   "account requisite pam_deny.so\n"
#define PERMIT "account required pam_permit.so\n"

enum { PATH_SIZE = 256 };

struct host {
    char root[64];
    struct ei_doctor doctor;
};

static int set_up(void **state)
{
    struct host *host = calloc(1, sizeof *host);

    assert_non_null(host);
    snprintf(host->root, sizeof host->root, "/tmp/ei-doctor-XXXXXX");
    assert_non_null(mkdtemp(host->root));
    host->doctor = (struct ei_doctor){.root = host->root, .findings = cJSON_CreateArray()};
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    struct host *host = *state;
    char command[PATH_SIZE];

    snprintf(command, sizeof command, "rm -rf %s", host->root);
    assert_int_equal(system(command), 0);
    cJSON_Delete(host->doctor.findings);
    free(host);
    return 0;
}

/* Makes the file with its folders. */
static void put_mode(const struct host *host, const char *path, const char *text, mode_t mode)
{
    char full[PATH_SIZE];

    snprintf(full, sizeof full, "%s%s", host->root, path);
    for (char *slash = strchr(full + strlen(host->root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(full, mode), 0);
}

static void put(const struct host *host, const char *path, const char *text)
{
    put_mode(host, path, text, 0644);
}

static void forget(struct host *host)
{
    cJSON_Delete(host->doctor.findings);
    host->doctor.findings = cJSON_CreateArray();
}

/* The one finding of this check whose text has part; what it says otherwise is in the failure. */
static void found(const struct host *host, const char *check, const char *status, const char *part)
{
    const cJSON *finding;
    char *all = cJSON_Print(host->doctor.findings);

    cJSON_ArrayForEach(finding, host->doctor.findings)
    {
        if (strcmp(ei_json_string(finding, "check"), check) == 0 &&
            strstr(ei_json_string(finding, "what"), part) != NULL) {
            if (strcmp(ei_json_string(finding, "status"), status) != 0)
                fail_msg("%s, %s: not %s in %s", check, part, status, all);
            if (strcmp(status, "ok") != 0 && strcmp(status, "skipped") != 0)
                assert_non_null(ei_json_string(finding, "mend"));
            free(all);
            return;
        }
    }
    fail_msg("no finding %s with %s in %s", check, part, all);
}

static size_t hidden_by(const struct host *host, const char *text)
{
    struct ei_pam_stack stack;

    put(host, "/etc/pam.d/test", text);
    assert_true(ei_pam_stack_read(host->root, "test", "account", &stack));
    size_t at = ei_pam_stack_find(&stack, "pam_entra_invite.so");
    assert_true(at < stack.count);
    size_t by = ei_pam_stack_hidden_by(&stack, at);
    by = by == stack.count ? 99 : by;
    ei_pam_stack_free(&stack);
    return by;
}

static void a_stack_is_read_as_libpam_does(void **state)
{
    struct host *host = *state;
    struct ei_pam_stack stack;
    char where[PATH_SIZE];

    put(host, "/etc/pam.d/common",
        "# comment\n\nauth required pam_unix.so\n-ACCOUNT\t[success=1 \\\n default=ignore]  /x/pam_unix.so  a=b [c d] "
        "# e\n"
        "account sub-required\n");
    put(host, "/usr/lib/pam.d/inner", "account required pam_time.so\n");
    put(host, "/etc/pam.d/sshd",
        "account required pam_nologin.so\n@include common\naccount substack inner\naccount include inner\n"
        "account include nowhere\n");
    assert_true(ei_pam_stack_read(host->root, "sshd", "account", &stack));
    assert_int_equal(stack.count, 5);
    assert_string_equal(stack.lines[0].module, "pam_nologin.so");
    assert_string_equal(stack.lines[1].module, "/x/pam_unix.so");
    assert_string_equal(stack.lines[1].control, "success=1   default=ignore");
    assert_string_equal(stack.lines[1].arguments, "a=b [c d]");
    snprintf(where, sizeof where, "%s/etc/pam.d/common:5", host->root);
    assert_string_equal(stack.lines[1].where, where);
    assert_string_equal(stack.lines[2].module, "");
    assert_int_equal(stack.lines[2].level, 0);
    assert_int_equal(stack.lines[3].level, 1);
    assert_int_equal(stack.lines[4].level, 0);
    assert_string_equal(stack.missing, "nowhere");
    assert_int_equal(ei_pam_stack_find(&stack, "pam_unix.so"), 1);
    ei_pam_stack_free(&stack);
    assert_false(ei_pam_stack_read(host->root, "cron", "account", &stack));
    /* what a service does not say, "other" does */
    put(host, "/etc/pam.d/cron", "session required pam_limits.so\n");
    put(host, "/etc/pam.d/other", "account required pam_deny.so\n");
    assert_true(ei_pam_stack_read(host->root, "cron", "account", &stack));
    assert_int_equal(stack.count, 1);
    ei_pam_stack_free(&stack);
    /* a file that includes itself ends */
    put(host, "/etc/pam.d/loop", "account include loop\n");
    assert_false(ei_pam_stack_read(host->root, "loop", "account", &stack));
}

static void what_ends_a_stack_hides_what_is_behind(void **state)
{
    struct host *host = *state;

    assert_int_equal(hidden_by(host, GATE UNIX DENY PERMIT), 99);
    assert_int_equal(hidden_by(host, "account required pam_nologin.so\naccount requisite pam_x.so\n" GATE), 99);
    assert_int_equal(hidden_by(host, "account optional pam_x.so\n" GATE), 99);
    /* B6: an expired password ends the stack */
    assert_int_equal(hidden_by(host, UNIX DENY PERMIT GATE), 0);
    /* B5: local users end it */
    assert_int_equal(hidden_by(host, PERMIT "account sufficient pam_localuser.so\n" GATE), 1);
    assert_int_equal(hidden_by(host, "account [default=done] pam_x.so\n" GATE), 0);
    /* jumps: up to it, and over it */
    assert_int_equal(hidden_by(host, "account [success=1 default=ignore] pam_x.so\n" DENY GATE), 99);
    assert_int_equal(hidden_by(host, "account [success=2 default=ignore] pam_x.so\n" DENY GATE), 0);
    assert_int_equal(hidden_by(host, "account [success=ok default=1] pam_x.so\n" GATE), 0);
    /* die is a refusal */
    assert_int_equal(hidden_by(host, "account [success=ok default=die] pam_x.so\n" GATE), 99);
}

static void the_end_of_a_substack_is_its_own(void **state)
{
    struct host *host = *state;

    put(host, "/etc/pam.d/sub", "account sufficient pam_localuser.so\naccount required pam_x.so\n");
    put(host, "/etc/pam.d/late", "account sufficient pam_localuser.so\n" GATE);
    assert_int_equal(hidden_by(host, "account substack sub\n" GATE), 99);
    assert_int_equal(hidden_by(host, "account include sub\n" GATE), 0);
    assert_int_equal(hidden_by(host, "account substack late\n"), 1);
    /* a substack is one line to a jump */
    assert_int_equal(hidden_by(host, "account [success=1 default=ignore] pam_x.so\naccount substack sub\n" GATE), 99);
    assert_int_equal(hidden_by(host, "account [success=2 default=ignore] pam_x.so\naccount substack sub\n" GATE), 0);
}

static void controls_mean_what_the_manual_says(void **state)
{
    (void)state;
    assert_true(ei_pam_action_is("required", "perm_denied", "bad"));
    assert_true(ei_pam_action_is("requisite", "perm_denied", "die"));
    assert_true(ei_pam_action_is("sufficient", "success", "done"));
    assert_true(ei_pam_action_is("optional", "perm_denied", "ignore"));
    assert_true(ei_pam_action_is("success=ok default=die", "perm_denied", "die"));
    assert_true(ei_pam_action_is("success=ok", "perm_denied", "bad"));
    assert_true(ei_pam_action_is("success=ignore ignore=2", "ignore", "2"));
    assert_false(ei_pam_action_is("success=done", "success", "do"));
}

static void judge(struct host *host, const char *sshd)
{
    forget(host);
    put(host, "/etc/pam.d/sshd", sshd);
    ei_doctor_pam(&host->doctor);
}

static void the_gate_is_judged_service_by_service(void **state)
{
    static const struct {
        const char *sshd;
        const char *status;
        const char *part;
    } rows[] = {
        {GATE UNIX, "ok", "sshd: the gate at"},
        {"account required pam_entra_invite.so\n", "warning", "locks everybody out when"},
        {"account optional pam_entra_invite.so\n", "failed", "does not let it refuse"},
        {"account [success=ignore default=die] pam_entra_invite.so\n", "failed", "whom no rule covers"},
        {"account [success=done ignore=ignore default=die] pam_entra_invite.so\n", "failed", "skips the rest"},
        {"account sufficient pam_localuser.so\n" GATE, "failed", "pam_localuser.so at"},
        {"account sufficient pam_rootok.so\n" GATE, "warning", "(root only)"},
        {"account sufficient pam_succeed_if.so uid = 0 use_uid quiet\n" GATE, "warning", "(root only)"},
        {"account [ignore=ignore module_unknown=ignore success=ok default=bad] pam_entra_invite.so pending=warn\n",
         "warning", "only warns"},
        {UNIX, "failed", "sshd: the gate is not in its stack"},
    };
    struct host *host = *state;

    put(host, "/usr/lib/x86_64-linux-gnu/security/pam_entra_invite.so", "");
    put(host, "/etc/pam.d/login", GATE UNIX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        judge(host, rows[i].sshd);
        found(host, "pam-stack", rows[i].status, rows[i].part);
        found(host, "pam-stack", "ok", "login: the gate at");
        found(host, "pam-module", "ok", "is there");
    }
    judge(host, GATE "account include nowhere\n");
    found(host, "pam-stack", "failed", "nowhere is included");
}

static void a_gate_that_is_off_or_has_no_module(void **state)
{
    struct host *host = *state;

    put(host, "/etc/pam.d/login", UNIX);
    judge(host, UNIX);
    found(host, "pam-module", "warning", "the gate is off");
    judge(host, GATE);
    found(host, "pam-module", "failed", "its file is not there");
    put(host, "/opt/pam_entra_invite.so", "");
    judge(host, "account [success=ignore ignore=ignore module_unknown=ignore default=die] /opt/pam_entra_invite.so\n");
    found(host, "pam-module", "ok", "is there");
    put(host, "/etc/pam.d/newusers", "password required pam_unix.so\n");
    judge(host, GATE);
    found(host, "pam-password", "skipped", "announces nothing");
    put(host, "/etc/pam.d/newusers", "password required pam_unix.so\npassword optional pam_entra_invite.so\n");
    judge(host, GATE);
    found(host, "pam-password", "ok", "announces");
}

static void use_pam_is_read_as_sshd_does(void **state)
{
    static const struct {
        const char *config;
        const char *part; /* what /etc/ssh/sshd_config.d/10.conf has */
        bool use_pam;
    } rows[] = {
        {"", "", false},
        {"UsePAM yes\n", "", true},
        {"usepam=yes\n", "", true},
        {"#UsePAM yes\n", "", false},
        {"UsePAM no\nUsePAM yes\n", "", false},
        {"Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n", "UsePAM no\n", false},
        {"Include sshd_config.d/*.conf\n", "UsePAM yes\n", true},
        {"UsePAM yes\nInclude sshd_config.d/*.conf\n", "UsePAM no\n", true},
        {"Include nothing/*.conf\nUsePAM yes\n", "", true},
        {"Include sshd_config.d/*.conf\nUsePAM yes\n", "Match User x\nUsePAM no\n", true},
        {"Match User x\nUsePAM yes\n", "", false},
    };
    struct host *host = *state;
    bool use_pam = true;

    assert_false(ei_sshd_reads_use_pam(host->root, &use_pam));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put(host, "/etc/ssh/sshd_config", rows[i].config);
        put(host, "/etc/ssh/sshd_config.d/10.conf", rows[i].part);
        assert_true(ei_sshd_reads_use_pam(host->root, &use_pam));
        if (use_pam != rows[i].use_pam)
            fail_msg("row %zu: %d", i, use_pam);
    }
    put(host, "/etc/pam.d/login", GATE);
    judge(host, GATE);
    found(host, "sshd-usepam", "skipped", "no sshd");
    put(host, "/usr/sbin/sshd", "");
    judge(host, GATE);
    found(host, "sshd-usepam", "failed", "UsePAM no");
    put(host, "/etc/ssh/sshd_config", "UsePAM yes\n");
    judge(host, GATE);
    found(host, "sshd-usepam", "ok", "UsePAM yes");
}

static void look_at_hooks(struct host *host)
{
    forget(host);
    ei_doctor_hooks(&host->doctor);
}

static void a_useradd_that_cannot_be_read(void **state)
{
    struct host *host = *state;

    put(host, "/usr/sbin/useradd/in-its-place", "");
    look_at_hooks(host);
    found(host, "hooks", "warning", "whether it runs hooks is not known");
}

static void a_folder_of_hooks_that_cannot_be_read(void **state)
{
    struct host *host = *state;

    put(host, "/usr/sbin/useradd", "xx/etc/shadow-maint/useradd-post.dxx");
    put(host, "/etc/shadow-maint/useradd-post.d", "");
    look_at_hooks(host);
    found(host, "hook-folder", "warning", "what else runs with the hook is not known");
}

static void hooks_must_run_and_be_roots(void **state)
{
    static const char add[] = "/etc/shadow-maint/useradd-post.d/entra-invite";
    static const char delete[] = "/etc/shadow-maint/userdel-post.d/entra-invite";
    struct host *host = *state;
    char script[2 * PATH_SIZE];
    char owned[PATH_SIZE];

    look_at_hooks(host);
    found(host, "hooks", "skipped", "runs no hooks");
    put(host, "/usr/sbin/useradd", "xx/etc/shadow-maint/useradd-post.dxx");
    look_at_hooks(host);
    found(host, "hook", "warning", add);
    snprintf(script, sizeof script, "#!/bin/sh\n[ -x /usr/libexec/hook ] && /usr/libexec/hook; exit 0\n");
    put_mode(host, add, script, 0755);
    put_mode(host, delete, script, 0755);
    look_at_hooks(host);
    found(host, "hook", geteuid() == 0 ? "ok" : "failed", add);
    if (geteuid() != 0)
        return;
    found(host, "hook-program", "warning", "/usr/libexec/hook, which the hook runs");
    put_mode(host, "/usr/libexec/hook", "", 0755);
    look_at_hooks(host);
    assert_int_equal(cJSON_GetArraySize(host->doctor.findings), 2);
    put_mode(host, add, script, 0644);
    put_mode(host, delete, script, 0777);
    look_at_hooks(host);
    found(host, "hook", "failed", "cannot be run");
    found(host, "hook", "failed", "can be changed by others");
    put_mode(host, add, script, 0755);
    snprintf(owned, sizeof owned, "%s%s", host->root, add);
    assert_int_equal(chown(owned, 65534, 65534), 0);
    look_at_hooks(host);
    found(host, "hook", "failed", "uid 65534");
    put_mode(host, "/etc/shadow-maint/useradd-post.d/README", "text\n", 0644);
    put_mode(host, "/etc/shadow-maint/useradd-post.d/other", "text\n", 0755);
    put_mode(host, "/etc/shadow-maint/useradd-post.d/good", "#!/bin/sh\n", 0755);
    look_at_hooks(host);
    found(host, "hook-folder", "failed", "useradd-post.d/README");
    found(host, "hook-folder", "failed", "useradd-post.d/other");
    put_mode(host, add, "#!/bin/sh\nexit 0\n", 0755);
    assert_int_equal(chown(owned, 0, 0), 0);
    look_at_hooks(host);
    found(host, "hook-program", "warning", "is not the script");
}

static void nsswitch_and_its_module(void **state)
{
    struct host *host = *state;

    ei_doctor_nss(&host->doctor);
    found(host, "nss", "skipped", "not installed");
    put(host, "/etc/nsswitch.conf",
        "passwd: files entra_invite\n# group: entra_invite\ngroup:\tfiles # entra_invite\n");
    forget(host);
    ei_doctor_nss(&host->doctor);
    found(host, "nss", "skipped", "not installed");
    put(host, "/etc/nsswitch.conf", "group:  files  entra_invite\n");
    forget(host);
    ei_doctor_nss(&host->doctor);
    found(host, "nss", "failed", "its module is not installed");
    put(host, "/usr/lib/x86_64-linux-gnu/libnss_entra_invite.so.2", "");
    forget(host);
    ei_doctor_nss(&host->doctor);
    found(host, "nss", "warning", "do not exist");
}

#define HOST_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(a_stack_is_read_as_libpam_does),
        HOST_TEST(what_ends_a_stack_hides_what_is_behind),
        HOST_TEST(the_end_of_a_substack_is_its_own),
        cmocka_unit_test(controls_mean_what_the_manual_says),
        HOST_TEST(the_gate_is_judged_service_by_service),
        HOST_TEST(a_gate_that_is_off_or_has_no_module),
        HOST_TEST(use_pam_is_read_as_sshd_does),
        HOST_TEST(a_useradd_that_cannot_be_read),
        HOST_TEST(a_folder_of_hooks_that_cannot_be_read),
        HOST_TEST(hooks_must_run_and_be_roots),
        HOST_TEST(nsswitch_and_its_module),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
