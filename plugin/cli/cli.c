#include "plugin/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/paths.h"
#include "common/config/config.h"
#include "plugin/cli/check.h"

const struct ei_option ei_cli_common_options[] = {
    {"json", NULL, false, "print JSON"},
    {"config", "FILE", false, "the configuration that names the socket (" EI_CONFIG_PATH ")"},
    {"help", NULL, false, "print this and exit"},
    {"version", NULL, false, "print the version and exit"},
    {0},
};

static const struct ei_option invite_options[] = {
    {"rule", "NAME", false, "use this rule's settings"},
    {"display-name", "NAME", false, "the guest's name in the directory"},
    {"redirect-url", "URL", false, "where the guest lands after redeeming"},
    {"message", "TEXT", false, "text for Microsoft's mail"},
    {"message-file", "FILE", false, "the same, from a file of UTF-8, at most 64 KiB"},
    {"language", "TAG", false, "language of the mail, such as de-DE"},
    {"cc", "ADDRESS", false, "send a copy of the mail there"},
    {"type", "guest|member", false, "the kind of user that is made"},
    {"sponsor", "WHO", false, "who sponsors the guest: ID, UPN, group:ID, requester; up to five times"},
    {"deliver", "CHANNEL", false, "who carries the redeem URL: none microsoft smtp webhook"},
    {"send-message", NULL, false, "Microsoft sends the mail: --deliver=microsoft"},
    {"no-send-message", NULL, false, "no mail; hand the redeem URL over yourself: --deliver=none"},
    {"dry-run", NULL, false, "check, look up, print what would be sent; change nothing"},
    {"wait", "SECONDS", true, "wait until it is invited, at most 60 or SECONDS"},
    {0},
};

static const struct ei_option list_options[] = {
    {"state", "STATE", false,
     "only these: waiting held queued pending accepted failed removed expired; may be repeated"},
    {"rule", "NAME", false, "only accounts of this rule; may be repeated"},
    {"domain", "DOMAIN", false, "only addresses of this domain; may be repeated"},
    {"older-than", "AGE", false, "only where SINCE is longer ago: a number with s, m, h, d or w"},
    {"newer-than", "AGE", false, "only where SINCE is not as long ago"},
    {"sort", "KEY[,KEY]", false, "by login, email, rule, state, since, requested, checked; -KEY reverses"},
    {"columns", "COLUMN[,COLUMN]", false, "these columns, by the names of JSON's members, and since"},
    {"no-header", NULL, false, "print no heading line"},
    {"tenant", NULL, false, "the tenant's guests that are not known here; --state pending, accepted or none"},
    {"csv", NULL, false, "print CSV, without redeem URLs"},
    {0},
};

static const struct ei_option events_options[] = {
    {"follow", NULL, false, "go on until interrupted, and print what happens as it does"},
    {0},
};

static const struct ei_option status_options[] = {
    {"list-logins", NULL, false, "the covered logins, from the published view; as anybody, for completion"},
    {0},
};

static const struct ei_option adopt_options[] = {
    {"rule", "NAME", false, "all held accounts of this rule"},
    {"dry-run", NULL, false, "only tell which accounts would go on"},
    {0},
};

static const struct ei_option reset_options[] = {
    {"email", "NEW", false, "by this address from now on; it must be one of the user's in Entra"},
    {"wait", "SECONDS", true, "wait until it is done, at most 60 or SECONDS"},
    {0},
};

static const struct ei_option remove_options[] = {
    {"disable", NULL, false, "disable the guest in Entra"},
    {"delete", NULL, false, "delete the guest in Entra"},
    {"forget", NULL, false, "drop the record too, its redeem URL and history included"},
    {"confirm", NULL, false, "a removal of many accounts that stopped may go on (takes no LOGIN)"},
    {0},
};

static const struct ei_option refresh_options[] = {
    {"wait", "SECONDS", true, "wait until it is done, at most 60 or SECONDS"},
    {0},
};

static const struct ei_option mail_options[] = {
    {"send", NULL, false, "send it once more, by the channel that deliver names"},
    {"wait", "SECONDS", true, "with --send: wait until it is sent, at most 60 or SECONDS"},
    {0},
};

