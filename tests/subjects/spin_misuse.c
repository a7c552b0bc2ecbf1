/* Wrong calls on spinlocks.
 * case: unlocked-free
 *     expect: unlock-unheld none error
 *     says: unlocking a spinlock that nobody
 *     call: UNLOCKED
 *     lock: ring
 * case: unlocked-twice
 *     expect: unlock-unheld none error
 *     call: UNLOCKED
 * case: unlocked-by-other
 *     expect: unlock-foreign none error
 *     says: took a spinlock may give it back
 *     call: UNLOCKED
 *     earlier: WORKER LOCKS
 *     earlier thread: keep
 *     lock: ring
 * case: destroyed-held
 *     expect: destroy-held none error
 *     call: DESTROYED
 *     earlier: LOCKED
 * case: destroyed-held-by-other
 *     expect: destroy-held none error
 *     call: DESTROYED
 *     earlier: WORKER LOCKS
 *     earlier thread: keep
 * case: initialised-held
 *     expect: reinit-held none error
 *     call: INITIALISED
 *     earlier: WORKER LOCKS
 * case: locked-after
 *     expect: use-destroyed none error
 *     call: LOCKED
 *     earlier: DESTROYED
 * case: right
 *     silent
 *     near: destroy-held, unlock-unheld
 * case: made-anew
 *     silent
 *     near: use-destroyed
 * case: in-a-child
 *     silent
 *     near: reinit-held
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "turns.h"

static pthread_spinlock_t ring;

static int steps;

static void init(void) {
    steps++;
    pthread_spin_init(&ring, PTHREAD_PROCESS_PRIVATE); /* INITIALISED */
}

static void lock(void) {
    steps++;
    pthread_spin_lock(&ring); /* LOCKED */
}

static void unlock(void) {
    steps++;
    pthread_spin_unlock(&ring); /* UNLOCKED */
}

static void destroy(void) {
    steps++;
    pthread_spin_destroy(&ring); /* DESTROYED */
}

static void *keep(void *unused) {
    pthread_spin_lock(&ring); /* WORKER LOCKS */
    next_turn();
    await_turn(2);
    pthread_spin_trylock(&ring);
    pthread_spin_unlock(&ring);
    return unused;
}

/* Until it is told to go on, which unlocks whatever the caller did. */
static pthread_t start_keeper(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, keep, NULL);
    await_turn(1);
    return thread;
}

static void while_kept(void (*call)(void)) {
    pthread_t thread = start_keeper();
    call();
    if (call == unlock)
        exit(0); /* the keeper's own unlock would be another wrong call */
    next_turn();
    pthread_join(thread, NULL);
}

static void right(void) {
    for (int i = 0; i < 100; i++) {
        lock();
        unlock();
        if (pthread_spin_trylock(&ring) == 0)
            unlock();
    }
    pthread_t thread = start_keeper();
    next_turn();
    pthread_join(thread, NULL);
    destroy();
}

/* The child makes anew what its parent's thread held: its copy is nobody's. */
static void in_a_child(void) {
    int status;
    pthread_t thread = start_keeper();
    pid_t pid = fork();
    if (pid == 0) {
        init();
        lock();
        unlock();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    next_turn();
    pthread_join(thread, NULL);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    alarm(60);
    init();
    if (strcmp(what, "unlocked-free") == 0) {
        unlock();
    } else if (strcmp(what, "unlocked-twice") == 0) {
        lock();
        pthread_spin_unlock(&ring);
        unlock();
    } else if (strcmp(what, "unlocked-by-other") == 0) {
        while_kept(unlock);
    } else if (strcmp(what, "destroyed-held") == 0) {
        lock();
        destroy();
    } else if (strcmp(what, "destroyed-held-by-other") == 0) {
        pthread_t thread = start_keeper();
        (void)thread;
        destroy();
        exit(0);
    } else if (strcmp(what, "initialised-held") == 0) {
        pthread_t thread = start_keeper();
        (void)thread;
        init();
        exit(0);
    } else if (strcmp(what, "locked-after") == 0) {
        destroy();
        lock();
        pthread_spin_unlock(&ring);
    } else if (strcmp(what, "right") == 0) {
        right();
    } else if (strcmp(what, "made-anew") == 0) {
        destroy();
        init();
        lock();
        unlock();
    } else if (strcmp(what, "in-a-child") == 0) {
        in_a_child();
    }
    return 0;
}
