/* A spinlock that got a name is shared with the child, or is not, as it was before.
 *
 * case: shared
 *     silent
 *     near: self-deadlock
 *     processes: 2
 * case: private
 *     expect: self-deadlock actual error
 *     in child
 *     line: WANTS
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lockgraph/annotate.h>

static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;

int main(int count, char **arguments) {
    int shared = count > 1 && strcmp(arguments[1], "shared") == 0;
    pthread_spinlock_t *spin = mmap(NULL, sizeof *spin, PROT_READ | PROT_WRITE,
                                    (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
    pthread_spin_init(spin, shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE);
    LG_NAME(spin, "table");
    pthread_spin_lock(spin);
    if (fork() == 0) {
        alarm(2); /* a private one is held for ever */
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
        pthread_spin_lock(spin); /* WANTS */
        pthread_spin_unlock(spin);
        _exit(0);
    }
    usleep(200000);
    pthread_spin_unlock(spin);
    wait(NULL);
    return 0;
}
