/* Something of everything that the page of an HTML report shows: an inversion with a lock
 * whose name is markup, two orders of one thread, levels, and a wait for a lock that is held
 * for long.  tests/end_to_end/html_page.py looks at it.

   helper
 */
#include <pthread.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

#include "turns.h"

enum { LONG_US = 300 * 1000 };

static lg_mutex_t markup = LG_MUTEX_INITIALIZER("<script>alert(1)</script>", LG_NO_LEVEL);
static lg_mutex_t ledger = LG_MUTEX_INITIALIZER("ledger", LG_NO_LEVEL);
static lg_mutex_t cold = LG_MUTEX_INITIALIZER("cold", LG_NO_LEVEL);
static lg_mutex_t warm = LG_MUTEX_INITIALIZER("warm", LG_NO_LEVEL);
static lg_mutex_t registry = LG_MUTEX_INITIALIZER("registry", 10);
static lg_mutex_t session = LG_MUTEX_INITIALIZER("session", 20);
static lg_mutex_t busy = LG_MUTEX_INITIALIZER("busy", LG_NO_LEVEL);

static void *post(void *nothing) {
    lg_mutex_lock(&ledger); /* HELD ledger */
    lg_mutex_lock(&markup); /* WANTED markup */
    lg_mutex_unlock(&markup);
    lg_mutex_unlock(&ledger);
    next_turn();
    await_turn(2);
    return nothing;
}

static void *flush(void *nothing) {
    await_turn(1);
    lg_mutex_lock(&markup); /* HELD markup */
    lg_mutex_lock(&ledger); /* WANTED ledger */
    lg_mutex_unlock(&ledger);
    lg_mutex_unlock(&markup);
    next_turn();
    return nothing;
}

static void nest(lg_mutex_t *outer, lg_mutex_t *inner) {
    lg_mutex_lock(outer);
    lg_mutex_lock(inner);
    lg_mutex_unlock(inner);
    lg_mutex_unlock(outer);
}

static void *hold(void *nothing) {
    lg_mutex_lock(&busy);
    next_turn();
    usleep(LONG_US);
    lg_mutex_unlock(&busy);
    return nothing;
}

static void together(void *(*one)(void *), void *(*other)(void *)) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, one, NULL);
    pthread_create(&threads[1], NULL, other, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

static void *wait_for_busy(void *nothing) {
    await_turn(3);
    lg_mutex_lock(&busy);
    lg_mutex_unlock(&busy);
    return nothing;
}

int main(void) {
    together(post, flush);
    nest(&cold, &warm);
    nest(&warm, &cold);
    nest(&registry, &session);
    together(hold, wait_for_busy);
    return 0;
}
