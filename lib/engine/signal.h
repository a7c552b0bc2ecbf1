/* Locks and signal handlers: a lock that is taken in a handler of signal S, and
 * also with S open and that handler installed, hangs the thread that the signal
 * finds in between.
 *
 * Who is in a handler is told by the front end (lge_handlers); in a handler all
 * lock calls take the slow way.  Outside, nothing is asked of an acquisition
 * while no program handler is installed.  From then on:
 * - the first acquisition of a lock by each thread after the set of handlers
 *   changed looks at the kernel's signal mask; every tag becomes stale then, so
 *   that known locks come by once (lge_tags_stale);
 * - a lock seen in a handler is watched: its tag stays stale, and all its
 *   acquisitions look at the mask until it was reported.
 *
 * | field                 | written by              | read by               |
 * | handled, slots        | the sigaction hook      | any, relaxed          |
 * | watched ids           | under the signal lock   | any, relaxed          |
 * | opens, taken          | under the signal lock   | under the signal lock |
 * | lge_handlers          | owner, in its handlers  | owner                 | */
#ifndef LOCKGRAPH_ENGINE_SIGNAL_H
#define LOCKGRAPH_ENGINE_SIGNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lge_thread;
struct lge_request;

enum { LGE_SIGNALS = 64, LGE_NO_SLOT = 0 };

/* Signals with a handler of the program's, as bits (signal - 1). */
extern _Atomic uint64_t lge_signals_handled;

struct lge_signals_config {
    uintptr_t text_from, text_to; /* code through which every handler is called */
    /* Whether the kernel would call the handler of that slot now; touches no errno. */
    bool (*installed)(int signal, uint32_t slot);
};
void lge_signals_start(const struct lge_signals_config *config);

/* The disposition of `signal` is now the handler `slot` (from 1), or none of the
 * program's (LGE_NO_SLOT).  Async-signal-safe. */
void lge_signal_installed(int signal, uint32_t slot);

/* Raised by the code's own faults: that it can come at any time is not true of it. */
bool lge_signal_synchronous(int signal);

/* Before a blocking request, by lge_check: in a handler or not. */
void lge_signal_requested(struct lge_thread *thread, const struct lge_request *request);
/* After an acquisition, by lge_acquired, while handlers are installed. */
void lge_signal_acquired(struct lge_thread *thread, const struct lge_request *request);

/* Whether all acquisitions of that lock have to be seen. */
bool lge_signal_watches(uint64_t id);

/* How many of `count` frames belong to the handler that runs: the rest is what
 * it interrupted.  All when there is none. */
struct lgp_frame;
uint64_t lge_signal_frames(const struct lgp_frame *frames, uint64_t count);

struct lgp_part lge_signals_part(void);
void lge_signals_reset(void);

#endif
