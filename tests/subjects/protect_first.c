/* The first priority ceiling that a thread meets may not be for it: the answer is
 * that of the first try.
 *
 * transcript
 */
#include <pthread.h>
#include <stdio.h>

int main(void) {
    pthread_mutex_t mutex;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT);
    pthread_mutex_init(&mutex, &attributes);
    for (int i = 0; i < 3; i++) {
        int result = pthread_mutex_lock(&mutex);
        printf("%d\n", result);
        if (result == 0)
            pthread_mutex_unlock(&mutex);
    }
    return 0;
}
