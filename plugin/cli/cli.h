/* entra-invite: what its verbs share. Each verb is one entry of a table (cli.c) and one function; the same table reads
 * the options and writes --help. */
#ifndef EI_CLI_CLI_H
#define EI_CLI_CLI_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/view/view.h"

/* Of every verb but status, doctor and check. */
enum {
    EI_EXIT_DONE = 0,
    EI_EXIT_FAILED = 1,
    EI_EXIT_USAGE = 2,
    EI_EXIT_NOT_FOUND = 3,   /* no such login or address */
    EI_EXIT_NO_ANSWER = 4,   /* entra-invited cannot be asked: down, not root, no answer in time */
    EI_EXIT_NOT_YET = 5,     /* the time that --wait gave is up and the work goes on */
    EI_EXIT_BAD_ROWS = 6,    /* of import: rows of the file are bad, nothing was done for them */
    EI_EXIT_STATUS_ERROR = 4 /* of status: it could not be told, usage errors included */
};

enum { EI_GIVEN_MAX = 256, EI_ANSWER_MS = 30 * 1000 };

struct ei_option {
    const char *name;     /* NULL ends a table */
    const char *argument; /* what stands for it in --help, NULL: takes none */
    bool may_lack;        /* the argument is optional: --wait[=SECONDS] */
    const char *help;
};

struct ei_verb;

/* What stood on the command line. The strings are argv's. */
struct ei_args {
    const struct ei_verb *verb;
    struct {
        const char *name;
        const char *value; /* "" for an option without its argument */
    } given[EI_GIVEN_MAX];
    size_t given_count;
    const char *const *operands;
    size_t operand_count;
};

struct ei_cli {
    const char *view_path;
    const char *config_path; /* --config, NULL if not given */
    char *socket_path;
    int max_age; /* of the configuration; -1: not known */
    bool json;
    bool colour;   /* stdout is a terminal that shows colours */
    bool progress; /* stderr is a terminal */
    bool terminal; /* stdout is one */
};

struct ei_verb {
    const char *name;
    const char *operands; /* for --help: "LOGIN|ADDRESS" */
    const char *summary;
    const struct ei_option *options; /* its own, without the common ones */
    size_t operands_min;
    size_t operands_max;
    int usage_exit;
    int (*run)(const struct ei_cli *cli, const struct ei_args *args);
};

/* The whole program; view_path NULL: the built-in one. Returns the exit code. */
int ei_cli_run(int argc, char **argv, const char *view_path);

/* The table, ended by an entry without a name, and the options that every verb takes. */
extern const struct ei_verb ei_cli_verbs[];
extern const struct ei_option ei_cli_common_options[];

/* --- options.c --- */

