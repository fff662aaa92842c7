#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/journal.h"
#include "common/base/utf8.h"

/* Set in main while there is no other thread, read-only else. */
static struct {
    const char *program;
    enum ei_log_target target;
    int level;
    bool ending;
} log_state = {.program = "entra-invite", .target = EI_LOG_STDERR, .level = LOG_INFO};

enum { LINE_MAX_BYTES = 2048, FACTS_MAX = 1024 };

void ei_log_open(const char *program, enum ei_log_target target, int level)
{
    log_state.program = program;
    log_state.target = target;
    log_state.level = level;
    if (target == EI_LOG_SYSLOG)
        openlog(program, LOG_PID | LOG_NDELAY | LOG_PERROR, LOG_AUTHPRIV);
}

void ei_log_ending(void)
{
    log_state.ending = true;
}

enum ei_log_target ei_log_detect(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    unsigned long long device;
    unsigned long long inode;
    /* NOLINTNEXTLINE(cert-err34-c): systemd's own numbers; any others are of no journal */
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

const char *ei_log_message_id(enum ei_log_id id)
{
    static const char *const ids[] = {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): an initialiser */
#define EI_LOG_ID_TEXT(name, text) [EI_LOG_##name] = text,
        EI_LOG_IDS(EI_LOG_ID_TEXT)
#undef EI_LOG_ID_TEXT
    };
    return ids[id];
}

/* --- the journal --- */

static void add_escaped(struct ei_journal_entry *entry, const char *name, const char *value)
{
    char escaped[LINE_MAX_BYTES];

    if (value == NULL)
        return;
    escape(escaped, sizeof escaped, value);
    ei_journal_add(entry, name, escaped);
}

static void add_error(struct ei_journal_entry *entry, const struct ei_error *error)
{
    if (error == NULL)
        return;
    if (error->code != EI_OK)
        ei_journal_add(entry, "ENTRA_INVITE_ERROR", ei_err_name(error->code));
    add_escaped(entry, "REQUEST_ID", error->request_id);
    add_escaped(entry, "CLIENT_REQUEST_ID", error->client_request_id);
}

static bool to_journal(int priority, const struct ei_log_about *about, const char *line)
{
    struct ei_journal_entry entry = {.length = 0};
    char number[16];

    snprintf(number, sizeof number, "%d", priority);
    ei_journal_add(&entry, "PRIORITY", number);
    ei_journal_add(&entry, "SYSLOG_IDENTIFIER", log_state.program);
    ei_journal_add(&entry, "MESSAGE", line);
    ei_journal_add(&entry, "MESSAGE_ID", ei_log_message_id(about->id));
    add_escaped(&entry, "ENTRA_INVITE_TARGET", about->login_count != 0 ? about->logins[0] : about->email);
    for (size_t i = 0; i < about->login_count; i++)
        add_escaped(&entry, "ENTRA_INVITE_LOGIN", about->logins[i]);
    add_escaped(&entry, "ENTRA_INVITE_EMAIL", about->email);
    add_escaped(&entry, "ENTRA_INVITE_RULE", about->rule);
    add_escaped(&entry, "ENTRA_INVITE_STATE", about->state);
    add_error(&entry, about->error);
    return ei_journal_send(EI_JOURNAL_SOCKET, &entry);
}

/* --- the line --- */

static void write_line(int priority, const struct ei_log_about *about, const char *raw)
{
    char line[LINE_MAX_BYTES * 2];

    escape(line, sizeof line, raw);
    switch (log_state.target) {
    case EI_LOG_JOURNAL:
        if (log_state.ending || !to_journal(priority, about, line))
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

static void write_format(int priority, const struct ei_log_about *about, const char *behind, const char *format,
                         va_list args)
{
    char raw[LINE_MAX_BYTES];
    size_t room = sizeof raw - strlen(behind);

    if (priority > log_state.level)
        return;
    int length = vsnprintf(raw, room, format, args);
    if (length < 0)
        return;
    size_t used = (size_t)length < room ? (size_t)length : room - 1;
    memcpy(raw + used, behind, strlen(behind) + 1);
    write_line(priority, about, raw);
}

static void add_fact(char facts[FACTS_MAX], const char *name, const char *value)
{
    size_t used = strlen(facts);

    if (value != NULL && value[0] != '\0')
        snprintf(facts + used, FACTS_MAX - used, "%s%s%.300s", used != 0 ? "; " : "", name, value);
}

static void collect_facts(const struct ei_log_about *about, char facts[FACTS_MAX])
{
    const struct ei_error *error = about->error;

    facts[0] = '\0';
    add_fact(facts, "", error != NULL && error->code != EI_OK ? ei_err_name(error->code) : NULL);
    for (size_t i = 0; i < about->login_count; i++)
        add_fact(facts, "login ", about->logins[i]);
    add_fact(facts, "rule ", about->rule);
    add_fact(facts, "state ", about->state);
    add_fact(facts, "request-id ", error != NULL ? error->request_id : NULL);
    add_fact(facts, "client-request-id ", error != NULL ? error->client_request_id : NULL);
}

void ei_log(int priority, const char *format, ...)
{
    static const struct ei_log_about nothing;
    va_list args;

    va_start(args, format);
    write_format(priority, &nothing, "", format, args);
    va_end(args);
}

void ei_log_event(int priority, enum ei_log_id id, const char *format, ...)
{
    const struct ei_log_about about = {.id = id};
    va_list args;

    va_start(args, format);
    write_format(priority, &about, "", format, args);
    va_end(args);
}

void ei_log_about(int priority, const struct ei_log_about *about, const char *format, ...)
{
    char facts[FACTS_MAX];
    char behind[FACTS_MAX + 4] = "";
    va_list args;

    collect_facts(about, facts);
    if (facts[0] != '\0')
        snprintf(behind, sizeof behind, " [%s]", facts);
    va_start(args, format);
    write_format(priority, about, behind, format, args);
    va_end(args);
}

static void write_text(int priority, const struct ei_log_about *about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void write_text(int priority, const struct ei_log_about *about, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_format(priority, about, "", format, args);
    va_end(args);
}

void ei_log_error_about(int priority, const struct ei_log_about *about, const char *what)
{
    const struct ei_error *err = about->error;
    size_t length = strlen(what);
    bool named = strncmp(err->message, what, length) == 0 && err->message[length] == ':';
    char facts[FACTS_MAX];

    collect_facts(about, facts);
    write_text(priority, about, "%s%s%s [%s] - %s", named ? "" : what, named ? "" : ": ", err->message, facts,
               ei_err_mend(err->code));
}

void ei_log_error_event(int priority, enum ei_log_id id, const char *what, const struct ei_error *err)
{
    const struct ei_log_about about = {.id = id, .error = err};

    ei_log_error_about(priority, &about, what);
}

void ei_log_error(int priority, const char *what, const struct ei_error *err)
{
    ei_log_error_event(priority, EI_LOG_PLAIN, what, err);
}
