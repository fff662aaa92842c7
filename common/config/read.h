/* From checked settings to the struct: strings, lists, the invitation block; and the rules that one value must obey. */
#ifndef EI_CONFIG_READ_H
#define EI_CONFIG_READ_H

#include <libconfig.h>

#include "common/config/config.h"

#define EI_DEFAULT_LANGUAGE "en-US" /* Graph's own (contract 2.3) */

/* *field becomes a copy of the member, or of fallback (NULL: stays NULL) where it is absent. */
enum ei_err ei_read_text(const config_setting_t *group, const char *name, const char *fallback, char **field,
                         struct ei_error *err);
/* *ret_index: which of the choices (NULL-terminated) the member names; the first where it is absent. */
enum ei_err ei_read_choice(const config_setting_t *group, const char *name, const char *const *choices, int *ret_index,
                           struct ei_error *err);
/* The member, or fallback where it is absent. */
int ei_read_number(const config_setting_t *group, const char *name, int fallback);
/* As ei_read_text, of an absolute path. */
enum ei_err ei_read_path(const config_setting_t *group, const char *name, const char *fallback, char **field,
                         struct ei_error *err);
/* Where a secret lies: the file that file_key names, or the credential of systemd's that name_key does. Both is an
 * error; neither leaves *field NULL. */
enum ei_err ei_read_secret_file(const config_setting_t *group, const char *file_key, const char *name_key, char **field,
                                struct ei_error *err);
enum ei_err ei_read_strings(const config_setting_t *list, struct ei_strings *strings, struct ei_error *err);
enum ei_err ei_strings_copy(const struct ei_strings *from, struct ei_strings *to, struct ei_error *err);
void ei_strings_free(struct ei_strings *strings);
/* *field becomes a copy of value. */
enum ei_err ei_read_set(char **field, const char *value, struct ei_error *err);

/* defaults NULL: the compiled-in ones. group NULL: a copy of defaults. */
enum ei_err ei_read_invitation(const config_setting_t *group, const struct ei_invitation_settings *defaults,
                               struct ei_invitation_settings *settings, struct ei_error *err);
void ei_invitation_free(struct ei_invitation_settings *settings);

/* "KEY: missing" (or empty, with its line), and what it should be. */
enum ei_err ei_read_missing(const config_setting_t *root, const char *key, const char *what, struct ei_error *err);

/* HOST or HOST:PORT and nothing else. */
bool ei_host_and_port(const char *text);
/* https://HOST[:PORT] and nothing behind it; one slash at the end is dropped from the copy. */
enum ei_err ei_read_root_url(const config_setting_t *group, const char *name, const char *fallback, char **field,
                             struct ei_error *err);

/* The parts of the configuration, each from its keys at the root: connection.c, credential.c, invitation.c, rules.c,
 * channels.c. */
enum ei_err ei_read_tenant(const config_setting_t *root, struct ei_config *config, struct ei_error *err);
/* After the credential: a managed identity needs none. */
enum ei_err ei_read_client_id(const config_setting_t *root, struct ei_config *config, struct ei_error *err);
enum ei_err ei_read_cloud(const config_setting_t *root, struct ei_config *config, struct ei_error *err);
enum ei_err ei_read_credential(const config_setting_t *root, struct ei_credential_settings *credential,
                               struct ei_error *err);
void ei_credential_settings_free(struct ei_credential_settings *credential);
enum ei_err ei_read_rules(const config_setting_t *root, struct ei_config *config, struct ei_error *err);
/* smtp, webhook and templates, after the rules, which may name them. */
enum ei_err ei_read_channels(const config_setting_t *root, struct ei_config *config, struct ei_error *err);
void ei_channels_free(struct ei_config *config);
enum ei_err ei_read_requesters(const config_setting_t *root, struct ei_config *config, struct ei_error *err);
enum ei_err ei_read_accounts(const config_setting_t *root, struct ei_config *config, struct ei_error *err);

#endif
