/* Somebody signs in at the simulator with a device code; its clock and ours are moved on together. Include after
 * cmocka.h. */
#ifndef EI_TESTS_SIGN_IN_FIXTURE_H
#define EI_TESTS_SIGN_IN_FIXTURE_H

#include <time.h>

#include "common/graph/sign_in.h"
#include "tests/unit/graph_fixture.h"

#define DEVICE  "{\"grant\":\"device_code\"}"
#define REFRESH "{\"grant\":\"refresh_token\"}"

static int64_t skew_ms;

static inline int64_t skewed_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + skew_ms / 1000;
}

static inline int64_t skewed_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000 + skew_ms;
}

/* What the handlers were told. */
struct signing_in {
    int prompts;
    int ends;
    struct ei_error err;
    char user_code[64];
    char page[256];
    char complete[256];
    char message[1024];
    int64_t expires_at;
    bool signed_in;
    struct ei_person person;
    char refresh_token[512];
    char scope[512];
    bool keep; /* in the graph's credential, at once */
    struct ei_device_code *code;
};

static inline void got_prompt(void *context, const struct ei_device_prompt *prompt)
{
    struct signing_in *s = context;

    s->prompts++;
    s->expires_at = prompt->expires_at;
    snprintf(s->user_code, sizeof s->user_code, "%s", prompt->user_code);
    snprintf(s->page, sizeof s->page, "%s", prompt->verification_uri);
    snprintf(s->complete, sizeof s->complete, "%s",
             prompt->verification_uri_complete != NULL ? prompt->verification_uri_complete : "");
    snprintf(s->message, sizeof s->message, "%s", prompt->message != NULL ? prompt->message : "");
}

static inline void got_end(void *context, const struct ei_signed_in *signed_in, const struct ei_error *err)
{
    struct signing_in *s = context;

    s->ends++;
    s->err = *err;
    s->signed_in = signed_in != NULL;
    if (signed_in != NULL) {
        s->person = signed_in->person;
        snprintf(s->refresh_token, sizeof s->refresh_token, "%s", signed_in->refresh_token);
        snprintf(s->scope, sizeof s->scope, "%s", signed_in->scope);
        if (s->keep)
            assert_int_equal(ei_graph_keep_sign_in(sim.graph, signed_in, &s->err), EI_OK);
    }
    ei_device_code_free(s->code);
    s->code = NULL;
}

static inline void begin(struct signing_in *s)
{
    static const char *const permissions[] = {"User.Invite.All", "User.Read.All"};
    const struct ei_device_handler handler = {.prompt = got_prompt, .done = got_end, .context = s};
    bool keep = s->keep;
    struct ei_error err;

    *s = (struct signing_in){.keep = keep};
    assert_int_equal(ei_device_code_start(sim.graph, permissions, 2, &handler, &s->code, &err), EI_OK);
    assert_int_equal(s->prompts + s->ends, 0);
    run(sim.graph);
}

/* So many seconds later, asks if it is time to. */
static inline void later(struct signing_in *s, int seconds)
{
    char text[16];

    snprintf(text, sizeof text, "%d", seconds);
    CTL("advance", text);
    skew_ms += seconds * 1000;
    ei_device_code_run(s->code);
    run(sim.graph);
}

static inline void sign_in(struct signing_in *s)
{
    begin(s);
    CTL("approve", s->user_code);
    later(s, 5);
    assert_true(s->signed_in);
}

static inline int use_skewed_clock(void **state)
{
    static const struct ei_clock clock = {.now = skewed_now, .monotonic_ms = skewed_ms};

    skew_ms = 0;
    ei_clock_set(&clock);
    return set_up(state);
}

static inline int use_real_clock(void **state)
{
    ei_clock_set(NULL);
    return tear_down(state);
}

#endif
