/* A lock taken in a signal handler, and elsewhere with that signal open or not.
 * The signal never comes while it is held: nothing hangs.
 *
 * case: handler-last
 * expect: signal-unsafe none error
 * call: HANDLER takes it
 * earlier: OPEN
 * lock: ledger
 * says: SIGUSR1
 *
 * case: handler-first
 * expect: signal-unsafe none error
 * call: OPEN
 * earlier: HANDLER takes it
 * lock: ledger
 *
 * case: known-lock
 * expect: signal-unsafe none error
 * lock: ledger
 *
 * case: other-thread
 * expect: signal-unsafe none error
 * call: OPEN in thread
 * earlier: HANDLER takes it
 *
 * case: siginfo
 * expect: signal-unsafe none error
 * line: HANDLER takes it
 *
 * case: by-signal
 * expect: signal-unsafe none error
 * line: HANDLER takes it
 *
 * case: rwlock
 * expect: signal-unsafe none error
 * line: HANDLER writes
 *
 * case: nested-handlers
 * expect: signal-unsafe none error
 * lock: ledger
 * says: SIGUSR
 *
 * case: blocked
 * silent
 * near: signal-unsafe
 *
 * case: masked-thread
 * silent
 * near: signal-unsafe
 *
 * case: other-handler
 * silent
 * near: signal-unsafe
 *
 * case: other-lock
 * silent
 * near: signal-unsafe
 *
 * case: try
 * silent
 * near: signal-unsafe
 *
 * case: readers
 * silent
 * near: signal-unsafe
 *
 * case: left
 * silent
 * near: signal-unsafe
 *
 * case: posts
 * silent
 * near: signal-unsafe
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static sem_t posted;
static sigjmp_buf out;
static const char *what;

static int is(const char *word) { return strcmp(what, word) == 0; }

static void take(int number) {
    (void)number;
    pthread_mutex_lock(&ledger); /* HANDLER takes it */
    pthread_mutex_unlock(&ledger);
}

static void take_with_info(int number, siginfo_t *info, void *context) {
    if (info->si_signo == number && context != NULL)
        take(number);
}

static void try(int number) {
    (void)number;
    if (pthread_mutex_trylock(&ledger) == 0)
        pthread_mutex_unlock(&ledger);
}

static void write_table(int number) {
    (void)number;
    pthread_rwlock_wrlock(&table); /* HANDLER writes */
    pthread_rwlock_unlock(&table);
}

static void read_table(int number) {
    (void)number;
    pthread_rwlock_rdlock(&table);
    pthread_rwlock_unlock(&table);
}

static void post(int number) {
    (void)number;
    sem_post(&posted);
}

static void nothing(int number) { (void)number; }
static void leave(int number) { siglongjmp(out, number); }

static void install(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigaction(number, &action, NULL);
}

static void use(pthread_mutex_t *mutex) {
    pthread_mutex_lock(mutex); /* OPEN */
    pthread_mutex_unlock(mutex);
}

static void *use_in_thread(void *unused) {
    pthread_mutex_lock(&ledger); /* OPEN in thread */
    pthread_mutex_unlock(&ledger);
    return unused;
}

static void set_blocked(int how, int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(how, &set, NULL);
}

/* Known long before there is a handler: its fast path must come by once more. */
static void known_lock(void) {
    for (int i = 0; i < 1000; i++)
        use(&ledger);
    install(SIGUSR1, take);
    for (int i = 0; i < 1000; i++)
        use(&ledger);
    raise(SIGUSR1);
}

static void raise_here(int number) {
    (void)number;
    take(number);
}

static void nested_handlers(void) {
    install(SIGUSR1, raise_here);
    install(SIGUSR2, take);
    set_blocked(SIG_BLOCK, SIGUSR2);
    raise(SIGUSR2);
    set_blocked(SIG_UNBLOCK, SIGUSR2); /* taken in SIGUSR2's handler */
    set_blocked(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1);
    set_blocked(SIG_UNBLOCK, SIGUSR1); /* and in SIGUSR1's, with SIGUSR2 open */
}

static void use_blocked(void) {
    set_blocked(SIG_BLOCK, SIGUSR1);
    for (int i = 0; i < 100; i++)
        use(&ledger);
    set_blocked(SIG_UNBLOCK, SIGUSR1);
}

static void in_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, use_in_thread, NULL);
    pthread_join(thread, NULL);
}

static void masked_thread(void) {
    install(SIGUSR1, take);
    set_blocked(SIG_BLOCK, SIGUSR1);
    in_thread(); /* inherits the mask */
    set_blocked(SIG_UNBLOCK, SIGUSR1);
    raise(SIGUSR1);
}

/* What is taken after siglongjmp is not taken in the handler. */
static void left(void) {
    install(SIGUSR1, leave);
    for (int i = 0; i < 3; i++) {
        if (sigsetjmp(out, 1) == 0)
            raise(SIGUSR1);
        use(&ledger);
    }
}

static void readers(void) {
    install(SIGUSR1, read_table);
    raise(SIGUSR1);
    pthread_rwlock_rdlock(&table);
    pthread_rwlock_unlock(&table);
}

static void writers(void) {
    install(SIGUSR1, write_table);
    raise(SIGUSR1);
    pthread_rwlock_rdlock(&table);
    pthread_rwlock_unlock(&table);
}

static void handled_by(void (*handler)(int), pthread_mutex_t *mutex) {
    install(SIGUSR1, handler);
    raise(SIGUSR1);
    use(mutex);
    raise(SIGUSR1);
    use(mutex);
}

static void with_info(void) {
    struct sigaction action = {.sa_sigaction = take_with_info, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    use(&ledger);
}

int main(int argc, char **argv) {
    what = argc > 1 ? argv[1] : "";
    alarm(60);
    sem_init(&posted, 0, 0);
    if (is("handler-last")) {
        install(SIGUSR1, take);
        use(&ledger);
        raise(SIGUSR1);
    } else if (is("handler-first") || is("other-lock")) {
        handled_by(take, is("other-lock") ? &journal : &ledger);
    } else if (is("known-lock")) {
        known_lock();
    } else if (is("other-thread")) {
        install(SIGUSR1, take);
        raise(SIGUSR1);
        in_thread();
    } else if (is("siginfo")) {
        with_info();
    } else if (is("by-signal")) {
        signal(SIGUSR1, take);
        raise(SIGUSR1);
        use(&ledger);
    } else if (is("rwlock")) {
        writers();
    } else if (is("nested-handlers")) {
        nested_handlers();
    } else if (is("blocked")) {
        install(SIGUSR1, take);
        use_blocked();
        raise(SIGUSR1);
        use_blocked();
    } else if (is("masked-thread")) {
        masked_thread();
    } else if (is("other-handler")) {
        install(SIGUSR1, take);
        raise(SIGUSR1);
        install(SIGUSR1, nothing);
        use(&ledger);
    } else if (is("try")) {
        handled_by(try, &ledger);
    } else if (is("readers")) {
        readers();
    } else if (is("left")) {
        left();
    } else if (is("posts")) {
        handled_by(post, &ledger);
    }
    return 0;
}
