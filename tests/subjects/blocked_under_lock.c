/* A call that blocks is made while a lock is held, and takes longer than
 * blocked_limit: told once it is over, with its stack and where the lock was taken.
 *
 * options: -O blocked_limit=50ms
 * seconds: 8
 *
 * case: sleep
 *     expect: blocked-under-lock none warning
 *     call: SLEEPS
 *     earlier: TAKES FOR SLEEP
 *     lock: mutex_lock
 *     says: sleeps while it holds mutex_lock, was kept during the call, was taken at
 * case: nanosleep
 *     expect: blocked-under-lock none warning
 *     call: NANOSLEEPS
 *     earlier: TAKES FOR NANOSLEEP
 * case: read
 *     expect: blocked-under-lock none warning
 *     call: READS
 *     earlier: TAKES FOR READ
 *     lock: mutex_lock
 *     says: reads while it holds mutex_lock
 * case: wrapper
 *     expect: blocked-under-lock none warning
 *     call: READS BEHIND
 *     earlier: ENTERS
 * case: inner
 *     expect: blocked-under-lock none warning
 *     call: READS INSIDE
 *     earlier: TAKES INNER
 *     lock: inner_lock
 * case: poll
 *     expect: blocked-under-lock none warning
 *     call: POLLS
 *     earlier: TAKES FOR POLL
 *     lock: rwlock
 * case: select
 *     expect: blocked-under-lock none warning
 *     call: SELECTS
 *     earlier: TAKES SHARED
 *     lock: rwlock
 * case: receive
 *     expect: blocked-under-lock none warning
 *     call: RECEIVES
 *     earlier: TAKES SPINLOCK
 * case: write
 *     expect: blocked-under-lock none warning
 *     call: WRITES
 *     earlier: TAKES FOR WRITE
 * case: child
 *     expect: blocked-under-lock none warning
 *     call: WAITS FOR CHILD
 *     earlier: TAKES SEMAPHORE
 *
 * case: before
 *     silent
 *     near: blocked-under-lock
 * case: short
 *     silent
 *     near: blocked-under-lock
 *     options: -O blocked_limit=5s
 * case: condition
 *     silent
 *     near: blocked-under-lock
 * case: other-thread
 *     silent
 *     near: blocked-under-lock
 * case: file-lock
 *     silent
 *     near: blocked-under-lock
 * case: signal-semaphore
 *     silent
 *     near: blocked-under-lock
 * case: vfork
 *     silent
 *     near: blocked-under-lock
 * case: no-limit
 *     silent
 *     near: blocked-under-lock
 *     options: -O blocked_limit=none
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "turns.h"

enum { LONG_MS = 200, OWN_ERRNO = 4321, MUCH = 1 << 20 };

static pthread_mutex_t mutex_lock = PTHREAD_MUTEX_INITIALIZER, inner_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_spinlock_t spinlock;
static sem_t semaphore, signalled;
static int ends[2];

static void must(int good) {
    if (!good)
        abort();
}
static void let(int ms) { usleep((useconds_t)ms * 1000); }

/* Writes a byte into the pipe, or empties it, after a while. */
static void *other(void *reads) {
    static char buffer[MUCH];
    let(LONG_MS);
    if (reads == NULL)
        must(write(ends[1], "x", 1) == 1);
    else
        for (ssize_t left = MUCH, got; left > 0 && (got = read(ends[0], buffer, MUCH)) > 0;)
            left -= got;
    return NULL;
}
static pthread_t later(void *reads) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, other, reads) == 0);
    return thread;
}

static void sleep_under(void) {
    pthread_mutex_lock(&mutex_lock); /* TAKES FOR SLEEP */
    must(sleep(1) == 0);             /* SLEEPS */
    pthread_mutex_unlock(&mutex_lock);
}

static void nanosleep_under(void) {
    struct timespec time = {0, LONG_MS * 1000000};
    pthread_mutex_lock(&mutex_lock);   /* TAKES FOR NANOSLEEP */
    must(nanosleep(&time, NULL) == 0); /* NANOSLEEPS */
    pthread_mutex_unlock(&mutex_lock);
}

static void read_under(void) {
    char byte;
    pthread_t thread = later(NULL);
    pthread_mutex_lock(&mutex_lock);    /* TAKES FOR READ */
    must(read(ends[0], &byte, 1) == 1); /* READS */
    pthread_mutex_unlock(&mutex_lock);
    pthread_join(thread, NULL);
}

static __attribute__((noinline)) void enter(void) { pthread_mutex_lock(&mutex_lock); }
static __attribute__((noinline)) void get(void) {
    char byte;
    must(read(ends[0], &byte, 1) == 1);
}
static void read_behind_wrapper(void) {
    pthread_t thread = later(NULL);
    enter(); /* ENTERS */
    get();   /* READS BEHIND */
    pthread_mutex_unlock(&mutex_lock);
    pthread_join(thread, NULL);
}

static void read_inside(void) {
    char byte;
    pthread_t thread = later(NULL);
    pthread_mutex_lock(&mutex_lock);
    pthread_mutex_lock(&inner_lock);    /* TAKES INNER */
    must(read(ends[0], &byte, 1) == 1); /* READS INSIDE */
    pthread_mutex_unlock(&inner_lock);
    pthread_mutex_unlock(&mutex_lock);
    pthread_join(thread, NULL);
}

