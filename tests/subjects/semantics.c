/* Prints the result and errno of mutex, condition and C11 calls on every kind
 * of mutex.  What it prints under the runtime must be what it prints alone.
 *
 * transcript
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* Every call is made with a recognisable errno, which must survive as it does
 * in glibc. */
#define SHOW(call)                                                                                           \
    do {                                                                                                     \
        errno = 4242;                                                                                        \
        int result_ = (call);                                                                                \
        int errno_ = errno;                                                                                  \
        printf("%-58s %d errno %d\n", #call, result_, errno_);                                               \
    } while (0)

static struct timespec after_ms(clockid_t clock, long milliseconds) {
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_sec += milliseconds / 1000;
    at.tv_nsec += milliseconds % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

struct flavour {
    const char *name;
    int type, robust, protocol, shared;
};
static const struct flavour flavours[] = {
    {"normal", PTHREAD_MUTEX_NORMAL, 0, 0, 0},
    {"default", PTHREAD_MUTEX_DEFAULT, 0, 0, 0},
    {"recursive", PTHREAD_MUTEX_RECURSIVE, 0, 0, 0},
    {"errorcheck", PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0},
    {"adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0},
    {"robust normal", PTHREAD_MUTEX_NORMAL, 1, 0, 0},
    {"robust recursive", PTHREAD_MUTEX_RECURSIVE, 1, 0, 0},
    {"robust errorcheck", PTHREAD_MUTEX_ERRORCHECK, 1, 0, 0},
    {"inherit normal", PTHREAD_MUTEX_NORMAL, 0, 1, 0},
    {"inherit recursive", PTHREAD_MUTEX_RECURSIVE, 0, 1, 0},
    {"inherit errorcheck", PTHREAD_MUTEX_ERRORCHECK, 0, 1, 0},
    {"inherit robust errorcheck", PTHREAD_MUTEX_ERRORCHECK, 1, 1, 0},
    {"shared normal", PTHREAD_MUTEX_NORMAL, 0, 0, 1},
    {"shared recursive", PTHREAD_MUTEX_RECURSIVE, 0, 0, 1},
    {"shared errorcheck", PTHREAD_MUTEX_ERRORCHECK, 0, 0, 1},
    {"shared robust errorcheck", PTHREAD_MUTEX_ERRORCHECK, 1, 0, 1},
    {"shared inherit robust normal", PTHREAD_MUTEX_NORMAL, 1, 1, 1},
};
enum { FLAVOURS = sizeof flavours / sizeof *flavours };

static int initialise(pthread_mutex_t *mutex, const struct flavour *flavour) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, flavour->type);
    if (flavour->robust)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (flavour->protocol)
        pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    if (flavour->shared)
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    int result = pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return result;
}

/* What another thread sees of a mutex that main holds. */
static void *from_outside(void *argument) {
    pthread_mutex_t *mutex = argument;
    struct timespec soon = after_ms(CLOCK_REALTIME, 20), past = {1, 0}, bad = {1, -1},
                    worse = {1, 1000000000};
    struct timespec soon_monotonic = after_ms(CLOCK_MONOTONIC, 20);
    SHOW(pthread_mutex_trylock(mutex));
    SHOW(pthread_mutex_timedlock(mutex, &soon));
    SHOW(pthread_mutex_timedlock(mutex, &past));
    SHOW(pthread_mutex_timedlock(mutex, &bad));
    SHOW(pthread_mutex_timedlock(mutex, &worse));
    SHOW(pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &soon_monotonic));
    SHOW(pthread_mutex_clocklock(mutex, CLOCK_REALTIME, &past));
    SHOW(pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &bad));
    SHOW(pthread_mutex_clocklock(mutex, CLOCK_PROCESS_CPUTIME_ID, &soon));
    return NULL;
}

/* Error-checking kinds also refuse a foreign unlock. */
static void *foreign_unlock(void *argument) {
    SHOW(pthread_mutex_unlock(argument));
    return NULL;
}

static void in_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    pthread_create(&thread, NULL, body, argument);
    pthread_join(thread, NULL);
}

