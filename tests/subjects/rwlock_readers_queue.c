/* Readers in both orders of locks that prefer writers, and a writer of each:
 * before them, or after them, or after so many others through one place that the
 * place has nothing new to tell.
 *
 * arguments: before | after | late
 * expect: order-cycle feasible error
 * shows: readers, writers preferred
 * edge: READS outer -> READS inner
 * edges: 2
 */
#include <pthread.h>
#include <string.h>

#include "turns.h"

enum { OTHERS = 200 };
static pthread_rwlock_t a = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_rwlock_t b = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_rwlock_t others[OTHERS];
static const char *when = "before";

static void read_both(pthread_rwlock_t *outer, pthread_rwlock_t *inner) {
    pthread_rwlock_rdlock(outer); /* READS outer */
    pthread_rwlock_rdlock(inner); /* READS inner */
    pthread_rwlock_unlock(inner);
    pthread_rwlock_unlock(outer);
}

static void write_all(void) {
    pthread_rwlock_t *all[OTHERS + 2];
    for (int i = 0; i < OTHERS; i++)
        all[i] = &others[i];
    all[OTHERS] = &a;
    all[OTHERS + 1] = &b;
    for (int i = strcmp(when, "late") == 0 ? 0 : OTHERS; i < OTHERS + 2; i++) {
        pthread_rwlock_wrlock(all[i]);
        pthread_rwlock_unlock(all[i]);
    }
}

static void *first(void *unused) {
    await_turn(1);
    read_both(&a, &b);
    next_turn();
    await_turn(4);
    return unused;
}

static void *second(void *unused) {
    await_turn(2);
    read_both(&b, &a);
    next_turn();
    await_turn(4);
    return unused;
}

static void *writer(void *unused) {
    if (strcmp(when, "before") == 0)
        write_all();
    next_turn();
    await_turn(3);
    if (strcmp(when, "before") != 0)
        write_all();
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[3];
    if (argc > 1)
        when = argv[1];
    for (int i = 0; i < OTHERS; i++)
        pthread_rwlock_init(&others[i], NULL);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    pthread_create(&threads[2], NULL, writer, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
