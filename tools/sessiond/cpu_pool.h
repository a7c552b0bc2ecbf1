/* A few threads for work that only computes, so that it does not sit in a task's slot
 * with others' I/O: the caller waits for the answer.  Takes cpu_pool.lock (80). */
#ifndef SD_CPU_POOL_H
#define SD_CPU_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"
#include "error.h"

struct sd_cpu_pool;
/* Looks at the token now and then; takes no locks, does no I/O. */
typedef bool sd_cpu_work(void *argument, const struct sd_cancel *cancel, struct sd_error *error);

struct sd_cpu_pool *sd_cpu_pool_create(int32_t threads, struct sd_error *error);
/* After all callers have returned. */
void sd_cpu_pool_destroy(struct sd_cpu_pool *pool);
/* Waits until it is done; `argument` stays the caller's.  When cancelled before it began,
 * it never does. */
bool sd_cpu_pool_run(struct sd_cpu_pool *pool, sd_cpu_work *work, void *argument, struct sd_cancel *cancel,
                     struct sd_error *error);

#endif
