/* Locks of every kind in one order, each with two numbers that only its holder
 * changes. */
#include "stress.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <threads.h>

/* Spinlocks last: nobody waits for anything else while one is held. */
enum kind {
    NORMAL,
    RECURSIVE,
    ERROR_CHECKING,
    ADAPTIVE,
    SHARED,
    ROBUST,
    INHERITING,
    C11_TIMED,
    C11_RECURSIVE,
    PREFER_READERS,
    PREFER_WRITERS,
    PREFER_WRITERS_STRICTLY,
    SEMAPHORE,
    SPIN,
    KINDS
};
enum { OF_EACH = 2, LOCKS = KINDS * OF_EACH, AT_ONCE = 6 };

struct lock {
    enum kind kind;
    union {
        pthread_mutex_t mutex;
        mtx_t c11;
        pthread_rwlock_t rwlock;
        sem_t semaphore;
        pthread_spinlock_t spin;
    };
    long written, checked; /* equal whenever nobody writes */
};
static struct lock *table; /* shared memory, as SHARED demands */

struct hold {
    struct lock *lock;
    bool shared;
};

/* A program has so many ways through its locks; all of them at random would be
 * more than anybody could know, and memory would grow for ever. */
enum way { BLOCKING, TRY, TIMED, CLOCK, WAYS };
struct stop {
    uint32_t lock;
    enum way way;
    bool shared;
};
enum { ROUTES = 64 };
static struct route {
    size_t length;
    struct stop stops[AT_ONCE];
} routes[ROUTES];

static bool is_rwlock(const struct lock *lock) {
    return lock->kind >= PREFER_READERS && lock->kind <= PREFER_WRITERS_STRICTLY;
}

/* ---- making ---- */

static void make_mutex(struct lock *lock) {
    static const int types[] = {[NORMAL] = PTHREAD_MUTEX_NORMAL,
                                [RECURSIVE] = PTHREAD_MUTEX_RECURSIVE,
                                [ERROR_CHECKING] = PTHREAD_MUTEX_ERRORCHECK,
                                [ADAPTIVE] = PTHREAD_MUTEX_ADAPTIVE_NP,
                                [INHERITING] = PTHREAD_MUTEX_NORMAL};
    pthread_mutexattr_t attributes;
    MUST(pthread_mutexattr_init(&attributes) == 0);
    MUST(pthread_mutexattr_settype(&attributes, types[lock->kind]) == 0);
    if (lock->kind == SHARED)
        MUST(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
    if (lock->kind == ROBUST)
        MUST(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    if (lock->kind == INHERITING)
        MUST(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT) == 0);
    MUST(pthread_mutex_init(&lock->mutex, &attributes) == 0);
    MUST(pthread_mutexattr_destroy(&attributes) == 0);
}

static void make_rwlock(struct lock *lock) {
    pthread_rwlockattr_t attributes;
    MUST(pthread_rwlockattr_init(&attributes) == 0);
    MUST(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_READER_NP +
                                                        (int)(lock->kind - PREFER_READERS)) == 0);
    MUST(pthread_rwlock_init(&lock->rwlock, &attributes) == 0);
    MUST(pthread_rwlockattr_destroy(&attributes) == 0);
}

static void make(struct lock *lock) {
    if (lock->kind <= INHERITING)
        make_mutex(lock);
    else if (lock->kind <= C11_RECURSIVE)
        MUST(mtx_init(&lock->c11, lock->kind == C11_TIMED ? mtx_timed : mtx_plain | mtx_recursive) ==
             thrd_success);
    else if (lock->kind <= PREFER_WRITERS_STRICTLY)
        make_rwlock(lock);
    else if (lock->kind == SEMAPHORE)
        MUST(sem_init(&lock->semaphore, 0, 1) == 0);
    else
        MUST(pthread_spin_init(&lock->spin, PTHREAD_PROCESS_PRIVATE) == 0);
}

static void make_route(struct actor *actor, struct route *route) {
    for (uint32_t at = pick(actor, LOCKS); at < LOCKS && route->length < AT_ONCE;
         at += 1 + pick(actor, LOCKS / 3)) {
        route->stops[route->length++] =
            (struct stop){at, (enum way)pick(actor, WAYS), is_rwlock(&table[at]) && pick(actor, 4) != 0};
    }
}

void table_start(struct actor *actor) {
    table = mmap(NULL, LOCKS * sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(table != MAP_FAILED);
    for (int i = 0; i < LOCKS; i++) {
        table[i].kind = (enum kind)(i / OF_EACH);
        make(&table[i]);
    }
    for (int i = 0; i < ROUTES; i++)
        make_route(actor, &routes[i]);
}

void table_check(void) {
    for (int i = 0; i < LOCKS; i++)
        MUST(table[i].written == table[i].checked);
}

/* ---- taking: 0, or EBUSY of a try ---- */

static int take_mutex(pthread_mutex_t *mutex, enum way way) {
    struct timespec until = in_milliseconds(way == CLOCK ? CLOCK_MONOTONIC : CLOCK_REALTIME, LONG_LIMIT);
    switch (way) {
    case TRY:
        return pthread_mutex_trylock(mutex);
    case TIMED:
        return pthread_mutex_timedlock(mutex, &until);
    case CLOCK:
        return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);
    default:
        return pthread_mutex_lock(mutex);
    }
}

