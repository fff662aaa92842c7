/*
 * Reading Graph's answer: what a user object says about the redemption (design, "Reading Graph's answer";
 * contract 4.1). Pure; first match wins. Nothing but the user object is asked: the `status` of an invitation is
 * PendingAcceptance whatever became of it (contract 2.2).
 */
#ifndef EI_WORKER_REDEMPTION_H
#define EI_WORKER_REDEMPTION_H

#include "common/base/error.h"
#include "common/graph/graph.h"

enum ei_redemption {
    EI_REDEMPTION_ACCEPTED,
    EI_REDEMPTION_PENDING,
    EI_REDEMPTION_FAILED,    /* err: disabled or internal-user */
    EI_REDEMPTION_UNCHANGED, /* it does not say; err tells what is missing or unknown */
};

enum ei_redemption ei_redemption_judge(const struct ei_graph_user *user, struct ei_error *err);

/* A guest that Graph does not find any more counts as gone only after this (contract 7: replication), in seconds. */
enum { EI_GONE_AFTER = 24 * 3600 };

#endif
