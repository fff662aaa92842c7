/* Message templates: what is refused when one is loaded, and that no value can become more than a value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/utf8.h"
#include "common/deliver/template.h"

#define URL "https://login.microsoftonline.com/redeem?rd=x"

static const char *const hosts[] = {"lab1", "lab2"};

static struct ei_template *parse(const char *text, enum ei_template_kind kind)
{
    struct ei_template *template = NULL;
    struct ei_error err = {0};

    if (ei_template_parse("t.txt", text, strlen(text), kind, &template, &err) != EI_OK)
        fail_msg("%s", err.message);
    return template;
}

static void expect_text(const char *template_text, const struct ei_template_values *values, const char *subject,
                        const char *body)
{
    struct ei_template *template = parse(template_text, EI_TEMPLATE_INVITATION);
    struct ei_template_text text = {0};
    struct ei_error err = {0};

    if (ei_template_render(template, values, &text, &err) != EI_OK)
        fail_msg("%s", err.message);
    assert_string_equal(text.subject, subject);
    assert_string_equal(text.body, body);
    ei_template_text_free(&text);
    ei_template_free(template);
}

static void expect_refused(const char *text, size_t length, enum ei_template_kind kind, const char *reason)
{
    struct ei_template *template = NULL;
    struct ei_error err = {0};

    assert_int_equal(ei_template_parse("t.txt", text, length, kind, &template, &err), EI_TEMPLATE);
    assert_null(template);
    if (strstr(err.message, reason) == NULL)
        fail_msg("wanted \"%s\" in \"%s\"", reason, err.message);
    assert_int_equal(strncmp(err.message, "t.txt:", strlen("t.txt:")), 0);
}

static void values_take_their_places(void **state)
{
    const struct ei_template_values values = {.name = "Taylor Example",
                                              .login = "taylor",
                                              .email = "taylor@fabrikam.example",
                                              .rule = "partners",
                                              .url = URL,
                                              .sponsor = "Robin",
                                              .hosts = hosts,
                                              .host_count = 2,
                                              .expires = 1796056140};

    (void)state;
    expect_text("Subject: {login} on {hosts}\n\n{name} {email} {rule}\n{url}\nuntil {expires}, ask {sponsor}\n",
                &values, "taylor on lab1, lab2",
                "Taylor Example taylor@fabrikam.example partners\n" URL "\nuntil 2026-11-30 16:29 UTC, ask Robin\n");
    /* CR LF, a byte order mark, no line end at the end, upper case in the field's name. */
    expect_text("\xef\xbb\xbfSUBJECT:a\r\n\r\n{url}\r\nb", &values, "a", URL "\nb\n");
    expect_text("Subject: {{a} }\n\n{{url} {{{url}}\n", &values, "{a} }", "{url} {" URL "}\n");
}

static void a_line_of_empty_values_is_left_out(void **state)
{
    const struct ei_template_values values = {.login = "taylor", .url = URL, .name = ""};

    (void)state;
    expect_text(
        "Subject: Hello {name}\n\nHello {name},\n\n{url}\n\nAsk {sponsor}\n{sponsor}{expires}\n{login} {sponsor}\n"
        "\nend\n",
        &values, "Hello ", URL "\n\ntaylor \n\nend\n");
    expect_text("Subject: a\n\n{url}\n\n{sponsor}\n\nend\n", &values, "a", URL "\n\nend\n");
}

/* A value is text and nothing else: no line, no header, no template, no turning of what stands around it. */
static void a_value_stays_a_value(void **state)
{
    const char *const bad_hosts[] = {"a\nb", "c"};
    const struct ei_template_values values = {
        .name = "Taylor\r\nBcc: all@fabrikam.example\r\n\r\nevil {url} {{",
        .login = "a\xe2\x80\xa8"
                 "b\xe2\x80\xae"
                 "c\xe2\x81\xa6"
                 "d\xc2\x85"
                 "e\x7f\t",
        .email = "a\xff\xc3",
        .url = URL,
        .hosts = bad_hosts,
        .host_count = 2,
    };

    (void)state;
    expect_text("Subject: {name}\n\n{url}|{login}|{email}|{hosts}|{name}\n", &values,
                "Taylor  Bcc: all@fabrikam.example    evil {url} {{",
                URL "|a b c d e  |a??|a b, c|Taylor  Bcc: all@fabrikam.example    evil {url} {{\n");
}

