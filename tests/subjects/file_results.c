/* What the calls that lock files return, and errno: by themselves, refused,
 * interrupted by handlers with and without SA_RESTART, cancelled; the other
 * commands of fcntl; in a signal handler, and between vfork and exec; and what
 * closing does to a lock.
 *
 * transcript
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "newer_libc.h"
#include "turns.h"

#define SHOW(call)                                                                                           \
    do {                                                                                                     \
        errno = 4242;                                                                                        \
        int result_ = (call);                                                                                \
        int errno_ = errno;                                                                                  \
        printf("%-64s %d errno %d\n", #call, result_, errno_);                                               \
    } while (0)

static int file, one, other;

static int open_again(int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return open(path, flags);
}

static struct flock range(short type, short whence, off_t start, off_t length) {
    return (struct flock){.l_type = type, .l_whence = whence, .l_start = start, .l_len = length};
}

static int lock(int descriptor, int command, short type, off_t start, off_t length) {
    struct flock asked = range(type, SEEK_SET, start, length);
    return fcntl(descriptor, command, &asked);
}

/* Whether another description could lock the whole file at once. */
static const char *is_free(void) {
    int probe = open_again(O_RDWR);
    int by_flock = flock(probe, LOCK_EX | LOCK_NB), by_range = lock(probe, F_OFD_SETLK, F_WRLCK, 0, 0);
    close(probe); /* as every close, it ends the record locks of this process */
    return by_flock == 0   ? by_range == 0 ? "free" : "locked by fcntl"
           : by_range == 0 ? "locked by flock"
                           : "locked by both";
}

/* ---- alone ---- */

static void by_flock(void) {
    SHOW(flock(one, LOCK_SH));
    SHOW(flock(other, LOCK_SH | LOCK_NB));
    SHOW(flock(other, LOCK_EX | LOCK_NB));
    SHOW(flock(one, LOCK_EX | LOCK_NB));
    SHOW(flock(one, LOCK_EX));
    SHOW(flock(other, LOCK_SH | LOCK_NB));
    SHOW(flock(one, LOCK_SH));
    SHOW(flock(other, LOCK_SH));
    SHOW(flock(other, LOCK_UN));
    SHOW(flock(other, LOCK_UN | LOCK_NB));
    SHOW(flock(one, LOCK_UN));
    SHOW(flock(-1, LOCK_EX));
    SHOW(flock(one, 0));
    SHOW(flock(one, LOCK_NB));
    SHOW(flock(one, LOCK_EX | LOCK_SH));
    SHOW(flock(one, 12345));
}

static void by_commands(const char *name, int try, int wait) {
    printf("== %s\n", name);
    SHOW(lock(one, try, F_RDLCK, 0, 10));
    SHOW(lock(one, wait, F_WRLCK, 5, 10));
    SHOW(lock(other, F_OFD_SETLK, F_WRLCK, 20, 10));
    SHOW(lock(one, try, F_WRLCK, 25, 1));
    SHOW(lock(other, F_OFD_SETLK, F_WRLCK, 0, 1));
    SHOW(lock(one, try, F_UNLCK, 0, 6));
    SHOW(lock(other, F_OFD_SETLK, F_WRLCK, 0, 1));
    SHOW(lock(other, F_OFD_SETLKW, F_UNLCK, 0, 0));
    SHOW(lock(one, wait, F_UNLCK, 0, 0));
    SHOW(lock(one, wait, 77, 0, 0));
    SHOW(lock(one, wait, F_WRLCK, -1, 5));
    SHOW(lock(one, wait, F_WRLCK, 5, -10));
    SHOW(lock(one, wait, F_WRLCK, 10, -5));
    SHOW(lock(one, wait, F_UNLCK, 0, 0));
    SHOW(lock(-1, wait, F_WRLCK, 0, 0));
    SHOW(fcntl(one, wait, NULL));
    SHOW(fcntl(one, try, (struct flock *)16));
    int reader = open_again(O_RDONLY);
    SHOW(lock(reader, wait, F_WRLCK, 0, 0));
    SHOW(lock(reader, wait, F_RDLCK, 0, 0));
    SHOW(close(reader));
    printf("%s\n", is_free());
}

static void from_where_it_stands(void) {
    struct flock asked = range(F_WRLCK, SEEK_CUR, 0, 10);
    lseek(one, 100, SEEK_SET);
    SHOW(fcntl(one, F_OFD_SETLKW, &asked));
    asked = range(F_WRLCK, SEEK_END, -10, 0);
    SHOW(fcntl(one, F_OFD_SETLK, &asked));
    SHOW(lock(other, F_OFD_SETLK, F_WRLCK, 109, 1));
    SHOW(lock(other, F_OFD_SETLK, F_WRLCK, 110, 1));
    asked = range(F_RDLCK, 7, 0, 0);
    SHOW(fcntl(one, F_OFD_SETLK, &asked));
    SHOW(lock(one, F_OFD_SETLK, F_UNLCK, 0, 0));
    SHOW(lock(other, F_OFD_SETLK, F_UNLCK, 0, 0));
}

