/* A real deadlock of three threads while a fourth goes on working.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 3
 * thread: HELD own, WANTS next
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t locks[3] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                   PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t elsewhere = PTHREAD_MUTEX_INITIALIZER;

static void *member(void *argument) {
    int number = (int)(long)argument;
    pthread_mutex_lock(&locks[number]); /* HELD own */
    next_turn();
    await_turn(3);
    pthread_mutex_lock(&locks[(number + 1) % 3]); /* WANTS next */
    return NULL;
}

static void *bystander(void *unused) {
    for (;;) {
        pthread_mutex_lock(&elsewhere);
        usleep(100);
        pthread_mutex_unlock(&elsewhere);
    }
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[4];
    pthread_create(&threads[3], NULL, bystander, NULL);
    for (long i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, member, (void *)i);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
