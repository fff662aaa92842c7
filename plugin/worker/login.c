#include "plugin/worker/login.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/graph/sign_in.h"
#include "plugin/worker/permissions.h"
#include "plugin/worker/refresh.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/tenant.h"

struct ei_login {
    struct ei_call *call;
    struct ei_device_code *code;
};

static void end(struct ei_worker *w)
{
    ei_device_code_free(w->login->code);
    free(w->login);
    w->login = NULL;
}

static void fail(struct ei_worker *w, const struct ei_error *err)
{
    struct ei_call *call = w->login->call;

    ei_log_error_event(LOG_WARNING, EI_LOG_SIGN_IN_FAILED, "signing in", err);
    end(w);
    ei_call_fail(call, err);
}

/* --- what is told --- */

static const char *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static cJSON *make_reply(const struct ei_device_prompt *prompt, const struct ei_person *person)
{
    static const struct ei_device_prompt no_prompt;
    static const struct ei_person nobody;
    cJSON *reply = cJSON_CreateObject();

    prompt = prompt != NULL ? prompt : &no_prompt;
    person = person != NULL ? person : &nobody;
    ei_json_add_text(reply, "userCode", prompt->user_code);
    ei_json_add_text(reply, "verificationUri", prompt->verification_uri);
    ei_json_add_text(reply, "verificationUriComplete", prompt->verification_uri_complete);
    ei_json_add_text(reply, "message", prompt->message);
    ei_json_add_time(reply, "expiresAt", prompt->expires_at);
    ei_json_add_text(reply, "signedInAs", text_or_null(person->name));
    ei_json_add_text(reply, "objectId", text_or_null(person->object_id));
    ei_json_add_text(reply, "tenantId", text_or_null(person->tenant_id));
    return reply;
}

static void on_prompt(void *context, const struct ei_device_prompt *prompt)
{
    struct ei_worker *w = context;
    struct ei_error err;

    if (ei_call_tell(w->login->call, make_reply(prompt, NULL)))
        return;
    ei_fail(&err, EI_NOMEM, "no memory to say which code is to be entered");
    fail(w, &err);
}

static void on_done(void *context, const struct ei_signed_in *signed_in, const struct ei_error *why)
{
    struct ei_worker *w = context;
    struct ei_call *call = w->login->call;
    struct ei_error err = *why;

    if (signed_in == NULL || ei_tenant_check_id(w, signed_in->person.tenant_id, &err) != EI_OK ||
        ei_graph_keep_sign_in(w->graph, signed_in, &err) != EI_OK) {
        fail(w, &err);
        return;
    }
    ei_log_event(LOG_NOTICE, EI_LOG_SIGNED_IN, "%s (object %s) has signed in",
                 signed_in->person.name[0] != '\0' ? signed_in->person.name : "somebody without a name",
                 signed_in->person.object_id[0] != '\0' ? signed_in->person.object_id : "unknown");
    cJSON *reply = make_reply(NULL, &signed_in->person);
    end(w);
    ei_tenant_signed_in(w);
    ei_refresh_now(w);
    ei_call_reply(call, reply);
}

/* --- the call --- */

static enum ei_err start(struct ei_worker *w, struct ei_error *err)
{
    const struct ei_device_handler handler = {.prompt = on_prompt, .done = on_done, .context = w};
    struct ei_permission permissions[EI_PERMISSIONS_MAX];
    const char *names[EI_PERMISSIONS_MAX];
    size_t count = ei_permissions_least(w->config, permissions);

    for (size_t i = 0; i < count; i++)
        names[i] = permissions[i].name;
    return ei_device_code_start(w->graph, names, count, &handler, &w->login->code, err);
}

void ei_request_login(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    struct ei_error err;

    (void)parameters;
    if (!ei_call_wants_more(call)) {
        ei_call_fail_without_more(call);
        return;
    }
    if (w->config->credential.type != EI_CREDENTIAL_DEVICE_CODE) {
        ei_fail(&err, EI_CONFIG, "%s: nobody signs in for this credential; that is for type = \"device-code\"",
                w->config->path);
        ei_call_fail(call, &err);
        return;
    }
    if (w->login != NULL) {
        ei_fail(&err, EI_BUSY, "somebody else is signing in just now");
        ei_call_fail(call, &err);
        return;
    }
    w->login = calloc(1, sizeof *w->login);
    if (w->login == NULL) {
        ei_fail(&err, EI_NOMEM, "no memory for the sign-in");
        ei_call_fail(call, &err);
        return;
    }
    w->login->call = call;
    if (start(w, &err) != EI_OK)
        fail(w, &err);
}

void ei_login_run(struct ei_worker *w)
{
    if (w->login != NULL)
        ei_device_code_run(w->login->code);
}

int64_t ei_login_wait_ms(const struct ei_worker *w)
{
    return w->login != NULL ? ei_device_code_wait_ms(w->login->code) : INT64_MAX;
}

void ei_login_gone(struct ei_worker *w, const struct ei_call *call)
{
    if (w->login == NULL || w->login->call != call)
        return;
    ei_log(LOG_NOTICE, "the sign-in was called off");
    end(w);
}

/* --- what status says of it --- */

void ei_login_add_status(const struct ei_worker *w, cJSON *reply)
{
    struct ei_sign_in sign_in = {0};

    (void)ei_credential_sign_in(w->credential, &sign_in);
    ei_json_add_text(reply, "signedInAs", text_or_null(sign_in.person.name));
    ei_json_add_time(reply, "tokenRenewedAt", sign_in.renewed_at);
}

bool ei_login_lacks(const struct ei_worker *w, char *line, size_t size)
{
    struct ei_permission permissions[EI_PERMISSIONS_MAX];
    struct ei_sign_in sign_in;

    if (!ei_credential_sign_in(w->credential, &sign_in))
        return false;
    size_t count = ei_permissions_least(w->config, permissions);
    for (size_t i = 0; i < count; i++) {
        if (ei_credential_has_permission(w->credential, permissions[i].name))
            continue;
        snprintf(line, size, "whoever signed in was not asked for %s, which is needed (%s): sudo entra-invite login",
                 permissions[i].name, permissions[i].what);
        return true;
    }
    return false;
}
