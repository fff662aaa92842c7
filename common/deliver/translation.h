/*
 * A gettext catalogue (.mo) in the language of one message.
 *
 * Not by gettext(3), because the language belongs to the message and not to the process. What chooses there is the
 * locale and $LANGUAGE: a locale of that language is not installed on a minimal host; $LANGUAGE cannot be set while
 * other threads run (getenv is everywhere), is ignored in "C" by every glibc and since 2.39 in "C.UTF-8" as well
 * (2.36 of Debian 12 obeys it there, 2.41 of Debian 13 does not). So the same message would be in another language on
 * another host. Only the look-up is ours: texts are marked and extracted as xgettext has it, catalogues are what msgfmt
 * makes of PO files, and they lie where gettext looks for them: DIR/LANGUAGE/LC_MESSAGES/entra-invite.mo.
 */
#ifndef EI_DELIVER_TRANSLATION_H
#define EI_DELIVER_TRANSLATION_H

#include <stddef.h>

/* For xgettext: a text that is translated where it is used. */
#define EI_TRANSLATABLE(text) text

enum { EI_TRANSLATION_MAX = 1024 * 1024 }; /* bytes of a catalogue */

struct ei_translation;

/*
 * The catalogue that fits the tag best: of "de-AT" de_AT, then de; of "zh-Hant" zh_TW, of "sr-Latn-RS" sr_RS@latin,
 * sr_RS, sr@latin, sr. NULL: there is none, or no good one, or no memory; the texts are English then. dir NULL: where
 * catalogues are installed. What the file says is not trusted: nothing outside of it is read.
 */
struct ei_translation *ei_translation_open(const char *dir, const char *language);
void ei_translation_free(struct ei_translation *translation);

/* NULL where the catalogue does not have it. Belongs to the catalogue; bytes as they stand there. */
const char *ei_translation_find(const struct ei_translation *translation, const char *text);

#endif
