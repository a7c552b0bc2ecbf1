/* Who runs the routine of a once control at this moment: what a thread that waits at
 * the control waits for. */
#ifndef LOCKGRAPH_INTERPOSE_ONCE_RUNNER_H
#define LOCKGRAPH_INTERPOSE_ONCE_RUNNER_H

#include <pthread.h>
#include <stdbool.h>

#include "engine/thread.h"

/* Controls can be read; from the constructor. */
void lgi_once_runner_start(void);
/* The thread runs the routine from now on. */
void lgi_once_begins(struct lge_thread *thread, const pthread_once_t *control);
/* It is through; before libc marks the control. */
void lgi_once_ends(const pthread_once_t *control);
/* NULL: nobody, or one that is not known.  Reads a control that may be gone; a leaf
 * lock of its own, async-signal-safe. */
struct lge_thread *lgi_once_runner(const void *control);
/* In a forked child, where libc starts all over. */
void lgi_once_runner_forget(void);

#endif
