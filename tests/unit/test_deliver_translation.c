/* Catalogues that msgfmt made, found by the language of a message whatever the locale of the process is; a damaged one
 * is none, and nothing outside of it is read. Run from the top of the tree. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/deliver/template.h"
#include "common/deliver/translation.h"

enum { FILE_MAX = 256 * 1024 };

static char dir[] = "/tmp/locale-XXXXXX";
static bool there;

static const char original[] = "Your access to {hosts}";

static bool run_program(const char *const *argv)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void path_of(char path[512], const char *locale)
{
    snprintf(path, 512, "%s/%s", dir, locale);
    mkdir(path, 0755);
    snprintf(path, 512, "%s/%s/LC_MESSAGES", dir, locale);
    mkdir(path, 0755);
    snprintf(path, 512, "%s/%s/LC_MESSAGES/entra-invite.mo", dir, locale);
}

/* A catalogue with this one text. */
static bool compile(const char *locale, const char *translated)
{
    char po[256];
    char mo[512];

    snprintf(po, sizeof po, "%s/one.po", dir);
    path_of(mo, locale);
    FILE *file = fopen(po, "w");
    if (file == NULL)
        return false;
    fprintf(file,
            "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n\nmsgid \"another\"\nmsgstr \"x\"\n\n"
            "msgid \"%s\"\nmsgstr \"%s\"\n",
            original, translated);
    fclose(file);
    const char *const argv[] = {"msgfmt", "-o", mo, po, NULL};
    return run_program(argv);
}

static int make_catalogues(void **state)
{
    static const char *const names[] = {"de",    "de_CH", "zh_CN", "zh_TW",       "sr@latin", "sr",
                                        "pt_BR", "nb",    "fil",   "sr_RS@latin", "ko"};

    (void)state;
    assert_non_null(mkdtemp(dir));
    there = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        there = there && compile(names[i], names[i]);
    for (size_t i = 0; i < 3; i++) {
        static const char *const whole[] = {"th", "ko_KR", "zh_SG"};
        static const char *const from[] = {"th", "ko", "zh_CN"};
        char po[64];
        char mo[512];
        snprintf(po, sizeof po, "tests/host/deliver/po/%s.po", from[i]);
        path_of(mo, whole[i]);
        const char *const argv[] = {"msgfmt", "--check-format", "-o", mo, po, NULL};
        there = there && run_program(argv);
    }
    if (!there)
        print_message("msgfmt is missing: these tests are skipped\n");
    return 0;
}

static int remove_catalogues(void **state)
{
    const char *const argv[] = {"rm", "-rf", dir, NULL};

    (void)state;
    assert_true(run_program(argv));
    return 0;
}

#define NEEDS_MSGFMT()                                                                                                 \
    (void)state;                                                                                                       \
    if (!there)                                                                                                        \
    skip()

static void expect_found(const char *language, const char *wanted)
{
    struct ei_translation *translation = ei_translation_open(dir, language);
    const char *found = translation != NULL ? ei_translation_find(translation, original) : NULL;

    if (wanted == NULL ? found != NULL : found == NULL || strcmp(found, wanted) != 0)
        fail_msg("%s gave %s, not %s", language, found != NULL ? found : "none", wanted != NULL ? wanted : "none");
    ei_translation_free(translation);
}

static void the_language_is_the_messages(void **state)
{
    NEEDS_MSGFMT();
    static const char *const environments[] = {"C", "C.UTF-8", "xx_YY.UTF-8"};

    for (size_t i = 0; i < sizeof environments / sizeof environments[0]; i++) {
        setenv("LC_ALL", environments[i], 1);
        setenv("LANGUAGE", "ko", 1);
        expect_found("de", "de");
        expect_found("de-DE", "de");
        expect_found("DE-at", "de");
        expect_found("de-CH", "de_CH");
        expect_found("de-Latn-CH-1996", "de_CH");
        expect_found("ko", "ko");
        expect_found("fil-PH", "fil");
        expect_found("pt-BR", "pt_BR");
        expect_found("pt", NULL);
        expect_found("en-US", NULL);
        expect_found("nb-NO", "nb");
    }
    unsetenv("LC_ALL");
    unsetenv("LANGUAGE");
}

