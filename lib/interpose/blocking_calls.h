/* The functions of libc that may block and are watched while a lock is held, in
 * one table: result, name, kind (of enum lgr_blocking, without its prefix), parameters
 * and arguments.  What servers do all day comes first, and lies beside the limit.  Of a
 * KNOWN one libc has another name that nobody interposes, which stands after the kind: an
 * allocator may call it at its own start, when nothing can be looked up. */
#ifndef LOCKGRAPH_INTERPOSE_BLOCKING_CALLS_H
#define LOCKGRAPH_INTERPOSE_BLOCKING_CALLS_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
#define LGI_BLOCKING_CALLS(KNOWN, OTHER)                                                                     \
    KNOWN(ssize_t, read, READ, __read, (int file, void *to, size_t size), (file, to, size))                  \
    KNOWN(ssize_t, write, WRITE, __write, (int file, const void *from, size_t size), (file, from, size))     \
    OTHER(ssize_t, sendmsg, SEND, (int socket, const struct msghdr *message, int flags), (socket, message,   \
          flags))                                                                                            \
    KNOWN(ssize_t, recv, RECEIVE, __recv, (int socket, void *to, size_t size, int flags), (socket, to, size, flags))\
    OTHER(int, epoll_wait, POLL, (int epoll, struct epoll_event *events, int count, int ms), (epoll, events, \
          count, ms))                                                                                        \
    KNOWN(int, poll, POLL, __poll, (struct pollfd *files, nfds_t count, int ms), (files, count, ms))         \
    OTHER(ssize_t, send, SEND, (int socket, const void *from, size_t size, int flags), (socket, from, size,  \
          flags))                                                                                            \
    OTHER(unsigned, sleep, SLEEP, (unsigned seconds), (seconds))                                             \
    OTHER(int, usleep, SLEEP, (useconds_t us), (us))                                                         \
    KNOWN(int, nanosleep, SLEEP, __nanosleep, (const struct timespec *time, struct timespec *left), (time,   \
          left))                                                                                             \
    OTHER(int, thrd_sleep, SLEEP, (const struct timespec *time, struct timespec *left), (time, left))        \
    OTHER(int, clock_nanosleep, SLEEP, (clockid_t clock, int flags, const struct timespec *time, struct      \
          timespec *left), (clock, flags, time, left))                                                       \
    OTHER(ssize_t, __read_chk, READ, (int file, void *to, size_t size, size_t room), (file, to, size, room)) \
    OTHER(ssize_t, readv, READ, (int file, const struct iovec *parts, int count), (file, parts, count))      \
    OTHER(ssize_t, pread, READ, (int file, void *to, size_t size, off_t at), (file, to, size, at))           \
    OTHER(ssize_t, __pread_chk, READ, (int file, void *to, size_t size, off_t at, size_t room), (file, to,   \
          size, at, room))                                                                                   \
    KNOWN(ssize_t, pread64, READ, __pread64, (int file, void *to, size_t size, off64_t at), (file, to, size, \
          at))                                                                                               \
    OTHER(ssize_t, __pread64_chk, READ, (int file, void *to, size_t size, off64_t at, size_t room), (file,   \
          to, size, at, room))                                                                               \
    OTHER(ssize_t, writev, WRITE, (int file, const struct iovec *parts, int count), (file, parts, count))    \
    OTHER(ssize_t, pwrite, WRITE, (int file, const void *from, size_t size, off_t at), (file, from, size,    \
          at))                                                                                               \
    KNOWN(ssize_t, pwrite64, WRITE, __pwrite64, (int file, const void *from, size_t size, off64_t at),       \
          (file, from, size, at))                                                                            \
    OTHER(ssize_t, __recv_chk, RECEIVE, (int socket, void *to, size_t size, size_t room, int flags),         \
          (socket, to, size, room, flags))                                                                   \
    OTHER(ssize_t, recvfrom, RECEIVE, (int socket, void *to, size_t size, int flags, __SOCKADDR_ARG address, \
          socklen_t *length), (socket, to, size, flags, address, length))                                    \
    OTHER(ssize_t, __recvfrom_chk, RECEIVE, (int socket, void *to, size_t size, size_t room, int flags,      \
          __SOCKADDR_ARG address, socklen_t *length), (socket, to, size, room, flags, address, length))      \
    OTHER(ssize_t, recvmsg, RECEIVE, (int socket, struct msghdr *message, int flags), (socket, message,      \
          flags))                                                                                            \
    OTHER(ssize_t, sendto, SEND, (int socket, const void *from, size_t size, int flags, __CONST_SOCKADDR_ARG \
          address, socklen_t length), (socket, from, size, flags, address, length))                          \
    OTHER(int, accept, ACCEPT, (int socket, __SOCKADDR_ARG address, socklen_t *length), (socket, address,    \
          length))                                                                                           \
    OTHER(int, accept4, ACCEPT, (int socket, __SOCKADDR_ARG address, socklen_t *length, int flags), (socket, \
          address, length, flags))                                                                           \
    KNOWN(int, connect, CONNECT, __connect, (int socket, __CONST_SOCKADDR_ARG address, socklen_t length),    \
          (socket, address, length))                                                                         \
    OTHER(int, __poll_chk, POLL, (struct pollfd *files, nfds_t count, int ms, size_t room), (files, count,   \
          ms, room))                                                                                         \
    OTHER(int, ppoll, POLL, (struct pollfd *files, nfds_t count, const struct timespec *time, const sigset_t \
          *mask), (files, count, time, mask))                                                                \
    OTHER(int, __ppoll_chk, POLL, (struct pollfd *files, nfds_t count, const struct timespec *time, const    \
          sigset_t *mask, size_t room), (files, count, time, mask, room))                                    \
    KNOWN(int, select, POLL, __select, (int count, fd_set *in, fd_set *out, fd_set *other, struct timeval    \
          *time), (count, in, out, other, time))                                                             \
    OTHER(int, pselect, POLL, (int count, fd_set *in, fd_set *out, fd_set *other, const struct timespec      \
          *time, const sigset_t *mask), (count, in, out, other, time, mask))                                 \
    OTHER(int, epoll_pwait, POLL, (int epoll, struct epoll_event *events, int count, int ms, const sigset_t  \
          *mask), (epoll, events, count, ms, mask))                                                          \
    OTHER(int, fsync, SYNC, (int file), (file))                                                              \
    OTHER(int, fdatasync, SYNC, (int file), (file))                                                          \
    KNOWN(pid_t, wait, CHILD, __wait, (int *status), (status))                                               \
    KNOWN(pid_t, waitpid, CHILD, __waitpid, (pid_t pid, int *status, int options), (pid, status, options))   \
    OTHER(pid_t, wait4, CHILD, (pid_t pid, int *status, int options, struct rusage *usage), (pid, status,    \
          options, usage))                                                                                   \
    OTHER(int, waitid, CHILD, (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info,       \
          options))
