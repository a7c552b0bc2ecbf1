/* Two files locked by fcntl for two open file descriptions, of which the kernel
 * looks for no deadlock.
 *
 * deadlock
 * expect: deadlock actual error
 * edge: HELD outer -> WANTED inner
 * threads: 2
 * says: fcntl /memfd:first, fcntl /memfd:second
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

#include "turns.h"

static int descriptors[2][2];

static void *take_both(void *argument) {
    int *mine = argument;
    int outer = mine == descriptors[0] ? 0 : 1;
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(mine[outer], F_OFD_SETLKW, &range); /* HELD outer */
    next_turn();
    await_turn(2);
    fcntl(mine[1 - outer], F_OFD_SETLKW, &range); /* WANTED inner */
    return NULL;
}

int main(void) {
    static const char *const names[] = {"first", "second"};
    pthread_t threads[2];
    char path[64];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", memfd_create(names[i], 0));
        for (int thread = 0; thread < 2; thread++)
            descriptors[thread][i] = open(path, O_RDWR);
    }
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, take_both, descriptors[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
