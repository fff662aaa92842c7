/*
 * The one error type of entra-invite and its one text table (error.c).
 *
 * A function that can fail returns enum ei_err (EI_OK is 0) and, where a person will read of it, fills an optional
 * struct ei_error that names the thing and the reason. The mend ("what to do") belongs to the code and comes from the
 * table, so that the same trouble reads the same in the log, in `show` and in `status`. The names (`ei_err_name`) are
 * an interface: they appear as `code` in --json output and in the view.
 */
#ifndef EI_BASE_ERROR_H
#define EI_BASE_ERROR_H

#include <stdbool.h>

/* Whose fault it is decides what happens to the work (design, "Whose fault"). */
enum ei_fault {
    EI_FAULT_NONE,
    EI_FAULT_ACCOUNT,   /* an answer about this person: the account is `failed` until `invite LOGIN` */
    EI_FAULT_TENANT,    /* credential, permission, policy, trust: the worker is blocked, jobs stay queued */
    EI_FAULT_TRANSIENT, /* network, throttling, 5xx: retried with back-off */
    EI_FAULT_HOST,      /* this machine: config, file, disk, memory, a caller's mistake */
};

/*
 *   code, name, fault, mend
 * The order is not an interface, the names are.
 */
#define EI_ERRORS(X)                                                                                                   \
    X(EI_OK, "ok", NONE, "")                                                                                           \
    /* this machine */                                                                                                 \
    X(EI_NOMEM, "out-of-memory", HOST, "free memory on this host; the work is kept and tried again")                   \
    X(EI_IO, "io-error", HOST, "see the system's log for the disk or file system; the work is kept")                   \
    X(EI_USAGE, "usage", HOST, "see --help")                                                                           \
    X(EI_CONFIG, "config", HOST,                                                                                       \
      "correct the configuration file, then start entra-invited again (if it runs: SIGHUP)")                           \
    X(EI_SECRET_FILE, "secret-file", HOST,                                                                             \
      "make it a regular file, owned by root or entra-invite, mode 0600 or 0400, with one link, at most 16 KiB")       \
    X(EI_CERTIFICATE_FILE, "certificate-file", HOST,                                                                   \
      "give the RSA private key (2048 bits or more) and the certificate that was made for it, both in PEM")            \
    X(EI_KEY_ENCRYPTED, "key-encrypted", HOST,                                                                         \
      "let systemd pass the passphrase (LoadCredential=) and set passphrase_name to the credential's name, or store "  \
      "the key without one: openssl pkey -in KEY -out NEW-KEY")                                                        \
    X(EI_NOT_ROOT, "not-root", HOST, "run it as root (sudo)")                                                          \
    X(EI_WORKER_DOWN, "worker-down", HOST,                                                                             \
      "start it: systemctl start entra-invited; nothing is lost, accounts are found at its start")                     \
    X(EI_PROTOCOL, "protocol", HOST, "use the entra-invite of the same version as entra-invited")                      \
    X(EI_BUSY, "busy", HOST, "try again in a moment")                                                                  \
    X(EI_TIMEOUT, "timeout", HOST, "the work goes on; ask again with entra-invite status")                             \
    X(EI_NOT_FOUND, "not-found", HOST, "check the name; entra-invite list shows what is known")                        \
    X(EI_STATE, "wrong-state", HOST, "entra-invite show says where it stands")                                         \
    X(EI_SIGN_IN_DECLINED, "sign-in-declined", HOST, "start again, and confirm the sign-in: sudo entra-invite login")  \
    X(EI_SIGN_IN_EXPIRED, "sign-in-expired", HOST,                                                                     \
      "start again, and enter the code while it is valid: sudo entra-invite login")                                    \
    X(EI_SIGN_IN_TENANT, "sign-in-tenant", HOST,                                                                       \
      "start again, and sign in with a user of the configured tenant: sudo entra-invite login")                        \
    X(EI_CONFLICT, "conflict", HOST, "somebody else changed it in between; the worker reads it again")                 \
    X(EI_STORE_DAMAGED, "store-damaged", HOST,                                                                         \
      "stop entra-invited, move the database aside and restore a backup; accounts are found again at the next start, " \
      "and mail waits for adopt")                                                                                      \
    X(EI_STORE_NEWER, "store-newer", HOST, "install the newer entra-invite that wrote this database")                  \
    X(EI_STORE_FULL, "store-full", HOST, "free space on the file system of the state directory")                       \
    X(EI_VIEW_MISSING, "view-missing", HOST, "start entra-invited: it publishes the view")                             \
    X(EI_VIEW_UNSAFE, "view-unsafe", HOST,                                                                             \
      "chown entra-invite and chmod 0644 the view, chmod 0755 its directory; entra-invited writes it anew")            \
    X(EI_VIEW_DAMAGED, "view-damaged", HOST, "start entra-invited again: it writes the view anew")                     \
    X(EI_VIEW_VERSION, "view-version", HOST, "install libpam-entra-invite and entra-invite of the same version")       \
    X(EI_VIEW_STALE, "view-stale", HOST,                                                                               \
      "start entra-invited, or see with entra-invite status why it cannot refresh from Microsoft Graph")               \
    X(EI_METRICS_FILE, "metrics-file", HOST,                                                                           \
      "let the user entra-invite write there, and its unit (ReadWritePaths=); or have it written below "               \
      "/var/lib/entra-invite/public, and link to it")                                                                  \
    X(EI_GROUP_MISSING, "group-missing", HOST,                                                                         \
      "groupadd the rule's group, or correct the rule; a group of a directory: see that sssd answers for it")          \
    X(EI_GROUP_UNTOLD, "group-unknown", HOST,                                                                          \
      "see that 'getent group' shows its members; until then nobody is taken as removed")                              \
    X(EI_NOT_COVERED, "not-covered", HOST,                                                                             \
      "a login is covered by a rule's group and a uid from minimum_uid on, see entra-invite.conf(5)")                  \
    X(EI_PASSWD_DOUBTFUL, "passwd-doubtful", HOST,                                                                     \
      "check /etc/passwd and /etc/group with pwck and grpck; nothing is taken as removed meanwhile")                   \
    X(EI_MASS_REMOVAL, "mass-removal", HOST,                                                                           \
      "if the removals are meant: entra-invite remove --confirm; else restore the account files")                      \
    X(EI_TEMPLATE, "template", HOST,                                                                                   \
      "correct the template, see MESSAGE TEMPLATES in entra-invite.conf(5); entra-invited reads it again at SIGHUP")   \
    /* about this person */                                                                                            \
    X(EI_NO_ADDRESS, "no-address", ACCOUNT,                                                                            \
      "usermod -c 'Name <name@company.example>' the login, or add it to accounts in the configuration")                \
    X(EI_BAD_ADDRESS, "bad-address", ACCOUNT,                                                                          \
      "correct the address; that of an account stands in its comment: usermod -c 'Name <name@company.example>'")       \
    X(EI_DOMAIN_NOT_ALLOWED, "domain-not-allowed", ACCOUNT,                                                            \
      "correct the address, or add its domain to email_domains of the rule")                                           \
    X(EI_VERIFIED_DOMAIN, "verified-domain", ACCOUNT,                                                                  \
      "the domain is the tenant's own: take the login out of the rule's group, or correct the address")                \
    X(EI_GRAPH_ADDRESS, "address-refused", ACCOUNT, "Microsoft refuses this address: correct it")                      \
    X(EI_GROUP_ADDRESS, "group-address", ACCOUNT, "it is a group's address: use a person's own")                       \
    X(EI_INTERNAL_USER, "internal-user", ACCOUNT,                                                                      \
      "the address belongs to a member of the tenant: take the login out of the rule's group")                         \
    X(EI_DISABLED, "disabled", ACCOUNT,                                                                                \
      "enable the guest in Entra, then entra-invite refresh; if entra-invite disabled it: entra-invite restore")       \
    X(EI_GUEST_GONE, "guest-gone", ACCOUNT,                                                                            \
      "if the guest was deleted in the last 30 days, entra-invite restore brings it back; entra-invite invite makes "  \
      "a new one")                                                                                                     \
    X(EI_GUEST_DELETED, "guest-deleted", ACCOUNT,                                                                      \
      "entra-invite restore brings the guest back as it was; entra-invite invite, once more, makes a new one")         \
    X(EI_GUEST_PURGED, "guest-purged", ACCOUNT,                                                                        \
      "it is gone for good (deleted users are kept for 30 days): entra-invite invite makes a new one")                 \
    X(EI_RESTORE_REFUSED, "restore-refused", ACCOUNT,                                                                  \
      "see the message; if another user has the address by now, entra-invite invite links that one")                   \
    X(EI_AMBIGUOUS_USERS, "ambiguous", ACCOUNT,                                                                        \
      "more than one user of the tenant has this address: remove it from all but one")                                 \
    X(EI_SECOND_GUEST, "second-guest", ACCOUNT,                                                                        \
      "Microsoft made a second guest for one address: delete one in Entra, then entra-invite invite the login")        \
    X(EI_CROSS_TENANT, "cross-tenant-blocked", ACCOUNT,                                                                \
      "allow B2B collaboration with this person's organisation: Entra, Cross-tenant access settings; then "            \
      "entra-invite invite the login")                                                                                 \
    X(EI_CROSS_CLOUD, "cross-cloud-off", ACCOUNT,                                                                      \
      "the person's organisation must enable its application Microsoft B2B Cross Cloud Worker; then entra-invite "     \
      "invite the login")                                                                                              \
    X(EI_RESET_ADDRESS, "reset-address", ACCOUNT,                                                                      \
      "put the new address into the mail or otherMails of the user in Entra first, then reset again")                  \
    X(EI_RESET_REFUSED, "reset-refused", ACCOUNT,                                                                      \
      "see the message; the redemption is as it was. Correct what it says, then reset again")                          \
    X(EI_RESET_DENIED, "reset-permission", ACCOUNT,                                                                    \
      "grant the app User.ReadWrite.All with admin consent (signed in: the role Helpdesk Administrator or User "       \
      "Administrator); an app cannot reset a user who holds a directory role")                                         \
    X(EI_INVITATION_REFUSED, "invitation-refused", ACCOUNT,                                                            \
      "see the message; correct the account, the rule, or the tenant's list of allowed domains, then entra-invite "    \
      "invite the login")                                                                                              \
    X(EI_MAIL_ADDRESS, "mail-address", ACCOUNT,                                                                        \
      "the mail relay refuses the recipient, see the message: correct the address, or have the relay take it; then "   \
      "entra-invite mail --send the login")                                                                            \
    X(EI_MAIL_REFUSED, "mail-refused", ACCOUNT,                                                                        \
      "the mail relay refuses the message, see its words: correct the template or the relay's filter, then "           \
      "entra-invite mail --send the login")                                                                            \
    /* the tenant, the credential, the way there */                                                                    \
    X(EI_TENANT_UNKNOWN, "tenant-unknown", TENANT,                                                                     \
      "correct tenant (and cloud or login_url) in the configuration, then start entra-invited again")                  \
    X(EI_CLIENT_UNKNOWN, "client-unknown", TENANT,                                                                     \
      "correct client_id in the configuration and start entra-invited again, or register the app in this tenant")      \
    X(EI_SECRET_WRONG, "secret-wrong", TENANT,                                                                         \
      "put the secret's value (not its id) into the credential file, check client_id, then entra-invite refresh (or "  \
      "start entra-invited again, if only root may read the file)")                                                    \
    X(EI_SECRET_EXPIRED, "secret-expired", TENANT,                                                                     \
      "make a new client secret in Entra, put it into the credential file, then entra-invite refresh (or start "       \
      "entra-invited again, if only root may read the file)")                                                          \
    X(EI_ASSERTION_REFUSED, "assertion-refused", TENANT,                                                               \
      "register the public part of this certificate with the app in Entra, see that key and certificate belong "       \
      "together, then entra-invite refresh")                                                                           \
    X(EI_ASSERTION_TIME, "assertion-expired", TENANT,                                                                  \
      "set the clock of this host (timedatectl); with a federated token, see that what renews its file runs; then "    \
      "entra-invite refresh")                                                                                          \
    X(EI_CERTIFICATE_INVALID, "certificate-invalid", TENANT,                                                           \
      "see in the app registration whether the certificate has expired or was removed; make and register a new one, "  \
      "then entra-invite refresh")                                                                                     \
    X(EI_FEDERATION_MISMATCH, "federation-mismatch", TENANT,                                                           \
      "let issuer, subject and audience of the app's federated credential match the token in the file exactly (the "   \
      "case of letters counts), then entra-invite refresh")                                                            \
    X(EI_APP_NOT_PUBLIC, "app-not-public", TENANT,                                                                     \
      "for device code: set Allow public client flows to Yes in the app registration; else give the credential that "  \
      "the app expects; then entra-invite refresh")                                                                    \
    X(EI_APP_IS_PUBLIC, "app-is-public", TENANT,                                                                       \
      "the app registration is a public client: use credential type device-code, or set Allow public client flows to " \
      "No; then entra-invite refresh")                                                                                 \
    X(EI_APP_DISABLED, "app-disabled", TENANT,                                                                         \
      "enable the app: Entra, Enterprise applications, Properties, Enabled for users to sign in; then entra-invite "   \
      "refresh")                                                                                                       \
    X(EI_BAD_SCOPE, "bad-scope", TENANT,                                                                               \
      "correct cloud or graph_url in the configuration: it names a Graph that this tenant does not have; then start "  \
      "entra-invited again")                                                                                           \
    X(EI_CONSENT_MISSING, "consent-missing", TENANT,                                                                   \
      "let an administrator grant consent: Entra, App registrations, API permissions, Grant admin consent; then "      \
      "entra-invite refresh")                                                                                          \
    X(EI_CONDITIONAL_ACCESS, "conditional-access", TENANT,                                                             \
      "see the tenant's sign-in log for the policy that applied; let it allow this app from this host's address, "     \
      "then entra-invite refresh (device code: entra-invite login)")                                                   \
    X(EI_USER_BLOCKED, "user-blocked", TENANT,                                                                         \
      "sign in with a user that exists in this tenant, is enabled and is assigned to the app: sudo entra-invite "      \
      "login")                                                                                                         \
    X(EI_SIGN_IN_NEEDED, "sign-in-needed", TENANT, "sign in: sudo entra-invite login")                                 \
    X(EI_WRONG_CLOUD, "wrong-cloud", TENANT,                                                                           \
      "the tenant is in another national cloud: correct cloud (or login_url and graph_url) in the configuration, "     \
      "then start entra-invited again")                                                                                \
    X(EI_CERTIFICATE_EXPIRED, "certificate-expired", TENANT,                                                           \
      "make a new certificate, add it to the app (Certificates & secrets), replace the files, then entra-invite "      \
      "refresh (or start entra-invited again, if only root may read them)")                                            \
    X(EI_CERTIFICATE_EARLY, "certificate-not-yet-valid", TENANT,                                                       \
      "set this host's clock, or give a certificate that is valid now, then entra-invite refresh")                     \
    X(EI_IDENTITY_REFUSED, "identity-refused", TENANT,                                                                 \
      "give this machine a managed identity in Azure, check identity_client_id (set it where there are several), "     \
      "then "                                                                                                          \
      "entra-invite refresh")                                                                                          \
    X(EI_IDENTITY_KEY, "identity-key", TENANT,                                                                         \
      "let the user entra-invite read the Arc agent's keys: usermod -a -G himds entra-invite; then start "             \
      "entra-invited again")                                                                                           \
    X(EI_TOKEN_REFUSED, "token-refused", TENANT, "see the message; check the app registration")                        \
    X(EI_UNAUTHORIZED, "unauthorized", TENANT,                                                                         \
      "check that tenant, cloud and graph_url belong together, the clock, and the app's permissions")                  \
    X(EI_PERMISSION, "permission", TENANT,                                                                             \
      "grant the app User.Invite.All and User.Read.All (application permissions, or delegated ones where a person "    \
      "signs in; to remove guests User.ReadWrite.All) with admin consent; changes take up to an hour")                 \
    X(EI_INVITATIONS_OFF, "invitations-off", TENANT,                                                                   \
      "allow guest invitations: Entra, External collaboration settings; where only some may invite, give whoever "     \
      "signed in the role Guest Inviter; changes take up to an hour")                                                  \
    X(EI_QUOTA, "directory-quota", TENANT, "the tenant's object quota is used up: delete objects or raise it")         \
    X(EI_TLS_TRUST, "tls-not-trusted", TENANT,                                                                         \
      "install the server's CA or correct ca_file, then start entra-invited again; check the clock and any "           \
      "inspecting proxy")                                                                                              \
    X(EI_REDIRECTED, "redirected", TENANT,                                                                             \
      "correct login_url or graph_url (redirects are never followed), then start entra-invited again")                 \
    X(EI_TENANT_CHANGED, "tenant-changed", TENANT,                                                                     \
      "the configured tenant is another one than the records': restore the old tenant, or move the database aside")    \
    /* a group in entra_groups: it blocks nothing */                                                                   \
    X(EI_ENTRA_GROUP_DENIED, "entra-group-denied", TENANT,                                                             \
      "grant the app GroupMember.ReadWrite.All (application) with admin consent; a group that is assignable to roles " \
      "needs RoleManagement.ReadWrite.Directory as well")                                                              \
    X(EI_ENTRA_GROUP_REFUSED, "entra-group-refused", TENANT,                                                           \
      "in entra_groups name a cloud group with assigned members: not a dynamic one, nor one that is synchronised "     \
      "from on-premises or mail-enabled")                                                                              \
    X(EI_ENTRA_GROUP_UNKNOWN, "entra-group-unknown", TENANT, "correct the object id in entra_groups of the rule")      \
    /* our own mail and chat: they stop that and nothing else */                                                       \
    X(EI_MAIL_RELAY, "mail-relay", TENANT,                                                                             \
      "see the relay's words: correct the relay's URL, user, password or sender, or what the relay allows this host")  \
    X(EI_WEBHOOK, "webhook", TENANT,                                                                                   \
      "see the status: give the webhook's present URL, token and format, and see that the chat still has it")          \
    X(EI_DELIVERY_TRUST, "delivery-not-trusted", TENANT,                                                               \
      "name the relay or webhook as its certificate does, install its CA or correct ca_file; check the clock")         \
    /* passing */                                                                                                      \
    X(EI_UNREACHABLE, "unreachable", TRANSIENT, "check the network and DNS; it is tried again by itself")              \
    X(EI_THROTTLED, "throttled", TRANSIENT, "nothing: Microsoft asked to wait, it goes on by itself")                  \
    X(EI_GRAPH_DOWN, "service-error", TRANSIENT, "nothing: it is tried again by itself")                               \
    X(EI_GRAPH_AMBIGUOUS, "answer-lost", TRANSIENT, "nothing: it is looked up before it is tried again")               \
    X(EI_MAIL_UNCLEAR, "mail-unknown", TRANSIENT,                                                                      \
      "ask whether the mail has arrived; entra-invite resend sends another, with a new redeem URL")                    \
    X(EI_GRAPH_ANSWER, "bad-answer", TRANSIENT, "nothing: it is tried again by itself; see the request id")            \
    X(EI_DELIVERY_LATER, "delivery-later", TRANSIENT, "nothing: it is tried again by itself; see the relay's words")   \
    X(EI_DELIVERY_UNCLEAR, "delivery-unknown", TRANSIENT,                                                              \
      "ask whether the message has arrived; entra-invite mail --send the login sends it again")                        \
    X(EI_TOKEN_TRANSIENT, "token-transient", TRANSIENT, "nothing: it is tried again by itself")                        \
    X(EI_SIGN_IN_PENDING, "sign-in-pending", TRANSIENT, "nothing: it is asked again until the code is entered")        \
    X(EI_SIGN_IN_SLOW, "sign-in-slow-down", TRANSIENT, "nothing: it is asked again, less often")                       \
    X(EI_LOGIN_THROTTLED, "login-throttled", TRANSIENT,                                                                \
      "nothing: it waits and tries again; if it stays, see what else asks for tokens as this app")                     \
    X(EI_IDENTITY_DOWN, "identity-unreachable", TRANSIENT,                                                             \
      "managed identity needs an Azure VM or a running Arc agent; on a VM the service must be let out to it, see "     \
      "entra-invited(8); it is tried again by itself")                                                                 \
    X(EI_TOKEN_FILE, "token-file", TRANSIENT,                                                                          \
      "let the user entra-invite read the token's file, and see that what renews it runs; it is tried again by "       \
      "itself")                                                                                                        \
    X(EI_TOKEN_STALE, "token-stale", TRANSIENT,                                                                        \
      "see that what renews the token's file runs, and check the clock; it is tried again by itself")                  \
    X(EI_FEDERATION_NEW, "federation-not-yet", TRANSIENT,                                                              \
      "nothing: a new federated credential takes minutes to work, and it is tried again by itself")                    \
    X(EI_REQUEST_REFUSED, "request-refused", TRANSIENT,                                                                \
      "nothing: it is tried again by itself; if it stays, report it with the request id")                              \
    X(EI_GRAPH_NOT_FOUND, "graph-not-found", TRANSIENT,                                                                \
      "nothing: what is new may take minutes to appear; a guest who is not found for a day is taken as gone")          \
    X(EI_RESYNC, "resync", TRANSIENT, "nothing: every guest is looked at instead")                                     \
    X(EI_LIST_BROKEN, "list-broken", TRANSIENT, "run it again: a list begins anew")                                    \
    X(EI_MEMBER_REFUSED, "member-refused", TRANSIENT,                                                                  \
      "only administrators may make members: grant the app User.ReadWrite.All (signed in: a role that may), or set "   \
      "user_type to guest; it is tried again by itself")                                                               \
    X(EI_UNCONFIRMED, "unconfirmed", TRANSIENT,                                                                        \
      "nothing: a new guest may take minutes to appear; if it has not after a day, this ends as guest-gone")           \
    X(EI_STATE_UNCLEAR, "state-unclear", TRANSIENT,                                                                    \
      "nothing here changes by it; see in Entra whether the guest's invitation is accepted, or entra-invite reset it") \
    X(EI_NOT_SEEN, "not-seen", TRANSIENT, "grant User.Read.All: without it the redemption cannot be read")

