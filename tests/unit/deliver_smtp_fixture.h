/* A mail to a relay of deliver_fixture.h. Include after cmocka.h. */
#ifndef EI_TESTS_DELIVER_SMTP_FIXTURE_H
#define EI_TESTS_DELIVER_SMTP_FIXTURE_H

#include "tests/unit/deliver_fixture.h"

#define SUBJECT "Zug\xc3\xa4nge f\xc3\xbcr Taylor"
#define BODY    "Hello Taylor,\n.\n..dots\n" REDEEM "\n"

static inline struct ei_relay relay_at(int port, const char *scheme)
{
    static char url[64];
    struct ei_relay relay = {
        .url = url, .tls = EI_RELAY_TLS_NONE, .helo = "host.example", .ca_file = in_dir("good.pem")};

    snprintf(url, sizeof url, "%s://localhost:%d", scheme, port);
    strcpy(relay.from.name, "Contoso IT");
    strcpy(relay.from.address, "it@contoso.example");
    return relay;
}

static inline struct outcome send_text(const struct ei_relay *relay, const char *text)
{
    static const struct ei_mailbox to = {.name = "Taylor", .address = "taylor@fabrikam.example"};
    struct ei_letter mail = {.id = ATTEMPT, .to = &to, .language = "de", .subject = SUBJECT, .body = text};
    struct outcome outcome = {.began_ms = ei_monotonic_ms()};

    assert_int_equal(ei_deliver_mail(peer.deliver, relay, &mail, on_done, &outcome, NULL), EI_OK);
    assert_int_equal(outcome.calls, 0);
    await_outcome(&outcome);
    return outcome;
}

static inline struct outcome send_to(const struct ei_relay *relay)
{
    return send_text(relay, BODY);
}

static inline struct outcome send_plain(const char *mode, int *ret_port)
{
    *ret_port = peer_open(mode);
    struct ei_relay relay = relay_at(*ret_port, "smtp");
    return send_to(&relay);
}

/* Connections, and messages of the first. */
static inline void expect_log(int port, int connections, int messages)
{
    cJSON *log = peer_log(port);

    assert_int_equal(cJSON_GetArraySize(log), connections);
    assert_int_equal(cJSON_GetArraySize(ei_json_array(cJSON_GetArrayItem(log, 0), "messages")), messages);
    cJSON_Delete(log);
}

static inline bool was_told(int port, const char *beginning)
{
    cJSON *log = peer_log(port);
    const cJSON *command;
    bool found = false;

    cJSON_ArrayForEach(command, ei_json_array(cJSON_GetArrayItem(log, 0), "commands")) found =
        found || strncmp(command->valuestring, beginning, strlen(beginning)) == 0;
    cJSON_Delete(log);
    return found;
}

#define NEEDS_PEER()                                                                                                   \
    (void)state;                                                                                                       \
    if (!peer.runs)                                                                                                    \
    skip()

#endif
