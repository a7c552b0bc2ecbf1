/* Signals at a high rate, whose handler tries a lock and posts a semaphore, while
 * threads nest locks, wait for a condition and leave handlers by siglongjmp:
 * nothing hangs, nothing is reported.
 *
 * silent
 * seconds: 20
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <time.h>

#include "turns.h"

enum { WORKERS = 4, SECONDS = 3 };

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t tried = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static sem_t posted;
static pthread_t workers[WORKERS];
static atomic_int over;
static __thread sigjmp_buf out;
static __thread volatile sig_atomic_t may_leave;

static void handler(int number) {
    (void)number;
    if (pthread_mutex_trylock(&tried) == 0)
        pthread_mutex_unlock(&tried);
    sem_post(&posted);
}

static void leaver(int number) {
    if (may_leave) {
        may_leave = 0;
        siglongjmp(out, number);
    }
}

static void nest(void) {
    pthread_mutex_t fresh;
    pthread_mutex_init(&fresh, NULL);
    pthread_mutex_lock(&outer);
    pthread_mutex_lock(&inner);
    pthread_mutex_lock(&fresh);
    pthread_mutex_unlock(&fresh);
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    pthread_mutex_destroy(&fresh);
}

/* Where it is left nothing of libc is under way. */
static void be_left(void) {
    if (sigsetjmp(out, 1) != 0)
        return;
    may_leave = 1;
    for (volatile int i = 0; i < 1000; i++)
        ;
    may_leave = 0;
}

static void wait_a_little(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec = at.tv_nsec > 999000000 ? 999999999 : at.tv_nsec + 1000000;
    pthread_mutex_lock(&inner);
    pthread_cond_timedwait(&changed, &inner, &at);
    pthread_mutex_unlock(&inner);
}

static void *work(void *unused) {
    for (unsigned round = 0; !over; round++) {
        nest();
        be_left();
        if (round % 256 == 0)
            wait_a_little();
    }
    return unused;
}

int main(void) {
    alarm(60);
    sem_init(&posted, 0, 0);
    struct sigaction action = {.sa_handler = handler};
    sigaddset(&action.sa_mask, SIGUSR2); /* or the handler would be left with its lock held */
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = leaver;
    sigaction(SIGUSR2, &action, NULL);
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, work, NULL);
    unsigned sent = 0;
    for (time_t end = time(NULL) + SECONDS; time(NULL) < end;)
        for (int i = 0; i < 100; i++, sent++) {
            pthread_kill(workers[sent % WORKERS], sent % 3 == 0 ? SIGUSR2 : SIGUSR1);
            if (sent % 8 == 0)
                usleep(20);
        }
    over = 1;
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    return 0;
}
