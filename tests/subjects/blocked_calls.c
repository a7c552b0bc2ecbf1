/* Calls that block while a lock is held, each once, for some milliseconds: each is told by
 * its name.

   helper
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
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

/* What a program calls that is compiled with _FORTIFY_SOURCE. */
extern ssize_t __read_chk(int file, void *to, size_t size, size_t room);
extern ssize_t __recv_chk(int file, void *to, size_t size, size_t room, int flags);
extern ssize_t __recvfrom_chk(int file, void *to, size_t size, size_t room, int flags, struct sockaddr *from,
                              socklen_t *length);
extern int __poll_chk(struct pollfd *files, nfds_t count, int ms, size_t room);
extern int __ppoll_chk(struct pollfd *files, nfds_t count, const struct timespec *time, const sigset_t *mask,
                       size_t room);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ends[2], epoll, listener;
static const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
static const struct timespec moment = {0, 4000000};

static void must(int good) {
    if (!good)
        abort();
}

/* A byte and a connection now and then, for who waits for one. */
static void *feed(void *nothing) {
    for (;;) {
        int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        nanosleep(&moment, NULL);
        if (write(ends[0], "1", 1) != 1)
            return nothing;
        if (connect(client, (const struct sockaddr *)&name, sizeof name) != 0)
            close(client); /* some are there already */
    }
}

static void set_up(void) {
    pthread_t feeder;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    epoll = epoll_create1(0);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    must(bind(listener, (const struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 1) == 0);
    must(pthread_create(&feeder, NULL, feed, NULL) == 0);
}

/* Each takes one of what comes: the next has to wait again. */
static void messages(void) {
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    must(read(ends[1], &byte, 1) == 1 && __read_chk(ends[1], &byte, 1, 1) == 1);
    must(readv(ends[1], &part, 1) == 1 && recv(ends[1], &byte, 1, 0) == 1);
    must(recvfrom(ends[1], &byte, 1, 0, NULL, NULL) == 1 && recvmsg(ends[1], &message, 0) == 1);
    must(__recv_chk(ends[1], &byte, 1, 1, 0) == 1 &&
         __recvfrom_chk(ends[1], &byte, 1, 1, 0, NULL, NULL) == 1);
}

static void connections(void) {
    for (int i = 0; i < 4; i++) /* those, for a start */
        must(accept(listener, NULL, NULL) >= 0);
    must(accept4(listener, NULL, NULL, 0) >= 0 && accept(listener, NULL, NULL) >= 0);
}

static void readiness(void) {
    struct pollfd none = {.fd = -1, .events = 0};
    struct timeval soon = {0, 4000};
    struct epoll_event event;
    must(poll(&none, 1, 4) == 0 && __poll_chk(&none, 1, 4, sizeof none) == 0);
    must(ppoll(&none, 1, &moment, NULL) == 0 && __ppoll_chk(&none, 1, &moment, NULL, sizeof none) == 0);
    must(select(0, NULL, NULL, NULL, &soon) == 0 && pselect(0, NULL, NULL, NULL, &moment, NULL) == 0);
    must(epoll_wait(epoll, &event, 1, 4) == 0 && epoll_pwait(epoll, &event, 1, 4, NULL) == 0);
}

static void sleeps(void) {
    must(sleep(1) == 0 && usleep(4000) == 0 && nanosleep(&moment, NULL) == 0);
    must(thrd_sleep(&moment, NULL) == 0 && clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL) == 0);
}

static pid_t child(void) {
    pid_t made = fork();
    if (made == 0) {
        nanosleep(&moment, NULL);
        _exit(0);
    }
    return made;
}

static void children(void) {
    siginfo_t info;
    struct rusage usage;
    must(child() > 0 && wait(NULL) > 0);
    must(waitpid(child(), NULL, 0) > 0);
    must(wait4(child(), NULL, 0, &usage) > 0);
    must(waitid(P_PID, (id_t)child(), &info, WEXITED) == 0);
}

int main(void) {
    set_up();
    pthread_mutex_lock(&mutex);
    messages();
    connections();
    readiness();
    sleeps();
    children();
    pthread_mutex_unlock(&mutex);
    return 0;
}
