#include "interpose/wait_slices.h"

#include <errno.h>

#include "engine/overdue.h"
#include "interpose/on_deadlock.h"
#include "interpose/runtime.h"
#include "interpose/told_later.h"
#include "platform/system.h"

enum { GROWTH = 4, SECOND = 1000000000 };

/* Written by the constructor, read by anybody after it. */
static uint64_t first_slice_ns = 2000000;

void lgi_slices_configure(uint32_t first_ms) { first_slice_ns = first_ms * UINT64_C(1000000); }
uint64_t lgi_first_slice_ns(void) { return first_slice_ns; }

uint64_t lgi_next_slice_ns(uint64_t ns) { return ns * GROWTH < SECOND ? ns * GROWTH : SECOND; }

uint64_t lgi_slice_cut(const struct lge_thread *thread, uint64_t now, uint64_t ns) {
    uint64_t left = lge_wait_left(thread, now);
    return left != 0 && left < ns ? left : ns;
}

bool lgi_limit_valid(const struct lgi_limit *limit) {
    return (limit->clock == CLOCK_REALTIME || limit->clock == CLOCK_MONOTONIC) && limit->at->tv_nsec >= 0 &&
           limit->at->tv_nsec < SECOND;
}

static bool not_later(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec <= b->tv_nsec;
}

static struct timespec time_of(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / SECOND), .tv_nsec = (long)(ns % SECOND)};
}

static struct timespec end_of(const struct lgi_slices *slices) {
    uint64_t now = lgp_monotonic_ns(), end = lgi_slice_cut(slices->thread, now, slices->length_ns);
    return time_of(end + (slices->clock == CLOCK_REALTIME ? lgp_realtime_ns() : now));
}

const struct lgi_limit *lgi_limit_absolute(const struct lgi_limit *limit, struct lgi_limit *absolute,
                                           struct timespec *at) {
    if (limit == NULL || limit->after_ms == 0)
        return limit;
    *at = time_of((limit->clock == CLOCK_REALTIME ? lgp_realtime_ns() : lgp_monotonic_ns()) +
                  limit->after_ms * UINT64_C(1000000));
    *absolute = *limit;
    absolute->at = at;
    absolute->after_ms = 0;
    absolute->least_ms = limit->after_ms;
    return absolute;
}

uint8_t lgi_limit_flags(const struct lgi_limit *limit) {
    return limit != NULL && !limit->net ? LGE_TIMED : 0;
}

bool lgi_limit_passed(struct lge_thread *thread, const struct lgi_limit *limit, int error) {
    if (error != ETIMEDOUT || limit == NULL || !limit->told)
        return false;
    lge_overdue_gave_up(thread, limit->least_ms);
    return true;
}

struct lgi_slices lgi_slices_start(const struct lge_thread *thread, clockid_t clock,
                                   const struct lgi_limit *limit) {
    return (struct lgi_slices){.thread = thread,
                               .clock = limit != NULL ? limit->clock : clock,
                               .length_ns = first_slice_ns,
                               .limit = limit};
}

const struct timespec *lgi_slice_begin(struct lgi_slices *slices) {
    slices->until = end_of(slices);
    slices->last = slices->limit != NULL && not_later(slices->limit->at, &slices->until);
    slices->length_ns = lgi_next_slice_ns(slices->length_ns);
    return slices->last ? slices->limit->at : &slices->until;
}

void lgi_slice_passed(struct lge_thread *thread, const struct lge_request *request, const int *owner) {
    bool published = lge_waiting(lge_wait_sequence(thread));
    bool deadlock = published ? lge_wait_again(thread) : lge_wait_begin(thread, request, owner);
    lgi_write_figures();
    if (lgi_local.noted != NULL)
        lgi_tell_noted();
    if (deadlock)
        lgi_on_deadlock();
}
