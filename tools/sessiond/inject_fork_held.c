/* fork-held: a helper is started by fork, and its first act is to count itself, before it
 * becomes another program.  Another thread was formatting the figures just then, with
 * manager.metrics (11) held: in the child it is held by nobody who could give it up.
 *
 * Found: fork-held, in the child, as it asks for the lock.
 * Without Lockgraph: the helper does not come up. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "inject_list.h"
#include "inject_stage.h"
#include "timed.h"

enum { WAIT_MS = 2500, LATE_MS = 1000, LOOK_MS = 5 };

static _Atomic bool forked;

/* What sd_metrics_write is at that moment. */
static void format_figures(struct sd_stage_actor *actor) {
    if (!(actor->done = sd_lock(&actor->service->locks.metrics, &actor->error)))
        return;
    sd_stage_meet(actor);
    while (!atomic_load(&forked))
        sd_cancel_pause(NULL, LOOK_MS);
    sd_unlock(&actor->service->locks.metrics);
}

static bool wait_for(pid_t child, struct sd_error *error) {
    int64_t until_ms = sd_now_ms() + WAIT_MS;
    while (sd_left_ms(until_ms) > 0) {
        if (waitpid(child, NULL, WNOHANG) == child)
            return sd_left_ms(until_ms) > WAIT_MS - LATE_MS ||
                   sd_fail_busy(error, "helper", 1, "the helper took more than %d ms to come up", LATE_MS);
        sd_cancel_pause(NULL, LOOK_MS);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return sd_fail_busy(error, "helper", 1, "the helper was not up after %d ms", WAIT_MS);
}

static void start_helper(struct sd_stage_actor *actor) {
    sd_stage_meet(actor);
    pid_t child = fork();
    if (child == 0) {
        /* right: posix_spawn, as model.c does, and the parent counts */
        if (sd_lock(&actor->service->locks.metrics, NULL))
            sd_unlock(&actor->service->locks.metrics);
        _exit(0); /* where it would become its program */
    }
    atomic_store(&forked, true);
    actor->done = child > 0 ? wait_for(child, &actor->error)
                            : sd_fail_busy(&actor->error, "no_process", 1, "no helper");
}

static bool run(struct sd_service *service, struct sd_error *error) {
    _Atomic int met = 0;
    struct sd_stage_actor actors[] = {{.act = format_figures, .service = service, .met = &met, .all = 2},
                                      {.act = start_helper, .service = service, .met = &met, .all = 2}};
    return sd_stage_play("fork-held", actors, 2, error);
}

const struct sd_injection sd_inject_fork_held = {"fork-held", "fork-held", "error",
                                                 "a helper process hangs before it has begun", run};
