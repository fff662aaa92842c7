#include "plugin/worker/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/graph/counts.h"

enum {
    SPACING_MS = 5 * 1000,
    EVERY_MS = 60 * 1000, /* so that the file's age tells whether the worker lives */
    IDLE_MS = 60 * 60 * 1000,
    TEXT_MAX = 1024 * 1024,
    LABEL_MAX = 512,
};

struct ei_metric_samples {
    struct ei_buffer *text;
    const char *name;
    bool up;
    bool full; /* no memory */
};

static void append(struct ei_metric_samples *samples, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(struct ei_metric_samples *samples, const char *format, ...)
{
    char line[LABEL_MAX * 4];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    samples->full |=
        length < 0 || (size_t)length >= sizeof line || !ei_buffer_append(samples->text, line, (size_t)length);
}

static void add(struct ei_metric_samples *samples, int64_t value)
{
    append(samples, "%s %" PRId64 "\n", samples->name, value);
}

/* What is not known, or not the case, has no sample. */
static void add_time(struct ei_metric_samples *samples, int64_t time)
{
    if (time != 0)
        add(samples, time);
}

/* As the format wants it: backslash, quote and line break escaped. */
static const char *label(const char *value, char out[LABEL_MAX])
{
    size_t used = 0;

    for (; *value != '\0' && used + 3 < LABEL_MAX; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n')
            out[used++] = '\\';
        out[used++] = *value == '\n' ? 'n' : *value;
    }
    out[used] = '\0';
    return out;
}

/* --- the metrics --- */

static void add_up(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    (void)w;
    add(samples, samples->up);
}

static void add_build(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    char tenant[LABEL_MAX];

    append(samples, "%s{version=\"" EI_VERSION "\",tenant=\"%s\"} 1\n", samples->name,
           label(w->config->tenant, tenant));
}

static void add_start(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, w->started_at);
}

static void add_accounts(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    char rule[LABEL_MAX];

    for (size_t i = 0; i < w->tally.rule_count; i++)
        for (int state = EI_STATE_WAITING; state < EI_STATES; state++)
            append(samples, "%s{rule=\"%s\",state=\"%s\"} %" PRIu64 "\n", samples->name,
                   label(w->tally.rules[i].name, rule), ei_state_name((enum ei_state)state),
                   w->tally.rules[i].accounts[state]);
}

static void add_jobs(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add(samples, (int64_t)w->tally.jobs);
}

static void add_oldest_queued(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, w->tally.oldest_queued);
}

static void add_mails(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    for (int mail = EI_MAIL_NONE; mail < EI_TALLY_MAILS; mail++)
        append(samples, "%s{outcome=\"%s\"} %" PRIu64 "\n", samples->name, ei_mail_name((enum ei_mail)mail),
               w->tally.mails[mail]);
}

static void add_channels(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    for (enum ei_channel channel = 0; channel < EI_CHANNELS; channel++) {
        enum ei_err code = w->channels[channel].error.code;
        if (ei_channel_is_own(channel) && ei_channel_configured(w->config, channel, NULL) == EI_OK)
            append(samples, "%s{channel=\"%s\",error=\"%s\"} %d\n", samples->name, ei_channel_name(channel),
                   code != EI_OK ? ei_err_name(code) : "", code != EI_OK);
    }
}

static void add_mail_held(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add(samples, w->mail_held);
}

static void add_requests(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    const struct ei_graph_counts *counts = ei_graph_counts(w->graph);

    for (int kind = 0; kind < EI_REQUEST_KINDS; kind++)
        append(samples, "%s{kind=\"%s\"} %" PRIu64 "\n", samples->name,
               ei_request_kind_name((enum ei_request_kind)kind), counts->ended[kind]);
}

/* Only those that came up: a series for each error there might be would be hundreds. */
static void add_request_errors(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    const struct ei_graph_counts *counts = ei_graph_counts(w->graph);

    for (int kind = 0; kind < EI_REQUEST_KINDS; kind++)
        for (int code = 0; code < EI_ERR_COUNT; code++)
            if (counts->errors[kind][code] != 0)
                append(samples, "%s{kind=\"%s\",error=\"%s\"} %" PRIu64 "\n", samples->name,
                       ei_request_kind_name((enum ei_request_kind)kind), ei_err_name((enum ei_err)code),
                       counts->errors[kind][code]);
}

