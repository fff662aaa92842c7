/* A damaged or foreign view: whatever its bytes say, a clear answer and no crash (S27, T3). */
#include "tests/unit/view_fixture.h"

static bool is_published(void *context, const char *login)
{
    char expected[32];
    bool known = false;

    for (unsigned i = 0; i < 7; i++) {
        login_of(i, expected);
        known = known || strcmp(login, expected) == 0;
    }
    assert_true(known);
    return ++*(unsigned *)context < 7;
}

static void lookup_all(void)
{
    unsigned walked = 0;
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    char login[32];
    bool found;

    if (ei_view_open(path, &view, &header) != EI_VIEW_OK)
        return;
    for (unsigned i = 0; i < 7; i++) {
        login_of(i, login);
        enum ei_view_status status = ei_view_lookup(&view, login, &record, &found);
        if (status == EI_VIEW_OK && found) {
            struct ei_view_record expected = record_of(i);
            assert_int_equal(record.state, expected.state);
            assert_int_equal(record.uid, expected.uid);
            assert_int_equal(record.address_hash, expected.address_hash);
            assert_string_equal(record.reason, expected.reason);
        }
    }
    (void)ei_view_each(&view, &header, is_published, &walked);
    ei_view_close(&view);
}

/* S27, L5: a file cut anywhere is damaged. */
static void L5_every_truncation_is_damage(void **state)
{
    unsigned char bytes[FILE_MAX];
    (void)state;

    publish(&plain, 5);
    size_t length = read_whole(bytes);
    for (size_t cut = 0; cut < length; cut++) {
        assert_int_equal(truncate(path, (off_t)(length - 1 - cut)), 0);
        assert_int_equal(open_status(), EI_VIEW_CORRUPT);
    }
    bytes[length] = 0;
    write_whole(bytes, length + 1);
    assert_int_equal(open_status(), EI_VIEW_CORRUPT);
}

/* S24, L4: a flipped byte may make a record unreadable or unfindable, never another one. */
static void S24_no_flipped_byte_makes_another_answer(void **state)
{
    static const unsigned char flips[] = {0x01, 0x80, 0xff};
    unsigned char bytes[FILE_MAX];
    (void)state;

    publish(&plain, 5);
    size_t length = read_whole(bytes);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < length; i++) {
        for (size_t f = 0; f < sizeof flips; f++) {
            unsigned char flipped = bytes[i] ^ flips[f];
            assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
            lookup_all();
        }
        assert_int_equal(pwrite(fd, bytes + i, 1, (off_t)i), 1);
    }
    close(fd);
    assert_int_equal(open_status(), EI_VIEW_OK);
}

static void L5_no_flipped_byte_of_the_header_is_accepted(void **state)
{
    unsigned char bytes[FILE_MAX];
    (void)state;

    publish(&plain, 1);
    size_t length = read_whole(bytes);
    size_t end = HEADER_AT + (size_t)ei_view_get(bytes + EI_VIEW_TABLE_SIZE + 4, 4);
    for (size_t i = EI_VIEW_TABLE_SIZE; i < end; i++) {
        bytes[i] ^= 0x10;
        write_whole(bytes, length);
        size_t at = i - HEADER_AT;
        bool major = at == EI_VIEW_H_MAJOR || at == EI_VIEW_H_MAJOR + 1;
        assert_int_equal(open_status(), major ? EI_VIEW_BAD_VERSION : EI_VIEW_CORRUPT);
        bytes[i] ^= 0x10;
    }
}

/* S27: every byte is hostile. The seed is fixed so that a failure can be repeated. */
static void S27_random_bytes_do_no_harm(void **state)
{
    unsigned char bytes[FILE_MAX];
    uint64_t random = 20261123;
    (void)state;

    publish(&plain, 5);
    size_t length = read_whole(bytes);
    size_t header_end = HEADER_AT + (size_t)ei_view_get(bytes + EI_VIEW_TABLE_SIZE + 4, 4);
    for (int round = 0; round < 3000; round++) {
        unsigned char mutated[FILE_MAX];
        memcpy(mutated, bytes, length);
        for (int i = 0; i < 1 + round % 40; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            size_t at = (size_t)((random >> 33) % length);
            /* The header stays whole, or nothing behind it would be reached. */
            if (at < EI_VIEW_TABLE_SIZE || at >= header_end)
                mutated[at] = (unsigned char)(random >> 24);
        }
        write_whole(mutated, length);
        lookup_all();
    }
}

