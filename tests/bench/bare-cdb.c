/*
 * The least that publishing a view takes: a cdb of as many records of the same size, fsync, rename, fsync of the
 * directory. Nothing is read from anywhere, nothing is checked.
 *
 *   bare-cdb PATH COUNT DATA-SIZE       keys as the view's are: "U:", user0 …, 8 bytes
 */
#include <cdb.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DATA_MAX = 4096, SPREAD = 8 };

static int fail(const char *what)
{
    perror(what);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned char data[DATA_MAX] = {1}, key[64];
    struct cdb_make cdb;
    char temp[4096], directory[4096];

    if (argc != 4 || atoi(argv[3]) > DATA_MAX) {
        fprintf(stderr, "usage: bare-cdb PATH COUNT DATA-SIZE\n");
        return 2;
    }
    unsigned count = (unsigned)strtoul(argv[2], NULL, 10), size = (unsigned)atoi(argv[3]);
    snprintf(temp, sizeof temp, "%s.tmp", argv[1]);
    snprintf(directory, sizeof directory, "%s", argv[1]);
    int fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || cdb_make_start(&cdb, fd) < 0)
        return fail(temp);
    for (unsigned i = 0; i < count; i++) {
        int length = snprintf((char *)key, sizeof key, "U:user%u", i);
        /* The view's keys end in a hash, so that cdb's own hash spreads; here a multiple of the number does. */
        unsigned long long spread = i * 0x9e3779b97f4a7c15u;
        memcpy(key + length, &spread, SPREAD);
        if (cdb_make_add(&cdb, key, (unsigned)length + SPREAD, data, size) < 0)
            return fail(temp);
    }
    if (cdb_make_finish(&cdb) < 0 || fsync(fd) < 0 || close(fd) < 0 || rename(temp, argv[1]) < 0)
        return fail(temp);
    int directory_fd = open(dirname(directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_fd < 0 || fsync(directory_fd) < 0)
        return fail(directory);
    return 0;
}
