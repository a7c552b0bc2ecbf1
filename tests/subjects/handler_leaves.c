/* Signal handlers that are left by siglongjmp, wherever they come: often enough in
 * the middle of what the runtime does under a lock of its own, for which the other
 * threads would then wait for ever.  Nothing of libc is left half-way: what is called
 * meanwhile only stores into a semaphore.
 *
 * case: any-time
 * silent
 * seconds: 20
 *
 * case: once
 * silent
 * may be unseen
 * seconds: 20
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "put_off.h"
#include "turns.h"

enum { MOST = 4096, LEAVES = 400 };

static atomic_int over;
static sigjmp_buf out;
static atomic_int started;
static int reset_each_time;
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;

static void leave(int number) { siglongjmp(out, number); }

static void install(void) {
    struct sigaction action = {.sa_handler = leave, .sa_flags = CAN_BE_PUT_OFF};
    if (reset_each_time)
        action.sa_flags |= (int)SA_RESETHAND;
    sigaction(SIGUSR1, &action, NULL);
}

/* Each is initialised all the time, and used by nobody. */
static void *make_semaphores(void *unused) {
    static __thread sem_t made[16];
    while (!over) {
        for (int i = 0; i < 16; i++)
            sem_init(&made[i], 0, 1);
        usleep(1000);
    }
    return unused;
}

static void *nest(void *unused) {
    while (!over) {
        pthread_mutex_lock(&outer);
        pthread_mutex_lock(&inner);
        pthread_mutex_unlock(&inner);
        pthread_mutex_unlock(&outer);
        usleep(1000);
    }
    return unused;
}

/* Once left, the signal is blocked again. */
static void be_left(const sigset_t *only) {
    static sem_t made[MOST];
    static volatile unsigned next;
    if (sigsetjmp(out, 1) != 0)
        return;
    started++;
    pthread_sigmask(SIG_UNBLOCK, only, NULL);
    for (;;)
        sem_init(&made[next++ % MOST], 0, 1);
}

/* One signal each time, at no particular moment. */
static void *disturb(void *thread) {
    for (int round = 1; round <= LEAVES; round++) {
        while (started < round)
            sched_yield();
        for (volatile int i = 0; i < round * 79 % 2000; i++)
            ;
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
    }
    return NULL;
}

static void *be_left_often(void *unused) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGUSR1);
    for (int i = 0; i < LEAVES; i++) {
        install();
        be_left(&only);
    }
    over = 1;
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[4];
    sigset_t only;
    reset_each_time = argc > 1 && strcmp(argv[1], "once") == 0;
    alarm(60);
    sigemptyset(&only);
    sigaddset(&only, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &only, NULL); /* of everybody but one */
    pthread_create(&threads[0], NULL, be_left_often, NULL);
    pthread_create(&threads[1], NULL, disturb, &threads[0]);
    pthread_create(&threads[2], NULL, make_semaphores, NULL);
    pthread_create(&threads[3], NULL, nest, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
