/* A library that was there first takes its locks before a fork and initialises them
 * in the child, as allocators do; another does so later on.
 *
 * silent
 * near: reinit-held
 * arguments: first | later
 * processes: 2
 */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER, shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spinlock;

static void take_all(void) {
    pthread_mutex_lock(&mutex);
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_rdlock(&shared);
    pthread_spin_lock(&spinlock);
}

static void give_all(void) {
    pthread_spin_unlock(&spinlock);
    pthread_rwlock_unlock(&shared);
    pthread_rwlock_unlock(&lock);
    pthread_mutex_unlock(&mutex);
}

static void make_all(void) {
    pthread_mutex_init(&mutex, NULL);
    pthread_rwlock_init(&lock, NULL);
    pthread_rwlock_init(&shared, NULL);
    pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
}

/* Before any constructor.  pthread_atfork is a part of this program, and calls
 * __register_atfork for it. */
static void start(int count, char **arguments, char **environment) {
    (void)environment;
    pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
    if (count > 1 && strcmp(arguments[1], "first") == 0)
        pthread_atfork(take_all, give_all, make_all);
}
__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = start;

int main(int count, char **arguments) {
    int status = 1;
    if (count > 1 && strcmp(arguments[1], "later") == 0)
        pthread_atfork(take_all, give_all, make_all);
    take_all(); /* seen by then */
    give_all();
    pid_t pid = fork();
    if (pid == 0) {
        take_all();
        give_all();
        return 0;
    }
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}
