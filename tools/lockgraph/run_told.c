#include "run_told.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* A limit on the size of files, which the program shall have, does not count here. */
static bool give_size(int descriptor) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    struct rlimit limit, most;
    getrlimit(RLIMIT_FSIZE, &limit);
    most = (struct rlimit){limit.rlim_max, limit.rlim_max};
    sigaction(SIGXFSZ, &ignore, &before);
    setrlimit(RLIMIT_FSIZE, &most);
    bool given = ftruncate(descriptor, LGR_TOLD_SIZE) == 0;
    setrlimit(RLIMIT_FSIZE, &limit);
    sigaction(SIGXFSZ, &before, NULL);
    return given;
}

/* The descriptor and the page stay until the end: processes that outlive the
 * program may still start others. */
const struct lgr_told *told_make(struct pool *pool, const char **path) {
    int descriptor = memfd_create("lockgraph-run", MFD_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    void *memory = MAP_FAILED;
    if (give_size(descriptor))
        memory = mmap(NULL, LGR_TOLD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) {
        close(descriptor);
        return NULL;
    }
    *path = pool_printf(pool, "/proc/%d/fd/%d", (int)getpid(), descriptor);
    return memory;
}
