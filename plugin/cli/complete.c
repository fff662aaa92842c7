/*
 * --complete: what can stand where the cursor is, for the completions of the shells (conf/completion). They ask here,
 * so that the table of verbs and options is their only source. Who may not read something is shown nothing of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/paths.h"
#include "common/base/utf8.h"
#include "common/config/config.h"
#include "common/view/view.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/list_columns.h"
#include "plugin/cli/list_rows.h"

struct completion {
    char **words;
    int count;
    const char *current; /* to be completed */
    const char *view_path;
    const char *config_path;
    const struct ei_verb *verb; /* NULL: none stands there yet */
    int verb_at;
    int operands;     /* that stand there, or a word that is no verb */
    bool no_options;  /* behind -- */
    const char *lead; /* of the current word, stays: "--state=", "login," */
    size_t lead_length;
};

/* --- what is offered --- */

static void offer(const struct completion *c, const char *word, const char *what)
{
    const char *rest = c->current + c->lead_length;

    if (strncmp(word, rest, strlen(rest)) != 0 || !ei_utf8_printable(word))
        return;
    printf("%.*s%s", (int)c->lead_length, c->lead != NULL ? c->lead : "", word);
    if (what != NULL)
        printf("\t%s", what);
    putchar('\n');
}

static void offer_files(void)
{
    puts(":files");
}

static void offer_option(const struct completion *c, const struct ei_option *option)
{
    char word[64];

    snprintf(word, sizeof word, "--%s", option->name);
    offer(c, word, option->help);
}

/* In front of the verb, all of the common ones but --json can stand. */
static void offer_options(const struct completion *c)
{
    for (const struct ei_option *option = c->verb != NULL ? c->verb->options : ei_cli_common_options + 1;
         option->name != NULL; option++)
        offer_option(c, option);
    for (const struct ei_option *option = ei_cli_common_options; c->verb != NULL && option->name != NULL; option++)
        offer_option(c, option);
}

static void offer_verbs(const struct completion *c)
{
    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++)
        offer(c, verb->name, verb->summary);
}

static bool has_word(const struct completion *c, const char *word)
{
    for (int i = c->verb_at + 1; i + 1 < c->count; i++)
        if (strcmp(c->words[i], word) == 0)
            return true;
    return false;
}

static void offer_states(const struct completion *c)
{
    if (has_word(c, "--tenant")) {
        offer(c, "pending", NULL);
        offer(c, "accepted", NULL);
        offer(c, "none", NULL);
        return;
    }
    for (int state = EI_STATE_WAITING; state < EI_STATES; state++)
        offer(c, ei_state_name((enum ei_state)state), NULL);
}

static void offer_rules(const struct completion *c)
{
    struct ei_config *config = NULL;
    struct ei_error err;

    if (ei_cli_config(c->config_path, &config, &err) != EI_OK)
        return;
    for (size_t i = 0; i < config->rule_count; i++)
        offer(c, config->rules[i].name, NULL);
    ei_config_free(config);
}

/* Of a list with commas the last one is completed. */
static void lead_to_comma(struct completion *c)
{
    const char *comma = strrchr(c->current + c->lead_length, ',');

    if (comma != NULL) {
        c->lead = c->current;
        c->lead_length = (size_t)(comma - c->current) + 1;
    }
}

static void offer_sort_keys(struct completion *c)
{
    char reversed[32];

    lead_to_comma(c);
    for (size_t i = 0; ei_list_sort_keys[i] != NULL; i++) {
        offer(c, ei_list_sort_keys[i], NULL);
        snprintf(reversed, sizeof reversed, "-%s", ei_list_sort_keys[i]);
        if (c->current[c->lead_length] == '-')
            offer(c, reversed, NULL);
    }
}

static void offer_columns(struct completion *c)
{
    lead_to_comma(c);
    for (size_t i = 0; ei_list_column_name(i) != NULL; i++)
        offer(c, ei_list_column_name(i), NULL);
}

static bool offer_login(void *context, const char *login)
{
    offer(context, login, NULL);
    return true;
}

static void offer_logins(struct completion *c)
{
    struct ei_view_header header;
    struct ei_view view;

    if (ei_view_open(c->view_path, &view, &header) != EI_VIEW_OK)
        return;
    (void)ei_view_each(&view, &header, offer_login, c);
    ei_view_close(&view);
}

