/* A wait cut into slices, so that the waiting thread can look around and write
 * down where it is: the first slice is short, each further one four times as
 * long, up to a second. */
#ifndef LOCKGRAPH_INTERPOSE_WAIT_SLICES_H
#define LOCKGRAPH_INTERPOSE_WAIT_SLICES_H

#include "interpose/mutex.h" /* struct lgi_limit */

struct lgi_slices {
    const struct lge_thread *thread; /* that waits */
    clockid_t clock;
    uint64_t length_ns;            /* of the next one */
    const struct lgi_limit *limit; /* the program's own, or NULL */
    struct timespec until;         /* the end of this one, on `clock` */
    bool last;                     /* it ends at the program's limit */
};

/* Length of every wait's first slice; from the constructor. */
void lgi_slices_configure(uint32_t first_ms);
uint64_t lgi_first_slice_ns(void);
/* The length after one of `ns`, for waits that keep their own time; and what a
 * slice of `ns` from `now` (monotonic) is cut to, so that it ends when the wait is to be told. */
uint64_t lgi_next_slice_ns(uint64_t ns);
uint64_t lgi_slice_cut(const struct lge_thread *thread, uint64_t now, uint64_t ns);

/* A limit that glibc would not refuse with EINVAL where it checks both. */
bool lgi_limit_valid(const struct lgi_limit *limit);
/* Before lge_wait_end: a wait with that limit ended with `error`.  Whether that is such a
 * limit's own end, which was told. */
bool lgi_limit_passed(struct lge_thread *thread, const struct lgi_limit *limit, int error);
struct lgi_slices lgi_slices_start(const struct lge_thread *thread, clockid_t clock,
                                   const struct lgi_limit *limit);
/* Begins a slice: until when the real call may wait. */
const struct timespec *lgi_slice_begin(struct lgi_slices *slices);
/* A slice of the wait for that lock, with that owner field, passed in vain: looks for a
 * deadlock, records the wait.  A wait in a signal handler may have taken its place. */
void lgi_slice_passed(struct lge_thread *thread, const struct lge_request *request, const int *owner);

#endif
