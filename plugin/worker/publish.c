#include "plugin/worker/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/account/gecos.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/view/view_write.h"
#include "plugin/worker/notices.h"
#include "plugin/worker/notify.h"
#include "plugin/worker/state.h"

enum {
    SPACING_MS = 20,     /* between two publications, at the least */
    SPACING_FACTOR = 5,  /* and so many times what the last one took */
    REFRESH_STEP = 3600, /* seconds: not_after moves on in such steps */
    RETRY_MS = 10000,    /* after a failure */
    IDLE_MS = 60 * 60 * 1000,
};

static const char meta_generation[] = "view-generation";
static const char meta_refresh[] = "last-refresh";
static const char meta_host[] = "host-id";
static const char meta_mail_held[] = "mail-held";

/* --- what the store remembers --- */

static enum ei_err meta_number(struct ei_store *store, const char *key, int64_t *ret_value, struct ei_error *err)
{
    char *text = NULL;
    enum ei_err rc = ei_store_meta_get(store, key, &text, err);

    *ret_value = text != NULL ? strtoll(text, NULL, 10) : 0;
    free(text);
    return rc;
}

static enum ei_err meta_set_number(struct ei_store *store, const char *key, int64_t value, struct ei_error *err)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, value);
    return ei_store_meta_set(store, key, text, err);
}

static uint64_t published_generation(void)
{
    struct ei_view view;
    struct ei_view_header header;

    if (ei_view_open(EI_VIEW_PATH, &view, &header) != EI_VIEW_OK)
        return 0;
    ei_view_close(&view);
    return header.generation;
}

static enum ei_err hold_mail(struct ei_worker *w, const char *why, struct ei_error *err)
{
    ei_log_event(LOG_WARNING, EI_LOG_MAIL_HELD,
                 "%s: no mail is sent until 'entra-invite adopt' says that this host may", why);
    w->mail_held = true;
    return ei_store_meta_set(w->store, meta_mail_held, "1", err);
}

/* Two hosts with one database would each mail what the other mailed (design, "One mail"). */
static enum ei_err check_identity(struct ei_worker *w, int64_t generation, struct ei_error *err)
{
    char *host = NULL;
    char *held = NULL;
    enum ei_err rc = ei_store_meta_get(w->store, meta_host, &host, err);

    if (rc == EI_OK)
        rc = ei_store_meta_get(w->store, meta_mail_held, &held, err);
    if (rc != EI_OK)
        goto out;
    w->mail_held = held != NULL;
    if (host != NULL && strcmp(host, w->host) != 0)
        rc = hold_mail(w, "the database was written on another machine (a clone, a restored image)", err);
    else if (published_generation() > (uint64_t)generation)
        rc = hold_mail(w, "the published view is newer than the database (restored from a backup)", err);
    if (rc == EI_OK && !ei_text_same(host, w->host))
        rc = ei_store_meta_set(w->store, meta_host, w->host, err);
out:
    free(host);
    free(held);
    return rc;
}

enum ei_err ei_publish_open(struct ei_worker *w, struct ei_error *err)
{
    int64_t generation = 0;
    enum ei_err rc = meta_number(w->store, meta_generation, &generation, err);

    if (rc == EI_OK)
        rc = meta_number(w->store, meta_refresh, &w->last_refresh, err);
    if (rc == EI_OK)
        rc = check_identity(w, generation, err);
    uint64_t published = published_generation();
    w->generation = published > (uint64_t)generation ? published : (uint64_t)generation;
    if (w->last_refresh == 0)
        w->last_refresh = ei_now();
    w->dirty = true;
    return rc;
}

enum ei_err ei_publish_lift_mail_hold(struct ei_worker *w, struct ei_error *err)
{
    w->mail_held = false;
    return ei_store_meta_set(w->store, meta_mail_held, NULL, err);
}

/* --- the view --- */

enum ei_err ei_publish_groups(struct ei_worker *w, struct ei_error *err)
{
    struct ei_buffer text;
    bool fits = true;

    ei_buffer_init(&text, 64 * 1024);
    for (size_t i = 0; i < w->config->rule_count && fits; i++)
        fits = ei_buffer_append_text(&text, w->config->rules[i].group) && ei_buffer_append(&text, "\n", 1);
    enum ei_err rc = fits ? ei_file_replace(EI_GROUPS_PATH, text.data, text.length, 0644, err)
                          : ei_fail(err, EI_NOMEM, "%s: the covered groups do not fit", EI_GROUPS_PATH);
    ei_buffer_free(&text);
    return rc;
}

const struct ei_error *ei_publish_error(const struct ei_worker *w, const struct ei_collaborator *c,
                                        const struct ei_account *account)
{
    static const struct ei_error no_address = {.code = EI_NO_ADDRESS, .message = "the account has no address yet"};
    enum ei_state state = ei_state_of(c, account);

    if (c->error.code == EI_OK && state == EI_STATE_WAITING)
        return &no_address;
    if (c->error.code != EI_OK || state != EI_STATE_QUEUED)
        return &c->error;
    return w->blocked.code != EI_OK ? &w->blocked : &w->trouble;
}

