/* The collaborator's columns, once: load.c reads and save.c binds them in this order. */
#ifndef EI_STORE_SQLITE_COLUMNS_H
#define EI_STORE_SQLITE_COLUMNS_H

/* Behind id (?1): ?2 to ?58. */
#define EI_SQL_COLUMNS                                                                                                 \
    "revision, queue, step, attempts, not_before, started_at, crid, urgent, job_rule, overrides, resume, "             \
    "offboard, creates, reset, reset_email, display_name, requested_by, requester, requested_at, guest_id, "           \
    "user_principal_name, user_type, external_user_state, state_changed_at, checked_at, not_found_since, linked, "     \
    "made, without_mail, disabled, deleted_guest_id, deleted_at, invitation_sent, invitation_status, "                 \
    "invitation_notes, sponsors, "                                                                                     \
    "sponsoring, sponsor_note, "                                                                                       \
    "url_slot, url_at, mail, mail_round, error_code, error_message, "                                                  \
    "error_request_id, error_client_request_id, error_permanent, state_at, "                                           \
    "mail_channel, reminding, mailed_at, invited_at, reminded_at, expired_at, notice, notice_next, notice_round"
#define EI_SQL_VALUES                                                                                                  \
    "?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, "      \
    "?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, "                  \
    "?44, ?45, ?46, ?47, ?48, ?49, ?50, ?51, ?52, ?53, ?54, ?55, ?56, ?57, ?58"
/* The parameter of the revision that an update expects: the one behind them. */
#define EI_SQL_EXPECTED               59
#define EI_SQL_PARAMETER_TEXT(number) "?" #number
#define EI_SQL_PARAMETER(number)      EI_SQL_PARAMETER_TEXT(number)

#define EI_SQL_ACCOUNT_COLUMNS                                                                                         \
    "host, login, rule, uid, state, source, address_hash, since, missing_since, reported, by_admin, local"

#define EI_SQL_MEMBERSHIP_COLUMNS                                                                                      \
    "entra_group, added_at, attempts, not_before, error_code, error_message, error_request_id, "                       \
    "error_client_request_id"

#endif