static void basic(const struct flavour *flavour) {
    pthread_mutex_t mutex;
    struct timespec later = after_ms(CLOCK_REALTIME, 1000), past = {1, 0}, bad = {1, -1};
    struct timespec later_monotonic = after_ms(CLOCK_MONOTONIC, 1000);
    printf("== %s\n", flavour->name);
    SHOW(initialise(&mutex, flavour));
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_destroy(&mutex));
    in_thread(from_outside, &mutex);
    if (flavour->type == PTHREAD_MUTEX_ERRORCHECK || flavour->type == PTHREAD_MUTEX_RECURSIVE) {
        in_thread(foreign_unlock, &mutex);
        SHOW(pthread_mutex_lock(&mutex));
        SHOW(pthread_mutex_timedlock(&mutex, &later));
        SHOW(pthread_mutex_trylock(&mutex));
    } else {
        SHOW(pthread_mutex_trylock(&mutex));
        SHOW(pthread_mutex_timedlock(&mutex, &past));
        SHOW(pthread_mutex_timedlock(&mutex, &bad));
    }
    for (int i = 0; i < (flavour->type == PTHREAD_MUTEX_RECURSIVE ? 4 : 1); i++)
        SHOW(pthread_mutex_unlock(&mutex));
    if (flavour->type == PTHREAD_MUTEX_ERRORCHECK || flavour->type == PTHREAD_MUTEX_RECURSIVE)
        SHOW(pthread_mutex_unlock(&mutex));
    /* free mutex: which arguments are looked at */
    SHOW(pthread_mutex_timedlock(&mutex, &past));
    SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutex_timedlock(&mutex, &bad));
    SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &later_monotonic));
    SHOW(pthread_mutex_unlock(&mutex));
    int result = pthread_mutex_clocklock(&mutex, CLOCK_THREAD_CPUTIME_ID, &later);
    printf("clocklock, free, bad clock: %d\n", result);
    if (result == 0)
        SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutex_destroy(&mutex));
}

static void *die_holding(void *argument) {
    SHOW(pthread_mutex_lock(argument));
    return NULL;
}

static void robust(const struct flavour *flavour) {
    pthread_mutex_t mutex;
    struct timespec later = after_ms(CLOCK_REALTIME, 1000);
    printf("== owner death, %s\n", flavour->name);
    initialise(&mutex, flavour);
    in_thread(die_holding, &mutex);
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_consistent(&mutex));
    SHOW(pthread_mutex_consistent(&mutex));
    SHOW(pthread_mutex_unlock(&mutex));
    in_thread(die_holding, &mutex);
    SHOW(pthread_mutex_trylock(&mutex));
    SHOW(pthread_mutex_consistent(&mutex));
    SHOW(pthread_mutex_unlock(&mutex));
    in_thread(die_holding, &mutex);
    SHOW(pthread_mutex_timedlock(&mutex, &later));
    SHOW(pthread_mutex_unlock(&mutex)); /* without making it consistent */
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_trylock(&mutex));
    SHOW(pthread_mutex_timedlock(&mutex, &later));
    SHOW(pthread_mutex_consistent(&mutex));
    SHOW(pthread_mutex_destroy(&mutex));
}

/* A process that dies with a shared robust mutex. */
static void robust_across_processes(void) {
    printf("== owner death across processes\n");
    pthread_mutex_t *mutex =
        mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    initialise(mutex, &flavours[15]);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(mutex);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("child %d\n", status);
    SHOW(pthread_mutex_lock(mutex));
    SHOW(pthread_mutex_consistent(mutex));
    SHOW(pthread_mutex_unlock(mutex));
    SHOW(pthread_mutex_lock(mutex));
    SHOW(pthread_mutex_unlock(mutex));
    munmap(mutex, sizeof *mutex);
}

static void ceiling(void) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t mutex;
    int old = -1;
    printf("== priority ceiling\n");
    pthread_mutexattr_init(&attributes);
    SHOW(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT));
    SHOW(pthread_mutex_init(&mutex, &attributes));
    SHOW(pthread_mutex_getprioceiling(&mutex, &old));
    SHOW(pthread_mutex_destroy(&mutex));
}

