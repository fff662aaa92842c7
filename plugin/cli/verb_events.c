/* events: what has happened to one collaborator. */
#include <stdio.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/ipc/event.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"

enum { FOLLOW_S = 1 }; /* between two questions */

/* " (taylor, by root)" */
static void print_facts(const cJSON *event)
{
    static const char *const members[] = {"login", "about", "by"};
    const char *before = " (";

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *text = ei_json_string(event, members[i]);
        if (text == NULL)
            continue;
        printf("%s%s", before, members[i][0] == 'b' ? "by " : "");
        ei_print_text(text);
        before = ", ";
    }
    if (before[0] == ',')
        putchar(')');
}

/* A line, and what belongs to it indented below. */
static void print_event(const cJSON *event)
{
    char local[EI_TIME_LOCAL_TEXT];
    const char *at = ei_json_string(event, "at");
    const char *word = ei_json_string(event, "event");
    const struct ei_event_word *known = word != NULL ? ei_event_word(word) : NULL;

    ei_print_text(at != NULL ? ei_local_time(at, local) : "-");
    fputs("  ", stdout);
    ei_print_text(known != NULL ? known->sentence : word != NULL ? word : "-");
    print_facts(event);
    putchar('\n');
    ei_print_field("  error", ei_json_string(event, "error"));
    ei_print_field("  reason", ei_json_string(event, "reason"));
    ei_print_field("  request-id", ei_json_string(event, "requestId"));
    ei_print_field("  client-request-id", ei_json_string(event, "clientRequestId"));
}

struct reader {
    const struct ei_cli *cli;
    const char *target;
    int64_t last; /* number of the last event that was read */
    cJSON *all;   /* an array for --json; NULL: printed as they come */
};

static void take(struct reader *reader, cJSON *events)
{
    while (events != NULL && events->child != NULL) {
        cJSON *event = cJSON_DetachItemViaPointer(events, events->child);
        (void)ei_json_int(event, "number", &reader->last);
        if (reader->all != NULL) {
            ei_json_push(reader->all, event);
            continue;
        }
        (reader->cli->json ? ei_print_json_line : print_event)(event);
        cJSON_Delete(event);
    }
}

/* All that is there behind the last one. false: *ret_exit is set. */
static bool read_all(struct reader *reader, const struct ei_args *args, int *ret_exit)
{
    for (;;) {
        cJSON *parameters = ei_target(args, reader->target);
        cJSON *reply = NULL;
        int64_t before = reader->last;
        int64_t next = 0;
        *ret_exit = EI_EXIT_USAGE;
        if (parameters == NULL)
            return false;
        if (reader->last != 0)
            cJSON_AddNumberToObject(parameters, "after", (double)reader->last);
        if (!ei_call(reader->cli, "Events", parameters, EI_ANSWER_MS, reader->target, &reply, ret_exit))
            return false;
        take(reader, cJSON_GetObjectItemCaseSensitive(reply, "events"));
        bool more = ei_json_int(reply, "next", &next);
        ei_varlink_free(reply);
        if (!more)
            return true;
        if (reader->last <= before) {
            struct ei_error err;
            ei_fail(&err, EI_PROTOCOL, "entra-invited's pages do not end");
            *ret_exit = ei_say_error(reader->target, &err);
            return false;
        }
    }
}

int ei_verb_events(const struct ei_cli *cli, const struct ei_args *args)
{
    bool follow = ei_args_has(args, "follow");
    struct reader reader = {.cli = cli, .target = args->operands[0]};
    int exit_code = EI_EXIT_DONE;

    reader.all = cli->json && !follow ? cJSON_CreateArray() : NULL;
    bool good = read_all(&reader, args, &exit_code);
    while (good && follow && fflush(stdout) == 0) {
        sleep(FOLLOW_S);
        good = read_all(&reader, args, &exit_code);
    }
    if (good && reader.all != NULL)
        ei_print_json(reader.all);
    cJSON_Delete(reader.all);
    return good ? EI_EXIT_DONE : exit_code;
}
