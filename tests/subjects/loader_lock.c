/* A thread holds the loader's lock, in a callback of dl_iterate_phdr, and wants a
 * lock of the program whose holder is seen at new places meanwhile: it must not
 * need the loader.
 *
 * silent
 * seconds: 20
 */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t wanted = PTHREAD_MUTEX_INITIALIZER, first = PTHREAD_MUTEX_INITIALIZER,
                       second = PTHREAD_MUTEX_INITIALIZER;

static int visit(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)info, (void)size, (void)unused;
    next_turn();
    pthread_mutex_lock(&wanted);
    pthread_mutex_unlock(&wanted);
    return 1;
}

static void *hold_the_loader(void *unused) {
    dl_iterate_phdr(visit, NULL);
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t thread;
    pthread_mutex_lock(&wanted);
    pthread_create(&thread, NULL, hold_the_loader, NULL);
    await_turn(1);
    pthread_mutex_lock(&first);
    pthread_mutex_lock(&second);
    pthread_mutex_unlock(&second);
    pthread_mutex_unlock(&first);
    pthread_mutex_unlock(&wanted);
    pthread_join(thread, NULL);
    return 0;
}
