/* Semaphores that are used wrongly, and near-identical uses that are right.
 *
 * case: wait-destroyed
 * expect: sem-misuse none error
 * call: WRONG wait
 * earlier: GONE here
 *
 * case: post-destroyed
 * expect: sem-misuse none error
 * call: WRONG post
 * earlier: GONE here
 *
 * case: destroy-waited
 * expect: sem-misuse none error
 * call: GONE here
 * earlier: WAITS here
 * earlier thread: waiter
 * says: for which
 *
 * case: overflow
 * expect: api-error none warning
 * call: WRONG overflow
 *
 * case: reinit
 * silent
 * near: sem-misuse
 *
 * case: destroy-idle
 * silent
 * near: sem-misuse
 */
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

static sem_t semaphore;

static int destroy(void) {
    int result = sem_destroy(&semaphore); /* GONE here */
    return result;
}

static void *wait_once(void *unused) {
    pthread_setname_np(pthread_self(), "waiter");
    sem_wait(&semaphore); /* WAITS here */
    return unused;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "destroy-idle";
    pthread_t thread;
    sem_init(&semaphore, 0, 1);
    if (strcmp(how, "overflow") == 0) {
        sem_init(&semaphore, 0, INT_MAX);
        sem_post(&semaphore); /* WRONG overflow */
        return 0;
    }
    if (strcmp(how, "destroy-waited") == 0) {
        sem_wait(&semaphore);
        pthread_create(&thread, NULL, wait_once, NULL);
        usleep(200000);
        destroy();
        return 0;
    }
    destroy();
    if (strcmp(how, "reinit") == 0)
        sem_init(&semaphore, 0, 1);
    if (strcmp(how, "wait-destroyed") == 0)
        sem_wait(&semaphore); /* WRONG wait */
    else if (strcmp(how, "post-destroyed") == 0)
        sem_post(&semaphore); /* WRONG post */
    else if (strcmp(how, "reinit") == 0)
        sem_wait(&semaphore);
    return 0;
}
