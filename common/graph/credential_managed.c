/* The managed identity of an Azure VM or of an Azure Arc server (contract 1.6): a service of this machine gives tokens.
 */
#include "common/graph/credential_type.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/base/service_user.h"
#include "common/graph/link.h"
#include "common/graph/odata.h"

#define VM_ENDPOINT  "http://169.254.169.254/metadata/identity/oauth2/token"
#define ARC_ENDPOINT "http://127.0.0.1:40342/metadata/identity/oauth2/token"
#define ARC_AGENT    "/opt/azcmagent/bin/himds"
#define ARC_KEYS     "/var/opt/azcmagent/tokens"

enum { KEY_MAX = 4096 /* bytes */ };

struct by_identity {
    struct ei_credential base;
    bool arc;
    char *endpoint;
    char *client_id;      /* NULL: the only one, or the system's */
    int64_t again_ms;     /* monotonic: not asked before, after it failed */
    struct ei_secret key; /* Arc: proves that we may read the agent's files, for the next request only */
    bool key_shown;       /* the request that was made last has it */
};

/* --- the request --- */

static enum ei_err make_target(const struct by_identity *identity, const struct ei_token_app *app,
                               struct ei_token_request *request, struct ei_error *err)
{
    struct ei_buffer url;
    const char *version = identity->arc ? "?api-version=2020-06-01&resource=" : "?api-version=2018-02-01&resource=";

    ei_buffer_init(&url, sizeof request->target - 1);
    bool fits = ei_buffer_append_text(&url, identity->endpoint) && ei_buffer_append_text(&url, version) &&
                ei_odata_encode(&url, app->graph_url) &&
                (identity->client_id == NULL ||
                 (ei_buffer_append_text(&url, "&client_id=") && ei_odata_encode(&url, identity->client_id)));
    if (fits)
        memcpy(request->target, url.data, url.length + 1);
    ei_buffer_free(&url);
    return fits ? EI_OK : ei_fail(err, EI_NOMEM, "no memory for the token request");
}

static enum ei_err add_key(struct by_identity *identity, struct ei_token_request *request, struct ei_error *err)
{
    struct ei_buffer line;

    ei_buffer_init(&line, KEY_MAX + 64);
    enum ei_err rc =
        ei_buffer_append_text(&line, "Authorization: Basic ") && ei_buffer_append_text(&line, identity->key.data)
            ? ei_token_header_add(request, line.data, err)
            : ei_fail(err, EI_NOMEM, "no memory for the token request");
    ei_buffer_free(&line);
    ei_secret_free(&identity->key);
    return rc;
}

static enum ei_err make_request(struct ei_credential *base, const struct ei_token_app *app,
                                struct ei_token_request *request, struct ei_error *err)
{
    struct by_identity *identity = (struct by_identity *)base;

    if (ei_monotonic_ms() < identity->again_ms)
        return ei_fail(err, EI_TOKEN_TRANSIENT, "not asked: the managed identity service failed just now");
    request->method = EI_GET;
    request->service = EI_SERVICE_IDENTITY;
    enum ei_err rc = make_target(identity, app, request, err);
    if (rc == EI_OK)
        rc = ei_token_header_add(request, "Metadata: true", err);
    identity->key_shown = identity->key.length != 0;
    if (rc == EI_OK && identity->key_shown)
        rc = add_key(identity, request, err);
    return rc;
}

/* An agent that does not know the selector ignores it, and gives the token of the system's identity. */
static enum ei_err granted(struct ei_credential *base, const cJSON *json, struct ei_error *err)
{
    const struct by_identity *identity = (const struct by_identity *)base;
    const char *client_id = ei_json_string(json, "client_id");

    if (identity->client_id == NULL || (client_id == NULL && !identity->arc) ||
        (client_id != NULL && strcasecmp(client_id, identity->client_id) == 0))
        return EI_OK;
    return ei_fail(err, EI_IDENTITY_REFUSED, "the managed identity service gave a token of %s, not of %s",
                   client_id != NULL ? "another identity" : "an identity that it does not name", identity->client_id);
}

