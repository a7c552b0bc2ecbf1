/* The same while the main thread sleeps: it could be the one to post.  But so far
 * they were always posted by who held them, and the ring lasts.
 *
 * deadlock
 * expect: deadlock actual error
 * thread: HELD cash, WANTS vault
 * thread: HELD vault, WANTS cash
 * says: teller, auditor, cash, vault, sem_deadlock_awake.c
 */
#include <pthread.h>
#include <semaphore.h>

#include "turns.h"

static sem_t cash, vault;

static void use(sem_t *semaphore) {
    for (int i = 0; i < 20; i++) {
        sem_wait(semaphore);
        sem_post(semaphore);
    }
}

static void *first(void *unused) {
    pthread_setname_np(pthread_self(), "teller");
    sem_wait(&cash); /* HELD cash */
    next_turn();
    await_turn(2);
    sem_wait(&vault); /* WANTS vault */
    return unused;
}

static void *second(void *unused) {
    pthread_setname_np(pthread_self(), "auditor");
    sem_wait(&vault); /* HELD vault */
    next_turn();
    await_turn(2);
    sem_wait(&cash); /* WANTS cash */
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[2];
    sem_init(&cash, 0, 1);
    sem_init(&vault, 0, 1);
    use(&cash);
    use(&vault);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    sleep(50);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
