/* Watchdog: a thread that promises a sign of life from time to time, such as an event
 * loop, is told of when none comes for longer (finding heartbeat-missed).
 *
 *     lg_watchdog_add("event-loop", 5000);
 *     for (;;) {
 *         lg_heartbeat();
 *         ...
 *     }
 *
 * Nothing is added to the program for that: threads that wait for a lock look around,
 * and the thread itself, when its next heartbeat comes too late.  A program that wants
 * it seen at any time asks for a thread that does nothing else.
 *
 * A heartbeat costs a coarse clock and a store, no system call. */
#ifndef LOCKGRAPH_WATCHDOG_H
#define LOCKGRAPH_WATCHDOG_H

#include <stdint.h>

#ifdef LOCKGRAPH_DISABLE
static __inline__ int lg_watchdog_add(const char *name, uint32_t limit_ms) {
    return (void)name, (void)limit_ms, 0;
}
static __inline__ void lg_heartbeat(void) {}
static __inline__ int lg_watchdog_remove(void) { return 0; }
static __inline__ int lg_watchdog_thread(void) { return 0; }
#else
#ifdef __cplusplus
extern "C" {
#endif
/* The calling thread promises a heartbeat each `limit_ms` milliseconds; this is the
 * first.  The first 15 bytes of the name are its name in reports, unless it has one.
 * 0; EINVAL: no limit or no name; EALREADY: it did before; EAGAIN: the runtime is not
 * up (or this is a signal handler). */
int lg_watchdog_add(const char *name, uint32_t limit_ms);
/* Without a promise, and in signal handlers, nothing. */
void lg_heartbeat(void);
/* The calling thread's promise ends, as it does with the thread: before it waits for
 * as long as it takes.  0; ESRCH: it has made none. */
int lg_watchdog_remove(void);
/* Starts a thread of this library that looks for missing heartbeats ten times a second,
 * with all signals blocked.  A forked child does not have it.  0; EALREADY: there is
 * one; or why it cannot be started. */
int lg_watchdog_thread(void);
#ifdef __cplusplus
}
#endif
#endif

#endif
