/*
 * The NSS module's code in 32 threads while the view is replaced under it, for ThreadSanitizer (T4, T5, S36): each
 * answer is one of the two that were published, and nothing races.
 *
 *   threads DIRECTORY [race]     race: two threads write one variable, so that a sanitizer that sees nothing is seen
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/view/view_write.h"
#include "plugin/nss/module.h"

enum { THREADS = 32, ROUNDS = 300, PENDING_GID = 990, ACCEPTED_GID = 991 };

static char view[200], accounts[200];
static atomic_bool over;
static atomic_int wrong;
static int raced;

static bool publish(enum ei_state state, uint64_t generation)
{
    const struct ei_view_header header = {.generation = generation, .created_at = 1, .minimum_uid = 1000};
    const struct ei_view_record record = {.state = state, .uid = 4001};
    struct ei_view_writer *writer;

    return ei_view_writer_new(view, &header, &writer, NULL) == EI_OK &&
           ei_view_writer_add(writer, "taylor", &record, NULL) == EI_OK &&
           ei_view_writer_publish(writer, NULL) == EI_OK;
}

static void *ask(void *unused)
{
    const struct ei_nss_paths paths = {view, accounts, accounts};
    (void)unused;

    while (!atomic_load(&over)) {
        gid_t gid = 0;
        if (ei_nss_standing(&paths, "taylor", &gid) != EI_NSS_GROUP || (gid != PENDING_GID && gid != ACCEPTED_GID))
            atomic_fetch_add(&wrong, 1);
        if (ei_nss_standing(&paths, "robin", &gid) != EI_NSS_NONE)
            atomic_fetch_add(&wrong, 1);
    }
    return NULL;
}

static void *race(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++)
        raced++;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    bool good = argc > 1;

    if (argc < 2)
        return 2;
    snprintf(view, sizeof view, "%s/status.cdb", argv[1]);
    snprintf(accounts, sizeof accounts, "%s/accounts", argv[1]); /* passwd and group in one */
    FILE *file = fopen(accounts, "we");
    if (file == NULL ||
        fputs("taylor:x:4001:\nentra-invite-pending:x:990:\nentra-invite-accepted:x:991:\n", file) < 0 ||
        fclose(file) != 0 || !publish(EI_STATE_PENDING, 1))
        return 2;
    for (int i = 0; i < THREADS; i++)
        good &= pthread_create(&threads[i], NULL, argc > 2 ? race : ask, NULL) == 0;
    for (uint64_t i = 0; i < ROUNDS && argc == 2; i++)
        good &= publish(i % 2 == 0 ? EI_STATE_ACCEPTED : EI_STATE_PENDING, 2 + i);
    atomic_store(&over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%d wrong answers, %d\n", atomic_load(&wrong), raced);
    return good && atomic_load(&wrong) == 0 ? 0 : 1;
}
