/*
 * The error catalogue: what an AADSTS number of the login service (contract 1.7), an error code of Graph (6) or a text
 * of the invitation service (2.7) means. A row gives the code of the error table, which has the mend and whose fault
 * it is, and the cause in plain words. One table, so that no other place decides on a number or a text.
 */
#ifndef EI_GRAPH_CATALOGUE_H
#define EI_GRAPH_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* Of a request: it decides what a 4xx means. */
enum ei_about {
    EI_ABOUT_OTHER,      /* collections, the tenant */
    EI_ABOUT_OBJECT,     /* one object by its id: a 404 is an answer about it */
    EI_ABOUT_INVITATION, /* POST /invitations: contract 2.7 */
    EI_ABOUT_RESET,      /* the same with resetRedemption */
    EI_ABOUT_SIGN_IN,    /* device code and refresh token: contract 1.4, 1.5 */
};

enum ei_catalogue_kind {
    EI_ROW_LOGIN,  /* number */
    EI_ROW_GRAPH,  /* status and name, of every request */
    EI_ROW_INVITE, /* status and part of the message: EI_ABOUT_INVITATION and EI_ABOUT_RESET */
    EI_ROW_RESET,  /* the same: EI_ABOUT_RESET only */
};

struct ei_catalogue_row {
    enum ei_catalogue_kind kind;
    int64_t number;   /* AADSTS */
    long status;      /* HTTP; 0: any 4xx */
    const char *text; /* Graph's error code, or a part of the message in lower case */
    enum ei_err code;
    const char *cause;
};

extern const struct ei_catalogue_row ei_catalogue[];
extern const size_t ei_catalogue_count;

/* The row, NULL for what is not in the table. */
const struct ei_catalogue_row *ei_catalogue_login(int64_t number);
const struct ei_catalogue_row *ei_catalogue_graph(long status, const char *error_code);
/* folded: the message in lower case. Only the text tells these apart (contract 6). NULL where about is none of them. */
const struct ei_catalogue_row *ei_catalogue_invite(long status, const char *folded, enum ei_about about);

#endif
