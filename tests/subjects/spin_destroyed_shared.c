/* A process-shared spinlock that was destroyed here is used again.
 *
 * case: own-memory
 *     expect: use-destroyed none error
 *     call: LOCKS
 *     earlier: DESTROYED
 * case: made-anew-by-another
 *     silent
 *     near: use-destroyed
 * case: in-other-memory
 *     silent
 *     near: use-destroyed
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_spinlock_t *spin;
static const char *how;

static int is(const char *word) { return strcmp(how, word) == 0; }

static void *map(int file, void *where) {
    void *got = mmap(where, sizeof *spin, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (got == MAP_FAILED || (where != NULL && got != where))
        abort();
    return got;
}

static int new_file(void) {
    int file = memfd_create("place", 0);
    if (file < 0 || ftruncate(file, sizeof *spin) != 0)
        abort();
    return file;
}

/* The lock in that file is another process's work. */
static void make_elsewhere(int file) {
    pid_t pid = fork();
    if (pid == 0) {
        pthread_spin_init(map(file, NULL), PTHREAD_PROCESS_SHARED);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

int main(int count, char **arguments) {
    how = count > 1 ? arguments[1] : "own-memory";
    int file = new_file(), another = new_file();
    spin = is("own-memory") ? malloc(sizeof *spin) : map(file, NULL);
    pthread_spin_init(spin, PTHREAD_PROCESS_SHARED);
    pthread_spin_lock(spin);
    pthread_spin_unlock(spin);
    pthread_spin_destroy(spin); /* DESTROYED */
    if (is("made-anew-by-another"))
        make_elsewhere(file);
    if (is("in-other-memory")) {
        make_elsewhere(another);
        munmap((void *)(uintptr_t)spin, sizeof *spin);
        spin = map(another, (void *)(uintptr_t)spin);
    }
    pthread_spin_lock(spin); /* LOCKS */
    pthread_spin_unlock(spin);
    return 0;
}