enum ei_err {
#define EI_ERROR_ENUM(code, name, fault, mend) code,
    EI_ERRORS(EI_ERROR_ENUM)
#undef EI_ERROR_ENUM
        EI_ERR_COUNT
};

#define EI_MESSAGE_MAX    512
#define EI_REQUEST_ID_MAX 64

/* Plain value: no ownership. `message` is one line of UTF-8 without control characters, and holds no secret. */
struct ei_error {
    enum ei_err code;
    char message[EI_MESSAGE_MAX];
    char request_id[EI_REQUEST_ID_MAX];        /* Graph's request-id, "" where no answer came (K8) */
    char client_request_id[EI_REQUEST_ID_MAX]; /* the one that was sent with it (X7), "" where nothing was asked */
};

const char *ei_err_name(enum ei_err code);
const char *ei_err_mend(enum ei_err code);
enum ei_fault ei_err_fault(enum ei_err code);

/* The code of a name as ei_err_name gives it; false for a name this version does not know. */
bool ei_err_from_name(const char *name, enum ei_err *ret_code);

/* The code of a system call on a file that failed with this errno: EI_NOMEM or EI_IO where it is the machine's and
 * passes (memory, descriptors, the disk); otherwise, where it is the file that is wrong. */
enum ei_err ei_err_of_file(int error, enum ei_err otherwise);

/* Is it one of the two that ei_err_of_file takes for the machine's? Then the same may succeed later, with nothing
 * mended. */
bool ei_err_may_pass(enum ei_err code);

/* The code of a system call on a file of our own, in the state directory, that failed with this errno. */
enum ei_err ei_err_of_write(int error);

/* Fills err (NULL is fine) and returns code, so that `return ei_fail(err, EI_X, "…")` reads as one step. Control
 * characters in the result are replaced, so that untrusted text cannot forge a log line (S16). */
enum ei_err ei_fail(struct ei_error *err, enum ei_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a system call on a file, by errno: "PATH: reason", its code by ei_err_of_file. */
enum ei_err ei_fail_file(struct ei_error *err, enum ei_err otherwise, const char *path);

/* The same for what is found in an answer that err already tells of: the ids of the request stay. err is needed.
 */
enum ei_err ei_fail_again(struct ei_error *err, enum ei_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void ei_error_clear(struct ei_error *err);

#endif
