#include "plugin/cli/pam_stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/array.h"

/* As libpam, which stops at a depth of its own. */
enum { DEPTH_MAX = 16, PATH_SIZE = 1024, LINE_SIZE = 4096, LINES_MAX = 1000 };

struct reading {
    const char *root;
    const char *type;
    struct ei_pam_stack *stack;
};

static bool read_file(const struct reading *reading, const char *name, int level, int depth, bool *ret_there);

/* --- one line --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the next word off: what stands in brackets is one. NULL at the end. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " \t");

    if (*word == '\0')
        return NULL;
    char *end = *word == '[' ? word + strcspn(word, "]") : word + strcspn(word, " \t");
    if (*word == '[')
        word++;
    *at = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool add_line(struct ei_pam_stack *stack, const char *where, const char *control, const char *module,
                     const char *arguments, int level)
{
    struct ei_pam_line *lines = ei_array_room(stack->lines, stack->count, &stack->room, sizeof *lines);

    if (lines == NULL || stack->count >= LINES_MAX)
        return false;
    stack->lines = lines;
    struct ei_pam_line *line = &lines[stack->count++];
    *line = (struct ei_pam_line){strdup(where), strdup(control), strdup(module), strdup(arguments), level};
    return line->where != NULL && line->control != NULL && line->module != NULL && line->arguments != NULL;
}

static bool include(const struct reading *reading, const char *name, int level, int depth)
{
    bool there = true;

    if (depth >= DEPTH_MAX || !read_file(reading, name, level, depth + 1, &there))
        return false;
    if (!there && reading->stack->missing == NULL)
        reading->stack->missing = strdup(name);
    return true;
}

static bool take_line(const struct reading *reading, char *text, const char *where, int level, int depth)
{
    char *type = next_word(&text);

    if (type == NULL || *type == '#')
        return true;
    if (strcmp(type, "@include") == 0) {
        const char *name = next_word(&text);
        return name == NULL || include(reading, name, level, depth);
    }
    if (*type == '-')
        type++;
    if (strcasecmp(type, reading->type) != 0)
        return true;
    const char *control = next_word(&text);
    const char *module = control != NULL ? next_word(&text) : NULL;
    if (module == NULL)
        return true;
    if (strcasecmp(control, "include") == 0)
        return include(reading, module, level, depth);
    if (strcasecmp(control, "substack") == 0)
        return add_line(reading->stack, where, "substack", "", module, level) &&
               include(reading, module, level + 1, depth);
    return add_line(reading->stack, where, control, module, text + strspn(text, " \t"), level);
}

/* --- one file --- */

static FILE *open_service(const char *root, const char *name, char path[PATH_SIZE])
{
    static const char *const folders[] = {"/etc/pam.d", "/usr/lib/pam.d"};
    FILE *file = NULL;

    if (*name == '/') {
        snprintf(path, PATH_SIZE, "%s%s", root, name);
        return fopen(path, "re");
    }
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && file == NULL; i++) {
        snprintf(path, PATH_SIZE, "%s%s/%s", root, folders[i], name);
        file = fopen(path, "re");
    }
    return file;
}

/* A line that ends in a backslash goes on in the next; a comment ends it. false at the end of the file. */
static bool join_lines(FILE *file, char line[LINE_SIZE], int *number)
{
    size_t used = 0;

    line[0] = '\0';
    for (bool more = true; more;) {
        if (used + 2 >= LINE_SIZE || fgets(line + used, (int)(LINE_SIZE - used), file) == NULL)
            return used != 0;
        (*number)++;
        used += strcspn(line + used, "\n#");
        line[used] = '\0';
        more = used != 0 && line[used - 1] == '\\';
        if (more)
            line[used - 1] = ' ';
    }
    while (used != 0 && is_blank(line[used - 1]))
        line[--used] = '\0';
    return true;
}

static bool read_file(const struct reading *reading, const char *name, int level, int depth, bool *ret_there)
{
    char path[PATH_SIZE];
    char where[PATH_SIZE + 16];
    char line[LINE_SIZE];
    int number = 0;
    bool good = true;
    FILE *file = open_service(reading->root, name, path);

    *ret_there = file != NULL;
    if (file == NULL)
        return true;
    while (good && join_lines(file, line, &number)) {
        snprintf(where, sizeof where, "%s:%d", path, number);
        good = take_line(reading, line, where, level, depth);
    }
    fclose(file);
    return good;
}

bool ei_pam_stack_read(const char *root, const char *service, const char *type, struct ei_pam_stack *ret_stack)
{
    struct ei_pam_stack stack = {0};
    struct reading reading = {root, type, &stack};
    bool there = false;
    bool other = false;
    bool good = read_file(&reading, service, 0, 0, &there);

    if (good && there && stack.count == 0)
        good = read_file(&reading, "other", 0, 0, &other);
    if (!good || !there) {
        ei_pam_stack_free(&stack);
        return false;
    }
    *ret_stack = stack;
    return true;
}

