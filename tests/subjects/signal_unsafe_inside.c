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
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

#include "put_off.h"
#include "turns.h"

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, busy = PTHREAD_MUTEX_INITIALIZER;
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

static void *wait_for_busy(void *unused) {
    waits = 1;
    if (is("rwlock"))
        pthread_rwlock_rdlock(&busy_table);
    else if (is("writers-first"))
        pthread_rwlock_wrlock(&busy_table);
    else if (is("spinlock"))
        pthread_spin_lock(&busy_spin);
    else
        pthread_mutex_lock(&busy);
    if (is("rwlock") || is("writers-first"))
        pthread_rwlock_unlock(&busy_table);
    else if (is("spinlock"))
        pthread_spin_unlock(&busy_spin);
    else
        pthread_mutex_unlock(&busy);
    return unused;
}

static void until(const atomic_int *event) {
    while (*event == 0)
        usleep(1000);
}

/* Until so many signals were handled: of two that are sent both may be, before we look. */
static void disturb(pthread_t thread, int count) {
    while (handled < count) {
        pthread_kill(thread, SIGUSR1);
        usleep(20000);
    }
}

static void prepare(void) {
    struct sigaction action = {.sa_handler = take, .sa_flags = CAN_BE_PUT_OFF};
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    if (is("writers-first"))
        pthread_rwlock_init(&busy_table, &attributes);
    pthread_spin_init(&busy_spin, PTHREAD_PROCESS_PRIVATE);
    sigaction(SIGUSR1, &action, NULL);
    if (is("blocked"))
        mask_signal(SIG_BLOCK);
    use();
}

static void hold_what_is_waited_for(void) {
    pthread_mutex_lock(&busy);
    pthread_rwlock_wrlock(&busy_table);
    pthread_spin_lock(&busy_spin);
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
    if (!is("blocked"))
        disturb(thread, is("at-work") ? 2 : 1);
    if (!is("at-work"))
        give_up();
    pthread_join(thread, NULL);
    if (is("blocked")) {
        raise(SIGUSR1); /* handled with nothing held */
        mask_signal(SIG_UNBLOCK);
    }
    return 0;
}
