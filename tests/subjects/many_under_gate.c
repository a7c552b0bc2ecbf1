/* Two hundred locks in any order, four at a time, always under one gate: a component of notes only,
 * which must not be searched to death.  (Which notes come first is up to the scheduler.)
 *
 * silent
 * seconds: 15
 */
#include <pthread.h>
#include <stdlib.h>

enum { LOCKS = 200, ROUNDS = 2000, HELD = 4 };
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER, locks[LOCKS];

static int among(const int *chosen, int count, int lock) {
    for (int i = 0; i < count; i++)
        if (chosen[i] == lock)
            return 1;
    return 0;
}

static void choose(unsigned *seed, int *chosen) {
    for (int i = 0; i < HELD; i++)
        do
            chosen[i] = rand_r(seed) % LOCKS;
        while (among(chosen, i, chosen[i]));
}

static void *work(void *argument) {
    unsigned seed = (unsigned)(long)argument;
    for (int round = 0; round < ROUNDS; round++) {
        int chosen[HELD];
        choose(&seed, chosen);
        pthread_mutex_lock(&gate);
        for (int i = 0; i < HELD; i++)
            pthread_mutex_lock(&locks[chosen[i]]);
        for (int i = HELD; i-- > 0;)
            pthread_mutex_unlock(&locks[chosen[i]]);
        pthread_mutex_unlock(&gate);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
