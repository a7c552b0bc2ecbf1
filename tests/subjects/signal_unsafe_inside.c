/* A lock is taken in a signal handler that always comes while the runtime is at work
 * on its thread, or while that thread waits for another lock; elsewhere it is taken
 * with the signal open.  The signal never comes while it is held: nothing hangs.
 *
 * case: at-work
 * expect: signal-unsafe none error
 * lock: ledger
 * line: HANDLER takes it
 * seconds: 20
 *
 * case: mutex
 * expect: signal-unsafe none error
 * lock: ledger
 * line: HANDLER takes it
 *
 * case: rwlock
 * expect: signal-unsafe none error
 * lock: ledger
 * line: HANDLER takes it
 *
 * case: writers-first
 * expect: signal-unsafe none error
 * lock: ledger
 * line: HANDLER takes it
 *
 * case: spinlock
 * expect: signal-unsafe none error
 * lock: ledger
 * line: HANDLER takes it
 *
 * case: blocked
 * silent
 * near: signal-unsafe
 *
 * case: ring
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * line: HANDLER takes it
 *
 * case: waits-on
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * line: WAIT for the mutex
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, busy = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t account = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t busy_table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t busy_spin;
static const char *what;
static atomic_int handled, waits;

static int is(const char *word) { return strcmp(what, word) == 0; }

static void take(int number) {
    (void)number;
    pthread_mutex_lock(&ledger); /* HANDLER takes it */
    pthread_mutex_unlock(&ledger);
    handled++;
}

static void use(void) {
    pthread_mutex_lock(&ledger);
    pthread_mutex_unlock(&ledger);
}

/* There is a moment between two of these when the runtime does nothing, but it is short. */
static void *work(void *unused) {
    static sem_t made[1024];
    waits = 1;
    for (unsigned next = 0; handled < 2; next++)
        sem_init(&made[next % 1024], 0, 1);
    return unused;
}

static void mask_signal(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(how, &set, NULL);
}

static void *keep_busy(void *unused) {
    pthread_mutex_lock(&busy);
    waits = 1;
    pause();
    return unused;
}

static void *wait_for_busy(void *unused) {
    if (!is("blocked"))
        mask_signal(SIG_UNBLOCK);
    if (!is("blocked"))
        pthread_mutex_lock(&account);
    waits = 1;
    if (is("rwlock"))
        pthread_rwlock_rdlock(&busy_table);
    else if (is("writers-first"))
        pthread_rwlock_wrlock(&busy_table);
    else if (is("spinlock"))
        pthread_spin_lock(&busy_spin);
    else
        pthread_mutex_lock(&busy); /* WAIT for the mutex */
    if (is("rwlock") || is("writers-first"))
        pthread_rwlock_unlock(&busy_table);
    else if (is("spinlock"))
        pthread_spin_unlock(&busy_spin);
    else
        pthread_mutex_unlock(&busy);
    if (!is("blocked"))
        pthread_mutex_unlock(&account);
    return unused;
}

static void until(const atomic_int *event) {
    while (*event == 0)
        usleep(1000);
}

static void disturb(pthread_t thread) {
    for (int count = handled; handled == count;) {
        pthread_kill(thread, SIGUSR1);
        usleep(20000);
    }
}

static int hangs(void) { return is("ring") || is("waits-on"); }

static void prepare(void) {
    struct sigaction action = {.sa_handler = take};
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    if (is("writers-first"))
        pthread_rwlock_init(&busy_table, &attributes);
    pthread_spin_init(&busy_spin, PTHREAD_PROCESS_PRIVATE);
    sigaction(SIGUSR1, &action, NULL);
    if (!hangs() && !is("blocked"))
        use();
    if (is("blocked") || hangs())
        mask_signal(SIG_BLOCK);
    if (is("blocked"))
        use();
}

/* The handler of the thread that waits for `busy` wants what we hold, and we want what it holds. */
static void close_ring(pthread_t thread) {
    pthread_mutex_lock(&ledger);
    pthread_kill(thread, SIGUSR1);
    usleep(50000);
    pthread_mutex_lock(&account);
}

/* The wait that a handler with a wait of its own interrupted still counts. */
static void wait_on(pthread_t thread) {
    pthread_mutex_lock(&ledger);
    pthread_kill(thread, SIGUSR1);
    usleep(50000);
    pthread_mutex_unlock(&ledger);
    until(&handled);
    pthread_mutex_lock(&account);
}

/* Held by this thread or, where that is not to matter, by another. */
static void hold_what_is_waited_for(void) {
    pthread_t keeper;
    if (is("ring")) {
        pthread_create(&keeper, NULL, keep_busy, NULL);
        until(&waits);
        waits = 0;
    } else {
        pthread_mutex_lock(&busy);
        pthread_rwlock_wrlock(&busy_table);
        pthread_spin_lock(&busy_spin);
    }
}

static void give_up(void) {
    pthread_spin_unlock(&busy_spin);
    pthread_rwlock_unlock(&busy_table);
    pthread_mutex_unlock(&busy);
}

int main(int argc, char **argv) {
    pthread_t thread;
    what = argc > 1 ? argv[1] : "";
    alarm(60);
    prepare();
    if (!is("at-work"))
        hold_what_is_waited_for();
    pthread_create(&thread, NULL, is("at-work") ? work : wait_for_busy, NULL);
    until(&waits);
    usleep(20000);
    if (is("ring"))
        close_ring(thread);
    if (is("waits-on"))
        wait_on(thread);
    if (!is("blocked"))
        disturb(thread);
    if (is("at-work"))
        disturb(thread);
    else
        give_up();
    pthread_join(thread, NULL);
    if (is("blocked")) {
        raise(SIGUSR1); /* handled with nothing held */
        mask_signal(SIG_UNBLOCK);
    }
    return 0;
}
