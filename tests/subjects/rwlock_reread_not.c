/* Writers are preferred, and a thread reads twice, but no writer can come between to
 * its harm: nobody else writes, the second request only tries, the first hold is
 * given up before, or a mutex is held around both.
 *
 * silent
 * near: order-cycle
 * case: nobody
 * case: itself
 * case: try
 * case: released
 * case: gate
 * note: order-cycle gated
 */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "turns.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static const char *how = "nobody";

static bool is(const char *word) { return strcmp(how, word) == 0; }

static void write_table(void) {
    pthread_rwlock_wrlock(&table);
    pthread_rwlock_unlock(&table);
}

static void read_twice(void) {
    pthread_rwlock_rdlock(&table);
    if (is("released"))
        pthread_rwlock_unlock(&table);
    int result = is("try") ? pthread_rwlock_tryrdlock(&table) : pthread_rwlock_rdlock(&table);
    if (result == 0)
        pthread_rwlock_unlock(&table);
    if (!is("released"))
        pthread_rwlock_unlock(&table);
}

static void *reader(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&gate);
    read_twice();
    pthread_mutex_unlock(&gate);
    if (is("itself"))
        write_table();
    next_turn();
    return unused;
}

static void *other(void *unused) {
    await_turn(2);
    if (is("gate"))
        pthread_mutex_lock(&gate);
    if (is("nobody"))
        read_twice();
    else if (!is("itself"))
        write_table();
    if (is("gate"))
        pthread_mutex_unlock(&gate);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    if (argc > 1)
        how = argv[1];
    pthread_create(&threads[0], NULL, reader, NULL);
    pthread_create(&threads[1], NULL, other, NULL);
    next_turn();
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
