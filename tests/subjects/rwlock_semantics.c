/* Prints the result and errno of every rwlock call in every state of a lock of
 * every kind, with good and bad arguments.  What it prints under the runtime
 * must be what it prints alone.
 *
 * transcript
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECOGNISABLE = 4242, SOON_MS = 10 };

static struct timespec after_ms(clockid_t clock, long milliseconds) {
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += milliseconds * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* ---- every way to ask ---- */

enum way { PLAIN, TRY, TIMED, BY_CLOCK };
struct moment {
    const char *name;
    long milliseconds; /* from now; 0: as it stands */
    struct timespec at;
};
static const struct moment moments[] = {
    {"soon", SOON_MS, {0, 0}},       {"past", 0, {1, 0}},
    {"before 1970", 0, {-1, 0}},     {"last nanosecond", 0, {1, 999999999}},
    {"nanoseconds -1", 0, {1, -1}},  {"nanoseconds 10^9", 0, {1, 1000000000}},
    {"far, bad", 0, {1L << 40, -1}},
};
enum { MOMENTS = sizeof moments / sizeof *moments };
static const clockid_t clocks[] = {CLOCK_REALTIME,
                                   CLOCK_MONOTONIC,
                                   CLOCK_PROCESS_CPUTIME_ID,
                                   CLOCK_THREAD_CPUTIME_ID,
                                   CLOCK_MONOTONIC_RAW,
                                   CLOCK_REALTIME_COARSE,
                                   CLOCK_BOOTTIME,
                                   77,
                                   -1};
enum { CLOCKS = sizeof clocks / sizeof *clocks };

static struct timespec time_of(const struct moment *moment, clockid_t clock) {
    if (moment->milliseconds == 0)
        return moment->at;
    return after_ms(clock == CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, moment->milliseconds);
}

static int ask(pthread_rwlock_t *lock, int write, enum way way, clockid_t clock,
               const struct moment *moment) {
    struct timespec at = way >= TIMED ? time_of(moment, clock) : (struct timespec){0, 0};
    switch (way) {
    case PLAIN:
        return write ? pthread_rwlock_wrlock(lock) : pthread_rwlock_rdlock(lock);
    case TRY:
        return write ? pthread_rwlock_trywrlock(lock) : pthread_rwlock_tryrdlock(lock);
    case TIMED:
        return write ? pthread_rwlock_timedwrlock(lock, &at) : pthread_rwlock_timedrdlock(lock, &at);
    case BY_CLOCK:
        break;
    }
    return write ? pthread_rwlock_clockwrlock(lock, clock, &at)
                 : pthread_rwlock_clockrdlock(lock, clock, &at);
}

static void show(pthread_rwlock_t *lock, int write, enum way way, clockid_t clock,
                 const struct moment *moment) {
    static const char *const names[] = {"", "try", "timed", "clock"};
    errno = RECOGNISABLE;
    int result = ask(lock, write, way, clock, moment);
    int error = errno;
    printf("  %s%s clock %d %s: %d errno %d", names[way], write ? "wrlock" : "rdlock", (int)clock,
           moment == NULL ? "" : moment->name, result, error);
    if (result == 0) {
        errno = RECOGNISABLE;
        result = pthread_rwlock_unlock(lock);
        printf(", unlock %d errno %d", result, errno);
    }
    printf("\n");
}

/* `blocks`: an unlimited call would never return. */
static void show_all(pthread_rwlock_t *lock, int write, int blocks) {
    if (!blocks)
        show(lock, write, PLAIN, 0, NULL);
    show(lock, write, TRY, 0, NULL);
    for (int i = 0; i < MOMENTS; i++)
        show(lock, write, TIMED, CLOCK_REALTIME, &moments[i]);
    for (int i = 0; i < CLOCKS; i++)
        for (int j = 0; j < MOMENTS; j++)
            show(lock, write, BY_CLOCK, clocks[i], &moments[j]);
}

/* ---- every state ---- */

enum state {
    FREE,
    WRITTEN_BEFORE,
    READ,
    READ_TWICE,
    WRITTEN,
    READ_BY_OTHER,
    WRITTEN_BY_OTHER,
    QUEUED,
    STATES
};
static const char *const state_names[] = {"free",
                                          "free, written last",
                                          "read by the caller",
                                          "read twice by the caller",
                                          "written by the caller",
                                          "read by another",
                                          "written by another",
                                          "a writer waits for a reader"};

struct scene {
    pthread_rwlock_t lock;
    enum state state;
    atomic_int ready, over;
    pthread_t other, writer;
};

