/* What the processes of one `lockgraph run` tell it besides their evidence files:
 * that the runtime was loaded at all, and what could not be written.  A page of
 * memory that all of them share; no descriptor is inherited.  Relaxed counters. */
#ifndef LOCKGRAPH_RECORD_TOLD_H
#define LOCKGRAPH_RECORD_TOLD_H

#include <stdatomic.h>
#include <stdint.h>

struct lgr_told {
    uint64_t key;                /* the launcher's choice, also in the option: it is its page */
    _Atomic uint32_t loaded;     /* process images that have the runtime */
    _Atomic uint32_t unwritten;  /* findings that are in no evidence file */
    _Atomic uint32_t worst;      /* of those: enum lgr_severity, 0: there are none */
    _Atomic uint32_t unrecorded; /* process images whose recording failed */
};
enum { LGR_TOLD_SIZE = 4096 };

/* A buffer for the option: handed_over.h. */
enum { LGR_TOLD_TEXT = 64 };

/* The file that is expected there, and nothing else: it cannot become shorter. */
#define LGR_TOLD_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* The runtime's side.  `option`: "none" without a launcher.  Where the launcher is gone,
 * or PID is another process here, what is told goes nowhere.  Once, before there are
 * threads. */
void lgr_told_open(const char *option);
/* Any thread; a forked child shares it.  Async-signal-safe. */
void lgr_told_loaded(void);
void lgr_told_unrecorded(void);
void lgr_told_unwritten(uint32_t severity);

#endif
