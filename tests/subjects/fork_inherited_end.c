/* A worker forks while it holds a lock.  Its copy in the child ends, or unmaps the memory of
 * the lock: wrong where the lock is the child's, too, and the child's business where it is
 * the parent's.
 *
 * processes: 2
 *
 * case: ends-private-rwlock
 * expect: thread-exit-held none error
 * in child
 * earlier: HELD rwlock
 *
 * case: ends-private-spin
 * expect: thread-exit-held none error
 * in child
 * earlier: HELD spin
 *
 * case: unmaps-private-spin
 * expect: free-held none error
 * in child
 * call: UNMAPS it
 * earlier: HELD spin
 *
 * case: ends-shared-mutex
 * silent
 *
 * case: ends-shared-rwlock
 * silent
 * near: thread-exit-held
 *
 * case: ends-shared-spin
 * silent
 * near: thread-exit-held
 *
 * case: unmaps-shared-mutex
 * silent
 *
 * case: unmaps-shared-rwlock
 * silent
 * near: free-held
 *
 * case: unmaps-shared-spin
 * silent
 * near: free-held
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct locks {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    pthread_spinlock_t spin;
} * locks;
static const char *how;
static int shared;

static int is(const char *word) { return strstr(how, word) != NULL; }

static void take(void) {
    if (is("mutex"))
        pthread_mutex_lock(&locks->mutex);
    if (is("rwlock"))
        pthread_rwlock_wrlock(&locks->rwlock); /* HELD rwlock */
    if (is("spin"))
        pthread_spin_lock(&locks->spin); /* HELD spin */
}

static void give(void) {
    if (is("mutex"))
        pthread_mutex_unlock(&locks->mutex);
    if (is("rwlock"))
        pthread_rwlock_unlock(&locks->rwlock);
    if (is("spin"))
        pthread_spin_unlock(&locks->spin);
}

static void initialise(void) {
    pthread_mutexattr_t of_mutex;
    pthread_rwlockattr_t of_rwlock;
    pthread_mutexattr_init(&of_mutex);
    pthread_mutexattr_setpshared(&of_mutex, shared);
    pthread_rwlockattr_init(&of_rwlock);
    pthread_rwlockattr_setpshared(&of_rwlock, shared);
    locks = mmap(NULL, sizeof *locks, PROT_READ | PROT_WRITE,
                 (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(&locks->mutex, &of_mutex);
    pthread_rwlock_init(&locks->rwlock, &of_rwlock);
    pthread_spin_init(&locks->spin, shared);
}

static void *worker(void *unused) {
    take();
    pid_t pid = fork();
    if (pid == 0) {
        if (is("unmaps")) {
            munmap(locks, sizeof *locks); /* UNMAPS it */
            _exit(0);
        }
        return unused;
    }
    waitpid(pid, NULL, 0);
    give();
    return unused;
}

int main(int count, char **arguments) {
    pthread_t thread;
    alarm(60);
    how = count > 1 ? arguments[1] : "ends-shared-mutex";
    shared = is("shared");
    initialise();
    pthread_create(&thread, NULL, worker, NULL);
    pthread_join(thread, NULL);
    return 0;
}
