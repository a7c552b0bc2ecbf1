/* Threads that promised a heartbeat and give none for longer: told by a thread that
 * waits for a lock, by one that does nothing but look, or by their own next one.
 *
 * seconds: 8
 *
 * case: late
 *     expect: heartbeat-missed none warning
 *     call: BEATS LATE
 *     says: T2 (event-loop) missed its heartbeat (200 ms), late heartbeat
 * case: seen-by-waiter
 *     expect: heartbeat-missed none warning
 *     call: BEATS LAST
 *     earlier: WAITS FOR LOOP
 *     earlier thread: behind
 *     lock: state
 *     says: last heartbeat at, waits for state, which it holds
 * case: seen-by-bystander
 *     expect: heartbeat-missed none warning
 *     call: BEATS BEFORE STALL
 *     says: where it was meanwhile is not known
 * case: waits-itself
 *     expect: heartbeat-missed none warning
 *     call: LOOP WAITS
 *     earlier: LOOP TAKES STATE
 *     lock: state
 *     says: because it waits; it holds state, waiting at
 * case: watchdog-thread
 *     expect: heartbeat-missed none warning
 *     call: BEATS UNDER WATCH
 *     says: last heartbeat
 * case: seen-by-command
 *     expect: heartbeat-missed none warning
 *     call: BEATS UNSEEN
 *     says: T2 (event-loop) missed its heartbeat (200 ms)
 * case: waits-for-condition
 *     expect: heartbeat-missed none warning
 *     call: BEATS AT LAST
 * case: of-two-places
 *     expect: heartbeat-missed none warning
 *     call: BEATS AT SECOND
 *
 * case: healthy
 *     silent
 *     near: heartbeat-missed
 * case: removed
 *     silent
 *     near: heartbeat-missed
 * case: ended
 *     silent
 *     near: heartbeat-missed
 * case: forked
 *     silent
 *     near: heartbeat-missed
 *     processes: 2
 * case: none-promised
 *     silent
 *     near: heartbeat-missed
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

#include "turns.h"

enum { LIMIT_MS = 200, STALL_MS = 1200 };

static lg_mutex_t state = LG_MUTEX_INITIALIZER("state", 10), other = LG_MUTEX_INITIALIZER("other", 20);

static void must(int good) {
    if (!good)
        abort();
}
static void stall(int ms) { usleep((useconds_t)ms * 1000); }

static void promise(uint32_t ms) { must(lg_watchdog_add("event-loop", ms) == 0); }

static void *beat_late(void *unused) {
    promise(LIMIT_MS);
    stall(STALL_MS);
    lg_heartbeat(); /* BEATS LATE */
    lg_heartbeat();
    return unused;
}

static void *stall_under_lock(void *unused) {
    promise(LIMIT_MS);
    lg_mutex_lock(&state);
    lg_heartbeat(); /* BEATS LAST */
    next_turn();
    stall(STALL_MS);
    lg_mutex_unlock(&state);
    return unused;
}
static void *behind(void *unused) {
    pthread_setname_np(pthread_self(), "behind");
    await_turn(1);
    lg_mutex_lock(&state); /* WAITS FOR LOOP */
    lg_mutex_unlock(&state);
    return unused;
}

static void *stall_alone(void *unused) {
    promise(LIMIT_MS);
    lg_heartbeat(); /* BEATS BEFORE STALL */
    await_turn(2);
    lg_watchdog_remove();
    return unused;
}
static void *holds_other(void *unused) {
    lg_mutex_lock(&other);
    next_turn();
    stall(STALL_MS);
    lg_mutex_unlock(&other);
    return unused;
}
static void *wait_for_other(void *unused) {
    await_turn(1);
    lg_mutex_lock(&other);
    lg_mutex_unlock(&other);
    next_turn();
    return unused;
}

static void *loop_waits(void *unused) {
    await_turn(1);
    promise(LIMIT_MS);
    lg_mutex_lock(&state); /* LOOP TAKES STATE */
    lg_heartbeat();
    lg_mutex_lock(&other); /* LOOP WAITS */
    lg_mutex_unlock(&other);
    lg_mutex_unlock(&state);
    lg_heartbeat();
    return unused;
}

