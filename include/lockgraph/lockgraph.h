/* Locks with names, levels, time limits and returned errors: all of it. */
#ifndef LOCKGRAPH_LOCKGRAPH_H
#define LOCKGRAPH_LOCKGRAPH_H

#include <lockgraph/cond.h>
#include <lockgraph/finding.h>
#include <lockgraph/guard.h>
#include <lockgraph/level.h>
#include <lockgraph/log.h>
#include <lockgraph/metrics.h>
#include <lockgraph/mutex.h>
#include <lockgraph/operation.h>
#include <lockgraph/rwlock.h>
#include <lockgraph/sem.h>
#include <lockgraph/spin.h>
#include <lockgraph/watchdog.h>

#endif
