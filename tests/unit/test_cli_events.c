/* events: what it prints; and the words: of the code, of the table, of the manual. Run from the top of the tree. */
#include <ctype.h>
#include <dirent.h>

#include "common/ipc/event.h"
#include "tests/unit/cli_run.h"

#define EVENT(number, word, login, by, about, error, request)                                                          \
    "{\"number\":" number ",\"at\":\"2026-11-23T15:29:00Z\",\"event\":\"" word "\",\"login\":" login ",\"by\":" by     \
    ",\"about\":" about ",\"error\":" error ",\"reason\":null,\"requestId\":" request ",\"clientRequestId\":null}"

static void prints_a_sentence_an_event(void **state)
{
    struct fixture *f = *state;

    answer(f,
           "{\"events\":[" EVENT("1", "linked", "\"taylor\"", "\"alice (uid 1000)\"", "null", "null", "null") "," EVENT(
               "2", "retry", "null", "null", "null", "\"throttled\"",
               "\"req-1\"") "," EVENT("3", "removed", "\"ta\\u001bylor\"", "\"root\"", "\"disable\"", "null",
                                      "null") "," EVENT("4", "from-another-version", "null", "null", "null", "null",
                                                        "null") "],\"next\":null}");
    cli(f, "events", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Events", "{\"target\":\"taylor\"}");
    assert_string_equal(
        f->out, "2026-11-23T15:29:00Z  the account has an address that may be invited (taylor, by alice (uid 1000))\n"
                "2026-11-23T15:29:00Z  it failed for now and is tried again\n"
                "  error: throttled\n"
                "  request-id: req-1\n"
                "2026-11-23T15:29:00Z  the invitation was taken back (ta\\x1bylor, disable, by root)\n"
                "2026-11-23T15:29:00Z  from-another-version\n");
}

static void reads_all_pages(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"events\":[" EVENT("5", "queued", "null", "null", "null", "null", "null") "],\"next\":5}");
    answer(f, "{\"events\":[" EVENT("9", "checking", "null", "null", "null", "null", "null") "],\"next\":null}");
    cli(f, "events", "--json", "taylor", NULL);
    sent(f, 1, "Events", "{\"target\":\"taylor\",\"after\":5}");
    cJSON *events = cJSON_Parse(f->out);
    assert_int_equal(cJSON_GetArraySize(events), 2);
    assert_string_equal(ei_json_string(cJSON_GetArrayItem(events, 1), "event"), "checking");
    assert_string_equal(ei_json_string(cJSON_GetArrayItem(events, 1), "at"), "2026-11-23T15:29:00Z");
    cJSON_Delete(events);
    forget_calls(f);
    answer(f, "{\"events\":[],\"next\":5}");
    cli(f, "events", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NO_ANSWER);
    assert_non_null(strstr(f->err, "pages do not end"));
}

static void follows_until_it_cannot(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"events\":[" EVENT("5", "queued", "null", "null", "null", "null", "null") "],\"next\":null}");
    answer(f, "{\"events\":[" EVENT("6", "checking", "null", "null", "null", "null", "null") "],\"next\":null}");
    answer_error(f, EI_NOT_FOUND);
    cli(f, "events", "--follow", "--json", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NOT_FOUND);
    sent(f, 1, "Events", "{\"target\":\"taylor\",\"after\":5}");
    sent(f, 2, "Events", "{\"target\":\"taylor\",\"after\":6}");
    char *end = strchr(f->out, '\n');
    assert_non_null(end);
    *end = '\0'; /* an object a line */
    cJSON *one = cJSON_Parse(f->out);
    assert_string_equal(ei_json_string(one, "event"), "queued");
    cJSON_Delete(one);
    assert_int_equal(end[1], '{');
}

/* --- the words that the code writes --- */

enum { FILE_SIZE = 64 * 1024, WORDS = 256 };

static char found[WORDS][32];
static size_t found_count;

static void note(const char *word, size_t length)
{
    char text[32];

    snprintf(text, sizeof text, "%.*s", (int)length, word);
    if (ei_event_word(text) == NULL)
        fail_msg("the event \"%s\" has no sentence in common/ipc/event.c", text);
    for (size_t i = 0; i < found_count; i++)
        if (strcmp(found[i], text) == 0)
            return;
    assert_true(found_count < WORDS);
    memcpy(found[found_count++], text, sizeof text);
}

/* Every text in [at, end); how many. A step's name is its word. */
static size_t note_texts(const char *at, const char *end)
{
    static const char step[] = "ei_step_name(EI_STEP_";
    size_t count = 0;

    for (const char *c = at; c < end; c++) {
        if (*c == '"') {
            const char *close = strchr(c + 1, '"');
            note(c + 1, (size_t)(close - c) - 1);
            c = close;
            count++;
        } else if (strncmp(c, step, sizeof step - 1) == 0) {
            char word[32];
            size_t length = 0;
            for (c += sizeof step - 1; *c != ')'; c++)
                word[length++] = (char)tolower((unsigned char)*c);
            note(word, length);
            count++;
        }
    }
    return count;
}

