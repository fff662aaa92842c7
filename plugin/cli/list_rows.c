#include "plugin/cli/list_rows.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "common/account/address.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/view/view.h"

enum { DOMAIN_MAX = 256, AGE_DIGITS = 9 };

const char *ei_list_since(const cJSON *row)
{
    const char *changed = ei_json_string(row, "externalUserStateChangeDateTime");
    return changed != NULL ? changed : ei_json_string(row, "requestedAt");
}

/* A guest of the tenant has a mail, if anything; an account's mail is what became of the message. */
static const char *email_of(const cJSON *row)
{
    return ei_json_string(row, ei_json_has(row, "email") ? "email" : "mail");
}

/* --- filters --- */

static bool read_domains(const struct ei_args *args, struct ei_list_filter *filter)
{
    char domain[DOMAIN_MAX];
    struct ei_error err;

    filter->domains = calloc(args->given_count + 1, sizeof *filter->domains);
    if (filter->domains == NULL)
        return ei_say_no_memory(args->verb->name), false;
    for (size_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].name, "domain") != 0)
            continue;
        if (ei_domain_normalize(args->given[i].value, domain, sizeof domain, &err) != EI_OK) {
            ei_usage_error(args->verb, "--domain %.64s: not a domain; takes one such as fabrikam.com",
                           args->given[i].value);
            return false;
        }
        char *copy = strdup(domain);
        if (copy == NULL)
            return ei_say_no_memory(args->verb->name), false;
        filter->domains[filter->domain_count++] = copy;
    }
    return true;
}

/* 90m, 12h, 30d; in seconds. */
static bool read_age(const char *text, int64_t *ret_seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > AGE_DIGITS || text[digits] == '\0' || text[digits + 1] != '\0')
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (units[i].unit == text[digits]) {
            *ret_seconds = strtoll(text, NULL, 10) * units[i].seconds;
            return true;
        }
    }
    return false;
}

/* given: the option is there. */
static bool read_age_option(const struct ei_args *args, const char *option, bool *ret_given, int64_t *ret_seconds)
{
    const char *text = ei_args_get(args, option);

    *ret_given = text != NULL;
    if (text == NULL || read_age(text, ret_seconds))
        return true;
    ei_usage_error(args->verb,
                   "--%s %.32s: not an age; takes a number with s, m, h, d or w (seconds to weeks), such as 30d",
                   option, text);
    return false;
}

static bool read_ages(const struct ei_args *args, struct ei_list_filter *filter)
{
    int64_t older = 0;
    int64_t newer = 0;
    bool has_older;
    bool has_newer;

    if (!read_age_option(args, "older-than", &has_older, &older) ||
        !read_age_option(args, "newer-than", &has_newer, &newer))
        return false;
    if (has_older && has_newer && older >= newer) {
        ei_usage_error(args->verb, "--older-than %.32s and --newer-than %.32s: nothing is both",
                       ei_args_get(args, "older-than"), ei_args_get(args, "newer-than"));
        return false;
    }
    filter->not_after = has_older ? ei_now() - older : INT64_MAX;
    filter->not_before = has_newer ? ei_now() - newer : INT64_MIN;
    return true;
}

