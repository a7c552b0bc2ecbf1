/* What the calls that may block return, and errno, while a lock is held and each is
 * looked at: by themselves, refused, interrupted by handlers with and without
 * SA_RESTART, cancelled; in a handler, between vfork and exec, and before any
 * constructor.
 *
 * transcript
 * options: -O blocked_limit=1ms
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define SHOW(call)                                                                                           \
    do {                                                                                                     \
        errno = 4242;                                                                                        \
        long result_ = (long)(call);                                                                         \
        int errno_ = errno;                                                                                  \
        printf("%-72s %ld errno %d\n", #call, result_, errno_);                                              \
    } while (0)

/* What a program calls that is compiled with _FORTIFY_SOURCE. */
extern ssize_t __read_chk(int file, void *to, size_t size, size_t room);
extern ssize_t __pread_chk(int file, void *to, size_t size, off_t at, size_t room);
extern ssize_t __pread64_chk(int file, void *to, size_t size, off64_t at, size_t room);
extern ssize_t __recv_chk(int file, void *to, size_t size, size_t room, int flags);
extern ssize_t __recvfrom_chk(int file, void *to, size_t size, size_t room, int flags, struct sockaddr *from,
                              socklen_t *length);
extern int __poll_chk(struct pollfd *files, nfds_t count, int ms, size_t room);
extern int __ppoll_chk(struct pollfd *files, nfds_t count, const struct timespec *time, const sigset_t *mask,
                       size_t room);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ends[2], pair[2], file;
static volatile int minus = -1;
static void *volatile nowhere = (void *)16;
static char buffer[64];
static const struct timespec moment = {0, 3000000}, wrong = {0, -1};

/* ---- before any constructor, when no function was looked up ---- */

static long early[4];
static void first_of_all(void) {
    struct pollfd none = {.fd = -1, .events = 0};
    early[0] = read(-1, buffer, 1);
    early[1] = poll(&none, 1, 1);
    early[2] = usleep(1);
    early[3] = waitpid(-1, NULL, 0);
}
__attribute__((section(".preinit_array"), used)) static void (*before_all)(void) = first_of_all;

/* ---- each by itself ---- */

static void sleeping(void) {
    SHOW(sleep(0));
    SHOW(sleep(1));
    SHOW(usleep(3000));
    SHOW(nanosleep(&moment, NULL));
    SHOW(nanosleep(&wrong, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, NULL));
    SHOW(clock_nanosleep(12345, 0, &moment, NULL));
    SHOW(thrd_sleep(&moment, NULL));
    SHOW(thrd_sleep(&wrong, NULL));
}

static void files(void) {
    struct iovec parts[2] = {{buffer, 2}, {buffer + 8, 3}};
    SHOW(write(file, "0123456789", 10));
    SHOW(writev(file, parts, 2));
    SHOW(pwrite(file, "abc", 3, 4));
    SHOW(pwrite64(file, "def", 3, 100));
    SHOW(pread(file, buffer, 5, 3));
    SHOW(pread64(file, buffer, 5, 100));
    SHOW(__pread_chk(file, buffer, 5, 3, sizeof buffer));
    SHOW(__pread64_chk(file, buffer, 5, 100, sizeof buffer));
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(read(file, buffer, sizeof buffer));
    SHOW(__read_chk(file, buffer, sizeof buffer, sizeof buffer));
    SHOW(readv(file, parts, 2));
    SHOW(readv(file, parts, minus));
    SHOW(read(-1, buffer, 1));
    SHOW(read(ends[1], nowhere, 1));
    SHOW(write(-1, buffer, 1));
    SHOW(write(ends[0], buffer, 1));
    SHOW(pread(ends[0], buffer, 1, 0));
    SHOW(pread(file, buffer, 1, -1));
    SHOW(fsync(file));
    SHOW(fsync(ends[0]));
    SHOW(fdatasync(file));
    SHOW(fdatasync(-1));
    SHOW(fwrite(buffer, 1, 3, stderr) == 3); /* by libc itself */
}

