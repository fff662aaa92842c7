/*
 * The view's reader, which runs in every login (T3, S13, L4). The first byte says what the rest is:
 *
 *   0  a file as it is
 *   1  the same, with its size and checks mended, so that what lies behind them is reached
 *   2  the file of the groups
 *   3  accounts for the writer, and then damage to what it wrote
 *
 * Whatever the file: the reader ends, leaves no descriptor, gives nothing of a file that it refuses, says the same of a
 * file and of a map of it, walks to no login that it does not find, and agrees with tinycdb about every record. What
 * the writer wrote is read back as it was given; damaged, a login has its own record or none.
 */
#include <cdb.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/view/view_format.h"
#include "common/view/view_write.h"
#include "tests/fuzz/fuzz.h"

enum { FILE_MAX = 1 << 20, ACCOUNTS_MAX = 40, DAMAGES_MAX = 8, REASON_MAX = EI_VIEW_REASON_SIZE - 1 };

static bool zeroed(const void *memory, size_t size)
{
    const unsigned char *at = memory;

    while (size != 0 && *at == 0)
        at++, size--;
    return size == 0;
}

/* Names with a NUL behind each, an empty string at the end: as PAM walks through them. */
static void judge_groups(const char groups[EI_VIEW_GROUPS_SIZE])
{
    size_t at = 0;

    while (at < EI_VIEW_GROUPS_SIZE && groups[at] != '\0')
        at += strnlen(groups + at, EI_VIEW_GROUPS_SIZE - at) + 1;
    EI_MUST(at < EI_VIEW_GROUPS_SIZE);
}

static void judge_record(const struct ei_view_record *record)
{
    size_t length = strnlen(record->reason, sizeof record->reason);

    EI_MUST(record->state != 0 && (unsigned)record->state <= 255);
    EI_MUST(length < sizeof record->reason);
    EI_MUST(strspn(record->reason, "abcdefghijklmnopqrstuvwxyz0123456789-") == length);
}

static bool same_record(const struct ei_view_record *a, const struct ei_view_record *b)
{
    return a->state == b->state && a->uid == b->uid && a->address_hash == b->address_hash &&
           a->changed_at == b->changed_at && a->checked_at == b->checked_at && strcmp(a->reason, b->reason) == 0;
}

/* Another reader of the same format. It is stricter about where a record may lie, so it may refuse, but what it gives
 * is the same. */
static void ask_tinycdb(int fd, const char *login, const struct ei_view_record *record)
{
    unsigned char key[EI_VIEW_KEY_MAX];
    struct cdb cdb;
    size_t length = ei_view_key(login, strlen(login), key);

    if (cdb_init(&cdb, fd) != 0)
        return;
    if (cdb_find(&cdb, key, (unsigned)length) > 0) {
        const unsigned char *data = cdb_getdata(&cdb);
        EI_MUST(data != NULL && cdb_datalen(&cdb) >= EI_VIEW_U_REASON);
        EI_MUST(data[EI_VIEW_U_STATE] == (unsigned)record->state);
        EI_MUST(ei_view_get(data + EI_VIEW_U_UID, 4) == record->uid);
        EI_MUST(memcmp(data + EI_VIEW_U_REASON, record->reason, strlen(record->reason)) == 0);
    }
    cdb_free(&cdb);
}

static void look_up(const struct ei_view *view, const struct ei_view *mapped, const char *login)
{
    struct ei_view_record record = {0}, of_map = {0};
    bool found = false, found_in_map = false;
    enum ei_view_status status = ei_view_lookup(view, login, &record, &found);

    EI_MUST(status == EI_VIEW_OK || status == EI_VIEW_CORRUPT);
    EI_MUST(ei_view_lookup(mapped, login, &of_map, &found_in_map) == status && found == found_in_map);
    if (status != EI_VIEW_OK || !found)
        return;
    judge_record(&record);
    EI_MUST(same_record(&record, &of_map));
    ask_tinycdb(view->fd, login, &record);
}

struct visit {
    const struct ei_view *view, *mapped;
    uint64_t count;
};

static bool on_login(void *context, const char *login)
{
    struct visit *visit = context;
    size_t length = strnlen(login, EI_VIEW_LOGIN_MAX + 1);

    EI_MUST(length > 0 && length <= EI_VIEW_LOGIN_MAX);
    look_up(visit->view, visit->mapped, login);
    return ++visit->count < 1000;
}

