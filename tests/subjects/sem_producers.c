/* Semaphores that signal: a bounded buffer that fills up before anybody takes
 * from it, and two threads that take turns.  Each producer has "taken" all empty
 * places when it waits for one more, and all the others wait, too.
 *
 * silent
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

enum { ITEMS = 200, PRODUCERS = 2 };

static sem_t empty, full;
static pthread_mutex_t buffer = PTHREAD_MUTEX_INITIALIZER;
static int inside, taken;

static void *produce(void *unused) {
    for (int i = 0; i < ITEMS; i++) {
        sem_wait(&empty);
        pthread_mutex_lock(&buffer);
        inside++;
        pthread_mutex_unlock(&buffer);
        sem_post(&full);
    }
    return unused;
}

static void *consume(void *unused) {
    usleep(700000); /* the producers wait meanwhile */
    for (int i = 0; i < ITEMS * PRODUCERS; i++) {
        sem_wait(&full);
        pthread_mutex_lock(&buffer);
        inside--;
        taken++;
        pthread_mutex_unlock(&buffer);
        sem_post(&empty);
    }
    return unused;
}

static void use_buffer(unsigned places) {
    pthread_t threads[PRODUCERS + 1];
    sem_init(&empty, 0, places);
    sem_init(&full, 0, 0);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_create(&threads[i], NULL, produce, NULL);
    pthread_create(&threads[PRODUCERS], NULL, consume, NULL);
    for (int i = 0; i <= PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    printf("%d inside, %d taken\n", inside, taken);
}

static void *answer(void *unused) {
    usleep(700000);
    for (int i = 0; i < ITEMS; i++) {
        sem_wait(&full);
        sem_post(&empty);
    }
    return unused;
}

/* The one who begins waits for its own semaphore again. */
static void take_turns(void) {
    pthread_t thread;
    sem_init(&empty, 0, 1);
    sem_init(&full, 0, 0);
    pthread_create(&thread, NULL, answer, NULL);
    for (int i = 0; i < ITEMS; i++) {
        sem_wait(&empty);
        sem_post(&full);
    }
    pthread_join(thread, NULL);
    puts("done");
}

int main(void) {
    use_buffer(5);
    use_buffer(1);
    take_turns();
    return 0;
}