static void *hold(void *argument) {
    struct scene *scene = argument;
    if (scene->state == WRITTEN_BY_OTHER)
        pthread_rwlock_wrlock(&scene->lock);
    else
        pthread_rwlock_rdlock(&scene->lock);
    scene->ready = 1;
    while (!scene->over)
        usleep(200);
    pthread_rwlock_unlock(&scene->lock);
    return NULL;
}

static void *wait_to_write(void *argument) {
    struct scene *scene = argument;
    pthread_rwlock_wrlock(&scene->lock);
    pthread_rwlock_unlock(&scene->lock);
    return NULL;
}

static int other_holds(enum state state) { return state >= READ_BY_OTHER; }

static void await_queued_writer(struct scene *scene) {
    enum { WRITER = 2 };
    while ((*(volatile unsigned *)&scene->lock.__data.__readers & WRITER) == 0)
        usleep(200);
    usleep(2000);
}

static void set(struct scene *scene) {
    pthread_rwlock_t *lock = &scene->lock;
    if (scene->state == WRITTEN_BEFORE)
        show(lock, 1, PLAIN, 0, NULL);
    if (scene->state == WRITTEN)
        pthread_rwlock_wrlock(lock);
    for (int i = 0; i < (scene->state == READ) + 2 * (scene->state == READ_TWICE); i++)
        pthread_rwlock_rdlock(lock);
    if (!other_holds(scene->state))
        return;
    pthread_create(&scene->other, NULL, hold, scene);
    while (!scene->ready)
        usleep(200);
    if (scene->state != QUEUED)
        return;
    pthread_create(&scene->writer, NULL, wait_to_write, scene);
    await_queued_writer(scene);
}

static void clear(struct scene *scene) {
    for (int i = 0; i < (scene->state == READ || scene->state == WRITTEN) + 2 * (scene->state == READ_TWICE);
         i++)
        printf("  unlock %d\n", pthread_rwlock_unlock(&scene->lock));
    if (!other_holds(scene->state))
        return;
    scene->over = 1;
    pthread_join(scene->other, NULL);
    if (scene->state == QUEUED)
        pthread_join(scene->writer, NULL);
}

static int initialise(pthread_rwlock_t *lock, int kind, int shared) {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, kind);
    pthread_rwlockattr_setpshared(&attributes, shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE);
    int result = pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return result;
}

static void one_state(int kind, int shared, enum state state) {
    struct scene scene = {.state = state};
    printf("== kind %d, %s, %s\n", kind, shared ? "shared" : "private", state_names[state]);
    printf("  init %d\n", initialise(&scene.lock, kind, shared));
    set(&scene);
    int queues = state == QUEUED && kind == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
    show_all(&scene.lock, 0, state == WRITTEN_BY_OTHER || queues);
    show_all(&scene.lock, 1, state == READ || state == READ_TWICE || other_holds(state));
    clear(&scene);
    printf("  %u readers, writer %d\n", scene.lock.__data.__readers, scene.lock.__data.__cur_writer);
    printf("  destroy %d\n", pthread_rwlock_destroy(&scene.lock));
}

/* ---- more ---- */

/* As many readers as there may be, and one less. */
static void too_many(unsigned readers) {
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    printf("== %u readers\n", readers / 8);
    lock.__data.__readers = readers;
    show(&lock, 0, PLAIN, 0, NULL);
    show(&lock, 0, TRY, 0, NULL);
    show(&lock, 0, TIMED, CLOCK_REALTIME, &moments[1]);
    show(&lock, 0, BY_CLOCK, CLOCK_MONOTONIC, &moments[0]);
    show(&lock, 1, TRY, 0, NULL);
    show(&lock, 1, TIMED, CLOCK_REALTIME, &moments[1]);
    printf("  %u readers\n", lock.__data.__readers / 8);
}

/* The tag must not make a difference to what a copy does. */
static void copied(void) {
    pthread_rwlock_t original = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP, copy;
    printf("== a copy\n");
    show(&original, 1, PLAIN, 0, NULL);
    memcpy(&copy, &original, sizeof copy);
    show(&copy, 1, PLAIN, 0, NULL);
    show(&copy, 0, PLAIN, 0, NULL);
    printf("%d %d\n", pthread_rwlock_destroy(&original), pthread_rwlock_destroy(&copy));
    show(&copy, 0, PLAIN, 0, NULL); /* glibc's destroy leaves it usable */
}

int main(void) {
    alarm(120);
    for (int kind = 0; kind < 3; kind++)
        for (int shared = 0; shared < 2; shared++)
            for (int state = 0; state < STATES; state++)
                one_state(kind, shared, (enum state)state);
    for (unsigned readers = 0x7ffffff8u; readers >= 0x7fffffe8u; readers -= 8)
        too_many(readers);
    too_many(0x3ffffff8u);
    copied();
    return 0;
}
