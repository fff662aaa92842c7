/* The matrix over real accounts: matrix_main MODULE. Prints one line as a host test does, with the differences before
 * it. */
#include <pwd.h>
#include <stdio.h>

#include "tests/host/pam-matrix/matrix.h"

int main(int argc, char **argv)
{
    int cells = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s MODULE\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < account_count; i++) {
        struct passwd *entry = getpwnam(accounts[i].login);
        if ((entry == NULL) != (accounts[i].class == UNKNOWN) || (entry != NULL && entry->pw_uid != accounts[i].uid)) {
            printf("not ok - the accounts of the matrix are as it needs them (%s)\n", accounts[i].login);
            return 1;
        }
    }
    if (!world_open()) {
        perror(base);
        return 1;
    }
    int differences = run_cells(argv[1], &cells);
    world_close();
    printf("%s - %d cells of the return code matrix (S12), %d differ\n", differences == 0 ? "ok" : "not ok", cells,
           differences);
    return differences != 0;
}
