/* Robust mutexes, which glibc has process-shared wherever they are: in private memory
 * they are as private as any, and in shared memory other processes have them, too.
 *
 * case: two
 * expect: cond-two-mutexes none error
 * call: WAITS with second
 * earlier: WAITS with first
 * case: two-views
 * silent
 * near: cond-two-mutexes
 * case: fork
 * expect: fork-held none error
 * call: ASKS
 * earlier: HOLDS
 * in child
 * case: fork-shared
 * silent
 * near: fork-held
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "turns.h"

struct locks {
    pthread_mutex_t first, second;
    pthread_cond_t changed;
};

static struct locks private_locks, *locks = &private_locks;
static pthread_mutex_t *second = &private_locks.second;

static struct timespec in(long milliseconds) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += milliseconds * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* The same memory at two addresses: its first mutex is there twice. */
static void share(void) {
    int file = memfd_create("locks", 0);
    (void)!ftruncate(file, sizeof *locks);
    locks = mmap(NULL, sizeof *locks, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    second = &((struct locks *)mmap(NULL, sizeof *locks, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0))->first;
}

static void init(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (locks != &private_locks)
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&locks->first, &attributes);
    pthread_mutex_init(&locks->second, &attributes);
    pthread_cond_init(&locks->changed, NULL);
}

static void *waits_first(void *unused) {
    struct timespec at = in(400);
    pthread_mutex_lock(&locks->first);
    next_turn();
    pthread_cond_timedwait(&locks->changed, &locks->first, &at); /* WAITS with first */
    pthread_mutex_unlock(&locks->first);
    return unused;
}

static void wait_second(void) {
    struct timespec at = in(100);
    await_turn(1);
    pthread_mutex_lock(second);                           /* the other one waits by then */
    pthread_cond_timedwait(&locks->changed, second, &at); /* WAITS with second */
    pthread_mutex_unlock(second);
}

static void *holds(void *unused) {
    pthread_mutex_lock(&locks->first); /* HOLDS */
    next_turn();
    await_turn(2);
    pthread_mutex_unlock(&locks->first);
    return unused;
}

static void play_fork(void) {
    await_turn(1);
    pid_t pid = fork();
    if (pid == 0) {
        struct timespec at = in(500);
        pthread_mutex_timedlock(&locks->first, &at); /* ASKS */
        _exit(0);
    }
    usleep(100000);
    if (locks != &private_locks)
        next_turn();
    waitpid(pid, NULL, 0);
    next_turn();
}

int main(int count, char **words) {
    const char *word = count > 1 ? words[1] : "";
    int forks = strncmp(word, "fork", 4) == 0;
    alarm(60);
    if (strchr(word, '-') != NULL)
        share();
    init();
    pthread_t thread;
    pthread_create(&thread, NULL, forks ? holds : waits_first, NULL);
    if (forks)
        play_fork();
    else
        wait_second();
    pthread_join(thread, NULL);
    return 0;
}
