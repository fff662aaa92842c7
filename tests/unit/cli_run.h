/* The command line, against the worker of cli_fixture.h. */
#ifndef EI_TESTS_CLI_RUN_H
#define EI_TESTS_CLI_RUN_H

#include "plugin/cli/cli.h"
#include "tests/unit/cli_fixture.h"

enum { WORDS_MAX = 32 };

static inline int cli_program(struct fixture *f, void *argument)
{
    char **words = argument;
    int count = 0;

    while (words[count] != NULL)
        count++;
    unsetenv("SUDO_UID");
    return ei_cli_run(count, words, f->view);
}

static inline int cli_program_as_nobody(struct fixture *f, void *argument)
{
    if (setresuid(65534, 65534, 65534) != 0)
        return 99;
    return cli_program(f, argument);
}

/* The words follow "entra-invite VERB --config FILE"; NULL ends them. */
static inline void run_with(struct fixture *f, int (*program)(struct fixture *, void *), const char *verb, va_list list)
{
    char *words[WORDS_MAX] = {(char *)"entra-invite", (char *)verb, (char *)"--config", f->config};
    int count = 4;

    for (char *word; (word = va_arg(list, char *)) != NULL && count + 1 < WORDS_MAX;)
        words[count++] = word;
    run_child(f, program, words);
}

static inline void cli(struct fixture *f, const char *verb, ...) __attribute__((sentinel));
static inline void cli(struct fixture *f, const char *verb, ...)
{
    va_list list;

    va_start(list, verb);
    run_with(f, cli_program, verb, list);
    va_end(list);
}

static inline void cli_as_nobody(struct fixture *f, const char *verb, ...) __attribute__((sentinel));
static inline void cli_as_nobody(struct fixture *f, const char *verb, ...)
{
    va_list list;

    va_start(list, verb);
    run_with(f, cli_program_as_nobody, verb, list);
    va_end(list);
}

#define CLI_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
