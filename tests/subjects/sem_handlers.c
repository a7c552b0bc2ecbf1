/* Handlers that post, and handlers that interrupt a wait: with SA_RESTART it goes
 * on, without it says EINTR; a wait with a limit always does.
 *
 * transcript
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static sem_t semaphore, never;
static volatile sig_atomic_t handled;
static pthread_t main_thread;
static int posting;

static void handle(int number) {
    (void)number;
    handled++;
    if (posting)
        sem_post(&semaphore);
}

static void install(int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    action.sa_flags = flags;
    sigaction(SIGUSR1, &action, NULL);
}

/* Signals once, then posts. */
static void *disturb(void *unused) {
    usleep(100000);
    pthread_kill(main_thread, SIGUSR1);
    usleep(100000);
    if (!posting)
        sem_post(&semaphore);
    return unused;
}

static void wait_disturbed(unsigned value, int flags, int limited) {
    pthread_t thread;
    struct timespec at = {.tv_sec = time(NULL) + 20};
    sem_init(&semaphore, 0, value);
    for (unsigned i = 0; i < value; i++)
        sem_wait(&semaphore);
    install(flags);
    handled = 0;
    pthread_create(&thread, NULL, disturb, NULL);
    errno = 0;
    int result = limited ? sem_timedwait(&semaphore, &at) : sem_wait(&semaphore);
    printf("value %u restart %d limited %d posting %d: %d errno %d handled %d\n", value,
           (flags & SA_RESTART) != 0, limited, posting, result, errno, (int)handled);
    pthread_join(thread, NULL);
    sem_destroy(&semaphore);
}

/* A timer posts what the interrupted thread takes, thousands of times. */
static void storm(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec often = {.it_interval.tv_nsec = 100000, .it_value.tv_nsec = 100000};
    posting = 1;
    sem_init(&semaphore, 0, 1);
    sem_init(&never, 0, 1);
    install(SA_RESTART);
    handled = 0;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &often, NULL);
    int taken = 0;
    while (taken < 2000)
        if (sem_wait(&semaphore) == 0) {
            sem_wait(&never);
            sem_post(&never);
            taken++;
        }
    timer_delete(timer);
    printf("taken %d\n", taken);
}

int main(void) {
    main_thread = pthread_self();
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned value = 0; value < 2; value++)
        for (int limited = 0; limited < 2; limited++) {
            wait_disturbed(value, 0, limited);
            wait_disturbed(value, SA_RESTART, limited);
        }
    posting = 1;
    wait_disturbed(0, SA_RESTART, 0);
    storm();
    return 0;
}