static pthread_cond_t condition;
static pthread_mutex_t condition_mutex;
static int woken;

static void *wait_here(void *unused) {
    pthread_mutex_lock(&condition_mutex);
    woken--;
    while (woken < 0)
        SHOW(pthread_cond_wait(&condition, &condition_mutex));
    pthread_mutex_unlock(&condition_mutex);
    return unused;
}

static void wake(int (*how)(pthread_cond_t *)) {
    pthread_t thread;
    woken = 0;
    pthread_create(&thread, NULL, wait_here, NULL);
    for (;;) {
        pthread_mutex_lock(&condition_mutex);
        int waiting = woken;
        if (waiting < 0) {
            woken = 0;
            SHOW(how(&condition));
        }
        pthread_mutex_unlock(&condition_mutex);
        if (waiting < 0)
            break;
        usleep(100);
    }
    pthread_join(thread, NULL);
}

static void conditions(const struct flavour *flavour, int monotonic) {
    struct timespec past = {1, 0}, bad = {1, -1}, worse = {1, 1000000000};
    struct timespec soon = after_ms(monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME, 15);
    struct timespec soon_monotonic = after_ms(CLOCK_MONOTONIC, 15);
    printf("== condition, %s, %s\n", flavour->name, monotonic ? "monotonic" : "real time");
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    if (monotonic)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (flavour->shared)
        pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    initialise(&condition_mutex, flavour);
    SHOW(pthread_cond_init(&condition, &attributes));
    SHOW(pthread_cond_signal(&condition));
    SHOW(pthread_cond_broadcast(&condition));
    pthread_mutex_lock(&condition_mutex);
    SHOW(pthread_cond_timedwait(&condition, &condition_mutex, &soon));
    SHOW(pthread_cond_timedwait(&condition, &condition_mutex, &past));
    SHOW(pthread_cond_timedwait(&condition, &condition_mutex, &bad));
    SHOW(pthread_cond_timedwait(&condition, &condition_mutex, &worse));
    SHOW(pthread_cond_clockwait(&condition, &condition_mutex, CLOCK_MONOTONIC, &soon_monotonic));
    SHOW(pthread_cond_clockwait(&condition, &condition_mutex, CLOCK_REALTIME, &past));
    SHOW(pthread_cond_clockwait(&condition, &condition_mutex, CLOCK_REALTIME, &bad));
    SHOW(pthread_cond_clockwait(&condition, &condition_mutex, CLOCK_PROCESS_CPUTIME_ID, &past));
    SHOW(pthread_mutex_unlock(&condition_mutex));
    if (flavour->type == PTHREAD_MUTEX_ERRORCHECK) /* not held */
        SHOW(pthread_cond_timedwait(&condition, &condition_mutex, &past));
    wake(pthread_cond_signal);
    wake(pthread_cond_broadcast);
    SHOW(pthread_cond_destroy(&condition));
    SHOW(pthread_mutex_destroy(&condition_mutex));
    pthread_condattr_destroy(&attributes);
}

static atomic_bool told; /* that the thread was created: its own lines come after that one */

static int c11_outside(void *argument) {
    mtx_t *mutex = argument;
    struct timespec soon, past = {1, 0};
    while (!told)
        thrd_yield();
    timespec_get(&soon, TIME_UTC);
    soon.tv_nsec = soon.tv_nsec > 900000000 ? 999999999 : soon.tv_nsec + 15000000;
    SHOW(mtx_trylock(mutex));
    SHOW(mtx_timedlock(mutex, &soon));
    SHOW(mtx_timedlock(mutex, &past));
    return 7;
}

