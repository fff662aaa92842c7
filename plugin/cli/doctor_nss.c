/* doctor: nss_entra_invite(8), which shows the state of an account in its groups. */
#include <grp.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "plugin/cli/doctor.h"

/* The words behind "database:", without what is said about it. NULL: it is another line. */
static char *words_of(char *line, const char *database)
{
    size_t length = strlen(database);

    line += strspn(line, " \t");
    if (strncmp(line, database, length) != 0 || line[length] != ':')
        return NULL;
    line[strcspn(line, "#\n")] = '\0';
    return line + length + 1;
}

static bool names_service(char *words, const char *service)
{
    char *save = NULL;

    for (char *word = strtok_r(words, " \t", &save); word != NULL; word = strtok_r(NULL, " \t", &save))
        if (strcmp(word, service) == 0)
            return true;
    return false;
}

/* An initgroups line ends at the first service that knows the login; who comes first is asked in any case. */
static bool comes_first(char *words, const char *service)
{
    char *save = NULL;
    const char *word = strtok_r(words, " \t", &save);

    return ei_text_same(word, service);
}

struct lines {
    bool group;            /* names the service */
    bool initgroups;       /* there is one, and it is asked instead of the group line */
    bool initgroups_first; /* with the service in front */
};

static void read_lines(const struct ei_doctor *doctor, struct lines *ret)
{
    char path[EI_DOCTOR_PATH];
    char line[1024];

    *ret = (struct lines){0};
    ei_doctor_path(doctor, "/etc/nsswitch.conf", path);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *group = words_of(line, "group");
        char *initgroups = words_of(line, "initgroups");
        if (group != NULL)
            ret->group = ret->group || names_service(group, "entra_invite");
        if (initgroups != NULL) {
            ret->initgroups = true;
            ret->initgroups_first = comes_first(initgroups, "entra_invite");
            ret->group = ret->group || ret->initgroups_first;
        }
    }
    if (file != NULL)
        fclose(file);
}

void ei_doctor_nss(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"nss", "nss"};
    static const char *const modules[] = {"/usr/lib/*/libnss_entra_invite.so.2", "/lib/*/libnss_entra_invite.so.2",
                                          "/usr/lib64/libnss_entra_invite.so.2", "/usr/lib/libnss_entra_invite.so.2",
                                          "/lib/libnss_entra_invite.so.2",       NULL};
    bool module = ei_doctor_exists(doctor, modules);
    struct lines lines;

    read_lines(doctor, &lines);
    if (!lines.group)
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
    else if (lines.initgroups && !lines.initgroups_first)
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING,
                       "let its line begin: initgroups: entra_invite [SUCCESS=continue]",
                       "/etc/nsswitch.conf has an initgroups line, which does not ask entra_invite first");
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "the state of an account shows in its groups");
}
