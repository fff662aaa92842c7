/* What was done to a disk, call by call, for what a power cut makes of it (disk_image.h, X14). */
#ifndef EI_TESTS_UNIT_DISK_RECORD_H
#define EI_TESTS_UNIT_DISK_RECORD_H

#include "tests/faults/disk_image.h"
#include "tests/unit/disk_fixture.h"

enum { RECORD_MAX = 4096 };

static struct {
    struct record calls[RECORD_MAX];
    size_t count;
    bool on;
} recorder;

static inline void record_add(int kind, const struct disk_call *call)
{
    assert_true(recorder.count < RECORD_MAX);
    struct record *record = &recorder.calls[recorder.count++];
    record->kind = kind;
    record->call = *call;
    if (call->path != NULL)
        assert_non_null(record->call.path = strdup(call->path + strlen(disk_root)));
    if (call->to != NULL)
        assert_non_null(record->call.to = strdup(call->to + strlen(disk_root)));
    if (call->data != NULL) {
        void *copy = malloc(call->length);
        assert_non_null(copy);
        record->call.data = memcpy(copy, call->data, call->length);
    }
}

static inline void record_forget(void)
{
    for (size_t i = 0; i < recorder.count; i++) {
        free((void *)recorder.calls[i].call.path);
        free((void *)recorder.calls[i].call.to);
        free((void *)recorder.calls[i].call.data);
    }
    recorder.count = 0;
}

static int disk_decide(const struct disk_call *call)
{
    return call->kind == DISK_SYNC ? DISK_PRETEND : DISK_GO;
}

static void disk_done(const struct disk_call *call)
{
    if (recorder.on && call->kind != DISK_READ && (call->kind != DISK_OPEN || call->makes || call->cuts))
        record_add(call->kind, call);
}

/* Plays the first calls and cuts the power. */
static inline void image_make(size_t calls, enum loss loss, unsigned *seed)
{
    image_forget();
    for (size_t i = 0; i < calls; i++)
        image_play(&recorder.calls[i]);
    image_lose(loss, seed);
}

#endif
