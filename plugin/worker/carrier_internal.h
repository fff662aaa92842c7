/* Shared by carrier.c and carrier_text.c. */
#ifndef EI_WORKER_CARRIER_INTERNAL_H
#define EI_WORKER_CARRIER_INTERNAL_H

#include "common/deliver/deliver.h"
#include "plugin/worker/settings.h"
#include "plugin/worker/worker.h"

enum {
    EI_HOST_SIZE = 256,
    EI_SPONSORS_SIZE = EI_SPONSORS_MOST * (EI_SPONSOR_SIZE + 2),
};

struct ei_carrier {
    struct ei_relay relay;
    struct ei_webhook webhook;
    struct ei_template **templates; /* in the order of config->templates */
    size_t template_count;
};

/* What goes into a template; points into its own buffers, the settings and the collaborator. May not be copied. */
struct ei_carrier_values {
    struct ei_template_values values;
    char host[EI_HOST_SIZE];
    const char *hosts[1];
    char sponsors[EI_SPONSORS_SIZE];
};

void ei_carrier_fill(const struct ei_worker *worker, const struct ei_collaborator *collaborator,
                     const struct ei_settings *settings, struct ei_carrier_values *values);
enum ei_err ei_carrier_render(const struct ei_worker *worker, const struct ei_settings *settings,
                              enum ei_template_kind kind, const struct ei_carrier_values *values,
                              struct ei_template_text *ret_text, struct ei_error *err);
enum ei_template_kind ei_carrier_kind(const struct ei_collaborator *collaborator);

#endif
