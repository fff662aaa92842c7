#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/utf8.h"

/* Set once in main before any thread starts, read-only afterwards. */
static struct {
    const char *program;
    enum ei_log_target target;
    int level;
} log_state = {"entra-invite", EI_LOG_STDERR, LOG_INFO};

enum { LINE_MAX_BYTES = 2048 };

void ei_log_open(const char *program, enum ei_log_target target, int level)
{
    log_state.program = program;
    log_state.target = target;
    log_state.level = level;
    if (target == EI_LOG_SYSLOG)
        openlog(program, LOG_PID | LOG_NDELAY | LOG_PERROR, LOG_AUTHPRIV);
}

enum ei_log_target ei_log_detect(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    unsigned long long device;
    unsigned long long inode;
    if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2 || fstat(STDERR_FILENO, &st) < 0)
        return EI_LOG_STDERR;
    return st.st_dev == (dev_t)device && st.st_ino == (ino_t)inode ? EI_LOG_JOURNAL : EI_LOG_STDERR;
}

static void escape(char *out, size_t size, const char *in)
{
    size_t used = 0;
    while (*in != '\0' && used + 5 < size) {
        size_t length = ei_utf8_length(in);
        if (length == 0 || ei_utf8_control(in)) {
            snprintf(out + used, size - used, "\\x%02x", (unsigned char)*in);
            used += 4;
            in++;
            continue;
        }
        memcpy(out + used, in, length);
        used += length;
        in += length;
    }
    out[used] = '\0';
}

void ei_log(int priority, const char *format, ...)
{
    char raw[LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES * 2];
    va_list args;

    if (priority > log_state.level)
        return;
    va_start(args, format);
    int length = vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    if (length < 0)
        return;
    escape(line, sizeof line, raw);
    switch (log_state.target) {
    case EI_LOG_JOURNAL:
        fprintf(stderr, "<%d>%s\n", priority, line);
        break;
    case EI_LOG_STDERR:
        fprintf(stderr, "%s: %s\n", log_state.program, line);
        break;
    case EI_LOG_SYSLOG:
        syslog(priority, "%s", line);
        break;
    }
}

void ei_log_error(int priority, const char *what, const struct ei_error *err)
{
    size_t length = strlen(what);
    bool named = strncmp(err->message, what, length) == 0 && err->message[length] == ':';

    ei_log(priority, "%s%s%s [%s%s%s%s%s] - %s", named ? "" : what, named ? "" : ": ", err->message,
           ei_err_name(err->code), err->request_id[0] != '\0' ? "; request-id " : "", err->request_id,
           err->client_request_id[0] != '\0' ? "; client-request-id " : "", err->client_request_id,
           ei_err_mend(err->code));
}
