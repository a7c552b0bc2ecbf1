/* Two kinds of object, each with a constructor of its own, are locked in both orders,
 * but never the same two: the day they are, it hangs.
 *
 * expect: order-cycle class-pattern warning
 * edge: LOCKS account -> LOCKS session under account
 * edge: LOCKS session -> LOCKS account under session
 */
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

struct account {
    pthread_mutex_t lock;
};
struct session {
    pthread_mutex_t lock;
};
static struct account *accounts[2];
static struct session *sessions[2];

__attribute__((noinline)) static void *account_new(void) {
    struct account *made = calloc(1, sizeof *made);
    pthread_mutex_init(&made->lock, NULL);
    return made;
}

__attribute__((noinline)) static void *session_new(void) {
    struct session *made = calloc(1, sizeof *made);
    pthread_mutex_init(&made->lock, NULL);
    return made;
}

static void *bill(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&accounts[0]->lock); /* LOCKS account */
    pthread_mutex_lock(&sessions[0]->lock); /* LOCKS session under account */
    pthread_mutex_unlock(&sessions[0]->lock);
    pthread_mutex_unlock(&accounts[0]->lock);
    next_turn();
    return unused;
}

static void *log_in(void *unused) {
    await_turn(2);
    pthread_mutex_lock(&sessions[1]->lock); /* LOCKS session */
    pthread_mutex_lock(&accounts[1]->lock); /* LOCKS account under session */
    pthread_mutex_unlock(&accounts[1]->lock);
    pthread_mutex_unlock(&sessions[1]->lock);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    void *(*const makers[])(void) = {account_new, session_new, account_new, session_new};
    void *made[4];
    for (int i = 0; i < 4; i++)
        made[i] = makers[i](); /* at one place: what calls it is part of what a lock is */
    for (int i = 0; i < 2; i++) {
        accounts[i] = made[2 * i];
        sessions[i] = made[2 * i + 1];
    }
    pthread_create(&threads[0], NULL, bill, NULL);
    pthread_create(&threads[1], NULL, log_in, NULL);
    next_turn();
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
