/*
 * One delivery, for the files of this folder only.
 *
 * It waits in a queue, then its thread runs curl_easy_perform, then it is among the ended until its callback was
 * called. What a thread uses belongs to it from launch until it has put the delivery among the ended.
 */
#ifndef EI_DELIVER_DELIVERY_H
#define EI_DELIVER_DELIVERY_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/base/buffer.h"
#include "common/base/secret.h"
#include "common/deliver/deliver.h"

enum {
    EI_ANSWER_MAX = 64 * 1024, /* bytes of what the other side may say; more ends the transfer */
    EI_ANSWER_TEXT = 256,      /* bytes of it that are kept for the error */
    EI_ANSWER_VALUE = 128,     /* of a header's value */
    EI_TARGET_SIZE = 320,      /* host and port, as errors name them */
};

struct ei_delivery;

/* What a mail and a chat message do each in their own way. */
struct ei_delivery_ops {
    /* Sets the easy handle up, reads the secrets. Else false, and result is filled. */
    bool (*prepare)(struct ei_delivery *d);
    /* In the thread: fills result from what happened. No logging. */
    void (*read)(struct ei_delivery *d, CURLcode code);
};
extern const struct ei_delivery_ops ei_delivery_mail;
extern const struct ei_delivery_ops ei_delivery_chat;

/* Which command the relay answers next (RFC 5321). */
enum ei_smtp_stage {
    EI_SMTP_GREETING,
    EI_SMTP_HELLO,
    EI_SMTP_STARTTLS,
    EI_SMTP_AUTH,
    EI_SMTP_MAIL,
    EI_SMTP_RCPT,
    EI_SMTP_DATA,
    EI_SMTP_END,  /* the whole message was read, so its final dot may be out */
    EI_SMTP_QUIT, /* what comes now is of no interest */
};

struct ei_delivery {
    TAILQ_ENTRY(ei_delivery) link;
    struct ei_deliver *deliver;
    const struct ei_delivery_ops *ops;
    ei_deliver_done *done;
    void *context;
    struct ei_deliver_result result;
    pthread_t thread;
    atomic_bool cancelled; /* set by the loop, obeyed by the thread */
    atomic_bool opened;    /* set by the thread: a socket was made */
    atomic_bool whole;     /* set by the thread: the message may have been taken from now on */
    bool abandoned;        /* under the lock: the thread frees it */

    /* what is sent */
    struct ei_buffer payload;
    size_t sent;       /* bytes of payload that libcurl has read */
    char *url;         /* of the relay */
    char *from;        /* "<address>" */
    char *to;          /* "<address>" */
    char *user;        /* NULL: no AUTH */
    char *secret_file; /* the password; the webhook's URL */
    char *token_file;  /* NULL: none */
    char *ca_file;     /* NULL: the system's */
    char *id;
    enum ei_relay_tls tls;
    struct ei_secret secret; /* what was read, until the outcome is known */
    struct ei_secret token;

    /* the transfer */
    CURL *easy;
    struct curl_slist *headers; /* of HTTP; a mail's recipient */
    char curl_error[CURL_ERROR_SIZE];
    char target[EI_TARGET_SIZE];

    /* the answer */
    size_t answer_bytes;
    char answer[EI_ANSWER_TEXT]; /* of HTTP the start of the body, of SMTP the text of the last reply */
    size_t answer_length;
    enum ei_smtp_stage stage;
    enum ei_smtp_stage asked; /* the last that is not QUIT */
    long reply;               /* to the last command, 0: not yet whole */
    char retry_after[EI_ANSWER_VALUE];
    char date[EI_ANSWER_VALUE];
};

/* Queues it: EI_BUSY or EI_OK. It is the queue's in either case. */
enum ei_err ei_delivery_start(struct ei_deliver *deliver, struct ei_delivery *d, struct ei_error *err);
/* NULL: no memory, and err says it. */
struct ei_delivery *ei_delivery_new(const struct ei_delivery_ops *ops, ei_deliver_done *done, void *context,
                                    struct ei_error *err);
void ei_delivery_free(struct ei_delivery *d);

/* A copy of what is not NULL and not ""; false when out of memory. */
bool ei_delivery_copy(char **to, const char *text);

/* Fills result: code, whose message begins with the target. */
void ei_delivery_fail(struct ei_delivery *d, enum ei_deliver_outcome outcome, enum ei_err code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The failure of a transfer of which nothing was taken: certificate, memory, or the way there. */
void ei_delivery_fail_unsent(struct ei_delivery *d, CURLcode code);

/* libcurl's reason, without what must not be told. */
void ei_delivery_reason(const struct ei_delivery *d, CURLcode code, char out[EI_ANSWER_TEXT]);

/* What the other side said, as one line, without control characters; of a URL the host only, no word beyond 60 bytes,
 * nothing at all if one of the delivery's secrets is in it. */
void ei_delivery_said(const struct ei_delivery *d, char out[EI_ANSWER_TEXT]);

/* Keeps as much of what was said as fits. */
void ei_delivery_keep(struct ei_delivery *d, const char *data, size_t length);

#endif
