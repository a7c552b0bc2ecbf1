/* Readers in both orders pass each other, where readers are preferred; and where
 * writers are, as long as nobody writes, or writes one of the two only, or only
 * tries to.
 *
 * arguments: default | prefer_writer | nonrecursive | one_writer | trying_writers
 * silent
 * near: order-cycle
 * shows: readers, readers preferred
 */
#include <pthread.h>
#include <string.h>

#include "turns.h"

static pthread_rwlock_t a, b;
static const char *what = "default";

static void initialise(pthread_rwlock_t *lock) {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    if (strcmp(what, "prefer_writer") == 0)
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NP);
    else if (strcmp(what, "default") != 0)
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

static void read_both(pthread_rwlock_t *outer, pthread_rwlock_t *inner) {
    pthread_rwlock_rdlock(outer);
    pthread_rwlock_rdlock(inner);
    pthread_rwlock_unlock(inner);
    pthread_rwlock_unlock(outer);
}

static void write_one(pthread_rwlock_t *lock) {
    pthread_rwlock_wrlock(lock);
    pthread_rwlock_unlock(lock);
}

static void try_to_write(pthread_rwlock_t *lock) {
    if (pthread_rwlock_trywrlock(lock) == 0)
        pthread_rwlock_unlock(lock);
}

static void *first(void *unused) {
    read_both(&a, &b);
    next_turn();
    await_turn(3);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    read_both(&b, &a);
    next_turn();
    await_turn(3);
    return unused;
}

static void *writer(void *unused) {
    await_turn(2);
    if (strcmp(what, "default") == 0 || strcmp(what, "prefer_writer") == 0) {
        write_one(&a);
        write_one(&b);
    } else if (strcmp(what, "one_writer") == 0) {
        write_one(&a);
    } else if (strcmp(what, "trying_writers") == 0) {
        try_to_write(&a);
        try_to_write(&b);
    }
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[3];
    if (argc > 1)
        what = argv[1];
    initialise(&a);
    initialise(&b);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    pthread_create(&threads[2], NULL, writer, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
