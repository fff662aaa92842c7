/* --complete: what the shells' completions ask for. */
#include "common/view/view_write.h"
#include "tests/unit/cli_run.h"

static int complete_program(struct fixture *f, void *argument)
{
    char **words = argument;
    int count = 0;

    while (words[count] != NULL)
        count++;
    return ei_cli_run(count, words, f->view);
}

/* What can stand in place of the last word: the words, with blanks between. */
static const char *offered(struct fixture *f, const char *first, ...) __attribute__((sentinel));
static const char *offered(struct fixture *f, const char *first, ...)
{
    static char seen[8192];
    char *words[16] = {(char *)"entra-invite", (char *)"--complete"};
    int count = 2;
    va_list list;

    va_start(list, first);
    for (const char *word = first; word != NULL; word = va_arg(list, const char *))
        words[count++] = (char *)word;
    va_end(list);
    run_child(f, complete_program, words);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_string_equal(f->err, "");
    seen[0] = '\0';
    for (char *line = strtok(f->out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        size_t length = strlen(seen);
        snprintf(seen + length, sizeof seen - length, "%s%.*s", length != 0 ? " " : "", (int)strcspn(line, "\t"), line);
    }
    return seen;
}

static void append(char *text, size_t size, const char *lead, const char *word)
{
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s%s%s", length != 0 ? " " : "", lead, word);
}

static void every_verb_and_every_option_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    char verbs[1024] = "";

    for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++) {
        char options[2048] = "";
        append(verbs, sizeof verbs, "", verb->name);
        for (const struct ei_option *option = verb->options; option->name != NULL; option++)
            append(options, sizeof options, "--", option->name);
        for (const struct ei_option *option = ei_cli_common_options; option->name != NULL; option++)
            append(options, sizeof options, "--", option->name);
        assert_string_equal(offered(f, verb->name, "-", NULL), options);
    }
    assert_string_equal(offered(f, "", NULL), verbs);
    assert_string_equal(offered(f, "-", NULL), "--config --help --version");
}

static void words_are_completed_from_their_beginning(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(offered(f, "re", NULL), "resend reset remove restore refresh");
    assert_string_equal(offered(f, "nosuch", "", NULL), "");
    assert_string_equal(offered(f, "list", "--st", NULL), "--state");
    assert_string_equal(offered(f, "refresh", "", NULL), "");
    assert_string_equal(offered(f, "--config", "/etc/x", "li", NULL), "list");
}

static void values_of_options(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(offered(f, "list", "--state", "", NULL),
                        "waiting held queued pending accepted failed removed expired");
    assert_string_equal(offered(f, "list", "--state=pe", NULL), "--state=pending");
    assert_string_equal(offered(f, "list", "--tenant", "--state", "", NULL), "pending accepted none");
    assert_string_equal(offered(f, "list", "--sort", "re", NULL), "requested");
    assert_string_equal(offered(f, "list", "--sort=login,-re", NULL), "--sort=login,-requested");
    assert_string_equal(offered(f, "list", "--columns", "login,err", NULL), "login,errorCode login,errorMessage");
    assert_string_equal(offered(f, "invite", "--type", "", NULL), "guest member");
    assert_string_equal(offered(f, "invite", "--message-file", "", NULL), ":files");
    assert_string_equal(offered(f, "list", "--config=/et", NULL), ":files");
    assert_string_equal(offered(f, "invite", "--display-name", "", NULL), "");
    assert_string_equal(offered(f, "--config", f->config, "list", "--rule", "", NULL), "partners");
    assert_string_equal(offered(f, "list", "--config", f->config, "--rule=p", NULL), "--rule=partners");
    /* an optional value stands behind '=' only */
    assert_string_equal(offered(f, "refresh", "--wait", "-", NULL), "--wait --json --config --help --version");
}

static void publish_logins(struct fixture *f, const char *const *logins, size_t count)
{
    struct ei_view_header header = {.generation = 1, .created_at = 1, .minimum_uid = 1000};
    struct ei_view_record record = {.state = EI_STATE_PENDING, .uid = 1001};
    struct ei_view_writer *writer = NULL;

    assert_int_equal(ei_view_writer_new(f->view, &header, &writer, NULL), EI_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ei_view_writer_add(writer, logins[i], &record, NULL), EI_OK);
    assert_int_equal(ei_view_writer_publish(writer, NULL), EI_OK);
    assert_int_equal(chmod(f->directory, 0755), 0);
}

static void logins_come_from_the_view_without_the_worker(void **state)
{
    static const char *const logins[] = {"alex", "taylor", "t\xc3\xb6m", "ta\x1b[2J"};
    struct fixture *f = *state;

    assert_string_equal(offered(f, "show", "", NULL), ""); /* no view yet */
    publish_logins(f, logins, 4);
    worker_stop(f);
    assert_string_equal(offered(f, "show", "", NULL), "alex taylor t\xc3\xb6m"); /* S16: no control characters */
    assert_string_equal(offered(f, "events", "--follow", "ta", NULL), "taylor");
    assert_string_equal(offered(f, "adopt", "alex", "ta", NULL), "taylor");
    assert_string_equal(offered(f, "list", "--state", "held", "ta", NULL), "taylor");
    assert_string_equal(offered(f, "show", "alex", "", NULL), ""); /* it takes one */
    assert_string_equal(offered(f, "show", "--", "a", NULL), "alex");
    assert_int_equal(f->calls, 0);
}

static void status_lists_the_logins_to_anybody(void **state)
{
    static const char *const logins[] = {"alex", "taylor"};
    struct fixture *f = *state;

    cli_as_nobody(f, "status", "--list-logins", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_STATUS_ERROR);
    assert_non_null(strstr(f->err, "mend: "));
    publish_logins(f, logins, 2);
    worker_stop(f);
    cli_as_nobody(f, "status", "--list-logins", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_string_equal(f->out, "alex\ntaylor\n");
    cli_as_nobody(f, "status", "--list-logins", "--json", NULL);
    cJSON *list = cJSON_Parse(f->out);
    assert_int_equal(cJSON_GetArraySize(list), 2);
    cJSON_Delete(list);
    cli(f, "status", "--list-logins", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_STATUS_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(every_verb_and_every_option_and_nothing_else),
        CLI_TEST(words_are_completed_from_their_beginning),
        CLI_TEST(values_of_options),
        CLI_TEST(logins_come_from_the_view_without_the_worker),
        CLI_TEST(status_lists_the_logins_to_anybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
