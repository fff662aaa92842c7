#include "common/deliver/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/base/utf8.h"

struct ei_template {
    enum ei_template_kind kind;
    char *name;
    char *subject; /* as written, without "Subject:" */
    char *body;    /* as written, with LF line ends */
};

enum placeholder { NAME, LOGIN, HOSTS, URL, SPONSOR, EXPIRES, EMAIL, RULE, PLACEHOLDERS };

static const char *const placeholder_names[PLACEHOLDERS + 1] = {
    [NAME] = "name",       [LOGIN] = "login",     [HOSTS] = "hosts", [URL] = "url",
    [SPONSOR] = "sponsor", [EXPIRES] = "expires", [EMAIL] = "email", [RULE] = "rule",
};

/* What an expanded line came to. */
struct tally {
    size_t placeholders;
    size_t filled;
};

const char *const *ei_template_placeholders(void)
{
    return placeholder_names;
}

const char *ei_template_kind_name(enum ei_template_kind kind)
{
    static const char *const names[EI_TEMPLATE_KINDS] = {
        [EI_TEMPLATE_INVITATION] = "invitation",
        [EI_TEMPLATE_REMINDER] = "reminder",
        [EI_TEMPLATE_SPONSOR] = "sponsor",
    };
    return names[kind];
}

void ei_template_text_free(struct ei_template_text *text)
{
    ei_free_erased(text->subject);
    ei_free_erased(text->body);
    *text = (struct ei_template_text){0};
}

void ei_template_free(struct ei_template *template)
{
    if (template == NULL)
        return;
    free(template->name);
    free(template->subject);
    free(template->body);
    free(template);
}

/* --- reading --- */

struct place {
    const char *name;
    size_t line;
    struct ei_error *err;
};

static enum ei_err bad(const struct place *at, const char *reason)
{
    return ei_fail(at->err, EI_TEMPLATE, "%.300s:%zu: %s", at->name, at->line, reason);
}

/* text begins with the brace of a placeholder; its length with both braces, 0 if it is none. */
static size_t read_placeholder(const char *text, enum placeholder *ret_which)
{
    size_t length = strcspn(text + 1, "}{\n");

    if (text[1 + length] != '}')
        return 0;
    for (int i = 0; i < PLACEHOLDERS; i++) {
        if (strlen(placeholder_names[i]) == length && strncmp(placeholder_names[i], text + 1, length) == 0) {
            *ret_which = (enum placeholder)i;
            return length + 2;
        }
    }
    return 0;
}

static enum ei_err bad_placeholder(const struct place *at, const char *text)
{
    enum { SHOWN = 40 };
    size_t length = strcspn(text + 1, "}{\n");

    if (text[1 + length] != '}')
        return bad(at, "a brace is open that is not closed in the same line; a brace itself is written \"{{\"");
    return ei_fail(at->err, EI_TEMPLATE,
                   "%.200s:%zu: {%.*s%s} is no placeholder; there are {name} {login} {hosts} {url} {sponsor} {expires} "
                   "{email} {rule}, and a brace itself is written \"{{\"",
                   at->name, at->line, (int)(length < SHOWN ? length : SHOWN), text + 1, length > SHOWN ? "…" : "");
}

/* One line, up to its LF. */
static enum ei_err check_line(const struct place *at, const char *line, bool *has_url)
{
    for (const char *c = line; *c != '\0' && *c != '\n'; c += ei_utf8_length(c)) {
        enum placeholder which;
        if (ei_utf8_length(c) == 0)
            return bad(at, "is not well-formed UTF-8");
        if (*c != '\t' && ei_utf8_control(c))
            return bad(at, "holds a control character");
        if (*c != '{')
            continue;
        if (c[1] == '{') {
            c++;
            continue;
        }
        size_t length = read_placeholder(c, &which);
        if (length == 0)
            return bad_placeholder(at, c);
        *has_url = *has_url || which == URL;
    }
    return EI_OK;
}

