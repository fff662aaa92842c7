#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <security/pam_appl.h>

#include "common/account/gecos.h"
#include "common/view/view_format.h"
#include "tests/host/pam-matrix/matrix.h"

char base[64], view_path[128];
static char public_dir[100], groups_path[128];

const char *const source_names[SOURCES] = {"groups=", "the groups file", "nothing"};

static void must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        abort();
    }
}

enum address_of_record { OWN_ADDRESS, NO_ADDRESS, OTHER_ADDRESS };

static void make(struct ei_view_header *header, enum ei_state state, unsigned uid_off, enum address_of_record address)
{
    struct ei_view_writer *writer;

    memcpy(header->groups, "no-such-group\0" GROUP "\0", sizeof "no-such-group\0" GROUP "\0");
    must(ei_view_writer_new(view_path, header, &writer, NULL) == EI_OK, view_path);
    for (size_t i = 0; i < account_count && state != 0; i++) {
        struct ei_view_record record = {.state = state, .uid = accounts[i].uid + uid_off};
        if (address != NO_ADDRESS)
            record.address_hash = ei_address_hash(address == OWN_ADDRESS ? accounts[i].address : "x@contoso.com");
        if (state == EI_STATE_FAILED)
            strcpy(record.reason, "domain-not-allowed");
        must(ei_view_writer_add(writer, accounts[i].login, &record, NULL) == EI_OK, accounts[i].login);
    }
    must(ei_view_writer_publish(writer, NULL) == EI_OK, view_path);
}

static struct ei_view_header plain_header(void)
{
    return (struct ei_view_header){.generation = 1, .first_trusted = true, .minimum_uid = 1000, .not_after = 0};
}

void make_view(enum ei_state state)
{
    struct ei_view_header header = plain_header();
    make(&header, state, 0, OWN_ADDRESS);
}

static void no_record(void)
{
    make_view(0);
}
static void waiting(void)
{
    make_view(EI_STATE_WAITING);
}
static void held(void)
{
    make_view(EI_STATE_HELD);
}
static void queued(void)
{
    make_view(EI_STATE_QUEUED);
}
static void pending(void)
{
    make_view(EI_STATE_PENDING);
}
static void accepted(void)
{
    make_view(EI_STATE_ACCEPTED);
}
static void failed(void)
{
    make_view(EI_STATE_FAILED);
}
static void removed(void)
{
    make_view(EI_STATE_REMOVED);
}
static void expired(void)
{
    make_view(EI_STATE_EXPIRED);
}

static void accepted_with_configured_address(void)
{
    struct ei_view_header header = plain_header();
    make(&header, EI_STATE_ACCEPTED, 0, NO_ADDRESS);
}

static void accepted_under_another_uid(void)
{
    struct ei_view_header header = plain_header();
    make(&header, EI_STATE_ACCEPTED, 1, OWN_ADDRESS);
}

static void accepted_under_another_address(void)
{
    struct ei_view_header header = plain_header();
    make(&header, EI_STATE_ACCEPTED, 0, OTHER_ADDRESS);
}

static void removed_under_another_uid(void)
{
    struct ei_view_header header = plain_header();
    make(&header, EI_STATE_REMOVED, 1, OWN_ADDRESS);
}

static void accepted_not_yet_stale(void)
{
    struct ei_view_header header = plain_header();
    header.not_after = INT64_MAX;
    make(&header, EI_STATE_ACCEPTED, 0, OWN_ADDRESS);
}

static void stale(void)
{
    struct ei_view_header header = plain_header();
    header.not_after = 1;
    make(&header, EI_STATE_ACCEPTED, 0, OWN_ADDRESS);
}

static void minimum_uid_above_all(void)
{
    struct ei_view_header header = plain_header();
    header.minimum_uid = 5000;
    make(&header, EI_STATE_PENDING, 0, OWN_ADDRESS);
}