bool ei_list_filter_read(const struct ei_args *args, struct ei_list_filter *ret_filter)
{
    *ret_filter = (struct ei_list_filter){.args = args};
    /* So that ? and [] of a pattern are characters, whatever the terminal's locale; where it is missing, bytes. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    if (read_domains(args, ret_filter) && read_ages(args, ret_filter))
        return true;
    ei_list_filter_clear(ret_filter);
    return false;
}

void ei_list_filter_clear(struct ei_list_filter *filter)
{
    for (size_t i = 0; i < filter->domain_count; i++)
        free(filter->domains[i]);
    free(filter->domains);
    filter->domains = NULL;
    filter->domain_count = 0;
}

static bool passes_rule(const struct ei_args *args, const cJSON *row)
{
    const char *rule = ei_json_string(row, "rule");
    bool asked = false;

    for (size_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].name, "rule") != 0)
            continue;
        if (ei_text_same(rule, args->given[i].value))
            return true;
        asked = true;
    }
    return !asked;
}

/* A pattern with '@' is of the address, in any case of letters; another one is of the login. */
static bool passes_patterns(const struct ei_args *args, const cJSON *row)
{
    const char *login = ei_json_string(row, "login");
    const char *email = email_of(row);

    for (size_t i = 0; i < args->operand_count; i++) {
        bool of_address = strchr(args->operands[i], '@') != NULL;
        if (login != NULL && fnmatch(args->operands[i], login, 0) == 0)
            return true;
        if (of_address && email != NULL && fnmatch(args->operands[i], email, FNM_CASEFOLD) == 0)
            return true;
    }
    return args->operand_count == 0;
}

static bool passes_ages(const struct ei_list_filter *filter, const cJSON *row)
{
    const char *since = ei_list_since(row);
    int64_t t;

    if (filter->not_before == INT64_MIN && filter->not_after == INT64_MAX)
        return true;
    return since != NULL && ei_time_parse(since, &t) && t > filter->not_before && t <= filter->not_after;
}

bool ei_list_filter_passes(const struct ei_list_filter *filter, const cJSON *row)
{
    const char *email = email_of(row);

    if (filter->domain_count != 0 &&
        (email == NULL || !ei_address_domain_listed(email, (const char *const *)filter->domains, filter->domain_count)))
        return false;
    return passes_rule(filter->args, row) && passes_patterns(filter->args, row) && passes_ages(filter, row);
}

/* --- order --- */

enum key { KEY_LOGIN, KEY_EMAIL, KEY_RULE, KEY_STATE, KEY_SINCE, KEY_REQUESTED, KEY_CHECKED };

const char *const ei_list_sort_keys[] = {
    [KEY_LOGIN] = "login", [KEY_EMAIL] = "email",         [KEY_RULE] = "rule",       [KEY_STATE] = "state",
    [KEY_SINCE] = "since", [KEY_REQUESTED] = "requested", [KEY_CHECKED] = "checked", NULL,
};

static bool add_key(struct ei_list_order *order, const char *word, size_t length)
{
    bool down = word[0] == '-';

    word += down;
    length -= down;
    for (unsigned char key = 0; ei_list_sort_keys[key] != NULL && order->count < EI_SORT_MAX; key++) {
        if (strlen(ei_list_sort_keys[key]) == length && strncmp(ei_list_sort_keys[key], word, length) == 0) {
            order->by[order->count].key = key;
            order->by[order->count++].down = down;
            return true;
        }
    }
    return false;
}

bool ei_list_order_read(const struct ei_args *args, struct ei_list_order *ret_order)
{
    const char *text = ei_args_get(args, "sort");

    *ret_order = (struct ei_list_order){0};
    for (const char *word = text; word != NULL;) {
        size_t length = strcspn(word, ",");
        if (!add_key(ret_order, word, length)) {
            ei_usage_error(args->verb,
                           "--sort %.64s: takes up to %d of login, email, rule, state, since, requested, checked, with "
                           "commas between; a leading - reverses one",
                           text, EI_SORT_MAX);
            return false;
        }
        word = word[length] == ',' ? word + length + 1 : NULL;
    }
    return true;
}

struct row {
    cJSON *item;
    size_t place;
};

static const char *value_of(const cJSON *row, enum key key)
{
    switch (key) {
    case KEY_LOGIN:
        return ei_json_string(row, "login");
    case KEY_EMAIL:
        return email_of(row);
    case KEY_RULE:
        return ei_json_string(row, "rule");
    case KEY_STATE:
        return ei_json_string(row, "state");
    case KEY_SINCE:
        return ei_list_since(row);
    case KEY_REQUESTED:
        return ei_json_string(row, "requestedAt");
    case KEY_CHECKED:
        return ei_json_string(row, "checkedAt");
    }
    return NULL;
}

/* In the order of an account's life, which is that of the numbers. */
static int compare_states(const char *a, const char *b)
{
    enum ei_state x;
    enum ei_state y;

    if (!ei_state_from_name(a, &x) || !ei_state_from_name(b, &y))
        return strcmp(a, b);
    return (x > y) - (x < y);
}

/* Bytes of UTF-8 compare as their code points do, and times in UTC as time goes. */
static int compare(const void *a, const void *b, void *context)
{
    const struct row *x = a;
    const struct row *y = b;
    const struct ei_list_order *order = context;

    for (size_t i = 0; i < order->count; i++) {
        enum key key = (enum key)order->by[i].key;
        const char *one = value_of(x->item, key);
        const char *other = value_of(y->item, key);
        if (one == NULL || other == NULL) {
            if (one != other)
                return one == NULL ? 1 : -1;
            continue;
        }
        int result = key == KEY_STATE ? compare_states(one, other) : strcmp(one, other);
        if (result != 0)
            return order->by[i].down ? -result : result;
    }
    return (x->place > y->place) - (x->place < y->place);
}

bool ei_list_sort(cJSON *rows, const struct ei_list_order *order)
{
    size_t count = 0;
    size_t room = order->count != 0 ? (size_t)cJSON_GetArraySize(rows) : 0;
    struct row *sorted = room != 0 ? calloc(room, sizeof *sorted) : NULL;

    if (sorted == NULL)
        return room == 0;
    for (; count < room; count++)
        sorted[count] = (struct row){cJSON_DetachItemViaPointer(rows, rows->child), count};
    qsort_r(sorted, count, sizeof *sorted, compare, (void *)order);
    for (size_t i = 0; i < count; i++)
        ei_json_push(rows, sorted[i].item);
    free(sorted);
    return true;
}