/* --- Arc's challenge --- */

/* The name of the file in ARC_KEYS that the challenge names, NULL if it names no such file. *ret_length: without what
 * stands behind. */
static const char *key_name(const char *challenge, size_t *ret_length)
{
    static const char scheme[] = "Basic ";
    static const char realm[] = "realm=";
    static const char directory[] = ARC_KEYS "/";
    static const char ending[] = ".key";

    if (strncasecmp(challenge, scheme, strlen(scheme)) != 0)
        return NULL;
    challenge += strlen(scheme);
    challenge += strspn(challenge, " ");
    if (strncasecmp(challenge, realm, strlen(realm)) != 0)
        return NULL;
    challenge += strlen(realm);
    bool quoted = challenge[0] == '"';
    challenge += quoted;
    if (strncmp(challenge, directory, strlen(directory)) != 0)
        return NULL;
    challenge += strlen(directory);
    size_t length = strcspn(challenge, quoted ? "\"" : ", ");
    if (length <= strlen(ending) || length > NAME_MAX || memchr(challenge, '/', length) != NULL ||
        strncmp(challenge + length - strlen(ending), ending, strlen(ending)) != 0)
        return NULL;
    *ret_length = length;
    return challenge;
}

static enum ei_err check_key_file(int directory, int fd, const char *name, struct ei_error *err)
{
    struct stat of_directory;
    struct stat st;

    if (fstat(directory, &of_directory) < 0 || fstat(fd, &st) < 0)
        return ei_fail(err, EI_IDENTITY_KEY, ARC_KEYS "/%s: %s", name, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return ei_fail(err, EI_IDENTITY_KEY, ARC_KEYS "/%s: not a regular file", name);
    if (st.st_uid != 0 && st.st_uid != of_directory.st_uid)
        return ei_fail(err, EI_IDENTITY_KEY, ARC_KEYS "/%s: owned by uid %u, not by the agent", name, st.st_uid);
    if (st.st_size > KEY_MAX)
        return ei_fail(err, EI_IDENTITY_KEY, ARC_KEYS "/%s: larger than %d bytes", name, KEY_MAX);
    return EI_OK;
}

/* It becomes a header's value as it is. */
static enum ei_err take_key(int fd, const char *name, struct ei_secret *key, struct ei_error *err)
{
    ssize_t count = read(fd, key->data, KEY_MAX + 1);

