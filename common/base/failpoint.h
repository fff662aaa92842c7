/*
 * Failpoints: places where the crash tests kill the worker: C1 to C13 of the crash table (X12), R1 and R2 around the
 * writing of a renewed sign-in, B1 and B2 around a request that brings a guest back, J1 and J2 around one that makes it
 * a member of a group. They exist only in the test build (-DEI_FAILPOINTS); in a release build the macro is empty and
 * nothing of this is in the program.
 *
 * In the test build EI_FAILPOINT names "C6" or "C6:3" (the third passage); at that passage the process kills itself
 * with SIGKILL, as a power cut would.
 */
#ifndef EI_BASE_FAILPOINT_H
#define EI_BASE_FAILPOINT_H

#ifdef EI_FAILPOINTS
void ei_failpoint(const char *name);
#define EI_FAILPOINT(name) ei_failpoint(name)
#else
#define EI_FAILPOINT(name) ((void)0)
#endif

#endif
