/* Threads: the only place where one is created.  All are named, have every signal
 * blocked (the main thread takes them by signalfd) and are joined: by who started them,
 * or at the end by sd_threads_join_all.  Takes threads.registry (80), never while a
 * thread is started or waited for. */
#ifndef SD_THREADS_H
#define SD_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct sd_thread;
typedef void sd_thread_body(void *user);

/* The name is copied (15 characters).  NULL: 503 no_thread. */
struct sd_thread *sd_thread_start(const char *name, sd_thread_body *body, void *user, struct sd_error *error);
/* Whether its body has returned: it can be joined without waiting. */
bool sd_thread_ended(const struct sd_thread *thread);
const char *sd_thread_name(const struct sd_thread *thread);
int sd_thread_id(const struct sd_thread *thread); /* the kernel's; 0: not running yet */
/* Waits and frees.  Once, by one thread. */
void sd_thread_join(struct sd_thread *thread);
/* Like join, for at most `ms`: false, and the thread stays whose it was. */
bool sd_thread_join_within(struct sd_thread *thread, int32_t ms);
/* The owner will not join it: whoever is last does (a task's thread that does not answer). */
void sd_thread_abandon(struct sd_thread *thread);
/* Joins those that were abandoned; those that do not end in `ms` are logged by name and
 * counted. */
unsigned sd_threads_join_all(int32_t ms);
unsigned sd_threads_running(void);

#endif
