/* A real deadlock through a mutex that other processes see, too; of one thread with
 * itself, and of two.
 *
 * deadlock
 * case: alone
 * expect: self-deadlock actual error
 * thread: HELD shared, WANTED again
 * case: ring
 * expect: deadlock actual error
 * thread: HELD shared, WANTED plain
 * thread: HELD plain, WANTED shared
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "turns.h"

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER, *shared;

static void share(void) {
    pthread_mutexattr_t attributes;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(shared, &attributes);
}

static void *alone(void *unused) {
    pthread_mutex_lock(shared); /* HELD shared */
    pthread_mutex_lock(shared); /* WANTED again */
    return unused;
}

static void *one(void *unused) {
    pthread_mutex_lock(shared); /* HELD shared */
    next_turn();
    await_turn(2);
    pthread_mutex_lock(&plain); /* WANTED plain */
    return unused;
}

static void *other(void *unused) {
    pthread_mutex_lock(&plain); /* HELD plain */
    next_turn();
    await_turn(2);
    pthread_mutex_lock(shared); /* WANTED shared */
    return unused;
}

int main(int count, char **words) {
    int by_itself = count > 1 && strcmp(words[1], "alone") == 0;
    pthread_t threads[2];
    alarm(60);
    share();
    pthread_create(&threads[0], NULL, by_itself ? alone : one, NULL);
    if (!by_itself)
        pthread_create(&threads[1], NULL, other, NULL);
    pthread_join(threads[0], NULL);
    return 0;
}
