/* Wrong calls on rwlocks, and near-identical right ones.
 *
 * case: unheld
 * expect: unlock-unheld none error
 * says: unlocking a rwlock that nobody
 * call: WRONG unlock
 *
 * case: unheld_twice
 * expect: unlock-unheld none error
 * call: WRONG second unlock
 *
 * case: foreign_writer
 * expect: unlock-foreign none error
 * says: took a rwlock may give it back
 * call: WRONG foreign unlock
 * earlier: WRITES elsewhere
 *
 * case: foreign_reader
 * expect: unlock-foreign none error
 * call: WRONG foreign unlock
 * earlier: READS elsewhere
 *
 * case: destroy_read
 * expect: destroy-held none error
 * says: destroying a rwlock
 * call: WRONG destroy
 * earlier: READS before destroy
 *
 * case: destroy_written
 * expect: destroy-held none error
 * call: WRONG destroy
 * earlier: WRITES before destroy
 *
 * case: destroy_waited
 * expect: destroy-waited none error
 * call: WRONG destroy
 * earlier: WAITS while destroyed
 *
 * case: init_held
 * expect: reinit-held none error
 * says: initialising a rwlock
 * call: WRONG init
 * earlier: WRITES before init
 *
 * case: use_destroyed
 * expect: use-destroyed none error
 * call: WRONG use
 * earlier: DESTROYS it
 *
 * case: write_twice
 * expect: api-error none warning
 * call: WRONG second write
 *
 * case: right
 * silent
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "turns.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static int unlock(void) {
    int result = pthread_rwlock_unlock(&lock); /* WRONG unlock */
    return result;
}
static void unheld(void) { unlock(); }

static void unheld_twice(void) {
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_unlock(&lock);
    pthread_rwlock_unlock(&lock); /* WRONG second unlock */
}

/* ---- by another thread ---- */

static void *write_elsewhere(void *unused) {
    pthread_rwlock_wrlock(&lock); /* WRITES elsewhere */
    next_turn();
    await_turn(2); /* which does not come */
    return unused;
}

static void *read_elsewhere(void *unused) {
    pthread_rwlock_rdlock(&lock); /* READS elsewhere */
    next_turn();
    await_turn(2); /* which does not come */
    return unused;
}

static void foreign(void *(*body)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, body, NULL);
    await_turn(1);
    pthread_rwlock_unlock(&lock); /* WRONG foreign unlock */
    exit(0);                      /* while the thread is still there */
}

static void foreign_writer(void) { foreign(write_elsewhere); }
static void foreign_reader(void) { foreign(read_elsewhere); }

/* ---- life ---- */

static int destroy(void) {
    int result = pthread_rwlock_destroy(&lock); /* WRONG destroy */
    return result;
}

static void destroy_read(void) {
    pthread_rwlock_rdlock(&lock); /* READS before destroy */
    destroy();
    exit(0);
}

static void destroy_written(void) {
    pthread_rwlock_wrlock(&lock); /* WRITES before destroy */
    destroy();
    exit(0);
}

static void *wait_for_it(void *unused) {
    next_turn();
    pthread_rwlock_wrlock(&lock); /* WAITS while destroyed */
    return unused;
}

static void destroy_waited(void) {
    pthread_t thread;
    pthread_rwlock_rdlock(&lock);
    pthread_create(&thread, NULL, wait_for_it, NULL);
    await_turn(1);
    usleep(100000);
    destroy();
    exit(0);
}

static void init_held(void) {
    pthread_rwlock_wrlock(&lock);     /* WRITES before init */
    pthread_rwlock_init(&lock, NULL); /* WRONG init */
}

static void use_destroyed(void) {
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_unlock(&lock);
    pthread_rwlock_destroy(&lock); /* DESTROYS it */
    pthread_rwlock_rdlock(&lock);  /* WRONG use */
    pthread_rwlock_unlock(&lock);
}

static void write_twice(void) {
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_wrlock(&lock); /* WRONG second write */
    pthread_rwlock_unlock(&lock);
}

/* ---- right ---- */

static void *read_for_a_while(void *unused) {
    pthread_rwlock_rdlock(&lock);
    next_turn();
    await_turn(2);
    pthread_rwlock_unlock(&lock);
    return unused;
}

/* Reading twice, unlocking out of order, destroying and initialising again,
 * memory cleared by hand, a busy lock tried. */
static void right(void) {
    pthread_t thread;
    pthread_rwlock_t other = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
    pthread_create(&thread, NULL, read_for_a_while, NULL);
    await_turn(1);
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_rdlock(&other);
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_unlock(&lock);
    pthread_rwlock_unlock(&lock);
    if (pthread_rwlock_trywrlock(&lock) == 0)
        abort();
    pthread_rwlock_unlock(&other);
    next_turn();
    pthread_join(thread, NULL);
    for (int i = 0; i < 3; i++) {
        pthread_rwlock_wrlock(&other);
        pthread_rwlock_unlock(&other);
        pthread_rwlock_destroy(&other);
        if (i == 0)
            pthread_rwlock_init(&other, NULL);
        else
            memset(&other, 0, sizeof other);
    }
    pthread_rwlock_destroy(&lock);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {{"unheld", unheld},
                 {"unheld_twice", unheld_twice},
                 {"foreign_writer", foreign_writer},
                 {"foreign_reader", foreign_reader},
                 {"destroy_read", destroy_read},
                 {"destroy_written", destroy_written},
                 {"destroy_waited", destroy_waited},
                 {"init_held", init_held},
                 {"use_destroyed", use_destroyed},
                 {"write_twice", write_twice},
                 {"right", right}};
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
