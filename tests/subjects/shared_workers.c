/* Forked workers of one thread each, which take two locks in both orders one after the
 * other.  That is harmless in each of them, unless the locks are process-shared and another
 * process takes them meanwhile.
 *
 * case: two
 * expect: order-cycle across-runs warning
 * edges: 2
 *
 * case: parent-too
 * expect: order-cycle across-runs warning
 * edges: 2
 *
 * case: in-turn
 * silent
 * note: order-cycle single-thread
 *
 * case: alone
 * silent
 * note: order-cycle single-thread
 *
 * case: private
 * silent
 * note: order-cycle single-thread
 *
 * case: gated
 * silent
 * note: order-cycle single-thread
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct locks {
    pthread_mutex_t first, second, gate;
};
static struct shared {
    struct locks locks;
    atomic_int done; /* processes */
} * shared;
static struct locks *locks; /* perhaps of this process alone */
static int gated, processes;

static void initialise(int sharing) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, sharing);
    pthread_mutex_init(&locks->first, &attributes);
    pthread_mutex_init(&locks->second, &attributes);
    pthread_mutex_init(&locks->gate, &attributes);
}

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    if (gated)
        pthread_mutex_lock(&locks->gate);
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
    if (gated)
        pthread_mutex_unlock(&locks->gate);
}

static void stay_for_others(void) {
    shared->done++;
    while (shared->done < processes)
        usleep(1000);
}

static pid_t start_worker(void) {
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    nest(&locks->first, &locks->second);
    nest(&locks->second, &locks->first);
    stay_for_others();
    exit(0);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "two";
    int alone = strcmp(what, "alone") == 0, parent_too = strcmp(what, "parent-too") == 0;
    int in_turn = strcmp(what, "in-turn") == 0, is_private = strcmp(what, "private") == 0;
    gated = strcmp(what, "gated") == 0;
    processes = alone || in_turn ? 1 : 2;
    alarm(60);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    locks = is_private ? calloc(1, sizeof *locks) : &shared->locks;
    initialise(is_private ? PTHREAD_PROCESS_PRIVATE : PTHREAD_PROCESS_SHARED);
    start_worker();
    if (in_turn)
        wait(NULL);
    if (parent_too) {
        nest(&locks->first, &locks->second);
        stay_for_others();
    } else if (!alone) {
        start_worker();
    }
    while (wait(NULL) > 0)
        ;
    if (is_private)
        free(locks);
    return 0;
}
