/*
 * Messages that this host carries itself: by SMTP to a relay, or by HTTPS POST to the webhook of a chat. Asynchronous;
 * only the worker links it.
 *
 * Every delivery that was started (EI_OK) ends in exactly one call of its callback, from ei_deliver_dispatch or
 * ei_deliver_free, never from the call that starts it. The result is good during the call only. A callback may start
 * deliveries; it may not call ei_deliver_dispatch or ei_deliver_free. Nothing here decides, repeats or stores: that is
 * the worker's, and so is the durable intent before and the outcome after (X1).
 *
 * Each delivery goes over a fresh connection that is not used again, to the configured host only, without redirects,
 * proxies or anything else of the environment (X6), within its time-outs, and whatever the other side answers is read
 * up to a limit. No password, token, webhook URL or redeem URL is in an error or the log; of a webhook only the host
 * is told. What a server says in its answer is told (one line, cut, and with the secrets of this delivery masked).
 *
 * Each transfer runs in a thread of its own, at most `connections` of them: curl_multi_perform does not return while
 * libcurl (7.88) waits for the reply to a mail's final dot, which a relay that looks for spam may take
 * its time for. Threads touch nothing but their own delivery.
 *
 * One object belongs to one thread. It waits in the loop of whoever waits for something else as well (ei_graph_wait):
 * put ei_deliver_fd among the extra descriptors with CURL_WAIT_POLLIN, sleep no longer than ei_deliver_wait_ms, and
 * call ei_deliver_dispatch after each wait, whatever woke it.
 */
#ifndef EI_DELIVER_DELIVER_H
#define EI_DELIVER_DELIVER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/deliver/channel.h"
#include "common/deliver/mailbox.h"
#include "common/deliver/template.h"

struct ei_deliver;

/* What is 0 is the default. */
struct ei_deliver_options {
    int connections;         /* at most so many deliveries at once, the others wait; 0: 4 */
    long timeout_ms;         /* for one whole delivery from its turn on; 0: 120 s */
    long connect_timeout_ms; /* until the connection and its TLS stand; 0: 15 s */
};

/* options NULL: all defaults. EI_NOMEM. */
enum ei_err ei_deliver_new(const struct ei_deliver_options *options, struct ei_deliver **ret_deliver,
                           struct ei_error *err);
/* Ends every delivery that is under way: their callbacks are called, with EI_DELIVER_NOT_SENT or EI_DELIVER_UNCLEAR. A
 * delivery that a callback starts then is refused with EI_BUSY. NULL is fine. */
void ei_deliver_free(struct ei_deliver *deliver);

/* Readable when a delivery wants attention. Owned by the object, the same for its whole life. */
int ei_deliver_fd(const struct ei_deliver *deliver);
/* ms until ei_deliver_dispatch is due although nothing became readable: 0 at once, INT_MAX never. */
int ei_deliver_wait_ms(const struct ei_deliver *deliver);
/* Makes progress and calls the callbacks of what has ended. */
void ei_deliver_dispatch(struct ei_deliver *deliver);
/* How many deliveries are under way, those that wait for their turn included. */
size_t ei_deliver_active(const struct ei_deliver *deliver);

/* --- results --- */

enum ei_deliver_outcome {
    EI_DELIVER_DONE,     /* taken: 250 after the mail's final dot; 2xx of the webhook */
    EI_DELIVER_NOT_SENT, /* the message did not leave: resolve, connect, TLS, a secret that cannot be read, a template;
                            of a mail also a connection that ended before its final dot: free to repeat */
    EI_DELIVER_REJECTED, /* a complete answer that says it was not taken: a mail's 4xx or 5xx at whatever command, a
                            webhook's 3xx or 4xx: free to repeat once the cause
                            is mended, or after retry_after */
    EI_DELIVER_UNCLEAR,  /* it may have been taken: no whole answer after the final dot; a webhook's 5xx (X5), lost
                            answer: never repeated by itself */
};

/*
 * Whose fault it is: ei_err_fault(error.code), as everywhere:
 *   ACCOUNT    EI_MAIL_ADDRESS, a 5xx to RCPT TO: this recipient; EI_MAIL_REFUSED, a 5xx after the final dot: this
 *              message
 *   TENANT     EI_MAIL_RELAY: greeting, STARTTLS missing (then NOT_SENT), AUTH or MAIL FROM refused for good;
 *              EI_WEBHOOK; EI_DELIVERY_TRUST: certificate. They block this channel only, neither the account nor
 *              Microsoft Graph
 *   TRANSIENT  EI_DELIVERY_LATER (4xx of a mail, 429), EI_UNREACHABLE, and EI_DELIVERY_UNCLEAR, with every UNCLEAR
 *   HOST       EI_SECRET_FILE (password, token, URL), EI_IO, EI_CONFIG, EI_NOMEM; EI_TEMPLATE is told before anything
 *              starts
 */
struct ei_deliver_result {
    enum ei_deliver_outcome outcome;
    struct ei_error error; /* code EI_OK when DONE */
    long status;           /* the last reply code of SMTP, or of HTTP; 0 if there was none */
    int64_t retry_after;   /* seconds, capped at an hour (X8); -1: none, or none that can be read */
};

typedef void ei_deliver_done(void *context, const struct ei_deliver_result *result);

/* --- mail --- */

struct ei_letter {
    const char *id;              /* of the attempt, see struct ei_message */
    const struct ei_mailbox *to; /* address as ei_address_check gives it */
    const char *language;        /* NULL: none */
    const char *subject;
    const char *body; /* as ei_template_render gives them */
};

/* One message to one recipient. All is copied. EI_OK: the callback will come; EI_NOMEM, EI_BUSY (ei_deliver_free runs),
 * EI_CONFIG, EI_BAD_ADDRESS or EI_USAGE (as ei_message_headers): it will not, and err says why. */
enum ei_err ei_deliver_mail(struct ei_deliver *deliver, const struct ei_relay *relay, const struct ei_letter *mail,
                            ei_deliver_done *done, void *context, struct ei_error *err);

/* --- webhook --- */

struct ei_chat {
    const char *id; /* of the attempt; in the header Idempotency-Key and in json's `id` */
    enum ei_template_kind kind;
    const struct ei_template_values *values; /* for json; a sponsor's note has no url, whatever stands there */
    const char *subject;
    const char *body; /* as ei_template_render gives them; json's `text` */
};

/* As ei_deliver_mail. */
enum ei_err ei_deliver_webhook(struct ei_deliver *deliver, const struct ei_webhook *webhook, const struct ei_chat *chat,
                               ei_deliver_done *done, void *context, struct ei_error *err);

#endif
