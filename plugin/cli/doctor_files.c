/* doctor: modes and owners of what the worker keeps and reads. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/paths.h"
#include "common/base/secret.h"
#include "common/view/view.h"
#include "plugin/cli/doctor.h"

/* --- the credential --- */

/* Good for a worker that is started as root; it has dropped root by the time that it would read the file again. */
static bool is_roots_alone(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_uid == 0;
}

static void add_secret(struct ei_doctor *doctor, const char *path, bool rotated)
{
    static const struct ei_check check = {"credential", "credential-file"};
    struct ei_error err;

    if (path == NULL)
        return;
    if (ei_secret_check_file(path, rotated, &err) != EI_OK)
        ei_finding_add_error(doctor->findings, check, EI_FINDING_FAILED, &err);
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "%s can be %s by nobody else%s", path,
                       rotated ? "changed" : "read",
                       !rotated && is_roots_alone(path)
                           ? "; only root can: started by systemd, or for a new secret while "
                             "it runs, the worker wants to own it"
                           : "");
}

/* What a unit's LoadCredential gives is there only while the unit runs, and is systemd's to guard. */
static bool is_systemds(const char *path)
{
    static const char folder[] = "/run/credentials/";

    return path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static void add_credential(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"credential", "credential-file"};
    const struct ei_credential_settings *credential = &doctor->config->credential;
    char sign_in[EI_DOCTOR_PATH];
    struct stat st;

    if (is_systemds(credential->file))
        ei_finding_add(doctor->findings, check, EI_FINDING_SKIPPED, NULL, "the credential is kept by systemd (%s)",
                       credential->file);
    else
        add_secret(doctor, credential->file, credential->type == EI_CREDENTIAL_FEDERATED);
    /* A certificate is no secret, but whoever may change it may lock the worker out. */
    if (credential->certificate != NULL && !is_systemds(credential->certificate) &&
        (credential->file == NULL || strcmp(credential->certificate, credential->file) != 0))
        add_secret(doctor, credential->certificate, true);
    if (!is_systemds(credential->passphrase_file))
        add_secret(doctor, credential->passphrase_file, false);
    /* Before the first sign-in there is none, which the worker tells. */
    snprintf(sign_in, sizeof sign_in, "%s/private/refresh-token", doctor->config->state_dir);
    if (credential->type == EI_CREDENTIAL_DEVICE_CODE && lstat(sign_in, &st) == 0)
        add_secret(doctor, sign_in, false);
}

/* --- what the worker keeps --- */

static bool owned_well(uid_t owner)
{
    const struct passwd *service = getpwnam(EI_SERVICE_USER);

    return owner == 0 || (service != NULL && owner == service->pw_uid);
}

/* What lies at path, what it must be, and the most that its mode may allow. */
struct kept {
    const char *path;
    mode_t type;
    mode_t mode;
    bool must;
};

static void add_kept(struct ei_doctor *doctor, const struct kept *kept)
{
    static const struct ei_check check = {"files", "file-mode"};
    char mend[EI_DOCTOR_PATH + 128];
    struct stat st;

    if (lstat(kept->path, &st) < 0) {
        if (kept->must)
            ei_finding_add(doctor->findings, check, EI_FINDING_FAILED,
                           "systemd-tmpfiles --create, or start entra-invited: it makes what is missing", "%s: %s",
                           kept->path, strerror(errno));
        return;
    }
    snprintf(mend, sizeof mend, "chown " EI_SERVICE_USER " '%s' && chmod %04o '%s'", kept->path, kept->mode,
             kept->path);
    if ((st.st_mode & S_IFMT) != kept->type)
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, "move it away and start entra-invited again",
                       "%s is not what belongs there", kept->path);
    else if (!owned_well(st.st_uid))
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, mend, "%s is owned by uid %u", kept->path,
                       st.st_uid);
    else if ((st.st_mode & 07777 & ~kept->mode) != 0)
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, mend, "%s has the mode %04o, more than %04o",
                       kept->path, st.st_mode & 07777, kept->mode);
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "%s is as it should be", kept->path);
}

static void add_state(struct ei_doctor *doctor)
{
    const char *state_dir = doctor->config != NULL ? doctor->config->state_dir : EI_STATE_DIR;
    char private_dir[EI_DOCTOR_PATH];
    char database[EI_DOCTOR_PATH];
    char refresh_token[EI_DOCTOR_PATH];

    snprintf(private_dir, sizeof private_dir, "%s/private", state_dir);
    snprintf(database, sizeof database, "%s/private/entra-invite.db", state_dir);
    snprintf(refresh_token, sizeof refresh_token, "%s/private/refresh-token", state_dir);
    const struct kept all[] = {
        {EI_STATE_DIR, S_IFDIR, 0755, true},    {EI_PUBLIC_DIR, S_IFDIR, 0755, true},
        {private_dir, S_IFDIR, 0700, true},     {database, S_IFREG, 0600, false},
        {EI_GROUPS_PATH, S_IFREG, 0644, false}, {doctor->cli->socket_path, S_IFSOCK, 0600, false},
        {refresh_token, S_IFREG, 0600, false},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        add_kept(doctor, &all[i]);
}

/* --- the view --- */

/* not_after moves on in steps of an hour. */
static void add_view_age(struct ei_doctor *doctor, const struct ei_view_header *header)
{
    enum { STEP = 3600 };
    static const struct ei_check check = {"files", "view-age"};
    int64_t max_age = doctor->config != NULL ? doctor->config->max_age : 0;
    int64_t left = header->not_after - ei_now();
    int64_t age = max_age - left;
    char text[EI_TIME_TEXT];

    ei_time_format(header->not_after, text);
    if (header->not_after == 0)
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "the view has no end (max_age is 0)");
    else if (left <= 0)
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED, ei_err_mend(EI_VIEW_STALE),
                       "the view has been stale since %s: covered accounts are shut out", text);
    else if (max_age != 0 && age > max_age / 2 && age > 2 * STEP)
        ei_finding_add(doctor->findings, check, EI_FINDING_WARNING, ei_err_mend(EI_VIEW_STALE),
                       "Graph has told nothing for %lld s; at %s all covered accounts are shut out", (long long)age,
                       text);
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "the view is good until %s", text);
}

static void add_view(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"files", "view"};
    struct ei_view_header header;
    struct ei_view view;
    struct ei_error err;
    enum ei_view_status status = ei_view_open(doctor->cli->view_path, &view, &header);

    if (status != EI_VIEW_OK) {
        ei_fail(&err, ei_view_error(status), "%s: %s", doctor->cli->view_path, ei_view_status_text(status));
        ei_finding_add_error(doctor->findings, check, EI_FINDING_FAILED, &err);
        return;
    }
    ei_view_close(&view);
    ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "%s can be used, with %llu account%s",
                   doctor->cli->view_path, (unsigned long long)header.count, header.count == 1 ? "" : "s");
    add_view_age(doctor, &header);
}

void ei_doctor_files(struct ei_doctor *doctor)
{
    if (doctor->config != NULL)
        add_credential(doctor);
    add_state(doctor);
    add_view(doctor);
}
