#include "plugin/worker/redemption.h"

#include <string.h>

#include "common/base/text.h"

/* null is what everyone but invited guests has, and what self-service guests keep although they are active. */
static enum ei_redemption judge_null(const struct ei_graph_user *user, struct ei_error *err)
{
    bool member = ei_text_same(user->user_type, "Member");

    if (ei_text_same(user->creation_type, "SelfServiceSignUp") || ei_text_same(user->creation_type, "EmailVerified"))
        return EI_REDEMPTION_ACCEPTED;
    if (member && ei_graph_user_has_external_name(user))
        return EI_REDEMPTION_ACCEPTED;
    if (member) {
        ei_fail(err, EI_INTERNAL_USER, "%s is a member of the tenant, not a guest",
                user->user_principal_name != NULL ? user->user_principal_name : user->id);
        return EI_REDEMPTION_FAILED;
    }
    ei_fail(err, EI_STATE_UNCLEAR, "Graph gives no externalUserState for this %s (creationType %s)",
            user->user_type != NULL ? user->user_type : "user",
            user->creation_type != NULL ? user->creation_type : "null");
    return EI_REDEMPTION_UNCHANGED;
}

/* Never invited, never signed up: an account of the tenant's own people, which is nothing for entra-invite to touch. */
static bool is_internal(const struct ei_graph_user *user)
{
    return user->has_external_user_state && user->external_user_state == NULL && user->creation_type == NULL &&
           ei_text_same(user->user_type, "Member") && user->user_principal_name != NULL &&
           !ei_graph_user_has_external_name(user);
}

enum ei_redemption ei_redemption_judge(const struct ei_graph_user *user, struct ei_error *err)
{
    if (user->has_account_enabled && !user->account_enabled && is_internal(user)) {
        ei_fail(err, EI_INTERNAL_USER, "%s is a member of the tenant, blocked from signing in, not a guest",
                user->user_principal_name);
        return EI_REDEMPTION_FAILED;
    }
    if (user->has_account_enabled && !user->account_enabled) {
        ei_fail(err, EI_DISABLED, "the guest %s is disabled in the tenant",
                user->user_principal_name != NULL ? user->user_principal_name : user->id);
        return EI_REDEMPTION_FAILED;
    }
    if (!user->has_external_user_state) {
        ei_fail(err, EI_NOT_SEEN, "Graph's answer has no externalUserState");
        return EI_REDEMPTION_UNCHANGED;
    }
    if (user->external_user_state == NULL)
        return judge_null(user, err);
    if (strcmp(user->external_user_state, "Accepted") == 0)
        return EI_REDEMPTION_ACCEPTED;
    if (strcmp(user->external_user_state, "PendingAcceptance") == 0)
        return EI_REDEMPTION_PENDING;
    ei_fail(err, EI_STATE_UNCLEAR, "externalUserState is \"%s\", which this version does not know",
            user->external_user_state);
    return EI_REDEMPTION_UNCHANGED;
}