/* Reads argv[1..] (argv[0] is the verb's name). false: a message was printed. */
bool ei_args_read(const struct ei_verb *verb, int argc, char **argv, struct ei_args *ret_args);
/* The last value given, NULL if none was. */
const char *ei_args_get(const struct ei_args *args, const char *name);
bool ei_args_has(const struct ei_args *args, const char *name);
/* 1 to most seconds; false: a message was printed. Not given or without a value: fallback. */
bool ei_args_seconds(const struct ei_args *args, const char *name, int fallback, int most, int *ret_seconds);
void ei_usage_print(const struct ei_verb *verb);
int ei_usage_error(const struct ei_verb *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- output.c --- */

/* "entra-invite: what: message" and "  mend: …" on stderr; the exit code that belongs to the error. */
int ei_say_error(const char *what, const struct ei_error *err);
/* The same where memory lacks; what cJSON lacked, ei_output_finish says. */
int ei_say_no_memory(const char *what);
/* On stdout, with control characters and foreign bytes as \xNN (S16). */
void ei_print_text(const char *text);
/* The same of a text of several lines. */
void ei_print_lines(const char *text);
/* A JSON text in one line. */
void ei_print_json_line(const cJSON *value);
/* "key: value"; nothing where value is NULL. */
void ei_print_field(const char *key, const char *value);
/* The same of a time of the interface, as people read it. */
void ei_print_time(const char *key, const char *value);
/* RFC 3339 in UTC, as the interface has it, in local time with its offset; text itself if it is no such time. */
const char *ei_local_time(const char *text, char out[EI_TIME_LOCAL_TEXT]);
void ei_print_json(const cJSON *value);
/* The state, coloured on a terminal. */
void ei_print_state(const struct ei_cli *cli, const char *state);
/* "taylor <taylor@fabrikam.com>" of an account object. */
void ei_print_who(const cJSON *account);
/* An object {code, message, mend, requestId, clientRequestId}, as key: value lines. */
void ei_print_error_object(const cJSON *error);
/* "taylor <taylor@fabrikam.com>: pending" and the error, if there is one; the whole account with --json. */
void ei_print_account(const struct ei_cli *cli, const cJSON *account);
/* The exit code of `status` for a state, EI_EXIT_STATUS_ERROR for an unknown one. */
int ei_state_exit(const char *state);
/* 0, or 1 with a message: what was printed has arrived. */
int ei_output_finish(int exit_code);

/* --- call.c --- */

/* One call; parameters is taken over. On failure the error is told with what, and *ret_exit is the exit code. The
 * caller frees *ret_reply with ei_varlink_free. */
bool ei_call(const struct ei_cli *cli, const char *method, cJSON *parameters, int timeout_ms, const char *what,
             cJSON **ret_reply, int *ret_exit);
/* Adds {name: text} unless text is NULL. */
void ei_add_text(cJSON *parameters, const char *name, const char *text);
/* Adds requestedBy: who runs this. */
void ei_add_requested_by(cJSON *parameters);
/* The same, and requester: the login, who may become a sponsor. */
void ei_add_requester(cJSON *parameters);
/* {"target": target}; NULL with a message if target is not text that can be a login or an address. */
cJSON *ei_target(const struct ei_args *args, const char *target);

/* --- outcome.c --- */

/* Waits until what was asked for target is done or has failed, at most so many seconds; *reply becomes the last answer.
 * false: *ret_exit is set. */
bool ei_outcome_wait(const struct ei_cli *cli, const char *target, int seconds, cJSON **reply, int *ret_exit);
/* The exit code of --wait for an account object. */
int ei_outcome_exit(const cJSON *account);

/* --- the verbs --- */

int ei_verb_invite(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_list(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_events(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_show(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_status(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_adopt(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_mail(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_resend(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_restore(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_reset(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_remove(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_refresh(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_doctor(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_login(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_check(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_import(const struct ei_cli *cli, const struct ei_args *args);
int ei_verb_export(const struct ei_cli *cli, const struct ei_args *args);

/* --- cli.c --- */

/* ei_config_load as any program but entra-invited does it, which has not been passed the unit's credentials. */
struct ei_config;
enum ei_err ei_cli_config(const char *path, struct ei_config **ret_config, struct ei_error *err);

/* --- verb_list.c --- */

struct ei_list_filter;

/* The states that --state names, an array; NULL with a message if one is none. */
cJSON *ei_list_states(const struct ei_args *args);
/* Every account in these states (none: all) that the filter (NULL: none) lets pass, page by page, into all. false:
 * *ret_exit is set. */
bool ei_list_fetch(const struct ei_cli *cli, const cJSON *states, const struct ei_list_filter *filter, cJSON *all,
                   int *ret_exit);

/* list --tenant */
int ei_list_tenant(const struct ei_cli *cli, const struct ei_args *args, const struct ei_list_filter *filter);

/* The command line as far as it is typed, without the program's name; the last word, which may be "", is to be
 * completed. Prints what can stand there, a line each, with a tab before what it is; ":files" for the name of a file.
 */
int ei_complete(int count, char **words, const char *view_path);

/* The code of a view that cannot be used. */
enum ei_err ei_view_error(enum ei_view_status status);
/* status from the view, for whoever may not ask the worker. login NULL: the caller's own. */
int ei_status_from_view(const struct ei_cli *cli, const char *login);
/* status --list-logins: those that the view has. */
int ei_status_logins(const struct ei_cli *cli);

#endif
