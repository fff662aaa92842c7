#include "common/graph/catalogue.h"

#include <stdbool.h>
#include <string.h>

#define LOGIN(number, code, cause)                                                                                     \
    {                                                                                                                  \
        EI_ROW_LOGIN, (number), 0, NULL, (code), (cause)                                                               \
    }
#define GRAPH(status, name, code, cause)                                                                               \
    {                                                                                                                  \
        EI_ROW_GRAPH, 0, (status), (name), (code), (cause)                                                             \
    }
#define INVITE(status, part, code, cause)                                                                              \
    {                                                                                                                  \
        EI_ROW_INVITE, 0, (status), (part), (code), (cause)                                                            \
    }
#define RESET(status, part, code, cause)                                                                               \
    {                                                                                                                  \
        EI_ROW_RESET, 0, (status), (part), (code), (cause)                                                             \
    }

/* Every row stands in entra-invite-errors(7) too. */
const struct ei_catalogue_row ei_catalogue[] = {
    /* the credential */
    LOGIN(7000215, EI_SECRET_WRONG, "the client secret is wrong, or its id was given for its value, or it is too new"),
    LOGIN(7000222, EI_SECRET_EXPIRED, "the client secret has expired"),
    LOGIN(700027, EI_ASSERTION_REFUSED, "the app has no such certificate, or it did not sign this"),
    LOGIN(700021, EI_ASSERTION_REFUSED, "the assertion names another app than client_id"),
    LOGIN(700023, EI_ASSERTION_REFUSED, "the assertion is meant for another tenant or cloud"),
    LOGIN(50027, EI_ASSERTION_REFUSED, "the assertion cannot be read"),
    LOGIN(700024, EI_ASSERTION_TIME,
          "the assertion is outside its time: a wrong clock, or a federated token gone stale"),
    LOGIN(50012, EI_CERTIFICATE_INVALID, "the certificate is not valid for this app"),
    LOGIN(50013, EI_CERTIFICATE_INVALID, "the assertion is not valid: signature, issuer, audience or certificate"),
    LOGIN(70021, EI_FEDERATION_MISMATCH,
          "no federated credential of the app matches the token's issuer, subject and audience"),
    LOGIN(7000218, EI_APP_NOT_PUBLIC, "the app wants a secret or a certificate, and none was sent"),
    LOGIN(700025, EI_APP_IS_PUBLIC, "the app is a public client, and a credential was sent"),
    LOGIN(900144, EI_TOKEN_REFUSED, "a field of the token request is missing"),
    /* the app and the tenant */
    LOGIN(700016, EI_CLIENT_UNKNOWN, "the tenant has no app with this client_id"),
    LOGIN(7000112, EI_APP_DISABLED, "the app is disabled in the tenant"),
    LOGIN(90002, EI_TENANT_UNKNOWN, "there is no such tenant in this cloud"),
    LOGIN(900023, EI_TENANT_UNKNOWN, "the tenant's name is neither a domain nor an id"),
    LOGIN(50194, EI_TENANT_UNKNOWN, "the app belongs to one tenant, and another authority was asked"),
    LOGIN(9001023, EI_TENANT_UNKNOWN, "this way to sign in needs the tenant's own name or id"),
    LOGIN(90038, EI_WRONG_CLOUD, "the tenant is in another national cloud"),
    LOGIN(900382, EI_WRONG_CLOUD, "the app or the tenant is in another national cloud"),
    LOGIN(900432, EI_WRONG_CLOUD, "the request crosses national clouds"),
    LOGIN(70011, EI_BAD_SCOPE, "the scope is not valid"),
    LOGIN(500011, EI_BAD_SCOPE, "the tenant does not have the resource that was asked for"),
    LOGIN(700022, EI_BAD_SCOPE, "the scope names more than one resource"),
    LOGIN(65001, EI_CONSENT_MISSING, "nobody has consented to the permissions"),
    LOGIN(53000, EI_CONDITIONAL_ACCESS, "a conditional access policy wants a compliant device"),
    LOGIN(53001, EI_CONDITIONAL_ACCESS, "a conditional access policy wants a domain-joined device"),
    LOGIN(53002, EI_CONDITIONAL_ACCESS, "a conditional access policy wants an approved app"),
    LOGIN(53003, EI_CONDITIONAL_ACCESS, "a conditional access policy blocks the token"),
    LOGIN(530032, EI_CONDITIONAL_ACCESS, "a security policy of the tenant blocks the token"),
    /* the user who signed in */
    LOGIN(50105, EI_USER_BLOCKED, "the user is not assigned to the app"),
    LOGIN(50057, EI_USER_BLOCKED, "the user is disabled"),
    LOGIN(50034, EI_USER_BLOCKED, "the tenant has no such user"),
    LOGIN(700082, EI_SIGN_IN_NEEDED, "the sign-in was not used for so long that it has expired"),
    LOGIN(70008, EI_SIGN_IN_NEEDED, "the sign-in has expired or was revoked"),
    LOGIN(70000, EI_SIGN_IN_NEEDED, "the sign-in is none that the service knows"),
    LOGIN(50173, EI_SIGN_IN_NEEDED, "the sign-in was revoked: the password changed, or an administrator ended it"),
    LOGIN(70043, EI_SIGN_IN_NEEDED, "the sign-in has expired: a policy limits how long one lasts"),
    LOGIN(50076, EI_SIGN_IN_NEEDED, "a second factor is wanted"),
    LOGIN(50079, EI_SIGN_IN_NEEDED, "the user must register a second factor"),
    LOGIN(50078, EI_SIGN_IN_NEEDED, "the second factor has expired"),
    /* passing */
    LOGIN(90033, EI_TOKEN_TRANSIENT, "a service behind the login does not answer"),
    LOGIN(90006, EI_TOKEN_TRANSIENT, "a service behind the login failed"),
    LOGIN(50033, EI_TOKEN_TRANSIENT, "the login service failed in passing"),
    LOGIN(90024, EI_TOKEN_TRANSIENT, "the login service took too long"),
    LOGIN(90012, EI_TOKEN_TRANSIENT, "the login service took too long"),
    LOGIN(50196, EI_LOGIN_THROTTLED, "the app asks for the same token again and again"),
    LOGIN(90055, EI_LOGIN_THROTTLED, "too many token requests for this tenant"),

    GRAPH(401, "InvalidAuthenticationToken", EI_UNAUTHORIZED, "the token is not one for this Graph"),
    GRAPH(403, "Authorization_RequestDenied", EI_PERMISSION, "the app lacks a permission, or consent to it"),
    GRAPH(404, "Request_ResourceNotFound", EI_GRAPH_NOT_FOUND,
          "it does not exist, or is too new to be known everywhere"),
    GRAPH(404, "Directory_ObjectNotFound", EI_GRAPH_NOT_FOUND,
          "it does not exist, or is too new to be known everywhere"),
    GRAPH(400, "Request_BadRequest", EI_REQUEST_REFUSED, "Graph does not take the request as it was written"),
    GRAPH(400, "Request_UnsupportedQuery", EI_REQUEST_REFUSED, "the tenant does not answer this kind of question"),
    GRAPH(501, "NotImplemented", EI_REQUEST_REFUSED, "a property that collections do not have"),
    GRAPH(0, "TooManyRequests", EI_THROTTLED, "too many requests"),
    GRAPH(0, "activityLimitReached", EI_THROTTLED, "too many requests"),
    GRAPH(0, "syncStateNotFound", EI_RESYNC, "the link to the changes is older than a week"),
    GRAPH(0, "resyncRequired", EI_RESYNC, "the changes must be read from the beginning"),
    GRAPH(0, "Directory_QuotaExceeded", EI_QUOTA, "the tenant's quota of objects is used up"),

    INVITE(400, "primary smtp address is an invalid value", EI_GRAPH_ADDRESS, "not an address that can be invited"),
    INVITE(400, "group email address is not supported", EI_GROUP_ADDRESS, "a group's address"),
    INVITE(400, "invitee is in inviter tenant", EI_VERIFIED_DOMAIN, "an address of the tenant itself"),
    INVITE(400, "is a verified domain of this directory", EI_VERIFIED_DOMAIN, "an address in a domain of the tenant"),
    INVITE(400, "already exists", EI_INTERNAL_USER, "a user of the tenant who is no guest has this address"),
    INVITE(401, "controllername=msgraphinviteapi", EI_PERMISSION, "the app lacks User.Invite.All"),
    INVITE(403, "guest invitations not allowed", EI_INVITATIONS_OFF, "the tenant does not let this app invite guests"),
    INVITE(0, "blocked by cross-tenant access settings", EI_CROSS_TENANT,
           "cross-tenant access settings shut this organisation out"),
    INVITE(0, "cross cloud worker application has been disabled", EI_CROSS_CLOUD,
           "the person's organisation is in another cloud and does not take part"),
    RESET(400, "doesn't match any emails on the user object", EI_RESET_ADDRESS, "the user has no such address yet"),
    RESET(403, "generic authorization exception", EI_RESET_DENIED, "the app may not reset this user"),
};

