/* Semaphores: what the other parts of the runtime need of them. */
#ifndef LOCKGRAPH_INTERPOSE_SEM_H
#define LOCKGRAPH_INTERPOSE_SEM_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "interpose/mutex.h" /* struct lgi_limit */

/* The real wait, untracked. */
int lgi_sem_pass_through(sem_t *semaphore, const struct lgi_limit *limit);

/* Whether the semaphore with that id still is at that address; never faults. */
bool lgi_sem_alive(const void *address, uint64_t id, uint8_t attributes);

/* Whether it certainly has no slot left; never faults. */
bool lgi_sem_exhausted(const void *address);

/* Options of the constructor; after lgi_real_start. */
void lgi_sem_start(bool use_tags);

#endif