static int take_c11(struct lock *lock, enum way way) {
    struct timespec until = in_milliseconds(CLOCK_REALTIME, LONG_LIMIT);
    if (way == TRY)
        return mtx_trylock(&lock->c11) == thrd_success ? 0 : EBUSY;
    if (way == TIMED && lock->kind == C11_TIMED)
        return mtx_timedlock(&lock->c11, &until) == thrd_success ? 0 : EINVAL;
    return mtx_lock(&lock->c11) == thrd_success ? 0 : EINVAL;
}

static int take_to_read(pthread_rwlock_t *rwlock, enum way way) {
    struct timespec until = in_milliseconds(way == CLOCK ? CLOCK_MONOTONIC : CLOCK_REALTIME, LONG_LIMIT);
    switch (way) {
    case TRY:
        return pthread_rwlock_tryrdlock(rwlock);
    case TIMED:
        return pthread_rwlock_timedrdlock(rwlock, &until);
    case CLOCK:
        return pthread_rwlock_clockrdlock(rwlock, CLOCK_MONOTONIC, &until);
    default:
        return pthread_rwlock_rdlock(rwlock);
    }
}

static int take_to_write(pthread_rwlock_t *rwlock, enum way way) {
    struct timespec until = in_milliseconds(way == CLOCK ? CLOCK_MONOTONIC : CLOCK_REALTIME, LONG_LIMIT);
    switch (way) {
    case TRY:
        return pthread_rwlock_trywrlock(rwlock);
    case TIMED:
        return pthread_rwlock_timedwrlock(rwlock, &until);
    case CLOCK:
        return pthread_rwlock_clockwrlock(rwlock, CLOCK_MONOTONIC, &until);
    default:
        return pthread_rwlock_wrlock(rwlock);
    }
}

static int take_semaphore(sem_t *semaphore, enum way way) {
    struct timespec until = in_milliseconds(way == CLOCK ? CLOCK_MONOTONIC : CLOCK_REALTIME, LONG_LIMIT);
    int result;
    do
        result = way == TRY     ? sem_trywait(semaphore)
                 : way == TIMED ? sem_timedwait(semaphore, &until)
                 : way == CLOCK ? sem_clockwait(semaphore, CLOCK_MONOTONIC, &until)
                                : sem_wait(semaphore);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno == EAGAIN ? EBUSY : errno;
}

static int take(struct hold *hold, enum way way) {
    struct lock *lock = hold->lock;
    if (lock->kind <= INHERITING)
        return take_mutex(&lock->mutex, way);
    if (lock->kind <= C11_RECURSIVE)
        return take_c11(lock, way);
    if (is_rwlock(lock))
        return hold->shared ? take_to_read(&lock->rwlock, way) : take_to_write(&lock->rwlock, way);
    if (lock->kind == SEMAPHORE)
        return take_semaphore(&lock->semaphore, way);
    return way == TRY ? pthread_spin_trylock(&lock->spin) : pthread_spin_lock(&lock->spin);
}

static void release(const struct hold *hold) {
    struct lock *lock = hold->lock;
    MUST(lock->written == lock->checked);
    if (lock->kind <= INHERITING)
        MUST(pthread_mutex_unlock(&lock->mutex) == 0);
    else if (lock->kind <= C11_RECURSIVE)
        MUST(mtx_unlock(&lock->c11) == thrd_success);
    else if (is_rwlock(lock))
        MUST(pthread_rwlock_unlock(&lock->rwlock) == 0);
    else if (lock->kind == SEMAPHORE)
        MUST(sem_post(&lock->semaphore) == 0);
    else
        MUST(pthread_spin_unlock(&lock->spin) == 0);
}

/* ---- visiting ---- */

static void use(struct actor *actor, const struct hold *hold) {
    MUST(hold->lock->written == hold->lock->checked);
    if (hold->shared)
        return;
    hold->lock->written++;
    if (hold->lock->kind != SPIN && pick(actor, 400) == 0)
        rest(pick(actor, 3) * 1000);
    hold->lock->checked++;
}

static bool enter(struct actor *actor, const struct stop *stop, struct hold *hold) {
    *hold = (struct hold){&table[stop->lock], stop->shared};
    int result = take(hold, stop->way);
    MUST(result == 0 || (result == EBUSY && stop->way == TRY));
    if (result == 0)
        use(actor, hold);
    return result == 0;
}

void table_visit(struct actor *actor) {
    const struct route *route = &routes[pick(actor, ROUTES)];
    struct hold held[AT_ONCE];
    size_t count = 0;
    for (size_t i = 0; i < route->length; i++)
        count += enter(actor, &route->stops[i], &held[count]);
    while (count > 0) {
        size_t which = pick(actor, (uint32_t)count);
        release(&held[which]);
        held[which] = held[--count];
    }
}

void step_table(struct actor *actor) {
    for (int i = 0; i < 200; i++)
        table_visit(actor);
}
