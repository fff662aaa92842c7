/* import: a file of people. First every row is checked, here and by the worker; then each is handed over, durable when
 * it is acknowledged; then, with --wait, followed. A row that is on record already is never asked for twice. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/ipc/client.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/import.h"
#include "plugin/cli/import_check.h"

enum {
    WAIT_DEFAULT_S = 600,
    WAIT_MAX_S = 24 * 3600,
    CALL_ROWS = 100,
    CALL_BYTES = EI_VARLINK_REQUEST_MAX * 3 / 4,
    ROW_BYTES = 512, /* names and punctuation */
    POLL_MS = 500,
    SIGNAL_EXIT = 128,
};

static volatile sig_atomic_t stopped_by; /* the signal */

static void on_signal(int number)
{
    stopped_by = number;
}

static void catch_signals(struct sigaction *old)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: a read that waits ends */

    stopped_by = 0;
    sigaction(SIGINT, &action, &old[0]);
    sigaction(SIGTERM, &action, &old[1]);
}

static void release_signals(const struct sigaction *old)
{
    sigaction(SIGINT, &old[0], NULL);
    sigaction(SIGTERM, &old[1], NULL);
}

/* --- calls --- */

static void add_value(cJSON *object, enum ei_import_column column, const char *value)
{
    const char *name = ei_import_parameter(column);
    char sponsor[EI_SPONSORS_TEXT_MAX];

    if (column == EI_IMPORT_SEND_MESSAGE) {
        cJSON_AddBoolToObject(object, name, strcasecmp(value, "true") == 0);
    } else if (column == EI_IMPORT_SPONSORS) {
        cJSON *list = cJSON_AddArrayToObject(object, name);
        for (const char *at = value; ei_import_sponsor(&at, sponsor, sizeof sponsor);)
            ei_json_push(list, cJSON_CreateString(sponsor));
    } else {
        cJSON_AddStringToObject(object, name, value);
    }
}

static cJSON *row_object(const struct ei_import_row *row, size_t *ret_bytes)
{
    cJSON *object = cJSON_CreateObject();

    *ret_bytes = ROW_BYTES;
    for (size_t i = 0; i < EI_IMPORT_COLUMNS; i++) {
        if (row->values[i] == NULL)
            continue;
        add_value(object, i, row->values[i]);
        *ret_bytes += 2 * strlen(row->values[i]); /* a quote or a line break becomes two characters */
    }
    return object;
}

typedef bool row_wanted(const struct ei_import_row *row);

/* What is asked for which rows, and what an answer means. */
struct pass {
    bool check; /* nothing is written */
    bool quiet; /* whoever runs it tells */
    row_wanted *wanted;
    void (*answered)(struct ei_import_row *row, const char *state);
};

/* Of the wanted rows from *from on as many as one call takes; their places go to places. */
static cJSON *gather(const struct ei_import *import, row_wanted *wanted, size_t from, size_t *places, size_t *ret_count)
{
    cJSON *rows = cJSON_CreateArray();
    size_t bytes = 0;
    size_t count = 0;

    for (size_t i = from; i < import->file.count && count < CALL_ROWS; i++) {
        size_t more = 0;
        if (!wanted(&import->file.rows[i]))
            continue;
        cJSON *object = row_object(&import->file.rows[i], &more);
        if (count != 0 && bytes + more > CALL_BYTES) {
            cJSON_Delete(object);
            break;
        }
        ei_json_push(rows, object);
        bytes += more;
        places[count++] = i;
    }
    *ret_count = count;
    return rows;
}

static void take_error(struct ei_import_row *row, const cJSON *result)
{
    const cJSON *error = ei_json_object(result, "error");
    const char *name = ei_json_string(error, "code");
    const char *message = ei_json_string(error, "message");
    enum ei_err code = EI_PROTOCOL;
    struct ei_error err;

    if (name != NULL)
        ei_err_from_name(name, &code);
    ei_fail(&err, code, "%s", message != NULL ? message : "refused");
    ei_import_spoil(row, ei_import_column_of(ei_json_string(result, "parameter")), &err);
}

/* The state as a text that stays. */
static const char *known_state(const cJSON *result)
{
    const char *name = ei_json_string(result, "state");
    enum ei_state state;

    return name != NULL && ei_state_from_name(name, &state) ? ei_state_name(state) : NULL;
}

