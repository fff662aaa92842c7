#include <stdio.h>
#include <string.h>

#include <security/pam_appl.h>

#include "tests/host/pam-matrix/matrix.h"

enum { MESSAGE_MAX = 900 }; /* B12 */

struct cell {
    const struct account *account;
    const struct condition *condition;
    enum source source;
    bool warn;
};

static int differences;

static void differ(const struct cell *cell, const char *what, const char *wanted, const char *got)
{
    differences++;
    printf("# %s, view: %s, groups from %s, %s: %s: wanted %s, got %s\n", cell->account->login, cell->condition->name,
           source_names[cell->source], cell->warn ? "pending=warn" : "pending=deny", what, wanted, got);
}

/* The code of the strict module; pending=warn turns each refusal by the gate into PAM_IGNORE, so that a new one can be
 * had as a warning first (S3). */
static int strict_code(const struct cell *cell)
{
    switch (cell->account->class) {
    case EXEMPT:
        return PAM_IGNORE;
    case UNKNOWN:
        return PAM_USER_UNKNOWN;
    case NOT_COVERED:
        return cell->condition->other;
    case COVERED:
        break;
    }
    return cell->condition->broken && cell->source == FROM_NOWHERE ? PAM_IGNORE : cell->condition->covered;
}

static bool gate_refusal(int code)
{
    return code == PAM_PERM_DENIED || code == PAM_AUTHINFO_UNAVAIL || code == PAM_ACCT_EXPIRED;
}

static void check_words(const struct cell *cell, const struct heard *heard, bool refused)
{
    if (heard->messages != refused) {
        differ(cell, "messages", refused ? "one" : "none", heard->messages == 0 ? "none" : heard->text);
        return;
    }
    if (!refused)
        return;
    if (heard->style != (cell->warn ? PAM_TEXT_INFO : PAM_ERROR_MSG))
        differ(cell, "style of the message", "another", heard->text);
    if (cell->condition->phrase == NULL || strstr(heard->text, cell->condition->phrase) == NULL)
        differ(cell, "message", cell->condition->phrase, heard->text);
    if (strstr(heard->text, cell->account->login) == NULL || strstr(heard->text, "invitation") == NULL)
        differ(cell, "message", "login and matter named", heard->text);
    if (strchr(heard->text, '@') != NULL || strstr(heard->text, "://") != NULL)
        differ(cell, "message", "no address, no link", heard->text);
    if (strlen(heard->text) > MESSAGE_MAX)
        differ(cell, "message", "a short one", heard->text);
    for (const char *c = heard->text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            differ(cell, "message", "printable ASCII", heard->text);
}

static void check_log(const struct cell *cell, const struct heard *heard, bool refused)
{
    bool judged = cell->account->class == COVERED || cell->account->class == NOT_COVERED;
    bool trouble = judged && cell->condition->broken;

    if (heard->errors != trouble)
        differ(cell, "lines of LOG_ERR", trouble ? "one" : "none", heard->line);
    if (heard->notices != (refused && !trouble))
        differ(cell, "lines of LOG_NOTICE", refused && !trouble ? "one" : "none", heard->line);
    if (strstr(heard->line, "ghost") != NULL)
        differ(cell, "log", "no word of a login that does not exist", heard->line);
}

static void check(const struct cell *cell)
{
    struct heard heard, silent;
    int strict = strict_code(cell);
    bool refused = gate_refusal(strict);
    int wanted = cell->warn && refused ? PAM_IGNORE : strict;

    int got = module_code(cell->account->login, 0, &heard);
    if (got != wanted)
        differ(cell, "the module's code", code_name(wanted), code_name(got));
    check_words(cell, &heard, refused);
    check_log(cell, &heard, refused);

    int passes = wanted == PAM_IGNORE || wanted == PAM_SUCCESS ? PAM_SUCCESS : wanted;
    got = account_session(PACKAGED, cell->account->login, 0, &heard);
    if (got != passes)
        differ(cell, "with the packaged control", code_name(passes), code_name(got));
    got = account_session(REQUIRED, cell->account->login, PAM_SILENT, &silent);
    if (got != passes || silent.messages != 0)
        differ(cell, "with PAM_SILENT", code_name(passes), silent.messages != 0 ? silent.text : code_name(got));
}

int run_cells(const char *module, int *ret_cells)
{
    struct cell cell;

    differences = 0;
    *ret_cells = 0;
    for (size_t c = 0; c < condition_count; c++) {
        for (int s = 0; s < SOURCES; s++) {
            world_set(&conditions[c], (enum source)s);
            for (int warn = 0; warn < 2; warn++) {
                char options[100];
                snprintf(options, sizeof options, "%s%s", warn ? "pending=warn" : "pending=deny",
                         s == FROM_OPTION ? " groups=no-such-group," GROUP : "");
                write_services(module, options);
                for (size_t a = 0; a < account_count; a++) {
                    cell = (struct cell){&accounts[a], &conditions[c], (enum source)s, warn != 0};
                    check(&cell);
                    ++*ret_cells;
                }
            }
        }
    }
    return differences;
}
