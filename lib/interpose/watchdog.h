/* A thread of ours that looks for missing heartbeats, where the program asks for it. */
#ifndef LOCKGRAPH_INTERPOSE_WATCHDOG_H
#define LOCKGRAPH_INTERPOSE_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* 0, EALREADY, or what pthread_create says. */
int lgi_watchdog_start(void);
/* Whether that is its kernel id: it ends no wait of any other thread. */
bool lgi_is_watchdog(uint32_t tid);
/* In the child after fork, which does not have it. */
void lgi_watchdog_forget(void);

#endif
