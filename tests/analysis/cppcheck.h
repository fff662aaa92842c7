/* <sys/queue.h>, which cppcheck does not read. */
#define TAILQ_FOREACH(var, head, field) for ((var) = (head)->tqh_first; (var) != NULL; (var) = (var)->field.tqe_next)