/* What is WARNING,CRITICAL can be left out on either side. */
static const struct ei_option check_options[] = {
    {"queue-age", "WARNING,CRITICAL", false, "how long the oldest may be queued (30m,4h)"},
    {"failed", "WARNING,CRITICAL", false, "how many failed (1,)"},
    {"refresh-age", "WARNING,CRITICAL", false, "how long ago Microsoft last told where guests stand (2h,1d)"},
    {"expiry", "WARNING,CRITICAL", false, "how long the credential must be good (30d,7d)"},
    {"motd", NULL, false, "one line if somebody ought to look, else nothing; from the published view"},
    {0},
};

static const struct ei_option import_options[] = {
    {"skip-bad", NULL, false, "leave bad rows out instead of doing nothing"},
    {"dry-run", NULL, false, "only check every row"},
    {"wait", "SECONDS", true, "follow them until each is invited or has failed, at most 600 or SECONDS"},
    {0},
};

static const struct ei_option export_options[] = {
    {"csv", NULL, false, "print CSV that import reads (the default)"},
    {"state", "STATE", false, "only these, as for list; may be repeated"},
    {"himmelblau", NULL, false, "print LOGIN:USER-PRINCIPAL-NAME of each accepted account, himmelblau's user map"},
    {0},
};

static const struct ei_option no_options[] = {{0}};

const struct ei_verb ei_cli_verbs[] = {
    {"invite", "LOGIN|ADDRESS", "invite this person, or say that it is done", invite_options, 1, 1, EI_EXIT_USAGE,
     ei_verb_invite},
    {"list", "[PATTERN...]", "everybody that is known, one line each", list_options, 0, EI_GIVEN_MAX, EI_EXIT_USAGE,
     ei_verb_list},
    {"show", "LOGIN|ADDRESS", "all about one, the redeem URL included", no_options, 1, 1, EI_EXIT_USAGE, ei_verb_show},
    {"events", "LOGIN|ADDRESS", "what has happened to one, oldest first", events_options, 1, 1, EI_EXIT_USAGE,
     ei_verb_events},
    {"status", "[LOGIN|ADDRESS]", "where one stands, as exit code too; alone, how the worker is", status_options, 0, 1,
     EI_EXIT_STATUS_ERROR, ei_verb_status},
    {"adopt", "[LOGIN...]", "let held accounts go on; alone, held mail", adopt_options, 0, EI_GIVEN_MAX, EI_EXIT_USAGE,
     ei_verb_adopt},
    {"mail", "LOGIN|ADDRESS", "the message with the redeem URL, to look at, pass on or send again", mail_options, 1, 1,
     EI_EXIT_USAGE, ei_verb_mail},
    {"resend", "LOGIN|ADDRESS", "a new redeem URL for a pending guest, one mail if mail is on", no_options, 1, 1,
     EI_EXIT_USAGE, ei_verb_resend},
    {"reset", "LOGIN|ADDRESS", "let a guest redeem anew, as the same user in Entra", reset_options, 1, 1, EI_EXIT_USAGE,
     ei_verb_reset},
    {"remove", "[LOGIN|ADDRESS]", "take the invitation back; no new one comes by itself", remove_options, 0, 1,
     EI_EXIT_USAGE, ei_verb_remove},
    {"restore", "LOGIN|ADDRESS", "bring a guest back who was deleted, or disabled by remove", no_options, 1, 1,
     EI_EXIT_USAGE, ei_verb_restore},
    {"refresh", "", "read the accounts and ask Microsoft Graph now", refresh_options, 0, 0, EI_EXIT_USAGE,
     ei_verb_refresh},
    {"doctor", "", "check host, credential, permissions and the way to Microsoft", no_options, 0, 0,
     EI_EXIT_STATUS_ERROR, ei_verb_doctor},
    {"check", "", "for monitoring: one line, exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN", check_options, 0, 0,
     EI_CHECK_UNKNOWN, ei_verb_check},
    {"import", "FILE", "invite everybody in a CSV file; - is standard input", import_options, 1, 1, EI_EXIT_USAGE,
     ei_verb_import},
    {"export", "", "everybody that is known, as CSV for import", export_options, 0, 0, EI_EXIT_USAGE, ei_verb_export},
    {"login", "", "sign in for the app (credential type device-code)", no_options, 0, 0, EI_EXIT_USAGE, ei_verb_login},
    {0},
};

static const struct ei_verb *find_verb(const char *name)
{
    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

static void print_overview(FILE *to)
{
    fputs("usage: entra-invite VERB [OPTION...] [LOGIN|ADDRESS]\n\n", to);
    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++)
        fprintf(to, "  %-8s %-16s %s\n", verb->name, verb->operands, verb->summary);
    fputs("\n'entra-invite VERB --help' has the options of a verb. See entra-invite(1).\n", to);
}