static void read_view(const unsigned char *data, size_t size)
{
    static const char *const logins[] = {"taylor", "robin", "t", "", "nobody-has-this-login"};
    const char *path = ei_fuzz_file("a", data, size);
    struct ei_view view;
    struct ei_view_header header;
    int before = ei_fuzz_free_descriptor();
    enum ei_view_status status = ei_view_open(path, &view, &header);

    EI_MUST(status == EI_VIEW_OK || status == EI_VIEW_CORRUPT || status == EI_VIEW_BAD_VERSION);
    if (status != EI_VIEW_OK) {
        EI_MUST(view.fd == -1 && zeroed(&header, sizeof header));
    } else {
        struct ei_view mapped = view;
        mapped.map = data;
        struct visit visit = {.view = &view, .mapped = &mapped};
        EI_MUST(header.major == EI_VIEW_MAJOR && view.size == size);
        judge_groups(header.groups);
        for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++)
            look_up(&view, &mapped, logins[i]);
        status = ei_view_each(&view, &header, on_login, &visit);
        EI_MUST(status == EI_VIEW_OK || status == EI_VIEW_CORRUPT);
        EI_MUST(visit.count <= header.count);
        ei_view_close(&view);
    }
    EI_MUST(ei_fuzz_free_descriptor() == before);
}

static void read_groups(const unsigned char *data, size_t size)
{
    char groups[EI_VIEW_GROUPS_SIZE];
    int before = ei_fuzz_free_descriptor();
    enum ei_view_status status = ei_view_read_groups(ei_fuzz_file("a", data, size), groups);

    EI_MUST(ei_fuzz_free_descriptor() == before);
    EI_MUST(status == EI_VIEW_OK || status == EI_VIEW_CORRUPT);
    judge_groups(groups);
    if (status != EI_VIEW_OK) {
        EI_MUST(zeroed(groups, sizeof groups));
        return;
    }
    for (size_t at = 0; groups[at] != '\0'; at += strlen(groups + at) + 1) {
        const unsigned char *line = memmem(data, size, groups + at, strlen(groups + at));
        EI_MUST(line != NULL && strpbrk(groups + at, "\n\t\r") == NULL);
    }
}

/* --- mended --- */

static void mend_check(unsigned char *key, size_t key_length, size_t length, size_t check_at)
{
    unsigned char *data = key + key_length;

    ei_view_set(data + check_at, EI_VIEW_CHECK_SIZE, ei_view_check(key, key_length, data, length, check_at));
}

/* As if whoever made the file had known how: every record that lies in it whole gets its check. */
static void mend(unsigned char *data, size_t size)
{
    size_t at = EI_VIEW_TABLE_SIZE;

    for (unsigned i = 0; size >= EI_VIEW_RECORD_HEAD && at <= size - EI_VIEW_RECORD_HEAD && i < 1000; i++) {
        uint64_t key = ei_view_get(data + at, 4), length = ei_view_get(data + at + 4, 4);
        if (key > size || length > size || at + EI_VIEW_RECORD_HEAD + key + length > size)
            return;
        unsigned char *record = data + at + EI_VIEW_RECORD_HEAD;
        if (i == 0 && length >= EI_VIEW_H_GROUPS) {
            ei_view_set(record + key + EI_VIEW_H_SIZE, 8, size);
            mend_check(record, (size_t)key, (size_t)length, EI_VIEW_H_CHECK);
        } else if (i != 0 && length >= EI_VIEW_U_REASON) {
            mend_check(record, (size_t)key, (size_t)length, EI_VIEW_U_CHECK);
        }
        at += EI_VIEW_RECORD_HEAD + (size_t)(key + length);
    }
}

/* --- written, and damaged --- */

struct account {
    char login[EI_VIEW_LOGIN_MAX + 4];
    struct ei_view_record record;
};

static void take_header(struct ei_input *input, struct ei_view_header *header)
{
    *header = (struct ei_view_header){
        .generation = ei_input_number(input, 8),
        .created_at = (int64_t)ei_input_number(input, 8),
        .not_after = (int64_t)ei_input_number(input, 8),
        .minimum_uid = (uint32_t)ei_input_number(input, 4),
        .first_trusted = (ei_input_byte(input) & 1) != 0,
    };
    size_t at = 0;
    for (int i = ei_input_byte(input) % 8; i > 0 && at + 2 < EI_VIEW_GROUPS_SIZE; i--) {
        size_t length = ei_input_text(input, ' ', header->groups + at, EI_VIEW_GROUPS_SIZE - 1 - at);
        at += length != 0 ? length + 1 : 0;
    }
}

static void take_account(struct ei_input *input, struct account *account)
{
    *account = (struct account){.record = {
                                    .state = (enum ei_state)(ei_input_byte(input) % (EI_STATES + 1)),
                                    .uid = (uint32_t)ei_input_number(input, 4),
                                    .address_hash = ei_input_number(input, 8),
                                    .changed_at = (int64_t)ei_input_number(input, 8),
                                    .checked_at = (int64_t)ei_input_number(input, 8),
                                }};
    unsigned reason = ei_input_byte(input);
    snprintf(account->record.reason, sizeof account->record.reason, "%s",
             reason == 0             ? ""
             : reason < EI_ERR_COUNT ? ei_err_name((enum ei_err)reason)
                                     : "no name of ours");
    ei_input_text(input, ' ', account->login, sizeof account->login);
}

