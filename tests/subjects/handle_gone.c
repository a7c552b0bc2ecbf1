/* A detached thread unmaps the memory in which its creator stores its handle; threads nobody created
 * through us (timer notifications) come and go.
 *
 * silent
 * transcript
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { JOBS = 2000, TICKS = 200 };

struct job {
    pthread_t handle;
};

static void *run(void *page) {
    munmap(page, 4096);
    return NULL;
}

static void start_job(const pthread_attr_t *detached) {
    struct job *job = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pthread_create(&job->handle, detached, run, job) != 0)
        munmap(job, 4096);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int ticks;

static void tick(union sigval unused) {
    (void)unused;
    pthread_mutex_lock(&mutex);
    ticks++;
    pthread_mutex_unlock(&mutex);
}

static void tick_for_a_while(void) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick};
    struct itimerspec often = {{0, 200000}, {0, 200000}};
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &often, NULL);
    for (int i = 0; i < 2000 && ticks < TICKS; i++)
        usleep(5000);
    timer_delete(timer);
}

int main(void) {
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < JOBS; i++) {
        start_job(&detached);
        if (i % 50 == 0)
            usleep(500);
    }
    tick_for_a_while();
    puts(ticks >= TICKS ? "enough ticks" : "too few ticks");
    return 0;
}
