/* The texts that are there without a template of the administrator's. */
#include "common/deliver/template.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/base/buffer.h"
#include "common/base/log.h"
#include "common/deliver/translation.h"

#define T_(text) EI_TRANSLATABLE(text)

static const struct {
    const char *subject;
    const char *body;
} texts[EI_TEMPLATE_KINDS] = {
    [EI_TEMPLATE_INVITATION] =
        {
            /* Translators: the words in braces stay as they are; a line is left out if all of its are empty. */
            T_("Your access to {hosts}"),
            T_("Hello {name},\n"
               "\n"
               "an account was set up for you. Before you can use it, please accept the\n"
               "invitation at this address:\n"
               "\n"
               "{url}\n"
               "\n"
               "The invitation is for {email} and for nobody else: please do not pass it on.\n"
               "Hosts: {hosts}\n"
               "Login: {login}\n"
               "Accept it before: {expires}\n"
               "Who to ask: {sponsor}\n"
               "\n"
               "This message was sent by a program.\n"),
        },
    [EI_TEMPLATE_REMINDER] =
        {
            T_("Reminder: your access to {hosts}"),
            T_("Hello {name},\n"
               "\n"
               "you were invited and have not accepted yet. Your account cannot be used until\n"
               "you accept the invitation at this address:\n"
               "\n"
               "{url}\n"
               "\n"
               "The invitation is for {email} and for nobody else: please do not pass it on.\n"
               "Hosts: {hosts}\n"
               "Login: {login}\n"
               "Accept it before: {expires}\n"
               "Who to ask: {sponsor}\n"
               "\n"
               "This message was sent by a program.\n"),
        },
    [EI_TEMPLATE_SPONSOR] =
        {
            T_("Not accepted yet: the invitation of {email}"),
            T_("Hello,\n"
               "\n"
               "you are a sponsor of a guest who was invited and has not accepted yet. Only the\n"
               "guest was sent the address at which to accept; please ask the guest to do so.\n"
               "\n"
               "Guest: {name}\n"
               "Address: {email}\n"
               "Login: {login}\n"
               "Hosts: {hosts}\n"
               "To be accepted before: {expires}\n"
               "\n"
               "This message was sent by a program.\n"),
        },
};

static enum ei_err assemble(const char *name, const char *subject, const char *body, enum ei_template_kind kind,
                            struct ei_template **ret_template, struct ei_error *err)
{
    struct ei_buffer text;

    ei_buffer_init(&text, EI_TEMPLATE_MAX);
    bool done = ei_buffer_append_text(&text, "Subject: ") && ei_buffer_append_text(&text, subject) &&
                ei_buffer_append_text(&text, "\n\n") && ei_buffer_append_text(&text, body);
    enum ei_err rc = done           ? ei_template_parse(name, text.data, text.length, kind, ret_template, err)
                     : text.starved ? ei_fail(err, EI_NOMEM, "%s: no memory for the template", name)
                                    : ei_fail(err, EI_TEMPLATE, "%s: larger than 64 KiB", name);
    ei_buffer_free(&text);
    return rc;
}

/* EI_OK only with a template; a message is never half in one language and half in another. */
static enum ei_err translate(enum ei_template_kind kind, const char *language, const char *locale_dir,
                             struct ei_template **ret_template)
{
    struct ei_error err;
    enum ei_err rc = EI_NOT_FOUND;
    struct ei_translation *translation = ei_translation_open(locale_dir, language);

    if (translation == NULL)
        return rc;
    const char *subject = ei_translation_find(translation, texts[kind].subject);
    const char *body = ei_translation_find(translation, texts[kind].body);
    if (subject != NULL && body != NULL) {
        rc = assemble("the built-in text", subject, body, kind, ret_template, &err);
        if (rc != EI_OK)
            ei_log(LOG_WARNING, "the %s text in %s cannot be used, English is sent: %s", ei_template_kind_name(kind),
                   language, err.message);
    }
    ei_translation_free(translation);
    return rc;
}

enum ei_err ei_template_builtin(enum ei_template_kind kind, const char *language, const char *locale_dir,
                                struct ei_template **ret_template, struct ei_error *err)
{
    enum ei_err rc = EI_NOT_FOUND;

    if (language != NULL && language[0] != '\0')
        rc = translate(kind, language, locale_dir, ret_template);
    if (rc == EI_OK)
        return EI_OK;
    if (rc == EI_NOMEM) /* says nothing of the translation: the message can wait */
        return ei_fail(err, EI_NOMEM, "no memory for the template");
    return assemble("the built-in text", texts[kind].subject, texts[kind].body, kind, ret_template, err);
}
