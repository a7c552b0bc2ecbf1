/* A callback of the program forks, while other threads keep the runtime busy, and returns
 * in the child, too, which goes on and is seen.
 *
 * expect: order-cycle feasible error
 * in child
 * seconds: 30
 */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

#include "turns.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static volatile int over;
static pid_t forked = -1;
static int failures;

static void fork_it(const struct lg_finding *finding, void *user) {
    (void)user;
    if (strcmp(finding->kind, "user") == 0)
        forked = fork();
}

static void *keep_busy(void *unused) {
    while (!over) {
        pthread_mutex_t fresh;
        pthread_mutex_init(&fresh, NULL);
        pthread_mutex_lock(&inner);
        pthread_mutex_lock(&fresh);
        pthread_mutex_unlock(&fresh);
        pthread_mutex_unlock(&inner);
        pthread_mutex_destroy(&fresh);
    }
    return unused;
}

static void *take_in_reverse(void *unused) {
    pthread_mutex_lock(&inner);
    pthread_mutex_lock(&outer);
    pthread_mutex_unlock(&outer);
    pthread_mutex_unlock(&inner);
    next_turn();
    return unused;
}

/* A thread of the parent may have had `inner`.  The other one stays, not ordered after this. */
static void go_on_in_child(void) {
    pthread_t thread;
    pthread_mutex_init(&inner, NULL);
    pthread_create(&thread, NULL, take_in_reverse, NULL);
    await_turn(1);
    pthread_mutex_lock(&outer);
    pthread_mutex_lock(&inner);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    pthread_join(thread, NULL);
    _exit(0);
}

static void look_at_child(void) {
    int status = 1;
    if (forked == 0)
        go_on_in_child();
    if (waitpid(forked, &status, 0) != forked || status != 0)
        failures++;
    forked = -1;
}

/* Each is a place of its own, which is told once. */
#define ONE  lg_report(LG_NOTE, "fork"), look_at_child();
#define FOUR ONE ONE ONE ONE

int main(void) {
    pthread_t threads[2];
    lg_on_finding(fork_it, NULL);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, keep_busy, NULL);
    FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR over = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return failures;
}