static void sockets(void) {
    struct msghdr message = {.msg_iov = &(struct iovec){buffer, 4}, .msg_iovlen = 1};
    struct timeval time = {0, 3000};
    SHOW(send(pair[0], "hello", 5, 0));
    SHOW(recv(pair[1], buffer, 2, 0));
    SHOW(__recv_chk(pair[1], buffer, 1, sizeof buffer, 0));
    SHOW(sendto(pair[0], "you", 3, 0, NULL, 0));
    SHOW(recvfrom(pair[1], buffer, 2, 0, NULL, NULL));
    SHOW(__recvfrom_chk(pair[1], buffer, 1, sizeof buffer, 0, NULL, NULL));
    SHOW(sendmsg(pair[0], &message, 0));
    SHOW(recvmsg(pair[1], &message, 0));
    SHOW(recv(pair[1], buffer, 4, MSG_DONTWAIT));
    SHOW(recv(pair[1], buffer, 4, MSG_DONTWAIT));
    SHOW(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    SHOW(recv(pair[1], buffer, 4, 0));
    SHOW(recvmsg(pair[1], &message, 0));
    SHOW(recv(file, buffer, 1, 0));
    SHOW(send(-1, buffer, 1, 0));
    SHOW(sendmsg(pair[0], NULL, 0));
}

static void connections(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *any = (struct sockaddr *)(void *)&address;
    socklen_t length = sizeof address;
    struct timeval time = {0, 3000};
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(connect(client, any, 1));
    SHOW(bind(listener, any, length) + listen(listener, 5) + getsockname(listener, any, &length));
    SHOW(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    SHOW(accept(listener, NULL, NULL));
    SHOW(accept4(listener, NULL, NULL, 0));
    SHOW(connect(client, any, length));
    SHOW(connect(client, any, length));
    SHOW(close(accept(listener, any, &length)));
    SHOW(accept4(listener, any, &length, -1));
    SHOW(accept(file, NULL, NULL));
    close(client);
    close(listener);
}

static void polling(void) {
    struct pollfd in = {.fd = ends[0], .events = POLLIN}, out = {.fd = ends[1], .events = POLLOUT};
    struct timeval time = {0, 3000};
    struct epoll_event event = {.events = EPOLLIN};
    fd_set set;
    int epoll = epoll_create1(0);
    SHOW(poll(&in, 1, 3));
    SHOW(poll(&out, 1, -1));
    SHOW(out.revents);
    SHOW(poll(nowhere, 1, 0));
    SHOW(__poll_chk(&out, 1, -1, sizeof out));
    SHOW(ppoll(&in, 1, &moment, NULL));
    SHOW(ppoll(&in, 1, &wrong, NULL));
    SHOW(__ppoll_chk(&in, 1, &moment, NULL, sizeof in));
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    SHOW(select(ends[0] + 1, &set, NULL, NULL, &time));
    SHOW(time.tv_sec * 1000000 + time.tv_usec); /* what is left of it */
    SHOW(select(-1, NULL, NULL, NULL, NULL));
    SHOW(pselect(0, NULL, NULL, NULL, &moment, NULL));
    SHOW(pselect(0, NULL, NULL, NULL, &wrong, NULL));
    SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    SHOW(epoll_wait(epoll, &event, 1, 3));
    SHOW(epoll_wait(epoll, &event, 0, 3));
    SHOW(epoll_pwait(epoll, &event, 1, 3, NULL));
    SHOW(epoll_pwait(file, &event, 1, 3, NULL));
    close(epoll);
}

static pid_t child(int status) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        usleep(3000);
        _exit(status);
    }
    return pid;
}

