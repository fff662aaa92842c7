/*
 * A graph, or its login service, that talks to hostile-graph.js, and every kind of request to it. Include after
 * cmocka.h.
 */
#ifndef EI_TESTS_HOSTILE_FIXTURE_H
#define EI_TESTS_HOSTILE_FIXTURE_H

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "common/graph/list.h"
#include "tests/unit/graph_fixture.h"

static struct {
    pid_t pid;
    char url[64];
    char *simulator_url;
} hostile;

/* --- the other side --- */

static inline char *path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", sim.dir, name);
    return path;
}

static inline void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline char *read_file(const char *name)
{
    struct ei_buffer text;
    char chunk[4096];
    size_t count;
    FILE *file = fopen(path_of(name), "r");

    ei_buffer_init(&text, 16 * 1024 * 1024);
    while (file != NULL && (count = fread(chunk, 1, sizeof chunk, file)) != 0)
        assert_true(ei_buffer_append(&text, chunk, count));
    if (file != NULL)
        fclose(file);
    return text.data != NULL ? text.data : strdup("");
}

static inline int seen(const char *line_start)
{
    char *text = read_file("seen");
    int count = 0;

    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        count += strncmp(line, line_start, strlen(line_start)) == 0;
    free(text);
    return count;
}

static inline void launch(void)
{
    char script[4096];
    const char *source = getenv("EI_SOURCE_DIR");

    snprintf(script, sizeof script, "%s/tests/unit/hostile-graph.js", source != NULL ? source : ".");
    hostile.pid = fork();
    assert_true(hostile.pid >= 0);
    if (hostile.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("node", "node", script, sim.dir, NULL);
        _exit(127);
    }
}

static inline int group_start(void **state)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    char *ports = NULL;

    sim_start(state);
    if (!sim.runs)
        return 0;
    launch();
    for (int i = 0; i < 1500 && (ports == NULL || ports[0] == '\0'); i++) {
        nanosleep(&pause, NULL);
        free(ports);
        ports = read_file("hostile.ports");
    }
    assert_true(ports != NULL && atoi(ports) > 0);
    snprintf(hostile.url, sizeof hostile.url, "https://localhost:%d", atoi(ports));
    free(ports);
    return 0;
}

static inline int group_stop(void **state)
{
    static const char *const files[] = {"hostile.ports", "attack", "seen"};

    if (hostile.pid > 0) {
        kill(hostile.pid, SIGKILL);
        waitpid(hostile.pid, NULL, 0);
    }
    for (size_t i = 0; sim.runs && i < sizeof files / sizeof files[0]; i++)
        (void)unlink(path_of(files[i]));
    return sim_stop(state);
}

/* Graph is hostile; the token is the simulator's. */
static inline int graph_set_up(void **state)
{
    (void)state;
    if (sim.runs) {
        char root[80];
        snprintf(root, sizeof root, "\"%s\"", hostile.url);
        CTL("set", "graphRoot", root);
        write_file("seen", "");
        use_graph(hostile.url, NULL, 10 * 1000);
    }
    return 0;
}

/* The login service is hostile. */
static inline int login_set_up(void **state)
{
    (void)state;
    if (sim.runs) {
        write_file("seen", "");
        hostile.simulator_url = sim.url;
        sim.url = hostile.url;
        use_graph(hostile.simulator_url, NULL, 10 * 1000);
        sim.url = hostile.simulator_url;
    }
    return 0;
}

/* --- every kind of request --- */

static inline void got_page(void *context, const struct ei_graph_result *result, const struct ei_graph_page *page)
{
    got_users(context, result, page != NULL ? page->users : NULL, page != NULL ? page->count : 0);
}

static inline void got_ids(void *context, const char *const *ids, size_t count)
{
    (void)context;
    (void)ids;
    (void)count;
}

static inline void got_link(void *context, const struct ei_graph_result *result, const char *link)
{
    assert_true((link != NULL) == (result->outcome == EI_GRAPH_DONE));
    got_plain(context, result);
}

static inline void do_find(struct got *got)
{
    find(sim.graph, ADDRESS, got);
}

static inline void do_get(struct got *got)
{
    get(sim.graph, OTHER_ID, got);
}

static inline void do_invite(struct got *got)
{
    invite(sim.graph, ADDRESS, false, got);
}

static inline void do_mail(struct got *got)
{
    invite(sim.graph, ADDRESS, true, got);
}

static inline void do_list(struct got *got)
{
    const struct ei_graph_list_options options = {.pending = false};
    struct ei_graph_list *list = NULL;

    assert_int_equal(ei_graph_list_new(sim.graph, &options, got_page, got, &list), EI_OK);
    RUN(sim.graph, got, ei_graph_list_next(list));
    ei_graph_list_free(list);
}

static inline void do_changes(struct got *got)
{
    RUN(sim.graph, got, ei_graph_changes(sim.graph, NULL, got_ids, got_link, got));
}

static const struct kind {
    const char *name;
    void (*run)(struct got *got);
    bool collection;
} kinds[] = {
    {"find", do_find, true},  {"get", do_get, false},  {"invite", do_invite, false},
    {"mail", do_mail, false}, {"list", do_list, true}, {"changes", do_changes, true},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static inline void must_fail(const struct kind *kind, const char *attack, enum ei_err code)
{
    struct got got;

    write_file("attack", attack);
    kind->run(&got);
    if (got.result.outcome == EI_GRAPH_DONE || (code != EI_OK && got.result.error.code != code))
        fail_msg("%s, %.200s: outcome %d, %s: %s", kind->name, attack, got.result.outcome,
                 ei_err_name(got.result.error.code), got.result.error.message);
    assert_int_equal(got.count, 0);
}

static inline void nothing_went_elsewhere(void)
{
    char *text = read_file("seen");

    assert_null(strstr(text, "elsewhere")); /* neither a connection there, nor such a path here */
    free(text);
}

#define GRAPH_TEST(name) cmocka_unit_test_setup_teardown(name, graph_set_up, tear_down)
#define LOGIN_TEST(name) cmocka_unit_test_setup_teardown(name, login_set_up, tear_down)

#endif
