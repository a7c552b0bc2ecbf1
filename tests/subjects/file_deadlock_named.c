/* Two processes, each of which has a record lock that the other one wants: the
 * kernel refuses the second request.  Whichever that is, it is told of.
 *
 * expect: api-error none warning
 * also: order-cycle across-runs warning
 * says: EDEADLK, fcntl /memfd:
 * processes: 2
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int first, second;

static int lock(int descriptor, short type) {
    struct flock range = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_SETLKW, &range);
}

/* Both have one when the pipe has brought both their words. */
static int meet(int outer, int inner, int in, int out) {
    char word = 0;
    pthread_mutex_t seen = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&seen);
    pthread_mutex_unlock(&seen);
    lock(outer, F_WRLCK);
    if (write(out, &word, 1) != 1 || read(in, &word, 1) != 1)
        return 2;
    int refused = lock(inner, F_WRLCK) != 0;
    if (refused && errno != EDEADLK)
        return 2;
    lock(inner, F_UNLCK);
    lock(outer, F_UNLCK);
    return refused;
}

int main(void) {
    int to_child[2], to_parent[2], status;
    first = memfd_create("first", 0);
    second = memfd_create("second", 0);
    if (pipe(to_child) != 0 || pipe(to_parent) != 0)
        return 2;
    pid_t child = fork();
    if (child == 0)
        _exit(meet(first, second, to_child[0], to_parent[1]));
    int refused = meet(second, first, to_parent[0], to_child[1]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) && refused + WEXITSTATUS(status) == 1 ? 0 : 2;
}
