/* K6, K7: a redeem URL is gone from every file of the store once it was erased, replaced or never committed; and from
 * memory (K4). */
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PEOPLE = 400, BATCH = 25 };
#ifdef __SANITIZE_ADDRESS__
enum { OWN_HEAP = 0 }; /* its heap is another, and keeps what was freed */
#else
enum { OWN_HEAP = 1 };
#endif

static const char canary[] = "CANARY-TICKET";

static void set_url(struct ei_collaborator *c, unsigned number, size_t length)
{
    char url[15000];

    assert_true(length < sizeof url);
    int used = snprintf(url, sizeof url, "https://login.microsoftonline.com/redeem?rd=%s-%u-", canary, number);
    if ((size_t)used < length)
        memset(url + used, 'x', length - (size_t)used);
    url[(size_t)used < length ? length : (size_t)used] = '\0';
    assert_true(ei_text_set(&c->redeem_url, url));
}

static void shuffle(unsigned *order)
{
    for (unsigned i = 0; i < PEOPLE; i++)
        order[i] = i;
    for (unsigned i = PEOPLE - 1; i > 0; i--) {
        unsigned j = (unsigned)rand() % (i + 1);
        unsigned other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}

static void put_in_batches(struct store_fixture *f, struct ei_collaborator **people, const unsigned *order)
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        if (i % BATCH == 0)
            assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
        assert_int_equal(ei_store_put(f->store, people[order[i]], "changed", NULL, &f->err), EI_OK);
        if (i % BATCH == BATCH - 1)
            assert_int_equal(ei_store_batch_end(f->store, &f->err), EI_OK);
    }
}

/* Hundreds of people in shuffled order, so that the database's pages are split and joined on the way: moved rows leave
 * copies behind that secure_delete does not reach. */
static void k7_many_urls_leave_no_trace(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *people[PEOPLE];
    unsigned order[PEOPLE];
    char login[32];
    char address[64];

    srand(7);
    for (unsigned i = 0; i < PEOPLE; i++) {
        snprintf(login, sizeof login, "u%u", i);
        snprintf(address, sizeof address, "%s@fabrikam.com", login);
        people[i] = collaborator_with(address, login);
        order[i] = i;
    }
    put_in_batches(f, people, order);
    shuffle(order);
    for (unsigned i = 0; i < PEOPLE; i++)
        set_url(people[i], i, 100 + (size_t)rand() % 1200);
    put_in_batches(f, people, order);
    assert_true(occurrences(f, canary) >= PEOPLE);
    shuffle(order);
    for (unsigned i = 0; i < PEOPLE; i++) { /* half of them are invited anew before they accept */
        if (i % 2 == 0)
            set_url(people[i], i + PEOPLE, 100 + (size_t)rand() % 1200);
    }
    put_in_batches(f, people, order);
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct ei_collaborator *back = get(f, people[i]->id);
        assert_string_equal(back->redeem_url, people[i]->redeem_url);
        ei_collaborator_free(back);
        ei_text_set(&people[i]->redeem_url, NULL);
    }
    shuffle(order);
    put_in_batches(f, people, order);
    assert_int_equal(occurrences(f, canary), 0);
    store_close(f);
    assert_int_equal(occurrences(f, canary), 0);
    for (unsigned i = 0; i < PEOPLE; i++)
        ei_collaborator_free(people[i]);
}

static void k7_one_url_leaves_no_trace(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    const size_t lengths[] = {60, 999, 1000, 1001, 14000};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        set_url(c, 1, lengths[i]);
        put(f, c);
        assert_true(occurrences(f, canary) > 0);
        struct ei_collaborator *back = get(f, c->id);
        assert_string_equal(back->redeem_url, c->redeem_url);
        ei_collaborator_free(back);
        ei_text_set(&c->redeem_url, NULL);
        put(f, c);
        assert_int_equal(occurrences(f, canary), 0);
    }
    set_url(c, 2, 300);
    put(f, c);
    set_url(c, 3, 300);
    put(f, c);
    assert_int_equal(occurrences(f, "CANARY-TICKET-2-"), 0);
    assert_true(occurrences(f, "CANARY-TICKET-3-") > 0);
    assert_int_equal(ei_store_delete(f->store, c, &f->err), EI_OK);
    assert_int_equal(occurrences(f, canary), 0);
    ei_collaborator_free(c);
}

static void k7_an_abandoned_url_leaves_no_trace(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    struct ei_collaborator *clash = collaborator_with("taylor@fabrikam.com", "other");

    put(f, c);
    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
    set_url(c, 1, 500);
    put(f, c);
    ei_store_batch_abandon(f->store);
    assert_int_equal(occurrences(f, canary), 0);

    set_url(clash, 2, 500);
    assert_int_equal(ei_store_put(f->store, clash, NULL, NULL, &f->err), EI_CONFLICT);
    assert_int_equal(occurrences(f, canary), 0);
    ei_collaborator_free(c);
    ei_collaborator_free(clash);
}