static int unknown_verb(const char *name)
{
    if (name == NULL) {
        print_overview(stderr);
        return EI_EXIT_USAGE;
    }
    fprintf(stderr, "entra-invite: %.64s: no such verb\n  mend: use one of", name);
    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++)
        fprintf(stderr, " %s", verb->name);
    fputs("; see entra-invite --help\n", stderr);
    return EI_EXIT_USAGE;
}

enum ei_err ei_cli_config(const char *path, struct ei_config **ret_config, struct ei_error *err)
{
    /* credential_name means a file of the unit's; it is not opened here, but without a directory it is an error. */
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/entra-invited.service", 0);
    return ei_config_load(path, ret_config, err);
}

/*
 * Only the socket's path is wanted of the configuration, and only root can use the socket. So what cannot be read
 * matters only to root, and only if that file was asked for by name; doctor tells itself what is wrong with it.
 */
static bool find_socket(struct ei_cli *cli, const struct ei_verb *verb, int *ret_exit)
{
    struct ei_config *config = NULL;
    struct ei_error err;

    ei_error_clear(&err);
    if (ei_cli_config(cli->config_path, &config, &err) == EI_OK) {
        cli->socket_path = strdup(config->socket);
        cli->max_age = config->max_age;
    } else if (cli->config_path != NULL && geteuid() == 0 && verb->run != ei_verb_doctor) {
        *ret_exit = ei_say_error("--config", &err);
        return false;
    } else {
        cli->socket_path = strdup(EI_SOCKET_PATH);
    }
    ei_config_free(config);
    if (cli->socket_path != NULL)
        return true;
    *ret_exit = ei_say_no_memory("the name of the socket");
    return false;
}

static bool colours_wanted(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) == 1 && (no_color == NULL || *no_color == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

static int run_verb(const struct ei_verb *verb, int argc, char **argv, const char *view_path, const char *config_path)
{
    struct ei_args args;
    struct ei_cli cli = {
        .view_path = view_path != NULL ? view_path : EI_VIEW_PATH,
        .max_age = -1,
        .colour = colours_wanted(),
        .progress = isatty(STDERR_FILENO) == 1,
        .terminal = isatty(STDOUT_FILENO) == 1,
    };
    int exit_code;

    if (!ei_args_read(verb, argc, argv, &args))
        return verb->usage_exit;
    if (ei_args_has(&args, "help")) {
        ei_usage_print(verb);
        return ei_output_finish(EI_EXIT_DONE);
    }
    if (ei_args_has(&args, "version")) {
        puts("entra-invite " EI_VERSION);
        return ei_output_finish(EI_EXIT_DONE);
    }
    if (args.operand_count < verb->operands_min || args.operand_count > verb->operands_max)
        return ei_usage_error(verb, "takes %s", *verb->operands != '\0' ? verb->operands : "no LOGIN");
    cli.json = ei_args_has(&args, "json");
    cli.config_path = ei_args_has(&args, "config") ? ei_args_get(&args, "config") : config_path;
    if (find_socket(&cli, verb, &exit_code))
        exit_code = ei_output_finish(verb->run(&cli, &args));
    else if (verb->usage_exit != EI_EXIT_USAGE)
        exit_code = verb->usage_exit;
    free(cli.socket_path);
    return exit_code;
}

int ei_cli_run(int argc, char **argv, const char *view_path)
{
    const char *config_path = NULL;
    int at = 1;

    /* Before the verb: --help, --version, and --config for those who write it first. */
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            print_overview(stdout);
            return ei_output_finish(EI_EXIT_DONE);
        }
        if (strcmp(argv[at], "--version") == 0) {
            puts("entra-invite " EI_VERSION);
            return ei_output_finish(EI_EXIT_DONE);
        }
        if (strcmp(argv[at], "--config") == 0 && at + 1 < argc)
            config_path = argv[++at];
        else if (strncmp(argv[at], "--config=", 9) == 0)
            config_path = argv[at] + 9;
        else if (strcmp(argv[at], "--complete") == 0)
            return ei_output_finish(ei_complete(argc - at - 1, argv + at + 1, view_path));
        else
            return unknown_verb(argv[at]);
    }
    const struct ei_verb *verb = at < argc ? find_verb(argv[at]) : NULL;
    if (verb == NULL)
        return unknown_verb(at < argc ? argv[at] : NULL);
    return run_verb(verb, argc - at, argv + at, view_path, config_path);
}
