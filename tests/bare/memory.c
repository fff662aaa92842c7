/*
 * What is loaded by others, for MemorySanitizer (S28, T5): a good view, and the same with each byte changed, read by
 * the reader, the NSS module and the PAM module; what they answer is written out, so that not a byte of it may come
 * from memory that nothing was written to.
 *
 *   memory VIEW [mistake]     VIEW was published by a program of another variant: MemorySanitizer must know all code of
 *                             this one, and libcdb, cJSON, libpam and cmocka are not built for it. So the varlink
 * codec, which is cJSON's trees, is left to valgrind and the other sanitizers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sanitizer/msan_interface.h>
#include <security/pam_ext.h>

#include "common/account/gecos.h"
#include "common/view/view.h"
#include "plugin/nss/module.h"
#include "plugin/pam/module.h"

enum { FILE_MAX = 65536 };

static char path[300];

/* Reports it where a byte of it was never written to. */
#define WRITTEN(value) __msan_check_mem_is_initialized(&(value), sizeof(value))

static void record_written(const struct ei_view_record *record)
{
    WRITTEN(record->state);
    WRITTEN(record->uid);
    WRITTEN(record->address_hash);
    WRITTEN(record->changed_at);
    WRITTEN(record->checked_at);
    WRITTEN(record->reason);
}

/* The module's own, without libpam. */
void pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
    (void)pamh, (void)priority, (void)format;
}

static void standing_written(const struct ei_standing *standing)
{
    const char *reason, *text = ei_text_refusal(standing, &reason);
    char shown[EI_SHOWN_SIZE];

    WRITTEN(standing->covered);
    WRITTEN(standing->recorded);
    WRITTEN(standing->view);
    WRITTEN(standing->stale);
    WRITTEN(standing->groups_unknown);
    record_written(&standing->record);
    ei_text_show(reason, shown);
    __msan_check_mem_is_initialized(text, strlen(text) + 1);
    __msan_check_mem_is_initialized(shown, strlen(shown) + 1);
}

static bool visit(void *context, const char *login)
{
    (void)context;
    __msan_check_mem_is_initialized(login, strlen(login) + 1);
    return true;
}

static void read_all(void)
{
    static char login[] = "taylor", gecos[] = "Taylor Example <taylor@fabrikam.com>";
    const struct passwd entry = {.pw_name = login, .pw_uid = 4001, .pw_gid = 100, .pw_gecos = gecos};
    const struct ei_nss_paths paths = {path, path, path};
    const char *arguments[] = {"groups=no-such-group", path};
    struct ei_pam_options options;
    struct ei_standing standing;
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    bool found;
    gid_t gid;

    if (ei_view_open(path, &view, &header) == EI_VIEW_OK) {
        WRITTEN(header.not_after);
        WRITTEN(header.minimum_uid);
        WRITTEN(header.first_trusted);
        WRITTEN(header.groups);
        if (ei_view_lookup(&view, login, &record, &found) == EI_VIEW_OK && found)
            record_written(&record);
        WRITTEN(found);
        (void)ei_view_each(&view, &header, visit, NULL);
        ei_view_close(&view);
    }
    if (ei_nss_standing(&paths, login, &gid) == EI_NSS_GROUP)
        WRITTEN(gid);
    ei_pam_options(NULL, 1, arguments, &options);
    WRITTEN(options);
    memcpy(options.view, path, strlen(path) + 1);
    if (ei_gate_look(&options, &entry, &standing) == PAM_SUCCESS)
        standing_written(&standing);
}

static bool write_file(const unsigned char *bytes, size_t length)
{
    FILE *file = fopen(path, "we");

    return file != NULL && fwrite(bytes, 1, length, file) == length && fclose(file) == 0;
}

int main(int argc, char **argv)
{
    static unsigned char bytes[FILE_MAX];
    FILE *file = argc > 1 ? fopen(argv[1], "re") : NULL;

    if (argc > 2) {
        int *mistake = malloc(sizeof *mistake);
        return mistake != NULL && *mistake == 7 ? 3 : 0;
    }
    if (file == NULL)
        return 2;
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    snprintf(path, sizeof path, "%s.changed", argv[1]);
    if (length == 0 || !write_file(bytes, length) || chmod(path, 0644) != 0)
        return 2;
    read_all();
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 0x41;
        if (!write_file(bytes, length))
            return 2;
        read_all();
        bytes[i] ^= 0x41;
    }
    for (size_t cut = 0; cut < length; cut += 7) {
        if (!write_file(bytes, cut))
            return 2;
        read_all();
    }
    printf("%zu bytes changed\n", length);
    return 0;
}
