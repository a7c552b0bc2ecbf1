#include "number_names.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

/* glibc has both since 2.32; until then what calls about locks return, and the
 * signals of POSIX. */
#if __GLIBC_PREREQ(2, 32)

const char *error_name(int number) { return strerrorname_np(number); }
const char *signal_name(int number) { return sigabbrev_np(number); }

#else

struct named {
    int number;
    const char *name;
};

static const struct named errors[] = {
    {0, "0"},
    {EPERM, "EPERM"},
    {ESRCH, "ESRCH"},
    {EINTR, "EINTR"},
    {EAGAIN, "EAGAIN"},
    {ENOMEM, "ENOMEM"},
    {EBUSY, "EBUSY"},
    {EINVAL, "EINVAL"},
    {EDEADLK, "EDEADLK"},
    {ENOLCK, "ENOLCK"},
    {ENOSYS, "ENOSYS"},
    {EOVERFLOW, "EOVERFLOW"},
    {EBADF, "EBADF"},
    {ENOTSUP, "EOPNOTSUPP"},
    {ETIMEDOUT, "ETIMEDOUT"},
    {EOWNERDEAD, "EOWNERDEAD"},
    {ENOTRECOVERABLE, "ENOTRECOVERABLE"},
};

static const struct named signals[] = {
    {SIGHUP, "HUP"},   {SIGINT, "INT"},     {SIGQUIT, "QUIT"}, {SIGILL, "ILL"},   {SIGTRAP, "TRAP"},
    {SIGABRT, "ABRT"}, {SIGBUS, "BUS"},     {SIGFPE, "FPE"},   {SIGKILL, "KILL"}, {SIGUSR1, "USR1"},
    {SIGSEGV, "SEGV"}, {SIGUSR2, "USR2"},   {SIGPIPE, "PIPE"}, {SIGALRM, "ALRM"}, {SIGTERM, "TERM"},
    {SIGCHLD, "CHLD"}, {SIGCONT, "CONT"},   {SIGSTOP, "STOP"}, {SIGTSTP, "TSTP"}, {SIGTTIN, "TTIN"},
    {SIGTTOU, "TTOU"}, {SIGURG, "URG"},     {SIGXCPU, "XCPU"}, {SIGXFSZ, "XFSZ"}, {SIGVTALRM, "VTALRM"},
    {SIGPROF, "PROF"}, {SIGWINCH, "WINCH"}, {SIGIO, "POLL"},   {SIGPWR, "PWR"},   {SIGSYS, "SYS"},
};

static const char *find(const struct named *names, size_t count, int number) {
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number)
            return names[i].name;
    return NULL;
}

const char *error_name(int number) { return find(errors, sizeof errors / sizeof *errors, number); }
const char *signal_name(int number) { return find(signals, sizeof signals / sizeof *signals, number); }

#endif
