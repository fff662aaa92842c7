/* The store and the view, where memory lacks at any point: what a call has said is done is there afterwards, what it
 * has refused is not, and the files stay whole (T2, X10, X11). */
#include "tests/unit/torture_fixture.h"

#include "common/view/view_write.h"
#include "tests/unit/store_fixture.h"

#define URL "https://login.microsoftonline.com/redeem?rd=torture"

/* --- the store --- */

/* What has been done, and told to be. */
enum { PUT_FIRST = 1, PUT_URL = 2, CLAIMED = 4, PUT_SECOND = 8, META = 16, DELETED = 32 };

struct life {
    bool new; /* the store is not there yet */
    struct store_fixture *fixture;
    struct ei_collaborator *first, *second;
    unsigned done, tried;
};

/* Where there is such a directory: the disk's part is not what is tested here, and each run syncs it often. */
static void move_to_memory(struct store_fixture *f)
{
    char directory[] = "/dev/shm/ei-store-XXXXXX";

    if (mkdtemp(directory) == NULL)
        return;
    rmdir(f->directory);
    snprintf(f->directory, sizeof f->directory, "%s", directory);
    snprintf(f->private_path, sizeof f->private_path, "%s/private", f->directory);
    snprintf(f->database, sizeof f->database, "%s/entra-invite.db", f->private_path);
}

static void two_are_to_be_stored(void *context)
{
    struct life *life = context;
    void *state = NULL;

    store_setup_closed(&state);
    life->fixture = state;
    move_to_memory(life->fixture);
    if (!life->new) {
        store_open(life->fixture);
        store_close(life->fixture);
    }
    life->first = collaborator_with("taylor@fabrikam.com", "taylor");
    life->second = collaborator_with("robin@fabrikam.com", "robin");
    assert_non_null(ei_collaborator_add_membership(life->first, "aaaaaaaa-0000-4000-8000-00000000000a"));
    assert_true(ei_text_set(&life->first->display_name, "Taylor Example"));
    life->done = life->tried = 0;
}

static enum ei_err mark(struct life *life, unsigned step, enum ei_err rc)
{
    life->tried |= step;
    if (rc == EI_OK)
        life->done |= step;
    return rc;
}

static enum ei_err no_event(void *context, const struct ei_event *event)
{
    (void)context, (void)event;
    return EI_OK;
}

static enum ei_err no_visit(void *context, const struct ei_collaborator *collaborator)
{
    (void)context, (void)collaborator;
    return EI_OK;
}

static enum ei_err read_all(struct life *life)
{
    struct store_fixture *f = life->fixture;
    struct ei_collaborator *found[3] = {NULL};
    char due[4][EI_GUID_TEXT];
    size_t count = 0;
    int64_t next;

    enum ei_err rc = ei_store_get(f->store, life->first->id, &found[0], &f->err);
    if (rc == EI_OK)
        rc = ei_store_by_address(f->store, "Taylor@fabrikam.com", &found[1], &f->err);
    if (rc == EI_OK)
        rc = ei_store_by_account(f->store, "host-1", "taylor", &found[2], &f->err);
    for (int i = 0; i < 3 && rc == EI_OK; i++)
        assert_string_equal(found[i]->display_name, "Taylor Example");
    for (int i = 0; i < 3; i++)
        ei_collaborator_free(found[i]);
    if (rc == EI_OK)
        rc = ei_store_each(f->store, no_visit, NULL, &f->err);
    if (rc == EI_OK)
        rc = ei_store_history(f->store, life->first->id, 0, no_event, NULL, &f->err);
    if (rc == EI_OK)
        rc = ei_store_due(f->store, 1, due, 4, &count, &f->err);
    return rc == EI_OK ? ei_store_next_due(f->store, &next, &f->err) : rc;
}

static enum ei_err put_second_in_a_batch(struct life *life)
{
    struct store_fixture *f = life->fixture;
    enum ei_err rc = ei_store_batch_begin(f->store, &f->err);

    if (rc != EI_OK)
        return mark(life, PUT_SECOND, rc);
    rc = ei_store_put(f->store, life->second, "queued", NULL, &f->err);
    if (rc == EI_OK)
        rc = ei_store_batch_end(f->store, &f->err);
    if (rc != EI_OK)
        ei_store_batch_abandon(f->store);
    return mark(life, PUT_SECOND, rc);
}

static enum ei_err live(void *context)
{
    struct life *life = context;
    struct store_fixture *f = life->fixture;

    enum ei_err rc = ei_store_open_sqlite(f->private_path, &f->store, &f->err);
    if (rc != EI_OK)
        return rc;
    rc = mark(life, PUT_FIRST, ei_store_put(f->store, life->first, "queued", "by the test", &f->err));
    if (rc == EI_OK && !ei_text_set(&life->first->redeem_url, URL))
        rc = EI_NOMEM;
    if (rc == EI_OK)
        rc = mark(life, PUT_URL, ei_store_put(f->store, life->first, "invited", NULL, &f->err));
    if (rc == EI_OK)
        rc = mark(life, CLAIMED, ei_store_claim_mail(f->store, "taylor@fabrikam.com", 1, "crid", &f->err));
    if (rc == EI_OK)
        rc = read_all(life);
    if (rc == EI_OK)
        rc = put_second_in_a_batch(life);
    if (rc == EI_OK)
        rc = mark(life, META, ei_store_meta_set(f->store, "torture", "done", &f->err));
    if (rc == EI_OK)
        rc = ei_store_hasten(f->store, 5, true, &f->err);
    if (rc == EI_OK)
        rc = mark(life, DELETED, ei_store_delete(f->store, life->first, &f->err));
    return rc;
}

