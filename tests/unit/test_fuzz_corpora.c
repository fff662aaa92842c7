/*
 * T3: what the fuzz targets have found is run through them again, without libFuzzer: the corpora, which reach as much
 * of the code as could be reached, and every finding of the past (tests/fuzz/regressions). A property that breaks ends
 * the program with the line that has it; the file before it in the output is the input.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define TARGETS(X) X(view) X(varlink) X(config) X(graph) X(headers) X(address) X(hook)

#define DECLARE(name) int ei_fuzz_##name(const uint8_t *data, size_t size);
TARGETS(DECLARE)

typedef int target(const uint8_t *data, size_t size);

/* On the heap and not a byte longer, so that the sanitizers see a read beyond it. */
static void replay_file(target *run, const char *path)
{
    struct stat st;
    FILE *file = fopen(path, "rb");

    print_message("%s\n", path);
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &st), 0);
    uint8_t *data = malloc((size_t)st.st_size);
    assert_true(data != NULL || st.st_size == 0);
    assert_int_equal(fread(data, 1, (size_t)st.st_size, file), st.st_size);
    fclose(file);
    assert_int_equal(run(data, (size_t)st.st_size), 0);
    free(data);
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In the order of their names. Gives how many there are; none where there is no such directory. */
static int replay_directory(target *run, const char *kind, const char *name)
{
    const char *top = getenv("EI_SOURCE_DIR");
    char path[4096];
    struct dirent **entries = NULL;

    snprintf(path, sizeof path, "%s/tests/fuzz/%s/%s", top != NULL ? top : ".", kind, name);
    size_t length = strlen(path);
    int count = scandir(path, &entries, is_input, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(path + length, sizeof path - length, "/%s", entries[i]->d_name);
        replay_file(run, path);
        free(entries[i]);
    }
    free(entries);
    return count > 0 ? count : 0;
}

static void replay(target *run, const char *name)
{
    enum { LEAST = 10 }; /* a corpus of fewer was lost */
    assert_true(replay_directory(run, "corpus", name) >= LEAST);
    (void)replay_directory(run, "regressions", name);
    assert_int_equal(run(NULL, 0), 0);
}

#define TEST(name)                                                                                                     \
    static void T3_what_was_found_for_##name(void **state)                                                             \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        replay(ei_fuzz_##name, #name);                                                                                 \
    }
TARGETS(TEST)

int main(void)
{
#define LIST(name) cmocka_unit_test(T3_what_was_found_for_##name),
    const struct CMUnitTest tests[] = {TARGETS(LIST)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
