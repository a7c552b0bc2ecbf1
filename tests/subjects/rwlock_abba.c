/* Writers in both orders, on every kind of rwlock, and a reader in the way of a
 * writer.
 *
 * expect: order-cycle feasible error
 * shows: abba of rwlocks
 * edge: HELD outer -> WANTED inner
 * edges: 2
 *
 * case: writers
 * case: reader_inside
 * case: reader_outside
 * case: prefer_writer
 * case: nonrecursive
 * case: shared
 * case: table
 * options: -O identity=table
 */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "turns.h"

static pthread_rwlock_t a, b;
static bool first_reads_inside, first_reads_outside;

static void initialise(pthread_rwlock_t *lock, const char *kind) {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    if (strcmp(kind, "prefer_writer") == 0)
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NP);
    else if (strcmp(kind, "nonrecursive") == 0)
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    else if (strcmp(kind, "shared") == 0)
        pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

static int take(pthread_rwlock_t *lock, bool read) {
    return read ? pthread_rwlock_rdlock(lock) : pthread_rwlock_wrlock(lock);
}

static void nest(pthread_rwlock_t *outer, bool read_outer, pthread_rwlock_t *inner, bool read_inner) {
    take(outer, read_outer); /* HELD outer */
    take(inner, read_inner); /* WANTED inner */
    pthread_rwlock_unlock(inner);
    pthread_rwlock_unlock(outer);
}

static void *first(void *unused) {
    nest(&a, first_reads_outside, &b, first_reads_inside);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    nest(&b, false, &a, false);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    const char *kind = argc > 1 ? argv[1] : "writers";
    pthread_t threads[2];
    first_reads_inside = strcmp(kind, "reader_inside") == 0;
    first_reads_outside = strcmp(kind, "reader_outside") == 0;
    initialise(&a, kind);
    initialise(&b, kind);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_rwlock_destroy(&a);
    pthread_rwlock_destroy(&b);
    return 0;
}
