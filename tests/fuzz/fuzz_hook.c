/*
 * What useradd, newusers and the account files bring in (T3, S38, P13). The first byte says what the rest is:
 *
 *   0  entra-invite-hook: its environment, the account that there is, and what the worker answers
 *   1  entra-invite-hook: its arguments
 *   2  a comment field (GECOS), and the text of login.defs
 *   3  the PAM module's announcement: a login, and what the worker answers
 *
 * The hook: exits as it promises; a name that is no login reaches nobody; what it sends fits the interface and names
 * that very login; what it says is one line for people, without the redeem URL. A comment's address is what stands in
 * it, and parts that a user may change have no part in it. The module's message is what the codec reads, and its look
 * at the answer's text agrees with a parser's.
 */
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The program as it is, with a worker and accounts that the input makes, and without what would change this process. */
#include "common/base/secret.h"
#include "common/ipc/client.h"
static enum ei_err input_call(const char *path, const char *method, const cJSON *parameters, int timeout_ms,
                              cJSON **ret_parameters, struct ei_error *err);
static struct passwd *input_account(const char *login);
#define ei_client_call               input_call
#define getpwnam                     input_account
#define main                         ei_fuzz_hook_main
#define ei_secret_harden_process()   ((void)0)
#define clearenv()                   ((void)0)
#define close_range(from, to, flags) ((void)0)
#define sigaction(number, how, old)  ((void)(how))
#define alarm(seconds)               ((void)(seconds))
#define setvbuf(file, room, how, n)  ((void)0)
int ei_fuzz_hook_main(int argc, char **argv);
#include "plugin/hooks/entra-invite-hook.c" /* NOLINT(bugprone-suspicious-include): its functions are its own */
#undef setvbuf
#undef alarm
#undef sigaction
#undef close_range
#undef clearenv
#undef main

#include "common/account/address.h"
#include "common/account/gecos.h"
#include "common/ipc/interface.h"
#include "plugin/pam/announce.c" /* NOLINT(bugprone-suspicious-include): as above */
#include "tests/fuzz/fuzz.h"

/* --- the hook's environment --- */

static struct {
    struct ei_input *input;
    int calls;
    bool named; /* a reply's other texts hold what its redeem URL does */
} worker;

static const char marker[] = "SECRET-REDEEM-URL";

static bool holds_marker(const cJSON *value)
{
    if (cJSON_IsString(value) && (value->string == NULL || strcmp(value->string, "inviteRedeemUrl") != 0) &&
        strstr(value->valuestring, marker) != NULL)
        return true;
    for (const cJSON *item = value->child; item != NULL; item = item->next)
        if (holds_marker(item))
            return true;
    return false;
}

static void judge_announcement(const cJSON *parameters)
{
    const char *login = ei_json_string(parameters, "login");
    const char *source = ei_json_string(parameters, "source");

    EI_MUST(login != NULL && strcmp(login, getenv("SUBJECT")) == 0);
    EI_MUST(login[0] != '\0' && strlen(login) <= NAME_MAX_BYTES && strchr(login, ':') == NULL);
    EI_MUST(ei_fuzz_one_line(login));
    EI_MUST(source != NULL && strcmp(source, getenv("ACTION")) == 0);
    EI_MUST(strcmp(source, "useradd") == 0 || strcmp(source, "userdel") == 0);
}