/* What the writer must make of it. */
static enum ei_err expected(const struct account *account)
{
    size_t length = strlen(account->login);
    bool good = length != 0 && length <= EI_VIEW_LOGIN_MAX && account->record.state >= EI_STATE_WAITING &&
                account->record.state <= EI_STATE_EXPIRED && strcmp(account->record.reason, "no name of ours") != 0;

    return good ? EI_OK : EI_USAGE;
}

static size_t slurp(const char *path, unsigned char *data, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    ssize_t got;

    EI_MUST(fd >= 0);
    while (size < room && (got = read(fd, data + size, room - size)) > 0)
        size += (size_t)got;
    close(fd);
    return size;
}

static bool same_header(const struct ei_view_header *a, const struct ei_view_header *b, uint64_t count)
{
    return a->generation == b->generation && a->created_at == b->created_at && a->not_after == b->not_after &&
           a->minimum_uid == b->minimum_uid && a->first_trusted == b->first_trusted && b->count == count &&
           memcmp(a->groups, b->groups, sizeof a->groups) == 0;
}

/* damaged: a login may be missing then, and the file be refused; but nothing may read otherwise than it was written. */
static void read_back(const struct ei_view_header *wanted, const struct account *accounts, size_t count, bool damaged)
{
    struct ei_view view;
    struct ei_view_header header;
    enum ei_view_status status = ei_view_open(ei_fuzz_path("a"), &view, &header);

    EI_MUST(status == EI_VIEW_OK || damaged);
    if (status != EI_VIEW_OK)
        return;
    EI_MUST(same_header(wanted, &header, count));
    for (size_t i = 0; i < count; i++) {
        struct ei_view_record record;
        bool found;
        status = ei_view_lookup(&view, accounts[i].login, &record, &found);
        EI_MUST(damaged || (status == EI_VIEW_OK && found));
        if (status == EI_VIEW_OK && found)
            EI_MUST(same_record(&record, &accounts[i].record));
    }
    ei_view_close(&view);
}

static void damage(struct ei_input *input, unsigned char *data, size_t size)
{
    for (int i = 0; i < DAMAGES_MAX && input->size != 0; i++) {
        size_t at = (size_t)ei_input_number(input, 2);
        uint8_t change = ei_input_byte(input);
        data[at % size] ^= change != 0 ? change : 1;
    }
}

static bool contains(const struct account *accounts, size_t count, const char *login)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(accounts[i].login, login) == 0)
            return true;
    return false;
}

static void write_and_read(struct ei_input *input)
{
    static struct account accounts[ACCOUNTS_MAX];
    struct ei_view_header header;
    struct ei_view_writer *writer = NULL;
    struct ei_error err = {0};
    size_t count = 0;
    bool twice = false;

    take_header(input, &header);
    EI_MUST(ei_view_writer_new(ei_fuzz_path("a"), &header, &writer, &err) == EI_OK);
    for (int left = ei_input_byte(input) % ACCOUNTS_MAX; left > 0; left--) {
        struct account *account = &accounts[count];
        take_account(input, account);
        enum ei_err rc = ei_view_writer_add(writer, account->login, &account->record, &err);
        EI_MUST(rc == expected(account));
        if (rc != EI_OK) {
            ei_fuzz_judge_error(rc, &err);
            continue;
        }
        twice = twice || contains(accounts, count, account->login);
        count++;
    }
    enum ei_err rc = ei_view_writer_publish(writer, &err);
    EI_MUST(rc == (twice ? EI_CONFLICT : EI_OK));
    EI_MUST(access(ei_fuzz_path("a.tmp"), F_OK) != 0);
    if (rc != EI_OK) {
        ei_fuzz_judge_error(rc, &err);
        return;
    }
    read_back(&header, accounts, count, false);

    static unsigned char data[FILE_MAX];
    size_t size = slurp(ei_fuzz_path("a"), data, sizeof data);
    if (input->size == 0)
        return;
    damage(input, data, size);
    ei_fuzz_file("a", data, size);
    read_back(&header, accounts, count, true);
    read_view(data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ei_input input = {data, size};
    uint8_t kind = ei_input_byte(&input) % 4;
    unsigned char *copy = malloc(input.size + 1);

    EI_MUST(copy != NULL);
    if (input.size != 0)
        memcpy(copy, input.data, input.size);
    if (kind == 1)
        mend(copy, input.size);
    if (kind < 2)
        read_view(copy, input.size);
    else if (kind == 2)
        read_groups(copy, input.size);
    else
        write_and_read(&input);
    free(copy);
    return 0;
}