static void what_is_no_template_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        enum ei_template_kind kind;
        const char *reason;
    } cases[] = {
        {"", EI_TEMPLATE_INVITATION, "t.txt:1: the first line must be \"Subject:"},
        {"Hello\n\n{url}\n", EI_TEMPLATE_INVITATION, "t.txt:1: the first line must be \"Subject:"},
        {"\nSubject: a\n\n{url}\n", EI_TEMPLATE_INVITATION, "t.txt:1: the first line"},
        {"Subject:  \n\n{url}\n", EI_TEMPLATE_INVITATION, "t.txt:1: the subject is empty"},
        {"Subject: a\tb\n\n{url}\n", EI_TEMPLATE_INVITATION, "t.txt:1: holds a control"},
        {"Subject: {url}\n\n{url}\n", EI_TEMPLATE_INVITATION, "t.txt:1: {url} is not for the subject"},
        {"Subject: a", EI_TEMPLATE_INVITATION, "t.txt:3: there is no text"},
        {"Subject: a\nTo: b\n\n{url}\n", EI_TEMPLATE_INVITATION, "t.txt:2: an empty line must follow"},
        {"Subject: a\n\n \n\t\n", EI_TEMPLATE_INVITATION, "t.txt:3: there is no text"},
        {"Subject: a\n\nb\n", EI_TEMPLATE_INVITATION, "{url} is missing"},
        {"Subject: a\n\nb {{url}\n", EI_TEMPLATE_REMINDER, "{url} is missing"},
        {"Subject: a\n\nb\n{url}\n", EI_TEMPLATE_SPONSOR, "must not have {url}"},
        {"Subject: a\n\nb\n{url} {nmae}\n", EI_TEMPLATE_INVITATION, "t.txt:4: {nmae} is no placeholder"},
        {"Subject: a\n\n{url} {URL}\n", EI_TEMPLATE_INVITATION, "t.txt:3: {URL} is no placeholder"},
        {"Subject: a\n\n{url} {}\n", EI_TEMPLATE_INVITATION, "t.txt:3: {} is no placeholder"},
        {"Subject: a\n\n{url} {na\nme}\n", EI_TEMPLATE_INVITATION, "t.txt:3: a brace is open"},
        {"Subject: a {\n\n{url}\n", EI_TEMPLATE_INVITATION, "t.txt:1: a brace is open"},
        {"Subject: a\n\n{url}\n\n\xfc\n", EI_TEMPLATE_INVITATION, "t.txt:5: is not well-formed UTF-8"},
        {"Subject: \xc3\n\n{url}\n", EI_TEMPLATE_INVITATION, "t.txt:1: is not well-formed UTF-8"},
        {"Subject: a\n\n{url}\r\nb\rc\n", EI_TEMPLATE_INVITATION, "t.txt:4: holds a control"},
        {"Subject: a\n\n{url}\x1b[1m\n", EI_TEMPLATE_INVITATION, "t.txt:3: holds a control"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(cases[i].text, strlen(cases[i].text), cases[i].kind, cases[i].reason);
    expect_refused("Subject: a\n\n{url}\0b\n", 20, EI_TEMPLATE_INVITATION, "NUL");
}

static void sizes_have_limits(void **state)
{
    enum { NAME = 60000 };
    char *text = malloc(EI_TEMPLATE_MAX + 64);
    char *name = malloc(NAME + 1);
    struct ei_template_values values = {.url = URL, .name = name};
    struct ei_template_text rendered = {0};
    struct ei_error err = {0};

    (void)state;
    assert_non_null(text);
    assert_non_null(name);
    size_t used = (size_t)sprintf(text, "Subject: a\n\n{url}\n");
    memset(text + used, 'x', EI_TEMPLATE_MAX + 1 - used);
    expect_refused(text, EI_TEMPLATE_MAX + 1, EI_TEMPLATE_INVITATION, "larger than 64 KiB");
    text[EI_TEMPLATE_MAX] = '\0';
    struct ei_template *template = parse(text, EI_TEMPLATE_INVITATION);
    ei_template_free(template);
    sprintf(text, "Subject: %0600d\n\n{url}\n", 1);
    expect_refused(text, strlen(text), EI_TEMPLATE_INVITATION, "longer than 512");

    memset(name, 'n', NAME);
    name[NAME] = '\0';
    template = parse("Subject: {name}\n\n{url}\n", EI_TEMPLATE_INVITATION);
    assert_int_equal(ei_template_render(template, &values, &rendered, &err), EI_TEMPLATE);
    assert_null(rendered.subject);
    ei_template_free(template);
    template = parse("Subject: a\n\n{url}{name}{name}{name}{name}{name}\n", EI_TEMPLATE_INVITATION);
    assert_int_equal(ei_template_render(template, &values, &rendered, &err), EI_TEMPLATE);
    ei_template_free(template);
    template = parse("Subject: {sponsor}\n\n{url}\n", EI_TEMPLATE_INVITATION);
    assert_int_equal(ei_template_render(template, &values, &rendered, &err), EI_TEMPLATE);
    ei_template_free(template);
    /* An invitation without the address at which to accept is none. */
    template = parse("Subject: a\n\n{url} b\n", EI_TEMPLATE_INVITATION);
    values.url = "";
    assert_int_equal(ei_template_render(template, &values, &rendered, &err), EI_TEMPLATE);
    ei_template_free(template);
    free(text);
    free(name);
}

static void a_file_is_read_and_named(void **state)
{
    char path[] = "/tmp/template-XXXXXX";
    struct ei_template *template = NULL;
    struct ei_error err = {0};
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "Subject: a\n\n{url}\n", 18), 18);
    assert_int_equal(ei_template_load(path, EI_TEMPLATE_REMINDER, &template, &err), EI_OK);
    ei_template_free(template);
    assert_int_equal(write(fd, "{x}\n", 4), 4);
    close(fd);
    assert_int_equal(ei_template_load(path, EI_TEMPLATE_REMINDER, &template, &err), EI_TEMPLATE);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, ":4: {x}"));
    unlink(path);
    assert_int_equal(ei_template_load(path, EI_TEMPLATE_REMINDER, &template, &err), EI_TEMPLATE);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(ei_template_load("/tmp", EI_TEMPLATE_REMINDER, &template, &err), EI_TEMPLATE);
    assert_non_null(strstr(err.message, "not a regular file"));
}