/* The worker: what it is asked is judged; what it answers is the input's. */
static enum ei_err input_call(const char *path, const char *method, const cJSON *parameters, int timeout_ms,
                              cJSON **ret_parameters, struct ei_error *err)
{
    char bad[EI_INTERFACE_NAME_SIZE];

    EI_MUST(path != NULL && timeout_ms > 0 && timeout_ms <= WAIT_MAX_S * 1000);
    EI_MUST(strcmp(method, worker.calls == 0 ? "Announce" : "Wait") == 0);
    EI_MUST(ei_interface_check(ei_interface_text(EI_VARLINK_INTERFACE), method, parameters, bad) == EI_INTERFACE_FITS);
    if (worker.calls++ == 0)
        judge_announcement(parameters);
    enum ei_err rc = (enum ei_err)(ei_input_byte(worker.input) % EI_ERR_COUNT);
    char *text = ei_input_line(worker.input, '\0');
    if (rc == EI_OK)
        *ret_parameters = ei_json_parse(text, strlen(text));
    rc = rc == EI_OK && *ret_parameters == NULL ? EI_PROTOCOL : rc;
    if (rc != EI_OK)
        ei_fail(err, rc, "%s", text);
    worker.named = worker.named || strstr(text, marker) == NULL || rc != EI_OK || holds_marker(*ret_parameters);
    free(text);
    return rc;
}

static struct passwd account;
static bool account_is_there;

static struct passwd *input_account(const char *login)
{
    EI_MUST(ei_fuzz_one_line(login) && strchr(login, ':') == NULL);
    return account_is_there ? &account : NULL;
}

static void set_variable(struct ei_input *input, const char *name, bool there)
{
    char *value = ei_input_line(input, '\0');

    if (there)
        setenv(name, value, 1);
    else
        unsetenv(name);
    free(value);
}

static void run_hook(struct ei_input *input)
{
    char *words[] = {(char *)"entra-invite-hook", NULL};
    uint8_t flags = ei_input_byte(input);

    set_variable(input, "ACTION", (flags & 1) == 0);
    set_variable(input, "SUBJECT", (flags & 2) == 0);
    set_variable(input, "SUDO_UID", (flags & 4) != 0);
    account_is_there = (flags & 8) == 0;
    account.pw_uid = (uid_t)ei_input_number(input, 2);
    worker.input = input;
    worker.calls = 0;
    worker.named = false;
    ei_fuzz_listen();
    int rc = ei_fuzz_hook_main(1, words);
    char *said = ei_fuzz_heard();
    EI_MUST(rc == 0); /* another makes useradd fail although the account is there (host-facts B3) */
    EI_MUST(worker.calls <= 2);
    EI_MUST(ei_fuzz_lines(said, "entra-invite: "));
    EI_MUST(strchr(said, '\n') == strrchr(said, '\n'));
    EI_MUST(worker.calls != 0 || said[0] == '\0');
    EI_MUST(worker.named || strstr(said, marker) == NULL);
    free(said);
}

/* --- its arguments --- */

static void give_arguments(struct ei_input *input)
{
    enum { WORDS_MAX = 8 };
    char *words[WORDS_MAX + 2] = {(char *)"entra-invite-hook"};
    int count = 1 + ei_input_byte(input) % WORDS_MAX;

    for (int i = 1; i <= count; i++)
        words[i] = ei_input_line(input, '\0');
    optind = 0; /* begin anew */
    ei_fuzz_listen();
    int rc = ei_fuzz_hook_main(count + 1, words);
    char *said = ei_fuzz_heard();
    EI_MUST(rc == 0 || rc == 2);
    EI_MUST(said[0] != '\0' && ei_fuzz_lines(said, ""));
    EI_MUST(rc != 2 || ei_fuzz_lines(said, "entra-invite-hook: "));
    free(said);
    for (int i = 1; i <= count; i++)
        free(words[i]);
}

/* --- the comment field --- */

