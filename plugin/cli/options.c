/* The command line by the tables of cli.c. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/cli/cli.h"

enum { TABLE_MAX = 32, HELP_COLUMN = 26 };

/* Both tables as getopt wants them; val is the place in names + 1. */
static size_t build_table(const struct ei_verb *verb, struct option *table, const char **names)
{
    const struct ei_option *const sources[] = {verb->options, ei_cli_common_options};
    size_t count = 0;

    for (size_t i = 0; i < 2; i++) {
        for (const struct ei_option *option = sources[i]; option->name != NULL && count + 1 < TABLE_MAX; option++) {
            int argument = option->may_lack ? optional_argument : required_argument;
            names[count] = option->name;
            table[count] = (struct option){option->name, option->argument != NULL ? argument : no_argument, NULL, 0};
            table[count].val = (int)count + 1;
            count++;
        }
    }
    table[count] = (struct option){0};
    return count;
}

static bool bad_option(const struct ei_verb *verb, int result, const char *word)
{
    if (result == ':')
        ei_usage_error(verb, "%.64s: needs a value", word);
    else
        ei_usage_error(verb, "%.64s: no such option, ambiguous, or a value where none belongs", word);
    return false;
}

bool ei_args_read(const struct ei_verb *verb, int argc, char **argv, struct ei_args *ret_args)
{
    struct option table[TABLE_MAX];
    const char *names[TABLE_MAX];
    int result = 0;

    *ret_args = (struct ei_args){.verb = verb};
    build_table(verb, table, names);
    optind = 0; /* glibc: start anew, for callers that run more than one command line */
    opterr = 0;
    while ((result = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
        if (result == '?' || result == ':')
            return bad_option(verb, result, argv[optind - 1]);
        if (ret_args->given_count == EI_GIVEN_MAX) {
            ei_usage_error(verb, "more than %d options", EI_GIVEN_MAX);
            return false;
        }
        ret_args->given[ret_args->given_count].name = result == 'h' ? "help" : names[result - 1];
        ret_args->given[ret_args->given_count++].value = optarg != NULL ? optarg : "";
    }
    ret_args->operands = (const char *const *)argv + optind;
    ret_args->operand_count = (size_t)(argc - optind);
    return true;
}

const char *ei_args_get(const struct ei_args *args, const char *name)
{
    for (size_t i = args->given_count; i > 0; i--)
        if (strcmp(args->given[i - 1].name, name) == 0)
            return args->given[i - 1].value;
    return NULL;
}

bool ei_args_has(const struct ei_args *args, const char *name)
{
    return ei_args_get(args, name) != NULL;
}

bool ei_args_seconds(const struct ei_args *args, const char *name, int fallback, int most, int *ret_seconds)
{
    const char *text = ei_args_get(args, name);

    *ret_seconds = fallback;
    if (text == NULL || *text == '\0')
        return true;
    size_t digits = strspn(text, "0123456789");
    long seconds = digits <= 9 ? strtol(text, NULL, 10) : 0;
    if (text[digits] != '\0' || seconds < 1 || seconds > most) {
        ei_usage_error(args->verb, "--%s=%.32s: takes 1 to %d seconds", name, text, most);
        return false;
    }
    *ret_seconds = (int)seconds;
    return true;
}

static void print_options(const struct ei_option *option)
{
    for (; option->name != NULL; option++) {
        char left[64];
        const char *argument = option->argument != NULL ? option->argument : "";
        const char *equals = option->argument == NULL ? "" : option->may_lack ? "[=" : " ";
        snprintf(left, sizeof left, "--%s%s%s%s", option->name, equals, argument, option->may_lack ? "]" : "");
        printf("  %-*s %s\n", HELP_COLUMN, left, option->help);
    }
}

void ei_usage_print(const struct ei_verb *verb)
{
    printf("usage: entra-invite %s [OPTION...]%s%s\n%s.\n\n", verb->name, *verb->operands != '\0' ? " " : "",
           verb->operands, verb->summary);
    print_options(verb->options);
    print_options(ei_cli_common_options);
}

int ei_usage_error(const struct ei_verb *verb, const char *format, ...)
{
    struct ei_error err;
    char text[EI_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ei_fail(&err, EI_USAGE, "%s", text);
    fprintf(stderr, "entra-invite: %s: %s\n  mend: see entra-invite %s --help\n", verb->name, err.message, verb->name);
    return verb->usage_exit;
}
