/*
 * Writes a view with the project's own writer.
 *
 *   make-view PATH COUNT [LOGIN UID ADDRESS]
 *
 * COUNT accounts, user0 … and, in place of the middle one, LOGIN; all accepted. The covered group is partners.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/account/gecos.h"
#include "common/view/view_write.h"

int main(int argc, char **argv)
{
    struct ei_view_header header = {
        .generation = 1, .created_at = time(NULL), .minimum_uid = 1000, .first_trusted = true, .groups = "partners\0"};
    struct ei_view_writer *writer;
    struct ei_error err = {0};

    if (argc != 3 && argc != 6) {
        fprintf(stderr, "usage: make-view PATH COUNT [LOGIN UID ADDRESS]\n");
        return 2;
    }
    unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
    enum ei_err rc = ei_view_writer_new(argv[1], &header, &writer, &err);
    for (unsigned i = 0; i < count && rc == EI_OK; i++) {
        bool wanted = argc == 6 && i == count / 2;
        char login[32];
        char address[64];
        snprintf(login, sizeof login, "user%u", i);
        snprintf(address, sizeof address, "user%u@fabrikam.com", i);
        struct ei_view_record record = {
            .state = EI_STATE_ACCEPTED,
            .uid = wanted ? (uint32_t)strtoul(argv[4], NULL, 10) : 100000 + i,
            .address_hash = ei_address_hash(wanted ? argv[5] : address),
            .changed_at = header.created_at,
            .checked_at = header.created_at,
        };
        rc = ei_view_writer_add(writer, wanted ? argv[3] : login, &record, &err);
    }
    if (rc == EI_OK)
        rc = ei_view_writer_publish(writer, &err);
    if (rc != EI_OK)
        fprintf(stderr, "make-view: %s\n", err.message);
    return rc != EI_OK;
}
