/* The child wants what its only thread held when it was forked: that mutex still
 * names the thread by the id that it had in the parent.
 *
 * deadlock
 * processes: 2
 * in child
 * case: again
 * expect: self-deadlock actual error
 * thread: HELD before, WANTS again
 * case: another
 * expect: deadlock actual error
 * edges: 2
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER, *mutex = &own;
static pthread_mutex_t another = PTHREAD_MUTEX_INITIALIZER;

static void *want(void *unused) {
    pthread_mutex_lock(mutex); /* WANTS again */
    pthread_mutex_unlock(mutex);
    return unused;
}

/* The parent gives it up after a while: the child's wait ends. */
static void share(void) {
    pthread_mutexattr_t shared;
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    mutex = mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(mutex, &shared);
}

static void child(const char *how) {
    pthread_t other;
    pthread_mutex_lock(&another); /* a lock of the child's own, for its figures */
    pthread_mutex_unlock(&another);
    if (strcmp(how, "back") == 0)
        pthread_mutex_unlock(mutex);
    if (strcmp(how, "another") == 0) {
        pthread_create(&other, NULL, want, NULL);
        pthread_join(other, NULL);
    } else {
        want(NULL);
    }
}

int main(int count, char **arguments) {
    const char *how = count > 1 ? arguments[1] : "again";
    int status = 1;
    alarm(60);
    if (strcmp(how, "shared") == 0)
        share();
    pthread_mutex_lock(mutex); /* HELD before */
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        child(how);
        _exit(0);
    }
    usleep(300000);
    pthread_mutex_unlock(mutex);
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}