/* clang-format on */

/* libc's own names. */
extern int __nanosleep(const struct timespec *time, struct timespec *left);
extern ssize_t __read(int file, void *to, size_t size);
extern ssize_t __pread64(int file, void *to, size_t size, off64_t at);
extern ssize_t __write(int file, const void *from, size_t size);
extern ssize_t __pwrite64(int file, const void *from, size_t size, off64_t at);
extern int __connect(int socket, __CONST_SOCKADDR_ARG address, socklen_t length);
extern int __poll(struct pollfd *files, nfds_t count, int ms);
extern int __select(int count, fd_set *in, fd_set *out, fd_set *other, struct timeval *time);
extern ssize_t __recv(int socket, void *to, size_t size, int flags);
extern pid_t __wait(int *status);
extern pid_t __waitpid(pid_t pid, int *status, int options);

/* Only compiled with _FORTIFY_SOURCE do programs call these, and libc declares them. */
extern ssize_t __read_chk(int file, void *to, size_t size, size_t room);
extern ssize_t __pread_chk(int file, void *to, size_t size, off_t at, size_t room);
extern ssize_t __pread64_chk(int file, void *to, size_t size, off64_t at, size_t room);
extern ssize_t __recv_chk(int socket, void *to, size_t size, size_t room, int flags);
extern ssize_t __recvfrom_chk(int socket, void *to, size_t size, size_t room, int flags,
                              __SOCKADDR_ARG address, socklen_t *length);
extern int __poll_chk(struct pollfd *files, nfds_t count, int ms, size_t room);
extern int __ppoll_chk(struct pollfd *files, nfds_t count, const struct timespec *time, const sigset_t *mask,
                       size_t room);

#endif
