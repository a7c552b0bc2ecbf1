/* A thread that is one event loop: started, and what it begins with has happened, or
 * failed, when the call returns.  No locks. */
#ifndef SD_LOOP_THREAD_H
#define SD_LOOP_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "event_loop.h"

struct sd_loop_thread;
/* Both on the loop's thread: before its first round, and after its last one.  Where
 * `begin` fails, `end` is not called; it may be NULL. */
typedef bool sd_loop_begin(struct sd_loop *loop, void *user, struct sd_error *error);
typedef void sd_loop_end(struct sd_loop *loop, void *user);

struct sd_loop_thread *sd_loop_thread_start(const char *name, int32_t heartbeat_ms, sd_loop_begin *begin,
                                            sd_loop_end *end, void *user, struct sd_error *error);
/* Stops the loop, joins and frees. */
void sd_loop_thread_stop(struct sd_loop_thread *thread);

#endif
