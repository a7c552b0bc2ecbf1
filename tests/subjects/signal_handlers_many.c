/* Programs with very many different handlers.  The last of them takes a lock that is
 * also taken with its signal open.
 *
 * case: hundred
 * expect: signal-unsafe none error
 * call: OPEN
 * earlier: HANDLER takes it
 * lock: ledger
 *
 * case: hundred-blocked
 * silent
 * near: signal-unsafe
 *
 * case: too-many
 * silent
 * says: 88 events that could not be followed
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;

/* 600 handlers that are all different code. */
static volatile int last_called;
#define HANDLER(n)                                                                                           \
    static void handler_##n(int number) { last_called = 1##n + number; }
#define TEN(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7) M(n##8) M(n##9)
#define HUNDRED(M, n)                                                                                        \
    TEN(M, n##0)                                                                                             \
    TEN(M, n##1)                                                                                             \
    TEN(M, n##2) TEN(M, n##3) TEN(M, n##4) TEN(M, n##5) TEN(M, n##6) TEN(M, n##7) TEN(M, n##8) TEN(M, n##9)
#define ALL(M)  HUNDRED(M, 0) HUNDRED(M, 1) HUNDRED(M, 2) HUNDRED(M, 3) HUNDRED(M, 4) HUNDRED(M, 5)
#define NAME(n) handler_##n,
ALL(HANDLER)
static void (*const handlers[])(int) = {ALL(NAME)};

static void take(int number) {
    (void)number;
    pthread_mutex_lock(&ledger); /* HANDLER takes it */
    pthread_mutex_unlock(&ledger);
}

static void use(void) {
    pthread_mutex_lock(&ledger); /* OPEN */
    pthread_mutex_unlock(&ledger);
}

static void install(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler}, old;
    sigaction(number, &action, NULL);
    sigaction(number, NULL, &old);
    if (old.sa_handler != handler)
        pthread_exit(NULL); /* the program would see it */
}

static void set_blocked(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(how, &set, NULL);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    int count = strcmp(what, "too-many") == 0 ? 600 : 100;
    for (int i = 0; i < count; i++)
        install(SIGUSR2, handlers[i]);
    raise(SIGUSR2);
    if (last_called != (count == 600 ? 1599 : 1099) + SIGUSR2)
        return 1;
    use();
    if (count == 600)
        return 0;
    install(SIGUSR1, take);
    raise(SIGUSR1);
    if (strcmp(what, "hundred-blocked") == 0)
        set_blocked(SIG_BLOCK);
    use();
    set_blocked(SIG_UNBLOCK);
    return 0;
}
