/* Mails as RFC 5322, 2045 and 2047 have them: what is written is read again by a decoder that is not ours, no field can
 * be added from outside, and mailboxes are what they seem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "common/deliver/message.h"

enum { ROOM = 64 * 1024 };

static struct ei_mailbox mailbox(const char *name, const char *address)
{
    struct ei_mailbox made = {0};

    strcpy(made.name, name);
    strcpy(made.address, address);
    return made;
}

static struct ei_buffer written(const struct ei_mailbox *from, const struct ei_mailbox *to, const char *subject,
                                const char *body)
{
    const struct ei_message message = {.id = "attempt-1",
                                       .date = 1796056140,
                                       .from = from,
                                       .to = to,
                                       .language = "th",
                                       .subject = subject,
                                       .body = body};
    struct ei_buffer text;
    struct ei_error err = {0};

    if (ei_message_write(&message, &text, &err) != EI_OK)
        fail_msg("%s", err.message);
    return text;
}

/* The value of a field, unfolded; the caller frees it. */
static char *field(const char *text, const char *name)
{
    char start[64];
    char *value = calloc(1, ROOM);
    size_t used = 0;

    assert_non_null(value);
    snprintf(start, sizeof start, "\r\n%s: ", name);
    const char *at = strstr(text, start);
    if (at == NULL && strncmp(text, start + 2, strlen(start + 2)) == 0)
        at = text - 2;
    if (at == NULL || at > strstr(text, "\r\n\r\n"))
        fail_msg("no field %s", name);
    for (at += strlen(start); at[0] != '\r' || at[2] == ' '; at++)
        if (*at != '\r' && *at != '\n')
            value[used++] = *at;
    return value;
}

/* Encoded words to text, the blanks between two of them dropped (RFC 2047, 6.2). In place. */
static void decode_words(char *text)
{
    static const char start[] = "=?UTF-8?B?";
    char *to = text;
    char *from = text;
    bool after_word = false;

    while (*from != '\0') {
        char *skipped = from + strspn(from, " ");
        if (after_word && strncmp(skipped, start, strlen(start)) == 0)
            from = skipped;
        if (strncmp(from, start, strlen(start)) != 0) {
            after_word = false;
            *to++ = *from++;
            continue;
        }
        unsigned char word[128];
        char *end = strstr(from, "?=");
        size_t length = (size_t)(end - from) - strlen(start);
        assert_true(end != NULL && end + 2 - from <= 75);
        from[strlen(start) + length] = '\0';
        int got = EVP_DecodeBlock(word, (unsigned char *)from + strlen(start), (int)length);
        assert_true(got > 0);
        while (length != 0 && from[strlen(start) + --length] == '=')
            got--;
        memcpy(to, word, (size_t)got);
        to += got;
        from = end + 2;
        after_word = true;
    }
    *to = '\0';
}

static void expect_field(const struct ei_buffer *text, const char *name, const char *wanted)
{
    char *value = field(text->data, name);

    decode_words(value);
    assert_string_equal(value, wanted);
    free(value);
}

static void expect_good_lines(const struct ei_buffer *text)
{
    for (const char *line = text->data; *line != '\0';) {
        size_t length = strcspn(line, "\r\n");
        assert_true(length <= 998);
        assert_int_equal(strncmp(line + length, "\r\n", 2), 0);
        line += length + 2;
    }
    for (const char *c = text->data; c < strstr(text->data, "\r\n\r\n"); c++)
        assert_true((unsigned char)*c < 0x80);
}

static void fields_are_there_once(void **state)
{
    struct ei_mailbox from = mailbox("Contoso IT", "it@contoso.example");
    struct ei_mailbox to = mailbox("", "taylor@fabrikam.example");
    struct ei_buffer text = written(&from, &to, "Your access", "Hello\n\n.\nend");

    (void)state;
    assert_string_equal(text.data, "From: Contoso IT <it@contoso.example>\r\n"
                                   "To: <taylor@fabrikam.example>\r\n"
                                   "Subject: Your access\r\n"
                                   "Date: Mon, 30 Nov 2026 16:29:00 +0000\r\n"
                                   "Message-ID: <attempt-1@contoso.example>\r\n"
                                   "Auto-Submitted: auto-generated\r\n"
                                   "MIME-Version: 1.0\r\n"
                                   "Content-Type: text/plain; charset=utf-8\r\n"
                                   "Content-Language: th\r\n"
                                   "Content-Transfer-Encoding: 7bit\r\n"
                                   "\r\n"
                                   "Hello\r\n\r\n.\r\nend\r\n");
    ei_buffer_free(&text);
}