/* Changes the bytes of a good view. */
static void edit(void (*change)(unsigned char *bytes, size_t length))
{
    static unsigned char bytes[65536];

    make_view(EI_STATE_ACCEPTED);
    int fd = open(view_path, O_RDWR | O_CLOEXEC);
    ssize_t length = read(fd, bytes, sizeof bytes);
    must(length > 0 && length < (ssize_t)sizeof bytes, "reading the view");
    change(bytes, (size_t)length);
    must(pwrite(fd, bytes, (size_t)length, 0) == length, "changing the view");
    close(fd);
}

/* Calls change for each record of an account, with its key and data, and puts the check right again. */
static void each_record(unsigned char *bytes, size_t length, void (*change)(unsigned char *data))
{
    size_t count = 0;

    for (size_t at = EI_VIEW_TABLE_SIZE; count <= account_count && at < length; count++) {
        size_t key = (size_t)ei_view_get(bytes + at, 4), data = (size_t)ei_view_get(bytes + at + 4, 4);
        unsigned char *k = bytes + at + EI_VIEW_RECORD_HEAD, *d = k + key;
        if (k[0] == 'U') {
            change(d);
            ei_view_set(d, EI_VIEW_CHECK_SIZE, ei_view_check(k, key, d, data, EI_VIEW_U_CHECK));
        }
        at += EI_VIEW_RECORD_HEAD + key + data;
    }
}

static void set_state_200(unsigned char *data)
{
    data[EI_VIEW_U_STATE] = 200;
}

static void change_state(unsigned char *bytes, size_t length)
{
    each_record(bytes, length, set_state_200);
}

static void state_of_a_later_version(void)
{
    edit(change_state);
}

static void change_major(unsigned char *bytes, size_t length)
{
    (void)length;
    bytes[EI_VIEW_TABLE_SIZE + EI_VIEW_RECORD_HEAD + 1 + EI_VIEW_H_MAJOR] = 2;
}

static void other_major_version(void)
{
    edit(change_major);
}

static void change_header(unsigned char *bytes, size_t length)
{
    (void)length;
    bytes[EI_VIEW_TABLE_SIZE + EI_VIEW_RECORD_HEAD + 1 + EI_VIEW_H_COUNT] ^= 1;
}

static void damaged_header(void)
{
    edit(change_header);
}

static void change_records(unsigned char *bytes, size_t length)
{
    /* From the end of the header to the tables: no key or record is as it was, but the tables still lead there. */
    size_t at = EI_VIEW_TABLE_SIZE + EI_VIEW_RECORD_HEAD + 1 + (size_t)ei_view_get(bytes + EI_VIEW_TABLE_SIZE + 4, 4);
    for (size_t i = 0; i < account_count && at < length; i++) {
        size_t key = (size_t)ei_view_get(bytes + at, 4), data = (size_t)ei_view_get(bytes + at + 4, 4);
        bytes[at + EI_VIEW_RECORD_HEAD + key + EI_VIEW_U_STATE] ^= 1;
        at += EI_VIEW_RECORD_HEAD + key + data;
    }
}

static void damaged_records(void)
{
    edit(change_records);
}

static void change_tables(unsigned char *bytes, size_t length)
{
    (void)length;
    memset(bytes, 0xff, EI_VIEW_TABLE_SIZE);
}

static void damaged_tables(void)
{
    edit(change_tables);
}

/* A worker that never was, or whose view is gone, lets nobody in (S34). */
static void missing(void)
{
}

