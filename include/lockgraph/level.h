/* Levels: the declared order of locks.
 *
 * A thread may only take a lock of a higher level than all it holds, or one of the
 * same level with a greater key where both were declared with a key.  That is
 * looked at in the call, before it can block, the first time it is wrong; a trylock
 * is exempt.  Locks without a level are neither checked nor in anybody's way.
 *
 * Write the order down once, as an enum with a comment a line:
 *
 *     enum {
 *         LEVEL_REGISTRY = 10, // who is there; never held while waiting for a session
 *         LEVEL_SESSION = 20,  // keyed by session number
 *     };
 *
 * All functions of these headers return 0 or an errno value, never set errno, never
 * end the program unless LG_ABORT asks for it, and are not async-signal-safe.  With
 * LOCKGRAPH_DISABLE they are the pthread calls themselves and need no library. */
#ifndef LOCKGRAPH_LEVEL_H
#define LOCKGRAPH_LEVEL_H

#include <stddef.h>

#include <lockgraph/declared.h>

/* Levels are 1 to 32767.  The init functions refuse others; an initialiser of C that is
 * given one makes a lock without a level, or with another one. */
#define LG_NO_LEVEL 0

/* What a call does that would take a lock against the order. */
enum lg_policy {
    LG_DEFAULT = 0, /* of a group: as the process */
    LG_REPORT = 1,  /* tell, and take it all the same */
    LG_REFUSE = 2,  /* tell, and return EDEADLK with nothing taken */
    LG_ABORT = 3    /* tell, and end the program with SIGABRT */
};

/* What a level is called, in a table of all of them:
 *
 *     static const struct lg_level_name names[] = {{LEVEL_REGISTRY, "registry"}, ...};
 *     lg_levels_name(names, sizeof names / sizeof names[0]); */
struct lg_level_name {
    int level;
    const char *name;
};

#ifdef LOCKGRAPH_DISABLE
static __inline__ int lg_levels_name(const struct lg_level_name *names, size_t count) {
    return (void)names, (void)count, 0;
}
static __inline__ void lg_on_violation(enum lg_policy policy) { (void)policy; }
static __inline__ int lg_may_acquire(int level) { return (void)level, 1; }
static __inline__ void lg_assert_may_acquire(int level) { (void)level; }
static __inline__ void lg_held_dump(void) {}
#else
#ifdef __cplusplus
extern "C" {
#endif
/* Log lines and reports say "level 40 (session)" from now on; reports also of what was
 * found before.  The names are copied, and each replaces the one that its level had.
 *
 * | returns | when                                                              |
 * | 0       | all have their names                                              |
 * | EINVAL  | a level is none, or a name is NULL or empty: nothing was changed  |
 * | ENOMEM  | there is no memory: some have                                     |
 * | EBUSY   | called in a signal handler or a callback, or before the runtime   |
 * |         | is up: nothing was changed                                        | */
int lg_levels_name(const struct lg_level_name *names, size_t count);
/* Of the process; the option on_violation= is what it starts with.  LG_DEFAULT:
 * that again. */
void lg_on_violation(enum lg_policy policy);
/* Whether the calling thread may take a lock of that level (and no key) now. */
int lg_may_acquire(int level);
/* The same as a finding, assert-failed, where it may not. */
void lg_assert_may_acquire(int level);
/* Writes to the log what the calling thread holds, newest first, a line each of level
 * info, also where the option log= lets no such line through. */
void lg_held_dump(void);
#ifdef __cplusplus
}
#endif
#endif

#endif
