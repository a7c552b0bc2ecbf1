/* All locking goes through one wrapper function.  Its two callers have frames
 * of equal size, and both must be in the report, each with its own line.
 *
 * expect: order-cycle feasible error
 * edge: DEPOSIT ledger -> DEPOSIT account
 * edge: WITHDRAW account -> WITHDRAW ledger
 */
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, account = PTHREAD_MUTEX_INITIALIZER;
static volatile int balance;

__attribute__((noinline)) static void lock_or_die(pthread_mutex_t *mutex) {
    if (pthread_mutex_lock(mutex) != 0) /* WRAPPER */
        abort();
}

__attribute__((noinline)) static void deposit(int amount) {
    lock_or_die(&ledger);  /* DEPOSIT ledger */
    lock_or_die(&account); /* DEPOSIT account */
    balance += amount;
    pthread_mutex_unlock(&account);
    pthread_mutex_unlock(&ledger);
}

__attribute__((noinline)) static void withdraw(int amount) {
    lock_or_die(&account); /* WITHDRAW account */
    lock_or_die(&ledger);  /* WITHDRAW ledger */
    balance -= amount;
    pthread_mutex_unlock(&ledger);
    pthread_mutex_unlock(&account);
}

static void *first(void *unused) {
    deposit(1);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    withdraw(1);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
