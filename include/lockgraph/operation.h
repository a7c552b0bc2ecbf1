/* Operations: what a thread is doing, in the program's own words.
 *
 *     LG_OPERATION("scrape") {
 *         … return, break and continue end it, too …
 *     }
 *
 * A line of the log about a lock begins with the operation of the thread that it is
 * about, and the option adaptive=1 gives each class of locks a time limit of its own
 * in each operation.  One may be begun inside another: the innermost counts, for the
 * calling thread alone.  Its name is copied.  Names are kept until the process ends:
 * let there be a few, not one for each request.
 *
 * Not async-signal-safe.  With LOCKGRAPH_DISABLE there is nothing of all this. */
#ifndef LOCKGRAPH_OPERATION_H
#define LOCKGRAPH_OPERATION_H

#include <lockgraph/declared.h>

#ifdef LOCKGRAPH_DISABLE
static __inline__ int lg_operation(const char *name) { return (void)name, 0; }
static __inline__ void lg_operation_end(void) {}
#else
#ifdef __cplusplus
extern "C" {
#endif
/* Begins one: 0; EINVAL where `name` is NULL or empty; ENOMEM, and none is begun. */
int lg_operation(const char *name);
/* Ends the innermost one that the thread began; nothing where there is none. */
void lg_operation_end(void);
#ifdef __cplusplus
}
#endif
#endif

struct lg_operation_scope {
    int error, rounds;
};
static __inline__ void lg_operation_leave(struct lg_operation_scope *scope) {
    if (scope->error == 0)
        lg_operation_end();
}
/* Named by their lines: one inside another hides no name of it. */
#define LG_OPERATION(name) LG_OPERATION_NAMED(name, LG_JOIN(lg_operation_of_line_, __LINE__))
#define LG_OPERATION_NAMED(name, scope)                                                                      \
    for (__attribute__((cleanup(lg_operation_leave))) struct lg_operation_scope scope = {lg_operation(name), \
                                                                                         0};                 \
         scope.rounds == 0; scope.rounds = 1)

#endif
