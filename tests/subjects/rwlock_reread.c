/* Writers are preferred, and one thread reads again what it reads.  Nobody comes
 * between this time: a writer who did would wait for the first hold, and the second
 * request for the writer.
 *
 * edges: 1
 * edge: READS table -> READS again
 * case: before
 * expect: order-cycle feasible error
 * case: after
 * expect: order-cycle feasible error
 * case: second-writer
 * expect: order-cycle feasible error
 * case: reader-limit
 * expect: order-cycle timed warning
 * case: writer-limit
 * expect: order-cycle timed warning
 */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "turns.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static const char *how = "before";

static bool is(const char *word) { return strcmp(how, word) == 0; }

static struct timespec soon(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += 5;
    return at;
}

static void read_again(void) {
    struct timespec at = soon();
    if (is("reader-limit"))
        pthread_rwlock_timedrdlock(&table, &at); /* READS again */
    else
        pthread_rwlock_rdlock(&table); /* READS again */
    pthread_rwlock_unlock(&table);
}

static void *reader(void *unused) {
    await_turn(is("after") ? 1 : 2);
    pthread_rwlock_rdlock(&table); /* READS table */
    read_again();
    pthread_rwlock_unlock(&table);
    next_turn();
    return unused;
}

static void *writer(void *unused) {
    struct timespec at = soon();
    await_turn(is("after") ? 2 : 1);
    if (is("writer-limit"))
        pthread_rwlock_timedwrlock(&table, &at);
    else
        pthread_rwlock_wrlock(&table);
    pthread_rwlock_unlock(&table);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    if (argc > 1)
        how = argv[1];
    if (is("second-writer")) { /* the first one was there before there were threads */
        pthread_rwlock_wrlock(&table);
        pthread_rwlock_unlock(&table);
    }
    pthread_create(&threads[0], NULL, reader, NULL);
    pthread_create(&threads[1], NULL, writer, NULL);
    next_turn();
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
