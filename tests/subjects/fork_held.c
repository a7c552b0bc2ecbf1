/* The process forks while another thread holds a lock.
 *
 * case: asks
 * expect: fork-held none error
 * call: ASKS for it
 * earlier: HELD by worker
 * lock: ledger
 * in child
 *
 * case: asks-timed
 * expect: fork-held none error
 * call: ASKS with a limit
 * earlier: HELD by worker
 * in child
 *
 * case: rwlock
 * expect: fork-held none error
 * call: READS with a limit
 * earlier: HELD for writing
 * lock: table
 * in child
 *
 * case: spin
 * expect: fork-held none error
 * call: ASKS for the spinlock
 * earlier: HELD spinlock
 * lock: busy
 * in child
 *
 * case: spin-given-up
 * silent
 * near: fork-held
 *
 * case: spin-shared
 * silent
 * near: fork-held
 *
 * case: class
 * expect: fork-held none warning
 * call: TAKES another
 * earlier: HELD account
 * in child
 *
 * case: exits
 * silent
 * note: fork-held none
 *
 * case: execs
 * silent
 * note: fork-held none
 *
 * case: other-class
 * silent
 * note: fork-held none
 *
 * case: initialised-anew
 * silent
 * near: fork-held
 *
 * case: own
 * silent
 * near: fork-held
 *
 * case: around
 * silent
 * near: fork-held
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t *accounts[2];
static pthread_spinlock_t busy, *spin = &busy;
static const char *what;

static int is(const char *word) { return strcmp(what, word) == 0; }
static int is_spin(void) { return strncmp(what, "spin", 4) == 0; }

static void *worker(void *unused) {
    pthread_setname_np(pthread_self(), "worker");
    if (is("rwlock"))
        pthread_rwlock_wrlock(&table); /* HELD for writing */
    else if (is("class"))
        pthread_mutex_lock(accounts[0]); /* HELD account */
    else if (is_spin())
        pthread_spin_lock(spin); /* HELD spinlock */
    else if (!is("own") && !is("around"))
        pthread_mutex_lock(&ledger); /* HELD by worker */
    next_turn();
    await_turn(2);
    if (is("rwlock"))
        pthread_rwlock_unlock(&table);
    else if (is("class"))
        pthread_mutex_unlock(accounts[0]);
    else if (is_spin())
        pthread_spin_unlock(spin);
    else if (!is("own") && !is("around"))
        pthread_mutex_unlock(&ledger);
    return unused;
}

/* One place: accounts are one class. */
__attribute__((noinline)) static pthread_mutex_t *new_account(void) {
    pthread_mutex_t *account = malloc(sizeof *account);
    pthread_mutex_init(account, NULL);
    pthread_mutex_lock(account);
    pthread_mutex_unlock(account);
    return account;
}

static void initialise_spin(void) {
    if (is("spin-shared"))
        spin = mmap(NULL, sizeof *spin, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_spin_init(spin, is("spin-shared") ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE);
}

static void prepare(void) { pthread_mutex_lock(&ledger); }
static void release(void) { pthread_mutex_unlock(&ledger); }

static void child(void) {
    struct timespec past = {1, 0};
    alarm(2);
    if (is("asks"))
        pthread_mutex_lock(&ledger); /* ASKS for it */
    if (is("asks-timed"))
        pthread_mutex_timedlock(&ledger, &past); /* ASKS with a limit */
    if (is("rwlock"))
        pthread_rwlock_timedrdlock(&table, &past); /* READS with a limit */
    if (is("spin-given-up"))
        pthread_spin_unlock(spin); /* for the thread that is not there */
    if (is_spin())
        pthread_spin_lock(spin); /* ASKS for the spinlock */
    if (is("class"))
        pthread_mutex_lock(accounts[1]); /* TAKES another */
    if (is("execs"))
        execl("/bin/true", "true", NULL);
    if (is("other-class"))
        pthread_mutex_lock(&journal);
    if (is("initialised-anew")) {
        pthread_mutex_init(&ledger, NULL);
        pthread_mutex_lock(&ledger);
    }
    if (is("own"))
        pthread_mutex_unlock(&ledger);
    if (is("own") || is("around"))
        pthread_mutex_lock(&ledger);
    _exit(0);
}

int main(int argc, char **argv) {
    what = argc > 1 ? argv[1] : "";
    alarm(60);
    for (volatile int i = 0; i < 2; i++) /* not unrolled: one call */
        accounts[i] = new_account();
    if (is("around"))
        pthread_atfork(prepare, release, release);
    initialise_spin();
    pthread_t thread;
    pthread_create(&thread, NULL, worker, NULL);
    await_turn(1);
    if (is("own"))
        pthread_mutex_lock(&ledger);
    pid_t pid = fork();
    if (pid == 0)
        child();
    if (is("spin-shared")) /* its worker gives it up meanwhile */
        next_turn();
    waitpid(pid, NULL, 0);
    if (is("own"))
        pthread_mutex_unlock(&ledger);
    next_turn();
    pthread_join(thread, NULL);
    return 0;
}
