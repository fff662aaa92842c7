/* The file in which a sign-in outlives the process: for credential_device.c only. */
#ifndef EI_GRAPH_SIGN_IN_FILE_H
#define EI_GRAPH_SIGN_IN_FILE_H

#include "common/base/secret.h"
#include "common/graph/sign_in.h"

/* A refresh token, whose it is, and the one app, login service and Graph that it may be sent to or for. */
struct ei_sign_in_record {
    struct ei_sign_in sign_in;
    char *client_id;
    char *login_url;
    char *graph_url;
    char *scope; /* as the sign-in asked: a refresh may ask for no more */
    struct ei_secret refresh_token;
};

void ei_sign_in_record_free(struct ei_sign_in_record *record);

/* Copies token, which goes into a form and into JSON. EI_TOKEN_REFUSED for what cannot be one (RFC 6749, A.17). */
enum ei_err ei_sign_in_record_token(struct ei_sign_in_record *record, const char *token, struct ei_error *err);

/* By the rules of ei_secret_read_file. EI_NOT_FOUND: there is no such file; EI_SECRET_FILE: it is not as it must be, or
 * not what was written here. */
enum ei_err ei_sign_in_file_read(const char *path, struct ei_sign_in_record *ret_record, struct ei_error *err);

/* Replaces it, mode 0600; the old content stays whole until the new one is durable, and is erased then. */
enum ei_err ei_sign_in_file_write(const char *path, const struct ei_sign_in_record *record, struct ei_error *err);

#endif
