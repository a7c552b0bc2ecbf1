/* Orders that look like those of file_abba and cannot hang: threads that the lock
 * does not keep apart, and locks that ended without being unlocked.
 *
 * silent
 *
 * case: record
 * case: lockf
 * case: records
 * case: one-descriptor
 * case: duplicate
 * case: readers
 * case: ranges
 * case: not-waiting
 * case: close
 * case: fclose
 * case: dup2
 * case: close-range
 * case: by-another
 * case: record-closed
 * case: converted
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "newer_libc.h"
#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *how;
static int file, other_file, handed_over;
static int of_second; /* opened before, so that its number is no other's */

static int is(const char *name) { return strcmp(how, name) == 0; }

static int open_again(int of) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", of);
    return open(path, O_RDWR);
}

static void lock_range(int descriptor, int command, short type, off_t start, off_t length) {
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    fcntl(descriptor, command, &range);
}

static void under_mutex(void) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

/* ---- threads that the lock does not keep apart ---- */

static void take_file(int descriptor, int thread) {
    if (is("record") || is("records"))
        lock_range(descriptor, F_SETLKW, F_WRLCK, 0, 0);
    else if (is("lockf"))
        lockf(descriptor, F_LOCK, 0);
    else if (is("ranges"))
        lock_range(descriptor, F_OFD_SETLKW, F_WRLCK, thread * 10, 10);
    else
        flock(descriptor, is("readers")                 ? LOCK_SH
                          : is("not-waiting") && thread ? LOCK_EX | LOCK_NB
                                                        : LOCK_EX);
}

static void give_file(int descriptor) {
    if (is("record") || is("records"))
        lock_range(descriptor, F_SETLKW, F_UNLCK, 0, 0);
    else if (is("lockf"))
        lockf(descriptor, F_ULOCK, 0);
    else if (is("ranges"))
        lock_range(descriptor, F_OFD_SETLKW, F_UNLCK, 0, 0);
    else
        flock(descriptor, LOCK_UN);
}

static int descriptor_for(int of) {
    if (is("one-descriptor"))
        return of;
    return is("duplicate") ? dup(of) : open_again(of);
}

static int two_files(void) { return is("records") || is("readers"); }

static void file_first(void) {
    int descriptor = descriptor_for(file), inner = descriptor_for(other_file);
    take_file(descriptor, 0);
    if (two_files()) {
        take_file(inner, 0);
        give_file(inner);
    } else {
        under_mutex();
    }
    give_file(descriptor);
}

static void file_last(void) {
    int descriptor = descriptor_for(file), outer = descriptor_for(other_file);
    if (two_files())
        take_file(outer, 1);
    else
        pthread_mutex_lock(&mutex);
    take_file(descriptor, 1);
    give_file(descriptor);
    if (two_files())
        give_file(outer);
    else
        pthread_mutex_unlock(&mutex);
}

/* ---- locks that ended ---- */

static void *unlock_handed_over(void *unused) {
    flock(handed_over, LOCK_UN);
    return unused;
}

static void unlock_by_another(int descriptor) {
    pthread_t thread;
    handed_over = descriptor;
    pthread_create(&thread, NULL, unlock_handed_over, NULL);
    pthread_join(thread, NULL);
}

/* Taken, ended in some way, and then the mutex. */
static void ended_first(void) {
    int descriptor = open_again(file);
    if (is("record-closed"))
        lock_range(descriptor, F_SETLKW, F_WRLCK, 0, 0);
    else
        flock(descriptor, LOCK_EX);
    if (is("close"))
        close(descriptor);
    else if (is("record-closed"))
        close(open_again(file));
    else if (is("fclose"))
        fclose(fdopen(descriptor, "r"));
    else if (is("dup2"))
        dup2(other_file, descriptor);
    else if (is("close-range"))
        close_range((unsigned)descriptor, (unsigned)descriptor, 0);
    else
        unlock_by_another(descriptor);
    under_mutex();
}

/* flock gives up what it has when it cannot have what it asks for. */
static void converted_first(void) {
    int descriptor = open_again(file), reader = open_again(file);
    flock(descriptor, LOCK_SH);
    flock(reader, LOCK_SH);
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        fprintf(stderr, "not converted\n");
    flock(reader, LOCK_UN);
    under_mutex();
    close(descriptor);
    close(reader);
}

static void mutex_first(void) {
    pthread_mutex_lock(&mutex);
    flock(of_second, LOCK_EX);
    flock(of_second, LOCK_UN);
    pthread_mutex_unlock(&mutex);
}

/* ---- */

static int ends(void) {
    return is("close") || is("fclose") || is("dup2") || is("close-range") || is("by-another") ||
           is("record-closed") || is("converted");
}

static void *first(void *unused) {
    if (is("converted"))
        converted_first();
    else if (ends())
        ended_first();
    else
        file_first();
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    if (ends())
        mutex_first();
    else
        file_last();
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    how = argc > 1 ? argv[1] : "close";
    file = memfd_create("first", 0);
    other_file = memfd_create("second", 0);
    of_second = open_again(file);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
