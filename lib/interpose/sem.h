/* Semaphores: what the other parts of the runtime need of them. */
#ifndef LOCKGRAPH_INTERPOSE_SEM_H
#define LOCKGRAPH_INTERPOSE_SEM_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "interpose/mutex.h" /* struct lgi_limit */

/* The whole of wait, trywait and post, called from (site, sp), as POSIX has them:
 * -1 and errno; with a limit that is a point in time. */
int lgi_sem_wait(sem_t *semaphore, uintptr_t site, uintptr_t sp, const struct lgi_limit *limit);
int lgi_sem_trywait(sem_t *semaphore, uintptr_t site, uintptr_t sp);
int lgi_sem_post(sem_t *semaphore, uintptr_t site, uintptr_t sp);
/* A semaphore of this process that is declared to be of that class. */
int lgi_sem_init(sem_t *semaphore, unsigned value, uint32_t class_id, uintptr_t site, uintptr_t sp);
/* From now on it is of that class, and begins anew with the slots it has.  False: it
 * was not initialised before our eyes for this process alone, and stays what it is. */
bool lgi_sem_rename(struct lge_thread *thread, sem_t *semaphore, uint32_t class_id);
uint64_t lgi_sem_identity(struct lge_thread *thread, sem_t *semaphore, uintptr_t site, uintptr_t sp);

/* The real wait, untracked. */
int lgi_sem_pass_through(sem_t *semaphore, const struct lgi_limit *limit);

/* Whether the semaphore with that id still is at that address; never faults. */
bool lgi_sem_alive(const void *address, uint64_t id, uint8_t attributes);

/* Whether it certainly has no slot left; never faults. */
bool lgi_sem_exhausted(const void *address);

/* Options of the constructor; after lgi_real_start. */
void lgi_sem_start(bool use_tags);

#endif