static void scripts_choose(void **state)
{
    NEEDS_MSGFMT();
    expect_found("zh", "zh_CN");
    expect_found("zh-Hans", "zh_CN");
    expect_found("zh-Hant", "zh_TW");
    expect_found("zh-HK", "zh_TW");
    expect_found("zh-Hant-HK", "zh_TW");
    expect_found("zh-CN", "zh_CN");
    expect_found("sr", "sr");
    expect_found("sr-Latn", "sr@latin");
    expect_found("sr-Latn-RS", "sr_RS@latin");
    expect_found("sr-Cyrl-RS", "sr");
}

/* A tag becomes part of a path. */
static void a_tag_is_no_path(void **state)
{
    NEEDS_MSGFMT();
    static const char *const tags[] = {
        "", "-", "de-", "..", "../de", "de/../de", "/etc", "d\xc3\xa9", "de.UTF-8", "abcdefghijklmnop", "de_DE"};

    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        expect_found(tags[i], NULL);
}

static size_t read_file(const char *path, char *data)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd >= 0 ? read(fd, data, FILE_MAX) : -1;

    if (count < 0)
        fail_msg("%s cannot be read", path);
    close(fd);
    return (size_t)count;
}

static void write_file(const char *path, const char *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0 && write(fd, data, length) == (ssize_t)length);
    close(fd);
}

/* Each byte of the tables set to another, and each length: ASan sees what is read outside. */
static void a_damaged_catalogue_harms_nothing(void **state)
{
    NEEDS_MSGFMT();
    char *data = malloc(FILE_MAX);
    char path[512];

    assert_non_null(data);
    path_of(path, "de");
    size_t length = read_file(path, data);
    path_of(path, "xx");
    for (size_t i = 0; i <= length; i++) {
        write_file(path, data, i);
        struct ei_translation *translation = ei_translation_open(dir, "xx");
        if (translation != NULL)
            (void)ei_translation_find(translation, original);
        ei_translation_free(translation);
    }
    expect_found("xx", "de");
    for (size_t i = 0; i < length; i++) {
        char kept = data[i];
        data[i] = (char)(kept ^ 0xff);
        write_file(path, data, length);
        struct ei_translation *translation = ei_translation_open(dir, "xx");
        if (translation != NULL)
            (void)ei_translation_find(translation, original);
        ei_translation_free(translation);
        data[i] = kept;
    }
    unlink(path);
    free(data);
}

static const char *const hosts[] = {"lab1"};
static const struct ei_template_values values = {.name = "Taylor",
                                                 .login = "taylor",
                                                 .email = "taylor@fabrikam.example",
                                                 .url = "https://login.example/redeem",
                                                 .hosts = hosts,
                                                 .host_count = 1};

static void expect_builtin(const char *language, enum ei_template_kind kind, const char *subject, const char *in_body)
{
    struct ei_template *template = NULL;
    struct ei_template_text text = {0};

    assert_int_equal(ei_template_builtin(kind, language, dir, &template, NULL), EI_OK);
    assert_int_equal(ei_template_render(template, &values, &text, NULL), EI_OK);
    assert_string_equal(text.subject, subject);
    assert_non_null(strstr(text.body, in_body));
    ei_template_text_free(&text);
    ei_template_free(template);
}