struct walk {
    struct ei_worker *worker;
    struct ei_view_writer *writer;
    struct ei_error *err;
    uint64_t standing;
};

/* What nss_entra_invite(8) would answer differently changes this; when a state was looked at does not. */
static uint64_t add_standing(uint64_t standing, const char *login, const struct ei_view_record *record)
{
    const uint64_t parts[] = {ei_address_hash(login), record->uid, record->state};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        standing = (standing ^ parts[i]) * 0x100000001b3u;
    return standing;
}

/* entra-invite-flush(8) empties the caches of the name service where it finds this file, and removes it. It is left
 * after the view was published, so that what is asked for anew is answered anew. */
static void tell_caches(struct ei_worker *w, uint64_t standing)
{
    if (w->standing_told && w->standing == standing)
        return;
    /* One that is there already, whosever it is, says the same. */
    int fd = open(EI_CHANGED_PATH, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    w->standing_told = fd >= 0 || errno == EEXIST;
    w->standing = standing;
    if (fd >= 0)
        close(fd);
    if (!w->standing_told)
        ei_log(LOG_WARNING, "%s: %s: nscd and sssd may show groups as they were", EI_CHANGED_PATH, strerror(errno));
}

static enum ei_err add_records(void *context, const struct ei_collaborator *c)
{
    struct walk *walk = context;
    struct ei_worker *w = walk->worker;

    if (c->notice)
        ei_notices_note(w, c);
    for (size_t i = 0; i < c->account_count; i++) {
        const struct ei_account *account = &c->accounts[i];
        if (strcmp(account->host, w->host) != 0)
            continue;
        struct ei_view_record record = {
            .state = ei_state_of(c, account),
            .uid = account->uid,
            .address_hash = account->source == EI_SOURCE_GECOS ? account->address_hash : 0,
            .changed_at = c->state_at != 0 ? c->state_at : account->since,
            .checked_at = c->checked_at,
        };
        w->counts[record.state]++;
        ei_tally_account(&w->tally, account->rule, record.state, record.changed_at);
        const struct ei_error *error = ei_publish_error(w, c, account);
        if (error->code != EI_OK)
            snprintf(record.reason, sizeof record.reason, "%s", ei_err_name(error->code));
        walk->standing = add_standing(walk->standing, account->login, &record);
        enum ei_err rc = ei_view_writer_add(walk->writer, account->login, &record, walk->err);
        if (rc != EI_OK)
            return rc;
    }
    if (c->account_count == 0) {
        w->counts[ei_state_of(c, NULL)]++;
        ei_tally_account(&w->tally, c->job.rule, ei_state_of(c, NULL), c->state_at);
    }
    ei_tally_person(&w->tally, c);
    return EI_OK;
}

static void fill_header(const struct ei_worker *w, struct ei_view_header *header)
{
    size_t used = 0;

    *header = (struct ei_view_header){
        .generation = w->generation + 1,
        .created_at = ei_now(),
        .not_after = w->config->max_age != 0 ? w->last_refresh + w->config->max_age : 0,
        .minimum_uid = w->config->coverage.minimum_uid,
        .first_trusted = w->first_trusted,
    };
    for (size_t i = 0; i < w->config->rule_count; i++) {
        size_t length = strlen(w->config->rules[i].group) + 1;
        if (used + length >= sizeof header->groups)
            break;
        memcpy(header->groups + used, w->config->rules[i].group, length);
        used += length;
    }
}

static enum ei_err publish(struct ei_worker *w, struct ei_error *err)
{
    struct ei_view_header header;
    struct ei_view_writer *writer = NULL;

    EI_FAILPOINT("C12");
    fill_header(w, &header);
    enum ei_err rc = ei_view_writer_new(EI_VIEW_PATH, &header, &writer, err);
    if (rc != EI_OK)
        return rc;
    memset(w->counts, 0, sizeof w->counts);
    ei_tally_begin(&w->tally, w->config);
    w->walked = true;
    struct walk walk = {w, writer, err, header.minimum_uid};
    rc = ei_store_each(w->store, add_records, &walk, err);
    /* The generation is durable before the view that carries it: a view newer than the database is a sign of a restored
     * one, so a crash in between must not leave one. */
    if (rc == EI_OK)
        rc = meta_set_number(w->store, meta_generation, (int64_t)header.generation, err);
    if (rc == EI_OK)
        rc = meta_set_number(w->store, meta_refresh, w->last_refresh, err);
    if (rc != EI_OK) {
        ei_view_writer_free(writer);
        return rc;
    }
    w->generation = header.generation;
    rc = ei_view_writer_publish(writer, err);
    if (rc == EI_OK)
        tell_caches(w, walk.standing);
    return rc;
}

void ei_publish_status_text(const struct ei_worker *w, char *text, size_t size)
{
    static const enum ei_state shown[] = {EI_STATE_QUEUED,  EI_STATE_PENDING, EI_STATE_ACCEPTED, EI_STATE_FAILED,
                                          EI_STATE_WAITING, EI_STATE_HELD,    EI_STATE_EXPIRED};
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        uint64_t count = w->counts[shown[i]];
        bool always = shown[i] == EI_STATE_PENDING || shown[i] == EI_STATE_ACCEPTED || shown[i] == EI_STATE_FAILED;
        if (count != 0 || always)
            used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64 " %s", used != 0 ? ", " : "", count,
                                     ei_state_name(shown[i]));
    }
    if (w->blocked.code != EI_OK)
        used += (size_t)snprintf(text + used, size - used, "; blocked: %s", ei_err_name(w->blocked.code));
    if (w->blocked.code == EI_OK && w->trouble.code != EI_OK)
        used += (size_t)snprintf(text + used, size - used, "; waiting: %s", ei_err_name(w->trouble.code));
    if (w->config_error.code != EI_OK)
        used += (size_t)snprintf(text + used, size - used, "; configuration on disk not in force");
    if (w->store_error.code != EI_OK)
        used += (size_t)snprintf(text + used, size - used, "; store: %s", ei_err_name(w->store_error.code));
    if (w->view_error.code != EI_OK)
        used += (size_t)snprintf(text + used, size - used, "; view: %s", ei_err_name(w->view_error.code));
    if (w->mail_held)
        snprintf(text + used, size - used, "; mail held until adopt");
}

