/* Where things are on a host: fixed at build (design, "The login path"), so that nothing in the environment or the
 * config can point a login at another view or socket. The Makefile passes the directories. */
#ifndef EI_BASE_PATHS_H
#define EI_BASE_PATHS_H

#ifndef EI_SYSCONFDIR
#define EI_SYSCONFDIR "/etc"
#endif
#ifndef EI_LOCALSTATEDIR
#define EI_LOCALSTATEDIR "/var"
#endif
#ifndef EI_RUNSTATEDIR
#define EI_RUNSTATEDIR "/run"
#endif
#ifndef EI_LOCALE_DIR
#define EI_LOCALE_DIR "/usr/share/locale"
#endif
#ifndef EI_VERSION
#define EI_VERSION "0.0"
#endif

#define EI_CONFIG_PATH      EI_SYSCONFDIR "/entra-invite/entra-invite.conf"
#define EI_STATE_DIR        EI_LOCALSTATEDIR "/lib/entra-invite"
#define EI_PUBLIC_DIR       EI_STATE_DIR "/public"
#define EI_VIEW_PATH        EI_PUBLIC_DIR "/status.cdb"
#define EI_GROUPS_PATH      EI_PUBLIC_DIR "/groups"
#define EI_CHANGED_PATH     EI_PUBLIC_DIR "/changed" /* what the caches of the name service keep may be old */
#define EI_RUN_DIR          EI_RUNSTATEDIR "/entra-invite"
#define EI_SOCKET_PATH      EI_RUN_DIR "/entra-invite.sock"
#define EI_PASSWD_PATH      "/etc/passwd"
#define EI_GROUP_PATH       "/etc/group"
#define EI_LOGIN_DEFS_PATH  "/etc/login.defs"
#define EI_SERVICE_USER     "entra-invite"
#define EI_PASSWD_DIRECTORY "/etc"

#endif
