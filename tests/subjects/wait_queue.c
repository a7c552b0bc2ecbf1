/* Threads that wait behind each other, for logs.py: what is told of the holder's own
 * wait, and of the queue.
 *
 * helper
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "turns.h"

enum { WHILE_MS = 1500 };

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int ready;

static void pause_ms(long ms) { usleep((useconds_t)ms * 1000); }

static void start(pthread_t *thread, const char *name, void *(*routine)(void *)) {
    pthread_create(thread, NULL, routine, NULL);
    pthread_setname_np(*thread, name);
}

static void *wait_for_outer(void *unused) {
    pthread_mutex_lock(&outer);
    pthread_mutex_unlock(&outer);
    return unused;
}

static void *hold_outer_want_inner(void *unused) {
    pthread_mutex_lock(&outer);
    next_turn();
    pthread_mutex_lock(&inner);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    return unused;
}

/* Two wait for a lock whose holder waits for the main thread. */
static void chain(void) {
    pthread_t holder, waiters[2];
    pthread_mutex_lock(&inner);
    start(&holder, "middle", hold_outer_want_inner);
    await_turn(1);
    for (int i = 0; i < 2; i++)
        start(&waiters[i], "end", wait_for_outer);
    pause_ms(WHILE_MS);
    pthread_mutex_unlock(&inner);
    for (int i = 0; i < 2; i++)
        pthread_join(waiters[i], NULL);
    pthread_join(holder, NULL);
}

static void *hold_outer_at_condition(void *unused) {
    pthread_mutex_lock(&outer);
    pthread_mutex_lock(&inner);
    next_turn();
    while (!ready)
        pthread_cond_wait(&condition, &inner);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    return unused;
}

static void at_condition(void) {
    pthread_t holder, waiter;
    start(&holder, "middle", hold_outer_at_condition);
    await_turn(1);
    start(&waiter, "end", wait_for_outer);
    pause_ms(WHILE_MS);
    pthread_mutex_lock(&inner);
    ready = 1;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&inner);
    pthread_join(waiter, NULL);
    pthread_join(holder, NULL);
}

static void *write_table(void *unused) {
    pthread_rwlock_wrlock(&table);
    pthread_rwlock_unlock(&table);
    return unused;
}
static void *read_table(void *unused) {
    pthread_rwlock_rdlock(&table);
    pthread_rwlock_unlock(&table);
    return unused;
}

/* A reader behind a writer behind a reader. */
static void readers(void) {
    pthread_t writer, reader;
    pthread_rwlock_rdlock(&table);
    start(&writer, "writer", write_table);
    pause_ms(400);
    start(&reader, "reader", read_table);
    pause_ms(WHILE_MS);
    pthread_rwlock_unlock(&table);
    pthread_join(writer, NULL);
    pthread_join(reader, NULL);
}

static void *hold_inner_want_outer(void *unused) {
    struct timespec at;
    pthread_mutex_lock(&inner);
    next_turn();
    await_turn(2);
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += 2;
    if (pthread_mutex_timedlock(&outer, &at) == 0)
        pthread_mutex_unlock(&outer);
    pthread_mutex_unlock(&inner);
    return unused;
}

/* Two are deadlocked until a time limit, a third waits behind them. */
static void bystander(void) {
    pthread_t one, two, waiter;
    start(&one, "one", hold_inner_want_outer);
    await_turn(1);
    start(&two, "two", hold_outer_want_inner);
    await_turn(2);
    pause_ms(100);
    start(&waiter, "end", wait_for_outer);
    pthread_join(waiter, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
}

int main(int argc, char **argv) {
    const struct {
        const char *name;
        void (*play)(void);
    } cases[] = {
        {"chain", chain}, {"condition", at_condition}, {"readers", readers}, {"bystander", bystander}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (argc > 1 && strcmp(argv[1], cases[i].name) == 0)
            cases[i].play();
    return 0;
}
