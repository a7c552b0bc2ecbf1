/* A child of vfork puts signals back before it execs, in its parent's memory: the
 * parent's handler is still there, and what it does is told of.
 *
 * expect: signal-unsafe none error
 * call: TAKE again
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t handled;

static void handler(int number) {
    (void)number;
    pthread_mutex_lock(&mutex);
    handled++;
    pthread_mutex_unlock(&mutex);
}

static int spawn(void) {
    int status = 1;
    pid_t pid = vfork();
    if (pid == 0) {
        signal(SIGUSR1, SIG_DFL);
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, &status, 0) == pid ? status : 1;
}

int main(void) {
    signal(SIGUSR1, handler);
    int status = spawn();
    raise(SIGUSR1);
    pthread_mutex_lock(&mutex); /* TAKE again */
    pthread_mutex_unlock(&mutex);
    return status == 0 && handled == 1 ? 0 : 1;
}