static void children(void) {
    int status = 0;
    struct rusage usage;
    siginfo_t info;
    pid_t pid = child(3);
    SHOW(wait(&status) == pid);
    SHOW(WEXITSTATUS(status));
    pid = child(4);
    SHOW(waitpid(pid, &status, 0) == pid);
    pid = child(5);
    SHOW(wait4(pid, &status, 0, &usage) == pid);
    SHOW(WEXITSTATUS(status));
    pid = child(6);
    SHOW(waitid(P_PID, (id_t)pid, &info, WEXITED));
    SHOW(info.si_status);
    SHOW(wait(&status));
    SHOW(waitpid(-1, &status, WNOHANG));
    SHOW(wait4(-1, &status, 12345, NULL));
    SHOW(waitid(P_ALL, 0, &info, 0));
}

/* ---- interrupted ---- */

static volatile sig_atomic_t handled;
static void on_signal(int number) {
    struct pollfd none = {.fd = -1, .events = 0};
    handled += number == SIGUSR1 && poll(&none, 1, 2) == 0 && usleep(100) == 0;
}

static void *interrupter(void *target) {
    usleep(100000);
    pthread_kill(*(pthread_t *)target, SIGUSR1);
    usleep(100000);
    if (write(ends[1], "x", 1) != 1)
        abort();
    return NULL;
}

static void interrupted(int flags) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    struct timespec time = {0, 250000000};
    pthread_t self = pthread_self(), thread;
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&thread, NULL, interrupter, &self);
    SHOW(read(ends[0], buffer, 1));
    SHOW(handled);
    pthread_join(thread, NULL);
    if (flags == 0)
        SHOW(read(ends[0], buffer, 1));
    pthread_create(&thread, NULL, interrupter, &self);
    SHOW(nanosleep(&time, NULL));
    SHOW(handled);
    pthread_join(thread, NULL);
    SHOW(read(ends[0], buffer, 1));
}

/* ---- cancelled ---- */

static void give_up_mutex(void *unused) {
    (void)unused;
    printf("clean-up: %d\n", pthread_mutex_unlock(&mutex));
}
static void *reads(void *unused) {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(give_up_mutex, NULL);
    SHOW(read(ends[0], buffer, 1));
    pthread_cleanup_pop(1);
    return unused;
}
static void *sleeps(void *unused) {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(give_up_mutex, NULL);
    SHOW(sleep(1000));
    pthread_cleanup_pop(1);
    return unused;
}
/* Pending, it strikes in the call though there is something to read; closing
 * cancellation keeps it out. */
static void *pending(void *unused) {
    int old;
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(give_up_mutex, NULL);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    pthread_cancel(pthread_self());
    SHOW(write(ends[1], "xy", 2));
    SHOW(read(ends[0], buffer, 1));
    SHOW(usleep(3000));
    pthread_setcancelstate(old, NULL);
    SHOW(read(ends[0], buffer, 1));
    pthread_cleanup_pop(1);
    return unused;
}

static void cancelled(void *(*function)(void *), int cancels) {
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, function, NULL);
    usleep(100000);
    if (cancels)
        pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("cancelled: %d\n", result == PTHREAD_CANCELED);
}

/* ---- between vfork and exec ---- */

static void in_vfork(void) {
    int status;
    fflush(stdout);
    pid_t pid = vfork();
    if (pid == 0) {
        struct pollfd none = {.fd = -1, .events = 0};
        _exit(poll(&none, 1, 5) == 0 && read(-1, buffer, 1) == -1 && usleep(3000) == 0 ? 7 : 8);
    }
    SHOW(waitpid(pid, &status, 0) == pid);
    SHOW(WEXITSTATUS(status));
}

int main(void) {
    if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return 1;
    file = fileno(tmpfile());
    printf("early %ld %ld %ld %ld\n", early[0], early[1], early[2], early[3]);
    for (int held = 0; held < 2; held++) {
        printf("== %s\n", held ? "under a lock" : "without");
        if (held)
            pthread_mutex_lock(&mutex);
        sleeping();
        files();
        sockets();
        connections();
        polling();
        children();
        interrupted(0);
        interrupted(SA_RESTART);
        in_vfork();
    }
    pthread_mutex_unlock(&mutex);
    cancelled(reads, 1);
    cancelled(sleeps, 1);
    cancelled(pending, 0);
    SHOW(read(ends[0], buffer, 1));
    return 0;
}
