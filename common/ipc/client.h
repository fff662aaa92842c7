/* The other end: CLI and hook. Blocking, with one deadline for the whole call. */
#ifndef EI_IPC_CLIENT_H
#define EI_IPC_CLIENT_H

#include <cjson/cJSON.h>

#include "common/base/error.h"

/*
 * Connects to path, checks that the socket's peer is root, the service user or the caller's own (SO_PEERCRED), calls
 * method (its last part; the interface's name is added) with parameters (not taken over, NULL: {}), and waits at most
 * timeout_ms. EI_OK: *ret_parameters is the reply's, the caller deletes it. EI_WORKER_DOWN, EI_NOT_ROOT, EI_TIMEOUT,
 * EI_PROTOCOL; or the error the worker answered with (code by name, message, request id; an unknown code becomes
 * EI_PROTOCOL with the worker's message). A reply may hold a redeem URL: delete it with ei_varlink_free.
 */
enum ei_err ei_client_call(const char *path, const char *method, const cJSON *parameters, int timeout_ms,
                           cJSON **ret_parameters, struct ei_error *err);

/* A reply before the last one, good during the call. Returns how many ms the next one may take from now. */
typedef int ei_client_told(void *context, const cJSON *parameters);

/* The same with `more`: for a method that tells how it goes on before it answers. */
enum ei_err ei_client_call_more(const char *path, const char *method, const cJSON *parameters, int timeout_ms,
                                ei_client_told *told, void *context, cJSON **ret_parameters, struct ei_error *err);

enum { EI_REQUESTER_SIZE = 320 };

/*
 * Who asks, for requestedBy: "root", "alice (uid 1000)". The login uid of the session comes first, as it survives su
 * and sudo and cannot be forged; then sudo_uid ($SUDO_UID, NULL if unset; SUDO_USER can be forged), which only counts
 * for root; then the real uid (host-facts 1).
 */
void ei_client_requester(const char *sudo_uid, char out[EI_REQUESTER_SIZE]);
/* The login of the same person, for requester; "" where that uid has none. */
void ei_client_requester_login(const char *sudo_uid, char out[EI_REQUESTER_SIZE]);

#endif
