/* doctor: the configuration, and what it names on this host. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "common/base/paths.h"
#include "plugin/cli/doctor.h"

static void add_groups(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"configuration", "group"};

    for (size_t i = 0; i < doctor->config->rule_count; i++) {
        const struct ei_rule *rule = &doctor->config->rules[i];
        errno = 0;
        if (getgrnam(rule->group) != NULL)
            ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "rule \"%s\": the group %s exists", rule->name,
                           rule->group);
        else if (errno == 0 || errno == ENOENT || errno == ESRCH)
            ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, ei_err_mend(EI_GROUP_MISSING),
                           "rule \"%s\": the group %s does not exist", rule->name, rule->group);
        else
            ei_finding_add(doctor->findings, check, EI_FINDING_WARNING,
                           "see what nsswitch.conf names for group; nothing is taken as removed meanwhile",
                           "rule \"%s\": the group %s cannot be looked up: %s", rule->name, rule->group,
                           strerror(errno));
    }
}

static void add_user(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"configuration", "service-user"};

    if (getpwnam(EI_SERVICE_USER) != NULL)
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "the user " EI_SERVICE_USER " exists");
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED,
                       "systemd-sysusers, or useradd -r -s /usr/sbin/nologin " EI_SERVICE_USER,
                       "the user " EI_SERVICE_USER ", which the worker runs as, does not exist");
}

static void add_warning(void *context, const char *text)
{
    static const struct ei_check check = {"configuration", "invitation"};
    struct ei_doctor *doctor = context;

    ei_finding_add(doctor->findings, check, EI_FINDING_WARNING,
                   "correct it in the configuration, see "
                   "entra-invite.conf(5)",
                   "%s", text);
}

/* Whoever invites becomes the sponsor, but an app is nobody (contract 2.2). */
static void add_sponsors(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"configuration", "sponsors"};

    for (size_t i = 0; i < doctor->config->rule_count; i++) {
        const struct ei_rule *rule = &doctor->config->rules[i];
        if (rule->invitation.sponsors.count != 0)
            ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "rule \"%s\": its guests get a sponsor",
                           rule->name);
        else if (ei_config_app_only(doctor->config))
            ei_finding_add(
                doctor->findings, check, EI_FINDING_WARNING,
                "set sponsors in invitation, for all rules or for this one: who is to be asked about a guest",
                "rule \"%s\": its guests have no sponsor, for an app that invites is none", rule->name);
        else
            ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL,
                           "rule \"%s\": whoever is signed in sponsors its guests", rule->name);
    }
}

/* One mail is promised per address and store (design, "One mail"). */
static void add_mail(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"configuration", "mail"};
    bool sends = false;

    for (size_t i = 0; i < doctor->config->rule_count; i++)
        sends = sends || doctor->config->rules[i].invitation.deliver != EI_CHANNEL_NONE;
    if (sends)
        ei_finding_add(
            doctor->findings, check, EI_FINDING_SKIPPED,
            "where several hosts invite the same people, let one of them send, or share one store",
            "invitations are carried to the partner once per address for this host's records; other hosts are not "
            "seen from here");
}

void ei_doctor_config(struct ei_doctor *doctor, struct ei_config **ret_config)
{
    static const struct ei_check check = {"configuration", "configuration"};
    struct ei_error err;

    ei_error_clear(&err);
    if (ei_config_load(doctor->cli->config_path, ret_config, &err) != EI_OK) {
        ei_finding_add_error(doctor->findings, check, EI_FINDING_FAILED, &err);
        add_user(doctor);
        return;
    }
    doctor->config = *ret_config;
    ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "%s is good", doctor->config->path);
    ei_config_warnings(doctor->config, add_warning, doctor);
    add_groups(doctor);
    add_user(doctor);
    add_sponsors(doctor);
    add_mail(doctor);
}
