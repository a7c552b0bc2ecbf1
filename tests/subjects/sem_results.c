/* What the calls return, and errno, on semaphores that are locks, signals,
 * shared or named; with the time limits that are refused; with a cancellation
 * pending, and one that comes during the wait.
 *
 * transcript
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static sem_t semaphore;

static void say(const char *call, int result) {
    int error = errno, value = -1;
    sem_getvalue(&semaphore, &value);
    printf("%s: %d errno %d value %d\n", call, result, error, value);
    errno = 0;
}

static struct timespec in_ms(clockid_t clock, long ms) {
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += ms * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void call_all(void) {
    struct timespec bad = {.tv_nsec = -1}, past = {0}, soon = in_ms(CLOCK_REALTIME, 20),
                    later = in_ms(CLOCK_MONOTONIC, 20);
    say("trywait", sem_trywait(&semaphore));
    say("timedwait bad", sem_timedwait(&semaphore, &bad));
    say("timedwait past", sem_timedwait(&semaphore, &past));
    say("timedwait", sem_timedwait(&semaphore, &soon));
    say("clockwait", sem_clockwait(&semaphore, CLOCK_MONOTONIC, &later));
    say("clockwait bad", sem_clockwait(&semaphore, CLOCK_REALTIME, &bad));
    say("clockwait no clock", sem_clockwait(&semaphore, CLOCK_PROCESS_CPUTIME_ID, &later));
    say("post", sem_post(&semaphore));
    say("wait", sem_wait(&semaphore));
    say("post", sem_post(&semaphore));
    say("timedwait", sem_timedwait(&semaphore, &past));
    say("post", sem_post(&semaphore));
    say("clockwait", sem_clockwait(&semaphore, CLOCK_MONOTONIC, &past));
}

static int which, begun;

static void clean_up(void *unused) {
    (void)unused;
    printf("cleaned up after %d\n", which);
}

static void *wait_cancelled(void *pending) {
    struct timespec later = in_ms(CLOCK_REALTIME, 5000), mono = in_ms(CLOCK_MONOTONIC, 5000);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    if (pending != NULL)
        pthread_cancel(pthread_self());
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_cleanup_push(clean_up, NULL);
    __atomic_store_n(&begun, 1, __ATOMIC_RELEASE);
    if (which == 0)
        say("wait", sem_wait(&semaphore));
    else if (which == 1)
        say("timedwait", sem_timedwait(&semaphore, &later));
    else if (which == 2)
        say("clockwait", sem_clockwait(&semaphore, CLOCK_MONOTONIC, &mono));
    else
        say("trywait", sem_trywait(&semaphore));
    pthread_cleanup_pop(0);
    return NULL;
}

/* `taken`: it waits, pending or not; else there is a slot. */
static void cancel(int pending, unsigned value, unsigned taken) {
    for (which = 0; which < 4; which++) {
        pthread_t thread;
        void *how;
        begun = 0;
        sem_init(&semaphore, 0, value);
        for (unsigned i = 0; i < taken; i++)
            sem_wait(&semaphore);
        pthread_create(&thread, NULL, wait_cancelled, pending ? &which : NULL);
        if (!pending) {
            while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE))
                usleep(1000);
            usleep(60000);
            pthread_cancel(thread);
        }
        pthread_join(thread, &how);
        printf("%d %s ", which, how == PTHREAD_CANCELED ? "cancelled" : "went on");
        say("then", 0);
        sem_destroy(&semaphore);
    }
}

static void overflow(void) {
    sem_init(&semaphore, 0, 1);
    say("init too much", sem_init(&semaphore, 0, (unsigned)INT_MAX + 1));
    sem_destroy(&semaphore);
    say("open", sem_open("/lockgraph-no-such", 0) == SEM_FAILED ? -1 : 0);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int shared = 0; shared < 2; shared++) {
        for (unsigned value = 0; value < 4; value++) {
            printf("value %u shared %d\n", value, shared);
            say("init", sem_init(&semaphore, shared, value));
            call_all();
            say("destroy", sem_destroy(&semaphore));
        }
    }
    cancel(1, 1, 0);
    cancel(1, 0, 0);
    cancel(1, 1, 1);
    cancel(0, 0, 0);
    cancel(0, 2, 2);
    overflow();
    return 0;
}
