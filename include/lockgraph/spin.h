/* lg_spin_t: a spinlock with a name and a level.  It has no time limit: who holds it
 * must not wait for anything.  Results as lockgraph/mutex.h has them. */
#ifndef LOCKGRAPH_SPIN_H
#define LOCKGRAPH_SPIN_H

#include <errno.h>
#include <pthread.h>

#include <lockgraph/declared.h>

/* Not where ISO C alone was asked for: there <pthread.h> has none of them. */
#if defined __USE_XOPEN2K || !defined __GLIBC__

#ifdef LOCKGRAPH_DISABLE

typedef struct lg_spin {
    pthread_spinlock_t lock;
} lg_spin_t;

#define lg_spin_init(l, name, level) ((void)(level), pthread_spin_init(&(l)->lock, PTHREAD_PROCESS_PRIVATE))
static __inline__ int lg_spin_destroy(lg_spin_t *l) { return pthread_spin_destroy(&l->lock); }
static __inline__ int lg_spin_lock(lg_spin_t *l) { return pthread_spin_lock(&l->lock); }
static __inline__ int lg_spin_trylock(lg_spin_t *l) { return pthread_spin_trylock(&l->lock); }
static __inline__ int lg_spin_unlock(lg_spin_t *l) { return pthread_spin_unlock(&l->lock); }

#else

typedef struct lg_spin {
    pthread_spinlock_t lock;
    struct lg_declared declared;
} lg_spin_t;

#ifdef __cplusplus
extern "C" {
#endif
int lg_spin_init(lg_spin_t *l, const char *name, int level);
int lg_spin_destroy(lg_spin_t *l);
int lg_spin_lock(lg_spin_t *l);
int lg_spin_trylock(lg_spin_t *l);
int lg_spin_unlock(lg_spin_t *l);
#ifdef __cplusplus
}
#endif

#endif

#endif

#endif
