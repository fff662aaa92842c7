/*
 * The codec of the worker's socket (T3: "fuzz the wire codec first"). The first byte says in what pieces the rest
 * arrives, the second how much room a reply has.
 *
 * Whatever arrives: the messages are the same in whatever pieces they come; each is an object of UTF-8 that names no
 * member twice and is not deep; nothing complete is left behind, nothing incomplete is taken; what is put out is one
 * message, and read back it is the same; a reply that does not fit changes nothing. A call that fits the interface does
 * not fit any more with a parameter that the interface does not have.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/ipc/interface.h"
#include "common/ipc/varlink.h"
#include "tests/fuzz/fuzz.h"

enum { LEVELS_MAX = 64 };

/* In the plainest way there is; objects of many members are cut short, lest a target takes seconds. */
static void judge_value(const cJSON *value, int level)
{
    enum { LOOKED_AT = 200 };
    int count = 0;

    EI_MUST(level <= LEVELS_MAX || !(cJSON_IsObject(value) || cJSON_IsArray(value)));
    if (cJSON_IsString(value))
        EI_MUST(ei_fuzz_utf8(value->valuestring, strlen(value->valuestring)));
    for (const cJSON *item = value->child; item != NULL && count < LOOKED_AT; item = item->next, count++) {
        if (cJSON_IsObject(value)) {
            EI_MUST(item->string != NULL && ei_fuzz_utf8(item->string, strlen(item->string)));
            for (const cJSON *other = value->child; other != item; other = other->next)
                EI_MUST(strcmp(other->string, item->string) != 0);
        }
        judge_value(item, level + 1);
    }
}

/* JSON has no infinity, so such a number is null when it is sent on; no reply of the worker has one. */
static bool finite_numbers(const cJSON *value)
{
    if (cJSON_IsNumber(value) && !isfinite(value->valuedouble))
        return false;
    for (const cJSON *item = value->child; item != NULL; item = item->next)
        if (!finite_numbers(item))
            return false;
    return true;
}

/* cJSON writes 15 digits where that comes close enough; no number of the interface has more. */
static bool same_number(double a, double b)
{
    return a == b || fabs(a - b) <= fabs(a) * 1e-15;
}

/* In the same order too. cJSON_Compare takes twice as long for each level, which would be for ever. */
static bool same_value(const cJSON *a, const cJSON *b)
{
    if (((a->type ^ b->type) & 0xff) != 0 || !same_number(a->valuedouble, b->valuedouble) ||
        (cJSON_IsString(a) && strcmp(a->valuestring, b->valuestring) != 0))
        return false;
    const cJSON *left = a->child, *right = b->child;
    for (; left != NULL && right != NULL; left = left->next, right = right->next)
        if ((cJSON_IsObject(a) && strcmp(left->string, right->string) != 0) || !same_value(left, right))
            return false;
    return left == right;
}

static void round_trip(const cJSON *message, struct ei_buffer *all)
{
    struct ei_buffer wire;
    cJSON *again = NULL;

    ei_buffer_init(&wire, EI_VARLINK_REPLY_MAX);
    EI_MUST(ei_varlink_put(&wire, message) == EI_OK);
    EI_MUST(wire.length > 2 && strlen(wire.data) == wire.length - 1);
    EI_MUST(ei_fuzz_utf8(wire.data, wire.length - 1));
    for (const char *c = wire.data; *c != '\0'; c++)
        EI_MUST((unsigned char)*c >= 0x20);
    EI_MUST(ei_buffer_append(all, wire.data, wire.length));
    EI_MUST(ei_varlink_take(&wire, &again) == EI_OK && again != NULL && wire.length == 0);
    if (finite_numbers(message))
        EI_MUST(same_value(message, again));
    ei_varlink_free(again);
    ei_buffer_free(&wire);
}

static void put_into(const cJSON *message, size_t room)
{
    static const char before[] = "{}";
    struct ei_buffer wire;

    ei_buffer_init(&wire, sizeof before + room);
    EI_MUST(ei_buffer_append(&wire, before, sizeof before));
    enum ei_err rc = ei_varlink_put(&wire, message);
    EI_MUST(rc == EI_OK || rc == EI_NOMEM);
    EI_MUST(memcmp(wire.data, before, sizeof before) == 0);
    EI_MUST(wire.length <= wire.limit && (rc == EI_OK) == (wire.length > sizeof before));
    EI_MUST(rc != EI_OK || wire.data[wire.length - 1] == '\0');
    ei_buffer_free(&wire);
}

