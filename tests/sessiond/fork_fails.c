/* Preloaded by supervised.py: the first FORK_FAILURES calls of fork fail as they do where there are too many
 * processes. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>

pid_t fork(void) {
    static int failed;
    pid_t (*real)(void) = NULL;
    const char *wanted = getenv("FORK_FAILURES");
    if (wanted != NULL && failed < atoi(wanted)) {
        failed++;
        errno = EAGAIN;
        return -1;
    }
    *(void **)(void *)&real = dlsym(RTLD_NEXT, "fork");
    return real();
}
