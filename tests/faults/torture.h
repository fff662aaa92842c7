/*
 * Torture: one fallible call fails, or all from then on (T2, as curl's runtests.pl -t does it). System calls fail under
 * torture-trace.c, allocations through torture-shim.c; both count what a program does, so that a driver goes on until
 * there is no n-th call left.
 */
#ifndef EI_TESTS_FAULTS_TORTURE_H
#define EI_TESTS_FAULTS_TORTURE_H

#include <stdbool.h>

/*
 * No system call of any kernel: by it a program tells torture-trace where the part is that has to suffer.
 *
 *   TORTURE_MAIN                    main begins, the loader is done; said by torture-shim.so where TORTURE_MAIN is set
 *   TORTURE_BEGIN, nth, on, error   as the options of torture-trace; nth 0: none fails, they are only counted
 *   TORTURE_END                     answers how many calls there were since the beginning
 *   TORTURE_FAILED, errno           answers how many were made to fail with this error
 *   TORTURE_TELL                    prints the calls that failed, a line each (from then on: the first ones)
 */
enum { TORTURE_CALL = 0x7e57 };
enum torture_word { TORTURE_MAIN = 1, TORTURE_BEGIN, TORTURE_END, TORTURE_FAILED, TORTURE_TELL };

/* Which error a system call fails with: each kind of call has some, and this is the index of one. */
enum { TORTURE_ERRORS = 3 };

/* What torture-shim.so exports. nth 0: none fails, they are only counted. */
void torture_memory_begin(long nth, bool then_on);
long torture_memory_end(void);  /* how many allocations there were since begin */
long torture_memory_live(void); /* allocated and not freed, by anybody, since the program started */

#endif