static void add_throttled(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    const struct ei_graph_counts *counts = ei_graph_counts(w->graph);

    for (int kind = 0; kind < EI_REQUEST_KINDS; kind++)
        append(samples, "%s{kind=\"%s\"} %" PRIu64 "\n", samples->name,
               ei_request_kind_name((enum ei_request_kind)kind), counts->throttled[kind]);
}

static void add_hold(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, ei_graph_hold_until(w->graph));
}

static void add_code(struct ei_metric_samples *samples, enum ei_err code)
{
    if (code != EI_OK)
        append(samples, "%s{error=\"%s\"} 1\n", samples->name, ei_err_name(code));
    else
        append(samples, "%s{error=\"\"} 0\n", samples->name);
}

static void add_blocked(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_code(samples, w->blocked.code);
}

static void add_trouble(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_code(samples, w->trouble.code);
}

static void add_store_failed(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_code(samples, w->store_error.code);
}

static void add_config_refused(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_code(samples, w->config_error.code);
}

static void add_doubt(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_code(samples, w->report.doubt.code);
}

static void add_removals_held(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add(samples, w->report.held_back);
}

static void add_token(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, ei_graph_token_expires(w->graph));
}

static void add_credential(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, ei_credential_expires(w->credential));
}

static void add_answer(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, w->answered_at);
}

static void add_refresh(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, w->last_refresh);
}

static void add_scan(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, w->scanned_at);
}

static void add_generation(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add(samples, (int64_t)w->generation);
}

static void add_published(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, w->published_at);
}

static void add_not_after(struct ei_metric_samples *samples, const struct ei_worker *w)
{
    add_time(samples, w->config->max_age != 0 ? w->view_refresh + w->config->max_age : 0);
}

const struct ei_metric ei_metrics[] = {
    {"entra_invite_up", "gauge", "1 while entra-invited runs, 0 after it was stopped.", add_up},
    {"entra_invite_build_info", "gauge", "Version and tenant, as labels of a 1.", add_build},
    {"entra_invite_start_time_seconds", "gauge", "When entra-invited was started.", add_start},
    {"entra_invite_accounts", "gauge", "Accounts of this host, and invitations without one, by rule and state.",
     add_accounts},
    {"entra_invite_queue_length", "gauge", "People for whom something is to be sent, now or later.", add_jobs},
    {"entra_invite_oldest_queued_timestamp_seconds", "gauge",
     "Since when the oldest queued invitation waits; absent while none does.", add_oldest_queued},
    {"entra_invite_mails", "gauge", "People, by what became of the message with the redeem URL.", add_mails},
    {"entra_invite_channel_paused", "gauge", "1 while the relay or the webhook takes no messages.", add_channels},
    {"entra_invite_mail_held", "gauge", "1 while no mail is sent until entra-invite adopt.", add_mail_held},
    {"entra_invite_requests_total", "counter", "Requests that ended, by kind.", add_requests},
    {"entra_invite_request_errors_total", "counter", "Requests that failed, by kind and error; only those seen.",
     add_request_errors},
    {"entra_invite_throttled_total", "counter", "Requests that were answered 429, by kind.", add_throttled},
    {"entra_invite_hold_until_timestamp_seconds", "gauge",
     "Until when Microsoft Graph asked to wait; absent while it does not.", add_hold},
    {"entra_invite_blocked", "gauge", "1 while tenant, app or credential must be mended, with the error.", add_blocked},
    {"entra_invite_trouble", "gauge", "1 while Microsoft gives no usable answer, with the error.", add_trouble},
    {"entra_invite_store_failed", "gauge", "1 while the database fails, with the error.", add_store_failed},
    {"entra_invite_config_refused", "gauge", "1 while the configuration on disk is not in force, with the error.",
     add_config_refused},
    {"entra_invite_accounts_doubtful", "gauge", "1 while the account files are in doubt, with the error.", add_doubt},
    {"entra_invite_removals_held", "gauge", "1 while a mass of removals waits for entra-invite remove --confirm.",
     add_removals_held},
    {"entra_invite_token_expiry_timestamp_seconds", "gauge",
     "When the access token ends; it is renewed before. Absent without one.", add_token},
    {"entra_invite_credential_expiry_timestamp_seconds", "gauge",
     "When the credential ends; absent where that cannot be known (secrets).", add_credential},
    {"entra_invite_last_answer_timestamp_seconds", "gauge", "Last good answer of Microsoft Graph since the start.",
     add_answer},
    {"entra_invite_last_refresh_timestamp_seconds", "gauge",
     "When Microsoft Graph last told where guests stand; now while there are none.", add_refresh},
    {"entra_invite_last_scan_timestamp_seconds", "gauge", "When the account files were last read.", add_scan},
    {"entra_invite_view_generation", "gauge", "Number of the published view; rises with each.", add_generation},
    {"entra_invite_view_published_timestamp_seconds", "gauge", "When the view was last published.", add_published},
    {"entra_invite_view_not_after_timestamp_seconds", "gauge",
     "When covered accounts are shut out if nothing is refreshed; absent with max_age = 0.", add_not_after},
    {0},
};

