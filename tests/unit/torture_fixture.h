/*
 * Torture in process: a scenario is acted again and again, and each time another allocation of it fails: the n-th, then
 * the n-th and all behind it (T2). What it returns, leaves open or leaves behind is looked at each time; what it leaks,
 * where LeakSanitizer is in the program. The Makefile links these programs so that what our own code asks for comes
 * through here; cJSON takes its memory from our code (common/base/json.c), and SQLite is given the same allocator.
 *
 * TORTURE_NTH=N acts with that one only (TORTURE_ON=1: and all behind it), TORTURE_STRIDE=N with every N-th (1: each),
 * of which SEED says the first.
 */
#ifndef EI_TESTS_UNIT_TORTURE_FIXTURE_H
#define EI_TESTS_UNIT_TORTURE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "tests/unit/descriptors_fixture.h"

/* One way through our code; context is the test's. */
struct scenario {
    void (*before)(void *context); /* nothing fails yet; NULL: nothing to do */
    enum ei_err (*act)(void *context);
    /* Nothing fails any more: asserts what must hold, and frees. spared: no allocation failed. */
    void (*after)(void *context, enum ei_err rc, bool spared);
    const enum ei_err *codes; /* what it may return beside EI_OK and EI_NOMEM, ended by EI_OK; NULL: nothing */
    long stride;              /* every so many-th only, for what takes long; 0: each */
};

static struct {
    bool armed, on;
    long nth, calls, failed;
} torture_plan;

static inline bool torture_fails(void)
{
    if (!torture_plan.armed)
        return false;
    long call = ++torture_plan.calls;
    if (call < torture_plan.nth || (call > torture_plan.nth && !torture_plan.on))
        return false;
    torture_plan.failed++;
    errno = ENOMEM;
    return true;
}

/* --- the allocator: ld --wrap leads here --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);
int __wrap_asprintf(char **ret_text, const char *format, ...);
int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...);

void *__wrap_malloc(size_t size)
{
    return torture_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return torture_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return torture_fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return torture_fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
    return torture_fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t length)
{
    return torture_fails() ? NULL : __real_strndup(text, length);
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
    va_list values;

    *ret_text = (char *)(uintptr_t)0x5a5a; /* undefined after a failure: whoever frees it crashes */
    if (torture_fails())
        return -1;
    va_start(values, format);
    int length = vasprintf(ret_text, format, values);
    va_end(values);
    return length;
}

int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...)
{
    va_list values;
    (void)flag;

    *ret_text = (char *)(uintptr_t)0x5a5a;
    if (torture_fails())
        return -1;
    va_start(values, format);
    int length = vasprintf(ret_text, format, values);
    va_end(values);
    return length;
}

/* --- the libraries' --- */

static sqlite3_mem_methods torture_sqlite_own;

static inline void *torture_sqlite_malloc(int size)
{
    return torture_fails() ? NULL : torture_sqlite_own.xMalloc(size);
}

static inline void *torture_sqlite_realloc(void *old, int size)
{
    return torture_fails() ? NULL : torture_sqlite_own.xRealloc(old, size);
}

/* Group set-up of a torture program. */
static inline int torture_libraries(void **state)
{
    (void)state;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &torture_sqlite_own) != SQLITE_OK)
        return -1;
    sqlite3_mem_methods methods = torture_sqlite_own;
    methods.xMalloc = torture_sqlite_malloc;
    methods.xRealloc = torture_sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK ? 0 : -1;
}

/* --- acting --- */

/* There where the program has LeakSanitizer. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static inline bool torture_may_return(const struct scenario *scenario, enum ei_err rc)
{
    if (rc == EI_OK || rc == EI_NOMEM)
        return true;
    for (const enum ei_err *code = scenario->codes; code != NULL && *code != EI_OK; code++)
        if (*code == rc)
            return true;
    return false;
}

/* false: no allocation was left to fail. */
static inline bool torture_once(const struct scenario *scenario, void *context, long nth, bool on)
{
    int descriptors = lowest_free();

    if (scenario->before != NULL)
        scenario->before(context);
    torture_plan.nth = nth;
    torture_plan.on = on;
    torture_plan.calls = torture_plan.failed = 0;
    torture_plan.armed = true;
    enum ei_err rc = scenario->act(context);
    torture_plan.armed = false;
    bool spared = torture_plan.failed == 0;
    if (spared ? rc != EI_OK : !torture_may_return(scenario, rc))
        fail_msg("it answers %s%s", ei_err_name(rc), spared ? ", and no allocation failed" : "");
    scenario->after(context, rc, spared);
    assert_int_equal(lowest_free(), descriptors);
    return !spared;
}

static inline void torture_leaks(void)
{
    if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0)
        fail_msg("it leaks; TORTURE_LEAKS=1 looks after each failure");
}

static inline long torture_number(const char *name, long fallback)
{
    const char *value = getenv(name);
    return value != NULL ? strtol(value, NULL, 10) : fallback;
}

static long torture_at; /* 0: not at work */
static int torture_on;

static inline void torture_tell(void)
{
    if (torture_at != 0)
        fprintf(stderr, "repeat it: TORTURE_NTH=%ld TORTURE_ON=%d, and the name of the test as CMOCKA_TEST_FILTER\n",
                torture_at, torture_on);
    torture_at = 0;
}

/* Tear-down of each test. */
static inline int torture_end(void **state)
{
    (void)state;
    torture_plan.armed = false;
    torture_tell();
    return 0;
}

/* There where the program has AddressSanitizer, which ends it at once. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static inline void torture(const struct scenario *scenario, void *context)
{
    long only = torture_number("TORTURE_NTH", 0), runs = 0;
    long stride = torture_number("TORTURE_STRIDE", scenario->stride > 0 ? scenario->stride : 1);

    bool each = scenario->stride == 0 || torture_number("TORTURE_LEAKS", 0) != 0; /* it takes long */
    long first = 1 + torture_number("SEED", time(NULL)) % stride;

    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(torture_tell);
    for (torture_on = 0; torture_on < 2; torture_on++) {
        if (only > 0 && torture_on != torture_number("TORTURE_ON", 0))
            continue;
        for (torture_at = only > 0 ? only : first;; torture_at += stride, runs++) {
            bool more = torture_once(scenario, context, torture_at, torture_on != 0);
            if (each)
                torture_leaks();
            if (!more || only > 0)
                break;
        }
    }
    torture_leaks();
    torture_at = 0;
    print_message("%ld allocations failed, one by one and from then on\n", runs);
}

#define TORTURE(test) cmocka_unit_test_teardown(test, torture_end)

#endif