void ei_pam_stack_free(struct ei_pam_stack *stack)
{
    for (size_t i = 0; i < stack->count; i++) {
        free(stack->lines[i].where);
        free(stack->lines[i].control);
        free(stack->lines[i].module);
        free(stack->lines[i].arguments);
    }
    free(stack->lines);
    free(stack->missing);
    *stack = (struct ei_pam_stack){0};
}

/* --- what it means --- */

size_t ei_pam_stack_find(const struct ei_pam_stack *stack, const char *module)
{
    for (size_t i = 0; i < stack->count; i++) {
        const char *slash = strrchr(stack->lines[i].module, '/');
        if (strcmp(slash != NULL ? slash + 1 : stack->lines[i].module, module) == 0)
            return i;
    }
    return stack->count;
}

/* The words of pam.conf(5), written out as it says. */
static const char *written_out(const char *control)
{
    static const struct {
        const char *word;
        const char *actions;
    } words[] = {
        {"required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad"},
        {"requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die"},
        {"sufficient", "success=done new_authtok_reqd=done default=ignore"},
        {"optional", "success=ok new_authtok_reqd=ok default=ignore"},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(words[i].word, control) == 0)
            return words[i].actions;
    return control;
}

static const char *action_of(const char *actions, const char *answer, size_t *ret_length)
{
    size_t length = strlen(answer);

    for (const char *at = actions + strspn(actions, " \t"); *at != '\0';) {
        size_t word = strcspn(at, " \t");
        if (word > length && at[length] == '=' && strncmp(at, answer, length) == 0) {
            *ret_length = word - length - 1;
            return at + length + 1;
        }
        at += word;
        at += strspn(at, " \t");
    }
    return NULL;
}

const char *ei_pam_action(const char *control, const char *answer, size_t *ret_length)
{
    const char *actions = written_out(control);
    const char *action = action_of(actions, answer, ret_length);

    if (action == NULL)
        action = action_of(actions, "default", ret_length);
    if (action != NULL)
        return action;
    *ret_length = strlen("bad");
    return "bad"; /* libpam's own default for an answer that no word names */
}

bool ei_pam_action_is(const char *control, const char *answer, const char *action)
{
    size_t length = 0;
    const char *found = ei_pam_action(control, answer, &length);

    return length == strlen(action) && strncmp(found, action, length) == 0;
}

/* Answers that a module gives to whom it does not refuse. */
static const char *const good_answers[] = {"success", "new_authtok_reqd", "ignore"};
enum { GOOD_ANSWERS = sizeof good_answers / sizeof good_answers[0] };

static bool may_end(const char *control)
{
    for (size_t i = 0; i < GOOD_ANSWERS; i++)
        if (ei_pam_action_is(control, good_answers[i], "done"))
            return true;
    return false;
}

/* The longest jump that a good or, by default, any answer makes. */
static long jump_of(const char *control)
{
    static const char *const answers[] = {"success", "new_authtok_reqd", "ignore",
                                          "default", "user_unknown",     "authinfo_unavail"};
    long longest = 0;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        size_t length = 0;
        const char *action = ei_pam_action(control, answers[i], &length);
        long jump = length != 0 && *action >= '0' && *action <= '9' ? strtol(action, NULL, 10) : 0;
        if (jump > longest)
            longest = jump;
    }
    return longest;
}

/* A jump counts lines of its own level, a substack as one. */
static bool jumps_over(const struct ei_pam_stack *stack, size_t from, size_t at)
{
    long left = jump_of(stack->lines[from].control);

    for (size_t i = from + 1; i <= at && stack->lines[i].level >= stack->lines[from].level; i++) {
        if (stack->lines[i].level == stack->lines[from].level && left-- == 0)
            return false;
        if (i == at)
            return true;
    }
    return false;
}

/* The end of a substack is not that of the stack around it. */
static bool ends_before(const struct ei_pam_stack *stack, size_t from, size_t at)
{
    for (size_t i = from + 1; i <= at; i++)
        if (stack->lines[i].level < stack->lines[from].level)
            return false;
    return may_end(stack->lines[from].control);
}

size_t ei_pam_stack_hidden_by(const struct ei_pam_stack *stack, size_t at)
{
    for (size_t i = 0; i < at && at < stack->count; i++)
        if (stack->lines[i].module[0] != '\0' && (ends_before(stack, i, at) || jumps_over(stack, i, at)))
            return i;
    return stack->count;
}
