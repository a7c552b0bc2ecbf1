/* Forked workers of one thread each, which take two locks in both orders one after the
 * other; each begins when the one before it is done, so that none ever waits.  That is harmless in each of
 * them, unless the locks are process-shared and another process takes these very ones meanwhile: not where
 * each has a slot of a shared array, or memory of its own, from after the fork or since exec.
 *
 * case: two
 * expect: order-cycle across-runs warning
 * edges: 2
 *
 * case: parent-too
 * expect: order-cycle across-runs warning
 * edges: 2
 *
 * case: one-order-each
 * expect: order-cycle across-runs warning
 * says: several processes share these locks
 *
 * case: own-slots
 * silent
 * note: order-cycle single-thread
 *
 * case: own-slots-one-order-each
 * silent
 * note: order-cycle across-runs none had a second thread
 *
 * case: mapped-after-fork
 * silent
 * note: order-cycle single-thread
 *
 * case: after-exec
 * silent
 * note: order-cycle single-thread
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
    struct locks locks[2];
    atomic_int done; /* processes */
} * shared;
static struct locks *locks; /* perhaps of this process alone */
static const char *what = "two";
static int gated, processes, workers; /* started so far */

static int is(const char *word) { return strcmp(what, word) == 0; }
static int has(const char *word) { return strstr(what, word) != NULL; }

static struct shared *map_shared(void) {
    return mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void initialise(int sharing, int count) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, sharing);
    for (int i = 0; i < count; i++) {
        pthread_mutex_init(&locks[i].first, &attributes);
        pthread_mutex_init(&locks[i].second, &attributes);
        pthread_mutex_init(&locks[i].gate, &attributes);
    }
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

static void await_done(int count) {
    while (shared->done < count)
        usleep(1000);
}

static void stay_for_others(void) {
    shared->done++;
    await_done(processes);
}

static void work(void) {
    if (!has("one-order-each") || workers == 1)
        nest(&locks->first, &locks->second);
    if (!has("one-order-each") || workers == 2)
        nest(&locks->second, &locks->first);
}

/* Only waits: that both run at the same time is all that is asked of them. */
static void work_after_exec(void) {
    locks = map_shared()->locks;
    initialise(PTHREAD_PROCESS_SHARED, 1);
    work();
    sleep(1);
    exit(0);
}

static pid_t start_worker(void) {
    workers++;
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    alarm(60);
    if (is("after-exec"))
        execl("/proc/self/exe", "worker", "work-after-exec", NULL);
    if (has("own-slots"))
        locks += workers - 1;
    if (is("mapped-after-fork")) {
        locks = map_shared()->locks;
        initialise(PTHREAD_PROCESS_SHARED, 1);
    }
    if (processes > 1)
        await_done(workers - 1);
    work();
    stay_for_others();
    exit(0);
}

int main(int argc, char **argv) {
    what = argc > 1 ? argv[1] : what;
    gated = is("gated");
    processes = is("alone") || is("in-turn") ? 1 : 2;
    alarm(60);
    if (is("work-after-exec"))
        work_after_exec();
    shared = map_shared();
    locks = is("private") ? calloc(2, sizeof *locks) : shared->locks;
    initialise(is("private") ? PTHREAD_PROCESS_PRIVATE : PTHREAD_PROCESS_SHARED, 2);
    int count = is("alone") || is("parent-too") ? 1 : 2;
    while (workers < count) {
        start_worker();
        if (is("in-turn"))
            wait(NULL);
    }
    if (is("parent-too")) {
        await_done(1);
        nest(&locks->first, &locks->second);
        stay_for_others();
    }
    while (wait(NULL) > 0)
        ;
    if (is("private"))
        free(locks);
    return 0;
}