static void empty(void)
{
    close(open(view_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static void cut_off(void)
{
    make_view(EI_STATE_ACCEPTED);
    must(truncate(view_path, 2100) == 0, "truncate");
}

static void writable_by_others(void)
{
    make_view(EI_STATE_ACCEPTED);
    must(chmod(view_path, 0666) == 0, "chmod");
}

static void symbolic_link(void)
{
    char target[140];

    make_view(EI_STATE_ACCEPTED);
    snprintf(target, sizeof target, "%s.real", view_path);
    must(rename(view_path, target) == 0 && symlink(target, view_path) == 0, "symlink");
}

static void two_links(void)
{
    char second[140];

    make_view(EI_STATE_ACCEPTED);
    snprintf(second, sizeof second, "%s.second", view_path);
    must(link(view_path, second) == 0, "link");
}

static void fifo(void)
{
    must(mkfifo(view_path, 0644) == 0, "mkfifo");
}

static void foreign_owner(void)
{
    make_view(EI_STATE_ACCEPTED);
    /* Without root nobody can own a file in another's name: then its mode has to do. */
    if (chown(view_path, 12345, 0) < 0)
        must(chmod(view_path, 0662) == 0, "chmod");
}

const struct condition conditions[] = {
    {"no record", no_record, PAM_PERM_DENIED, PAM_IGNORE, false, "no invitation yet: the account is new"},
    {"waiting", waiting, PAM_PERM_DENIED, PAM_PERM_DENIED, false, "no e-mail address"},
    {"held", held, PAM_PERM_DENIED, PAM_PERM_DENIED, false, "held until"},
    {"queued", queued, PAM_PERM_DENIED, PAM_PERM_DENIED, false, "about to be made"},
    {"pending", pending, PAM_PERM_DENIED, PAM_PERM_DENIED, false, "not accepted yet"},
    {"failed", failed, PAM_PERM_DENIED, PAM_PERM_DENIED, false, "(domain-not-allowed)"},
    {"removed", removed, PAM_PERM_DENIED, PAM_PERM_DENIED, false, "removed"},
    {"expired", expired, PAM_ACCT_EXPIRED, PAM_ACCT_EXPIRED, false, "did not accept in time"},
    {"accepted", accepted, PAM_SUCCESS, PAM_SUCCESS, false, NULL},
    {"accepted, address from the configuration", accepted_with_configured_address, PAM_SUCCESS, PAM_SUCCESS, false,
     NULL},
    {"accepted, not yet stale", accepted_not_yet_stale, PAM_SUCCESS, PAM_SUCCESS, false, NULL},
    {"accepted under another uid", accepted_under_another_uid, PAM_PERM_DENIED, PAM_IGNORE, false, "was changed"},
    {"accepted under another address", accepted_under_another_address, PAM_PERM_DENIED, PAM_IGNORE, false,
     "was changed"},
    {"removed under another uid", removed_under_another_uid, PAM_PERM_DENIED, PAM_IGNORE, false, "was changed"},
    {"a state of a later version", state_of_a_later_version, PAM_PERM_DENIED, PAM_PERM_DENIED, false, "does not know"},
    {"minimum_uid of the configuration above all", minimum_uid_above_all, PAM_IGNORE, PAM_IGNORE, false, NULL},
    {"stale", stale, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "out of date"},
    {"missing", missing, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "missing"},
    {"empty", empty, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "damaged"},
    {"cut off", cut_off, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "damaged"},
    {"damaged header", damaged_header, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "damaged"},
    {"damaged records", damaged_records, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "damaged"},
    {"damaged tables", damaged_tables, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "damaged"},
    {"another major version", other_major_version, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "format version"},
    {"writable by others", writable_by_others, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "not safe"},
    {"owned by somebody else", foreign_owner, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "not safe"},
    {"a symbolic link", symbolic_link, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "not safe"},
    {"two links", two_links, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "not safe"},
    {"a FIFO", fifo, PAM_AUTHINFO_UNAVAIL, PAM_IGNORE, true, "not safe"},
};

const size_t condition_count = sizeof conditions / sizeof conditions[0];

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

bool world_open(void)
{
    strcpy(base, "/tmp/ei-pam.XXXXXX");
    if (mkdtemp(base) == NULL || chmod(base, 0755) < 0)
        return false;
    snprintf(public_dir, sizeof public_dir, "%s/public", base);
    snprintf(view_path, sizeof view_path, "%s/status.cdb", public_dir);
    snprintf(groups_path, sizeof groups_path, "%s/groups", public_dir);
    return true;
}

void world_close(void)
{
    remove_tree(base);
}

void world_set(const struct condition *condition, enum source source)
{
    remove_tree(public_dir);
    must(mkdir(public_dir, 0755) == 0, public_dir);
    if (source == FROM_FILE) {
        FILE *file = fopen(groups_path, "we");
        must(file != NULL && fputs("no-such-group\n" GROUP "\n", file) >= 0 && fclose(file) == 0, groups_path);
    }
    condition->make();
}
