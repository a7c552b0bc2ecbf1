/* Children that lock, become other programs, and are killed. */
#include "stress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Held over every fork, as a library would do it: the child finds it consistent. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

static void before_fork(void) { MUST(pthread_mutex_lock(&library_lock) == 0); }
static void after_fork(void) { MUST(pthread_mutex_unlock(&library_lock) == 0); }

void children_start(void) { MUST(pthread_atfork(before_fork, after_fork, after_fork) == 0); }

/* ---- in the child ---- */

struct pair {
    pthread_mutex_t first, second;
};

static void *lock_both(void *argument) {
    struct pair *pair = argument;
    for (int i = 0; i < 50; i++) {
        MUST(pthread_mutex_lock(&pair->first) == 0 && pthread_mutex_lock(&pair->second) == 0);
        MUST(pthread_mutex_unlock(&pair->second) == 0 && pthread_mutex_unlock(&pair->first) == 0);
    }
    return NULL;
}

static void lock_in_threads(void) {
    struct pair pair = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        MUST(pthread_create(&threads[i], NULL, lock_both, &pair) == 0);
    lock_both(&pair);
    for (int i = 0; i < 2; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
}

int brief_main(void) {
    lock_in_threads();
    return 0;
}

static void child_leaves(void) {}

static void child_locks(void) {
    before_fork();
    after_fork();
    lock_in_threads();
}

static void child_execs(void) {
    char *const arguments[] = {"stress", "--brief", NULL};
    execv("/proc/self/exe", arguments);
    _exit(126);
}

static void child_execs_another(void) {
    char *const arguments[] = {"true", NULL};
    execv("/bin/true", arguments);
    _exit(126);
}

static void child_forks(void) {
    pid_t pid = fork();
    MUST(pid >= 0);
    lock_in_threads();
    if (pid == 0)
        _exit(0);
    MUST(waitpid(pid, NULL, 0) == pid);
}

/* Not exit(): the loader's own lock may have been held by another thread of the
 * parent, and exit unloads the libraries. */
static void child_leaves_quickly(void) {
    lock_in_threads();
    _Exit(0);
}

/* Killed before it is through. */
static void child_is_killed(void) {
    for (;;)
        lock_in_threads();
}

static void (*const lives[])(void) = {child_leaves,        child_locks, child_execs,
                                      child_execs_another, child_forks, child_leaves_quickly};
enum { LIVES = sizeof lives / sizeof *lives };

static pid_t begin(void (*life)(void)) {
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(60);
    life();
    _exit(0);
}

/* ---- in the parent ---- */

static int end_of(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) != pid)
        MUST(errno == EINTR);
    return status;
}

static void let_live(struct actor *actor) { MUST(end_of(begin(lives[pick(actor, LIVES)])) == 0); }

static void let_be_killed(struct actor *actor) {
    pid_t pid = begin(child_is_killed);
    rest(pick(actor, 8) * 1000);
    MUST(kill(pid, SIGKILL) == 0);
    int status = end_of(pid);
    MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void spawn(struct actor *actor) {
    char *const arguments[] = {"stress", "--brief", NULL};
    pid_t pid;
    const char *path = pick(actor, 2) ? "/proc/self/exe" : "/bin/true";
    MUST(posix_spawn(&pid, path, NULL, NULL, arguments, environ) == 0);
    MUST(end_of(pid) == 0);
}

static void with_vfork(struct actor *actor) {
    char *const arguments[] = {"stress", "--brief", NULL};
    const char *path = pick(actor, 2) ? "/proc/self/exe" : "/bin/true";
    pid_t pid = vfork();
    if (pid == 0) {
        execv(path, arguments);
        _exit(126);
    }
    MUST(pid > 0 && end_of(pid) == 0);
}

/* A child is killed while it holds a mutex of both processes. */
struct between {
    pthread_mutex_t mutex;
    _Atomic int taken;
};
static struct between *between;

static void child_holds(void) {
    MUST(pthread_mutex_lock(&between->mutex) == 0);
    between->taken = 1;
    for (;;)
        pause();
}

static void make_between(void) {
    pthread_mutexattr_t attributes;
    MUST(pthread_mutexattr_init(&attributes) == 0);
    MUST(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
    MUST(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    MUST(pthread_mutex_init(&between->mutex, &attributes) == 0);
    MUST(pthread_mutexattr_destroy(&attributes) == 0);
}

/* It does not end by itself: what ended it is said by its status. */
static void must_live(pid_t pid) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == 0)
        return;
    fprintf(stderr, "stress: the child that holds a lock ended: status %#x, signal %d\n", status,
            WTERMSIG(status));
    abort();
}

static void inherit_from_killed(struct actor *actor) {
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    (void)actor;
    MUST(pthread_mutex_lock(&one_at_a_time) == 0);
    between = mmap(NULL, sizeof *between, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(between != MAP_FAILED);
    make_between();
    pid_t pid = begin(child_holds);
    while (!between->taken) {
        must_live(pid);
        rest(1000);
    }
    MUST(kill(pid, SIGKILL) == 0);
    MUST(pthread_mutex_lock(&between->mutex) == EOWNERDEAD);
    MUST(pthread_mutex_consistent(&between->mutex) == 0 && pthread_mutex_unlock(&between->mutex) == 0);
    end_of(pid);
    MUST(pthread_mutex_destroy(&between->mutex) == 0 && munmap(between, sizeof *between) == 0);
    MUST(pthread_mutex_unlock(&one_at_a_time) == 0);
}

void step_children(struct actor *actor) {
    static void (*const ways[])(struct actor *) = {let_live, let_live,   let_live,           let_be_killed,
                                                   spawn,    with_vfork, inherit_from_killed};
    ways[pick(actor, sizeof ways / sizeof *ways)](actor);
    rest(300000); /* each leaves a file of evidence */
}
