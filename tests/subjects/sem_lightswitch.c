/* The first reader of a group takes a semaphore and the last one gives it back, each
 * under the mutex that guards their count; writers take it by themselves.  As long as
 * no groups overlap, every post comes from who took it, as with a lock.
 *
 * case: alone
 * silent
 * near: order-cycle
 * note: order-cycle ordered count
 *
 * case: two-places
 * silent
 * near: order-cycle
 * note: order-cycle ordered count
 *
 * case: together
 * silent
 * near: order-cycle
 *
 * case: elsewhere
 * expect: order-cycle feasible error
 * edge: ENTERS under mutex -> FIRST takes room
 * edge: WRITES -> COUNTS while writing
 *
 * case: two-slots
 * expect: order-cycle feasible error
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t room;
static int readers;
static const char *what;

static int is(const char *word) { return strcmp(what, word) == 0; }

__attribute__((noinline)) static void enter(void) {
    pthread_mutex_lock(&mutex); /* ENTERS under mutex */
    if (++readers == 1)
        sem_wait(&room); /* FIRST takes room */
    pthread_mutex_unlock(&mutex);
}

__attribute__((noinline)) static void leave(void) {
    pthread_mutex_lock(&mutex);
    if (--readers == 0)
        sem_post(&room);
    pthread_mutex_unlock(&mutex);
}

__attribute__((noinline)) static void read_here(void) {
    enter();
    leave();
}

__attribute__((noinline)) static void read_there(void) {
    enter();
    usleep(100);
    leave();
}

__attribute__((noinline)) static void write_once(void) {
    sem_wait(&room); /* WRITES */
    if (is("elsewhere")) {
        pthread_mutex_lock(&mutex); /* COUNTS while writing */
        pthread_mutex_unlock(&mutex);
    }
    sem_post(&room);
}

static void *one_after_the_other(void *number) {
    await_turn(*(int *)number);
    for (int i = 0; i < 200; i++) {
        read_here();
        if (is("two-places"))
            read_there();
        write_once();
    }
    next_turn();
    await_turn(3);
    return NULL;
}

static void *at_once(void *unused) {
    for (int i = 0; i < 200; i++) {
        read_there();
        write_once();
    }
    return unused;
}

/* A pool has no first and no last. */
static void *from_pool(void *number) {
    await_turn(*(int *)number);
    pthread_mutex_lock(&mutex);
    sem_wait(&room);
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
    sem_post(&room);
    pthread_mutex_unlock(&mutex);
    next_turn();
    await_turn(3);
    return NULL;
}

int main(int argc, char **argv) {
    int numbers[] = {0, 1, 2};
    pthread_t threads[3];
    what = argc > 1 ? argv[1] : "";
    alarm(60);
    sem_init(&room, 0, is("two-slots") ? 2 : 1);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL,
                       is("two-slots")  ? from_pool
                       : is("together") ? at_once
                                        : one_after_the_other,
                       &numbers[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
