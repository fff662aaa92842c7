#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "tests/fuzz/fuzz.h"

void ei_fuzz_broken(const char *property, const char *file, int line)
{
    /* stderr may be an ear just now. */
    dprintf(STDERR_FILENO, "%s:%d: this does not hold: %s\n", file, line, property);
    abort();
}

/* --- the input --- */

uint8_t ei_input_byte(struct ei_input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

uint64_t ei_input_number(struct ei_input *input, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)ei_input_byte(input) << (8 * i);
    return value;
}

size_t ei_input_text(struct ei_input *input, char end, char *out, size_t size)
{
    size_t length = 0;

    while (input->size != 0 && length + 1 < size) {
        char c = (char)ei_input_byte(input);
        if (c == end || c == '\0')
            break;
        out[length++] = c;
    }
    out[length] = '\0';
    return length;
}

char *ei_input_line(struct ei_input *input, char end)
{
    char *text = malloc(input->size + 1);

    EI_MUST(text != NULL);
    ei_input_text(input, end, text, input->size + 1);
    return text;
}

/* --- files --- */

static char directory[64];

static void remove_directory(void)
{
    static const char *const names[] = {"a", "a.tmp", "b", "other.conf"};
    char path[96];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
}

const char *ei_fuzz_path(const char *name)
{
    static char paths[4][96];
    static unsigned turn;

    if (directory[0] == '\0') {
        snprintf(directory, sizeof directory, "%s/ei-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        EI_MUST(mkdtemp(directory) != NULL);
        atexit(remove_directory);
    }
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

const char *ei_fuzz_file(const char *name, const void *data, size_t size)
{
    const char *path = ei_fuzz_path(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    EI_MUST(fd >= 0);
    EI_MUST(fchmod(fd, 0644) == 0);
    EI_MUST(write(fd, data, size) == (ssize_t)size);
    close(fd);
    return path;
}

int ei_fuzz_free_descriptor(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

    EI_MUST(fd >= 0);
    close(fd);
    return fd;
}

/* --- time --- */

static int64_t now(void)
{
    return EI_FUZZ_NOW;
}

static int64_t now_ms(void)
{
    return EI_FUZZ_NOW_MS;
}

void ei_fuzz_stop_clock(void)
{
    static const struct ei_clock stopped = {.now = now, .monotonic_ms = now_ms};

    ei_clock_set(&stopped);
}

/* --- what is said --- */

static FILE *usual_stdout;
static FILE *usual_stderr;
static char *heard;
static size_t heard_size;

void ei_fuzz_listen(void)
{
    FILE *ear = open_memstream(&heard, &heard_size);

    EI_MUST(ear != NULL);
    usual_stdout = stdout;
    usual_stderr = stderr;
    stdout = stderr = ear;
    ei_log_open("fuzz", EI_LOG_STDERR, LOG_DEBUG);
}

char *ei_fuzz_heard(void)
{
    fclose(stderr);
    stdout = usual_stdout;
    stderr = usual_stderr;
    return heard;
}

/* By the code points, where the product goes by the bytes. */
bool ei_fuzz_utf8(const char *text, size_t length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text, *end = at + length;

    while (at < end) {
        int count = *at < 0x80 ? 1 : *at >> 5 == 6 ? 2 : *at >> 4 == 14 ? 3 : *at >> 3 == 30 ? 4 : 0;
        if (count == 0 || count > end - at)
            return false;
        uint32_t point = count == 1 ? *at : *at & (0x7fu >> count);
        for (int i = 1; i < count; i++) {
            if (at[i] >> 6 != 2)
                return false;
            point = point << 6 | (at[i] & 0x3f);
        }
        if (point < least[count] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return false;
        at += count;
    }
    return true;
}

bool ei_fuzz_lines(char *text, const char *before)
{
    for (char *line = text, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        if (end == NULL)
            return false;
        *end = '\0';
        bool good = ei_fuzz_one_line(line) && strncmp(line, before, strlen(before)) == 0;
        *end = '\n';
        if (!good)
            return false;
    }
    return true;
}

bool ei_fuzz_one_line(const char *text)
{
    if (!ei_fuzz_utf8(text, strlen(text)))
        return false;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
        if (*at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
            return false;
    return true;
}

void ei_fuzz_judge_error(enum ei_err rc, const struct ei_error *err)
{
    EI_MUST(rc > EI_OK && rc < EI_ERR_COUNT);
    EI_MUST(err->code == rc);
    EI_MUST(strnlen(err->message, sizeof err->message) < sizeof err->message);
    EI_MUST(err->message[0] != '\0' && ei_fuzz_one_line(err->message));
    EI_MUST(ei_err_name(rc) != NULL && ei_err_mend(rc) != NULL);
}
