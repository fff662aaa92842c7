/* doctor: whether the gate stands in the way of every service that opens sessions (host-facts B5, B6). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin/cli/doctor.h"
#include "plugin/cli/pam_stack.h"
#include "plugin/cli/sshd_config.h"

static const char module_name[] = "pam_entra_invite.so";
static const char enable[] = "pam-auth-update --enable entra-invite (elsewhere: the lines in pam_entra_invite(8))";
static const char first[] =
    "let the gate's line be the first account line: pam-auth-update --enable entra-invite (elsewhere see "
    "pam_entra_invite(8))";
static const char use_packaged[] =
    "use the control of the package: [success=ignore ignore=ignore module_unknown=ignore default=die]";

/* Of the services that judge new sessions, those that a host may lack included. */
static const char *const services[] = {"sshd", "login", "su", "su-l", "cron", "crond", "atd", "systemd-user"};
enum { SERVICES = sizeof services / sizeof services[0] };

/* --- the line itself --- */

static bool module_is_there(const struct ei_doctor *doctor, const char *module)
{
    static const char *const folders[] = {
        "/usr/lib/*/security/pam_entra_invite.so",
        "/lib/*/security/pam_entra_invite.so",
        "/usr/lib64/security/pam_entra_invite.so",
        "/lib64/security/pam_entra_invite.so",
        "/usr/lib/security/pam_entra_invite.so",
        "/lib/security/pam_entra_invite.so",
        NULL,
    };
    const char *const itself[] = {module, NULL};

    return ei_doctor_exists(doctor, *module == '/' ? itself : folders);
}

static bool refuses(const char *control, const char *answer)
{
    return ei_pam_action_is(control, answer, "die") || ei_pam_action_is(control, answer, "bad");
}

/* What its control makes of the answers that the module gives (pam_entra_invite(8)). NULL: what it should. */
static const char *wrong_control(const char *control, enum ei_finding_status *status)
{
    *status = EI_FINDING_FAILED;
    if (!refuses(control, "perm_denied") || !refuses(control, "authinfo_unavail"))
        return "its control does not let it refuse anybody";
    if (!ei_pam_action_is(control, "ignore", "ignore"))
        return "its control refuses everybody whom no rule covers";
    if (!ei_pam_action_is(control, "success", "ignore") && !ei_pam_action_is(control, "success", "ok"))
        return "its control skips the rest of the stack for whoever has accepted: expired accounts and passwords too";
    *status = EI_FINDING_WARNING;
    if (!ei_pam_action_is(control, "module_unknown", "ignore"))
        return "its control locks everybody out when the module's file is missing";
    return NULL;
}

/* Lines that are there to let root through, and nobody else. */
static bool is_roots(const struct ei_pam_line *line)
{
    return strcmp(line->module, "pam_rootok.so") == 0 ||
           (strcmp(line->module, "pam_succeed_if.so") == 0 && strstr(line->arguments, "uid = 0") != NULL);
}

static void add_place(struct ei_doctor *doctor, const char *service, const struct ei_pam_stack *stack, size_t at)
{
    const struct ei_check check = {"gate", "pam-stack"};
    const struct ei_pam_line *gate = &stack->lines[at];
    size_t hidden_by = ei_pam_stack_hidden_by(stack, at);
    enum ei_finding_status status = EI_FINDING_OK;
    const char *wrong = wrong_control(gate->control, &status);

    if (hidden_by != stack->count) {
        const struct ei_pam_line *line = &stack->lines[hidden_by];
        ei_finding_add(doctor->findings, check, is_roots(line) ? EI_FINDING_WARNING : EI_FINDING_FAILED, first,
                       "%s: %s at %s may let in without asking the gate at %s%s", service, line->module, line->where,
                       gate->where, is_roots(line) ? " (root only)" : "");
    } else if (wrong != NULL) {
        ei_finding_add(doctor->findings, check, status, use_packaged, "%s: %s: %s", service, gate->where, wrong);
    } else if (strstr(gate->arguments, "pending=warn") != NULL) {
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING, "when `list` shows what you expect, take it out",
                       "%s: the gate only warns (pending=warn at %s)", service, gate->where);
    } else {
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "%s: the gate at %s is asked", service,
                       gate->where);
    }
}

