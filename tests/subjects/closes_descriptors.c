/* Closes every descriptor it does not know, as daemons do, and uses the numbers
 * for files of its own.  Nothing may be written into those.
 *
 * expect: order-cycle feasible error
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "turns.h"

enum { LOCKS = 3000, FILES = 200 };
enum { CLOSE_RANGE = 436 }; /* on every machine; Debian 11 has no name for it */
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *locks;
static int files[FILES];

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void *first(void *unused) {
    nest(&a, &b);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    nest(&b, &a);
    for (int i = 0; i + 1 < LOCKS; i++) /* evidence enough to make the file grow */
        nest(&locks[i], &locks[i + 1]);
    next_turn();
    return unused;
}

static int open_own(void) {
    FILE *file = tmpfile();
    int descriptor = file ? dup(fileno(file)) : -1;
    if (file)
        fclose(file);
    return descriptor;
}

int main(void) {
    pthread_t threads[2];
    locks = calloc(LOCKS, sizeof *locks);
    syscall(CLOSE_RANGE, 3, ~0U, 0);
    for (int i = 0; i < FILES; i++)
        files[i] = open_own();
    for (int i = 0; i < FILES; i++) /* the numbers at the upper end as well */
        dup2(files[i], 1023 - i);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < FILES; i++) {
        struct stat status;
        if (fstat(files[i], &status) != 0 || status.st_size != 0)
            return 3;
    }
    return 0;
}