static void by_lockf(void) {
    lseek(one, 100, SEEK_SET);
    SHOW(lockf(one, F_LOCK, 10));
    SHOW(lockf(one, F_LOCK, -10));
    SHOW(lockf64(one, F_TEST, 10));
    SHOW(lock(other, F_OFD_SETLK, F_RDLCK, 90, 1));
    SHOW(lock(other, F_OFD_SETLK, F_RDLCK, 89, 1));
    SHOW(lockf(one, F_ULOCK, -10));
    SHOW(lock(other, F_OFD_SETLK, F_RDLCK, 90, 1));
    SHOW(lockf(one, F_TLOCK, -10));
    SHOW(lockf(one, F_TEST, -10));
    SHOW(lockf64(one, F_TLOCK, 10));
    SHOW(lockf64(one, F_LOCK, 10));
    SHOW(lockf64(one, F_ULOCK, 0));
    SHOW(lockf(one, 99, 0));
    SHOW(lockf(-1, F_LOCK, 0));
    SHOW(lockf(one, F_LOCK, -1000));
    SHOW(lock(other, F_OFD_SETLK, F_UNLCK, 0, 0));
}

/* ---- the other commands ---- */

static void other_commands(void) {
    struct flock asked = range(F_WRLCK, SEEK_SET, 0, 0);
    SHOW(fcntl(one, F_GETFD));
    SHOW(fcntl(one, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl64(one, F_GETFD));
    SHOW(fcntl(one, F_SETFL, O_APPEND));
    SHOW(fcntl(one, F_GETFL) & (O_APPEND | O_ACCMODE));
    SHOW(fcntl64(one, F_SETFL, 0));
    SHOW(fcntl(one, F_SETOWN, 0));
    SHOW(fcntl(one, F_GETOWN));
    SHOW(fcntl(one, F_GETLK, &asked));
    printf("%d\n", asked.l_type);
    SHOW(fcntl(one, F_OFD_GETLK, &asked));
    SHOW(fcntl(one, 54321, 0));
    SHOW(fcntl(-1, F_GETFD));
    int copy = fcntl(one, F_DUPFD, 50);
    printf("copy %d\n", copy);
    SHOW(close(copy));
    copy = fcntl64(one, F_DUPFD_CLOEXEC, 60);
    printf("copy %d\n", copy);
    SHOW(fcntl(copy, F_GETFD));
    SHOW(close(copy));
    SHOW(close(copy));
}

/* ---- waiting ---- */

static atomic_int handled;
static void handler(int number) {
    (void)number;
    handled++;
}

static int which;
static atomic_int waiting_tid;

static int wait_once(void) {
    switch (which) {
    case 0:
        return flock(one, LOCK_EX);
    case 1:
        return lock(one, F_SETLKW, F_WRLCK, 0, 0);
    case 2:
        return lock(one, F_OFD_SETLKW, F_WRLCK, 0, 0);
    default:
        return lockf(one, F_LOCK, 0);
    }
}

static void clean_up(void *unused) {
    (void)unused;
    printf("cleaned up\n");
}

static void *waiter(void *pending) {
    pthread_cleanup_push(clean_up, NULL);
    waiting_tid = gettid();
    if (pending != NULL)
        pthread_cancel(pthread_self());
    SHOW(wait_once());
    pthread_cleanup_pop(0);
    return NULL;
}

static void block(int yes) {
    if (which == 0)
        flock(other, yes ? LOCK_EX : LOCK_UN);
    else
        lock(other, F_OFD_SETLK, yes ? F_WRLCK : F_UNLCK, 0, 0);
}

static void unlock(void) {
    flock(one, LOCK_UN);
    lock(one, F_SETLK, F_UNLCK, 0, 0);
    lock(one, F_OFD_SETLK, F_UNLCK, 0, 0);
}

static int sleeps(int tid) {
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE *status = fopen(path, "r");
    if (status != NULL && fscanf(status, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    if (status != NULL)
        fclose(status);
    return state == 'S';
}

/* In the kernel, several looks long. */
static void await_sleep(void) {
    for (int looks = 0; looks < 5; usleep(2000))
        looks = waiting_tid != 0 && sleeps(waiting_tid) ? looks + 1 : 0;
}

static pthread_t start_waiter(void *pending) {
    pthread_t thread;
    waiting_tid = 0;
    block(1);
    pthread_create(&thread, NULL, waiter, pending);
    return thread;
}

static void interrupted(int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(SIGUSR1, &action, NULL);
    handled = 0;
    pthread_t thread = start_waiter(NULL);
    await_sleep();
    pthread_kill(thread, SIGUSR1);
    while (!handled)
        usleep(1000);
    block(0);
    pthread_join(thread, NULL);
    unlock();
}

/* flock alone is no cancellation point. */
static void cancelled(void *pending) {
    void *result;
    pthread_t thread = start_waiter(pending);
    if (pending == NULL || which == 0)
        await_sleep();
    if (pending == NULL)
        pthread_cancel(thread);
    if (which == 0)
        block(0);
    pthread_join(thread, &result);
    if (which != 0)
        block(0);
    printf("%s, %s\n", result == PTHREAD_CANCELED ? "cancelled" : "went on", is_free());
    unlock();
}

static void *cancel_free(void *unused) {
    pthread_cancel(pthread_self());
    SHOW(wait_once());
    return unused;
}

static void waiting(void) {
    for (which = 0; which < 4; which++) {
        void *result;
        pthread_t thread;
        printf("== waiting %d\n", which);
        interrupted(0);
        interrupted(SA_RESTART);
        cancelled(NULL);
        cancelled(&which);
        pthread_create(&thread, NULL, cancel_free, NULL);
        pthread_join(thread, &result);
        printf("%s\n", result == PTHREAD_CANCELED ? "cancelled" : "went on");
        unlock();
    }
}

/* ---- where nothing may be done ---- */

static atomic_int in_handler[6];
static void locks_in_handler(int number) {
    (void)number;
    in_handler[0] = fcntl(one, F_GETFD);
    in_handler[1] = lock(one, F_SETLK, F_WRLCK, 0, 0);
    in_handler[2] = lock(one, F_SETLKW, F_UNLCK, 0, 0);
    in_handler[3] = flock(one, LOCK_EX);
    in_handler[4] = flock(one, LOCK_UN);
    in_handler[5] = close(dup(one));
}

static void from_a_handler(void) {
    struct sigaction action = {.sa_handler = locks_in_handler};
    sigaction(SIGUSR2, &action, NULL);
    flock(other, LOCK_SH);
    flock(other, LOCK_UN);
    raise(SIGUSR2);
    for (int i = 0; i < 6; i++)
        printf("%d ", in_handler[i]);
    puts("");
}

static void between_vfork_and_exec(void) {
    int status = -1;
    flock(other, LOCK_EX);
    lock(one, F_SETLK, F_WRLCK, 0, 0);
    volatile int locked = -1, flags = -1;
    pid_t child = vfork();
    if (child == 0) {
        flags = fcntl(one, F_GETFD);
        locked = lock(one, F_SETLK, F_WRLCK, 0, 0);
        close(other);
        close(one);
        _exit(7);
    }
    waitpid(child, &status, 0);
    printf("vfork: %d %d, status %d, %s\n", flags, locked, WEXITSTATUS(status), is_free());
    unlock();
    flock(other, LOCK_UN);
}

/* ---- closing ---- */

static void closing(void) {
    int copy = open_again(O_RDWR);
    SHOW(flock(copy, LOCK_EX));
    int twin = dup(copy);
    SHOW(close(copy));
    printf("%s\n", is_free());
    SHOW(close(twin));
    printf("%s\n", is_free());
    copy = open_again(O_RDWR);
    SHOW(lock(copy, F_OFD_SETLK, F_WRLCK, 0, 0));
    SHOW(dup2(-1, copy));
    SHOW(dup2(copy, copy) - copy);
    printf("%s\n", is_free());
    SHOW(dup3(one, copy, O_CLOEXEC) - copy);
    printf("%s\n", is_free());
    SHOW(dup3(copy, copy, 0));
    SHOW(flock(copy, LOCK_EX));
    SHOW(flock(copy, LOCK_UN));
    FILE *stream = fdopen(copy, "r");
    SHOW(fclose(stream));
    SHOW(close(copy));
    char text[8];
    stream = fmemopen(text, sizeof text, "w");
    SHOW(fclose(stream));
    SHOW(dup2(one, 70));
    SHOW(close_range(70, 70, 99));
    SHOW(close_range(70, 60, 0));
    SHOW(close_range(70, 70, 0));
    SHOW(close(70));
    dup2(one, 70);
    closefrom(70);
    SHOW(close(70));
}

int main(void) {
    file = memfd_create("results", 0);
    if (ftruncate(file, 200) != 0)
        return 1;
    one = open_again(O_RDWR);
    other = open_again(O_RDWR);
    pthread_mutex_t seen = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&seen);
    by_flock();
    by_commands("record locks", F_SETLK, F_SETLKW);
    by_commands("of the description", F_OFD_SETLK, F_OFD_SETLKW);
    from_where_it_stands();
    by_lockf();
    other_commands();
    waiting();
    from_a_handler();
    between_vfork_and_exec();
    closing();
    pthread_mutex_unlock(&seen);
    return 0;
}
