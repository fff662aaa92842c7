/*
 * Transitions: what each change that is stored makes of a collaborator, for the comparison of real runs with the model
 * of tests/faults/model.js (X16). They are written in the test build only (-DEI_FAILPOINTS); in a release build the
 * macros are empty and nothing of this is in the program.
 *
 * In the test build EI_FAILPOINT_TRANSITIONS names a file that the worker may append to. A line has the event ("-":
 * none), what was stored before ("-": nothing) and what is now, each as STEP,MAIL and one letter for each thing that is
 * so: g a guest is known, l a redeem URL is, o an intent is open, a a create went unanswered.
 *
 *     creating checking,none,o creating,wanted,o
 */
#ifndef EI_WORKER_TRANSITION_H
#define EI_WORKER_TRANSITION_H

#include "common/store/store.h"

#ifdef EI_FAILPOINTS

enum { EI_STANDING_MAX = 64 };
struct ei_transition {
    char before[EI_STANDING_MAX];
};

void ei_transition_begin(struct ei_transition *transition, struct ei_store *store, const char *id);
/* The change is stored; or in a batch, as those before it are that it begins from. */
void ei_transition_end(const struct ei_transition *transition, const struct ei_collaborator *after, const char *event);

#define EI_TRANSITION_BEGIN(store, id)                                                                                 \
    struct ei_transition transition;                                                                                   \
    ei_transition_begin(&transition, (store), (id))
#define EI_TRANSITION_END(after, event) ei_transition_end(&transition, (after), (event))

#else
#define EI_TRANSITION_BEGIN(store, id)  ((void)0)
#define EI_TRANSITION_END(after, event) ((void)0)
#endif

#endif
