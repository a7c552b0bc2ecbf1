/* What a process costs that does nothing: one thread, linked against libpthread's part of libc. */
#include <pthread.h>

static void *nothing(void *argument) { return argument; }

int main(void) {
    pthread_t thread;

    return pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0;
}
