/* unlock-twice: what an operation does where it fails gives the connection's lock up, and
 * so does its caller.
 *
 * Found: unlock-unheld at the second one, which then does nothing.
 * Without Lockgraph: the lock is damaged; the session's end finds it in use by nobody. */
#include <string.h>

#include "inject_list.h"
#include "inject_stage.h"
#include "timed.h"

static bool read_page(struct sd_session_locks *locks, struct sd_error *error) {
    sd_unlock(&locks->operation); /* right: its caller's */
    return sd_fail_busy(error, "connection_lost", 1, "the peer closed it");
}

static void scrape(struct sd_session_locks *locks) {
    struct sd_error error;
    if (!sd_lock(&locks->operation, &error))
        return;
    (void)read_page(locks, &error);
    sd_unlock(&locks->operation);
}

static bool run(struct sd_service *service, struct sd_error *error) {
    struct sd_session_locks locks;
    (void)service;
    if (!sd_session_locks_init(&locks, 1, error))
        return false;
    scrape(&locks);
    int result = lg_mutex_destroy(&locks.operation);
    lg_mutex_destroy(&locks.handler);
    lg_mutex_destroy(&locks.task);
    lg_mutex_destroy(&locks.place);
    return result == 0 ||
           sd_fail(error, 500, "lock_damaged", "session.operation cannot be destroyed: %s", strerror(result));
}

const struct sd_injection sd_inject_unlock_twice = {
    "unlock-twice", "unlock-unheld", "error",
    "a session's lock is damaged: its end says it is in use, and nobody is there", run};
