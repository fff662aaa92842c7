/*
 * The return codes of the PAM module, asserted through a real libpam (S12): every account × condition of the view ×
 * source of the covered groups × pending= × control line.
 *
 * Two programs are made of this: matrix_main.c runs it over real accounts in a lab (../test-pam-matrix.sh), and
 * tests/unit/test_pam.c over accounts that it makes up itself, with failures that no real host gives on demand.
 */
#ifndef EI_TESTS_PAM_MATRIX_H
#define EI_TESTS_PAM_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/view/view_write.h"

/* --- accounts: the same in both programs --- */

enum class {
    COVERED,     /* member of partners */
    NOT_COVERED, /* of no covered group */
    EXEMPT,      /* member of partners, and root or below minimum_uid: never judged */
    UNKNOWN,     /* not in passwd */
};

struct account {
    const char *login;
    uid_t uid;
    enum class class;
    const char *gecos;
    const char *address; /* in gecos */
};

#define GROUP     "partners"
#define GROUP_GID 4000

extern const struct account accounts[];
extern const size_t account_count;

/* --- conditions.c: the view and what can be wrong with it --- */

struct condition {
    const char *name;
    void (*make)(void);
    int covered;        /* the code for a covered account */
    int other;          /* the code for one that is not covered */
    bool broken;        /* the view cannot be used: who is covered comes from elsewhere */
    const char *phrase; /* what a refused person reads, among other things; NULL where nobody is refused */
};

extern const struct condition conditions[];
extern const size_t condition_count;

enum source { FROM_OPTION, FROM_FILE, FROM_NOWHERE, SOURCES };
extern const char *const source_names[SOURCES];

extern char base[64];       /* a directory of the test's own */
extern char view_path[128]; /* what view= is given */

/* Makes, and removes, the directory. */
bool world_open(void);
void world_close(void);
/* Puts condition and source into it; whatever was there is gone. */
void world_set(const struct condition *condition, enum source source);
/* A good view with one record of each account, in the state given (0: without records). */
void make_view(enum ei_state state);

/* --- session.c: libpam, and what it says --- */

struct heard {
    int messages; /* of the conversation */
    int style;
    char text[2048];
    int errors; /* log lines of LOG_ERR */
    int notices;
    char line[2048];
};

/* How the module's line is controlled; each is followed by `account required pam_permit.so` but ALONE. */
enum control { ALONE, REQUIRED, PACKAGED, CONTROLS };

/* Writes the services that name module with options. */
void write_services(const char *module, const char *options);
/* One pam_acct_mgmt. user NULL: PAM_USER is not set. */
int account_session(enum control control, const char *user, int flags, struct heard *heard);
/* The module's own answer, which `required` shows but for PAM_IGNORE: found by two stacks. */
int module_code(const char *user, int flags, struct heard *heard);
const char *code_name(int code);

/* --- cells.c --- */

/* All cells; prints what differs, returns how many do. *ret_cells: how many there were. */
int run_cells(const char *module, int *ret_cells);

#endif
