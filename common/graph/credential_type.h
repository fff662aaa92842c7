/*
 * What a type of credential is made of: for token.c and the files credential_*.c only.
 *
 * A type embeds struct ei_credential as its first member and fills in a table of functions. Those that are optional may
 * be NULL.
 */
#ifndef EI_GRAPH_CREDENTIAL_TYPE_H
#define EI_GRAPH_CREDENTIAL_TYPE_H

#include "common/base/json.h"
#include "common/graph/credential.h"
#include "common/graph/request.h"

enum {
    EI_TOKEN_FORM_MAX = 64 * 1024, /* bytes; what a form may hold, percent-encoded */
    EI_TOKEN_TARGET_MAX = 1024,
};

/* Whom a token is for. Strings of the graph's. */
struct ei_token_app {
    const char *tenant;
    const char *client_id;
    const char *login_url;
    const char *graph_url;
};

/* One request for a token, as a type makes it. Zero, and form initialised, before. */
struct ei_token_request {
    enum ei_method method;
    enum ei_service service;
    enum ei_about about;              /* how its errors are read */
    char target[EI_TOKEN_TARGET_MAX]; /* as in ei_request_spec */
    struct ei_buffer form;            /* the body; a secret. Empty: none */
    struct curl_slist *headers;       /* besides the usual ones; secret */
};

struct ei_credential_ops {
    const char *name;       /* as credential.type has it */
    bool without_client_id; /* it is the identity itself, so the app need not be named */

    /* Fills the request. Called for every token, so a file that is rotated is read here. The error ends all requests
     * that wait for the token, unsent; what it blocks is its code's fault. */
    enum ei_err (*request)(struct ei_credential *credential, const struct ei_token_app *app,
                           struct ei_token_request *request, struct ei_error *err);

    /* Optional: the answer was a token (token.c has looked at it) and may hold more; json is good during the call. An
     * error (the token is not used then) is for what must not be lost. */
    enum ei_err (*granted)(struct ei_credential *credential, const cJSON *json, struct ei_error *err);

    /* Optional: no token. May change result's error: other code, other words. challenge: the answer's WWW-Authenticate,
     * "" if none. true: ask again at once (`request` is called anew). Must not be so for ever. */
    bool (*refused)(struct ei_credential *credential, struct ei_graph_result *result, const char *challenge);

    /* Optional, as the public functions. */
    enum ei_err (*reload)(struct ei_credential *credential, struct ei_error *err);
    enum ei_err (*check)(const struct ei_credential *credential, struct ei_error *err);
    int64_t (*expires)(const struct ei_credential *credential);

    void (*free)(struct ei_credential *credential); /* the whole object */
};

struct ei_credential {
    const struct ei_credential_ops *type;
};

/* Appends "name=value", percent-encoded, "&" before it unless it is the first. */
enum ei_err ei_token_form_add(struct ei_token_request *request, const char *name, const char *value,
                              struct ei_error *err);
/* POST {login}/{tenant}/oauth2/v2.0/token with grant_type and client_id. */
enum ei_err ei_token_form_grant(struct ei_token_request *request, const struct ei_token_app *app, const char *grant,
                                struct ei_error *err);
/* The same and scope={graph}/.default, as apps ask (contract 1.1). */
enum ei_err ei_token_form_begin(struct ei_token_request *request, const struct ei_token_app *app, const char *grant,
                                struct ei_error *err);
/* The same with the grant client_credentials and a signed assertion (contract 1.1, rows 2 and 3). */
enum ei_err ei_token_form_assertion(struct ei_token_request *request, const struct ei_token_app *app,
                                    const char *assertion, struct ei_error *err);
/* One more header, "Name: value". */
enum ei_err ei_token_header_add(struct ei_token_request *request, const char *line, struct ei_error *err);

void ei_token_request_init(struct ei_token_request *request);
/* Erases form and headers. */
void ei_token_request_free(struct ei_token_request *request);

#endif