/* A subject, "Subject:" taken away: something, in one line without tabs. */
static enum ei_err check_subject(const struct place *at, const char *subject)
{
    bool has_url = false;
    enum ei_err rc = check_line(at, subject, &has_url);

    if (rc != EI_OK)
        return rc;
    if (subject[0] == '\0')
        return bad(at, "the subject is empty");
    if (strchr(subject, '\t') != NULL)
        return bad(at, "holds a control character");
    if (strlen(subject) > EI_TEMPLATE_SUBJECT_MAX)
        return bad(at, "the subject is longer than 512 bytes");
    return has_url ? bad(at, "{url} is not for the subject, which mail servers log") : EI_OK;
}

static enum ei_err check_body(struct place *at, const char *body, enum ei_template_kind kind)
{
    bool has_url = false;

    if (body[strspn(body, " \t\n")] == '\0')
        return bad(at, "there is no text below the subject");
    for (const char *line = body; line != NULL; at->line++) {
        enum ei_err rc = check_line(at, line, &has_url);
        if (rc != EI_OK)
            return rc;
        line = strchr(line, '\n');
        line = line != NULL && line[1] != '\0' ? line + 1 : NULL;
    }
    at->line--;
    if (kind == EI_TEMPLATE_SPONSOR)
        return has_url ? bad(at, "a note to sponsors must not have {url}: it is the partner's alone") : EI_OK;
    return has_url ? EI_OK : bad(at, "{url} is missing: without it nobody can accept");
}

/* CR LF to LF, in place; a CR elsewhere stays and is found as the control character that it is. */
static void unify_line_ends(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++)
        if (from[0] != '\r' || from[1] != '\n')
            *to++ = *from;
    *to = '\0';
}

/* Splits text, which is changed. at->line is 1. */
static enum ei_err split(struct place *at, char *text, struct ei_template *template)
{
    static const char field[] = "Subject:";
    size_t first = strcspn(text, "\n");
    char *rest = text + first + (text[first] == '\n');

    text[first] = '\0';
    if (strncasecmp(text, field, strlen(field)) != 0)
        return bad(at, "the first line must be \"Subject: …\"");
    char *subject = text + strlen(field);
    subject += strspn(subject, " ");
    for (size_t end = strlen(subject); end != 0 && subject[end - 1] == ' '; end--)
        subject[end - 1] = '\0';
    enum ei_err rc = check_subject(at, subject);
    if (rc != EI_OK)
        return rc;
    at->line = 2;
    if (rest[0] != '\n' && rest[0] != '\0')
        return bad(at, "an empty line must follow the subject");
    rest += rest[0] == '\n';
    at->line = 3;
    rc = check_body(at, rest, template->kind);
    if (rc != EI_OK)
        return rc;
    template->subject = strdup(subject);
    template->body = strdup(rest);
    return template->subject != NULL && template->body != NULL ? EI_OK : EI_NOMEM;
}

enum ei_err ei_template_parse(const char *name, const char *text, size_t length, enum ei_template_kind kind,
                              struct ei_template **ret_template, struct ei_error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct place at = {.name = name, .line = 1, .err = err};
    struct ei_template *template = calloc(1, sizeof *template);
    enum ei_err rc = EI_NOMEM;
    char *copy = NULL;

    if (length > EI_TEMPLATE_MAX) {
        rc = ei_fail(err, EI_TEMPLATE, "%.300s: larger than 64 KiB", name);
        goto out;
    }
    if (memchr(text, '\0', length) != NULL) {
        rc = ei_fail(err, EI_TEMPLATE, "%.300s: holds a NUL byte: it is not UTF-8 text", name);
        goto out;
    }
    if (length >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
        text += strlen(mark);
        length -= strlen(mark);
    }
    copy = strndup(text, length);
    if (template == NULL || copy == NULL || (template->name = strdup(name)) == NULL)
        goto out;
    template->kind = kind;
    unify_line_ends(copy);
    rc = split(&at, copy, template);
    if (rc == EI_OK) {
        *ret_template = template;
        template = NULL; /* transferred */
    }
out:
    if (rc == EI_NOMEM)
        ei_fail(err, EI_NOMEM, "%.300s: no memory for the template", name);
    free(copy);
    ei_template_free(template);
    return rc;
}