/* Somebody's read (a backup) keeps the log from being cut; the next commit does it. */
static void k7_a_reader_only_delays_it(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    sqlite3 *reader;

    set_url(c, 1, 500);
    put(f, c);
    assert_int_equal(sqlite3_open(f->database, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM redeem", NULL, NULL, NULL), SQLITE_OK);
    ei_text_set(&c->redeem_url, NULL);
    put(f, c);
    assert_int_equal(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(reader);
    assert_int_equal(ei_store_meta_set(f->store, "any", "change", &f->err), EI_OK);
    assert_int_equal(occurrences(f, canary), 0);
    ei_collaborator_free(c);
}

/* The next run finds a reader in its way, too. */
static void k7_killed_before_the_log_was_cut(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    sqlite3 *reader;
    int status;

    set_url(c, 1, 500);
    put(f, c);
    store_close(f);
    assert_int_equal(sqlite3_open(f->database, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM redeem", NULL, NULL, NULL), SQLITE_OK);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        store_open(f);
        ei_text_set(&c->redeem_url, NULL);
        put(f, c);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(occurrences(f, canary) > 0);
    store_open(f);
    assert_int_equal(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(reader);
    assert_int_equal(ei_store_meta_set(f->store, "any", "change", &f->err), EI_OK);
    assert_int_equal(occurrences(f, canary), 0);
    ei_collaborator_free(c);
}

/* How often the text is in this program's heap. The copy that is searched lies elsewhere. */
static unsigned copies_in_heap(const char *text)
{
    char line[512];
    unsigned long start = 0;
    unsigned long end = 0;
    unsigned count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, "[heap]") != NULL)
            assert_int_equal(sscanf(line, "%lx-%lx", &start, &end), 2);
    fclose(maps);
    size_t length = end - start;
    char *copy = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(copy, MAP_FAILED);
    assert_int_equal(pread(memory, copy, length, (off_t)start), (ssize_t)length);
    for (char *at = copy; (at = memmem(at, length - (size_t)(at - copy), text, strlen(text))) != NULL; at++)
        count++;
    munmap(copy, length);
    close(memory);
    return count;
}

static void put_urls(struct store_fixture *f, struct ei_collaborator **people, unsigned count, bool with)
{
    for (unsigned i = 0; i < count; i++) {
        struct ei_collaborator *read = get(f, people[i]->id);
        assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
        if (with)
            set_url(read, i, 60 + 37 * (size_t)i);
        else
            ei_text_set(&read->redeem_url, NULL);
        put(f, read);
        assert_int_equal(ei_store_batch_end(f->store, &f->err), EI_OK);
        ei_collaborator_free(read);
    }
}

/* K4: neither in SQLite's pages nor in what it or we have freed. */
static void k4_no_copy_stays_in_memory(void **state)
{
    enum { SOME = 40 };
    struct store_fixture *f = *state;
    struct ei_collaborator *people[SOME];
    char address[64];

    if (!OWN_HEAP)
        return;
    for (unsigned i = 0; i < SOME; i++) {
        snprintf(address, sizeof address, "user%u@fabrikam.com", i);
        people[i] = collaborator_with(address, address);
        put(f, people[i]);
    }
    put_urls(f, people, SOME, true);
    assert_true(copies_in_heap(canary) >= SOME);
    put_urls(f, people, SOME, false);
    assert_int_equal(copies_in_heap(canary), 0);
    for (unsigned i = 0; i < SOME; i++)
        ei_collaborator_free(people[i]);
}

static void a_url_beyond_all_measure_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    char *url = malloc(20001);

    assert_non_null(url);
    memset(url, 'x', 20000);
    url[20000] = '\0';
    c->redeem_url = url;
    assert_int_equal(ei_store_put(f->store, c, NULL, NULL, &f->err), EI_USAGE);
    assert_non_null(strstr(f->err.message, "20000 bytes"));
    assert_false(is_stored(f, c->id));
    ei_collaborator_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: the others bring copies of the files into memory. */
        cmocka_unit_test_setup_teardown(k4_no_copy_stays_in_memory, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(k7_many_urls_leave_no_trace, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(k7_one_url_leaves_no_trace, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(k7_an_abandoned_url_leaves_no_trace, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(k7_a_reader_only_delays_it, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(k7_killed_before_the_log_was_cut, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_url_beyond_all_measure_is_refused, store_setup, store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
