/* What the processes of one `lockgraph run` tell it besides their evidence files:
 * that the runtime was loaded at all, and what could not be written.  A page of
 * memory that all of them share; no descriptor is inherited.  Relaxed counters. */
#ifndef LOCKGRAPH_RECORD_TOLD_H
#define LOCKGRAPH_RECORD_TOLD_H

#include <stdatomic.h>
#include <stdint.h>

struct lgr_told {
    _Atomic uint32_t loaded;     /* process images that have the runtime */
    _Atomic uint32_t unwritten;  /* findings that are in no evidence file */
    _Atomic uint32_t worst;      /* of those: enum lgr_severity, 0: there are none */
    _Atomic uint32_t unrecorded; /* process images whose recording failed */
};
enum { LGR_TOLD_SIZE = 4096 };

/* The runtime's side.  `path`: /proc/PID/fd/N of the launcher, "none" without one; where
 * it cannot be mapped, what is told goes nowhere.  Once, before there are threads. */
void lgr_told_open(const char *path);
/* Any thread; a forked child shares it.  Async-signal-safe. */
void lgr_told_loaded(void);
void lgr_told_unrecorded(void);
void lgr_told_unwritten(uint32_t severity);

#endif