const size_t ei_catalogue_count = sizeof ei_catalogue / sizeof ei_catalogue[0];

const struct ei_catalogue_row *ei_catalogue_login(int64_t number)
{
    for (size_t i = 0; i < ei_catalogue_count; i++)
        if (ei_catalogue[i].kind == EI_ROW_LOGIN && ei_catalogue[i].number == number)
            return &ei_catalogue[i];
    return NULL;
}

static bool of_status(const struct ei_catalogue_row *row, long status)
{
    return row->status == status || (row->status == 0 && status >= 400 && status <= 499);
}

const struct ei_catalogue_row *ei_catalogue_graph(long status, const char *error_code)
{
    for (size_t i = 0; i < ei_catalogue_count; i++) {
        const struct ei_catalogue_row *row = &ei_catalogue[i];
        if (row->kind == EI_ROW_GRAPH && of_status(row, status) && strcmp(row->text, error_code) == 0)
            return row;
    }
    return NULL;
}

static bool of_invitation(const struct ei_catalogue_row *row, enum ei_about about)
{
    if (row->kind == EI_ROW_INVITE)
        return about == EI_ABOUT_INVITATION || about == EI_ABOUT_RESET;
    return row->kind == EI_ROW_RESET && about == EI_ABOUT_RESET;
}

const struct ei_catalogue_row *ei_catalogue_invite(long status, const char *folded, enum ei_about about)
{
    for (size_t i = 0; i < ei_catalogue_count; i++) {
        const struct ei_catalogue_row *row = &ei_catalogue[i];
        if (of_invitation(row, about) && of_status(row, status) && strstr(folded, row->text) != NULL)
            return row;
    }
    return NULL;
}
