/* Files for credentials, and the token request that a credential makes. Include after cmocka.h. */
#ifndef EI_TESTS_CREDENTIAL_FIXTURE_H
#define EI_TESTS_CREDENTIAL_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/graph/credential_type.h"

static const struct ei_token_app test_app = {
    .tenant = "contoso.onmicrosoft.com",
    .client_id = "99999999-8888-7777-6666-555555555555",
    .login_url = "https://login.microsoftonline.com",
    .graph_url = "https://graph.microsoft.com",
};

/* A directory of its own for each test. */
static char test_dir[64];

static inline const char *in_dir(const char *name)
{
    static char path[8][256];
    static unsigned next;

    next = (next + 1) % 8;
    snprintf(path[next], sizeof path[next], "%s/%s", test_dir, name);
    return path[next];
}

static inline int make_dir(void **state)
{
    (void)state;
    snprintf(test_dir, sizeof test_dir, "/tmp/entra-invite-test-XXXXXX");
    return mkdtemp(test_dir) != NULL ? 0 : -1;
}

static inline int remove_dir(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", test_dir);
    return system(command);
}

static inline void put_file(const char *path, mode_t mode, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), mode), 0);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The caller frees it. */
static inline void make_request(struct ei_credential *credential, struct ei_token_request *request)
{
    struct ei_error err;

    ei_token_request_init(request);
    if (credential->type->request(credential, &test_app, request, &err) != EI_OK)
        fail_msg("%s", err.message);
}

/* The error of a request that must not be made. */
static inline enum ei_err request_fails(struct ei_credential *credential, struct ei_error *err)
{
    struct ei_token_request request;

    ei_token_request_init(&request);
    enum ei_err rc = credential->type->request(credential, &test_app, &request, err);
    ei_token_request_free(&request);
    return rc;
}

/* The decoded value of a field of the form; the caller frees it. */
static inline char *form_value(const struct ei_token_request *request, const char *name)
{
    size_t length = strlen(name);

    for (const char *field = request->form.data; field != NULL && *field != '\0';) {
        size_t size = strcspn(field, "&");
        if (strncmp(field, name, length) == 0 && field[length] == '=') {
            int decoded;
            char *found = curl_easy_unescape(NULL, field + length + 1, (int)(size - length - 1), &decoded);
            char *copy = strdup(found);
            curl_free(found);
            return copy;
        }
        field += size + (field[size] == '&');
    }
    return NULL;
}

#endif