static enum ei_err unreadable(const char *path, struct ei_error *err)
{
    return ei_fail(err, ei_err_of_file(errno, EI_TEMPLATE), "%.300s: %s", path, strerror(errno));
}

static enum ei_err read_whole(const char *path, int fd, struct ei_buffer *text, struct ei_error *err)
{
    char piece[4096];
    struct stat st;
    ssize_t count;

    if (fstat(fd, &st) < 0)
        return unreadable(path, err);
    if (!S_ISREG(st.st_mode))
        return ei_fail(err, EI_TEMPLATE, "%.300s: not a regular file", path);
    while ((count = read(fd, piece, sizeof piece)) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return unreadable(path, err);
        if (text->length + (size_t)count > EI_TEMPLATE_MAX)
            return ei_fail(err, EI_TEMPLATE, "%.300s: larger than 64 KiB", path);
        if (!ei_buffer_append(text, piece, (size_t)count))
            return ei_fail(err, EI_NOMEM, "%.300s: no memory for the template", path);
    }
    return EI_OK;
}

enum ei_err ei_template_load(const char *path, enum ei_template_kind kind, struct ei_template **ret_template,
                             struct ei_error *err)
{
    struct ei_buffer text;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return unreadable(path, err);
    ei_buffer_init(&text, EI_TEMPLATE_MAX);
    enum ei_err rc = read_whole(path, fd, &text, err);
    if (rc == EI_OK)
        rc = ei_template_parse(path, text.data != NULL ? text.data : "", text.length, kind, ret_template, err);
    ei_buffer_free(&text);
    close(fd);
    return rc;
}

/* --- making the text --- */