/* --- the services --- */

struct gate {
    size_t present; /* services of this host */
    size_t with;    /* of those: with the gate's line */
    bool module;    /* its file is there, wherever a line names it */
};

static void look(const struct ei_doctor *doctor, struct gate *gate)
{
    gate->module = true;
    for (size_t i = 0; i < SERVICES; i++) {
        struct ei_pam_stack stack;
        if (!ei_pam_stack_read(doctor->root, services[i], "account", &stack))
            continue;
        size_t at = ei_pam_stack_find(&stack, module_name);
        gate->present++;
        gate->with += at != stack.count;
        if (at != stack.count && !module_is_there(doctor, stack.lines[at].module))
            gate->module = false;
        ei_pam_stack_free(&stack);
    }
}

static void add_service(struct ei_doctor *doctor, const char *service)
{
    static const struct ei_check check = {"gate", "pam-stack"};
    struct ei_pam_stack stack;

    if (!ei_pam_stack_read(doctor->root, service, "account", &stack))
        return;
    size_t at = ei_pam_stack_find(&stack, module_name);
    if (at != stack.count)
        add_place(doctor, service, &stack, at);
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, first,
                       "%s: the gate is not in its stack, but in those of other services", service);
    if (stack.missing != NULL)
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, "restore the file, or take the line out",
                       "%s: %s is included and does not exist: nobody gets in", service, stack.missing);
    ei_pam_stack_free(&stack);
}

static void add_gate(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"gate", "pam-module"};
    struct gate gate = {0};

    look(doctor, &gate);
    if (gate.with == 0) {
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING, enable,
                       "the gate is off: no service has its line, so nobody is kept out");
        return;
    }
    if (!gate.module)
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED,
                       "install libpam-entra-invite, or pam-auth-update --disable entra-invite",
                       "%s is in the stack and its file is not there: the gate is off, or nobody gets in", module_name);
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "%s is there", module_name);
    for (size_t i = 0; i < SERVICES; i++)
        add_service(doctor, services[i]);
}

/* newusers runs no hooks: its accounts are announced by the password line (host-facts B2). */
static void add_newusers(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"gate", "pam-password"};
    struct ei_pam_stack stack;

    if (!ei_pam_stack_read(doctor->root, "newusers", "password", &stack))
        return;
    if (ei_pam_stack_find(&stack, module_name) != stack.count)
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "newusers announces its accounts");
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_SKIPPED, enable,
                       "newusers announces nothing: its accounts are found when the account files change");
    ei_pam_stack_free(&stack);
}

static void add_sshd(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"gate", "sshd-usepam"};
    static const char *const sshd[] = {"/usr/sbin/sshd", NULL};
    bool use_pam = false;

    if (!ei_doctor_exists(doctor, sshd))
        ei_finding_add(doctor->findings, check, EI_FINDING_SKIPPED, NULL, "there is no sshd on this host");
    else if (!(*doctor->root == '\0' && ei_sshd_says_use_pam(&use_pam)) &&
             !ei_sshd_reads_use_pam(doctor->root, &use_pam))
        ei_finding_add(doctor->findings, check, EI_FINDING_SKIPPED, NULL, "sshd has no configuration");
    else if (use_pam)
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "sshd asks PAM (UsePAM yes)");
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, "set UsePAM yes in sshd_config and reload sshd",
                       "sshd does not ask PAM (UsePAM no): the gate does not see who comes by ssh");
}

void ei_doctor_pam(struct ei_doctor *doctor)
{
    add_gate(doctor);
    add_newusers(doctor);
    add_sshd(doctor);
}
