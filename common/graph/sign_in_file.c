#include "common/graph/sign_in_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/graph/memory.h"

enum { TOKEN_MAX = 6 * 1024 }; /* bytes: with the rest, and escaped, it stays below EI_SECRET_MAX */

void ei_sign_in_record_free(struct ei_sign_in_record *record)
{
    ei_secret_free(&record->refresh_token);
    free(record->client_id);
    free(record->login_url);
    free(record->graph_url);
    free(record->scope);
    *record = (struct ei_sign_in_record){0};
}

enum ei_err ei_sign_in_record_token(struct ei_sign_in_record *record, const char *token, struct ei_error *err)
{
    struct ei_secret secret = {0};
    size_t length = strlen(token);

    for (size_t i = 0; i < length; i++)
        if (token[i] < 0x20 || token[i] >= 0x7f)
            length = 0;
    if (length == 0 || length > TOKEN_MAX)
        return ei_fail(err, EI_TOKEN_REFUSED, "the login service sent a refresh_token that is none");
    enum ei_err rc = ei_secret_new(&secret, length);
    if (rc != EI_OK)
        return ei_fail(err, rc, "no memory for the refresh token");
    memcpy(secret.data, token, length + 1);
    secret.length = length;
    ei_secret_free(&record->refresh_token);
    record->refresh_token = secret;
    return EI_OK;
}

/* --- reading --- */

static int64_t time_of(const cJSON *json, const char *name)
{
    const char *text = ei_json_string(json, name);
    int64_t t = 0;

    return text != NULL && ei_time_parse(text, &t) ? t : 0;
}

static void copy_text(char *out, size_t size, const char *in)
{
    if (in != NULL && strlen(in) < size)
        memcpy(out, in, strlen(in) + 1);
}

static bool take_text(char **to, const cJSON *json, const char *name)
{
    const char *text = ei_json_string(json, name);

    *to = text != NULL ? strdup(text) : NULL;
    return *to != NULL;
}

static enum ei_err read_record(const char *path, const cJSON *json, struct ei_sign_in_record *record,
                               struct ei_error *err)
{
    struct ei_person *person = &record->sign_in.person;
    const char *token = ei_json_string(json, "refreshToken");

    copy_text(person->name, sizeof person->name, ei_json_string(json, "signedInAs"));
    copy_text(person->object_id, sizeof person->object_id, ei_json_string(json, "objectId"));
    copy_text(person->tenant_id, sizeof person->tenant_id, ei_json_string(json, "tenantId"));
    record->sign_in.signed_in_at = time_of(json, "signedInAt");
    record->sign_in.renewed_at = time_of(json, "renewedAt");
    if (token == NULL || !take_text(&record->client_id, json, "clientId") ||
        !take_text(&record->login_url, json, "loginUrl") || !take_text(&record->graph_url, json, "graphUrl") ||
        !take_text(&record->scope, json, "scope") || ei_sign_in_record_token(record, token, NULL) != EI_OK)
        return ei_fail(err, EI_SECRET_FILE, "%s: not a sign-in that was written here", path);
    return EI_OK;
}

enum ei_err ei_sign_in_file_read(const char *path, struct ei_sign_in_record *ret_record, struct ei_error *err)
{
    struct ei_sign_in_record record = {0};
    struct ei_secret text = {0};
    struct stat st;

    if (lstat(path, &st) < 0 && errno == ENOENT)
        return ei_fail(err, EI_NOT_FOUND, "%s: %s", path, strerror(errno));
    enum ei_err rc = ei_secret_read_file(path, &text, err);
    if (rc != EI_OK)
        return rc;
    cJSON *json = ei_json_parse(text.data, text.length);
    rc = read_record(path, json, &record, err);
    ei_graph_json_free(json);
    ei_secret_free(&text);
    if (rc == EI_OK)
        *ret_record = record;
    else
        ei_sign_in_record_free(&record);
    return rc;
}

/* --- writing --- */

/* Best effort: a file system that copies on write, or a disk that moves blocks, keeps the old ones. The token in it
 * stays good at Microsoft (contract 1.5), which is why it is not left lying there. */
static void erase(int fd)
{
    static const char zeros[4096];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return;
    for (off_t at = 0; at < st.st_size; at += (off_t)sizeof zeros) {
        off_t left = st.st_size - at;
        if (pwrite(fd, zeros, left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros, at) < 0)
            return;
    }
    (void)fdatasync(fd);
}

static bool print_record(const struct ei_sign_in_record *record, struct ei_buffer *text)
{
    const struct ei_person *person = &record->sign_in.person;
    cJSON *json = cJSON_CreateObject();
    bool printed = json != NULL && ei_json_add_text(json, "signedInAs", person->name) &&
                   ei_json_add_text(json, "objectId", person->object_id) &&
                   ei_json_add_text(json, "tenantId", person->tenant_id) &&
                   ei_json_add_time(json, "signedInAt", record->sign_in.signed_in_at) &&
                   ei_json_add_time(json, "renewedAt", record->sign_in.renewed_at) &&
                   ei_json_add_text(json, "clientId", record->client_id) &&
                   ei_json_add_text(json, "loginUrl", record->login_url) &&
                   ei_json_add_text(json, "graphUrl", record->graph_url) &&
                   ei_json_add_text(json, "scope", record->scope) &&
                   ei_json_add_text(json, "refreshToken", record->refresh_token.data) && ei_json_append(text, json) &&
                   ei_buffer_append_text(text, "\n");

    ei_graph_json_free(json);
    return printed;
}

enum ei_err ei_sign_in_file_write(const char *path, const struct ei_sign_in_record *record, struct ei_error *err)
{
    struct ei_buffer text;
    /* Not a link's target, and of a FIFO in its place the open must not wait. */
    int old = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    ei_buffer_init(&text, EI_SECRET_MAX);
    enum ei_err rc = print_record(record, &text) ? ei_file_replace(path, text.data, text.length, 0600, err)
                                                 : ei_fail(err, EI_NOMEM, "%s: no memory to write it", path);
    if (old >= 0 && rc == EI_OK && fstat(old, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0)
        erase(old);
    if (old >= 0)
        close(old);
    ei_buffer_free(&text);
    return rc;
}
