/* Linked into the programs of VARIANT=sanitize: LeakSanitizer must trace the process that it looks at, which one that
 * holds secrets lets nobody do (K4). Leaks are looked for in the unit tests and by valgrind. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
