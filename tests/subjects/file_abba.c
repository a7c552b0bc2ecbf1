/* Locks of files and a mutex, or of two files, in opposite orders by two live
 * threads, each with descriptors of its own.
 *
 * edge: HELD outer -> WANTED inner
 * edges: 2
 * threads: 2
 *
 * case: flock-mutex
 * expect: order-cycle feasible error
 * says: flock /memfd:first
 *
 * case: flock-flock
 * expect: order-cycle feasible error
 * says: flock /memfd:first, flock /memfd:second
 *
 * case: description-mutex
 * expect: order-cycle feasible error
 * says: fcntl /memfd:first
 *
 * case: description-flock
 * expect: order-cycle feasible error
 *
 * case: range-range
 * expect: order-cycle feasible error
 * says: fcntl /memfd:first [10, 20), fcntl /memfd:first [20, 21)
 *
 * case: reader-writer
 * expect: order-cycle feasible error
 *
 * case: closed
 * expect: order-cycle feasible error
 *
 * case: closed-stream
 * expect: order-cycle feasible error
 *
 * case: closed-range
 * expect: order-cycle feasible error
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "newer_libc.h"
#include "turns.h"

enum how { MUTEX, FLOCK, FLOCK_SHARED, DESCRIPTION };
struct what {
    enum how how;
    int file;
    off_t start, length;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* Outer and inner of each thread. */
static struct what first_takes[2], second_takes[2];
static const char *how; /* the second thread gets the same descriptors when the first has closed its own */

static int open_again(int file) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return open(path, O_RDWR);
}

static int lock_range(int descriptor, const struct what *what, short type) {
    struct flock range = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = what->start, .l_len = what->length};
    return fcntl(descriptor, F_OFD_SETLKW, &range);
}

static int take(const struct what *what) {
    if (what->how == MUTEX)
        return pthread_mutex_lock(&mutex);
    int descriptor = open_again(what->file);
    if (what->how == DESCRIPTION)
        lock_range(descriptor, what, F_WRLCK);
    else
        flock(descriptor, what->how == FLOCK ? LOCK_EX : LOCK_SH);
    return descriptor;
}

static void give(const struct what *what, int descriptor) {
    if (what->how == MUTEX) {
        pthread_mutex_unlock(&mutex);
        return;
    }
    int closed = strncmp(how, "closed", 6) == 0;
    if (what->how == DESCRIPTION)
        lock_range(descriptor, what, F_UNLCK);
    else if (!closed)
        flock(descriptor, LOCK_UN);
    if (strcmp(how, "closed-stream") == 0)
        fclose(fdopen(descriptor, "r"));
    else if (strcmp(how, "closed-range") == 0)
        close_range((unsigned)descriptor, (unsigned)descriptor, 0);
    else
        close(descriptor);
}

static void nest(const struct what *takes) {
    int held = take(&takes[0]);   /* HELD outer */
    int wanted = take(&takes[1]); /* WANTED inner */
    give(&takes[1], wanted);
    give(&takes[0], held);
}

static void *first(void *unused) {
    nest(first_takes);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    nest(second_takes);
    next_turn();
    return unused;
}

static void choose(const char *name) {
    how = name;
    int a = memfd_create("first", 0), b = memfd_create("second", 0);
    struct what one = {strncmp(name, "description", 11) == 0 ? DESCRIPTION : FLOCK, a, 0, 0};
    struct what other = {MUTEX, b, 0, 0};
    if (strcmp(name, "range-range") == 0) {
        one = (struct what){DESCRIPTION, a, 10, 10};
        other = (struct what){DESCRIPTION, a, 20, 1};
    } else if (strstr(name, "-flock") != NULL) {
        other.how = FLOCK;
    }
    first_takes[0] = second_takes[1] = one;
    first_takes[1] = second_takes[0] = other;
    if (strcmp(name, "reader-writer") == 0)
        first_takes[0].how = FLOCK_SHARED;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    choose(argc > 1 ? argv[1] : "");
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