/* The end of the argument that begins at c: its comma, or the parenthesis behind the last one. */
static const char *end_of_argument(const char *c)
{
    for (int depth = 0; *c != '\0'; c++) {
        if (*c == '"')
            c = strchr(c + 1, '"');
        else if (strchr("({[", *c) != NULL)
            depth++;
        else if (strchr(")}]", *c) != NULL && depth-- == 0)
            return c;
        else if (*c == ',' && depth == 0)
            return c;
    }
    return c;
}

static bool passed_on(const char *at, const char *end)
{
    static const char *const names[] = {"NULL", "event", "event_of(p)"};

    while (isspace((unsigned char)*at))
        at++;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((size_t)(end - at) == strlen(names[i]) && strncmp(at, names[i], strlen(names[i])) == 0)
            return true;
    return strncmp(at, "const char *", 12) == 0; /* a declaration */
}

static void read_calls(const char *file, const char *text, const char *function, int argument)
{
    size_t length = strlen(function);

    for (const char *at = text; (at = strstr(at, function)) != NULL; at += length) {
        bool whole = at > text && !isalnum((unsigned char)at[-1]) && at[-1] != '_' && at[length] == '(';
        const char *end = NULL;
        const char *begin = at + length;
        if (!whole)
            continue;
        for (int i = 0; i <= argument; i++) {
            begin = (i == 0 ? begin : end) + 1;
            end = end_of_argument(begin);
        }
        if (note_texts(begin, end) == 0 && !passed_on(begin, end))
            fail_msg("%s: %s(… %.*s …): not a word", file, function, (int)(end - begin), begin);
    }
}

/* A function that gives a word: all texts of its return statements. */
static void read_returns(const char *text, const char *heading)
{
    const char *at = strstr(text, heading);
    const char *end = at != NULL ? strstr(at, "\n}") : NULL;

    while (end != NULL && (at = strstr(at, "return ")) != NULL && at < end) {
        const char *close = strchr(at, ';');
        note_texts(at, close);
        at = close;
    }
}

static void read_file(const char *directory, const char *name)
{
    static const struct {
        const char *function;
        int argument;
    } calls[] = {
        {"ei_worker_save", 2},   {"ei_worker_note", 2},    {"ei_store_put", 2}, {"ei_history_put", 2},
        {"ei_machine_enter", 3}, {"ei_answer_pending", 2}, {"next_sponsor", 2}, {"ei_answer_accept", 2},
        {"save_seen", 2},        {"save_look", 2},         {"save", 2},
    };
    static char text[FILE_SIZE];
    char path[512];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_true(got < sizeof text - 1);
    text[got] = '\0';
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        read_calls(path, text, calls[i].function, calls[i].argument);
    read_returns(text, "static const char *event_of(");
    read_returns(text, "static const char *take_away(");
}

static void each_word_of_the_code_is_in_the_table_and_the_other_way_round(void **state)
{
    static const char directory[] = "plugin/worker";
    const struct dirent *entry;
    size_t known = 0;
    DIR *files = opendir(directory);

    (void)state;
    assert_non_null(files);
    while ((entry = readdir(files)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (length > 2 && strcmp(entry->d_name + length - 2, ".c") == 0)
            read_file(directory, entry->d_name);
    }
    closedir(files);
    for (const struct ei_event_word *word = ei_event_words; word->word != NULL; word++, known++) {
        bool written = false;
        for (size_t i = 0; i < found_count; i++)
            written = written || strcmp(found[i], word->word) == 0;
        if (!written)
            fail_msg("nothing writes the event \"%s\"", word->word);
        assert_ptr_equal(ei_event_word(word->word), word); /* once */
    }
    assert_int_equal(known, found_count);
}

static void each_word_is_in_the_manual_with_its_sentence(void **state)
{
    static char page[FILE_SIZE];
    char item[512];
    size_t known = 0;
    size_t items = 0;

    (void)state;
    FILE *file = fopen("plugin/cli/entra-invite.1", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    char *events = strstr(page, "\n.Sh EVENTS\n");
    assert_non_null(events);
    char *end = strstr(events + 1, "\n.Sh ");
    assert_non_null(end);
    *end = '\0';
    for (const struct ei_event_word *word = ei_event_words; word->word != NULL; word++, known++) {
        snprintf(item, sizeof item, "\n.It Cm %s\n%c%s.\n", word->word, toupper((unsigned char)word->sentence[0]),
                 word->sentence + 1);
        if (strstr(events, item) == NULL)
            fail_msg("entra-invite.1, EVENTS has not:%s", item);
    }
    for (const char *at = events; (at = strstr(at, "\n.It ")) != NULL; at++)
        items++;
    assert_int_equal(items, known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(prints_a_sentence_an_event),
        CLI_TEST(reads_all_pages),
        CLI_TEST(follows_until_it_cannot),
        cmocka_unit_test(each_word_of_the_code_is_in_the_table_and_the_other_way_round),
        cmocka_unit_test(each_word_is_in_the_manual_with_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
