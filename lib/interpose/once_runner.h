/* Who runs the routine of a once control at this moment, or initialises a static variable
 * of a C++ function: what a thread that waits at the control, or the variable's guard,
 * waits for.
 *
 * A routine may be left by an exception, a jump or cancellation, of which nobody tells
 * us, and another thread may then be about to begin it.  So that somebody runs a routine
 * is believed of a thread only when its stack says so: lgi_once_inside.  Of a variable
 * C++ tells both ends itself. */
#ifndef LOCKGRAPH_INTERPOSE_ONCE_RUNNER_H
#define LOCKGRAPH_INTERPOSE_ONCE_RUNNER_H

#include <pthread.h>
#include <stdbool.h>

#include "engine/thread.h"

/* The function that calls routines is the only one in this section. */
#define LGI_CALLS_ROUTINE __attribute__((noinline, section("lockgraph_once")))

/* nptl/pthreadP.h: what a control says of its routine. */
enum { LGI_ONCE_IN_PROGRESS = 1, LGI_ONCE_DONE = 2 };
/* Whether controls can be read without libc; written once by the constructor. */
extern bool lgi_once_readable;

/* The thread runs the routine from now on, in a frame at that address. */
void lgi_once_begins(struct lge_thread *thread, const pthread_once_t *control, uintptr_t frame);
/* The thread initialises the variable of that guard from now on. */
void lgi_static_begins(struct lge_thread *thread, const uint64_t *guard, uintptr_t frame);
/* It is through; before the control or guard is marked. */
void lgi_once_ends(const void *control);
/* The calling thread is at `sp`: what it ran further down the stack it has left. */
void lgi_once_left(const struct lge_thread *thread, uintptr_t sp);
/* NULL: nobody, or one that is not known.  Reads a control that may be gone; a leaf
 * lock of its own, async-signal-safe. */
struct lge_thread *lgi_once_runner(const void *control);
/* Whether the thread, with that stack, is in all the routines that it began. */
bool lgi_once_inside(const struct lge_thread *thread, const uintptr_t *frames, size_t count);
/* In a forked child, where libc starts all over. */
void lgi_once_runner_forget(void);

#endif
