/*
 * The words of a collaborator's history (store.h), each with the sentence that people read. The worker writes them, the
 * command line shows them, entra-invite(1) lists them; a test holds the three against each other.
 */
#ifndef EI_IPC_EVENT_H
#define EI_IPC_EVENT_H

#include <stdbool.h>

struct ei_event_word {
    const char *word; /* NULL ends the table */
    const char *sentence;
    bool fails; /* the collaborator's error, as it is then, belongs to it */
};

extern const struct ei_event_word ei_event_words[];

/* NULL: a word that this version does not know. */
const struct ei_event_word *ei_event_word(const char *word);

#endif
