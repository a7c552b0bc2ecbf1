/* A thread pool that has nothing to do: its threads wait at conditions, semaphores,
 * barriers and for each other's end for as many seconds as the argument says, and
 * nobody says anything.  Now and then a job comes, and takes a moment.
 *
 * arguments: 5
 * options: -O lock_timeout=1s
 * silent
 * seconds: 30
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS = 4, SECONDS_PER_JOB = 2 };

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER, results_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t end;
static sem_t events, places;
static int jobs, closed;
static long results;

static int next_job(void) {
    pthread_mutex_lock(&queue_lock);
    while (jobs == 0 && !closed)
        pthread_cond_wait(&not_empty, &queue_lock);
    int got = jobs > 0;
    jobs -= got;
    pthread_mutex_unlock(&queue_lock);
    return got;
}

static void *work(void *unused) {
    while (next_job()) {
        pthread_mutex_lock(&results_lock);
        results++;
        usleep(1000);
        pthread_mutex_unlock(&results_lock);
        sem_post(&places);
    }
    pthread_barrier_wait(&end);
    return unused;
}

/* Waits for events; nobody holds such a semaphore. */
static void *listen(void *unused) {
    sem_wait(&events);
    pthread_barrier_wait(&end);
    return unused;
}

/* Is at the barrier all the time. */
static void *attend(void *unused) {
    pthread_barrier_wait(&end);
    return unused;
}

static void *join(void *thread) {
    pthread_join(*(pthread_t *)thread, NULL);
    return NULL;
}

static void give_jobs(int seconds) {
    for (int i = 0; i < seconds; i += SECONDS_PER_JOB) {
        sem_wait(&places);
        pthread_mutex_lock(&queue_lock);
        jobs++;
        pthread_cond_signal(&not_empty);
        pthread_mutex_unlock(&queue_lock);
        sleep(SECONDS_PER_JOB);
    }
    pthread_mutex_lock(&queue_lock);
    closed = 1;
    pthread_cond_broadcast(&not_empty);
    pthread_mutex_unlock(&queue_lock);
    sem_post(&events);
}

int main(int argc, char **argv) {
    pthread_t workers[WORKERS], listener, attendant, joiner;
    pthread_barrier_init(&end, NULL, WORKERS + 2);
    sem_init(&events, 0, 0);
    sem_init(&places, 0, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, work, NULL);
    pthread_create(&listener, NULL, listen, NULL);
    pthread_create(&attendant, NULL, attend, NULL);
    pthread_create(&joiner, NULL, join, &attendant);
    give_jobs(argc > 1 ? atoi(argv[1]) : 5);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    pthread_join(listener, NULL);
    pthread_join(joiner, NULL);
    return results > 0 ? 0 : 1;
}
