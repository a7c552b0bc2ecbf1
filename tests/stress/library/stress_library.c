/* Loaded and unloaded by the stress program. */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static int calls;

__attribute__((constructor)) static void begin(void) {
    pthread_mutex_lock(&lock);
    calls++;
    pthread_mutex_unlock(&lock);
}

__attribute__((destructor)) static void end(void) {
    pthread_mutex_lock(&lock);
    calls--;
    pthread_mutex_unlock(&lock);
}

int stress_library_work(int number);
int stress_library_work(int number) {
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&inner);
    calls++;
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&lock);
    return number;
}
