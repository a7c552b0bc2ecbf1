/* Five philosophers who take the lower-numbered fork first.
 *
 * silent
 * near: deadlock, order-cycle
 */
#include <pthread.h>

enum { COUNT = 5 };
static pthread_mutex_t forks[COUNT];

static void *dine(void *argument) {
    int seat = (int)(long)argument, other = (seat + 1) % COUNT;
    int low = seat < other ? seat : other, high = seat < other ? other : seat;
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&forks[low]);
        pthread_mutex_lock(&forks[high]);
        pthread_mutex_unlock(&forks[high]);
        pthread_mutex_unlock(&forks[low]);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[COUNT];
    for (int i = 0; i < COUNT; i++)
        pthread_mutex_init(&forks[i], NULL);
    for (long i = 0; i < COUNT; i++)
        pthread_create(&threads[i], NULL, dine, (void *)i);
    for (int i = 0; i < COUNT; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
