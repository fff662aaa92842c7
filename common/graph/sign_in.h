/*
 * A person signs in for the app ("App + User"): once with a device code (contract 1.4, RFC 8628), from then on with the
 * refresh token that this brought, each use of which brings a new one (contract 1.5).
 */
#ifndef EI_GRAPH_SIGN_IN_H
#define EI_GRAPH_SIGN_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/guid.h"
#include "common/graph/credential.h"
#include "common/graph/graph.h"

enum { EI_PERSON_NAME = 256 };

/* Who signed in, as the id_token has it; "" what it does not have. */
struct ei_person {
    char name[EI_PERSON_NAME]; /* preferred_username, else upn: for people to read, it may change */
    char object_id[EI_GUID_TEXT];
    char tenant_id[EI_GUID_TEXT];
};

/*
 * Reads the claims of an id_token. Its signature is not verified: it came from the token endpoint itself, over TLS,
 * which takes the signature's place (OpenID Connect Core 3.1.3.7). So never call this for one that came in another way.
 * EI_SIGN_IN_TENANT: it is for another app than client_id; EI_TOKEN_REFUSED: it is no id_token.
 */
enum ei_err ei_person_read(const char *id_token, const char *client_id, struct ei_person *ret_person,
                           struct ei_error *err);

/* --- device code --- */

/* What somebody must be told who is to sign in. */
struct ei_device_prompt {
    const char *user_code;
    const char *verification_uri;          /* https */
    const char *verification_uri_complete; /* with the code in it, NULL: none (Microsoft sends none) */
    const char *message;                   /* the service's own words, NULL: none */
    int64_t expires_at;                    /* wall time */
};

/* What came of it. Good during the call. */
struct ei_signed_in {
    struct ei_person person;
    const char *refresh_token; /* secret */
    const char *scope;         /* as it was asked for */
};

struct ei_device_handler {
    /* Once, from a dispatch. The device code may be freed in it; so in the other. */
    void (*prompt)(void *context, const struct ei_device_prompt *prompt);
    /* Once, last: signed_in, or NULL and why not. */
    void (*done)(void *context, const struct ei_signed_in *signed_in, const struct ei_error *err);
    void *context;
};

struct ei_device_code;

/*
 * Asks for a code; permissions are delegated ones of the graph's root ("User.Invite.All"). Then it is asked, each
 * `interval`, whether the code was entered: passing errors and those of the network only make that slower, until the
 * code has expired. EI_SIGN_IN_DECLINED, EI_SIGN_IN_EXPIRED and whatever else the login service says end it. The owner
 * frees it before the graph; that calls it off.
 */
enum ei_err ei_device_code_start(struct ei_graph *graph, const char *const *permissions, size_t count,
                                 const struct ei_device_handler *handler, struct ei_device_code **ret_code,
                                 struct ei_error *err);
/* Asks if it is time to; to be called whenever ei_device_code_wait_ms (INT64_MAX: an answer is awaited) has passed. */
void ei_device_code_run(struct ei_device_code *code);
int64_t ei_device_code_wait_ms(const struct ei_device_code *code);
/* NULL is fine. */
void ei_device_code_free(struct ei_device_code *code);

/* --- the credential --- */

/* The refresh token is in the file path (0600, of the user this runs as), which need not exist yet and is read when a
 * token is first asked for. Until somebody has signed in, asking for one fails with EI_SIGN_IN_NEEDED. */
enum ei_err ei_credential_device(const char *path, struct ei_credential **ret_credential, struct ei_error *err);

/* Keeps what a sign-in brought, durably, in place of what there was; the access token in use is forgotten. On failure
 * nothing has changed. EI_STATE: the graph's credential is of another type. */
enum ei_err ei_graph_keep_sign_in(struct ei_graph *graph, const struct ei_signed_in *signed_in, struct ei_error *err);

struct ei_sign_in {
    struct ei_person person;
    int64_t signed_in_at;
    int64_t renewed_at; /* the refresh token was got or last used; 90 days without use and it ends (contract 1.5) */
};

/* Who is signed in, as far as is known here; false: nobody, or the credential is of another type. */
bool ei_credential_sign_in(struct ei_credential *credential, struct ei_sign_in *ret_sign_in);
/* Whether the sign-in asked for this permission. */
bool ei_credential_has_permission(const struct ei_credential *credential, const char *permission);

#endif
