/* Requests with a condition of their own on the stack, as the static initialiser leaves
 * it and never destroyed: the next one lies at the same address and is another one.  The
 * first waits under `ledger` for a signaller that takes nothing; with the last it is the
 * other way round.
 *
 * case: another
 * silent
 * near: cond-wait-holding
 *
 * case: another-waited
 * silent
 * near: cond-wait-holding
 *
 * case: same
 * expect: cond-wait-holding none warning
 * call: SIGNALS it
 * earlier: WAITS here
 * lock: ledger
 *
 * case: same-first-signalled
 * expect: cond-wait-holding none warning
 * call: WAITS here
 * earlier: SIGNALS it
 * lock: ledger
 *
 * case: after-many
 * expect: cond-wait-holding none warning
 * call: SIGNALS it
 * earlier: WAITS here
 * lock: ledger
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 4200 }; /* more than are remembered at once */

struct request {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    int waits, is_done;
};
#define NEW_REQUEST                                                                                          \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 }

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;

static void *answer(void *argument) {
    struct request *request = argument;
    for (int waits = 0; !waits;) {
        pthread_mutex_lock(&request->mutex);
        waits = request->waits;
        request->is_done = waits;
        if (waits)
            pthread_cond_signal(&request->done); /* SIGNALS it */
        pthread_mutex_unlock(&request->mutex);
        usleep(1000);
    }
    return NULL;
}

static void *answer_with_ledger(void *argument) {
    pthread_mutex_lock(&ledger);
    answer(argument);
    pthread_mutex_unlock(&ledger);
    return NULL;
}

static void *signal_with_ledger(void *argument) {
    struct request *request = argument;
    pthread_mutex_lock(&ledger);
    pthread_mutex_lock(&request->mutex);
    pthread_cond_signal(&request->done); /* SIGNALS it */
    pthread_mutex_unlock(&request->mutex);
    pthread_mutex_unlock(&ledger);
    return NULL;
}

static void run(void *(*other)(void *), struct request *request) {
    pthread_t thread;
    pthread_create(&thread, NULL, other, request);
    pthread_join(thread, NULL);
}

static void wait_for(struct request *request, void *(*other)(void *), int with_ledger) {
    pthread_t thread;
    if (with_ledger)
        pthread_mutex_lock(&ledger);
    pthread_create(&thread, NULL, other, request);
    pthread_mutex_lock(&request->mutex);
    request->waits = 1;
    while (!request->is_done)
        pthread_cond_wait(&request->done, &request->mutex); /* WAITS here */
    request->waits = request->is_done = 0;
    pthread_mutex_unlock(&request->mutex);
    if (with_ledger)
        pthread_mutex_unlock(&ledger);
    pthread_join(thread, NULL);
}

static __attribute__((noinline)) void ask(void *(*other)(void *), int with_ledger) {
    struct request request = NEW_REQUEST;
    wait_for(&request, other, with_ledger);
}

/* Each is waited for under `ledger`, until its time is up at once. */
static void ask_many(struct request *requests) {
    struct timespec long_ago = {.tv_sec = 1};
    pthread_mutex_lock(&ledger);
    for (int i = 0; i < MANY; i++) {
        requests[i] = (struct request)NEW_REQUEST;
        pthread_mutex_lock(&requests[i].mutex);
        pthread_cond_timedwait(&requests[i].done, &requests[i].mutex, &long_ago);
        pthread_mutex_unlock(&requests[i].mutex);
    }
    pthread_mutex_unlock(&ledger);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    struct request kept = NEW_REQUEST;
    struct request *many = malloc(MANY * sizeof *many);
    alarm(60);
    if (strncmp(what, "another", 7) == 0) {
        ask(answer, 1);
        if (strcmp(what, "another-waited") == 0)
            ask(answer, 0);
        ask(answer_with_ledger, 0);
    } else if (strcmp(what, "same-first-signalled") == 0) {
        run(signal_with_ledger, &kept);
        wait_for(&kept, answer, 1);
    } else {
        if (strcmp(what, "after-many") == 0)
            ask_many(many);
        wait_for(&kept, answer, 1);
        run(signal_with_ledger, &kept);
    }
    free(many);
    return 0;
}
