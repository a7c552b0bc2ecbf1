/* Both clocks jump about while threads wait with limits; no limit is reached.
 * The jumps are this program's own clock_gettime, which a runtime that calls
 * libc sees as well.
 *
 * silent
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long jump; /* seconds */

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *time) {
    long result = syscall(SYS_clock_gettime, clock, time);
    time->tv_sec += __atomic_load_n(&jump, __ATOMIC_RELAXED);
    return (int)result;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int handed;

static struct timespec limit(clockid_t clock) {
    struct timespec time;
    syscall(SYS_clock_gettime, clock, &time);
    time.tv_sec += 100;
    return time;
}

static void *take(void *unused) {
    for (int i = 0; i < 200; i++) {
        struct timespec real = limit(CLOCK_REALTIME), steady = limit(CLOCK_MONOTONIC);
        int result = i % 2 ? pthread_mutex_timedlock(&mutex, &real)
                           : pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &steady);
        while (result == 0 && handed == 0)
            result = pthread_cond_timedwait(&condition, &mutex, &real);
        if (result != 0)
            exit(3);
        handed--;
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

int main(void) {
    static const long jumps[] = {0, 3600, -3600, 86400 * 400, -1, -86400 * 20000, 1};
    pthread_t thread;
    pthread_create(&thread, NULL, take, NULL);
    for (int i = 0; i < 200; i++) {
        __atomic_store_n(&jump, jumps[i % 7], __ATOMIC_RELAXED);
        pthread_mutex_lock(&mutex);
        usleep(i % 10 == 0 ? 5000 : 0);
        handed++;
        pthread_cond_signal(&condition);
        pthread_mutex_unlock(&mutex);
    }
    pthread_join(thread, NULL);
    printf("all handed over\n");
    return 0;
}