static void wild_table_pointers_are_damage(void **state)
{
    static const struct {
        uint32_t at, slots;
    } wild[] = {{0, 1}, {2047, 1}, {UINT32_MAX, 1}, {UINT32_MAX, UINT32_MAX}, {2048, UINT32_MAX}, {2048, 1 << 29}};
    unsigned char bytes[FILE_MAX];
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    bool found;
    (void)state;

    publish(&plain, 1);
    size_t length = read_whole(bytes);
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        for (size_t t = 0; t < EI_VIEW_TABLE_SIZE; t += EI_VIEW_SLOT) {
            ei_view_set(bytes + t, 4, wild[i].at);
            ei_view_set(bytes + t + 4, 4, wild[i].slots);
        }
        write_whole(bytes, length);
        assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
        assert_int_equal(ei_view_lookup(&view, "user000000", &record, &found), EI_VIEW_CORRUPT);
        assert_false(found);
        ei_view_close(&view);
    }
}

/* A table of `slots` slots at the end of a file whose first `taken` lead nowhere; every pointer leads to it. */
static enum ei_view_status lookup_in_crowded_table(unsigned slots, unsigned taken)
{
    unsigned char bytes[FILE_MAX];
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    bool found;

    publish(&plain, 0);
    size_t length = read_whole(bytes), table = length;
    for (size_t t = 0; t < EI_VIEW_TABLE_SIZE; t += EI_VIEW_SLOT) {
        ei_view_set(bytes + t, 4, table);
        ei_view_set(bytes + t + 4, 4, slots);
    }
    for (unsigned i = 0; i < slots; i++, length += EI_VIEW_SLOT) {
        ei_view_set(bytes + length, 4, 0x5eed);
        ei_view_set(bytes + length + 4, 4, i < taken ? EI_VIEW_TABLE_SIZE : 0);
    }
    seal_header(bytes, length);
    write_whole(bytes, length);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    enum ei_view_status status = ei_view_lookup(&view, "taylor", &record, &found);
    ei_view_close(&view);
    assert_false(found);
    return status;
}

static void L4_probes_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(lookup_in_crowded_table(1, 1), EI_VIEW_CORRUPT);
    assert_int_equal(lookup_in_crowded_table(8, 8), EI_VIEW_CORRUPT);
    assert_int_equal(lookup_in_crowded_table(1000, 1000), EI_VIEW_CORRUPT);
    /* One free slot, found over the end of the table as well. */
    assert_int_equal(lookup_in_crowded_table(8, 7), EI_VIEW_OK);
    assert_int_equal(lookup_in_crowded_table(EI_VIEW_PROBES_READ, EI_VIEW_PROBES_READ - 1), EI_VIEW_OK);
}

/* L4: logins whose cdb hashes are equal. The spread is part of the key, so such logins have to be searched for: by
 * birthday, among many, until more share one table's neighbourhood than a reader looks through. */
static void L4_the_writer_refuses_a_crowd(void **state)
{
    struct ei_view_writer *writer;
    struct ei_view_record record = record_of(1);
    struct ei_error err = {0};
    unsigned added = 0;
    (void)state;

    assert_int_equal(ei_view_writer_new(path, &plain, &writer, &err), EI_OK);
    for (unsigned i = 0; added < EI_VIEW_PROBES_WRITE; i++) {
        unsigned char key[EI_VIEW_KEY_MAX];
        char login[32];
        snprintf(login, sizeof login, "u%u", i);
        uint32_t hash = ei_view_cdb_hash(key, ei_view_key(login, strlen(login), key));
        /* One table, one slot of the 2 * EI_VIEW_PROBES_WRITE that it will have. */
        if ((hash & 0xff) != 7 || (hash >> 8) % (2 * EI_VIEW_PROBES_WRITE) != 0)
            continue;
        assert_int_equal(ei_view_writer_add(writer, login, &record, &err), EI_OK);
        added++;
    }
    assert_int_equal(ei_view_writer_publish(writer, &err), EI_VIEW_DAMAGED);
    assert_non_null(strstr(err.message, "collide"));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(temp, F_OK), -1);
}

