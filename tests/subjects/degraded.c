/* Works on while something it did not count on is taken away; the tests in
 * faults.py run it.  Prints "well" and exits 0 whatever happens.
 *
 * usage: degraded WHAT [EXTRA]
 *   nothing       just the work, twice: here and in a child
 *   descriptors   all of them are in use
 *   errno, kill   system calls of a sandboxed child fail, or end it, but for
 *                 those that its own work needs
 *
 * helper
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "turns.h"

enum { PAIRS = 20000 };
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

struct pair {
    pthread_mutex_t first, second;
    struct pair *next;
};

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

/* Locks that stay alive: evidence and memory grow. */
static struct pair *make_pairs(int count) {
    struct pair *all = NULL;
    for (int i = 0; i < count; i++) {
        struct pair *pair = calloc(1, sizeof *pair);
        pthread_mutex_init(&pair->first, NULL);
        pthread_mutex_init(&pair->second, NULL);
        nest(&pair->first, &pair->second);
        pair->next = all;
        all = pair;
    }
    return all;
}

static void *forward(void *unused) {
    nest(&a, &b);
    next_turn();
    return unused;
}

static void *backward(void *unused) {
    await_turn(1);
    nest(&b, &a);
    return unused;
}

/* Both orders, one after the other, with nothing that Lockgraph would call an order. */
static void work_in_threads(void) {
    pthread_t threads[2];
    if (pthread_create(&threads[0], NULL, forward, NULL) != 0 ||
        pthread_create(&threads[1], NULL, backward, NULL) != 0)
        exit(3);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static void work(int pairs) {
    for (struct pair *next, *at = make_pairs(pairs); at; at = next) {
        next = at->next;
        free(at);
    }
    nest(&a, &b);
}

static void use_up_descriptors(void) {
    struct rlimit limit = {256, 256};
    setrlimit(RLIMIT_NOFILE, &limit);
    while (open("/dev/null", O_RDONLY) >= 0)
        ;
}

/* What an ordinary sandbox (OpenSSH's is like that) leaves to a worker: memory,
 * futexes, what it has open; looking for files fails. */
static const int allowed[] = {
    SYS_read,          SYS_write,        SYS_futex,          SYS_mmap,       SYS_munmap, SYS_mprotect,
    SYS_madvise,       SYS_brk,          SYS_exit,           SYS_exit_group, SYS_getpid, SYS_gettid,
    SYS_clock_gettime, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_close,      SYS_mremap, SYS_restart_syscall};
static const int denied[] = {SYS_openat, SYS_newfstatat, SYS_fstat};
enum { ALLOWED = sizeof allowed / sizeof *allowed, DENIED = sizeof denied / sizeof *denied };

static struct sock_filter answer(unsigned what) {
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what);
}

static struct sock_filter skip_if(int number, size_t instructions) {
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number,
                                        (unsigned char)instructions, 0);
}

static int confine(unsigned otherwise) {
    struct sock_filter filter[ALLOWED + DENIED + 4] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    size_t length = 1, end = sizeof filter / sizeof *filter;
    for (int i = 0; i < ALLOWED; i++, length++)
        filter[length] = skip_if(allowed[i], end - length - 2);
    for (int i = 0; i < DENIED; i++, length++)
        filter[length] = skip_if(denied[i], end - length - 3);
    filter[length++] = answer(otherwise);
    filter[length++] = answer(SECCOMP_RET_ERRNO | EACCES);
    filter[length++] = answer(SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)length, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int in_child(const char *what, int pairs) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (strcmp(what, "errno") == 0 && confine(SECCOMP_RET_ERRNO | EPERM) != 0)
            _exit(77);
        if (strcmp(what, "kill") == 0 && confine(SECCOMP_RET_KILL_PROCESS) != 0)
            _exit(77);
        work(pairs);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "nothing";
    int pairs = count > 2 ? atoi(arguments[2]) : PAIRS;
    if (strcmp(what, "descriptors") == 0)
        use_up_descriptors();
    work(pairs);
    work_in_threads();
    int child = in_child(what, pairs);
    printf("well, child %d\n", child);
    return child;
}