/* The rows whose results are there; how many. */
static size_t take_results(struct ei_import *import, const cJSON *results, const size_t *places, size_t count,
                           const struct pass *pass)
{
    const cJSON *result = NULL;
    size_t taken = 0;

    cJSON_ArrayForEach(result, results)
    {
        if (taken == count)
            break;
        struct ei_import_row *row = &import->file.rows[places[taken++]];
        row->asked |= !pass->check;
        const char *state = known_state(result);
        if (state == NULL && ei_json_object(result, "error") != NULL)
            take_error(row, result);
        pass->answered(row, state);
        if (row->error == NULL && row->asked && ei_text_same(state, "failed"))
            take_error(row, result);
    }
    return taken;
}

static bool call(struct ei_import *import, cJSON *rows, bool check, cJSON **ret_reply, int *ret_exit)
{
    cJSON *parameters = cJSON_CreateObject();
    struct ei_error err;

    ei_json_add_item(parameters, "rows", rows);
    cJSON_AddBoolToObject(parameters, "check", check);
    ei_add_requester(parameters);
    ei_error_clear(&err);
    enum ei_err rc = ei_client_call(import->cli->socket_path, "Import", parameters, EI_ANSWER_MS, ret_reply, &err);
    cJSON_Delete(parameters);
    if (rc == EI_OK && cJSON_GetArraySize(ei_json_array(*ret_reply, "results")) == 0) {
        ei_varlink_free(*ret_reply);
        rc = ei_fail(&err, EI_PROTOCOL, "entra-invited's answer has no results");
    }
    if (rc == EI_OK)
        return true;
    ei_progress_clear(&import->progress);
    *ret_exit = ei_say_error("import", &err);
    return false;
}

static void show(struct ei_import *import, const struct pass *pass, size_t from, const size_t *places, size_t taken)
{
    for (size_t i = 0; i < taken && !pass->check; i++)
        if (!import->wait || import->file.rows[places[i]].error != NULL)
            ei_import_tell(import, &import->file.rows[places[i]]);
    fflush(stdout);
    struct ei_import_counts counts = ei_import_count(import);
    if (pass->check)
        ei_progress_show(&import->progress, from, counts.bad);
    else
        ei_progress_show(&import->progress, import->file.count - counts.missing - counts.bad, counts.failed);
}

/* false: broken off. *ret_exit is set, or a signal came. */
static bool run_pass(struct ei_import *import, const struct pass *pass, int *ret_exit)
{
    size_t places[CALL_ROWS];
    size_t count = 0;
    size_t from = 0;

    while (stopped_by == 0) {
        cJSON *rows = gather(import, pass->wanted, from, places, &count);
        cJSON *reply = NULL;
        if (count == 0) {
            cJSON_Delete(rows);
            return true;
        }
        if (!call(import, rows, pass->check, &reply, ret_exit))
            return false;
        size_t taken = take_results(import, ei_json_array(reply, "results"), places, count, pass);
        ei_varlink_free(reply);
        from = places[taken - 1] + 1;
        if (!pass->quiet)
            show(import, pass, from, places, taken);
    }
    return false;
}

/* --- the three passes --- */

static bool is_good(const struct ei_import_row *row)
{
    return row->error == NULL;
}

static void checked(struct ei_import_row *row, const char *state)
{
    row->state = state;
    row->already = ei_import_settled(row) || ei_text_same(state, "queued");
}

/* Who is queued is handed over too: the file may have been changed in the meantime. */
static bool is_missing(const struct ei_import_row *row)
{
    return row->error == NULL && !row->asked && !ei_import_settled(row);
}

static void stands(struct ei_import_row *row, const char *state)
{
    row->state = state;
}

static bool is_open(const struct ei_import_row *row)
{
    return row->error == NULL && row->asked && !ei_import_settled(row);
}

static size_t open_rows(const struct ei_import *import)
{
    size_t count = 0;

    for (size_t i = 0; i < import->file.count; i++)
        count += is_open(&import->file.rows[i]);
    return count;
}

static void nap(int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL); /* ends early when a signal comes */
}

/* Looks again and again at those that are neither invited nor failed. */
static bool follow(struct ei_import *import, int seconds, int *ret_exit)
{
    static const struct pass look = {.check = true, .quiet = true, .wanted = is_open, .answered = stands};
    int64_t deadline = ei_monotonic_ms() + (int64_t)seconds * 1000;
    size_t total = open_rows(import);
    size_t open = total;

    ei_progress_start(&import->progress, "inviting", import->cli->progress, total, 0);
    while (open != 0) {
        int64_t begun = ei_monotonic_ms();
        if (begun >= deadline)
            return true;
        if (!run_pass(import, &look, ret_exit))
            return false;
        open = open_rows(import);
        for (size_t i = 0; i < import->file.count; i++)
            if (import->file.rows[i].asked && !is_open(&import->file.rows[i]))
                ei_import_tell(import, &import->file.rows[i]);
        fflush(stdout);
        ei_progress_show(&import->progress, total - open, ei_import_count(import).failed);
        if (open != 0)
            nap(POLL_MS + 2 * (ei_monotonic_ms() - begun));
    }
    return true;
}

