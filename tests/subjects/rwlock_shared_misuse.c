/* Wrong calls on a rwlock that other processes see, as far as they are wrong whatever
 * those do; and right ones, of which this process alone would be wrong.
 *
 * case: unheld
 * expect: unlock-unheld none error
 * call: WRONG unlock
 * case: waited
 * expect: destroy-waited none error
 * call: WRONG destroy
 * earlier: WAITS
 * case: read-by-child
 * silent
 * near: unlock-unheld, unlock-foreign
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "turns.h"

static pthread_rwlock_t *lock;

static void share(void) {
    pthread_rwlockattr_t attributes;
    lock = mmap(NULL, sizeof *lock, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_init(lock, &attributes);
}

static void unlock(void) {
    int result = pthread_rwlock_unlock(lock); /* WRONG unlock */
    (void)result;
}

static void *waits(void *unused) {
    next_turn();
    pthread_rwlock_wrlock(lock); /* WAITS */
    return unused;
}

static void destroy_waited(void) {
    pthread_t thread;
    pthread_rwlock_rdlock(lock);
    pthread_create(&thread, NULL, waits, NULL);
    await_turn(1);
    usleep(100000);
    pthread_rwlock_destroy(lock); /* WRONG destroy */
    exit(0);
}

/* The parent stops reading for the child, which is gone by then. */
static void read_by_child(void) {
    pid_t pid = fork();
    if (pid == 0) {
        pthread_rwlock_rdlock(lock);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    unlock();
}

int main(int count, char **words) {
    const char *word = count > 1 ? words[1] : "";
    share();
    if (strcmp(word, "unheld") == 0)
        unlock();
    else if (strcmp(word, "waited") == 0)
        destroy_waited();
    else
        read_by_child();
    return 0;
}
