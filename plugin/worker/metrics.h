/* metrics_file: where the worker stands, in Prometheus' text format, for the textfile collector of node_exporter. */
#ifndef EI_WORKER_METRICS_H
#define EI_WORKER_METRICS_H

#include "common/base/buffer.h"
#include "plugin/worker/worker.h"

struct ei_metric_samples;

struct ei_metric {
    const char *name;
    const char *type; /* "gauge", "counter" */
    const char *help;
    void (*add)(struct ei_metric_samples *samples, const struct ei_worker *worker);
};

/* Every metric there is, for the test that the manual has each; name NULL ends it. */
extern const struct ei_metric ei_metrics[];

/* The whole file. up: the worker runs. false: no memory. */
bool ei_metrics_text(const struct ei_worker *worker, bool up, struct ei_buffer *text);

/* Writes it after a publication, five seconds apart at the least, and once a minute. A failure is said once. */
void ei_metrics_run(struct ei_worker *worker);
int64_t ei_metrics_wait_ms(const struct ei_worker *worker);
/* The last one: it does not run any more. */
void ei_metrics_stop(struct ei_worker *worker);
void ei_metrics_close(struct ei_worker *worker);

#endif
