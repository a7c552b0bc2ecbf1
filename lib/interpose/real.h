/* The functions behind those we interpose: the next definition in the search
 * order, so that another interposer (a sanitizer, an allocator) stays in the
 * chain.
 *
 * The mutex functions work from the first instruction on: before our
 * constructor they are libc's own through names we do not interpose.  Written
 * once by the constructor; read by anybody after that. */
#ifndef LOCKGRAPH_INTERPOSE_REAL_H
#define LOCKGRAPH_INTERPOSE_REAL_H

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "platform/unwind.h"

struct lgi_real {
    int (*mutex_lock)(pthread_mutex_t *);
    int (*mutex_trylock)(pthread_mutex_t *);
    int (*mutex_unlock)(pthread_mutex_t *);
    int (*mutex_init)(pthread_mutex_t *, const pthread_mutexattr_t *);
    int (*mutex_destroy)(pthread_mutex_t *);
    int (*mutex_timedlock)(pthread_mutex_t *, const struct timespec *);
    int (*mutex_clocklock)(pthread_mutex_t *, clockid_t, const struct timespec *);

    int (*cond_init)(pthread_cond_t *, const pthread_condattr_t *);
    int (*cond_destroy)(pthread_cond_t *);
    int (*cond_wait)(pthread_cond_t *, pthread_mutex_t *);
    int (*cond_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    int (*cond_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
    int (*cond_signal)(pthread_cond_t *);
    int (*cond_broadcast)(pthread_cond_t *);

    int (*mtx_init)(mtx_t *, int);
    int (*thrd_create)(thrd_t *, thrd_start_t, void *);
    int (*thrd_join)(thrd_t, int *);
    int (*thrd_detach)(thrd_t);

    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int (*join)(pthread_t, void **);
    int (*tryjoin)(pthread_t, void **);
    int (*timedjoin)(pthread_t, void **, const struct timespec *);
    int (*clockjoin)(pthread_t, void **, clockid_t, const struct timespec *);
    int (*detach)(pthread_t);

    int (*rwlock_init)(pthread_rwlock_t *, const pthread_rwlockattr_t *);
    int (*rwlock_destroy)(pthread_rwlock_t *);
    int (*rwlock_rdlock)(pthread_rwlock_t *);
    int (*rwlock_tryrdlock)(pthread_rwlock_t *);
    int (*rwlock_timedrdlock)(pthread_rwlock_t *, const struct timespec *);
    int (*rwlock_clockrdlock)(pthread_rwlock_t *, clockid_t, const struct timespec *);
    int (*rwlock_wrlock)(pthread_rwlock_t *);
    int (*rwlock_trywrlock)(pthread_rwlock_t *);
    int (*rwlock_timedwrlock)(pthread_rwlock_t *, const struct timespec *);
    int (*rwlock_clockwrlock)(pthread_rwlock_t *, clockid_t, const struct timespec *);
    int (*rwlock_unlock)(pthread_rwlock_t *);

    int (*spin_init)(pthread_spinlock_t *, int);
    int (*spin_destroy)(pthread_spinlock_t *);
    int (*spin_lock)(pthread_spinlock_t *);
    int (*spin_trylock)(pthread_spinlock_t *);
    int (*spin_unlock)(pthread_spinlock_t *);

    int (*munmap)(void *, size_t);
    int (*dlclose)(void *);
    void (*exit_thread)(void *);

    int (*barrier_init)(pthread_barrier_t *, const pthread_barrierattr_t *, unsigned);
    int (*barrier_destroy)(pthread_barrier_t *);
    int (*barrier_wait)(pthread_barrier_t *);
    int (*once)(pthread_once_t *, void (*)(void));
    int (*guard_acquire)(uint64_t *); /* these three: our own where there is no C++ yet */
    void (*guard_release)(uint64_t *);
    void (*guard_abort)(uint64_t *);

    int (*sem_init)(sem_t *, int, unsigned);
    int (*sem_destroy)(sem_t *);
    int (*sem_wait)(sem_t *);
    int (*sem_trywait)(sem_t *);
    int (*sem_timedwait)(sem_t *, const struct timespec *);
    int (*sem_clockwait)(sem_t *, clockid_t, const struct timespec *);
    int (*sem_post)(sem_t *);
    int (*sem_close)(sem_t *);
    int (*sigaction)(int, const struct sigaction *, struct sigaction *);
    void (*(*signal)(int, void (*)(int)))(int);
    void (*(*sysv_signal)(int, void (*)(int)))(int);
    void (*(*sigset)(int, void (*)(int)))(int);
    int (*cancel)(pthread_t);
    pid_t (*fork)(void);
    pid_t (*bare_fork)(void); /* NULL before glibc 2.34 */
    int (*register_atfork)(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object);
    void (*thrd_exit)(int); /* does not return */
    int (*execve)(const char *, char *const[], char *const[]);
    int (*execv)(const char *, char *const[]);
    int (*execvp)(const char *, char *const[]);
    int (*execvpe)(const char *, char *const[], char *const[]);
    int (*fexecve)(int, char *const[], char *const[]);
    int (*execveat)(int, const char *, char *const[], char *const[], int); /* NULL: glibc is too old */
    sem_t *(*sem_open)(const char *, int, ...);
    int (*flock)(int, int);
    int (*fcntl)(int, int, ...);
    int (*lockf)(int, int, off_t);
    int (*close)(int);
    int (*fclose)(FILE *);
    int (*dup2)(int, int);
    int (*dup3)(int, int, int);
    int (*close_range)(unsigned, unsigned, int); /* NULL: glibc is too old */
    void (*closefrom)(int);                      /* NULL: likewise */
    int (*iterate_objects)(lgp_object_callback *, void *);
};
extern struct lgi_real lgi_real;

/* libc's own, by names that nobody interposes. */
struct lgi_libc {
    int (*mutex_lock)(pthread_mutex_t *);
    int (*mutex_trylock)(pthread_mutex_t *);
    int (*mutex_unlock)(pthread_mutex_t *);
};
extern const struct lgi_libc lgi_libc;

/* Looks all of them up: from the constructor, before any other thread of ours
 * could need them.  A lazy look-up would wait for the loader's lock, which a
 * thread may hold that waits for a lock of the program. */
void lgi_real_start(void);
/* Whether libc knows that the process has one thread; false before glibc 2.32. */
bool lgi_real_single_threaded(void);
/* Whether `function` is libc's own of that name: no other interposer stands
 * between us and libc.  From the constructor. */
bool lgi_real_is_libc(const char *name, const void *function);

#endif