/* Characters are not cut in two, words are not too long, lines neither. */
static void any_script_comes_back(void **state)
{
    static const char *const texts[] = {
        "\xe0\xb9\x80\xe0\xb8\x8a\xe0\xb8\xb4\xe0\xb8\x8d\xe0\xb8\x84\xe0\xb8\xb8\xe0\xb8\x93\xe0\xb9\x80\xe0\xb8\x82"
        "\xe0\xb9\x89\xe0\xb8\xb2\xe0\xb9\x83\xe0\xb8\x8a\xe0\xb9\x89\xe0\xb8\x87\xe0\xb8\xb2\xe0\xb8\x99 lab1",
        "\xec\xb4\x88\xeb\x8c\x80\xec\x9e\xa5: \xec\xa0\x91\xea\xb7\xbc \xea\xb6\x8c\xed\x95\x9c",
        "\xe9\x82\x80\xe8\xab\x8b\xe6\x82\xa8\xe4\xbd\xbf\xe7\x94\xa8 lab1",
        "\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91 key \xf0\x9f\x94\x91",
        "J\xc3\xbcrgen, M\xc3\xbcller <x>",
        "=?UTF-8?B?YQ==?= is not what it seems",
        " begins and ends with a blank ",
        "A subject in ASCII that is longer than what a line of a message should have at the most, which is 78",
    };
    struct ei_mailbox to = mailbox("", "taylor@fabrikam.example");

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char from_wanted[EI_NAME_SIZE + 64];
        struct ei_mailbox from = mailbox(texts[i], "it@contoso.example");
        struct ei_buffer text = written(&from, &to, texts[i], "x\n");
        expect_good_lines(&text);
        expect_field(&text, "Subject", texts[i]);
        snprintf(from_wanted, sizeof from_wanted, "%s <it@contoso.example>", texts[i]);
        expect_field(&text, "From", from_wanted);
        ei_buffer_free(&text);
    }
}

static void names_are_quoted(void **state)
{
    struct ei_mailbox from = mailbox("Contoso, IT \"desk\" \\", "it@contoso.example");
    struct ei_mailbox to = mailbox("a@b.example", "taylor@fabrikam.example");
    struct ei_buffer text = written(&from, &to, "s", "x\n");

    (void)state;
    expect_field(&text, "From", "\"Contoso, IT \\\"desk\\\" \\\\\" <it@contoso.example>");
    expect_field(&text, "To", "\"a@b.example\" <taylor@fabrikam.example>");
    ei_buffer_free(&text);
}

static void expect_body(const char *body, const char *encoding)
{
    struct ei_mailbox from = mailbox("", "it@contoso.example");
    struct ei_mailbox to = mailbox("", "taylor@fabrikam.example");
    struct ei_buffer text = written(&from, &to, "s", body);
    char *decoded = calloc(1, text.length + 1);
    size_t used = 0;

    assert_non_null(decoded);
    expect_good_lines(&text);
    expect_field(&text, "Content-Transfer-Encoding", encoding);
    char *line = strstr(text.data, "\r\n\r\n") + 4;
    if (strcmp(encoding, "7bit") == 0) {
        strcpy(decoded, line);
        used = strlen(decoded);
    }
    while (strcmp(encoding, "base64") == 0 && *line != '\0') {
        size_t length = strcspn(line, "\r");
        assert_true(length <= 76);
        int got = EVP_DecodeBlock((unsigned char *)decoded + used, (unsigned char *)line, (int)length);
        used += (size_t)got - (line[length - 1] == '=') - (line[length - 2] == '=');
        decoded[used] = '\0';
        line += length + 2;
    }
    size_t to_at = 0;
    for (size_t i = 0; i < used; i++)
        if (decoded[i] != '\r')
            decoded[to_at++] = decoded[i];
    decoded[to_at] = '\0';
    assert_string_equal(decoded, body);
    free(decoded);
    ei_buffer_free(&text);
}

static void bodies_come_back_byte_for_byte(void **state)
{
    char *lines = malloc(ROOM);
    size_t used = 0;

    (void)state;
    assert_non_null(lines);
    expect_body("a\n", "7bit");
    expect_body("From here on\n", "base64");
    expect_body("\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\n\n.\n..\n", "base64");
    while (used < 40000)
        used += (size_t)sprintf(lines + used, "%zu \xea\xb0\x80\xeb\x82\x98\n", used);
    expect_body(lines, "base64");
    memset(lines, 'x', 998);
    strcpy(lines + 998, "\n");
    expect_body(lines, "7bit");
    strcpy(lines + 998, "x\n");
    expect_body(lines, "base64");
    free(lines);
}

static void expect_refused(struct ei_message message, enum ei_err wanted)
{
    struct ei_buffer text;
    struct ei_error err = {0};

    assert_int_equal(ei_message_write(&message, &text, &err), wanted);
    assert_true(err.message[0] != '\0');
}