static void judge_address(const char *gecos, const char *address)
{
    char folded[EI_ADDRESS_SIZE], again[EI_ADDRESS_SIZE], checked[EI_ADDRESS_SIZE];
    struct ei_error err;
    size_t length = strlen(address);

    EI_MUST(length > 0 && length < EI_ADDRESS_SIZE && strchr(address, ',') == NULL);
    EI_MUST(strstr(gecos, address) != NULL);
    EI_MUST(strchr(" \t", address[0]) == NULL && strchr(" \t", address[length - 1]) == NULL);
    EI_MUST(ei_address_fold(address, folded, sizeof folded) && ei_address_fold(folded, again, sizeof again));
    EI_MUST(strcmp(folded, again) == 0 && strcasecmp(folded, address) == 0);
    EI_MUST(ei_address_hash(address) == ei_address_hash(folded) && ei_address_hash(address) != 0);
    enum ei_err rc = ei_address_check(address, checked, &err);
    if (rc != EI_OK)
        ei_fuzz_judge_error(rc, &err);
    /* S14: brackets that nest, repeat or do not close are never guessed at. */
    EI_MUST(rc != EI_OK || strpbrk(address, "<> \t\"") == NULL);
}

/* The same comment with its first part, or those from the second to the fourth, replaced. */
static char *replace_parts(const char *gecos, bool first)
{
    size_t one = strcspn(gecos, ","), length = strlen(gecos);
    const char *rest = gecos + one;
    char *out = malloc(length + 64);

    EI_MUST(out != NULL);
    for (int i = 0; i < 3 && rest[0] == ','; i++)
        rest += 1 + strcspn(rest + 1, ",");
    if (first)
        snprintf(out, length + 64, "Other <o@x.example>%s", gecos + one);
    else if (rest[0] == ',')
        snprintf(out, length + 64, "%.*s,1,2@x.example,mail=3@x.example%s", (int)one, gecos, rest);
    else
        snprintf(out, length + 64, "%s", gecos);
    return out;
}

static void read_comment(struct ei_input *input)
{
    char address[EI_ADDRESS_SIZE], other[EI_ADDRESS_SIZE], name[EI_NAME_SIZE];
    char *gecos = ei_input_line(input, '\0');
    char *defs = ei_input_line(input, '\0');

    for (int trusted = 0; trusted < 2; trusted++) {
        bool found = ei_gecos_address(gecos, trusted != 0, address);
        EI_MUST(found == (address[0] != '\0'));
        if (found)
            judge_address(gecos, address);
        char *changed = replace_parts(gecos, trusted == 0);
        EI_MUST(ei_gecos_address(changed, trusted != 0, other) == found && strcmp(address, other) == 0);
        free(changed);
    }
    ei_gecos_name(gecos, name);
    EI_MUST(strnlen(name, sizeof name) < sizeof name && ei_fuzz_one_line(name));
    EI_MUST(strpbrk(name, "<>,") == NULL && strstr(gecos, name) != NULL);

    size_t length = strlen(defs);
    char *more = malloc(length + 64);
    EI_MUST(more != NULL);
    snprintf(more, length + 64, "%s\nCHFN_RESTRICT\tfrwh\n", defs);
    EI_MUST(!ei_gecos_first_trusted(more));
    snprintf(more, length + 64, "CHFN_RESTRICT rwh\n#CHFN_RESTRICT f\n%s", defs);
    EI_MUST(ei_gecos_first_trusted(more) == ei_gecos_first_trusted(defs));
    free(more);
    free(gecos);
    free(defs);
}

/* --- the PAM module's announcement --- */

/* It looks for members by their text, so a name that ends in a quote and that word would be taken for it; the worker
 * has none such. */
static bool named(const cJSON *value, const char *name)
{
    size_t length = value->string != NULL ? strlen(value->string) : 0, wanted = strlen(name);

    return length >= wanted && strcmp(value->string + length - wanted, name) == 0 &&
           (length == wanted || value->string[length - wanted - 1] == '"');
}

static bool has(const cJSON *value, const char *name, const char *text)
{
    if (named(value, name) && text != NULL && cJSON_IsString(value) &&
        (text[0] == '\0' || strcmp(value->valuestring, text) == 0))
        return true;
    if (named(value, name) && text == NULL && cJSON_IsTrue(value))
        return true;
    for (const cJSON *item = value->child; item != NULL; item = item->next)
        if (has(item, name, text))
            return true;
    return false;
}