bool ei_metrics_text(const struct ei_worker *w, bool up, struct ei_buffer *text)
{
    struct ei_metric_samples samples = {.text = text, .up = up};

    for (const struct ei_metric *metric = ei_metrics; metric->name != NULL; metric++) {
        size_t before = text->length;
        samples.name = metric->name;
        append(&samples, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name, metric->type);
        size_t head = text->length;
        metric->add(&samples, w);
        if (text->length == head && text->data != NULL) { /* nothing to say: no head either */
            text->length = before;
            text->data[before] = '\0';
        }
    }
    return !samples.full;
}

/* --- the file --- */

static void write_file(struct ei_worker *w, bool up)
{
    struct ei_metrics *metrics = &w->metrics;
    struct ei_buffer text;
    struct ei_error why;
    struct ei_error err;

    metrics->written_ms = ei_monotonic_ms();
    metrics->generation = w->generation;
    ei_buffer_init(&text, TEXT_MAX);
    enum ei_err rc = ei_metrics_text(w, up, &text)
                         ? ei_file_replace(metrics->path, text.data, text.length, 0644, &why)
                         : ei_fail(&why, EI_NOMEM, "%s: the metrics do not fit", metrics->path);
    if (rc == EI_IO) /* the place is wrong, the disk is another matter */
        rc = ei_fail(&err, EI_METRICS_FILE, "%s", why.message);
    else
        err = why;
    ei_buffer_free(&text);
    if (rc != EI_OK && rc != metrics->said)
        ei_log_error_event(LOG_WARNING, EI_LOG_METRICS_FAILED, "metrics_file", &err);
    metrics->said = rc;
}

/* What another configuration names. A file that is not written any more would tell for ever how it was. */
static void follow_config(struct ei_worker *w)
{
    struct ei_metrics *metrics = &w->metrics;
    const char *wanted = w->config->metrics_file;

    if (ei_text_same(metrics->path, wanted))
        return;
    if (metrics->path != NULL && metrics->said == EI_OK)
        (void)unlink(metrics->path);
    free(metrics->path);
    *metrics = (struct ei_metrics){.path = wanted != NULL ? strdup(wanted) : NULL};
}

int64_t ei_metrics_wait_ms(const struct ei_worker *w)
{
    const struct ei_metrics *metrics = &w->metrics;

    if (w->config->metrics_file == NULL || !w->scanned)
        return IDLE_MS;
    if (metrics->path == NULL) /* no memory for it */
        return SPACING_MS;
    if (metrics->written_ms == 0)
        return 0;
    bool news = metrics->generation != w->generation && metrics->said == EI_OK;
    int64_t wait = metrics->written_ms + (news ? SPACING_MS : EVERY_MS) - ei_monotonic_ms();
    return wait > 0 ? wait : 0;
}

void ei_metrics_run(struct ei_worker *w)
{
    follow_config(w);
    if (w->metrics.path != NULL && ei_metrics_wait_ms(w) == 0)
        write_file(w, true);
}

void ei_metrics_stop(struct ei_worker *w)
{
    follow_config(w);
    if (w->metrics.path != NULL && w->scanned)
        write_file(w, false);
}

void ei_metrics_close(struct ei_worker *w)
{
    free(w->metrics.path);
    ei_tally_free(&w->tally);
}
