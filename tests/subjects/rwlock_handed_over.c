/* A read lock that another thread gives back, as programs with completion threads
 * do: who took it does not hold it for ever, and who waits to write does not wait
 * for that one.  It is wrong all the same.
 *
 * expect: unlock-foreign none error
 * call: GIVES back
 * earlier: READS first
 * seconds: 10
 */
#include <pthread.h>

#include "turns.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

static void *completes(void *unused) {
    pthread_rwlock_unlock(&table); /* GIVES back */
    return unused;
}

static void *reads(void *unused) {
    pthread_rwlock_rdlock(&table);
    next_turn();
    usleep(200000);
    pthread_rwlock_unlock(&table);
    return unused;
}

static void *writes(void *unused) {
    await_turn(1);
    pthread_rwlock_wrlock(&table);
    pthread_rwlock_unlock(&table);
    return unused;
}

int main(void) {
    pthread_t completion, reader, writer;
    pthread_rwlock_rdlock(&table); /* READS first */
    pthread_create(&completion, NULL, completes, NULL);
    pthread_join(completion, NULL);
    pthread_create(&reader, NULL, reads, NULL);
    pthread_create(&writer, NULL, writes, NULL);
    pthread_join(writer, NULL); /* which waits for the reader, and not for us */
    pthread_join(reader, NULL);
    return 0;
}