/* An account may be called anything; what is sent is JSON all the same. */
static void put_name(const uint8_t *data, size_t size)
{
    enum { NAME_SIZE = 64 };
    struct ei_input input = {data, size};
    struct ei_buffer wire;
    char name[NAME_SIZE];
    cJSON *message = cJSON_CreateObject(), *again = NULL;

    ei_input_text(&input, '\0', name, sizeof name);
    EI_MUST(ei_json_add_text(message, "login", name));
    ei_buffer_init(&wire, EI_VARLINK_REPLY_MAX);
    EI_MUST(ei_varlink_put(&wire, message) == EI_OK);
    EI_MUST(ei_varlink_take(&wire, &again) == EI_OK && again != NULL && wire.length == 0);
    const char *login = ei_json_string(again, "login");
    EI_MUST(login != NULL && strlen(login) == strlen(name));
    EI_MUST(!ei_fuzz_utf8(name, strlen(name)) || strcmp(login, name) == 0);
    cJSON_Delete(message);
    cJSON_Delete(again);
    ei_buffer_free(&wire);
}

static void check_call(const cJSON *message)
{
    const char *name = ei_json_string(message, "method");
    const cJSON *given = ei_json_object(message, "parameters");
    const char *dot = name != NULL ? strrchr(name, '.') : NULL;
    char interface[64], bad[EI_INTERFACE_NAME_SIZE];

    if (dot == NULL || given == NULL || (size_t)(dot - name) >= sizeof interface)
        return;
    snprintf(interface, sizeof interface, "%.*s", (int)(dot - name), name);
    const char *text = ei_interface_text(interface);
    if (text == NULL)
        return;
    enum ei_interface_verdict verdict = ei_interface_check(text, dot + 1, given, bad);
    EI_MUST(strnlen(bad, sizeof bad) < sizeof bad);
    EI_MUST(verdict == EI_INTERFACE_BAD_PARAMETER || bad[0] == '\0');
    if (verdict != EI_INTERFACE_FITS)
        return;
    cJSON *more = cJSON_Duplicate(given, true);
    EI_MUST(cJSON_AddTrueToObject(more, "noSuchParameter") != NULL);
    EI_MUST(ei_interface_check(text, dot + 1, more, bad) == EI_INTERFACE_BAD_PARAMETER);
    EI_MUST(strcmp(bad, "noSuchParameter") == 0);
    cJSON_Delete(more);
}

/* Feeds data in pieces of so many bytes (0: all at once) as the server does, and puts what comes of it into all. Gives
 * how it ended; *ret_left: bytes that wait for the rest of their message. */
static enum ei_err feed(const uint8_t *data, size_t size, size_t piece, size_t room, struct ei_buffer *all,
                        size_t *ret_left)
{
    struct ei_buffer input;
    enum ei_err rc = EI_OK;

    ei_buffer_init(&input, EI_VARLINK_REQUEST_MAX);
    for (size_t at = 0, step; at < size && rc == EI_OK; at += step) {
        step = piece == 0 || size - at < piece ? size - at : piece;
        EI_MUST(ei_buffer_append(&input, data + at, step));
        for (;;) {
            cJSON *message = NULL;
            size_t before = input.length;
            rc = ei_varlink_take(&input, &message);
            EI_MUST(rc == EI_OK || rc == EI_PROTOCOL);
            EI_MUST((message == NULL) == (rc != EI_OK || input.length == before));
            if (message == NULL)
                break;
            EI_MUST(cJSON_IsObject(message) && input.length < before);
            judge_value(message, 1);
            check_call(message);
            put_into(message, room);
            round_trip(message, all);
            ei_varlink_free(message);
        }
    }
    EI_MUST(rc != EI_OK || input.length == 0 || memchr(input.data, '\0', input.length) == NULL);
    *ret_left = rc == EI_OK ? input.length : 0;
    ei_buffer_free(&input);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ei_input input = {data, size};
    size_t piece = ei_input_byte(&input), room = ei_input_byte(&input);
    struct ei_buffer whole, pieces;
    size_t left, left_of_pieces;

    if (input.size > EI_VARLINK_REQUEST_MAX)
        return 0;
    put_name(input.data, input.size);
    ei_buffer_init(&whole, 64 * 1024 * 1024);
    ei_buffer_init(&pieces, 64 * 1024 * 1024);
    enum ei_err rc = feed(input.data, input.size, 0, room, &whole, &left);
    EI_MUST(feed(input.data, input.size, piece, room, &pieces, &left_of_pieces) == rc);
    EI_MUST(left == left_of_pieces && whole.length == pieces.length);
    EI_MUST(whole.length == 0 || memcmp(whole.data, pieces.data, whole.length) == 0);
    ei_buffer_free(&whole);
    ei_buffer_free(&pieces);
    return 0;
}
