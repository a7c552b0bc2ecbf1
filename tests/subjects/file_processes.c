/* Two processes lock two files, one after the other, each with one thread.
 *
 * case: opposite
 * expect: order-cycle across-runs warning
 * edges: 2
 * says: flock, file_processes.first, file_processes.second, in 2 of 3 processes
 * case: gated
 * silent
 * note: order-cycle across-runs file_processes.gate was held
 * case: same
 * silent
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {"file_processes.first", "file_processes.second"};

static int gated;

static void lock_both(int first) {
    int gate = open("file_processes.gate", O_RDWR | O_CREAT, 0600);
    if (gated)
        flock(gate, LOCK_EX);
    int outer = open(names[first], O_RDWR | O_CREAT, 0600),
        inner = open(names[!first], O_RDWR | O_CREAT, 0600);
    flock(outer, LOCK_EX);
    flock(inner, LOCK_EX);
    flock(inner, LOCK_UN);
    flock(outer, LOCK_UN);
    flock(gate, LOCK_UN);
}

static void in_child(int first) {
    pid_t pid = fork();
    if (pid == 0) {
        lock_both(first);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    const char *how = argc > 1 ? argv[1] : "same";
    gated = strcmp(how, "gated") == 0;
    in_child(0);
    in_child(strcmp(how, "same") != 0);
    return 0;
}