static void poll_under(void) {
    struct pollfd file = {.fd = ends[0], .events = POLLIN};
    pthread_rwlock_wrlock(&rwlock);     /* TAKES FOR POLL */
    must(poll(&file, 1, LONG_MS) == 0); /* POLLS */
    pthread_rwlock_unlock(&rwlock);
}

static void select_under(void) {
    struct timeval time = {0, LONG_MS * 1000};
    pthread_rwlock_rdlock(&rwlock);                /* TAKES SHARED */
    must(select(0, NULL, NULL, NULL, &time) == 0); /* SELECTS */
    pthread_rwlock_unlock(&rwlock);
}

static void receive_under(void) {
    int pair[2];
    char byte;
    struct timeval time = {0, LONG_MS * 1000};
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    must(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
    pthread_spin_lock(&spinlock);                              /* TAKES SPINLOCK */
    must(recv(pair[0], &byte, 1, 0) == -1 && errno == EAGAIN); /* RECEIVES */
    pthread_spin_unlock(&spinlock);
}

static void write_under(void) {
    static char much[MUCH];
    pthread_t thread = later(much);
    pthread_mutex_lock(&mutex_lock);          /* TAKES FOR WRITE */
    must(write(ends[1], much, MUCH) == MUCH); /* WRITES */
    pthread_mutex_unlock(&mutex_lock);
    pthread_join(thread, NULL);
}

static void wait_for_child(void) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        let(2 * LONG_MS);
        _exit(0);
    }
    sem_wait(&semaphore);
    sem_post(&semaphore);
    sem_wait(&semaphore);                      /* TAKES SEMAPHORE */
    must(waitpid(child, &status, 0) == child); /* WAITS FOR CHILD */
    sem_post(&semaphore);
}

/* ---- silent ---- */

static void read_before(void) {
    char byte;
    pthread_t thread = later(NULL);
    must(read(ends[0], &byte, 1) == 1);
    pthread_mutex_lock(&mutex_lock);
    pthread_mutex_unlock(&mutex_lock);
    pthread_join(thread, NULL);
}

static void read_what_is_there(void) {
    char byte;
    must(write(ends[1], "x", 1) == 1);
    pthread_mutex_lock(&mutex_lock);
    must(read(ends[0], &byte, 1) == 1);
    pthread_mutex_unlock(&mutex_lock);
}

static void wait_for_condition(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec++;
    pthread_mutex_lock(&mutex_lock);
    must(pthread_cond_timedwait(&condition, &mutex_lock, &at) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex_lock);
}

static void *holder(void *unused) {
    pthread_mutex_lock(&mutex_lock);
    next_turn();
    while (turn < 2) {
    }
    pthread_mutex_unlock(&mutex_lock);
    return unused;
}
static void read_while_other_holds(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, holder, NULL);
    await_turn(1);
    pthread_t writer = later(NULL);
    char byte;
    must(read(ends[0], &byte, 1) == 1);
    pthread_join(writer, NULL);
    next_turn();
    pthread_join(thread, NULL);
}

static void read_under_file_lock(void) {
    int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    must(file < 0 || flock(file, LOCK_EX) == 0);
    let(LONG_MS);
    must(file < 0 || flock(file, LOCK_UN) == 0);
}

static void *poster(void *unused) {
    sem_post(&signalled);
    return unused;
}
static void sleep_after_signal(void) {
    pthread_t thread;
    sem_init(&signalled, 0, 1);
    sem_wait(&signalled);
    pthread_create(&thread, NULL, poster, NULL);
    pthread_join(thread, NULL);
    let(LONG_MS);
    sem_post(&signalled);
}

/* Its child has its parent's memory, but is another process: whatever it does before
 * it execs is none of the parent's. */
static void sleep_in_vfork(void) {
    int status;
    pid_t child = vfork();
    if (child == 0) {
        struct pollfd none = {.fd = -1, .events = 0};
        pthread_mutex_lock(&mutex_lock);
        poll(&none, 1, LONG_MS);
        pthread_mutex_unlock(&mutex_lock);
        _exit(0);
    }
    must(waitpid(child, &status, 0) == child);
}

static const struct {
    const char *name;
    void (*function)(void);
} cases[] = {
    {"sleep", sleep_under},
    {"nanosleep", nanosleep_under},
    {"read", read_under},
    {"wrapper", read_behind_wrapper},
    {"inner", read_inside},
    {"poll", poll_under},
    {"select", select_under},
    {"receive", receive_under},
    {"write", write_under},
    {"child", wait_for_child},
    {"before", read_before},
    {"short", read_what_is_there},
    {"condition", wait_for_condition},
    {"other-thread", read_while_other_holds},
    {"file-lock", read_under_file_lock},
    {"signal-semaphore", sleep_after_signal},
    {"vfork", sleep_in_vfork},
    {"no-limit", sleep_under},
};

static void *run(void *chosen) {
    errno = OWN_ERRNO;
    cases[*(size_t *)chosen].function();
    return chosen;
}

int main(int argc, char **argv) {
    pthread_t thread;
    size_t chosen = 0;
    must(pipe(ends) == 0);
    pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
    sem_init(&semaphore, 0, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(cases[i].name, argc > 1 ? argv[1] : "read") == 0)
            chosen = i;
    pthread_create(&thread, NULL, run, &chosen);
    pthread_join(thread, NULL);
    return 0;
}
