/*
 * The text of a message that this host sends itself: a template in UTF-8, or one of the built-in texts, and the values
 * that go into it.
 *
 *   Subject: Your access for {sponsor}
 *
 *   Dear {name},
 *   {url}
 *
 * One line of subject, an empty line, the body. A placeholder is a word in braces, one of ei_template_placeholders();
 * "{{" is a brace. Lines end with LF or CR LF, a byte order mark at the start is skipped.
 *
 * What a value holds is never read as a template. Values are untrusted: a control character, a line break (U+2028 and
 * U+2029 are two as well) and a character that turns the direction of the writing come out as a blank, a byte that is
 * not UTF-8 as "?"; so no value can make a line, let alone a header. A line of the body in which all placeholders are
 * empty (and there is at least one) is left out; in the subject an empty value leaves nothing.
 */
#ifndef EI_DELIVER_TEMPLATE_H
#define EI_DELIVER_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum {
    EI_TEMPLATE_MAX = 64 * 1024,       /* bytes of a template */
    EI_TEMPLATE_SUBJECT_MAX = 512,     /* bytes of its subject, and of the subject that is made of it */
    EI_TEMPLATE_TEXT_MAX = 256 * 1024, /* bytes of the body that is made of it */
};

enum ei_template_kind {
    EI_TEMPLATE_INVITATION, /* to the partner, must have {url} */
    EI_TEMPLATE_REMINDER,   /* to the partner, must have {url} */
    EI_TEMPLATE_SPONSOR,    /* to the sponsors, must not have {url}: it is the partner's alone */
    EI_TEMPLATE_KINDS
};

/* "invitation", "reminder", "sponsor": in errors, and the `event` of a webhook. */
const char *ei_template_kind_name(enum ei_template_kind kind);

struct ei_template;

/* Caller owns all; only read. What is NULL or "" is empty. */
struct ei_template_values {
    const char *name;         /* {name}: the person's */
    const char *login;        /* {login} */
    const char *email;        /* {email} */
    const char *rule;         /* {rule} */
    const char *url;          /* {url}: the redeem URL, secret */
    const char *sponsor;      /* {sponsor} */
    const char *const *hosts; /* {hosts}: joined by ", " */
    size_t host_count;
    int64_t expires; /* {expires}: seconds since 1970, "2026-11-30 16:29 UTC"; 0: empty */
};

/* What is sent. Both are well-formed UTF-8; subject is one line without control characters, body has LF line ends and
 * ends with one. Both may hold the redeem URL: ei_template_text_free erases them. Zero-initialised is empty. */
struct ei_template_text {
    char *subject;
    char *body;
};
void ei_template_text_free(struct ei_template_text *text);

/* {"name", "login", …, NULL}, for the test that the manual names each. */
const char *const *ei_template_placeholders(void);

/* Reads and checks a file. EI_TEMPLATE: "FILE:LINE: reason", also where it cannot be read. The owner frees it with
 * ei_template_free. */
enum ei_err ei_template_load(const char *path, enum ei_template_kind kind, struct ei_template **ret_template,
                             struct ei_error *err);

/* The same for length bytes of text; name is what errors call it. */
enum ei_err ei_template_parse(const char *name, const char *text, size_t length, enum ei_template_kind kind,
                              struct ei_template **ret_template, struct ei_error *err);

/*
 * The built-in text, in the language of this one message: a tag such as "de-DE" (NULL or "": English), looked up in
 * the catalogues (translation.h) of locale_dir (NULL: where they are installed). English where there is no catalogue of
 * the language or it lacks the text; also where its translation is no good template, which is logged. EI_NOMEM.
 */
enum ei_err ei_template_builtin(enum ei_template_kind kind, const char *language, const char *locale_dir,
                                struct ei_template **ret_template, struct ei_error *err);

void ei_template_free(struct ei_template *template);

/* EI_TEMPLATE: the text is too large with these values, or an invitation's or a reminder's url is empty. EI_NOMEM. */
enum ei_err ei_template_render(const struct ei_template *template, const struct ei_template_values *values,
                               struct ei_template_text *ret_text, struct ei_error *err);

#endif
