/* A service that does what its standard input says, for live.py: a letter each, which it
 * says again when it is done.  Ends with the input.
 *
 * helper
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER, door = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t counter = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static void take(pthread_mutex_t *outer, pthread_mutex_t *inner, bool gated) {
    if (gated)
        pthread_mutex_lock(&gate);
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
    if (gated)
        pthread_mutex_unlock(&gate);
    next_turn();
}

static void *first(void *unused) {
    await_turn(1);
    take(&a, &b, true);
    await_turn(4);
    take(&a, &b, false);
    await_turn(7);
    return unused;
}

static void *second(void *unused) {
    await_turn(2);
    take(&b, &a, true);
    await_turn(5);
    take(&b, &a, false);
    await_turn(7);
    return unused;
}

static void *wait_at_door(void *unused) {
    pthread_mutex_lock(&door);
    pthread_mutex_unlock(&door);
    return unused;
}

static void *count(void *unused) {
    for (int i = 0; i < 60; i++) {
        pthread_mutex_lock(&counter);
        usleep(3000);
        pthread_mutex_unlock(&counter);
        usleep(300);
    }
    return unused;
}

static void start(pthread_t *thread, const char *name, void *(*routine)(void *)) {
    pthread_create(thread, NULL, routine, NULL);
    pthread_setname_np(*thread, name);
}

static void contend(void) {
    pthread_t counters[2];
    for (int i = 0; i < 2; i++)
        start(&counters[i], "counter", count);
    for (int i = 0; i < 2; i++)
        pthread_join(counters[i], NULL);
}

static void turn_to(int number) {
    next_turn();
    await_turn(number);
}

static void obey(char letter) {
    static pthread_t waiter;
    switch (letter) {
    case 'g': /* both orders, under the gate */
        turn_to(3);
        break;
    case 'b': /* both orders, bare; after g */
        turn_to(6);
        break;
    case 'w': /* a thread waits for the door */
        pthread_mutex_lock(&door);
        start(&waiter, "patient", wait_at_door);
        break;
    case 'o': /* that is opened; after w */
        pthread_mutex_unlock(&door);
        pthread_join(waiter, NULL);
        break;
    case 'c': /* two threads want the counter */
        contend();
        break;
    }
}

int main(void) {
    pthread_t threads[2];
    char letter;
    start(&threads[0], "first", first);
    start(&threads[1], "second", second);
    while (read(STDIN_FILENO, &letter, 1) == 1) {
        obey(letter);
        if (write(STDOUT_FILENO, &letter, 1) != 1)
            return 1;
    }
    return 0;
}
