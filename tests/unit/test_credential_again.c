/* A credential that the login service refused: its file is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

static void write_secret(const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/client-secret", sim.dir);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Whoever renews the credential need not tell: once it was refused, the file is read again for each try. */
static void a_refused_credential_is_read_again(void **state)
{
    char old[256];
    char path[128];
    struct got got;

    NEEDS_SIMULATOR();
    snprintf(path, sizeof path, "%s/client-secret", sim.dir);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(old, sizeof old, file));
    assert_int_equal(fclose(file), 0);
    CTL("set", "secret", "\"another\"");
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_SECRET_WRONG);
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_SECRET_WRONG);
    write_secret("another");
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    write_secret(old);
    ei_graph_drop_token(sim.graph);
    get(sim.graph, OTHER_ID, &got); /* what is good is not read again */
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_int_equal(ei_credential_reload(sim.credential, NULL), EI_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refused_credential_is_read_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}