static void a_text_in_another_script_is_rendered(void **state)
{
    NEEDS_MSGFMT();
    expect_builtin(
        "th-TH", EI_TEMPLATE_INVITATION,
        "\xe0\xb8\x81\xe0\xb8\xb2\xe0\xb8\xa3\xe0\xb9\x80\xe0\xb8\x82\xe0\xb9\x89\xe0\xb8\xb2\xe0\xb9\x83\xe0\xb8"
        "\x8a\xe0\xb9\x89\xe0\xb8\x87\xe0\xb8\xb2\xe0\xb8\x99 lab1 \xe0\xb8\x82\xe0\xb8\xad\xe0\xb8\x87\xe0\xb8"
        "\x84\xe0\xb8\xb8\xe0\xb8\x93",
        "\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5 Taylor\n");
    expect_builtin("ko-KR", EI_TEMPLATE_INVITATION,
                   "lab1 \xec\xa0\x91\xea\xb7\xbc \xea\xb6\x8c\xed\x95\x9c \xec\x95\x88\xeb\x82\xb4",
                   "\nhttps://login.example/redeem\n");
    expect_builtin("zh-SG", EI_TEMPLATE_INVITATION,
                   "\xe6\x82\xa8\xe5\xaf\xb9 lab1 \xe7\x9a\x84\xe8\xae\xbf\xe9\x97\xae\xe6\x9d\x83\xe9\x99\x90",
                   "\xe4\xb8\xbb\xe6\x9c\xba\xef\xbc\x9alab1\n");
    /* What the catalogue lacks, and where it has but half of a text: English. */
    expect_builtin("th-TH", EI_TEMPLATE_REMINDER, "Reminder: your access to lab1", "Hello Taylor,");
    expect_builtin("de", EI_TEMPLATE_INVITATION, "Your access to lab1", "Hello Taylor,");
    expect_builtin("en", EI_TEMPLATE_INVITATION, "Your access to lab1", "Hello Taylor,");
}

/* A translator's slip must not stop invitations, nor go out. */
static void a_bad_translation_is_not_sent(void **state)
{
    NEEDS_MSGFMT();
    char *po = malloc(FILE_MAX);
    char mo[512];
    char name[256];

    assert_non_null(po);
    size_t length = read_file("tests/host/deliver/po/ko.po", po);
    po[length] = '\0';
    char *slip = strstr(strstr(po, "msgstr \"\"\n\"{name} "), "{url}");
    assert_non_null(slip);
    memcpy(slip, "{ulr}", 5);
    snprintf(name, sizeof name, "%s/bad.po", dir);
    write_file(name, po, length);
    path_of(mo, "yy");
    const char *const argv[] = {"msgfmt", "-o", mo, name, NULL};
    assert_true(run_program(argv));
    expect_builtin("yy", EI_TEMPLATE_INVITATION, "Your access to lab1", "Hello Taylor,");
    free(po);
}

/* What translators begin with has the texts as they are now. */
static void the_template_for_translators_is_current(void **state)
{
    NEEDS_MSGFMT();
    char pot[256];
    char option[300];
    char *now = calloc(1, FILE_MAX + 1);
    char *kept = calloc(1, FILE_MAX + 1);

    assert_true(now != NULL && kept != NULL);
    snprintf(pot, sizeof pot, "%s/new.pot", dir);
    snprintf(option, sizeof option, "POT=%s", pot);
    const char *const argv[] = {"make", "-s", "pot", option, NULL};
    assert_true(run_program(argv));
    read_file(pot, now);
    read_file("common/deliver/po/entra-invite.pot", kept);
    /* The header is each xgettext's own. */
    assert_non_null(strstr(kept, "\n\n#. Translators"));
    assert_non_null(strstr(now, "\n\n#. Translators"));
    assert_string_equal(strstr(kept, "\n\n#. Translators"), strstr(now, "\n\n#. Translators"));
    free(now);
    free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_language_is_the_messages),
        cmocka_unit_test(scripts_choose),
        cmocka_unit_test(a_tag_is_no_path),
        cmocka_unit_test(a_damaged_catalogue_harms_nothing),
        cmocka_unit_test(a_text_in_another_script_is_rendered),
        cmocka_unit_test(a_bad_translation_is_not_sent),
        cmocka_unit_test(the_template_for_translators_is_current),
    };
    return cmocka_run_group_tests(tests, make_catalogues, remove_catalogues);
}
