/* Four locks, always upwards, fought over by eight threads: owners change while the wait-for search
 * reads them, and never is there a ring.
 *
 * silent
 * near: deadlock
 * seconds: 20
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LOCKS = 4, THREADS = 8, SECONDS = 4 };
static pthread_mutex_t locks[LOCKS];
static time_t end;

static void one_round(unsigned *seed, int round) {
    int first = rand_r(seed) % LOCKS, second = rand_r(seed) % LOCKS;
    if (first > second) {
        int swap = first;
        first = second;
        second = swap;
    }
    pthread_mutex_lock(&locks[first]);
    if (second != first) {
        pthread_mutex_lock(&locks[second]);
        if (round % 50 == 0)
            usleep(100);
        pthread_mutex_unlock(&locks[second]);
    }
    pthread_mutex_unlock(&locks[first]);
}

static void *work(void *argument) {
    unsigned seed = (unsigned)(long)argument;
    for (int round = 0; time(NULL) < end; round++) {
        one_round(&seed, round);
        pthread_mutex_lock(&locks[round % LOCKS]);
        pthread_mutex_unlock(&locks[round % LOCKS]);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    end = time(NULL) + SECONDS;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