/* --- the verb --- */

static int check_all(struct ei_import *import)
{
    static const struct pass check = {.check = true, .wanted = is_good, .answered = checked};
    int exit_code = EI_EXIT_DONE;

    ei_progress_start(&import->progress, "checking", import->cli->progress, import->file.count, 0);
    bool whole = run_pass(import, &check, &exit_code);
    ei_progress_clear(&import->progress);
    if (whole)
        return EI_EXIT_DONE;
    for (size_t i = 0; i < import->file.count; i++)
        if (import->file.rows[i].error != NULL)
            ei_import_tell(import, &import->file.rows[i]);
    fprintf(stderr, "entra-invite: import: %snothing was done\n", stopped_by != 0 ? "interrupted; " : "");
    return stopped_by != 0 ? SIGNAL_EXIT + stopped_by : exit_code;
}

static int hand_over(struct ei_import *import, int seconds)
{
    static const struct pass ask = {.wanted = is_missing, .answered = stands};
    struct ei_import_counts counts = ei_import_count(import);
    int exit_code = EI_EXIT_DONE;

    ei_progress_start(&import->progress, "queueing", import->cli->progress, import->file.count - counts.bad,
                      import->file.count - counts.bad - counts.missing);
    bool whole = run_pass(import, &ask, &exit_code) && (!import->wait || follow(import, seconds, &exit_code));
    ei_progress_clear(&import->progress);
    if (whole)
        return EI_EXIT_DONE;
    ei_import_tell_broken(import, stopped_by != 0 ? "interrupted" : NULL);
    return stopped_by != 0 ? SIGNAL_EXIT + stopped_by : exit_code;
}

static int result_of(const struct ei_import *import)
{
    struct ei_import_counts counts = ei_import_count(import);

    if (counts.failed != 0)
        return EI_EXIT_FAILED;
    if (counts.bad != 0)
        return EI_EXIT_BAD_ROWS;
    return import->wait && open_rows(import) != 0 ? EI_EXIT_NOT_YET : EI_EXIT_DONE;
}

static int run(struct ei_import *import, int seconds)
{
    struct ei_error err;
    enum ei_err rc = ei_import_file_read(import->path, &stopped_by, &import->file, &err);

    if (rc != EI_OK) {
        ei_say_error(import->path, &err);
        return stopped_by != 0 ? SIGNAL_EXIT + stopped_by : EI_EXIT_USAGE;
    }
    int exit_code = check_all(import);
    if (exit_code != EI_EXIT_DONE)
        return exit_code;
    bool bad = ei_import_count(import).bad != 0;
    if (import->dry_run || (bad && !import->skip_bad)) {
        ei_import_tell_all(import);
        ei_import_tell_mends(import);
        if (import->dry_run)
            ei_import_tell_end(import);
        else
            ei_import_tell_bad(import);
        return result_of(import);
    }
    for (size_t i = 0; i < import->file.count; i++)
        if (!is_missing(&import->file.rows[i]))
            ei_import_tell(import, &import->file.rows[i]);
    exit_code = hand_over(import, seconds);
    if (exit_code != EI_EXIT_DONE)
        return exit_code;
    ei_import_tell_all(import);
    ei_import_tell_mends(import);
    ei_import_tell_end(import);
    return result_of(import);
}

int ei_verb_import(const struct ei_cli *cli, const struct ei_args *args)
{
    struct ei_import import = {
        .cli = cli,
        .path = args->operands[0],
        .dry_run = ei_args_has(args, "dry-run"),
        .skip_bad = ei_args_has(args, "skip-bad"),
        .wait = ei_args_has(args, "wait"),
    };
    struct sigaction old[2];
    int seconds = 0;

    if (import.dry_run && import.wait)
        return ei_usage_error(args->verb, "--dry-run and --wait exclude each other");
    if (!ei_args_seconds(args, "wait", WAIT_DEFAULT_S, WAIT_MAX_S, &seconds))
        return EI_EXIT_USAGE;
    catch_signals(old);
    int exit_code = run(&import, seconds);
    release_signals(old);
    ei_import_file_free(&import.file);
    return exit_code;
}
