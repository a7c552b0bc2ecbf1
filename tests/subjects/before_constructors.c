/* Calls made before any constructor ran, as allocators and libraries make them
 * that a program is linked with: everything works, natively and under the
 * runtime.
 *
 * transcript
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "newer_libc.h"

static int results[32];

static void *nothing(void *argument) { return argument; }

static int nothing_c11(void *argument) { return argument == NULL; }

static void use_mutex(int *result) {
    const struct timespec past = {1, 0};
    pthread_mutex_t mutex;
    *result++ = pthread_mutex_init(&mutex, NULL);
    *result++ = pthread_mutex_timedlock(&mutex, &past);
    *result++ = pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &past) == ETIMEDOUT;
    *result++ = pthread_mutex_unlock(&mutex);
    *result++ = pthread_mutex_destroy(&mutex);
}

static void use_condition(int *result) {
    const struct timespec past = {1, 0};
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition;
    *result++ = pthread_cond_init(&condition, NULL);
    pthread_mutex_lock(&mutex);
    *result++ = pthread_cond_timedwait(&condition, &mutex, &past) == ETIMEDOUT;
    pthread_mutex_unlock(&mutex);
    *result++ = pthread_cond_signal(&condition);
    *result++ = pthread_cond_destroy(&condition);
}

static void use_threads(int *result) {
    pthread_t thread;
    thrd_t c11;
    mtx_t mutex;
    *result++ = pthread_create(&thread, NULL, nothing, NULL);
    *result++ = pthread_join(thread, NULL);
    *result++ = thrd_create(&c11, nothing_c11, NULL);
    *result++ = thrd_join(c11, NULL);
    *result++ = mtx_init(&mutex, mtx_plain);
}

static void use_files(int *result) {
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = memfd_create("early", 0), copy = fcntl(file, F_DUPFD, 0);
    *result++ = fcntl(file, F_GETFD);
    *result++ = fcntl(file, F_SETLKW, &range);
    *result++ = flock(file, LOCK_EX);
    *result++ = lockf(file, F_ULOCK, 0);
    *result++ = dup2(file, copy) == copy;
    *result++ = dup3(file, copy, O_CLOEXEC) == copy;
    *result++ = close_range((unsigned)copy, (unsigned)copy, 0);
    *result++ = close(copy);
    *result++ = fclose(fdopen(file, "r"));
}

static void early(void) {
    use_mutex(results);
    use_condition(results + 5);
    use_threads(results + 9);
    use_files(results + 14);
}

/* These run before the constructors of all libraries. */
__attribute__((section(".preinit_array"), used)) static void (*const run_early)(void) = early;

int main(void) {
    pthread_mutex_t seen = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&seen); /* so that the runtime has seen something */
    pthread_mutex_unlock(&seen);
    for (int i = 0; i < 23; i++)
        printf("%d ", results[i]);
    puts("");
    return 0;
}