static enum ei_announced understood(const cJSON *answer)
{
    if (has(answer, "error", ""))
        return EI_ANNOUNCED_NOT;
    if (!has(answer, "covered", NULL))
        return EI_ANNOUNCED_OTHER;
    if (has(answer, "state", "pending"))
        return EI_ANNOUNCED_INVITED;
    bool other = has(answer, "state", "accepted") || has(answer, "state", "failed") || has(answer, "state", "removed");
    return other ? EI_ANNOUNCED_OTHER : EI_ANNOUNCED_QUEUED;
}

static void judge_message(const char *login, const char *message, size_t length)
{
    struct ei_buffer wire;
    char bad[EI_INTERFACE_NAME_SIZE];
    cJSON *json = NULL;

    ei_buffer_init(&wire, EI_VARLINK_REQUEST_MAX);
    EI_MUST(ei_buffer_append(&wire, message, length));
    EI_MUST(ei_varlink_take(&wire, &json) == EI_OK && json != NULL && wire.length == 0);
    const cJSON *parameters = ei_json_object(json, "parameters");
    EI_MUST(strcmp(ei_json_string(json, "method"), EI_VARLINK_INTERFACE ".Announce") == 0 && parameters != NULL);
    EI_MUST(strcmp(ei_json_string(parameters, "login"), login) == 0);
    EI_MUST(ei_interface_check(ei_interface_text(EI_VARLINK_INTERFACE), "Announce", parameters, bad) ==
            EI_INTERFACE_FITS);
    ei_varlink_free(json);
    ei_buffer_free(&wire);
}

/* What the module reads is the answer up to its NUL, as far as there is room; without one, nothing. */
static void receive_answer(const struct ei_input *input)
{
    char answer[ANSWER_MAX];
    size_t size = input->size < 2 * ANSWER_MAX ? input->size : 2 * ANSWER_MAX;
    int pair[2];

    EI_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    EI_MUST(size == 0 || send_all(pair[0], (const char *)input->data, size, now_ms() + BUDGET_MS));
    close(pair[0]);
    bool received = receive(pair[1], answer, now_ms() + BUDGET_MS);
    bool ended = size != 0 && memchr(input->data, '\0', size) != NULL;
    EI_MUST(received == (ended || size >= ANSWER_MAX - 1));
    if (received) {
        size_t length = strnlen((const char *)input->data, size < ANSWER_MAX - 1 ? size : ANSWER_MAX - 1);
        EI_MUST(strnlen(answer, sizeof answer) == length && memcmp(answer, input->data, length) == 0);
        (void)understand(answer);
    }
    close(pair[1]);
}

static void announce_by_pam(struct ei_input *input)
{
    char message[LOGIN_MAX + 128];
    char *login = ei_input_line(input, '\0');
    receive_answer(input);
    char *answer = ei_input_line(input, '\0');
    cJSON *json = ei_json_parse(answer, strlen(answer));
    struct ei_buffer wire;

    size_t length = compose(login, message);
    EI_MUST(length <= sizeof message);
    if (length != 0)
        judge_message(login, message, length);
    else
        EI_MUST(login[0] == '\0' || strlen(login) > LOGIN_MAX || strpbrk(login, "\"\\") != NULL ||
                strspn(login, " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
                              "abcdefghijklmnopqrstuvwxyz{|}~") != strlen(login));

    (void)understand(answer);
    ei_buffer_init(&wire, EI_VARLINK_REPLY_MAX);
    if (cJSON_IsObject(json)) {
        EI_MUST(ei_varlink_put(&wire, json) == EI_OK);
        EI_MUST(understand(wire.data) == understood(json));
    }
    ei_buffer_free(&wire);
    cJSON_Delete(json);
    free(login);
    free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct ei_input *) = {run_hook, give_arguments, read_comment, announce_by_pam};
    struct ei_input input = {data, size};

    ei_fuzz_stop_clock();
    kinds[ei_input_byte(&input) % 4](&input);
    return 0;
}