static void the_built_in_texts_are_good(void **state)
{
    const struct ei_template_values full = {.name = "Taylor",
                                            .login = "taylor",
                                            .email = "taylor@fabrikam.example",
                                            .url = URL,
                                            .hosts = hosts,
                                            .host_count = 1,
                                            .expires = 1796056140,
                                            .sponsor = "Robin"};
    const struct ei_template_values least = {
        .email = "taylor@fabrikam.example", .url = URL, .hosts = hosts, .host_count = 1};

    (void)state;
    for (int kind = 0; kind < EI_TEMPLATE_KINDS; kind++) {
        struct ei_template *template = NULL;
        struct ei_template_text text = {0};
        struct ei_error err = {0};
        if (ei_template_builtin((enum ei_template_kind)kind, NULL, NULL, &template, &err) != EI_OK)
            fail_msg("%s", err.message);
        assert_int_equal(ei_template_render(template, &full, &text, &err), EI_OK);
        print_message("Subject: %s\n\n%s---\n", text.subject, text.body);
        assert_int_equal(strstr(text.body, URL) != NULL, kind != EI_TEMPLATE_SPONSOR);
        assert_non_null(strstr(text.body, "2026-11-30 16:29 UTC"));
        assert_true(ei_utf8_text(text.body, strlen(text.body)));
        ei_template_text_free(&text);
        assert_int_equal(ei_template_render(template, &least, &text, &err), EI_OK);
        assert_null(strstr(text.body, "Login:"));
        assert_null(strstr(text.body, ": \n"));
        assert_null(strstr(text.body, "\n\n\n"));
        ei_template_text_free(&text);
        ei_template_free(template);
    }
}

/* Run from the top of the tree. */
static void the_page_has_every_placeholder(void **state)
{
    enum { PAGE_MAX = 256 * 1024 };
    char *page = calloc(1, PAGE_MAX);
    FILE *file = fopen("conf/entra-invite.conf.5", "r");

    (void)state;
    assert_true(page != NULL && file != NULL);
    size_t length = fread(page, 1, PAGE_MAX - 1, file);
    fclose(file);
    assert_true(length > 0 && length < PAGE_MAX - 1);
    const char *section = strstr(page, "\n.Sh MESSAGE TEMPLATES\n");
    assert_non_null(section);
    for (const char *const *name = ei_template_placeholders(); *name != NULL; name++) {
        char item[64];
        snprintf(item, sizeof item, "\n.It Li {%s}\n", *name);
        if (strstr(section, item) == NULL)
            fail_msg("{%s} is not in the page", *name);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_take_their_places),    cmocka_unit_test(a_line_of_empty_values_is_left_out),
        cmocka_unit_test(a_value_stays_a_value),       cmocka_unit_test(what_is_no_template_is_refused_with_its_line),
        cmocka_unit_test(sizes_have_limits),           cmocka_unit_test(a_file_is_read_and_named),
        cmocka_unit_test(the_built_in_texts_are_good), cmocka_unit_test(the_page_has_every_placeholder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