/* "guest|member" */
static void offer_choices(const struct completion *c, const char *choices)
{
    char word[32];

    while (*choices != '\0') {
        size_t length = strcspn(choices, "|");
        snprintf(word, sizeof word, "%.*s", (int)length, choices);
        offer(c, word, NULL);
        choices += length + (choices[length] == '|');
    }
}

/* By what stands for it in --help. */
static void offer_values(struct completion *c, const struct ei_option *option)
{
    const char *argument = option->argument;

    if (strcmp(argument, "FILE") == 0)
        offer_files();
    else if (strcmp(argument, "STATE") == 0)
        offer_states(c);
    else if (strcmp(option->name, "rule") == 0)
        offer_rules(c);
    else if (strcmp(option->name, "sort") == 0)
        offer_sort_keys(c);
    else if (strcmp(option->name, "columns") == 0)
        offer_columns(c);
    else if (strchr(argument, '|') != NULL)
        offer_choices(c, argument);
}

/* --- what stands there --- */

static const struct ei_option *find_option(const struct ei_verb *verb, const char *word, size_t length)
{
    const struct ei_option *const tables[] = {verb != NULL ? verb->options : NULL, ei_cli_common_options};

    for (size_t i = 0; i < 2; i++)
        for (const struct ei_option *option = tables[i]; option != NULL && option->name != NULL; option++)
            if (strlen(option->name) == length && strncmp(option->name, word, length) == 0)
                return option;
    return NULL;
}

/* The option that takes the word behind this one as its value; NULL: there is none. */
static const struct ei_option *wants_next(const struct completion *c, const char *word)
{
    const struct ei_option *option =
        strncmp(word, "--", 2) == 0 ? find_option(c->verb, word + 2, strlen(word + 2)) : NULL;

    return option != NULL && option->argument != NULL && !option->may_lack ? option : NULL;
}

static void take_word(struct completion *c, int i)
{
    const char *word = c->words[i];

    if (strncmp(word, "--config=", 9) == 0)
        c->config_path = word + 9;
    if (word[0] == '-' && word[1] != '\0' && !c->no_options) {
        c->no_options = c->verb != NULL && strcmp(word, "--") == 0;
        return;
    }
    if (c->verb != NULL) {
        c->operands++;
        return;
    }
    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++)
        if (strcmp(verb->name, word) == 0)
            c->verb = verb;
    c->operands += c->verb == NULL; /* no verb, and nothing is known of what is behind it */
    c->verb_at = i;
}

/* The words before the current one. Returns the option whose value the current one is, or NULL. */
static const struct ei_option *take_words(struct completion *c)
{
    for (int i = 0; i + 1 < c->count; i++) {
        const struct ei_option *option = c->no_options ? NULL : wants_next(c, c->words[i]);
        if (option == NULL) {
            take_word(c, i);
            continue;
        }
        if (i + 2 == c->count)
            return option;
        i++;
        if (strcmp(option->name, "config") == 0)
            c->config_path = c->words[i];
    }
    return NULL;
}

static void offer_operand(struct completion *c)
{
    const char *operands = c->verb->operands;

    if ((size_t)c->operands >= c->verb->operands_max)
        return;
    if (strstr(operands, "LOGIN") != NULL || strstr(operands, "PATTERN") != NULL)
        offer_logins(c);
    else if (strstr(operands, "FILE") != NULL)
        offer_files();
}

int ei_complete(int count, char **words, const char *view_path)
{
    struct completion c = {
        .words = words,
        .count = count,
        .current = count > 0 ? words[count - 1] : "",
        .view_path = view_path != NULL ? view_path : EI_VIEW_PATH,
    };
    const struct ei_option *valued = take_words(&c);
    const char *equals = strchr(c.current, '=');

    if (valued == NULL && !c.no_options && strncmp(c.current, "--", 2) == 0 && equals != NULL) {
        valued = find_option(c.verb, c.current + 2, (size_t)(equals - c.current) - 2);
        c.lead = c.current;
        c.lead_length = (size_t)(equals - c.current) + 1;
        if (valued != NULL && valued->argument != NULL)
            offer_values(&c, valued);
    } else if (valued != NULL) {
        offer_values(&c, valued);
    } else if (c.current[0] == '-' && !c.no_options) {
        offer_options(&c);
    } else if (c.verb != NULL) {
        offer_operand(&c);
    } else if (c.operands == 0) {
        offer_verbs(&c);
    }
    return EI_EXIT_DONE;
}