/* U+2028, U+2029; U+202A to U+202E and U+2066 to U+2069, which turn the direction of what stands around them. */
static bool breaks_out(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    return c[0] == 0xe2 &&
           ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

static bool append_value(struct ei_buffer *out, const char *value)
{
    while (*value != '\0') {
        size_t length = ei_utf8_length(value);
        bool added;
        if (length == 0)
            added = ei_buffer_append_text(out, "?");
        else if (ei_utf8_control(value) || breaks_out(value))
            added = ei_buffer_append_text(out, " ");
        else
            added = ei_buffer_append(out, value, length);
        if (!added)
            return false;
        value += length != 0 ? length : 1;
    }
    return true;
}

static bool append_hosts(struct ei_buffer *out, const struct ei_template_values *values)
{
    for (size_t i = 0; i < values->host_count; i++)
        if ((i != 0 && !ei_buffer_append_text(out, ", ")) || !append_value(out, values->hosts[i]))
            return false;
    return true;
}

/* "2026-11-30 16:29 UTC": whoever reads it may be in any time zone. */
static bool append_time(struct ei_buffer *out, int64_t t)
{
    char text[EI_TIME_TEXT];

    ei_time_format(t, text);
    if (t == 0 || text[0] == '\0')
        return true;
    return ei_buffer_append(out, text, strlen("2026-11-30")) && ei_buffer_append_text(out, " ") &&
           ei_buffer_append(out, text + strlen("2026-11-30T"), strlen("16:29")) && ei_buffer_append_text(out, " UTC");
}

static bool append_placeholder(struct ei_buffer *out, enum placeholder which, const struct ei_template_values *values)
{
    const char *const texts[PLACEHOLDERS] = {
        [NAME] = values->name,       [LOGIN] = values->login, [URL] = values->url,
        [SPONSOR] = values->sponsor, [EMAIL] = values->email, [RULE] = values->rule,
    };

    if (which == HOSTS)
        return append_hosts(out, values);
    if (which == EXPIRES)
        return append_time(out, values->expires);
    return texts[which] == NULL || append_value(out, texts[which]);
}

/* Up to the LF or the end, which is where *text is left. false: no room. */
static bool expand_line(const char **text, const struct ei_template_values *values, struct ei_buffer *out,
                        struct tally *tally)
{
    const char *c = *text;
    enum placeholder which;

    *tally = (struct tally){0};
    while (*c != '\0' && *c != '\n') {
        size_t length = *c == '{' && c[1] != '{' ? read_placeholder(c, &which) : 0;
        if (length != 0) {
            size_t before = out->length;
            if (!append_placeholder(out, which, values))
                return false;
            tally->placeholders++;
            tally->filled += out->length != before;
            c += length;
            continue;
        }
        if (!ei_buffer_append(out, c, 1))
            return false;
        c += *c == '{' ? 2 : 1;
    }
    *text = c;
    return true;
}

/* So that the empty line below one that was left out does not stand beside the one above it. */
static bool ends_empty(const struct ei_buffer *out)
{
    size_t n = out->length;

    return n == 0 || (out->data[n - 1] == '\n' && (n == 1 || out->data[n - 2] == '\n'));
}

static bool expand_body(const char *text, const struct ei_template_values *values, struct ei_buffer *out)
{
    struct ei_buffer line;
    struct tally tally;
    bool left_out = false;
    bool good = true;

    ei_buffer_init(&line, out->limit);
    while (good && *text != '\0') {
        good = expand_line(&text, values, &line, &tally);
        text += *text == '\n';
        bool drop = (tally.placeholders != 0 && tally.filled == 0) || (left_out && line.length == 0 && ends_empty(out));
        left_out = drop;
        if (good && !drop)
            good = ei_buffer_append(out, line.data != NULL ? line.data : "", line.length) &&
                   ei_buffer_append_text(out, "\n");
        out->starved |= line.starved;
        ei_buffer_free(&line);
    }
    return good;
}

static enum ei_err no_memory(const struct ei_template *template, struct ei_error *err)
{
    return ei_fail(err, EI_NOMEM, "%.300s: no memory for the text", template->name);
}

static enum ei_err expand(const struct ei_template *template, const struct ei_template_values *values,
                          struct ei_buffer *subject, struct ei_buffer *body, struct ei_error *err)
{
    const char *text = template->subject;
    struct tally tally;

    if (!expand_line(&text, values, subject, &tally))
        return subject->starved
                   ? no_memory(template, err)
                   : ei_fail(err, EI_TEMPLATE, "%.300s: with these values the subject is longer than 512 bytes",
                             template->name);
    if (subject->length == 0 || subject->data[strspn(subject->data, " ")] == '\0')
        return ei_fail(err, EI_TEMPLATE, "%.300s: with these values the subject is empty", template->name);
    if (!expand_body(template->body, values, body))
        return body->starved ? no_memory(template, err)
                             : ei_fail(err, EI_TEMPLATE, "%.300s: with these values the text is larger than 256 KiB",
                                       template->name);
    if (body->length == 0)
        return ei_fail(err, EI_TEMPLATE, "%.300s: with these values the text is empty", template->name);
    return EI_OK;
}

enum ei_err ei_template_render(const struct ei_template *template, const struct ei_template_values *values,
                               struct ei_template_text *ret_text, struct ei_error *err)
{
    struct ei_template_text text = {0};
    struct ei_buffer subject;
    struct ei_buffer body;

    if (template->kind != EI_TEMPLATE_SPONSOR && (values->url == NULL || values->url[0] == '\0'))
        return ei_fail(err, EI_TEMPLATE, "%.300s: there is no redeem URL to send", template->name);
    ei_buffer_init(&subject, EI_TEMPLATE_SUBJECT_MAX);
    ei_buffer_init(&body, EI_TEMPLATE_TEXT_MAX);
    enum ei_err rc = expand(template, values, &subject, &body, err);
    if (rc == EI_OK) {
        text.subject = strdup(subject.data);
        text.body = strdup(body.data);
        if (text.subject == NULL || text.body == NULL) {
            ei_template_text_free(&text);
            rc = no_memory(template, err);
        }
    }
    ei_buffer_free(&subject);
    ei_buffer_free(&body);
    if (rc == EI_OK)
        *ret_text = text;
    return rc;
}