static void tell_systemd(struct ei_worker *w)
{
    char text[512];
    char message[640];

    ei_publish_status_text(w, text, sizeof text);
    snprintf(message, sizeof message, "%sSTATUS=%s", w->ready_said ? "" : "READY=1\n", text);
    w->ready_said = true;
    ei_notify(message);
}

void ei_publish_tell(struct ei_worker *w)
{
    if (w->ready_said)
        tell_systemd(w);
}

void ei_publish_now(struct ei_worker *w)
{
    w->publish_at_ms = ei_monotonic_ms();
}

/* Said when it begins, and when it is over. */
static void note_view_error(struct ei_worker *w, const struct ei_error *err)
{
    enum ei_err before = w->view_error.code;

    if (err != NULL)
        w->view_error = *err;
    else
        ei_error_clear(&w->view_error);
    if (w->view_error.code == before)
        return;
    if (err != NULL)
        ei_log_error_event(LOG_ERR, EI_LOG_VIEW_FAILED, "the view cannot be published, the old one stays", err);
    else
        ei_log_event(LOG_NOTICE, EI_LOG_DISK_AGAIN, "the view can be published again (was: %s)", ei_err_name(before));
}

static bool refresh_moved(struct ei_worker *w)
{
    /* With nobody to look at, nothing that the view says can have become stale. */
    if (w->counts[EI_STATE_PENDING] + w->counts[EI_STATE_ACCEPTED] + w->counts[EI_STATE_FAILED] +
            w->counts[EI_STATE_EXPIRED] ==
        0)
        w->last_refresh = ei_now();
    int64_t step = w->config->max_age / 8 < REFRESH_STEP ? w->config->max_age / 8 : REFRESH_STEP;

    /* Back, too: the clock was ahead when it was published, and the view must not count as fresh for so much longer. */
    return w->config->max_age != 0 && llabs(w->last_refresh - w->view_refresh) > step;
}

bool ei_publish_pending(struct ei_worker *w)
{
    return w->dirty || refresh_moved(w);
}

void ei_publish_run(struct ei_worker *w)
{
    struct ei_error err;
    int64_t start = ei_monotonic_ms();

    /* Before the first reading of the accounts the old view knows more than an empty store would. */
    if (!w->scanned || !ei_publish_pending(w) || start < w->publish_at_ms)
        return;
    if (publish(w, &err) != EI_OK) {
        note_view_error(w, &err);
        w->publish_at_ms = start + RETRY_MS;
        ei_publish_tell(w);
        return;
    }
    note_view_error(w, NULL);
    w->dirty = false;
    w->view_refresh = w->last_refresh;
    w->published_at = ei_now();
    w->publish_at_ms = ei_monotonic_ms() + SPACING_MS + SPACING_FACTOR * (ei_monotonic_ms() - start);
    tell_systemd(w);
}

int64_t ei_publish_wait_ms(struct ei_worker *w)
{
    if (!w->scanned || !ei_publish_pending(w))
        return IDLE_MS;
    int64_t wait = w->publish_at_ms - ei_monotonic_ms();
    return wait > 0 ? wait : 0;
}