static void *stall_watched(void *unused) {
    must(lg_watchdog_thread() == 0 && lg_watchdog_thread() == EALREADY);
    promise(LIMIT_MS);
    lg_heartbeat(); /* BEATS UNDER WATCH */
    stall(STALL_MS);
    lg_watchdog_remove();
    return unused;
}

/* Nobody in the process looks, and it never gives another one. */
static void *stall_unseen(void *unused) {
    (void)unused;
    promise(LIMIT_MS);
    lg_heartbeat(); /* BEATS UNSEEN */
    stall(STALL_MS);
    exit(0);
}
static void *wait_unseen(void *unused) {
    (void)unused;
    static lg_cond_t never = LG_COND_INITIALIZER;
    promise(LIMIT_MS);
    lg_mutex_lock(&state);
    lg_heartbeat(); /* BEATS AT LAST */
    lg_cond_timedwait(&never, &state, STALL_MS);
    lg_mutex_unlock(&state);
    exit(0);
}

static void *beat_at_two_places(void *unused) {
    must(lg_watchdog_thread() == 0);
    promise(LIMIT_MS);
    for (int i = 0; i < 5; i++) {
        lg_heartbeat();
        lg_heartbeat(); /* BEATS AT SECOND */
    }
    stall(STALL_MS);
    lg_watchdog_remove();
    return unused;
}

/* ---- silent ---- */

static void *beat_in_time(void *unused) {
    must(lg_watchdog_thread() == 0);
    must(lg_watchdog_add("", 5) == EINVAL && lg_watchdog_add(NULL, 5) == EINVAL);
    must(lg_watchdog_add("x", 0) == EINVAL && lg_watchdog_remove() == ESRCH);
    promise(5000);
    must(lg_watchdog_add("again", 5) == EALREADY);
    for (int i = 0; i < 200; i++) {
        lg_mutex_lock(&state);
        lg_heartbeat();
        stall(3);
        lg_mutex_unlock(&state);
    }
    return unused;
}

static void *stall_without(void *unused) {
    must(lg_watchdog_thread() == 0);
    promise(LIMIT_MS);
    must(lg_watchdog_remove() == 0);
    stall(STALL_MS);
    lg_heartbeat();
    return unused;
}

static void *promise_and_end(void *unused) {
    must(lg_watchdog_thread() == 0);
    promise(LIMIT_MS);
    return unused;
}

static void *fork_meanwhile(void *unused) {
    int status;
    promise(5000);
    pid_t child = fork();
    if (child == 0) { /* a thread of its own looks; the parent's is not there */
        must(lg_watchdog_thread() == 0);
        stall(300);
        lg_heartbeat();
        _exit(0);
    }
    must(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return unused;
}

static void *never_promise(void *unused) {
    lg_heartbeat();
    stall(STALL_MS);
    lg_heartbeat();
    return unused;
}

static const struct {
    const char *name;
    void *(*threads[3])(void *);
    int after_ms; /* the process goes on for so long */
} cases[] = {
    {"late", {beat_late}, 0},
    {"seen-by-waiter", {stall_under_lock, behind}, 0},
    {"seen-by-bystander", {stall_alone, holds_other, wait_for_other}, 0},
    {"waits-itself", {loop_waits, holds_other}, 0},
    {"watchdog-thread", {stall_watched}, 0},
    {"seen-by-command", {stall_unseen}, 0},
    {"waits-for-condition", {wait_unseen}, 0},
    {"of-two-places", {beat_at_two_places}, 0},
    {"healthy", {beat_in_time}, 0},
    {"removed", {stall_without}, 0},
    {"ended", {promise_and_end}, STALL_MS},
    {"forked", {fork_meanwhile}, 0},
    {"none-promised", {never_promise}, 0},
};

int main(int argc, char **argv) {
    pthread_t threads[3];
    size_t chosen = 0, count = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(cases[i].name, argc > 1 ? argv[1] : "late") == 0)
            chosen = i;
    lg_mutex_lock(&other); /* each case has a lock to see */
    lg_mutex_unlock(&other);
    for (; count < 3 && cases[chosen].threads[count] != NULL; count++)
        pthread_create(&threads[count], NULL, cases[chosen].threads[count], NULL);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    stall(cases[chosen].after_ms);
    return 0;
}
