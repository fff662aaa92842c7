/*
 * What the fuzz targets share. A target is one file fuzz_NAME.c with libFuzzer's one function in it; it takes any bytes
 * and checks what must be true of whatever comes of them, not only that nothing crashes. README.md beside this says how
 * to run them; tests/unit/test_fuzz_corpora.c replays what they have found.
 */
#ifndef EI_TESTS_FUZZ_FUZZ_H
#define EI_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/error.h"

/* libFuzzer's name. For the replay the Makefile gives each target's a name of its own, so that one program has all. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program where a property does not hold, whatever NDEBUG says. */
#define EI_MUST(property) ((property) ? (void)0 : ei_fuzz_broken(#property, __FILE__, __LINE__))
void ei_fuzz_broken(const char *property, const char *file, int line) __attribute__((noreturn));

/* The rest of what libFuzzer gave, taken off from the front. */
struct ei_input {
    const uint8_t *data;
    size_t size;
};

/* 0 where nothing is left. */
uint8_t ei_input_byte(struct ei_input *input);
uint64_t ei_input_number(struct ei_input *input, int bytes);
/* Up to the next end byte, which is dropped, or all; at most size - 1 bytes, a NUL ends it too. Gives its length. */
size_t ei_input_text(struct ei_input *input, char end, char *out, size_t size);
/* The same of any length, on the heap. */
char *ei_input_line(struct ei_input *input, char end);

/* A path in a directory of this process's own, in memory where there is such; what lies there goes at the end. */
const char *ei_fuzz_path(const char *name);
/* Writes a file there, replacing what was there, and gives its path. */
const char *ei_fuzz_file(const char *name, const void *data, size_t size);

/* The lowest free descriptor: the same before and after, or one was left open. */
int ei_fuzz_free_descriptor(void);

/* A clock that stands still where a target does not move it: the same input does the same again. */
enum { EI_FUZZ_NOW = 1767687600, EI_FUZZ_NOW_MS = 1000000 };
void ei_fuzz_stop_clock(void);

/* Everything that the log, stdout and stderr say between the two calls, at the highest verbosity; ended by a NUL, to be
 * freed by the caller. */
void ei_fuzz_listen(void);
char *ei_fuzz_heard(void);

/* --- what the product says, judged without its own code --- */

/* Well-formed by RFC 3629; of length bytes. */
bool ei_fuzz_utf8(const char *text, size_t length);
/* One line for people: UTF-8 without control characters. */
bool ei_fuzz_one_line(const char *text);
/* Whole lines like that, each of which begins so. */
bool ei_fuzz_lines(char *text, const char *before);
/* rc and err belong together: a failure has its code, and a message that a person can read. */
void ei_fuzz_judge_error(enum ei_err rc, const struct ei_error *err);

#endif
