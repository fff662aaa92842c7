#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include <security/pam_appl.h>

#include "tests/host/pam-matrix/matrix.h"

static _Thread_local struct heard *listener;

/* libpam's log lines come here instead of to syslog: a program's own symbols go first. */
static void keep_line(int priority, const char *format, va_list values)
{
    char line[2048];

    vsnprintf(line, sizeof line, format, values);
    /* Lines of libpam itself, and of other modules, are not what is tested. */
    if (listener == NULL || strstr(line, "pam_entra_invite(") == NULL)
        return;
    if (LOG_PRI(priority) <= LOG_ERR)
        listener->errors++;
    else
        listener->notices++;
    memcpy(listener->line, line, sizeof line);
}

void syslog(int priority, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    keep_line(priority, format, values);
    va_end(values);
}

/* What a libpam built with _FORTIFY_SOURCE calls. */
void __syslog_chk(int priority, int flag, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list values;
    (void)flag;
    va_start(values, format);
    keep_line(priority, format, values);
    va_end(values);
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
    struct heard *heard = data;

    for (int i = 0; i < count; i++) {
        heard->messages++;
        heard->style = messages[i]->msg_style;
        snprintf(heard->text, sizeof heard->text, "%s", messages[i]->msg);
    }
    *responses = calloc((size_t)count, sizeof **responses);
    return *responses != NULL ? PAM_SUCCESS : PAM_BUF_ERR;
}

static const char *const control_names[CONTROLS] = {"alone", "required", "packaged"};

void write_services(const char *module, const char *options)
{
    char path[160];

    snprintf(path, sizeof path, "%s/pam.d", base);
    mkdir(path, 0755);
    for (int i = 0; i < CONTROLS; i++) {
        snprintf(path, sizeof path, "%s/pam.d/%s", base, control_names[i]);
        FILE *file = fopen(path, "we");
        if (file == NULL)
            abort();
        const char *control =
            i == PACKAGED ? "[success=ignore ignore=ignore module_unknown=ignore default=die]" : "required";
        fprintf(file, "account %s %s view=%s %s\n", control, module, view_path, options);
        if (i != ALONE)
            fprintf(file, "account required pam_permit.so\n");
        fprintf(file, "auth required %s\npassword required %s view=%s %s\nsession required pam_permit.so\n", module,
                module, view_path, options);
        fclose(file);
    }
}

int account_session(enum control control, const char *user, int flags, struct heard *heard)
{
    struct pam_conv conv = {converse, heard};
    pam_handle_t *pamh = NULL;
    char confdir[160];

    memset(heard, 0, sizeof *heard);
    snprintf(confdir, sizeof confdir, "%s/pam.d", base);
    int code = pam_start_confdir(control_names[control], user, &conv, confdir, &pamh);
    if (code != PAM_SUCCESS)
        return code;
    listener = heard;
    code = pam_acct_mgmt(pamh, flags);
    listener = NULL;
    pam_end(pamh, code);
    return code;
}

int module_code(const char *user, int flags, struct heard *heard)
{
    struct heard again;
    int alone = account_session(ALONE, user, flags, &again);
    int code = account_session(REQUIRED, user, flags, heard);

    /* Where no module of a stack decides, libpam denies. */
    return alone == PAM_PERM_DENIED && code == PAM_SUCCESS ? PAM_IGNORE : alone == code ? code : -1;
}

const char *code_name(int code)
{
    switch (code) {
    case PAM_SUCCESS:
        return "PAM_SUCCESS";
    case PAM_IGNORE:
        return "PAM_IGNORE";
    case PAM_PERM_DENIED:
        return "PAM_PERM_DENIED";
    case PAM_AUTHINFO_UNAVAIL:
        return "PAM_AUTHINFO_UNAVAIL";
    case PAM_USER_UNKNOWN:
        return "PAM_USER_UNKNOWN";
    case PAM_SYSTEM_ERR:
        return "PAM_SYSTEM_ERR";
    case PAM_ACCT_EXPIRED:
        return "PAM_ACCT_EXPIRED";
    case PAM_BUF_ERR:
        return "PAM_BUF_ERR";
    default:
        return "another code";
    }
}
