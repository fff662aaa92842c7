/*
 * The stack of a PAM service as libpam builds it from pam.d(5): @include, include and substack followed, in order.
 *
 * Read to judge one thing: whether a module is reached, and what becomes of its answer.
 */
#ifndef EI_CLI_PAM_STACK_H
#define EI_CLI_PAM_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* One line of the type that was asked for. level: how many substacks it is in; the line of a substack itself has the
 * level outside of it and no module. */
struct ei_pam_line {
    char *where;     /* file and number: "/etc/pam.d/sshd:8" */
    char *control;   /* as it is written, without brackets: "required", "success=1 default=ignore" */
    char *module;    /* "pam_unix.so", or a path; "" for a substack */
    char *arguments; /* "" for none */
    int level;
};

struct ei_pam_stack {
    struct ei_pam_line *lines;
    size_t count;
    size_t room;
    char *missing; /* a file that is included and not there, NULL: none */
};

/* The stack of service for type ("account"): from its file, or from "other" where that has no such line. root is put
 * before /etc/pam.d and /usr/lib/pam.d. false: there is no such service, or no memory. */
bool ei_pam_stack_read(const char *root, const char *service, const char *type, struct ei_pam_stack *ret_stack);
void ei_pam_stack_free(struct ei_pam_stack *stack);

/* The index of the first line with this module, whatever its folder; count if there is none. */
size_t ei_pam_stack_find(const struct ei_pam_stack *stack, const char *module);
/* The first line ahead of `at` by which the stack may end well, or jump, without reaching `at`; count if none. */
size_t ei_pam_stack_hidden_by(const struct ei_pam_stack *stack, size_t at);

/* What a control makes of a module's answer, by its name in pam.conf(5) ("success", "perm_denied", …): "ignore", "ok",
 * "done", "bad", "die", "reset", or a number of lines to jump. Good as long as control is. length of the word is set.
 */
const char *ei_pam_action(const char *control, const char *answer, size_t *ret_length);
bool ei_pam_action_is(const char *control, const char *answer, const char *action);

#endif
