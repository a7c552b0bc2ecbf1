/* Initialising a mutex that is held, and memory that goes with a held one in it.
 * case: own
 *     expect: reinit-held none error
 *     call: INIT
 *     earlier: LOCK
 *     lock: queue_lock
 *     says: initialises queue_lock, which it holds itself
 * case: other
 *     expect: reinit-held none error
 *     call: INIT
 *     earlier: WORKER LOCKS
 *     earlier thread: keep
 * case: recursive
 *     expect: reinit-held none error
 *     call: INIT
 *     earlier: LOCK
 * case: robust
 *     expect: reinit-held none error
 *     call: INIT
 *     earlier: LOCK
 * case: free
 *     silent
 *     near: reinit-held
 * case: again
 *     silent
 *     near: reinit-held
 * case: child
 *     silent
 *     near: reinit-held
 * case: cleared
 *     expect: free-held none error
 *     call: INIT
 *     earlier: LOCK
 * case: cleared-and-locked
 *     expect: free-held none error
 *     call: LOCKED ANEW
 *     earlier: LOCK
 * case: overlaid
 *     expect: free-held none error
 *     call: LOCKED ANEW
 *     earlier: LOCK
 * case: unmapped
 *     expect: free-held none error
 *     call: UNMAP
 *     earlier: LOCK
 *     says: gives up the memory of
 * case: unmapped-by-other
 *     expect: free-held none error
 *     call: UNMAP
 *     earlier: WORKER LOCKS
 *     earlier thread: keep
 * case: unmapped-free
 *     silent
 *     near: free-held
 * case: cleared-free
 *     silent
 *     near: free-held
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_barrier_t turn;

static int lock(pthread_mutex_t *mutex) {
    int result = pthread_mutex_lock(mutex); /* LOCK */
    return result;
}

static int make(pthread_mutex_t *mutex) {
    int result = pthread_mutex_init(mutex, NULL); /* INIT */
    return result;
}

static void lock_anew(pthread_mutex_t *mutex) {
    pthread_mutex_lock(mutex); /* LOCKED ANEW */
    pthread_mutex_unlock(mutex);
}

static int unmap(void *memory) {
    int result = munmap(memory, 4096); /* UNMAP */
    return result;
}

static void own(pthread_mutex_t *mutex) {
    lock(mutex);
    make(mutex);
}

static void robust(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&queue_lock, &attributes);
    own(&queue_lock);
}

static void *keep(void *mutex) {
    pthread_mutex_lock(mutex); /* WORKER LOCKS */
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    _exit(0);
}

static void *map(void) {
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void other(void) {
    pthread_t worker;
    pthread_create(&worker, NULL, keep, &queue_lock);
    pthread_barrier_wait(&turn);
    make(&queue_lock);
}

/* Threads that hold it are no more in a child. */
static void child(void) {
    pthread_t worker;
    pthread_create(&worker, NULL, keep, &queue_lock);
    pthread_barrier_wait(&turn);
    pid_t pid = fork();
    if (pid == 0) {
        make(&queue_lock);
        lock(&queue_lock);
        exit(0);
    }
    waitpid(pid, NULL, 0);
}

/* What free and calloc do between them. */
static void cleared(const char *word) {
    pthread_mutex_t *mutex = calloc(2, sizeof *mutex);
    lock(mutex);
    if (strcmp(word, "cleared-free") == 0)
        pthread_mutex_unlock(mutex);
    memset(mutex, 0, sizeof *mutex);
    if (strcmp(word, "cleared-and-locked") == 0)
        lock_anew(mutex);
    else
        make(mutex);
}

static void overlaid(void) {
    char *memory = calloc(3, sizeof(pthread_mutex_t));
    lock((pthread_mutex_t *)(void *)(memory + 16));
    memset(memory, 0, 3 * sizeof(pthread_mutex_t));
    lock_anew((pthread_mutex_t *)(void *)memory);
}

static void unmapped(const char *word) {
    void *memory = map();
    make(memory);
    lock(memory);
    if (strcmp(word, "unmapped-free") == 0)
        pthread_mutex_unlock(memory);
    unmap(memory);
}

static void unmapped_by_other(void) {
    pthread_t worker;
    void *memory = map();
    make(memory);
    pthread_create(&worker, NULL, keep, memory);
    pthread_barrier_wait(&turn);
    unmap(memory);
}

int main(int count, char **words) {
    const char *word = count > 1 ? words[1] : "";
    pthread_barrier_init(&turn, NULL, 2);
    if (strcmp(word, "own") == 0)
        own(&queue_lock);
    else if (strcmp(word, "other") == 0)
        other();
    else if (strcmp(word, "recursive") == 0)
        own(&recursive);
    else if (strcmp(word, "robust") == 0)
        robust();
    else if (strcmp(word, "child") == 0)
        child();
    else if (strcmp(word, "unmapped-by-other") == 0)
        unmapped_by_other();
    else if (strncmp(word, "unmapped", 8) == 0)
        unmapped(word);
    else if (strcmp(word, "overlaid") == 0)
        overlaid();
    else if (strncmp(word, "cleared", 7) == 0)
        cleared(word);
    else
        for (int i = 0; i < (strcmp(word, "again") == 0 ? 3 : 1); i++) {
            make(&queue_lock);
            lock_anew(&queue_lock);
        }
    return 0;
}
