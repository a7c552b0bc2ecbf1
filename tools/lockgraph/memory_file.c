#include "memory_file.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static bool give_size(int descriptor, off_t size) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    struct rlimit limit, most;
    getrlimit(RLIMIT_FSIZE, &limit);
    most = (struct rlimit){limit.rlim_max, limit.rlim_max};
    sigaction(SIGXFSZ, &ignore, &before);
    setrlimit(RLIMIT_FSIZE, &most);
    bool given = ftruncate(descriptor, size) == 0;
    int error = errno;
    setrlimit(RLIMIT_FSIZE, &limit);
    sigaction(SIGXFSZ, &before, NULL);
    errno = error;
    return given;
}

int memory_file(const char *name, off_t size) {
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0 || give_size(descriptor, size))
        return descriptor;
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}