static void an_unknown_major_version_is_its_own_outcome(void **state)
{
    unsigned char bytes[FILE_MAX];
    (void)state;

    publish(&plain, 1);
    size_t length = read_whole(bytes);
    for (unsigned major = 0; major < 4; major++) {
        ei_view_set(bytes + HEADER_AT + EI_VIEW_H_MAJOR, 2, major);
        seal_header(bytes, length);
        write_whole(bytes, length);
        assert_int_equal(open_status(), major == EI_VIEW_MAJOR ? EI_VIEW_OK : EI_VIEW_BAD_VERSION);
    }
}

/* Builds a view of minor version 9 whose header and record are longer by `more` bytes, and with a state of its own. */
static void publish_newer_minor(size_t more, unsigned state_number)
{
    unsigned char bytes[FILE_MAX], data[2 * EI_VIEW_HEADER_MAX] = {0}, key[EI_VIEW_KEY_MAX];
    struct cdb_make cdb;

    publish(&plain, 1);
    size_t length = read_whole(bytes);
    size_t header_length = (size_t)ei_view_get(bytes + EI_VIEW_TABLE_SIZE + 4, 4);
    memcpy(data, bytes + HEADER_AT, header_length);
    ei_view_set(data + EI_VIEW_H_MINOR, 2, 9);
    memset(data + header_length, 'n', more);

    int fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
    assert_int_equal(cdb_make_start(&cdb, fd), 0);
    assert_int_equal(cdb_make_add(&cdb, "H", 1, data, (unsigned)(header_length + more)), 0);
    memset(data, 0, sizeof data);
    data[EI_VIEW_U_STATE] = (unsigned char)state_number;
    ei_view_set(data + EI_VIEW_U_UID, 4, 1234);
    memset(data + EI_VIEW_U_REASON, 'n', more);
    size_t key_length = ei_view_key("taylor", 6, key);
    ei_view_set(data, 8, ei_view_check(key, key_length, data, EI_VIEW_U_REASON + more, 0));
    assert_int_equal(cdb_make_add(&cdb, key, (unsigned)key_length, data, (unsigned)(EI_VIEW_U_REASON + more)), 0);
    assert_int_equal(cdb_make_finish(&cdb), 0);
    close(fd);
    length = read_whole(bytes);
    seal_header(bytes, length);
    write_whole(bytes, length);
}

static void a_newer_minor_version_is_read(void **state)
{
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    bool found;
    (void)state;

    publish_newer_minor(500, 200);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    assert_int_equal(header.minor, 9);
    assert_memory_equal(header.groups, plain.groups, sizeof plain.groups);
    assert_int_equal(ei_view_lookup(&view, "taylor", &record, &found), EI_VIEW_OK);
    assert_true(found);
    assert_int_equal(record.uid, 1234);
    assert_string_equal(record.reason, "");
    assert_null(ei_state_name(record.state));
    ei_view_close(&view);
}

static void a_newer_minor_version_has_limits_too(void **state)
{
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    bool found;
    (void)state;

    publish_newer_minor(EI_VIEW_RECORD_MAX - EI_VIEW_U_REASON, 4);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    assert_int_equal(ei_view_lookup(&view, "taylor", &record, &found), EI_VIEW_OK);
    assert_true(found);
    ei_view_close(&view);
    publish_newer_minor(EI_VIEW_RECORD_MAX - EI_VIEW_U_REASON + 1, 4);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    assert_int_equal(ei_view_lookup(&view, "taylor", &record, &found), EI_VIEW_CORRUPT);
    ei_view_close(&view);
    publish_newer_minor(EI_VIEW_HEADER_MAX, 4);
    assert_int_equal(open_status(), EI_VIEW_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(L5_every_truncation_is_damage),
        IN_DIRECTORY(S24_no_flipped_byte_makes_another_answer),
        IN_DIRECTORY(L5_no_flipped_byte_of_the_header_is_accepted),
        IN_DIRECTORY(S27_random_bytes_do_no_harm),
        IN_DIRECTORY(wild_table_pointers_are_damage),
        IN_DIRECTORY(L4_probes_are_bounded),
        IN_DIRECTORY(L4_the_writer_refuses_a_crowd),
        IN_DIRECTORY(an_unknown_major_version_is_its_own_outcome),
        IN_DIRECTORY(a_newer_minor_version_is_read),
        IN_DIRECTORY(a_newer_minor_version_has_limits_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