static void c11(int type, const char *name) {
    mtx_t mutex;
    cnd_t changed;
    thrd_t thread;
    int result = 0;
    struct timespec past = {1, 0};
    printf("== C11 %s\n", name);
    SHOW(mtx_init(&mutex, type));
    SHOW(mtx_lock(&mutex));
    SHOW(mtx_trylock(&mutex));
    if (type & mtx_recursive)
        mtx_unlock(&mutex);
    told = false;
    SHOW(thrd_create(&thread, c11_outside, &mutex));
    told = true;
    SHOW(thrd_join(thread, &result));
    printf("thread returned %d\n", result);
    SHOW(cnd_init(&changed));
    SHOW(cnd_signal(&changed));
    SHOW(cnd_broadcast(&changed));
    SHOW(cnd_timedwait(&changed, &mutex, &past));
    cnd_destroy(&changed);
    SHOW(mtx_unlock(&mutex));
    mtx_destroy(&mutex);
}

static void *sleepy(void *argument) {
    usleep(50 * 1000);
    return argument;
}

static void *exits(void *argument) { pthread_exit((char *)argument + 1); }

static void threads(void) {
    pthread_t thread;
    void *value = NULL;
    struct timespec past = {1, 0}, later;
    printf("== threads\n");
    SHOW(pthread_create(&thread, NULL, sleepy, (void *)11));
    SHOW(pthread_tryjoin_np(thread, &value));
    SHOW(pthread_timedjoin_np(thread, &value, &past));
    later = after_ms(CLOCK_MONOTONIC, 5000);
    SHOW(pthread_clockjoin_np(thread, &value, CLOCK_MONOTONIC, &later));
    printf("value %ld\n", (long)value);
    SHOW(pthread_create(&thread, NULL, exits, (void *)20));
    later = after_ms(CLOCK_REALTIME, 5000);
    SHOW(pthread_timedjoin_np(thread, &value, &later));
    printf("value %ld\n", (long)value);
    SHOW(pthread_create(&thread, NULL, sleepy, NULL));
    SHOW(pthread_setname_np(thread, "a name"));
    SHOW(pthread_setname_np(thread, "much too long a name"));
    SHOW(pthread_detach(thread));
    SHOW(pthread_join(thread, NULL));
    SHOW(pthread_join(pthread_self(), NULL));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    SHOW(pthread_create(&thread, &attributes, sleepy, NULL));
    pthread_attr_destroy(&attributes);
    usleep(100 * 1000);
}

static void static_initialisers(void) {
    pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    pthread_mutex_t checking = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    pthread_mutex_t adaptive = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
    printf("== static initialisers\n");
    SHOW(pthread_mutex_lock(&recursive));
    SHOW(pthread_mutex_lock(&recursive));
    SHOW(pthread_mutex_unlock(&recursive));
    SHOW(pthread_mutex_unlock(&recursive));
    SHOW(pthread_mutex_unlock(&recursive));
    SHOW(pthread_mutex_unlock(&checking));
    SHOW(pthread_mutex_lock(&checking));
    SHOW(pthread_mutex_lock(&checking));
    SHOW(pthread_mutex_unlock(&checking));
    SHOW(pthread_mutex_lock(&adaptive));
    SHOW(pthread_mutex_trylock(&adaptive));
    SHOW(pthread_mutex_unlock(&adaptive));
    SHOW(pthread_mutex_destroy(&adaptive));
    SHOW(pthread_mutex_lock(&adaptive));
    SHOW(pthread_mutex_init(&adaptive, NULL));
    SHOW(pthread_mutex_lock(&adaptive));
    SHOW(pthread_mutex_unlock(&adaptive));
}

int main(void) {
    alarm(60);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    for (int i = 0; i < FLAVOURS; i++)
        basic(&flavours[i]);
    for (int i = 0; i < FLAVOURS; i++)
        if (flavours[i].robust)
            robust(&flavours[i]);
    robust_across_processes();
    ceiling();
    for (int i = 0; i < FLAVOURS; i++)
        conditions(&flavours[i], i & 1);
    c11(mtx_plain, "plain");
    c11(mtx_timed, "timed");
    c11(mtx_plain | mtx_recursive, "recursive");
    c11(mtx_timed | mtx_recursive, "timed recursive");
    threads();
    static_initialisers();
    return 0;
}