/* Tried and refused is not done. */
static void is_done(const struct life *life, unsigned step, bool there)
{
    if (there != ((life->done & step) != 0))
        fail_msg("step %u: %s", step, there ? "refused, and done all the same" : "told to be done, and is not");
}

static void database_is_whole(const struct store_fixture *f)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *check = NULL;

    assert_int_equal(sqlite3_open_v2(f->database, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void look_at_first(struct life *life)
{
    struct store_fixture *f = life->fixture;
    struct ei_collaborator *stored = NULL;

    if ((life->done & DELETED) != 0) {
        assert_false(is_stored(f, life->first->id));
        assert_int_equal(occurrences(f, URL), 0); /* K7 */
        return;
    }
    is_done(life, PUT_FIRST, is_stored(f, life->first->id));
    if ((life->done & PUT_FIRST) == 0)
        return;
    stored = get(f, life->first->id);
    is_done(life, PUT_URL, stored->redeem_url != NULL);
    assert_true(stored->redeem_url == NULL || strcmp(stored->redeem_url, URL) == 0);
    assert_int_equal(stored->membership_count, 1);
    assert_int_equal(stored->account_count, 1);
    /* The copy of whoever was refused can be stored at the next try. */
    assert_int_equal(stored->revision, life->first->revision);
    ei_collaborator_free(stored);
}

static void what_was_told_holds(void *context, enum ei_err rc, bool spared)
{
    struct life *life = context;
    struct store_fixture *f = life->fixture;
    void *state = f;
    char *meta = NULL;
    (void)rc;

    if (spared)
        assert_int_equal(life->done, PUT_FIRST | PUT_URL | CLAIMED | PUT_SECOND | META | DELETED);
    store_close(f);
    store_open(f); /* whatever happened, it opens, and goes on where it was */
    look_at_first(life);
    is_done(life, PUT_SECOND, is_stored(f, life->second->id));
    assert_int_equal(ei_store_meta_get(f->store, "torture", &meta, &f->err), EI_OK);
    is_done(life, META, meta != NULL);
    free(meta);
    enum ei_err claim = ei_store_claim_mail(f->store, "taylor@fabrikam.com", 1, "crid", &f->err);
    is_done(life, CLAIMED, claim == EI_CONFLICT); /* X9: never twice, and not lost without having been given */
    store_close(f);
    database_is_whole(f);
    ei_collaborator_free(life->first);
    ei_collaborator_free(life->second);
    store_teardown(&state);
}

static void a_life_in_the_store(void **state)
{
    struct life life = {.new = false};
    (void)state;

    torture(&(struct scenario){two_are_to_be_stored, live, what_was_told_holds, NULL, 53}, &life);
}

static void a_new_store(void **state)
{
    struct life life = {.new = true};
    (void)state;

    torture(&(struct scenario){two_are_to_be_stored, live, what_was_told_holds, NULL, 401}, &life);
}

/* --- the view --- */

struct published {
    char directory[64], path[96];
};

static enum ei_err publish(const char *path, enum ei_state state)
{
    const struct ei_view_header header = {.generation = state, .minimum_uid = 1000, .groups = "partners\0"};
    struct ei_view_writer *writer = NULL;
    struct ei_error err;
    char login[16];

    enum ei_err rc = ei_view_writer_new(path, &header, &writer, &err);
    if (rc != EI_OK)
        return rc;
    for (unsigned i = 0; i < 300 && rc == EI_OK; i++) {
        const struct ei_view_record record = {.state = state, .uid = 1000 + i};
        snprintf(login, sizeof login, "u%u", i);
        rc = ei_view_writer_add(writer, login, &record, &err);
    }
    if (rc == EI_OK)
        return ei_view_writer_publish(writer, &err);
    ei_view_writer_free(writer);
    return rc;
}

static void one_is_published(void *context)
{
    assert_int_equal(publish(((struct published *)context)->path, EI_STATE_PENDING), EI_OK);
}

static enum ei_err publish_another(void *context)
{
    return publish(((struct published *)context)->path, EI_STATE_ACCEPTED);
}

/* X10: the old one or the new one is whole. */
static void one_of_them_is_whole(void *context, enum ei_err rc, bool spared)
{
    const struct published *published = context;
    const enum ei_state wanted = rc == EI_OK ? EI_STATE_ACCEPTED : EI_STATE_PENDING;
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    char login[16], temporary[128];
    bool found = false;
    (void)spared;

    assert_int_equal(ei_view_open(published->path, &view, &header), EI_VIEW_OK);
    assert_int_equal(header.generation, wanted);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(login, sizeof login, "u%u", i);
        assert_int_equal(ei_view_lookup(&view, login, &record, &found), EI_VIEW_OK);
        assert_true(found);
        assert_int_equal(record.state, wanted);
    }
    ei_view_close(&view);
    snprintf(temporary, sizeof temporary, "%s.tmp", published->path);
    assert_int_equal(access(temporary, F_OK), -1);
}

static void the_view(void **state)
{
    struct published published = {.directory = "/tmp/ei-view-XXXXXX"};
    (void)state;

    assert_non_null(mkdtemp(published.directory));
    snprintf(published.path, sizeof published.path, "%s/status.cdb", published.directory);
    torture(&(struct scenario){one_is_published, publish_another, one_of_them_is_whole, NULL, 0}, &published);
    remove_all(published.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TORTURE(a_life_in_the_store), TORTURE(a_new_store), TORTURE(the_view)};

    cmocka_set_test_filter(getenv("CMOCKA_TEST_FILTER"));
    return cmocka_run_group_tests(tests, torture_libraries, NULL);
}
