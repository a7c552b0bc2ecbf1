/* A recursive mutex taken again with another lock in between adds no order; an
 * error-checking one refuses the second time, which is worth a warning.
 *
 * expect: api-error none warning
 * call: REFUSED
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

static pthread_mutex_t outer, inner = PTHREAD_MUTEX_INITIALIZER, checked;

static void initialise(pthread_mutex_t *mutex, int type) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

static void *nested(void *number) {
    await_turn((int)(long)number);
    pthread_mutex_lock(&outer);
    pthread_mutex_lock(&inner);
    pthread_mutex_lock(&outer);
    pthread_mutex_unlock(&outer);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    pthread_mutex_lock(&checked);
    if (pthread_mutex_lock(&checked) != EDEADLK) /* REFUSED */
        abort();
    pthread_mutex_unlock(&checked);
    next_turn();
    await_turn(2);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    initialise(&outer, PTHREAD_MUTEX_RECURSIVE);
    initialise(&checked, PTHREAD_MUTEX_ERRORCHECK);
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, nested, (void *)i);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
