/* doctor: nss_entra_invite(8), which shows the state of an account in its groups. */
#include <grp.h>
#include <stdio.h>
#include <string.h>

#include "plugin/cli/doctor.h"

/* Whether the line of a database names the service. */
static bool names_service(const char *line, const char *database, const char *service)
{
    char copy[1024];
    char *save = NULL;
    size_t length = strlen(database);

    line += strspn(line, " \t");
    if (strncmp(line, database, length) != 0 || line[length] != ':')
        return false;
    snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line + length + 1, "#\n"), line + length + 1);
    for (char *word = strtok_r(copy, " \t", &save); word != NULL; word = strtok_r(NULL, " \t", &save))
        if (strcmp(word, service) == 0)
            return true;
    return false;
}

static bool is_switched_on(const struct ei_doctor *doctor)
{
    char path[EI_DOCTOR_PATH];
    char line[1024];
    bool found = false;

    ei_doctor_path(doctor, "/etc/nsswitch.conf", path);
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = names_service(line, "group", "entra_invite");
    if (file != NULL)
        fclose(file);
    return found;
}

void ei_doctor_nss(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"nss", "nss"};
    static const char *const modules[] = {"/usr/lib/*/libnss_entra_invite.so.2", "/lib/*/libnss_entra_invite.so.2",
                                          "/usr/lib64/libnss_entra_invite.so.2", "/usr/lib/libnss_entra_invite.so.2",
                                          "/lib/libnss_entra_invite.so.2",       NULL};
    bool module = ei_doctor_exists(doctor, modules);

    if (!is_switched_on(doctor))
        ei_finding_add(doctor->findings, check, EI_FINDING_SKIPPED,
                       "to see the state in id: add entra_invite at the end of the group line of /etc/nsswitch.conf",
                       "%s", module ? "the NSS module is installed and not switched on" : "not installed");
    else if (!module)
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED,
                       "install libnss-entra-invite, or take entra_invite out of /etc/nsswitch.conf",
                       "/etc/nsswitch.conf names entra_invite, and its module is not installed");
    else if (getgrnam("entra-invite-pending") == NULL || getgrnam("entra-invite-accepted") == NULL)
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING, "systemd-sysusers",
                       "the groups entra-invite-pending and entra-invite-accepted do not exist");
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "the state of an account shows in its groups");
}
