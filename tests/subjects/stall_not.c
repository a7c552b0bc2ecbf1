/* All threads wait, as far as they themselves can tell for ever; and yet somebody
 * ends it after a while.
 *
 * silent
 * case: handler
 * case: limit
 * case: shared
 * case: shared_condition
 * case: shared_robust
 * case: named
 * case: pipe
 * case: timer
 * case: sleeper
 * case: sigwait
 * case: cancelled
 * case: idle
 * case: exit_handler
 * case: nested_handler
 * case: other_process
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { A_WHILE = 300000 }; /* microseconds */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t private_one, *semaphore = &private_one;
static int woken, robust;

/* What others process see, too. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    sem_t semaphore;
    int woken;
} * shared;

static void unlock(void *argument) { pthread_mutex_unlock(argument); }

static void *waits_for_signal(void *argument) {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    while (!woken)
        pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(1);
    return argument;
}

static void *waits_for_post(void *argument) {
    while (sem_wait(semaphore) != 0) {
    }
    return argument;
}

static void wake_all(void) {
    pthread_mutex_lock(&mutex);
    woken = 1;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
}

static pthread_t start(void *(*routine)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, routine, NULL);
    return thread;
}

static void join(pthread_t thread) { pthread_join(thread, NULL); }

/* ---- a signal handler posts ---- */

static void post(int number) {
    (void)number;
    sem_post(semaphore);
}

static void in_a_while(void) {
    struct itimerval time = {.it_value.tv_usec = A_WHILE};
    setitimer(ITIMER_REAL, &time, NULL);
}

static void by_handler(void) {
    signal(SIGALRM, post);
    in_a_while();
    join(start(waits_for_post));
    signal(SIGALRM, SIG_DFL);
}

/* It is gone again when the thread waits; it posted while it was there. */
static void by_nested_handler(void) {
    for (int i = 0; i < 200; i++) {
        signal(SIGUSR1, post);
        pthread_t thread = start(waits_for_post);
        pthread_kill(thread, SIGUSR1);
        join(thread);
        signal(SIGUSR1, SIG_IGN);
    }
}

/* ---- one wait has a limit ---- */

static void *waits_a_while(void *argument) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&mutex);
    while (pthread_cond_timedwait(&condition, &mutex, &until) == 0) {
    }
    pthread_mutex_unlock(&mutex);
    wake_all();
    return argument;
}

static void by_limit(void) {
    pthread_t waiter = start(waits_for_signal);
    start(waits_a_while);
    join(waiter);
}

/* ---- another process ---- */

static void share(void) {
    pthread_mutexattr_t mutex_attributes;
    pthread_condattr_t attributes;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&mutex_attributes);
    pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&mutex_attributes, robust ? PTHREAD_MUTEX_ROBUST : PTHREAD_MUTEX_STALLED);
    pthread_mutex_init(&shared->mutex, &mutex_attributes);
    pthread_condattr_init(&attributes);
    pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&shared->condition, &attributes);
    sem_init(&shared->semaphore, 1, 0);
}

static pid_t child(void (*act)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        usleep(A_WHILE);
        act();
        _exit(0);
    }
    return pid;
}

static void post_shared(void) { sem_post(semaphore); }

static void signal_shared(void) {
    pthread_mutex_lock(&shared->mutex);
    shared->woken = 1;
    pthread_cond_signal(&shared->condition);
    pthread_mutex_unlock(&shared->mutex);
}

static void by_child(void) {
    share();
    semaphore = &shared->semaphore;
    pid_t pid = child(post_shared);
    join(start(waits_for_post));
    waitpid(pid, NULL, 0);
}

static void *waits_for_shared_signal(void *argument) {
    pthread_mutex_lock(&shared->mutex);
    while (!shared->woken)
        pthread_cond_wait(&shared->condition, &shared->mutex);
    pthread_mutex_unlock(&shared->mutex);
    return argument;
}

static void by_childs_signal(void) {
    share();
    pid_t pid = child(signal_shared);
    join(start(waits_for_shared_signal));
    waitpid(pid, NULL, 0);
}

static void by_childs_signal_robust(void) {
    robust = 1;
    by_childs_signal();
}

static void by_name(void) {
    char name[64];
    snprintf(name, sizeof name, "/stall_not.%d", (int)getpid());
    semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    sem_unlink(name);
    pid_t pid = child(post_shared);
    join(start(waits_for_post));
    waitpid(pid, NULL, 0);
}

/* Private by what it says of itself, but in memory that another process has, too:
 * that one could change what is waited for, and does end it. */
static void in_shared_memory(void) {
    share();
    sem_init(&shared->semaphore, 0, 0);
    semaphore = &shared->semaphore;
    pid_t pid = fork();
    if (pid == 0)
        join(start(waits_for_post));
    usleep(A_WHILE);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* ---- threads that wait in other ways ---- */

static int pipe_ends[2];

static void *reads(void *argument) {
    char byte;
    if (read(pipe_ends[0], &byte, 1) == 1)
        wake_all();
    return argument;
}

static void write_pipe(void) { (void)!write(pipe_ends[1], "", 1); }

static void by_pipe(void) {
    (void)!pipe(pipe_ends);
    pid_t pid = child(write_pipe);
    start(reads);
    join(start(waits_for_signal));
    waitpid(pid, NULL, 0);
}

static void *sleeps(void *argument) {
    usleep(A_WHILE);
    wake_all();
    return argument;
}

static void by_sleeper(void) {
    start(sleeps);
    join(start(waits_for_signal));
}

static void *waits_for_kernel_signal(void *argument) {
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigwait(&set, &number);
    wake_all();
    return argument;
}

static void by_sigwait(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    start(waits_for_kernel_signal);
    in_a_while();
    join(start(waits_for_signal));
}

/* ---- a thread that nobody created ---- */

static void expired(union sigval value) {
    (void)value;
    wake_all();
}

static void by_timer(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = expired};
    struct itimerspec time = {.it_value.tv_nsec = A_WHILE * 1000L};
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &time, NULL);
    join(start(waits_for_signal));
}

/* ---- threads that are ended ---- */

static void by_cancellation(void) {
    for (int i = 0; i < 500; i++) {
        pthread_t first = start(waits_for_signal), second = start(waits_for_post);
        pthread_cancel(first);
        pthread_cancel(second);
        join(first);
        join(second);
    }
}

static void leave_idle(void) {
    for (int i = 0; i < 3; i++)
        start(waits_for_signal);
    usleep(A_WHILE);
}

static pthread_t at_exit;

static void wake_and_join(void) {
    usleep(A_WHILE);
    wake_all();
    join(at_exit);
}

static void by_exit_handler(void) {
    at_exit = start(waits_for_signal);
    atexit(wake_and_join);
}

static const struct {
    const char *name;
    void (*play)(void);
} plays[] = {
    {"handler", by_handler},
    {"nested_handler", by_nested_handler},
    {"limit", by_limit},
    {"shared", by_child},
    {"named", by_name},
    {"shared_condition", by_childs_signal},
    {"pipe", by_pipe},
    {"other_process", in_shared_memory},
    {"timer", by_timer},
    {"sleeper", by_sleeper},
    {"sigwait", by_sigwait},
    {"cancelled", by_cancellation},
    {"idle", leave_idle},
    {"exit_handler", by_exit_handler},
    {"shared_robust", by_childs_signal_robust},
};

int main(int count, char **arguments) {
    sem_init(&private_one, 0, 0);
    for (size_t i = 0; count > 1 && i < sizeof plays / sizeof *plays; i++)
        if (strcmp(plays[i].name, arguments[1]) == 0)
            plays[i].play();
    return 0;
}
