/* A real deadlock of two binary semaphores, or of one and a mutex, at their very
 * first use: nobody ever posted.  While the main thread sleeps it could be the
 * one to post, so a while passes before anything is said.
 *
 * deadlock
 * arguments: joins | sleeps | mutex | mutex-sleeps
 * expect: deadlock actual error
 *
 * case: joins
 * thread: HELD cash, WANTS vault
 * thread: HELD vault, WANTS cash
 * says: teller, auditor, sem_deadlock.c
 *
 * case: sleeps
 * thread: HELD cash, WANTS vault
 *
 * case: mutex
 * thread: HELD cash, WANTS mutex
 *
 * case: mutex-sleeps
 * thread: HELD mutex, WANTS cash
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "turns.h"

static sem_t cash, vault;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int with_mutex;

static void *first(void *unused) {
    pthread_setname_np(pthread_self(), "teller");
    sem_wait(&cash); /* HELD cash */
    next_turn();
    await_turn(2);
    if (with_mutex)
        pthread_mutex_lock(&mutex); /* WANTS mutex */
    else
        sem_wait(&vault); /* WANTS vault */
    return unused;
}

static void *second(void *unused) {
    pthread_setname_np(pthread_self(), "auditor");
    if (with_mutex)
        pthread_mutex_lock(&mutex); /* HELD mutex */
    else
        sem_wait(&vault); /* HELD vault */
    next_turn();
    await_turn(2);
    sem_wait(&cash); /* WANTS cash */
    return unused;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "joins";
    alarm(60);
    with_mutex = strstr(how, "mutex") != NULL;
    pthread_t threads[2];
    sem_init(&cash, 0, 1);
    sem_init(&vault, 0, 1);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    if (strstr(how, "sleeps") != NULL)
        sleep(50);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
