/*
 * Varlink framing: JSON objects, each ended by a NUL byte, over a Unix stream socket. The codec has no I/O of its own,
 * so that it can be tested and fuzzed byte by byte (T3). Limits: one message 256 KiB from a client, 4 MiB to it.
 *
 *   request   {"method": "io.entrainvite.Show", "parameters": {…}, "oneway": false, "more": false}
 *   reply     {"parameters": {…}}
 *   error     {"error": "io.entrainvite.Failed", "parameters": {…}}
 *
 * parameters may be left out where it is empty. A oneway request gets no answer, not even an error. `more` asks for
 * replies before the last one, which have {"continues": true}; Wait has such. `upgrade` is refused. The calls are in
 * io.entrainvite.varlink; GetInfo and GetInterfaceDescription of org.varlink.service are there too.
 */
#ifndef EI_IPC_VARLINK_H
#define EI_IPC_VARLINK_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

#define EI_VARLINK_INTERFACE "io.entrainvite"
#define EI_VARLINK_SERVICE   "org.varlink.service"

enum {
    EI_VARLINK_REQUEST_MAX = 256 * 1024,
    EI_VARLINK_REPLY_MAX = 4 * 1024 * 1024,
};

/*
 * Takes one message off the front of input. EI_OK with *ret_message NULL: none is complete yet. EI_PROTOCOL: not a JSON
 * object, not UTF-8, deeper than 64 levels, or one object names a member twice (two readers of it could understand it
 * differently); the peer is to be dropped. The caller deletes the message, with ei_varlink_free if it may hold a URL.
 */
enum ei_err ei_varlink_take(struct ei_buffer *input, cJSON **ret_message);

/* Appends the message and its NUL to output, which stays as it was on failure: EI_NOMEM, also when the limit of output
 * is reached. Bytes that are not UTF-8 go out as '?', so that what is sent is JSON whatever an account is called. */
enum ei_err ei_varlink_put(struct ei_buffer *output, const cJSON *message);

/* cJSON_Delete that first erases every string (K4: replies carry redeem URLs). NULL is fine. */
void ei_varlink_free(cJSON *message);

#endif