/* Whatever stands before this layer: no value of it ends a field. */
static void nothing_adds_a_field(void **state)
{
    struct ei_mailbox from = mailbox("IT", "it@contoso.example");
    struct ei_mailbox to = mailbox("", "taylor@fabrikam.example");
    struct ei_mailbox evil_name = mailbox("x\r\nBcc: all@fabrikam.example", "it@contoso.example");
    struct ei_mailbox evil = mailbox("", "it@contoso.example>\r\nRCPT TO:<all@fabrikam.example");
    struct ei_mailbox bytes = mailbox("\xff", "it@contoso.example");
    const struct ei_message good = {.id = "a", .from = &from, .to = &to, .subject = "s", .body = "b\n"};
    struct ei_message m;

    (void)state;
    m = good, m.subject = "a\r\nBcc: all@fabrikam.example", expect_refused(m, EI_USAGE);
    m = good, m.subject = "a\nb", expect_refused(m, EI_USAGE);
    m = good, m.subject = "\xc3", expect_refused(m, EI_USAGE);
    m = good, m.subject = "", expect_refused(m, EI_USAGE);
    m = good, m.id = "a>\r\nX: y", expect_refused(m, EI_USAGE);
    m = good, m.id = "", expect_refused(m, EI_USAGE);
    m = good, m.language = "de\r\nX: y", expect_refused(m, EI_USAGE);
    m = good, m.body = "a\r\n.\r\nMAIL FROM:<x@y.example>\r\n", expect_refused(m, EI_USAGE);
    m = good, m.body = "\xff", expect_refused(m, EI_USAGE);
    m = good, m.body = NULL, expect_refused(m, EI_USAGE);
    m = good, m.from = &evil_name, expect_refused(m, EI_USAGE);
    m = good, m.reply_to = &bytes, expect_refused(m, EI_USAGE);
    m = good, m.to = NULL, expect_refused(m, EI_USAGE);
    m = good, m.to = &evil, expect_refused(m, EI_BAD_ADDRESS);
    m = good, m.from = &evil, expect_refused(m, EI_BAD_ADDRESS);
}

static void expect_mailbox(const char *text, const char *name, const char *address)
{
    struct ei_mailbox parsed;
    struct ei_error err = {0};

    if (ei_mailbox_parse(text, &parsed, &err) != EI_OK)
        fail_msg("%s", err.message);
    assert_string_equal(parsed.name, name);
    assert_string_equal(parsed.address, address);
}

static void mailboxes_are_read(void **state)
{
    static const char *const bad[] = {"",
                                      "IT",
                                      "IT <it@contoso.example",
                                      "IT <it@contoso.example> x",
                                      "IT <>",
                                      "\"IT <it@contoso.example>",
                                      "I\"T <it@contoso.example>",
                                      "I\nT <it@contoso.example>",
                                      "\xff <it@contoso.example>",
                                      "IT <it@contoso.example\r\nX: y>",
                                      "a@contoso.example, b@contoso.example",
                                      "<a@contoso.example> <b@contoso>"};

    (void)state;
    expect_mailbox("it@contoso.example", "", "it@contoso.example");
    expect_mailbox(" <it@contoso.example> ", "", "it@contoso.example");
    expect_mailbox("Contoso IT <it@contoso.example>", "Contoso IT", "it@contoso.example");
    expect_mailbox("\"Contoso, \\\"IT\\\"\" <it@contoso.example>", "Contoso, \"IT\"", "it@contoso.example");
    expect_mailbox("B\xc3\xbcro <it@b\xc3\xbc"
                   "cher.example>",
                   "B\xc3\xbcro", "it@xn--bcher-kva.example");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ei_mailbox parsed;
        struct ei_error err = {0};
        if (ei_mailbox_parse(bad[i], &parsed, &err) != EI_BAD_ADDRESS)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_true(err.message[0] != '\0');
    }
}

/* A person's name is no reason not to write to them. */
static void a_name_is_made_to_fit(void **state)
{
    char name[2 * EI_NAME_SIZE];
    struct ei_mailbox made;

    (void)state;
    assert_int_equal(ei_mailbox_make("T\r\nX: y\xff", "taylor@fabrikam.example", &made, NULL), EI_OK);
    assert_string_equal(made.name, "T  X: y?");
    for (size_t i = 0; i < 170; i++)
        memcpy(name + 3 * i, "\xea\xb0\x80", 4);
    assert_int_equal(ei_mailbox_make(name, "taylor@fabrikam.example", &made, NULL), EI_OK);
    assert_int_equal(strlen(made.name), 255);
    assert_int_equal(ei_mailbox_make(NULL, "taylor@fabrikam.example", &made, NULL), EI_OK);
    assert_string_equal(made.name, "");
    assert_int_equal(ei_mailbox_make("T", "taylor", &made, NULL), EI_BAD_ADDRESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_there_once), cmocka_unit_test(any_script_comes_back),
        cmocka_unit_test(names_are_quoted),      cmocka_unit_test(bodies_come_back_byte_for_byte),
        cmocka_unit_test(nothing_adds_a_field),  cmocka_unit_test(mailboxes_are_read),
        cmocka_unit_test(a_name_is_made_to_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