    if (count < 0)
        return ei_fail(err, EI_IDENTITY_KEY, ARC_KEYS "/%s: %s", name, strerror(errno));
    key->length = (size_t)count;
    key->data[key->length] = '\0';
    while (key->length != 0 && (key->data[key->length - 1] == '\n' || key->data[key->length - 1] == '\r'))
        key->data[--key->length] = '\0';
    for (size_t i = 0; i < key->length; i++)
        if (key->data[i] <= 0x20 || key->data[i] >= 0x7f)
            return ei_fail(err, EI_IDENTITY_KEY, ARC_KEYS "/%s: holds no key", name);
    if (key->length == 0 || key->length > KEY_MAX)
        return ei_fail(err, EI_IDENTITY_KEY, ARC_KEYS "/%s: empty, or larger than %d bytes", name, KEY_MAX);
    return EI_OK;
}

static enum ei_err open_key(const char *name, struct ei_secret *key, struct ei_error *err)
{
    int fd = -1;
    int directory = open(ARC_KEYS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    enum ei_err rc = EI_OK;

    if (directory >= 0)
        fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        rc = ei_fail(err, EI_IDENTITY_KEY, ARC_KEYS "/%s: %s", name,
                     errno == ELOOP ? "is a symbolic link" : strerror(errno));
    if (rc == EI_OK)
        rc = check_key_file(directory, fd, name, err);
    if (rc == EI_OK && ei_secret_new(key, KEY_MAX + 1) != EI_OK)
        rc = ei_fail(err, EI_NOMEM, "no memory for the Arc agent's key");
    if (rc == EI_OK)
        rc = take_key(fd, name, key, err);
    if (rc != EI_OK)
        ei_secret_free(key);
    if (fd >= 0)
        close(fd);
    if (directory >= 0)
        close(directory);
    return rc;
}

/* The agent wants to see that we may read what it has just written. A server that is not the agent could name any file,
 * hence where it must lie. */
static bool answer_challenge(struct by_identity *identity, struct ei_graph_result *result, const char *challenge)
{
    char name[NAME_MAX + 1];
    size_t length = 0;
    const char *found = key_name(challenge, &length);

    if (found == NULL) {
        ei_fail(&result->error, EI_IDENTITY_REFUSED,
                "the managed identity service answered 401 and names no key of the Arc agent's in " ARC_KEYS);
        return false;
    }
    memcpy(name, found, length);
    name[length] = '\0';
    return open_key(name, &identity->key, &result->error) == EI_OK;
}

static bool refused(struct ei_credential *base, struct ei_graph_result *result, const char *challenge)
{
    struct by_identity *identity = (struct by_identity *)base;

    if (result->status == 401 && identity->arc && !identity->key_shown)
        return answer_challenge(identity, result, challenge);
    if (result->error.code == EI_TOKEN_TRANSIENT)
        identity->again_ms = ei_monotonic_ms() + 1000 * (result->retry_after > 0 ? result->retry_after : 1);
    if (result->error.code == EI_UNREACHABLE)
        result->error.code = EI_IDENTITY_DOWN;
    return false;
}

/* Only what can be told without asking. */
static enum ei_err check(const struct ei_credential *base, struct ei_error *err)
{
    const struct by_identity *identity = (const struct by_identity *)base;
    int reason = identity->arc ? ei_service_user_access(ARC_KEYS, X_OK) : 0;

    return reason == 0
               ? EI_OK
               : ei_fail(err, EI_IDENTITY_KEY, ARC_KEYS ": the user entra-invite cannot use it: %s", strerror(reason));
}

/* --- which service --- */

static bool on_arc(void)
{
    return (getenv("IDENTITY_ENDPOINT") != NULL && getenv("IMDS_ENDPOINT") != NULL) || access(ARC_AGENT, F_OK) == 0;
}

static void free_managed(struct ei_credential *base)
{
    struct by_identity *identity = (struct by_identity *)base;

    ei_secret_free(&identity->key);
    free(identity->endpoint);
    free(identity->client_id);
    free(identity);
}

static const struct ei_credential_ops type = {
    .name = "managed-identity",
    .without_client_id = true,
    .request = make_request,
    .granted = granted,
    .refused = refused,
    .check = check,
    .free = free_managed,
};

enum ei_err ei_credential_managed(const char *endpoint, const char *client_id, struct ei_credential **ret_credential,
                                  struct ei_error *err)
{
    bool arc = on_arc();
    const char *what = "endpoint";

    if (endpoint == NULL && arc && getenv("IDENTITY_ENDPOINT") != NULL) {
        endpoint = getenv("IDENTITY_ENDPOINT");
        what = "IDENTITY_ENDPOINT in the environment";
    }
    if (endpoint == NULL)
        endpoint = arc ? ARC_ENDPOINT : VM_ENDPOINT;
    enum ei_err rc = ei_link_check_identity(what, endpoint, err);
    if (rc != EI_OK)
        return rc;
    struct by_identity *identity = calloc(1, sizeof *identity);
    if (identity == NULL)
        return ei_fail(err, EI_NOMEM, "no memory for the managed identity");
    identity->base.type = &type;
    identity->arc = arc;
    identity->endpoint = strdup(endpoint);
    identity->client_id = client_id != NULL ? strdup(client_id) : NULL;
    if (identity->endpoint == NULL || (client_id != NULL && identity->client_id == NULL)) {
        free_managed(&identity->base);
        return ei_fail(err, EI_NOMEM, "no memory for the managed identity");
    }
    *ret_credential = &identity->base;
    return EI_OK;
}
