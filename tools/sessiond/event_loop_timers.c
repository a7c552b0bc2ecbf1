#include "event_loop_private.h"

#include <stdlib.h>

#include "clock.h"

/* From the end: most are for about as long as those before them. */
static void link_timer(struct sd_loop *loop, struct sd_timer *timer) {
    struct sd_timer *before = loop->last;
    while (before != NULL && before->at_ms > timer->at_ms)
        before = before->before;
    timer->before = before;
    timer->next = before == NULL ? loop->first : before->next;
    *(before == NULL ? &loop->first : &before->next) = timer;
    *(timer->next == NULL ? &loop->last : &timer->next->before) = timer;
    timer->linked = true;
}

static void unlink_timer(struct sd_loop *loop, struct sd_timer *timer) {
    *(timer->before == NULL ? &loop->first : &timer->before->next) = timer->next;
    *(timer->next == NULL ? &loop->last : &timer->next->before) = timer->before;
    timer->linked = false;
}

struct sd_timer *sd_loop_timer(struct sd_loop *loop, int32_t ms, int32_t every_ms, sd_loop_call *call,
                               void *user, struct sd_error *error) {
    struct sd_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a timer");
        return NULL;
    }
    timer->at_ms = sd_now_ms() + ms;
    timer->every_ms = every_ms;
    timer->call = call;
    timer->user = user;
    link_timer(loop, timer);
    return timer;
}

void sd_timer_cancel(struct sd_loop *loop, struct sd_timer *timer) {
    if (timer->linked)
        unlink_timer(loop, timer);
    timer->cancelled = true;
    if (!timer->running)
        free(timer);
}

/* A timer that was late comes once, not as often as it should have. */
static void run_timer(struct sd_loop *loop, struct sd_timer *timer) {
    unlink_timer(loop, timer);
    timer->running = true;
    timer->call(loop, timer->user);
    timer->running = false;
    if (timer->cancelled || timer->every_ms == 0) {
        free(timer);
        return;
    }
    timer->at_ms = sd_now_ms() + timer->every_ms;
    link_timer(loop, timer);
}

void sd_loop_run_timers(struct sd_loop *loop) {
    int64_t now = sd_now_ms();
    while (loop->first != NULL && loop->first->at_ms <= now && !atomic_load(&loop->stopping))
        run_timer(loop, loop->first);
}

void sd_loop_free_timers(struct sd_loop *loop) {
    for (struct sd_timer *timer = loop->first, *next; timer != NULL; timer = next) {
        next = timer->next;
        free(timer);
    }
}
